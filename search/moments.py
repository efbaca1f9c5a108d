"""Moments of talks: what TALK@SECONDS names, and what is said between two moments."""

from __future__ import annotations

import re
import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from talksearch.indexer.errors import QueryError, UsageError
from talksearch.indexer.records import Cue, Talk
from talksearch.indexer.stores import catalog_talks
from talksearch.indexer.text.clock import seconds_in, show_clock

from . import links
from .options import LATEST_S
from .ranking.filters import find_talk

_AT_SECONDS = re.compile(r"(.+)@((?:\d+:){0,2}\d+(?:\.\d+)?)s?")

_PASSAGE_END = (
    "SELECT max(p.end_ms, ?) FROM passages p JOIN talks t ON t.number = p.talk"
    " WHERE t.id = ? AND p.end_ms > ? AND p.field = 'speech' ORDER BY p.start_ms <= ? DESC,"
    " abs(p.start_ms - ?) LIMIT 1"
)
_LAST_WORDS = "SELECT max(start_ms), max(end_ms) FROM cues WHERE talk = (SELECT number FROM talks WHERE id = ?)"

_PASSAGE_AT = (
    "SELECT p.number, p.text, p.start_ms, p.end_ms, t.title FROM passages p JOIN talks t ON t.number = p.talk"
    " WHERE t.id = ? AND p.field = 'speech' AND p.end_ms > ?"
    " ORDER BY abs((p.start_ms + p.end_ms) / 2 - ?), p.number LIMIT 1"
)
"""Reads a `SpokenPassage`."""


class SpokenPassage(NamedTuple):
    """A passage that is said in a talk, as the catalog holds it."""

    number: int
    text: str
    start_ms: int
    end_ms: int
    title: str
    """The talk's."""


def split_moment(name: str) -> tuple[str, int | None]:
    """Split `TALK@SECONDS`, or an address with a time in it (`links`), into what names the talk and milliseconds.

    >>> split_moment("DTcRLlMv4_o@754.5"), split_moment("talk@1:02:03"), split_moment("a@b")
    (('DTcRLlMv4_o', 754500), ('talk', 3723000), ('a@b', None))
    >>> split_moment("https://youtu.be/DTcRLlMv4_o?t=90")
    ('https://youtu.be/DTcRLlMv4_o?t=90', 90000)
    """
    if match := _AT_SECONDS.fullmatch(name):
        hours, minutes, seconds = [0.0, 0.0, *map(float, match[2].split(":"))][-3:]
        return match[1], _milliseconds(seconds_in(hours, minutes, seconds))
    opens_at = links.seconds_of(name) if "://" in name else None
    return name, None if opens_at is None else _milliseconds(opens_at)


def _milliseconds(seconds: float) -> int:
    return round(min(seconds, LATEST_S) * 1000)


def find_moment(db: sqlite3.Connection, name: str) -> tuple[str, int | None]:
    """Return a talk's id, and the milliseconds behind `@` or in a URL; a talk's own name may hold an `@`.

    Raises QueryError when the name means no talk, or several, or a moment after the talk's last words.
    """
    name_without, moment_ms = split_moment(name)
    try:
        talk_id = find_talk(db, name)
        moment_ms = moment_ms if name_without == name else None
    except QueryError:
        if name_without == name:
            raise
        talk_id = find_talk(db, name_without)
    if moment_ms is not None:
        last_start_ms, end_ms = db.execute(_LAST_WORDS, (talk_id,)).fetchone()
        _require_before_the_end(talk_id, moment_ms, last_start_ms, end_ms)
    return talk_id, moment_ms


def require_moment(db: sqlite3.Connection, name: str) -> tuple[str, int]:
    """Return what `find_moment` returns. Raises UsageError where the name holds no seconds."""
    talk_id, moment_ms = find_moment(db, name)
    if moment_ms is None:
        raise UsageError("Say which moment: TALK@SECONDS, such as DTcRLlMv4_o@777.")
    return talk_id, moment_ms


def talk_and_moment(db: sqlite3.Connection, name: str) -> tuple[Talk, int | None]:
    """Return the talk with its cues, and the milliseconds that a name holds (`find_moment`).

    Raises QueryError when the name means no talk, or several, or a moment after the talk's last words.
    """
    talk_id, moment_ms = find_moment(db, name)
    talk = catalog_talks.read_talk(db, talk_id)
    assert talk is not None
    return talk, moment_ms


