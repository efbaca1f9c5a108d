"""Reading around damage: which rows of the catalog hold, and a connection that sees only those.

What an answer shows is looked at row by row (`seals`). Only where something does not hold is the whole catalog looked
through, and hidden what is damaged.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from talksearch.indexer.errors import DamagedStoreError

from .seals import COUNTS, SEALED, holds_sql

MEND = "Find and mend it: talksearch doctor"
"""What to do about damage that a reader met."""

_CUES_HOLD = f"SELECT count(*) FROM main.cues c WHERE c.talk = p.talk AND {holds_sql('cues', 'c')}"  # noqa: S608
_WHOLE_PASSAGE = (
    f"{holds_sql('passages', 'p')} AND (p.field != 'speech' OR p.last_cue - p.first_cue + 1"
    f" = ({_CUES_HOLD} AND c.number BETWEEN p.first_cue AND p.last_cue))"
)
"""The condition that a passage holds, and every cue that it is cut from."""

_KEYS = {
    "talks": ("number",),
    "cues": ("talk", "number"),
    "tracks": ("talk", "number"),
    "track_cues": ("talk", "track", "number"),
    "passages": ("number",),
    "tokens": ("number",),
    "heard": ("talk", "heard", "meant"),
    "odd": ("talk", "sound", "word"),
}
"""The tables that searching reads, and by what a row of each is told."""


class RowDamageError(LookupError):
    """What was read from the catalog cannot be as it was written. `search.damage` answers around it."""


class HiddenRows(NamedTuple):
    """What a connection does not see of its catalog."""

    passages: int
    """Passages that are damaged, or gone."""
    others: int
    """Rows of other tables, likewise."""

    @property
    def note(self) -> str:
        """What the user must know of it."""
        if self.passages:
            left_out = "1 passage is" if self.passages == 1 else f"{self.passages} passages are"
            return f"{left_out} left out, because what the index holds of them is damaged. {MEND}"
        return f"A part of the index is damaged and was left aside. {MEND}"


def hold(
    db: sqlite3.Connection, passage_ids: Collection[str], talk_ids: Collection[str], tables: Collection[str] = ()
) -> bool:
    """Say whether all rows that something was made of hold.

    Args:
        db: The catalog.
        passage_ids: The passages that are shown, each with the cues that it is cut from.
        talk_ids: The talks that are named.
        tables: Those of `seals.COUNTS` of which every row of these talks is looked at.
    """
    (passages,) = db.execute(
        f"SELECT count(*) FROM passages p WHERE id IN (SELECT value FROM json_each(?)) AND {_WHOLE_PASSAGE}",  # noqa: S608
        (json.dumps(list(passage_ids)),),
    ).fetchone()
    of_talks = "FROM talks t WHERE t.id IN (SELECT value FROM json_each(:ids))"
    wanted = {"ids": json.dumps(list(talk_ids))}
    (talks,) = db.execute(f"SELECT count(*) {of_talks} AND {holds_sql('talks', 't')}", wanted).fetchone()
    if passages != len(set(passage_ids)) or talks != len(set(talk_ids)):
        return False
    for count, table in COUNTS.items():
        if table in tables:
            counted, there, held = db.execute(
                f"SELECT (SELECT coalesce(sum({count}), 0) {of_talks}), count(*), count(*) FILTER (WHERE"  # noqa: S608
                f" {holds_sql(table, 'r')}) FROM {table} r WHERE r.talk IN (SELECT number {of_talks})",
                wanted,
            ).fetchone()
            if not counted == there == held:
                return False
    return True


def sound(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return rows without their last column, which says whether each holds; RowDamageError where one does not."""
    read = list(rows)
    if not all(row[-1] for row in read):
        raise RowDamageError
    return [row[:-1] for row in read]


def check_talk(db: sqlite3.Connection, talk_id: str, tables: Collection[str]) -> None:
    """Raise DamagedStoreError where the row of a talk does not hold, or one of its rows in some tables, or is gone.

    A talk that is not there is none.
    """
    known = db.execute("SELECT 1 FROM talks WHERE id = ?", (talk_id,)).fetchone()
    if known and not hold(db, (), (talk_id,), tables):
        raise DamagedStoreError(f"What the index holds of the talk {talk_id} is damaged.", MEND)


