"""The plain hybrid: what whoever builds a search by meaning and words builds first, to show what more is worth.

    score = (cosine - mean) / deviation + 0.6 × BM25

over the passages of the index that are said, with its own model and its own terms. The cosine is put on the scale of
its deviations over the whole index (standard scores, as in Lee, Analyses of Multiple Evidence Combination, SIGIR 1997);
BM25 is SQLite's, with k1 = 1.2 and b = 0.75 (Robertson and Zaragoza, 2009), which counts titles among its documents and
what tracks say among the words of a passage. No title is found, though. Nothing is known of neighbours, of the rest of
the talk, of other spellings and of tokens; there are no grades, and a passage is opened at its start. The weight was
given, not looked for: it must never be tuned.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial

import numpy as np

from talksearch.indexer.records import Field
from talksearch.indexer.stores import catalog
from talksearch.search.hit import Hit
from talksearch.search.query import Query
from talksearch.search.ranking.fusion import Candidate, top_k
from talksearch.search.ranking.lexical import bm25_search, query_terms
from talksearch.search.ranking.rank import Ranking
from talksearch.search.ranking.similarity import compare
from talksearch.search.reader import IndexReader
from talksearch.search.results.assemble import Assembly, to_hits
from talksearch.search.results.passage_view import view_passage

from .measure import opened_at_start

BM25_WEIGHT = 0.6
"""What a point of BM25 counts beside one standard deviation of the cosine."""

DEPTH = 400
"""How many passages become candidates. More than are shown, because those that overlap a better one are passed over."""

_NOTES: tuple[Field, ...] = ("title", "chapter", "description")

Ranked = Sequence[tuple[int, float]]
"""Passage numbers with their scores, best first."""


def search(reader: IndexReader, text: str, k: int) -> list[Hit]:
    """Return the `k` best hits of the plain hybrid for a query."""
    with catalog.snapshot(reader.db):
        return hits(reader, ranked(reader, text), k)


def ranked(reader: IndexReader, text: str) -> Ranked:
    """Return the best passages, up to `DEPTH`, by exact scores; of equal ones the earlier first.

    A passage that has no vector yet counts as one of average meaning. Call it inside a transaction that only reads.
    """
    table = reader.table()
    scores = np.zeros(len(table.vector_rows))
    for number, bm25 in bm25_search(reader.db, query_terms(reader.db, text), None, -1):
        scores[table.place(number)] = BM25_WEIGHT * bm25
    words = scores.copy()
    if (table.vector_rows >= 0).any():
        near = compare(table, reader.encoder().encode_query(text))
        scores += (near.cosines - near.mean) / near.deviation
        # Cosines are rounded at first; twice as many as are wanted are made exact, and ordered by that.
        scores[table.layout.notes] = -np.inf
        best = top_k(scores, 2 * DEPTH)
        scores[best] = (near.refine(best) - near.mean) / near.deviation + words[best]
    else:
        best = np.flatnonzero(words)
    best = best[~table.layout.notes[best]]
    best = best[top_k(scores[best], DEPTH)]
    return list(zip(table.layout.numbers[best].tolist(), scores[best].tolist(), strict=True))


def hits(reader: IndexReader, best: Ranked, k: int) -> list[Hit]:
    """Return ranked passages as hits that open at their start.

    The list is put together as that of talksearch: passages that overlap a better one, or say the same, are no hits of
    their own. So two lists differ by their order and by the second that a hit opens at, and by nothing else.
    """
    candidates = [Candidate(number, score) for number, score in best]
    ranking = Ranking(candidates, lambda numbers: np.zeros(len(numbers)), 0.0, reader.table())
    view = cache(partial(view_passage, reader.db, {}, {}))  # each is compared with many others
    return opened_at_start(to_hits(Assembly(reader.db, Query("", k, leave_out=_NOTES), (), ranking, view)))
