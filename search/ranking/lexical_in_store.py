"""Lexical search in some talks of a store: BM25 with the statistics of the whole store.

What SQLite's full-text index knows of how rare a term is, it knows of these talks alone.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

from talksearch.indexer.arrays import Ints

from .corpus import CorpusStatistics
from .passage_table import PassageTable

_SATURATION, _LENGTH = 1.2, 0.75
"""BM25's k1 and b as SQLite has them (sqlite.org/fts5.html, "The bm25() function")."""

_LEAST_IDF = 1e-6
"""What a term tells there that most passages hold."""

_SAMPLED = 500
"""How many passages are looked at to tell how long they are."""


def bm25_in_store(
    table: PassageTable, corpus: CorpusStatistics, wanted: Sequence[str], allowed: Ints | None, count: int
) -> list[tuple[int, float]]:
    """Return the passages that hold any of some terms, as (passage number, BM25 score), best first.

    It is the formula of SQLite. How long passages are in the mean is told by those of the table.

    Args:
        table: The passages.
        corpus: The statistics of the whole store.
        wanted: Terms, or terms in a row with spaces between.
        allowed: The numbers of the passages that may be returned; None allows all.
        count: How many are returned at most.
    """
    if not wanted:
        return []
    condition, values = "", [" OR ".join(f'"{term}"' for term in wanted)]
    if allowed is not None:
        condition = "AND rowid IN (SELECT value FROM json_each(?))"
        values.append(json.dumps(allowed.tolist()))
    matching = f"SELECT rowid FROM words WHERE words MATCH ? {condition}"  # noqa: S608 - values are bound
    rows = table.db.execute(f"SELECT id, c0, c1 FROM words_content WHERE id IN ({matching})", values).fetchall()  # noqa: S608
    idfs = {term: _idf(corpus.passages, _holding(table, corpus, term)) for term in wanted}
    mean_length = _mean_length(table)
    scored = []
    for number, text, of_tracks in rows:
        said = f" {text}  {of_tracks} "
        length = len(said.split())
        norm = _SATURATION * (1 - _LENGTH + _LENGTH * length / mean_length)
        score = 0.0
        for term, weight in idfs.items():
            frequency = _occurrences(said, term)
            score += weight * frequency * (_SATURATION + 1) / (frequency + norm)
        scored.append((int(number), score))
    return sorted(scored, key=lambda passage: (-passage[1], passage[0]))[:count]


def _idf(passages: int, holding: float) -> float:
    return max(math.log(max((passages - holding + 0.5) / (holding + 0.5), math.exp(_LEAST_IDF))), _LEAST_IDF)


def _holding(table: PassageTable, corpus: CorpusStatistics, term: str) -> float:
    """Return how many passages hold a term; of terms in a row, how many of the table do."""
    if " " in term:
        return len(table.postings(term))
    return sum(held.passages for held in corpus.holding([term]).values())


def _occurrences(said: str, term: str) -> int:
    """Return how often a term stands in terms that have spaces around them; one space may end one and begin the next.

    >>> _occurrences(" to be or not to be ", "to be"), _occurrences(" so so so ", "so")
    (2, 3)
    """
    found, at = 0, said.find(f" {term} ")
    while at >= 0:
        found, at = found + 1, said.find(f" {term} ", at + len(term) + 1)
    return found


def _mean_length(table: PassageTable) -> float:
    """Return how many terms a passage of the table has in the mean, by a sample."""
    rows = table.db.execute("SELECT c0 FROM words_content LIMIT ?", (_SAMPLED,)).fetchall()
    return sum(len(text.split()) for (text,) in rows) / len(rows) or 1.0 if rows else 1.0
