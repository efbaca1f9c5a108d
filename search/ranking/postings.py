"""Which passages hold a word, and how the passages of an index lie along their talks."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Sequence

import numpy as np

from talksearch.indexer.arrays import Ints
from talksearch.indexer.records import Field

NEAR = 2
"""Words that may stand between two words of a query said together: "the block, its size" says "block size"."""

_NONE: Ints = np.empty(0, np.int64)


def postings(db: sqlite3.Connection, term: str, silent: Ints = _NONE) -> Ints:
    """Return the numbers of the passages that hold a term, except those that are `silent`."""
    return _matches(db, f'"{term}"', silent)


def cooccurrences(db: sqlite3.Connection, one: str, other: str, silent: Ints = _NONE) -> Ints:
    """Return the numbers of the passages that say two terms side by side, or nearly, except those that are `silent`."""
    return _matches(db, f'NEAR("{one}" "{other}", {NEAR})', silent)


def notes_of(db: sqlite3.Connection, fields: Sequence[Field]) -> Ints:
    """Return the numbers of all notes that stand in some fields."""
    if not fields:
        return np.empty(0, np.int64)
    marks = ", ".join("?" * len(fields))
    rows = db.execute(
        f"SELECT number FROM passages WHERE field != 'speech' AND field IN ({marks})",  # noqa: S608 - only marks
        tuple(fields),
    ).fetchall()
    return np.fromiter((row[0] for row in rows), np.int64, len(rows))


def idf(passages: int, holding: int) -> float:
    """Return how much a term tells: about the natural logarithm of one in how many passages holds it.

    BM25's inverse document frequency in the form that is never negative (Lucene's).

    >>> surprise(100_000, 100) > surprise(100_000, 1_000) > surprise(3, 3) > 0
    True
    """
    return math.log(1 + (passages - holding + 0.5) / (holding + 0.5))


def term_weights(db: sqlite3.Connection, terms: Iterable[str]) -> dict[str, float]:
    """Return how much each of some terms tells in an index."""
    passages = db.execute("SELECT count(*) FROM passages").fetchone()[0]
    count = "SELECT count(*) FROM words WHERE words MATCH ?"
    return {term: idf(passages, db.execute(count, (f'"{term}"',)).fetchone()[0]) for term in terms}


def _matches(db: sqlite3.Connection, match: str, silent: Ints) -> Ints:
    rows = db.execute("SELECT rowid FROM words WHERE words MATCH ?", (match,)).fetchall()
    found = np.fromiter((row[0] for row in rows), np.int64, len(rows))
    return found[~np.isin(found, silent)] if len(silent) else found
