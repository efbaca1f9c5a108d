"""Seals: a checksum in every row of the catalog, so that a row that changed by itself is noticed.

SQLite notices a damaged page where its structure is hurt, and not where a bit of a text or a number flips, or where
another program changed or deleted a row. So each row holds the CRC-32 of its values, and each talk holds how many rows
of the other tables are its own. A row that belongs to a talk is sealed together with the id of the talk, so that it
does not hold as another talk's.
"""

from __future__ import annotations

import sqlite3
from zlib import crc32

Value = str | bytes | int | None
"""What SQLite keeps in a column of the catalog."""

SEALED: dict[str, tuple[str, ...]] = {
    "talks": (
        "number", "path", "id", "source", "title", "format", "timing", "margin_ms", "origin", "youtube_id", "url",
        "channel", "speaker", "language", "date", "duration_ms", "description", "chapters", "receipt", "cue_count",
        "track_count", "track_cue_count", "passage_count", "heard_count", "odd_count",
    ),
    "cues": ("talk", "number", "start_ms", "end_ms", "text", "speaker", "turn", "words"),
    "tracks": ("talk", "number", "language", "origin", "source"),
    "track_cues": ("talk", "track", "number", "start_ms", "end_ms", "text"),
    "passages": (
        "talk", "number", "id", "start_ms", "end_ms", "first_cue", "last_cue", "text", "speakers", "digest", "field",
    ),
    "tokens": ("number", "codes"),
    "heard": ("talk", "heard", "meant", "strange"),
    "odd": ("talk", "sound", "word", "term", "strange"),
    "files": ("path", "source", "stamp", "digest", "identity", "talk_id", "note"),
    "roots": ("path",),
    "recipe": ("text",),
}  # fmt: skip
"""The sealed tables, and which of their columns are sealed, in order. In the place of `talk`, the number of the talk
that a row belongs to, stands the id of that talk. `passages.embedded` is not sealed, because it changes."""

COUNTS = {
    "cue_count": "cues",
    "track_count": "tracks",
    "track_cue_count": "track_cues",
    "passage_count": "passages",
    "heard_count": "heard",
    "odd_count": "odd",
}
"""The columns of `talks` that say how many rows of other tables belong to a talk, and which tables these are."""

_NULL = b"\xff"
"""What stands for NULL: no text and no number is written so."""


def seal(*values: Value) -> int:
    """Return the seal of values: the CRC-32 (zlib) of their bytes with a zero byte between, from 0 to 2^32 - 1.

    Text is taken in UTF-8 and a number in decimal digits, as SQLite casts both to BLOB.

    >>> seal("a", 1, None) == seal(b"a", b"1", None) != seal("a", 1, "")
    True
    """
    return crc32(b"\0".join(map(_as_bytes, values)))


def holds(sealed: int, *values: Value) -> bool:
    """Say whether the values of a row are those that it was sealed with, given in the order of `SEALED`.

    In the place of `talk` stands the id of the talk.
    """
    return sealed == seal(*values)


def register(db: sqlite3.Connection) -> None:
    """Let a connection know the SQL function `seal_of`, with which the statements of `seal_sql` are made."""
    db.create_function("seal_of", -1, seal, deterministic=True)


def seal_sql(table: str, alias: str = "") -> str:
    """Return the SQL expression of the seal that a row of a table should have.

    Args:
        table: One of `SEALED`.
        alias: What the statement calls it; by default its own name.
    """
    row = alias or table
    columns = [
        f"(SELECT id FROM talks WHERE number = {row}.talk)" if column == "talk" else f"{row}.{column}"  # noqa: S608
        for column in SEALED[table]
    ]
    # As bytes: damaged text may be no UTF-8.
    return f"seal_of({', '.join(f'CAST({column} AS BLOB)' for column in columns)})"


def holds_sql(table: str, alias: str = "") -> str:
    """Return the SQL condition that a row of a table holds; arguments as for `seal_sql`."""
    return f"{alias or table}.seal = {seal_sql(table, alias)}"


def seal_talk(db: sqlite3.Connection, talk: int) -> None:
    """Count the rows that belong to the talk with a number, and seal its row.

    Call it at the end of the `catalog.transaction` that changed any of them.
    """
    counts = ", ".join(
        f"{column} = (SELECT count(*) FROM {table} WHERE talk = talks.number)"  # noqa: S608 - our own names
        for column, table in COUNTS.items()
    )
    db.execute(f"UPDATE talks SET {counts} WHERE number = ?", (talk,))  # noqa: S608
    db.execute(f"UPDATE talks SET seal = {seal_sql('talks')} WHERE number = ?", (talk,))  # noqa: S608


def seal_all(db: sqlite3.Connection) -> None:
    """Count and seal all rows as they are now. Call it inside a `catalog.transaction`."""
    for (talk,) in db.execute("SELECT number FROM talks").fetchall():
        seal_talk(db, talk)
    for table in SEALED:
        if table != "talks":
            db.execute(f"UPDATE {table} SET seal = {seal_sql(table)}")  # noqa: S608 - our own names


def _as_bytes(value: Value) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, int):
        return b"%d" % value
    return _NULL if value is None else value
