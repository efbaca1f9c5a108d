"""Whether the grade of the first hit tells what an archive answers from what it does not.

    python benchmarks/grade.py INDEX [--gold DIR] [--queries N] [--cache FILE] [--fit]

Each gold file is one source. Its talks alone stand in for an archive, and so do fifteen of them for a small one; each
is asked its own queries and those of the other sources; so are two archives of three sources each. A first hit is
right when its passage begins where the answer is (measure.jump_error). Notes are left out, since some hold the
queries. Every archive is graded by coefficients fitted without its talks and without its own queries, except in the
columns marked "shipped", by those in grade.py, which were fitted on all of these rows. The foreign queries were seen
in fitting, asked of other archives.

Printed are, for the own queries, right first hits of those graded strong, fair and weak; the share of foreign queries
that are not weak (alarm) and that are strong; the share of right first hits that are weak (miss); and how often a right
first hit is graded above that of a foreign query (AUC).
"""

from __future__ import annotations

import argparse
import pickle
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from talksearch.indexer.vectors import Floats, Ints
from talksearch.search import engine, measure
from talksearch.search.candidates import query_terms
from talksearch.search.fuse import fuse, score_words
from talksearch.search.grade import (
    COEFFICIENTS,
    NULL_QUERIES,
    STRONG,
    WEAK,
    Evidence,
    Kind,
    calibrate,
    evidence,
    features,
)
from talksearch.search.postings import holding, make, together

GOLD = Path(__file__).parents[1] / ".." / "shared" / "gold"
SOURCES = ("bitcoin", "nyu", "ethereum", "zoom", "qmsum", "rolling")
KIN = frozenset({"ethereum", "zoom"})
"""Sources about the same calls: queries of one may well be answered in the other and are not asked of it."""
MIXED = ("bitcoin+nyu+rolling", "ethereum+qmsum+zoom")
"""Sources that together stand in for a large archive about many things."""
SMALL = 15
MUST_BE_WEAK = ("recipe for sourdough bread", "how to change a bicycle tyre", "premier league results")
ASKED_OF = "rolling"
MUST_BE_STRONG = "time dilation metaphor"

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """One query asked of one archive."""

    query: str
    source: str
    """Where the query comes from; empty for the known examples."""
    archive: str
    small: bool
    right: bool
    found: Evidence
    alone: Evidence
    """The evidence where the passage nearest in meaning is the first hit and no word counts."""
    lexical: Evidence
    """The evidence where only words count."""


