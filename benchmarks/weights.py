"""What each kind of evidence is worth in ranking, fitted on real queries and judged on a source that was left out.

    python benchmarks/weights.py [--index DIR] [--limit N]

For each gold query the first 150 passages of today's ranking are gathered with their evidence, and whether the hit that
each would be is right. Weights are fitted by list-wise logistic regression (the probability of a softmax over a query's
passages that a right one is drawn; Cao et al., Learning to Rank, ICML 2007), each source counting alike. Every line of
the table is one choice of evidence: MRR@10 on each source with weights fitted on the others, their mean, and the
weights fitted on all, as multiples of that of the cosine. The constants of `search/ranking/fusion.py` are rounded
from here.

Notes are left out: the queries of some gold files are chapter titles. A source with too few queries of its own still
weighs as much as the others in fitting, and its own figure swings more.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from talksearch.indexer.arrays import Floats
from talksearch.indexer.text.terms import terms
from talksearch.search.evaluation import measure
from talksearch.search.query import Query
from talksearch.search.ranking.encoded_query import EncodedQuery, query_postings
from talksearch.search.ranking.fusion import (
    REACH,
    SIDE_BY_SIDE,
    TALK,
    THROUGHOUT,
    WORDS_WEIGHT,
    Array,
    lexical_scores,
    talk_evidence,
)
from talksearch.search.ranking.lexical import query_terms
from talksearch.search.ranking.rank import Ranking, Source, rank
from talksearch.search.ranking.similarity import compare
from talksearch.search.ranking.term_variants import expand_terms
from talksearch.search.reader import IndexReader, open_reader
from talksearch.search.results.assemble import Assembly, to_hits
from talksearch.search.results.passage_view import view_passage

ROOT = Path(__file__).parents[1]
GOLD = ROOT / ".." / "shared" / "gold"
SOURCES = ("bitcoin", "nyu", "ethereum", "zoom", "qmsum", "rolling")
FIRST = 150
NOTES = ("title", "chapter", "description")

NAMES = (
    "meaning", "around", "together", "talk", "throughout", "inside", "nearer", "wider", "neighbours", "talk vector",
    "talk best", "title", "covered",
)  # fmt: skip
"""The evidence, in the order of the columns. "inside", "nearer" and "wider" are "around" with another reach."""

KEPT = ("meaning", "around", "together", "talk", "throughout")


@dataclass(frozen=True)
class Asking:
    """One query and the passages that came into question."""

    evidence: Array
    """(passages, kinds of evidence)."""
    right: npt.NDArray[np.bool_]
    spans: list[tuple[int, int, int]]
    """Talk, start and end of each passage in milliseconds: of those that overlap, one is shown."""
    vectors: Floats
    """Of the passages (passages, dimension)."""
    asked: Floats
    """Of the query (dimension,)."""
    deviation: float
    """Of the cosines of the whole index."""


def main() -> None:
    """Gather, fit, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path, default=ROOT / ".cache" / "quality-index")
    parser.add_argument("--limit", type=int, default=150, help="queries of a source, drawn at random")
    options = parser.parse_args()
    index = open_reader(options.index)
    asked = {source: gather(index, source, options.limit) for source in SOURCES}
    print(f"{'evidence':<58}" + "".join(f"{source:>10}" for source in SOURCES) + f"{'mean':>8}  weights")
    line("as shipped", KEPT, asked, shipped())
    base: list[str] = []
    for name in KEPT:
        base.append(name)
        line(" + ".join(base), base, asked)
    for name in NAMES:
        if name not in KEPT:
            line(f"… + {name}", [*KEPT, name], asked)
    line("all of it", NAMES, asked)


def shipped() -> Array:
    """Return the weights of today's ranking, in the order of `KEPT`."""
    return np.array([1.0, WORDS_WEIGHT, WORDS_WEIGHT * SIDE_BY_SIDE, WORDS_WEIGHT * TALK, THROUGHOUT])


def gather(index: IndexReader, source: str, limit: int) -> list[Asking]:
    """Ask the queries of one source and return what speaks for the passages that came into question."""
    golds = measure.read_gold(GOLD / f"{source}.jsonl")
    drawn = random.Random(0).sample(golds, min(limit, len(golds)))
    return [one for gold in drawn if (one := _asking(index, gold)) is not None]


