"""The misheard names of talks in the catalog, and the rare words that names may have been misheard as.

Call all of it inside a `catalog.transaction`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from talksearch.indexer.records import Mishearing, RareWord

from .catalog_talks import talk_number
from .seals import seal, seal_talk


def put_names(
    db: sqlite3.Connection, talk_id: str, mishearings: Iterable[Mishearing], rare_words: Iterable[RareWord]
) -> None:
    """Remember the misheard names and the rare words of a talk, in place of those that were remembered before.

    Args:
        db: the catalog, open for writing.
        talk_id: the talk. Raises LookupError where the catalog has no such talk.
        mishearings: names, and the words that captions have for them.
        rare_words: words of the talk that names may have been misheard as.
    """
    talk = talk_number(db, talk_id)
    if talk is None:
        raise LookupError(talk_id)
    delete_names(db, talk)
    heard = ((name.heard, name.meant, name.strange) for name in mishearings)
    db.executemany(
        "INSERT OR IGNORE INTO heard VALUES (?, ?, ?, ?, ?)",
        ((talk, *values, seal(talk_id, *values)) for values in heard),
    )
    odd = ((rare.sound, rare.word, rare.term, rare.strange) for rare in rare_words)
    db.executemany(
        "INSERT INTO odd VALUES (?, ?, ?, ?, ?, ?)", ((talk, *values, seal(talk_id, *values)) for values in odd)
    )
    seal_talk(db, talk)


def delete_names(db: sqlite3.Connection, talk: int) -> None:
    """Forget the misheard names and the rare words of the talk with a number; it must be sealed again afterwards."""
    db.execute("DELETE FROM heard WHERE talk = ?", (talk,))
    db.execute("DELETE FROM odd WHERE talk = ?", (talk,))
