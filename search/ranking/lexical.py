"""Lexical search: BM25 by SQLite's full-text index."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from talksearch.indexer.arrays import Ints
from talksearch.indexer.stores.catalog import placeholders
from talksearch.indexer.text.terms import has_unspaced, terms

from .segmentation import telling_terms


def bm25_search(
    db: sqlite3.Connection, wanted: Sequence[str], allowed: Ints | None, count: int
) -> list[tuple[int, float]]:
    """Return the passages that hold any of some terms, as (passage number, BM25 score), best first.

    Args:
        db: the catalog.
        wanted: terms, or terms in a row with spaces between.
        allowed: the numbers of the passages that may be returned; None allows all.
        count: how many are returned at most; -1 for all.
    """
    if not wanted:
        return []
    condition, values = "", [" OR ".join(f'"{term}"' for term in wanted)]
    if allowed is not None:
        condition = "AND rowid IN (SELECT value FROM json_each(?))"
        values.append(json.dumps(allowed.tolist()))
    rows = db.execute(
        f"SELECT rowid, -bm25(words) FROM words WHERE words MATCH ? {condition} ORDER BY bm25(words), rowid LIMIT ?",  # noqa: S608
        (*values, count),
    )
    return [(int(number), float(score)) for number, score in rows]


def query_terms(db: sqlite3.Connection, text: str) -> tuple[str, ...]:
    """Return the terms of a query that tell passages apart, each once.

    Stop terms, which stand nearly everywhere, are left out unless there are no others.
    """
    distinct = tuple(dict.fromkeys(telling_terms(text) if has_unspaced(text) else terms(text)))
    if len(distinct) < 2:
        return distinct
    rows = db.execute(f"SELECT term FROM common WHERE term IN ({placeholders(len(distinct))})", distinct)  # noqa: S608
    stop_terms = {term for (term,) in rows}
    return tuple(term for term in distinct if term not in stop_terms) or distinct
