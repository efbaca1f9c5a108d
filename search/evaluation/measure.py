"""Measuring an index on queries whose answers are known.

A gold file has one JSON object a line: `query`, `talk` (the transcript's path, or the talk's id), `start_s`, and where
known `end_s` or `spans` (several stretches that answer), `id`, `kind`. A hit is right when its talk is the gold talk
and its jump second lies in [start - 15, end), or within 180 seconds of the start where no end is known.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import ir_measures
import numpy as np
import numpy.typing as npt
from ir_measures import RR, Qrel, R, ScoredDoc, Success, nDCG

from talksearch.indexer.errors import QueryError
from talksearch.indexer.records import Field, Json
from talksearch.indexer.text.untrusted import as_text
from talksearch.search import engine
from talksearch.search.hit import Hit
from talksearch.search.query import Mode, Query
from talksearch.search.reader import IndexReader

EARLY_MS = 15_000
"""How early a jump may land, in milliseconds: the listener still hears the answer begin."""

UNKNOWN_END_MS = 180_000
"""How long an answer is taken to last whose end is not known, in milliseconds."""

DEPTH = 100
"""How many hits are asked for: recall@100 needs as many."""

_MEASURES = {
    "success@1": Success @ 1,
    "success@5": Success @ 5,
    "success@10": Success @ 10,
    "mrr@10": RR @ 10,
    "ndcg@10": nDCG @ 10,
    "recall@100": R @ 100,
}
"""The measures of a ranking, by the names they are printed under."""

_JUMP_ERROR_DEPTH = 10
"""The last rank at which the jump of the first right hit is measured."""

_RESAMPLES = 1_000
"""How often the bootstrap draws."""

_Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class GoldQuery:
    """A query and where it is answered."""

    id: str
    query: str
    talk: str
    """The talk that answers: its transcript's path, its id or its YouTube id."""
    spans: tuple[tuple[int, int], ...]
    """Stretches of the talk that answer, as (start, end) in milliseconds; any of them will do."""
    kind: str = ""
    file: str = ""
    """The name of the gold file without its extension."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one query fared."""

    gold: GoldQuery
    rank: int | None
    """Rank of the first right hit, from 1; None where no hit is right."""
    talk_rank: int | None
    """Rank of the first hit in the right talk; None where no hit is in it."""
    jump_error_ms: int | None
    """How far the first right hit lands from the start of the answer, before it or behind it, in milliseconds."""
    best_score: float
    """Score of the first hit, right or wrong; 0 without hits."""
    first: str
    """The first hit as talk@second; empty without hits."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A metric, with the interval that holds it in 95 of 100 samples of such talks."""

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
    """How many there are."""
    metrics: dict[str, Interval]