def main() -> None:
    """Print the figures of each source."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("index", type=Path)
    parser.add_argument("--gold", type=Path, default=GOLD)
    parser.add_argument("--queries", type=int, default=150, help="queries of each source, drawn at random")
    parser.add_argument("--cache", type=Path, help="keep the evidence here, and read it from here")
    parser.add_argument("--fit", action="store_true", help="print coefficients fitted on all sources")
    options = parser.parse_args()
    if options.cache and options.cache.exists():
        rows: list[Row] = pickle.loads(options.cache.read_bytes())
    else:
        rows = gather(options.index, options.gold, options.queries)
        if options.cache:
            options.cache.write_bytes(pickle.dumps(rows))
    for kind in COEFFICIENTS:
        report(rows, kind)
    if options.fit:
        for kind in COEFFICIENTS:
            numbers = ", ".join(f"{value:.3f}" for value in fitted(rows, kind))
            print(f'    "{kind}": ({numbers}),')


def gather(folder: Path, gold: Path, count: int) -> list[Row]:
    """Ask every archive every query and return the evidence."""
    index = engine.open_index(folder)
    lie, at_row = index.layout()
    vectors = np.ascontiguousarray(index.vectors.rows)
    encode = index.encoder().encode_query
    nulls = np.array([encode(query) for query in NULL_QUERIES], np.float32)
    paths = [row[0] for row in index.db.execute("SELECT source FROM talks ORDER BY number")]
    talk_numbers = [row[0] for row in index.db.execute("SELECT number FROM talks ORDER BY number")]
    source_of = dict(
        zip(talk_numbers, (next((s for s in SOURCES if s in Path(p).parts), "") for p in paths), strict=True)
    )
    start = {}
    talk_of = {}
    for number, talk, start_ms in index.db.execute("SELECT number, talk, start_ms FROM passages"):
        start[number], talk_of[number] = start_ms, talk
    path_of = dict(zip(talk_numbers, paths, strict=True))
    talk_at = np.array([talk_of[number] for number in lie.numbers.tolist()])
    asked: list[tuple[str, measure.Gold]] = []
    for source in SOURCES:
        golds = list(measure.read_gold(gold / f"{source}.jsonl"))
        drawn = random.Random(0).sample(golds, min(count, len(golds)))
        asked += [(source, one) for one in drawn]
    known = [*MUST_BE_WEAK, MUST_BE_STRONG]
    everything = [(source, one.query, one) for source, one in asked] + [("", text, None) for text in known]
    said_by: dict[str, Ints] = {}
    words: list[tuple[list[Ints], list[tuple[int, int, Ints]]]] = []
    for _, text, _ in everything:
        terms = query_terms(index.db, text)
        for term in terms:
            if term not in said_by:
                said_by[term] = holding(index.db, term)
        pairs = [(at, at + 1, together(index.db, terms[at], terms[at + 1])) for at in range(len(terms) - 1)]
        words.append(([said_by[term] for term in terms], pairs))
    encoded = np.array([encode(text) for _, text, _ in everything], np.float32)
    rows: list[Row] = []
    for archive in (*SOURCES, *MIXED, "all"):
        talks = [talk for talk in talk_numbers if archive == "all" or source_of[talk] in members(archive)]
        few = {talk for talk in talks if any(measure.same_path(path_of[talk], one.talk) for _, one in asked)}
        drawn_talks = random.Random(1).sample(sorted(few), min(SMALL, len(few)))
        for small, some in ((False, talks), (True, drawn_talks)):
            if archive not in SOURCES and small:
                continue
            inside = np.isin(talk_at, some) & ~lie.notes & (at_row >= 0)
            numbers = lie.numbers[inside]
            part = make(numbers, np.unique(lie.talks[inside], return_inverse=True)[1].astype(np.int64), numbers[:0])
            own = vectors[at_row[inside]]
            calibration = calibrate(own, nulls)
            print(
                f"{archive}{' small' if small else ''}: {len(some)} talks, {len(numbers)} passages, {calibration}",
                flush=True,
            )
            held = {path_of[talk] for talk in some}
            cosines = own @ encoded.T
            for at, (source, text, one) in enumerate(everything):
                if archive == "all" and source:
                    continue
                own_query = source in members(archive)
                if source in KIN and not own_query and KIN & set(members(archive)):
                    continue
                if own_query and one and not any(measure.same_path(path, one.talk) for path in held):
                    continue
                column: Floats = np.ascontiguousarray(cosines[:, at])
                said = [part.places(places) for places in words[at][0]]
                pairs = [(i, j, part.places(places)) for i, j, places in words[at][1]]
                told = score_words(part, said, pairs)
                first = int(fuse(column, told, None, 1)[0][0])
                number = int(part.numbers[first])
                right = (
                    one is not None
                    and own_query
                    and measure.same_path(path_of[talk_of[number]], one.talk)
                    and measure.jump_error(one, start[number]) is not None
                )
                rows.append(
                    Row(
                        text, source, archive, small, right,
                        evidence(part, first, said, column, calibration),
                        evidence(part, int(column.argmax()), [], column, calibration),
                        evidence(part, int(told.argmax()), said, None, None),
                    )
                )  # fmt: skip
    return rows


def members(archive: str) -> list[str]:
    """Return the sources an archive is made of."""
    return archive.split("+")


def _evidence(row: Row, kind: Kind) -> Evidence:
    return {"both": row.found, "meaning": row.alone, "words": row.lexical}[kind]


def _matrix(rows: Sequence[Row], kind: Kind) -> Array:
    return np.array([features(_evidence(row, kind), kind) for row in rows]).reshape(len(rows), -1)


def fitted(rows: Sequence[Row], kind: Kind, without: str = "") -> Array:
    """Return coefficients that tell right first hits from those of foreign queries; each archive and side weighs alike.

    Wrong first hits of an archive's own queries stand on neither side: the archive answers, the ranking missed it.
    """
    some = [
        row
        for row in rows
        if row.source
        and not {row.source, *members(row.archive)} & set(members(without))
        and (row.right or row.source not in members(row.archive))
    ]
    x, y = _matrix(some, kind), np.array([row.right for row in some], float)
    groups = [(row.archive, row.small, row.right) for row in some]
    weights = np.array([1 / groups.count(group) for group in groups])
    weights *= len(some) / weights.sum()
    ridge = np.diag([0.0] + [1.0] * (x.shape[1] - 1))
    beta = np.zeros(x.shape[1])
    for _ in range(50):  # Newton's method
        p = 1 / (1 + np.exp(-np.clip(x @ beta, -30, 30)))
        hessian = (x * (weights * np.maximum(p * (1 - p), 1e-6))[:, None]).T @ x + ridge
        step = np.linalg.solve(hessian, x.T @ (weights * (y - p)) - ridge @ beta)
        beta += step
        if np.abs(step).max() < 1e-8:
            break
    return beta


def chances(rows: Sequence[Row], kind: Kind, beta: Sequence[float] | Array) -> Array:
    """Return the probability of each row."""
    made: Array = 1 / (1 + np.exp(-np.clip(_matrix(rows, kind) @ np.asarray(beta), -30, 30)))
    return made


def auc(good: Array, bad: Array) -> float:
    """Return how often a right hit has the higher probability: the area under the ROC curve."""
    return float((good[:, None] > bad).mean() + 0.5 * (good[:, None] == bad).mean()) if len(good) and len(bad) else 0.0


def report(rows: Sequence[Row], kind: Kind) -> None:
    """Print the figures of one kind of evidence."""
    print(f"\n{kind}: own queries whose first hit is right, of those graded strong, fair, weak; errors of the grade")
    print(f"{'archive':22}{'own':>5}{'strong':>14}{'fair':>14}{'weak':>14}{'foreign':>9}"
          f"{'alarm':>7}{'strong':>8}{'miss':>6}{'AUC':>6}{'shipped: alarm':>16}{'miss':>6}")  # fmt: skip
    for archive in (*SOURCES, *MIXED):
        beta = fitted(rows, kind, archive)
        for small in (False, True):
            some = [row for row in rows if row.source and row.archive == archive and row.small == small]
            if not some:
                continue
            own = np.array([row.source in members(archive) for row in some])
            right = np.array([row.right for row in some])
            p, shipped = chances(some, kind, beta), chances(some, kind, COEFFICIENTS[kind])
            cells = ""
            for low, high in ((STRONG, 2.0), (WEAK, STRONG), (-1.0, WEAK)):
                inside = own & (p >= low) & (p < high)
                cells += (
                    f"{f'{right[inside].sum()}/{inside.sum()} {right[inside].mean() if inside.any() else 0:.0%}':>14}"
                )
            print(f"{archive + (' small' if small else ''):22}{own.sum():>5}{cells}{(~own).sum():>9}"
                  f"{(p[~own] >= WEAK).mean():>7.1%}{(p[~own] >= STRONG).mean():>8.1%}{(p[right] < WEAK).mean():>6.0%}"
                  f"{auc(p[right], p[~own]):>6.3f}"
                  f"{(shipped[~own] >= WEAK).mean():>16.1%}{(shipped[right] < WEAK).mean():>6.0%}")  # fmt: skip
    for row in rows:
        if not row.source and not row.small and row.archive == ("all" if row.query == MUST_BE_STRONG else ASKED_OF):
            p = chances([row], kind, COEFFICIENTS[kind])[0]
            q = chances([row], kind, fitted(rows, kind, ASKED_OF))[0]
            print(f"  {row.query!r} asked of {row.archive}: shipped {p:.2f}, fitted without {ASKED_OF} {q:.2f}")


if __name__ == "__main__":
    main()
