"""The stop terms of an index, which stand in so many passages that they tell nothing, by its word index."""

from __future__ import annotations

import sqlite3

from .catalog import transaction

_FEWEST_FOR_A_STOP_TERM = 20
"""A term that stands in no more passages than this is never a stop term, however few passages there are."""

_STOP_TERM_SHARE = 0.1
"""The share of the passages in which a stop term stands, at least."""


def update_stop_terms(db: sqlite3.Connection, share: float = _STOP_TERM_SHARE) -> None:
    """Note the terms that stand in more than `share` of the passages, in a transaction of its own.

    A query of several terms leaves them out: they find nearly everything and tell nothing, in whatever language. Where
    no passage changed since that was done last, by whichever run, nothing is done.
    """
    (changes,) = db.execute("PRAGMA user_version").fetchone()
    if db.execute("SELECT 1 FROM derived WHERE name = 'common' AND changes = ?", (changes,)).fetchone():
        return
    with transaction(db):
        db.execute("INSERT OR REPLACE INTO derived VALUES ('common', ?)", (changes,))
        db.execute("DELETE FROM common")
        db.executemany("INSERT INTO common VALUES (?)", [(term,) for term in sorted(find_stop_terms(db, share))])


def open_vocabulary(db: sqlite3.Connection) -> None:
    """Make the table `temp.vocabulary`: each term of the word index, and in how many passages (`doc`) it stands."""
    db.execute("CREATE VIRTUAL TABLE IF NOT EXISTS temp.vocabulary USING fts5vocab(main, words, row)")


def find_stop_terms(db: sqlite3.Connection, share: float = _STOP_TERM_SHARE) -> set[str]:
    """Return the terms that stand in more than `share` of the passages, by the word index."""
    (passages,) = db.execute("SELECT count(*) FROM passages").fetchone()
    open_vocabulary(db)
    rows = db.execute("SELECT term FROM vocabulary WHERE doc > ?", (fewest_passages(passages, share),))
    return {term for (term,) in rows}


def fewest_passages(passages: int, share: float = _STOP_TERM_SHARE) -> float:
    """Return the number of passages, of so many, in more of which a stop term stands."""
    return max(share * passages, _FEWEST_FOR_A_STOP_TERM)
