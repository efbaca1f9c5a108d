"""Sums: what some tables hold altogether when a run is through, so that a change is noticed that no seal tells.

The tables of the word index are FTS5's own and have no seals, nor has the table of stop terms; and a query for a row
that is gone finds nothing, and so notices nothing. A number is noted for each of these, with how often the passages had
changed (`PRAGMA user_version`), and who reads that state of the catalog compares them. It takes a glance at a few
records and not at all of them, so it tells of what was written by another program, or lost, and not of a bit that
flipped inside a list of the word index. A run that was ended has noted nothing of the state that it left.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Mapping

from . import catalog, schema
from .seals import COUNTS, holds_sql, seal

SEARCHED = ("words", "common", "heard", "odd", "tracks", "track_cues")
"""The sums of what queries read, which all of them compare."""

LISTED = ("tracks", "lengths")
"""Those of what is told of talks in lists."""

ALL = tuple(dict.fromkeys((*SEARCHED, *LISTED)))
"""All sums."""

_DAMAGED = -1
"""Noted where a run met something that was not as it was noted, and could not mend it: no sum is less than 0."""


def differing(db: sqlite3.Connection, names: Collection[str]) -> list[str]:
    """Return those of some sums that are not as they were noted of this state of the catalog."""
    changes, noted = _changes(db), _noted(db)
    return [
        name
        for name in names
        if name in noted
        and (noted[name][1] == _DAMAGED or (noted[name][0] == changes and noted[name][1] != _IS[name](db)))
    ]


def are_lacking(db: sqlite3.Connection) -> bool:
    """Say whether any of the sums was never noted, as each run that ends well does."""
    return _noted(db).keys() != _IS.keys()


def note(db: sqlite3.Connection, before: Collection[str] = (), *, anew: bool = False) -> None:
    """Note what the sums should be, in a transaction of its own; nothing is done where this state has them already.

    Args:
        db: The catalog, open for writing.
        before: What differed (`differing`) before anything was changed. It counts as damaged until the doctor mends it,
            unless it can be told here that it holds.
        anew: Whether they are noted also where this state of the catalog has them: it was mended.
    """
    changes, noted = _changes(db), _noted(db)
    if not anew and noted.keys() == _IS.keys() and all(at == changes for at, _ in noted.values()):
        return
    damaged = {name for name in before if not _CAN_BE_TOLD.get(name, _never)(db)}
    values = {name: (changes, _DAMAGED if name in damaged else should(db)) for name, should in _SHOULD.items()}
    if values != noted:
        with catalog.transaction(db):
            db.execute(schema.SUMS)
            db.executemany(
                "INSERT OR REPLACE INTO sums (name, changes, sum) VALUES (?, ?, ?)",
                ((name, at, value) for name, (at, value) in values.items()),
            )


def _changes(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _noted(db: sqlite3.Connection) -> dict[str, tuple[int, int]]:
    if not db.execute("SELECT 1 FROM main.sqlite_master WHERE name = 'sums'").fetchone():
        return {}
    rows = db.execute("SELECT name, changes, sum FROM sums")
    return {name: (changes, value) for name, changes, value in rows if name in _IS}


def _words(db: sqlite3.Connection) -> int:
    """Return a sum of the two records that FTS5 writes anew with each change: how many words it has, and its segments.

    They have the numbers 1 and 10 (FTS5_AVERAGES_ROWID and FTS5_STRUCTURE_ROWID in SQLite's fts5_index.c).
    """
    return seal(*(block for (block,) in db.execute("SELECT block FROM words_data WHERE id IN (1, 10) ORDER BY id")))


def _common(db: sqlite3.Connection) -> int:
    return seal(*(term for (term,) in db.execute("SELECT CAST(term AS BLOB) FROM common ORDER BY term")))


def _lengths(db: sqlite3.Connection) -> int:
    """Return a sum of when passages end, and of which talk they are: talks are as long as that."""
    (value,) = db.execute("SELECT coalesce(sum((end_ms + 1) * talk % 1000003), 0) FROM main.passages").fetchone()
    return int(value)


def _counted(table: str) -> Callable[[sqlite3.Connection], int]:
    # Not what a connection that hides damage sees (`soundness.hide_damage`).
    return lambda db: int(db.execute(f"SELECT count(*) FROM main.{table}").fetchone()[0])  # noqa: S608 - our own names


def _told(column: str) -> Callable[[sqlite3.Connection], int]:
    """Return what adds up how many rows of a table belong to each talk, as the talks say."""
    return lambda db: int(db.execute(f"SELECT coalesce(sum({column}), 0) FROM main.talks").fetchone()[0])  # noqa: S608


def _all_passages_hold(db: sqlite3.Connection) -> bool:
    return not db.execute(f"SELECT 1 FROM passages WHERE NOT {holds_sql('passages')} LIMIT 1").fetchone()  # noqa: S608


def _never(_: sqlite3.Connection) -> bool:
    return False


_ROWS = {table: column for column, table in COUNTS.items() if table in (*SEARCHED, *LISTED)}
_IS: Mapping[str, Callable[[sqlite3.Connection], int]] = {
    "words": _words,
    "common": _common,
    **{table: _counted(table) for table in _ROWS},
    "lengths": _lengths,
}
"""What each sum is now."""
_SHOULD = {**_IS, **{table: _told(column) for table, column in _ROWS.items()}}
"""What each should be at the end of a run: how many rows there are is what the talks say."""
_CAN_BE_TOLD = {
    **dict.fromkeys(_ROWS, lambda _: True),
    "common": lambda _: True,  # whoever changed passages made them anew
    "lengths": _all_passages_hold,
}
"""Says whether what differed before a run holds when it is through; of the word index only the doctor can tell."""