def read_gold(path: Path) -> tuple[GoldQuery, ...]:
    """Read a gold file. Raises QueryError that names the line that cannot be used."""
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise QueryError(f"{path} cannot be read: {error}.", "It is a file of JSON objects, one a line.") from error
    golds = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            golds.append(_gold_query(json.loads(line), path.stem, number))
        except (ValueError, OverflowError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise QueryError(
                f"Line {number} of {path} is no query with a known answer.",
                'Each line is like {"query": "…", "talk": "folder/talk.vtt", "start_s": 61, "end_s": 120}.',
            ) from error
    return tuple(golds)


def _gold_query(row: Json, file: str, line: int) -> GoldQuery:
    """Return the query of a line of a gold file. Raises whatever unexpected values raise."""
    start_s = float(row["start_s"])
    end_s = row.get("end_s")
    spans = row.get("spans") or [[start_s, start_s + UNKNOWN_END_MS / 1000 if end_s is None else float(end_s)]]
    return GoldQuery(
        id=str(row.get("id", line)),
        query=as_text(str(row["query"])),
        talk=str(row["talk"]),
        spans=tuple((round(first * 1000), round(last * 1000)) for first, last in spans),
        kind=str(row.get("kind", "")),
        file=file,
    )


def absent_talks(reader: IndexReader, golds: Iterable[GoldQuery]) -> list[str]:
    """Return the gold talks that are not in the index: nothing can answer their queries, which count as missed."""
    ids_of = _talk_finder(reader)
    return sorted(talk for talk in {gold.talk for gold in golds} if not ids_of(talk))


def talks_of(reader: IndexReader, golds: Iterable[GoldQuery]) -> set[str]:
    """Return the ids of the talks of the index that some queries are of."""
    ids_of = _talk_finder(reader)
    return {talk_id for talk in {gold.talk for gold in golds} for talk_id in ids_of(talk)}


def _talk_finder(reader: IndexReader) -> Callable[[str], list[str]]:
    """Return what finds the ids of the talks that are named by a path, an id or a YouTube id."""
    names: dict[str, list[str]] = defaultdict(list)
    sources: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for talk_id, youtube_id, source in reader.db.execute("SELECT id, youtube_id, source FROM talks"):
        names[talk_id].append(talk_id)
        if youtube_id and youtube_id != talk_id:
            names[youtube_id].append(talk_id)
        sources[PurePosixPath(source).name].append((source, talk_id))

    def ids_of(talk: str) -> list[str]:
        of_path = [talk_id for source, talk_id in sources.get(PurePosixPath(talk).name, ()) if same_path(source, talk)]
        return [*names.get(talk, ()), *of_path]

    return ids_of


def is_in_talk(hit: Hit, talk: str) -> bool:
    """Say whether a hit lies in a talk that is named by its path, id or YouTube id."""
    return talk in (hit.talk_id, hit.youtube_id) or same_path(hit.source, talk)


def same_path(source: str, talk: str) -> bool:
    """Say whether two paths mean one file, though they may be relative to different folders.

    The index may have been made from a folder above or below the one that the path is relative to, so that one path is
    the tail of the other, in whole components.

    >>> same_path("archive/seed/a.txt", "seed/a.txt"), same_path("a.txt", "seed/a.txt"), same_path("xa.txt", "a.txt")
    (True, True, False)
    """
    source_parts, talk_parts = PurePosixPath(source).parts, PurePosixPath(talk).parts
    shared = min(len(source_parts), len(talk_parts))
    return shared > 0 and source_parts[-shared:] == talk_parts[-shared:]


def judge(gold: GoldQuery, hits: Sequence[Hit]) -> Outcome:
    """Return how a query fared with the hits it got, best first."""
    talk_rank = None
    for rank, hit in enumerate(hits, 1):
        if not is_in_talk(hit, gold.talk):
            continue
        talk_rank = talk_rank or rank
        error_ms = jump_error(gold, hit.jump_ms)
        if error_ms is not None:
            return _outcome(gold, hits, rank, talk_rank, error_ms)
    return _outcome(gold, hits, None, talk_rank, None)


def jump_error(gold: GoldQuery, jump_ms: int) -> int | None:
    """Return how far a jump lands from the start of the answer; None where it is not in the answer."""
    errors = [abs(jump_ms - start) for start, end in gold.spans if start - EARLY_MS <= jump_ms < end]
    return min(errors, default=None)


def opened_at_start(hits: Iterable[Hit]) -> list[Hit]:
    """Return hits as if each was opened where its passage begins."""
    return [replace(hit, jump_ms=hit.start_ms) for hit in hits]


def run_queries(
    reader: IndexReader,
    golds: Iterable[GoldQuery],
    mode: Mode = "hybrid",
    k: int = DEPTH,
    progress: Callable[[int], None] = lambda _: None,
    leave_out: tuple[Field, ...] = (),
) -> list[Outcome]:
    """Put every query to an index and judge its hits.

    Args:
        reader: The index.
        golds: The queries.
        mode: How to look for them.
        k: How many hits to ask for.
        progress: It is called after each query with the number of those that are done.
        leave_out: Fields whose notes must not count.
    """
    outcomes = []
    for done, gold in enumerate(golds, 1):
        answer = engine.search(reader, Query(gold.query, k, mode, leave_out=leave_out), is_asked=False)
        outcomes.append(judge(gold, answer.hits))
        progress(done)
    return outcomes


def metrics_per_query(outcomes: Sequence[Outcome]) -> dict[str, list[float]]:
    """Return each measure's value for each outcome, in order. A query without a right hit has 0.

    Every query has one answer, so that hits beside the first right one neither gain nor lose anything. `talk@1` is 1
    where the first hit lies in the right talk.
    """
    ids = [str(number) for number in range(len(outcomes))]
    qrels = [Qrel(query_id, "answer", 1) for query_id in ids]
    run = [
        ScoredDoc(query_id, "answer" if rank == outcome.rank else f"other {rank}", -float(rank))
        for query_id, outcome in zip(ids, outcomes, strict=True)
        for rank in range(1, (outcome.rank or 1) + 1)
    ]
    values: dict[str, dict[str, float]] = defaultdict(dict)
    for metric in ir_measures.iter_calc(list(_MEASURES.values()), qrels, run):
        values[str(metric.measure)][metric.query_id] = metric.value
    return {
        **{name: [values[str(measure)].get(query_id, 0.0) for query_id in ids] for name, measure in _MEASURES.items()},
        "talk@1": [float(outcome.talk_rank == 1) for outcome in outcomes],
    }


def groups(outcomes: Sequence[Outcome]) -> list[tuple[str, str, list[int]]]:
    """Return the positions of the outcomes of each file, and of each kind where a file has several.

    Each is given as (file, kind, positions); the kind is empty where it is all kinds together.
    """
    files: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for position, outcome in enumerate(outcomes):
        files[outcome.gold.file][outcome.gold.kind].append(position)
    found = []
    for file, kinds in files.items():
        found.append((file, "", sorted(position for of_kind in kinds.values() for position in of_kind)))
        found += [(file, kind, kinds[kind]) for kind in sorted(kinds)] if len(kinds) > 1 else []
    return found


def summarise(outcomes: Sequence[Outcome]) -> list[Summary]:
    """Return the metrics of each file, and of each kind where a file has several."""
    return [
        Summary(file, kind, len(positions), metrics([outcomes[position] for position in positions]))
        for file, kind, positions in groups(outcomes)
    ]


def metrics(outcomes: Sequence[Outcome]) -> dict[str, Interval]:
    """Return every metric with its interval.

    The jump errors are those of the first right hit, in seconds, over the queries that have one among the first ten.

    The intervals are percentiles of a bootstrap over talks, not over queries: queries about one talk fare alike.
    """
    values = {name: np.array(column) for name, column in metrics_per_query(outcomes).items()}
    resamples = _resamples([outcome.gold.talk for outcome in outcomes])
    intervals = {name: _mean(column, resamples) for name, column in values.items()}
    errors_s = np.array([_jump_error_s(outcome) for outcome in outcomes])
    for name, share in (("jump_error_s_median", 50), ("jump_error_s_p90", 90)):
        intervals[name] = _percentile(errors_s, share, resamples)
    return intervals


def paired_difference(outcomes: Sequence[Outcome], baseline: Sequence[Outcome], metric: str = "mrr@10") -> Interval:
    """Return by how much some outcomes are better than others of the same queries in the same order."""
    gains = np.array(metrics_per_query(outcomes)[metric]) - np.array(metrics_per_query(baseline)[metric])
    return _mean(gains, _resamples([outcome.gold.talk for outcome in outcomes]))


def worst_failures(outcomes: Iterable[Outcome], count: int = 10) -> list[Outcome]:
    """Return the queries to look at: those whose first hit is wrong although its score is high, highest first."""
    failures = [outcome for outcome in outcomes if outcome.rank != 1]
    return sorted(failures, key=lambda outcome: (outcome.rank is not None, -outcome.best_score))[:count]


def summary_json(summary: Summary) -> dict[str, Json]:
    """Return a summary as JSON: each metric with its interval."""
    return {
        "file": summary.file,
        "kind": summary.kind or None,
        "queries": summary.queries,
        **intervals_json(summary.metrics),
    }


def intervals_json(figures: Mapping[str, Interval]) -> dict[str, Json]:
    """Return figures with their intervals as JSON; null where there is none."""
    return {
        name: {"value": _rounded(figure.value), "low": _rounded(figure.low), "high": _rounded(figure.high)}
        for name, figure in figures.items()
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
    gold: GoldQuery, hits: Sequence[Hit], rank: int | None, talk_rank: int | None, jump_error_ms: int | None
) -> Outcome:
    first = f"{hits[0].source}@{hits[0].jump_ms / 1000:.0f}" if hits else ""
    return Outcome(gold, rank, talk_rank, jump_error_ms, hits[0].score if hits else 0.0, first)


def _jump_error_s(outcome: Outcome) -> float:
    """Return the jump error in seconds; NaN where there is no right hit among the first ones."""
    if outcome.rank is None or outcome.rank > _JUMP_ERROR_DEPTH or outcome.jump_error_ms is None:
        return float("nan")
    return outcome.jump_error_ms / 1000


def _resamples(talks: Sequence[str]) -> _Array:
    """Return how often each query stands in each resample (resamples, queries), given the talk of each."""
    names, talk_of_query = np.unique(np.array(talks, dtype=object).astype(str), return_inverse=True)
    draws = np.random.default_rng(0).multinomial(len(names), np.full(len(names), 1 / len(names)), _RESAMPLES)
    return draws[:, talk_of_query].astype(float)


def _mean(values: _Array, resamples: _Array) -> Interval:
    """Return the mean of some values (queries,) with its interval over the resamples (resamples, queries)."""
    means = (resamples @ values) / np.maximum(resamples.sum(axis=1), 1)
    low, high = np.percentile(means, (2.5, 97.5))
    return Interval(float(values.mean()), float(low), float(high))


def _percentile(values: _Array, share: float, resamples: _Array) -> Interval:
    """Return a percentile of some values (queries,) with its interval; values that are NaN do not count."""
    known = ~np.isnan(values)
    if not known.any():
        return Interval(float("nan"), float("nan"), float("nan"))
    sample = values[known]
    order = np.argsort(sample, kind="stable")
    # The weighted percentile of every resample lies where its sorted weights reach the share.
    weights = np.cumsum(resamples[:, known][:, order], axis=1)
    weights = weights[weights[:, -1] > 0]
    positions = (weights < weights[:, -1:] * share / 100).sum(axis=1)
    low, high = np.percentile(sample[order][np.minimum(positions, len(sample) - 1)], (2.5, 97.5))
    return Interval(float(np.percentile(sample, share)), float(low), float(high))


def _rounded(value: float) -> float | None:
    return None if value != value else round(value, 4)
