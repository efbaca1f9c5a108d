"""Measuring an index on queries whose answers are known.

A gold file has one JSON object a line: `query`, `talk` (the transcript's path, or the talk's id), `start_s`, and where
known `end_s` or `spans` (several stretches that answer), `id`, `kind`. A hit is right when its talk is the gold talk
and its jump second lies in [start - 15, end), or within 180 seconds of the start where no end is known.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import ir_measures
import numpy as np
import numpy.typing as npt
from ir_measures import RR, Qrel, R, ScoredDoc, Success, nDCG

from talksearch.indexer.errors import QueryError
from talksearch.indexer.records import Field, Json
from talksearch.search import engine
from talksearch.search.hit import Hit
from talksearch.search.query import Mode, Query, as_text
from talksearch.search.reader import IndexReader

EARLY_MS = 15_000
"""Who opens a recording this early still hears the answer begin."""

UNKNOWN_END_MS = 180_000

DEPTH = 100
"""Hits asked for: recall@100 needs as many."""

_MEASURES = {
    "success@1": Success @ 1,
    "success@5": Success @ 5,
    "success@10": Success @ 10,
    "mrr@10": RR @ 10,
    "ndcg@10": nDCG @ 10,
    "recall@100": R @ 100,
}
_RESAMPLES = 1_000

_Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Gold:
    """A query and where it is answered."""

    id: str
    query: str
    talk: str
    spans: tuple[tuple[int, int], ...]
    """Stretches of the talk that answer, as (start, end) in milliseconds; any of them will do."""
    kind: str = ""
    file: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one query fared."""

    gold: Gold
    rank: int | None
    """Rank of the first right hit, from 1; None where no hit is right."""
    talk_rank: int | None
    """Rank of the first hit in the right talk."""
    jump_error_ms: int | None
    """How far the first right hit lands from where the answer starts, before or behind."""
    best_score: float
    """Score of the first hit, right or wrong; 0 without hits."""
    first: str
    """The first hit as talk@second; empty without hits."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure, with the interval that holds it in 95 of 100 samples of such talks."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Summary:
    """How a set of queries fared."""

    file: str
    kind: str
    """Empty: all kinds together."""
    queries: int
    figures: dict[str, Interval]


def read_gold(path: Path) -> tuple[Gold, ...]:
    """Read a gold file. Raises QueryError that names the line that cannot be used."""
    golds = []
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise QueryError(f"{path} cannot be read: {error}.", "It is a file of JSON objects, one a line.") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            start = float(row["start_s"])
            end = row.get("end_s")
            spans = row.get("spans") or [[start, start + UNKNOWN_END_MS / 1000 if end is None else float(end)]]
            golds.append(
                Gold(
                    id=str(row.get("id", number)),
                    query=as_text(str(row["query"])),
                    talk=str(row["talk"]),
                    spans=tuple((round(first * 1000), round(last * 1000)) for first, last in spans),
                    kind=str(row.get("kind", "")),
                    file=path.stem,
                )
            )
        except (ValueError, OverflowError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise QueryError(
                f"Line {number} of {path} is no query with a known answer.",
                'Each line is like {"query": "…", "talk": "folder/talk.vtt", "start_s": 61, "end_s": 120}.',
            ) from error
    return tuple(golds)


def absent(index: IndexReader, golds: Iterable[Gold]) -> list[str]:
    """Return the gold talks that are not in the index: nothing can answer their queries, which count as missed."""
    rows = index.db.execute("SELECT id, youtube_id, source FROM talks").fetchall()
    known = {name for row in rows for name in row[:2] if name}
    names: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        names[PurePosixPath(row[2]).name].append(row[2])
    return sorted(
        talk
        for talk in {gold.talk for gold in golds}
        if talk not in known and not any(same_path(source, talk) for source in names.get(PurePosixPath(talk).name, ()))
    )


def is_talk(hit: Hit, talk: str) -> bool:
    """Say whether a hit lies in a talk that is named by its path, id or YouTube id."""
    return talk in (hit.talk_id, hit.youtube_id) or same_path(hit.source, talk)


def same_path(source: str, talk: str) -> bool:
    """Say whether two paths mean one file, though they may be relative to different folders.

    The index may have been made from a folder above or below the one that the path is relative to, so that one path is
    the tail of the other, in whole components.

    >>> same_path("archive/seed/a.txt", "seed/a.txt"), same_path("a.txt", "seed/a.txt"), same_path("xa.txt", "a.txt")
    (True, True, False)
    """
    one, other = PurePosixPath(source).parts, PurePosixPath(talk).parts
    shared = min(len(one), len(other))
    return shared > 0 and one[-shared:] == other[-shared:]


def judge(gold: Gold, hits: Sequence[Hit]) -> Outcome:
    """Return how a query fared with the hits it got, best first."""
    talk_rank = None
    for rank, hit in enumerate(hits, 1):
        if not is_talk(hit, gold.talk):
            continue
        talk_rank = talk_rank or rank
        error = jump_error(gold, hit.jump_ms)
        if error is not None:
            return _outcome(gold, hits, rank, talk_rank, error)
    return _outcome(gold, hits, None, talk_rank, None)


def jump_error(gold: Gold, jump_ms: int) -> int | None:
    """Return how far a jump lands from the start of the answer; None where it is not in the answer."""
    errors = [abs(jump_ms - start) for start, end in gold.spans if start - EARLY_MS <= jump_ms < end]
    return min(errors, default=None)


def ask(
    index: IndexReader,
    golds: Iterable[Gold],
    mode: Mode = "hybrid",
    k: int = DEPTH,
    tell: Callable[[int], None] = lambda _: None,
    leave_out: tuple[Field, ...] = (),
) -> list[Outcome]:
    """Put every query to an index and judge its hits. `tell` hears how many are done."""
    outcomes = []
    for done, gold in enumerate(golds, 1):
        outcomes.append(judge(gold, engine.search(index, Query(gold.query, k, mode, leave_out=leave_out)).hits))
        tell(done)
    return outcomes


def per_query(outcomes: Sequence[Outcome]) -> dict[str, list[float]]:
    """Return each measure's value for each outcome, in order. A query without a right hit has 0.

    Every query has one answer, so that hits beside the first right one neither gain nor lose anything.
    """
    ids = [str(number) for number in range(len(outcomes))]
    qrels = [Qrel(id_, "answer", 1) for id_ in ids]
    run = [
        ScoredDoc(id_, "answer" if rank == outcome.rank else f"other {rank}", -float(rank))
        for id_, outcome in zip(ids, outcomes, strict=True)
        for rank in range(1, (outcome.rank or 1) + 1)
    ]
    values: dict[str, dict[str, float]] = defaultdict(dict)
    for metric in ir_measures.iter_calc(list(_MEASURES.values()), qrels, run):
        values[str(metric.measure)][metric.query_id] = metric.value
    return {name: [values[str(measure)].get(id_, 0.0) for id_ in ids] for name, measure in _MEASURES.items()}


def summarise(outcomes: Sequence[Outcome]) -> list[Summary]:
    """Return the figures of each file, and of each kind where a file has several."""
    files: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        files[outcome.gold.file].append(outcome)
    summaries = []
    for file, rows in files.items():
        summaries.append(Summary(file, "", len(rows), figures(rows)))
        kinds = sorted({row.gold.kind for row in rows})
        for kind in kinds if len(kinds) > 1 else ():
            some = [row for row in rows if row.gold.kind == kind]
            summaries.append(Summary(file, kind, len(some), figures(some)))
    return summaries


def figures(outcomes: Sequence[Outcome]) -> dict[str, Interval]:
    """Return every figure with its interval.

    `talk@1` is the share of queries whose first hit lies in the right talk; the jump errors are those of the first
    right hit, in seconds, over the queries that have one among the first ten.

    The intervals are percentiles of a bootstrap over talks, not over queries: queries about one talk fare alike.
    """
    values = {name: np.array(column) for name, column in per_query(outcomes).items()}
    values["talk@1"] = np.array([float(outcome.talk_rank == 1) for outcome in outcomes])
    resamples = _resamples([outcome.gold.talk for outcome in outcomes])
    made = {name: _mean(column, resamples) for name, column in values.items()}
    errors = np.array(
        [
            np.nan if outcome.jump_error_ms is None or (outcome.rank or 11) > 10 else outcome.jump_error_ms / 1000
            for outcome in outcomes
        ]
    )
    for name, share in (("jump_error_s_median", 50), ("jump_error_s_p90", 90)):
        made[name] = _percentile(errors, share, resamples)
    return made


def difference(one: Sequence[Outcome], other: Sequence[Outcome], figure: str = "mrr@10") -> Interval:
    """Return by how much `one` does better than `other` on the same queries in the same order, with its interval."""
    gains = np.array(per_query(one)[figure]) - np.array(per_query(other)[figure])
    return _mean(gains, _resamples([outcome.gold.talk for outcome in one]))


def worst(outcomes: Iterable[Outcome], count: int = 10) -> list[Outcome]:
    """Return the queries to look at: those whose first hit is wrong although its score is high, highest first."""
    wrong = [outcome for outcome in outcomes if outcome.rank != 1]
    return sorted(wrong, key=lambda outcome: (outcome.rank is not None, -outcome.best_score))[:count]


def summary_json(summary: Summary) -> dict[str, Json]:
    """Return a summary as JSON: each figure with its interval."""
    return {
        "file": summary.file,
        "kind": summary.kind or None,
        "queries": summary.queries,
        **{
            name: {"value": _number(figure.value), "low": _number(figure.low), "high": _number(figure.high)}
            for name, figure in summary.figures.items()
        },
    }


def outcome_json(outcome: Outcome) -> dict[str, Json]:
    """Return how one query fared, as JSON."""
    return {
        "file": outcome.gold.file,
        "query_id": outcome.gold.id,
        "query": outcome.gold.query,
        "talk": outcome.gold.talk,
        "start_s": outcome.gold.spans[0][0] / 1000,
        "rank": outcome.rank,
        "talk_rank": outcome.talk_rank,
        "jump_error_s": None if outcome.jump_error_ms is None else outcome.jump_error_ms / 1000,
        "first": outcome.first,
    }


def _outcome(
    gold: Gold, hits: Sequence[Hit], rank: int | None, talk_rank: int | None, jump_error_ms: int | None
) -> Outcome:
    first = f"{hits[0].source}@{hits[0].jump_ms / 1000:.0f}" if hits else ""
    return Outcome(gold, rank, talk_rank, jump_error_ms, hits[0].score if hits else 0.0, first)


def _resamples(talks: Sequence[str]) -> _Array:
    """Return how often each query stands in each resample (resamples, queries)."""
    names, which = np.unique(np.array(talks, dtype=object).astype(str), return_inverse=True)
    draws = np.random.default_rng(0).multinomial(len(names), np.full(len(names), 1 / len(names)), _RESAMPLES)
    return draws[:, which].astype(float)


def _mean(column: _Array, resamples: _Array) -> Interval:
    means = (resamples @ column) / np.maximum(resamples.sum(axis=1), 1)
    low, high = np.percentile(means, (2.5, 97.5))
    return Interval(float(column.mean()), float(low), float(high))


def _percentile(column: _Array, share: float, resamples: _Array) -> Interval:
    there = ~np.isnan(column)
    if not there.any():
        return Interval(float("nan"), float("nan"), float("nan"))
    kept = column[there]
    order = np.argsort(kept, kind="stable")
    # The weighted percentile of every resample: where its sorted weights reach the share.
    weights = np.cumsum(resamples[:, there][:, order], axis=1)
    weights = weights[weights[:, -1] > 0]
    at = (weights < weights[:, -1:] * share / 100).sum(axis=1)
    low, high = np.percentile(kept[order][np.minimum(at, len(kept) - 1)], (2.5, 97.5))
    return Interval(float(np.percentile(kept, share)), float(low), float(high))


def _number(value: float) -> float | None:
    return None if value != value else round(value, 4)
