"""Whether the grade of the first hit tells what an archive answers from what it does not.

    python benchmarks/grade.py INDEX [--gold DIR] [--queries N] [--cache FILE] [--fit]

Each gold file is one source. Its talks alone stand in for an archive, and so do fifteen of them for a small one; each
is asked its own queries and those of the other sources; so are two archives of three sources each. A first hit is
right when its passage begins where the answer is (measure.jump_error). Notes are left out, since some hold the
queries. Every archive is graded by coefficients fitted without its talks and without its own queries, except in the
columns marked "shipped", by those in search/results/grade.py, which were fitted on all of these rows. The foreign
queries were seen in fitting, asked of other archives.

Each own query is asked again with one word of a null query put behind it, as somebody asks who remembers a word that
was not said; a right first hit stays right then ("word more").

Printed are, for the own queries, right first hits of those graded strong, fair and weak; the share of foreign queries
that are not weak (alarm) and that are strong; the share of right first hits that are weak (miss), and with a word more;
and how often a right first hit is graded above that of a foreign query (AUC).
"""

from __future__ import annotations

import argparse
import math
import pickle
import random
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from talksearch.indexer.arrays import Ints
from talksearch.indexer.encoders.null_queries import NULL_QUERIES
from talksearch.indexer.stores.calibration import Calibration, calibrate
from talksearch.indexer.stores.vectors import Vectors
from talksearch.indexer.text.terms import terms
from talksearch.search.evaluation import measure
from talksearch.search.query import Query
from talksearch.search.ranking.encoded_query import EncodedQuery
from talksearch.search.ranking.layout import make_layout
from talksearch.search.ranking.lexical import query_terms
from talksearch.search.ranking.passage_table import PassageTable
from talksearch.search.ranking.rank import Source, rank
from talksearch.search.ranking.term_variants import expand_terms
from talksearch.search.reader import open_reader
from talksearch.search.results.grade import (
    COEFFICIENTS,
    STRONG,
    WEAK,
    Evidence,
    Kind,
    evidence,
    features,
    probability,
    term_evidence,
    variant_postings,
)

BESIDE = ThreadPoolExecutor(1)

GOLD = Path(__file__).parents[1] / ".." / "shared" / "gold"
SOURCES = ("bitcoin", "nyu", "ethereum", "zoom", "qmsum", "rolling")
KIN = frozenset({"ethereum", "zoom"})
"""Sources about the same calls: queries of one may well be answered in the other and are not asked of it."""
MIXED = ("bitcoin+nyu+rolling", "ethereum+qmsum+zoom")
"""Sources that together stand in for a large archive about many things."""
SMALL = 15
_NOT_NEAR = -3.0
"""Deviations that a hit which is not there is near, the fewest that count."""
MUST_BE_WEAK = ("recipe for sourdough bread", "how to change a bicycle tyre", "premier league results")
ASKED_OF = "rolling"
MUST_BE_FAIR = "time dilation metaphor"
KNOWN = (*MUST_BE_WEAK, MUST_BE_FAIR)

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """One query asked of one archive."""

    query: str
    source: str
    """Where the query comes from; empty for the known examples."""
    archive: str
    small: bool
    longer: bool
    """With a word more than was asked for."""
    right: dict[Kind, bool]
    found: dict[Kind, Evidence]
    """For the first hit by both, by meaning alone and by words alone."""


