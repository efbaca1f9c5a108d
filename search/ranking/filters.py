"""Which passages the filters allow, and finding passages by words within them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import numpy as np

from talksearch.indexer.arrays import Ints
from talksearch.indexer.errors import QueryError
from talksearch.indexer.text import youtube
from talksearch.search.query import Filters, as_text

from .passage_table import Mask, PassageTable


def allowed(table: PassageTable, filters: Filters) -> Ints | None:
    """Return the numbers of the passages that pass the filters, sorted; None when every passage does.

    Raises QueryError when a talk that was named is not in the index.
    """
    conditions: list[str] = []
    values: list[object] = []
    if filters.talks:
        numbers = sorted({number for name in filters.talks for number in _talk_numbers(table.db, name)})
        conditions.append(f"number IN ({', '.join(map(str, numbers))})")
    if filters.channel:
        conditions.append("casefold(channel) LIKE ? ESCAPE '\\'")
        values.append(_contains(filters.channel))
    if filters.language:
        conditions.append("(lower(language) = ? OR lower(language) LIKE ? ESCAPE '\\')")
        tag = filters.language.lower().replace("_", "-")
        values += [tag, tag.replace("\\", "").replace("%", "") + "-%"]
    if filters.after:
        conditions.append("date >= ?")
        values.append(filters.after)
    if filters.before:
        conditions.append("date <= ?")
        values.append(filters.before)
    if not conditions and not filters.speaker:
        return None
    inside = _of_talks(table, " AND ".join(conditions) or "TRUE", values)
    if filters.speaker:
        speaker = "casefold(speaker) LIKE ? ESCAPE '\\'"
        inside &= _of_talks(table, speaker, [_contains(filters.speaker)]) | table.spoken_by(filters.speaker)
    return np.sort(table.layout.numbers[inside], kind="stable")  # nearly in order


def _of_talks(table: PassageTable, condition: str, values: Sequence[object]) -> Mask:
    """Return which passages are of talks for which an SQL condition holds (n,)."""
    # SQLite's own upper and lower case end with ASCII.
    table.db.create_function("casefold", 1, lambda text: text.casefold() if text else text, deterministic=True)
    rows = table.db.execute(f"SELECT number FROM talks WHERE {condition}", values)  # noqa: S608 - values are bound
    talks = np.isin(table.layout.talk_numbers, np.fromiter((row[0] for row in rows), np.int64))
    found: Mask = talks[table.layout.talks]
    return found


def find_talk(db: sqlite3.Connection, name: str) -> str:
    """Return the id of the one talk that a name means: its id, a YouTube URL, its transcript's path, an id's beginning.

    Raises QueryError when there is none, or more than one.
    """
    numbers = _talk_numbers(db, name)
    if len(numbers) > 1:
        ids = [db.execute("SELECT id FROM talks WHERE number = ?", (number,)).fetchone()[0] for number in numbers[:5]]
        raise QueryError(f"{name!r} means {len(numbers)} talks: {', '.join(ids)}…", "Write more of the id.")
    return str(db.execute("SELECT id FROM talks WHERE number = ?", (numbers[0],)).fetchone()[0])


def _talk_numbers(db: sqlite3.Connection, name: str) -> list[int]:
    name = as_text(name)
    exact = "SELECT number FROM talks WHERE id = ? OR source = ? OR path = ?"
    numbers = [row[0] for row in db.execute(exact, (name, name, name))]
    video = youtube.find_id(name)
    if not numbers and video:
        numbers = [row[0] for row in db.execute("SELECT number FROM talks WHERE youtube_id = ?", (video,))]
    if not numbers and name:
        numbers = [
            row[0] for row in db.execute("SELECT number FROM talks WHERE substr(id, 1, ?) = ?", (len(name), name))
        ]
    if not numbers:
        raise QueryError(f"There is no talk {name!r} in the index.", "List them: talksearch talks")
    return numbers


def _contains(text: str) -> str:
    escaped = text.casefold().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
