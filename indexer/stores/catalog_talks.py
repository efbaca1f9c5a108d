"""The talks in the catalog, and their cues: read back as they were put."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from talksearch.indexer.records import Chapter, Cue, Origin, Receipt, Step, Talk, Timing, Word

from . import seals, soundness

_NO_LIMIT = 2**62
"""Higher than the number of any cue."""


class TalkRow(NamedTuple):
    """A row of `talks` without its number and its path: the fields of a `Talk` under their names, without its cues."""

    id: str
    source: str
    title: str
    format: str
    timing: Timing
    margin_ms: int
    origin: Origin
    youtube_id: str | None
    url: str | None
    channel: str | None
    speaker: str | None
    language: str | None
    date: str | None
    duration_ms: int | None
    description: str
    chapters: str
    """JSON: [milliseconds, title] of each."""
    receipt: str
    """JSON."""


class TalkSize(NamedTuple):
    """How much is said in a talk."""

    passages: int
    end_ms: int
    """When the last passage ends."""


LENGTH_MS = "coalesce(t.duration_ms, (SELECT end_ms FROM cues WHERE talk = t.number ORDER BY number DESC LIMIT 1), 0)"
"""How long the talk `t` is, in SQL, as `Talk.length_ms` says it. It looks at one cue, so it is quick."""
FACTS = f"id, title, channel, speaker, date, language, timing, {LENGTH_MS}"
"""What is told of the talk `t` in lists, in SQL."""

_SELECT_TALKS = f"SELECT {', '.join(TalkRow._fields)} FROM talks"  # noqa: S608 - our own names


def talk_number(db: sqlite3.Connection, talk_id: str) -> int | None:
    """Return the number of a talk; None where there is no such talk."""
    row = db.execute("SELECT number FROM talks WHERE id = ?", (talk_id,)).fetchone()
    return int(row[0]) if row else None


def talk_paths(db: sqlite3.Connection) -> dict[str, str]:
    """Return the path of the transcript behind each talk, by talk id."""
    return dict(db.execute("SELECT id, path FROM talks"))


def read_talk(
    db: sqlite3.Connection, talk_id: str, *, cues: bool = True, words: bool = True, sealed: bool = True
) -> Talk | None:
    """Return a talk as it was put, without its cues, or the times of their words, where these are not needed.

    `sealed` is False for a catalog of a format that has no seals. Raises DamagedStoreError where a row that is read
    does not hold, or one is gone.
    """
    if sealed:
        soundness.check_talk(db, talk_id, seals.COUNTS.values() if cues else ())
    row = db.execute(f"{_SELECT_TALKS} WHERE id = ?", (talk_id,)).fetchone()
    return _talk(TalkRow(*row), read_cues(db, talk_id, words=words) if cues else ()) if row else None


def read_talks(db: sqlite3.Connection) -> Iterator[Talk]:
    """Yield every talk whose row holds, without its cues, by title; `soundness.note` tells of the others."""
    rows = db.execute(f"{_SELECT_TALKS} WHERE {seals.holds_sql('talks')} ORDER BY title, id").fetchall()
    return (_talk(TalkRow(*row), ()) for row in rows)


def talk_sizes(db: sqlite3.Connection) -> dict[str, TalkSize]:
    """Return how much is said in each talk, by talk id."""
    rows = db.execute(
        "SELECT t.id, count(*), max(p.end_ms) FROM passages p JOIN talks t ON t.number = p.talk"
        " WHERE p.field = 'speech' GROUP BY t.id"
    )
    return {talk_id: TalkSize(passages, end_ms) for talk_id, passages, end_ms in rows}


def talk_lengths(db: sqlite3.Connection, talk_ids: Sequence[str]) -> dict[str, int]:
    """Return how long some talks are in milliseconds, by talk id."""
    rows = db.execute(
        f"SELECT id, {LENGTH_MS} FROM talks t WHERE id IN (SELECT value FROM json_each(?))",  # noqa: S608 - our own names
        (json.dumps(list(talk_ids)),),
    )
    return dict(rows)


def read_cues(
    db: sqlite3.Connection, talk_id: str, first: int = 0, last: int | None = None, *, words: bool = True
) -> tuple[Cue, ...]:
    """Return cues of a talk.

    Args:
        db: the catalog.
        talk_id: the talk; one that is not there has no cues.
        first: the number of the first cue, counted from 0.
        last: the number of the last cue, which is included; None for the talk's end.
        words: whether the times of their words are read, which takes most of the time.
    """
    rows = db.execute(
        f"SELECT start_ms, end_ms, text, speaker, turn, {'words' if words else 'NULL'} FROM cues"  # noqa: S608 - our own
        " WHERE talk = (SELECT number FROM talks WHERE id = ?) AND number BETWEEN ? AND ? ORDER BY number",
        (talk_id, first, _NO_LIMIT if last is None else last),
    )
    return tuple(
        Cue(
            start_ms,
            end_ms,
            text,
            speaker,
            bool(turn),
            tuple(Word(*word) for word in json.loads(timed)) if timed else (),
        )
        for start_ms, end_ms, text, speaker, turn, timed in rows
    )


def _talk(row: TalkRow, cues: tuple[Cue, ...]) -> Talk:
    receipt = json.loads(row.receipt)
    return Talk(
        id=row.id,
        source=row.source,
        title=row.title,
        cues=cues,
        format=row.format,
        timing=row.timing,
        margin_ms=row.margin_ms,
        origin=row.origin,
        youtube_id=row.youtube_id,
        url=row.url,
        channel=row.channel,
        speaker=row.speaker,
        language=row.language,
        date=row.date,
        duration_ms=row.duration_ms,
        description=row.description,
        chapters=tuple(Chapter(start_ms, title) for start_ms, title in json.loads(row.chapters)),
        receipt=Receipt(  # one of format 4 lacks some of the counts
            **{
                **receipt,
                "steps": tuple(Step(**step) for step in receipt["steps"]),
                "uncertain": tuple(receipt["uncertain"]),
            }
        ),
    )
