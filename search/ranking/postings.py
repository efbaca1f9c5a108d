"""Postings: which passages hold a term, read from the catalog's word index; and how much a term tells."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Sequence

import numpy as np

from talksearch.indexer.arrays import Ints
from talksearch.indexer.records import Field
from talksearch.indexer.stores.catalog import placeholders

MAX_WORDS_BETWEEN = 2
"""How many words may stand between two terms of a query that count as said together: "the block, its size" says
"block size"."""


def postings(db: sqlite3.Connection, term: str) -> Ints:
    """Return the numbers of the passages that hold a term."""
    return _match(db, f'"{term}"')


def cooccurrences(db: sqlite3.Connection, first: str, second: str) -> Ints:
    """Return the numbers of the passages that say two terms side by side, or nearly so."""
    return _match(db, f'NEAR("{first}" "{second}", {MAX_WORDS_BETWEEN})')


def only_in_tracks(db: sqlite3.Connection, term: str) -> Ints:
    """Return the numbers of the passages that hold a term only in what further tracks of their talk say meanwhile."""
    if not db.execute("SELECT 1 FROM tracks LIMIT 1").fetchone():
        return np.empty(0, np.int64)
    return _match(db, f'(track_terms : "{term}") NOT (terms : "{term}")')


def notes_of(db: sqlite3.Connection, fields: Sequence[Field]) -> Ints:
    """Return the numbers of all notes that stand in some fields."""
    if not fields:
        return np.empty(0, np.int64)
    rows = db.execute(
        f"SELECT number FROM passages WHERE field != 'speech' AND field IN ({placeholders(len(fields))})",  # noqa: S608
        tuple(fields),
    ).fetchall()
    return np.fromiter((number for (number,) in rows), np.int64, len(rows))


def idf(passages: int, holding: float) -> float:
    """Return the inverse document frequency: how much a term tells, that `holding` of so many `passages` hold.

    It is about the natural logarithm of `passages / holding`: BM25's idf in the form that is never negative (Lucene's).

    >>> idf(100_000, 100) > idf(100_000, 1_000) > idf(3, 3) > 0
    True
    """
    return math.log(1 + (passages - holding + 0.5) / (holding + 0.5))


def term_weights(db: sqlite3.Connection, terms: Iterable[str]) -> dict[str, float]:
    """Return the idf of some terms in an index."""
    (passages,) = db.execute("SELECT count(*) FROM passages").fetchone()
    count = "SELECT count(*) FROM words WHERE words MATCH ?"
    return {term: idf(passages, db.execute(count, (f'"{term}"',)).fetchone()[0]) for term in terms}


def _match(db: sqlite3.Connection, expression: str) -> Ints:
    rows = db.execute("SELECT rowid FROM words WHERE words MATCH ?", (expression,)).fetchall()
    return np.fromiter((number for (number,) in rows), np.int64, len(rows))