def note(db: sqlite3.Connection) -> str:
    """Return a sentence where the row of a talk does not hold, or rows are gone; else nothing. For lists and counts."""
    damaged = db.execute(f"SELECT 1 FROM talks WHERE NOT ({holds_sql('talks')}) LIMIT 1").fetchone()  # noqa: S608
    # Counts leave notes out, so a passage of speech must not have become one.
    damaged = (
        damaged
        or db.execute(
            f"SELECT 1 FROM passages p WHERE field != 'speech' AND NOT ({holds_sql('passages', 'p')}) LIMIT 1"  # noqa: S608
        ).fetchone()
    )
    # The languages of tracks are counted.
    damaged = damaged or db.execute(f"SELECT 1 FROM tracks WHERE NOT ({holds_sql('tracks')}) LIMIT 1").fetchone()  # noqa: S608
    if damaged or any(_differing(db).values()) or not _roots_hold(db):
        return f"The index is damaged, and this is not all that it should hold. {MEND}"
    return ""


def _roots_hold(db: sqlite3.Connection) -> bool:
    """Say whether the PATHs hold, and are there where there are talks."""
    if db.execute(f"SELECT 1 FROM roots WHERE NOT ({holds_sql('roots')}) LIMIT 1").fetchone():  # noqa: S608
        return False
    lacking = "SELECT EXISTS (SELECT 1 FROM talks) AND NOT EXISTS (SELECT 1 FROM roots)"
    return not db.execute(lacking).fetchone()[0]


def all_passages_are_there(db: sqlite3.Connection) -> bool:
    """Say whether there are as many passages as the talks say: one that is gone is never found, and so not missed."""
    return _differing(db, ("passage_count",))["passages"] == 0


def hide_damage(db: sqlite3.Connection) -> HiddenRows:
    """Let a connection that reads see only the rows that hold, until `show_all`; return what that hides.

    Views of the connection's own stand before the tables of the catalog, as SQLite looks for a name among them first.
    The word index is not hidden; what it finds must be held against the passages that are seen.
    """
    show_all(db)
    counts = {}
    for table, keys in _KEYS.items():
        key = ", ".join(keys)
        condition = _WHOLE_PASSAGE if table == "passages" else holds_sql(table, "p")
        if "talk" in SEALED[table]:
            condition += " AND p.talk NOT IN (SELECT number FROM damaged_talks)"
        db.execute(f"CREATE TEMP TABLE damaged_{table} ({key}, PRIMARY KEY ({key})) WITHOUT ROWID")
        db.execute(f"INSERT INTO damaged_{table} SELECT {key} FROM main.{table} p WHERE NOT ({condition})")  # noqa: S608
        (counts[table],) = db.execute(f"SELECT count(*) FROM damaged_{table}").fetchone()  # noqa: S608
    missing = {table: max(0, count) for table, count in _differing(db).items()}
    for table, keys in _KEYS.items():
        same = " AND ".join(f"d.{key} = p.{key}" for key in keys)
        db.execute(
            f"CREATE TEMP VIEW {table} AS SELECT * FROM main.{table} p"  # noqa: S608 - our own names
            f" WHERE NOT EXISTS (SELECT 1 FROM damaged_{table} d WHERE {same})"
        )
    passages = counts["passages"] + missing["passages"]
    return HiddenRows(passages, sum(counts.values()) + sum(missing.values()) - passages)


def show_all(db: sqlite3.Connection) -> None:
    """Let a connection see the whole catalog again."""
    for table in _KEYS:
        db.execute(f"DROP VIEW IF EXISTS temp.{table}")
        db.execute(f"DROP TABLE IF EXISTS temp.damaged_{table}")


def _differing(db: sqlite3.Connection, columns: Iterable[str] = COUNTS) -> dict[str, int]:
    """Return how many rows of each table are gone, by what the talks say; less than 0 where there are too many."""
    return {
        table: db.execute(
            f"SELECT (SELECT coalesce(sum({count}), 0) FROM main.talks) - (SELECT count(*) FROM main.{table})"  # noqa: S608
        ).fetchone()[0]
        for count in columns
        for table in [COUNTS[count]]
    }
