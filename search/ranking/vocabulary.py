"""The vocabulary of an index: which terms its passages hold, and whether terms stand in a row."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence

_BEHIND_ALL = "\U0010ffff"


def is_said(db: sqlite3.Connection, terms: str) -> bool:
    """Say whether any passage holds a term, or terms in a row with spaces between."""
    return db.execute("SELECT 1 FROM words WHERE words MATCH ? LIMIT 1", (f'"{terms}"',)).fetchone() is not None


def said_among(db: sqlite3.Connection, terms: Iterable[str]) -> list[str]:
    """Return those of some single terms that passages hold, in the order given."""
    wanted = list(dict.fromkeys(terms))
    _open(db)
    rows = db.execute(
        "SELECT term FROM vocabulary WHERE term IN (SELECT value FROM json_each(?))", (json.dumps(wanted),)
    )
    said = {term for (term,) in rows}
    return [term for term in wanted if term in said]


def beginning_with(db: sqlite3.Connection, beginning: str) -> list[str]:
    """Return the terms that begin with some letters, in the order of the index."""
    return between(db, beginning, beginning + _BEHIND_ALL)


def between(db: sqlite3.Connection, first: str, last: str) -> list[str]:
    """Return the terms from one to another, both included, in the order of the index."""
    _open(db)
    rows = db.execute("SELECT term FROM vocabulary WHERE term >= ? AND term <= ?", (first, last))
    return [term for (term,) in rows]


def texts_holding(db: sqlite3.Connection, terms: str, count: int) -> Sequence[str]:
    """Return the texts of the first passages that themselves hold a term, or terms in a row; at most `count`."""
    rows = db.execute(
        "SELECT text FROM passages WHERE number IN (SELECT rowid FROM words WHERE words MATCH ? LIMIT ?)",
        (f'terms : "{terms}"', count),
    )
    return [text for (text,) in rows]


def _open(db: sqlite3.Connection) -> None:
    db.execute("CREATE VIRTUAL TABLE IF NOT EXISTS temp.vocabulary USING fts5vocab(main, words, row)")