class Part(PassageTable):
    """Some talks of an index as if there were no others."""

    whole: PassageTable
    known: dict[tuple[str, ...], Ints]

    def postings(self, term: str) -> Ints:
        """Return the places of the passages that hold a term."""
        if (term,) not in self.known:
            self.known[(term,)] = self.whole.layout.numbers[self.whole.postings(term)]
        return self.layout.places(self.known[(term,)])

    def cooccurrences(self, first: str, second: str) -> Ints:
        """Return the places of the passages that say two terms side by side, or nearly so."""
        if (first, second) not in self.known:
            self.known[first, second] = self.whole.layout.numbers[self.whole.cooccurrences(first, second)]
        return self.layout.places(self.known[first, second])


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
    index = open_reader(folder)
    whole = index.table()
    encode = index.encoder().encode_query
    nulls = np.array([encode(query) for query in NULL_QUERIES], np.float32)
    path_of = dict(index.db.execute("SELECT number, source FROM talks"))
    source_of = {number: next((s for s in SOURCES if s in Path(path).parts), "") for number, path in path_of.items()}
    start = dict(index.db.execute("SELECT number, start_ms FROM passages"))
    talk_at = whole.layout.talk_numbers[whole.layout.talks]
    words = sorted({word for query in NULL_QUERIES for word in query.split() if len(word) > 4})
    chance = random.Random(0)
    asked: list[tuple[str, str, bool, measure.GoldQuery | None]] = [("", text, False, None) for text in KNOWN]
    for source in SOURCES:
        golds = list(measure.read_gold(gold / f"{source}.jsonl"))
        for one in chance.sample(golds, min(count, len(golds))):
            asked.append((source, one.query, False, one))
            if len(terms(one.query)) > 1:
                asked.append((source, f"{one.query} {chance.choice(words)}", True, one))
    ready = []
    for _, text, _, _ in asked:
        found = query_terms(index.db, text)
        ready.append(
            EncodedQuery(found, expand_terms(index.db, text, found, index.compounds), partial(np.asarray, encode(text)))
        )
    known: dict[tuple[str, ...], Ints] = {}
    rows: list[Row] = []
    for archive in (*SOURCES, *MIXED, "all"):
        talks = [talk for talk, source in source_of.items() if archive == "all" or source in members(archive)]
        few = [talk for talk in talks if any(one and measure.same_path(path_of[talk], one.talk) for *_, one in asked)]
        for small, some in ((False, talks), (True, random.Random(1).sample(few, min(SMALL, len(few))))):
            if archive not in SOURCES and small:
                continue
            inside = np.flatnonzero(np.isin(talk_at, some) & ~whole.layout.notes & (whole.vector_rows >= 0))
            numbers = whole.layout.numbers[inside]
            talk_numbers, talk_of = np.unique(talk_at[inside], return_inverse=True)
            own = np.ascontiguousarray(whole.vectors.rows[whole.vector_rows[inside]])
            copy = Vectors(lambda numbers=numbers: numbers, own)  # type: ignore[misc]
            part = Part(
                make_layout(numbers, talk_of.astype(np.int64), numbers[:0], talk_numbers),
                np.arange(len(inside)), copy, None, index.db,
            )  # fmt: skip
            part.whole, part.known = whole, known
            calibration = calibrate([own], nulls)
            print(f"{archive}{' small' if small else ''}: {len(some)} talks, {len(numbers)} passages, {calibration}")
            held = [path_of[talk] for talk in some]
            for (source, text, longer, one), put in zip(asked, ready, strict=True):
                is_own = source in members(archive)
                if (archive == "all" and source) or (longer and not is_own):
                    continue
                if source in KIN and not is_own and KIN & set(members(archive)):
                    continue
                if is_own and one and not any(measure.same_path(path, one.talk) for path in held):
                    continue
                right, evident = {}, {}
                for kind in COEFFICIENTS:
                    first, evident[kind] = _first(part, put, kind, calibration)
                    right[kind] = (
                        one is not None
                        and first is not None
                        and is_own
                        and measure.same_path(path_of[int(talk_at[whole.place(first)])], one.talk)
                        and measure.jump_error(one, start[first]) is not None
                    )
                rows.append(Row(text, source, archive, small, longer, right, evident))
    return rows


def _first(
    part: PassageTable, asked: EncodedQuery, kind: Kind, calibration: Calibration | None
) -> tuple[int | None, Evidence]:
    """Return the number of the first hit, and what speaks for it; where nobody says any of the words, there is none."""
    if kind == "words":
        asked = replace(asked, vector=None)
    query = Query("", mode="semantic" if kind == "meaning" else "hybrid")
    ranking = rank(Source(part, BESIDE), query, asked, None, None)
    if not ranking.candidates:
        return None, Evidence(_NOT_NEAR, 0.0, -1.0)
    best = ranking.candidates[0]
    return best.number, evidence(
        part.layout,
        [part.place(best.number)],
        None
        if kind == "meaning" or not ranking.postings
        else term_evidence(ranking.postings, variant_postings(part, asked, ranking.postings.terms)),
        math.nan if best.meaning is None else best.meaning,
        calibration,
    )