def passage_end(db: sqlite3.Connection, talk_id: str, moment_ms: int) -> int | None:
    """Return when the passage ends that is said at a moment, in milliseconds; None where nothing is said from there on.

    Of passages that overlap, the one that begins last counts.
    """
    row = db.execute(_PASSAGE_END, (moment_ms + 1, talk_id, moment_ms, moment_ms, moment_ms)).fetchone()
    if row is None:
        return None
    (end_ms,) = row
    return int(end_ms)


def cues_between(cues: Sequence[Cue], from_ms: int, to_ms: int | None) -> range:
    """Return the positions of the cues that are said between two moments; where none is, an empty range at the next.

    A cue that begins at the first moment is the first of them, also where another still goes on.

    >>> cues = [Cue(0, 900, "a"), Cue(1000, 1900, "b"), Cue(2000, 2900, "c")]
    >>> [list(cues_between(cues, *span)) for span in ((850, 2000), (950, 2000), (2100, None), (2100, 2100))]
    [[0, 1], [1], [2], [2]]
    >>> cues_between(cues, 920, 980), cues_between(cues, 9000, None)
    (range(1, 1), range(3, 3))
    """
    starts_ms = [cue.start_ms for cue in cues]
    first = bisect_left(starts_ms, from_ms)
    stop = len(cues) if to_ms is None else bisect_left(starts_ms, to_ms)
    stop_of_those_begun = bisect_right(starts_ms, from_ms)
    if first < stop_of_those_begun:
        return range(first, max(stop_of_those_begun, stop))
    while first and cues[first - 1].end_ms > from_ms:
        first -= 1
    if first < stop:
        return range(first, stop)
    # A long cue may go on over shorter ones that have ended.
    going_on = [position for position, cue in enumerate(cues[:first]) if cue.end_ms > from_ms]
    return range(going_on[-1], going_on[-1] + 1) if going_on else range(first, first)


def cue_range(talk: Talk, from_ms: int | None, to_ms: int | None) -> tuple[range, str]:
    """Return which cues of a talk are said from one moment to another, and a sentence where there are none.

    None stands for the talk's beginning and its end. Raises UsageError where the end comes before the beginning, and
    QueryError where the beginning comes after the talk's last words.
    """
    if from_ms is not None and to_ms is not None and to_ms < from_ms:
        raise UsageError(f"A stretch cannot end at {to_ms / 1000:g} s that begins at {from_ms / 1000:g} s.")
    if from_ms is not None and talk.cues:
        end_ms = max(cue.end_ms for cue in talk.cues)
        _require_before_the_end(talk.id, from_ms, talk.cues[-1].start_ms, end_ms)
    positions = cues_between(talk.cues, from_ms or 0, to_ms)
    if positions or (from_ms is None and to_ms is None):
        return positions, ""
    following = talk.cues[positions.start : positions.start + 1]
    next_words = f" The next words begin at {show_clock(following[0].start_ms)}." if following else ""
    return positions, f"Nothing is said in that stretch of the talk {talk.id}.{next_words}"


def _require_before_the_end(talk_id: str, moment_ms: int, last_start_ms: int | None, end_ms: int | None) -> None:
    """Raise QueryError where a moment comes after the last words of a talk; both times are None where it has none."""
    if end_ms is not None and last_start_ms is not None and moment_ms >= end_ms and moment_ms > last_start_ms:
        raise QueryError(
            f"The last words of the talk {talk_id} end at {show_clock(end_ms)}, which is {end_ms / 1000:g} s.",
            "Name an earlier second, or read the talk: talksearch show TALK",
        )


def passage_at(db: sqlite3.Connection, talk_id: str, at_ms: int) -> SpokenPassage:
    """Return the passage that is said in a talk at a time, or next after it. Raises QueryError where there is none."""
    row = db.execute(_PASSAGE_AT, (talk_id, at_ms, at_ms)).fetchone()
    if row is None:
        raise QueryError(f"The talk {talk_id} says nothing at {at_ms // 1000} s.", f"See: talksearch show {talk_id}")
    return SpokenPassage._make(row)
