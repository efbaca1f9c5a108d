"""Finding passages by words: BM25 by SQLite's full-text search."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from talksearch.indexer.arrays import Ints
from talksearch.indexer.text.terms import terms


def by_words(db: sqlite3.Connection, asked: Sequence[str], within: Ints | None, count: int) -> list[tuple[int, float]]:
    """Return the passages that hold any of some terms, or of terms in a row, as (number, BM25 score), best first."""
    if not asked:
        return []
    match = " OR ".join(f'"{term}"' for term in asked)
    inside, values = "", [match]
    if within is not None:
        inside = "AND rowid IN (SELECT value FROM json_each(?))"
        values.append(json.dumps(within.tolist()))
    rows = db.execute(
        f"SELECT rowid, -bm25(words) FROM words WHERE words MATCH ? {inside} ORDER BY bm25(words), rowid LIMIT ?",  # noqa: S608
        (*values, count),
    )
    return [(int(number), float(score)) for number, score in rows]


def query_terms(db: sqlite3.Connection, text: str) -> tuple[str, ...]:
    """Return the terms of a query that tell passages apart, each once.

    Terms that stand nearly everywhere are left out unless there are no others.
    """
    every = tuple(dict.fromkeys(terms(text)))
    if len(every) < 2:
        return every
    marks = ", ".join("?" * len(every))
    common = {row[0] for row in db.execute(f"SELECT term FROM common WHERE term IN ({marks})", every)}  # noqa: S608
    return tuple(term for term in every if term not in common) or every