def members(archive: str) -> list[str]:
    """Return the sources an archive is made of."""
    return archive.split("+")


def _matrix(rows: Sequence[Row], kind: Kind) -> Array:
    return np.array([features(row.found[kind], kind) for row in rows]).reshape(len(rows), -1)


def fitted(rows: Sequence[Row], kind: Kind, without: str = "") -> Array:
    """Return coefficients that tell right first hits from those of foreign queries; each archive and side weighs alike.

    Wrong first hits of an archive's own queries stand on neither side: the archive answers, the ranking missed it.
    """
    some = [
        row
        for row in rows
        if row.source
        and not {row.source, *members(row.archive)} & set(members(without))
        and (row.right[kind] or row.source not in members(row.archive))
    ]
    x, y = _matrix(some, kind), np.array([row.right[kind] for row in some], float)
    groups = [(row.archive, row.small, row.right[kind]) for row in some]
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


def fitted_each(rows: Sequence[Row], without: str) -> dict[Kind, list[float]]:
    """Return the coefficients of every kind of evidence."""
    return {kind: fitted(rows, kind, without).tolist() for kind in COEFFICIENTS}


def chances(rows: Sequence[Row], kind: Kind, betas: Mapping[Kind, Sequence[float]]) -> Array:
    """Return the probability of each row."""
    return np.array([probability(row.found[kind], kind, betas) for row in rows], float)


def auc(good: Array, bad: Array) -> float:
    """Return how often a right hit has the higher probability: the area under the ROC curve."""
    return float((good[:, None] > bad).mean() + 0.5 * (good[:, None] == bad).mean()) if len(good) and len(bad) else 0.0


def report(rows: Sequence[Row], kind: Kind) -> None:
    """Print the figures of one kind of evidence."""
    print(f"\n{kind}: own queries whose first hit is right, of those graded strong, fair, weak; errors of the grade")
    print(f"{'archive':22}{'own':>5}{'strong':>14}{'fair':>14}{'weak':>14}{'foreign':>9}"
          f"{'alarm':>7}{'strong':>8}{'miss':>6}{'more':>6}{'AUC':>6}{'shipped: alarm':>16}{'miss':>6}")  # fmt: skip
    for archive in (*SOURCES, *MIXED):
        betas = fitted_each(rows, archive)
        for small in (False, True):
            every = [row for row in rows if row.source and row.archive == archive and row.small == small]
            if not every:
                continue
            some = [row for row in every if not row.longer]
            more = chances([row for row in every if row.longer and row.right[kind]], kind, betas)
            own = np.array([row.source in members(archive) for row in some])
            right = np.array([row.right[kind] for row in some])
            p, shipped = chances(some, kind, betas), chances(some, kind, COEFFICIENTS)
            cells = ""
            for low, high in ((STRONG, 2.0), (WEAK, STRONG), (-1.0, WEAK)):
                inside = own & (p >= low) & (p < high)
                cells += (
                    f"{f'{right[inside].sum()}/{inside.sum()} {right[inside].mean() if inside.any() else 0:.0%}':>14}"
                )
            print(f"{archive + (' small' if small else ''):22}{own.sum():>5}{cells}{(~own).sum():>9}"
                  f"{(p[~own] >= WEAK).mean():>7.1%}{(p[~own] >= STRONG).mean():>8.1%}{(p[right] < WEAK).mean():>6.0%}"
                  f"{(more < WEAK).mean():>6.0%}{auc(p[right], p[~own]):>6.3f}"
                  f"{(shipped[~own] >= WEAK).mean():>16.1%}{(shipped[right] < WEAK).mean():>6.0%}")  # fmt: skip
    for row in rows:
        if not row.source and not row.small and row.archive == ("all" if row.query == MUST_BE_FAIR else ASKED_OF):
            p = chances([row], kind, COEFFICIENTS)[0]
            q = chances([row], kind, fitted_each(rows, ASKED_OF))[0]
            print(f"  {row.query!r} asked of {row.archive}: shipped {p:.2f}, fitted without {ASKED_OF} {q:.2f}")


if __name__ == "__main__":
    main()
