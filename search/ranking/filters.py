"""Filters: which passages they allow, and which talk a name means."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Sequence

import numpy as np

from talksearch.indexer.arrays import Ints
from talksearch.indexer.errors import QueryError
from talksearch.indexer.text import youtube
from talksearch.indexer.text.letters import folded, holds_name
from talksearch.indexer.text.untrusted import as_text
from talksearch.search.query import Filters

from .passage_table import Mask, PassageTable

_CHINESE = {"zh-tw": "zh-hant", "zh-hk": "zh-hant", "zh-mo": "zh-hant", "zh-cn": "zh-hans", "zh-sg": "zh-hans"}
"""Regions that write Chinese with one kind of characters."""

_NAMED_TALKS = 5
"""How many talks an error names of those that a name may mean."""


def allowed_passages(table: PassageTable, filters: Filters) -> Ints | None:
    """Return the numbers of the passages that pass the filters, sorted; None when every passage does.

    Raises QueryError when a talk that was named is not in the index.
    """
    conditions, values = conditions_on_talks(table.db, filters)
    if not conditions and not filters.speaker:
        return None
    mask = _in_talks_where(table, " AND ".join(conditions) or "TRUE", values)
    if filters.speaker:
        mask &= passages_by(table, filters.speaker)
    return np.sort(table.layout.numbers[mask], kind="stable")  # a stable sort is fast on what is nearly sorted


def conditions_on_talks(db: sqlite3.Connection, filters: Filters) -> tuple[list[str], list[object]]:
    """Return the conditions on rows of `talks` that filters other than the speaker mean, in SQL, and their values.

    `know_names` must have been called on the connection that they are put to. Raises QueryError when a talk that was
    named is not there.
    """
    conditions: list[str] = []
    values: list[object] = []
    if filters.talks:
        numbers = sorted({number for name in filters.talks for number in _talk_numbers(db, name)})
        conditions.append(f"number IN ({', '.join(map(str, numbers))})")
    if filters.channel:
        conditions.append("holds_name(channel, ?)")
        values.append(filters.channel)
    if filters.language:
        conditions.append("language IN (SELECT value FROM json_each(?))")
        rows = db.execute("SELECT DISTINCT language FROM talks WHERE language IS NOT NULL")
        values.append(json.dumps(languages_meant(filters.language, [language for (language,) in rows])))
    if filters.after:
        conditions.append("date >= ?")
        values.append(filters.after)
    if filters.before:
        conditions.append("date <= ?")
        values.append(filters.before)
    if filters.timing:
        conditions.append("timing = ?")
        values.append(filters.timing)
    return conditions, values


def know_names(db: sqlite3.Connection) -> None:
    """Let a connection know the SQL function `holds_name(name, text)`; its own upper and lower case know ASCII only."""
    db.create_function("holds_name", 2, lambda name, text: bool(name) and holds_name(name, text))


def allowed_talks(table: PassageTable, filters: Filters) -> frozenset[str] | None:
    """Return the ids of the talks of which a passage passes the filters; None when every talk does.

    Raises as `allowed_passages` does.
    """
    allowed = allowed_passages(table, filters)
    if allowed is None:
        return None
    talks = np.unique(table.layout.talks[table.places(allowed)])
    numbers = json.dumps(table.layout.talk_numbers[talks].tolist())
    rows = table.db.execute("SELECT id FROM talks WHERE number IN (SELECT value FROM json_each(?))", (numbers,))
    return frozenset(talk_id for (talk_id,) in rows)


def passages_by(table: PassageTable, name: str) -> Mask:
    """Return which passages somebody speaks, or gives the talk of, who is meant by a name (`holds_name`) (n,)."""
    gives_the_talk = _in_talks_where(table, "holds_name(speaker, ?)", [name])
    return gives_the_talk | table.spoken_by(name)


def _in_talks_where(table: PassageTable, condition: str, values: Sequence[object]) -> Mask:
    """Return which passages are of talks for which an SQL condition holds (n,)."""
    know_names(table.db)
    rows = table.db.execute(f"SELECT number FROM talks WHERE {condition}", values)  # noqa: S608 - values are bound
    talks = np.isin(table.layout.talk_numbers, np.fromiter((number for (number,) in rows), np.int64))
    mask: Mask = talks[table.layout.talks]
    return mask


_SEPARATOR = re.compile(r"[/\\]")
"""Between the parts of a path, whichever system wrote it: what a store says was written on another one."""


def find_talk(db: sqlite3.Connection, name: str) -> str:
    """Return the id of the one talk that a name means: its id, a YouTube URL, its transcript's path, an id's beginning.

    Raises QueryError when there is none, or more than one.
    """
    numbers = _talk_numbers(db, name)
    if len(numbers) > 1:
        ids = ", ".join(_talk_id(db, number) for number in numbers[:_NAMED_TALKS])
        end = "…" if len(numbers) > _NAMED_TALKS else "."
        raise QueryError(f"{name!r} means {len(numbers)} talks: {ids}{end}", "Write more of the id.")
    return _talk_id(db, numbers[0])


def _talk_id(db: sqlite3.Connection, number: int) -> str:
    (talk_id,) = db.execute("SELECT id FROM talks WHERE number = ?", (number,)).fetchone()
    return str(talk_id)


def _talk_numbers(db: sqlite3.Connection, name: str) -> list[int]:
    """Return the numbers of the talks that a name means. Raises QueryError when there is none."""

    def numbers_where(condition: str, *values: object) -> list[int]:
        rows = db.execute(f"SELECT number FROM talks WHERE {condition}", values)  # noqa: S608 - values are bound
        return [number for (number,) in rows]

    name = as_text(name)
    numbers = numbers_where("id = ? OR source = ? OR path = ?", name, name, name)
    video_id = youtube.find_id(name)
    if not numbers and video_id:
        numbers = numbers_where("youtube_id = ?", video_id)
    if not numbers and _SEPARATOR.search(name, 1) and not _SEPARATOR.match(name):
        # A path that begins further up than the PATH that was indexed, or further down.
        parts = [part for part in _SEPARATOR.split(name) if part not in ("", ".")]
        for separator in "/\\":
            end = separator + separator.join(parts)
            numbers = numbers or numbers_where("substr(path, -length(?)) = ?", end, end)
    if not numbers and name:
        numbers = numbers_where("substr(id, 1, ?) = ?", len(name), name)
    if not numbers and folded(name):  # as it is typed without its accents, or copied from another system
        wanted = folded(name)
        rows = db.execute("SELECT number, id, source, path FROM talks").fetchall()
        numbers = [number for number, *names in rows if wanted in map(folded, names)]
        numbers = numbers or [number for number, talk_id, *_ in rows if folded(talk_id).startswith(wanted)]
    if not numbers:
        raise QueryError(f"There is no talk {name!r} in the index.", "List them: talksearch talks")
    return numbers


def languages_meant(wanted: str, tags: Iterable[str]) -> list[str]:
    """Return those of some languages that a tag or a name takes in: `zh` takes in `zh-Hant`, `german` is `de`."""
    from talksearch.indexer.talks import language_tags  # imported late, because it takes time to load

    def spellings(tag: str) -> set[str]:
        """Return how a tag may be written: as it stands, with the code in use, and by its kind of Chinese."""
        small = tag.lower().replace("_", "-")
        code, dash, rest = small.partition("-")
        known = {small, f"{(language_tags.language_of(code) or code).lower()}{dash}{rest}"}
        return known | {_CHINESE[one] for one in known if one in _CHINESE}

    is_tag = re.fullmatch("[a-z]{2,3}([-_].*)?", wanted.lower())
    meant = spellings(wanted if is_tag else language_tags.language_named(wanted) or wanted)
    return [
        tag
        for tag in tags
        if any(one == other or one.startswith(f"{other}-") for one in spellings(tag) for other in meant)
    ]