def _asking(index: IndexReader, gold: measure.GoldQuery) -> Asking | None:
    db, table = index.db, index.table()
    lie = table.layout
    query = Query(gold.query, 1, leave_out=NOTES)
    words = query_terms(db, gold.query)
    asked = EncodedQuery(
        words,
        expand_terms(db, gold.query, words, index.compounds),
        partial(np.asarray, index.encoder().encode_query(gold.query)),
    )
    ranking = rank(Source(table, index.encoder_pool), query, asked, None, None)
    some = [one for one in ranking.candidates if not lie.notes[table.place(one.number)]][:FIRST]
    if not some:
        return None
    at = np.array([table.place(one.number) for one in some])
    talks = lie.talks[at]
    assert asked.vector is not None
    nearness = compare(table, asked.vector())
    meaning = (nearness.cosines - nearness.mean) / nearness.deviation
    postings = query_postings(table, asked, table.notes_in(NOTES))
    said, pairs = postings.terms, postings.cooccurrences
    worth = [term.passage for term in postings.weights]
    alone = postings._replace(cooccurrences=[])
    around = lexical_scores(lie, alone, 0.0)
    together = np.zeros(len(around))
    for neighbours, places in zip(pairwise(worth), pairs, strict=True):
        together[places] += min(neighbours)
    talk = lexical_scores(lie, alone, 1.0) - around

    def within(reach: int) -> Array:
        found = np.zeros(len(around))
        for places, value in zip(said, worth, strict=True):
            near = np.unique(np.concatenate([places + step for step in range(-reach, reach + 1)]))
            found[near[(near >= 0) & (near < len(found))]] += value
        return found

    alone = np.array([meaning, around, together, talk]).T @ shipped()[:4]
    beside = np.maximum(np.append(meaning[1:], -9.0), np.insert(meaning[:-1], 0, -9.0))
    by_talk = {int(one): np.flatnonzero(lie.talks == one) for one in np.unique(talks)}
    titles = {
        one: set(
            terms(db.execute("SELECT title FROM talks WHERE number = ?", (int(lie.talk_numbers[one]),)).fetchone()[0])
        )
        for one in by_talk
    }
    of_talk = {one: meaning[places] for one, places in by_talk.items()}
    columns = [
        meaning[at],
        around[at],
        together[at],
        talk[at],
        talk_evidence(lie.sizes.astype(int), alone)[at],
        within(0)[at],
        within(REACH - 1)[at],
        within(REACH + 1)[at],
        beside[at],
        np.array([of_talk[int(one)].mean() for one in talks]),
        np.array([of_talk[int(one)].max() for one in talks]),
        np.array([sum(w for t, w in zip(words, worth, strict=True) if t in titles[int(one)]) for one in talks]),
        around[at] / max(sum(worth), 1e-9),
    ]
    right, spans = [], []
    for candidate, place in zip(some, at.tolist(), strict=True):
        alone_ranked = Ranking([candidate], ranking.scores, ranking.threshold, ranking.table)
        view = partial(view_passage, db, asked.variants, table.term_weights(asked.terms))
        hits = to_hits(Assembly(db, query, asked.terms, alone_ranked, view))
        hit = hits[0] if hits else None
        is_right = hit is not None and measure.is_in_talk(hit, gold.talk)
        right.append(is_right and hit is not None and measure.jump_error(gold, hit.jump_ms) is not None)
        spans.append((int(lie.talks[place]), *table.times(place)))
    vectors = np.array([table.vector(place) for place in at.tolist()])
    return Asking(np.array(columns, float).T, np.array(right), spans, vectors, asked.vector(), nearness.deviation)


def line(label: str, names: Sequence[str], asked: dict[str, list[Asking]], given: Array | None = None) -> None:
    """Print the figures of one choice of evidence."""
    which = [NAMES.index(name) for name in names]
    values = []
    for source in SOURCES:
        others = [asked[other] for other in SOURCES if other != source]
        weights = given if given is not None else fit(others, which)
        values.append(float(np.mean([mrr(one, one.evidence[:, which] @ weights) for one in asked[source]])))
    final = given if given is not None else fit(list(asked.values()), which)
    shown = ", ".join(f"{value:.2f}" for value in final / abs(final[0]))
    print(
        f"{label:<58}" + "".join(f"{value:>10.3f}" for value in values) + f"{np.mean(values):>8.4f}  {shown}",
        flush=True,
    )


def fit(sources: Sequence[Sequence[Asking]], which: Sequence[int], penalty: float = 1e-3, steps: int = 60) -> Array:
    """Return the weights under which right passages are likeliest, by Newton's method; each source counts alike."""
    lists = [
        (one.evidence[:, which], one.right, 1 / len(own))
        for own in sources
        for one in own
        if one.right.any() and not one.right.all()
    ]
    every = np.concatenate([evidence for evidence, _, _ in lists])
    spread = every.std(axis=0) + 1e-9
    total = sum(share for _, _, share in lists)
    weights = np.zeros(len(which))
    for _ in range(steps):
        slope, bend = -2 * penalty * weights, -2 * penalty * np.eye(len(which))
        for evidence, right, share in lists:
            scaled = evidence / spread
            score = scaled @ weights
            odds = np.exp(score - score.max())
            among, own = odds / odds.sum(), odds * right / (odds * right).sum()
            slope = slope + share / total * (own - among) @ scaled
            centred = scaled - among @ scaled
            bend = bend - share / total * (centred * among[:, None]).T @ centred
        step = np.linalg.solve(bend, slope)
        step = -step if float(slope @ -step) > 0 else slope
        weights = weights + step * min(1.0, 1.0 / max(float(np.abs(step).max()), 1e-9))
        if float(np.abs(slope).max()) < 1e-6:
            break
    found: Array = weights / spread
    return found


def mrr(one: Asking, scores: Array) -> float:
    """Return the reciprocal rank of the first right passage among the first ten, of overlapping ones the best shown."""
    shown: list[tuple[int, int, int]] = []
    for at in np.argsort(-scores, kind="stable").tolist():
        talk, start, end = one.spans[at]
        if any(talk == other and start < last and first < end for other, first, last in shown):
            continue
        shown.append(one.spans[at])
        if one.right[at]:
            return 1 / len(shown)
        if len(shown) == 10:
            break
    return 0.0


if __name__ == "__main__":
    main()
