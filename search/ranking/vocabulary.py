"""The vocabulary of an index: which terms its passages hold, and whether terms stand in a row.

A connection may hold only some of the talks of a store and know the terms of all of them (`let_stand_for`). Then single
terms are looked up among those. Whether terms stand in a row, the talks tell that are there.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

from talksearch.indexer.stores import catalog

_BEHIND_ALL = "\U0010ffff"


def is_said(db: sqlite3.Connection, terms: str) -> bool:
    """Say whether any passage holds a term, or terms in a row with spaces between."""
    if db.execute("SELECT 1 FROM words WHERE words MATCH ? LIMIT 1", (f'"{terms}"',)).fetchone() is not None:
        return True
    return " " not in terms and stands_for_store(db) and bool(said_among(db, [terms]))


def said_among(db: sqlite3.Connection, terms: Iterable[str]) -> list[str]:
    """Return those of some single terms that passages hold, in the order given."""
    wanted = list(dict.fromkeys(terms))
    open_vocabulary(db)
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
    open_vocabulary(db)
    rows = db.execute("SELECT term FROM vocabulary WHERE term >= ? AND term <= ?", (first, last))
    return [term for (term,) in rows]


def texts_holding(db: sqlite3.Connection, terms: str, count: int) -> Sequence[str]:
    """Return the texts of the first passages that themselves hold a term, or terms in a row; at most `count`."""
    rows = db.execute(
        "SELECT text FROM passages WHERE number IN (SELECT rowid FROM words WHERE words MATCH ? LIMIT ?)",
        (f'terms : "{terms}"', count),
    )
    return [text for (text,) in rows]


def let_stand_for(db: sqlite3.Connection, counts: Path) -> None:
    """Let a connection that holds some of the talks of a store know the terms of all of them.

    Args:
        db: The connection.
        counts: A database that is only read. Its table `vocabulary` has each term and in how many passages (`doc`) it
            stands, its table `terms` the same by language (term, language, passages, talks).
    """
    db.execute("ATTACH ? AS whole", (f"{counts.absolute().as_uri()}?mode=ro&immutable=1",))
    db.execute("CREATE TEMP VIEW vocabulary AS SELECT term, doc FROM whole.vocabulary")


def stands_for_store(db: sqlite3.Connection) -> bool:
    """Say whether a connection holds only some of the talks of a store."""
    return any(name == "whole" for _, name, _ in db.execute("PRAGMA database_list"))


def languages_saying(db: sqlite3.Connection, term: str) -> dict[str, int]:
    """Return how many passages of a store hold a term in each language (ISO 639), where `stands_for_store`."""
    return dict(db.execute("SELECT language, passages FROM whole.terms WHERE term = ?", (term,)))


def vocabulary_state(db: sqlite3.Connection) -> tuple[object, ...]:
    """Return what tells the vocabulary of one state of one index, or store, from all others."""
    files = {name: file for _, name, file in db.execute("PRAGMA database_list")}
    if "whole" in files:
        return (files["whole"],)
    path = files["main"]
    return (path, Path(path).stat().st_ino if path else id(db), *catalog.version(db))


def open_vocabulary(db: sqlite3.Connection) -> None:
    """Have a table or view `temp.vocabulary`: each term, and in how many passages (`doc`) it stands."""
    db.execute("CREATE VIRTUAL TABLE IF NOT EXISTS temp.vocabulary USING fts5vocab(main, words, row)")
