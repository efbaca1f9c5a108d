"""Moments of talks: TALK@SECONDS, what is said between two of them."""

from __future__ import annotations

import re
import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import click

from talksearch.cli.terminal import clock
from talksearch.indexer.errors import QueryError, TalksearchError
from talksearch.indexer.records import Cue, Talk

LATEST_S = 1e9
"""Seconds behind which no talk says anything: 32 years. What is asked for later stands for this moment."""


def moment(name: str) -> tuple[str, int | None]:
    """Split `TALK@SECONDS`, or a YouTube URL with a time in it, into what names the talk and milliseconds.

    >>> moment("DTcRLlMv4_o@754.5"), moment("talk@1:02:03"), moment("https://youtu.be/DTcRLlMv4_o?t=90"), moment("a@b")
    (('DTcRLlMv4_o', 754500), ('talk', 3723000), ('https://youtu.be/DTcRLlMv4_o?t=90', 90000), ('a@b', None))
    """
    found = re.fullmatch(r"(.+)@((?:\d+:){0,2}\d+(?:\.\d+)?)s?", name)
    if found:
        seconds = 0.0
        for part in found[2].split(":"):
            seconds = seconds * 60 + float(part)
        return found[1], _milliseconds(seconds)
    found = re.search(r"[?&#](?:t|start|time_continue)=(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?(?:&|#|$)", name)
    if found and any(found.groups()) and "://" in name:
        hours, minutes, seconds = (float(part or 0) for part in found.groups())
        return name, _milliseconds((hours * 60 + minutes) * 60 + seconds)
    return name, None


def _milliseconds(seconds: float) -> int:
    return round(min(seconds, LATEST_S) * 1000)


def passage_end(db: sqlite3.Connection, talk_id: str, at_ms: int) -> int | None:
    """Return when the passage ends that is said at a moment, in milliseconds; None where nothing is said from there on.

    Of passages that overlap the one counts that begins last.
    """
    row = db.execute(
        "SELECT max(p.end_ms, ?) FROM passages p JOIN talks t ON t.number = p.talk"
        " WHERE t.id = ? AND p.end_ms > ? AND p.field = 'speech' ORDER BY p.start_ms <= ? DESC,"
        " abs(p.start_ms - ?) LIMIT 1",
        (at_ms + 1, talk_id, at_ms, at_ms, at_ms),
    ).fetchone()
    return None if row is None else int(row[0])


def cues_between(cues: Sequence[Cue], from_ms: int, to_ms: int | None) -> range:
    """Return the positions of the cues that are said between two moments; where none is, an empty range at the next.

    A cue that begins at the first moment is the first of them, also where another still goes on.

    >>> cues = [Cue(0, 900, "a"), Cue(1000, 1900, "b"), Cue(2000, 2900, "c")]
    >>> [list(cues_between(cues, *span)) for span in ((850, 2000), (950, 2000), (2100, None), (2100, 2100))]
    [[0, 1], [1], [2], [2]]
    >>> cues_between(cues, 920, 980), cues_between(cues, 9000, None)
    (range(1, 1), range(3, 3))
    """
    starts = [cue.start_ms for cue in cues]
    first = bisect_left(starts, from_ms)
    last = len(cues) if to_ms is None else bisect_left(starts, to_ms)
    begun = bisect_right(starts, from_ms)
    if first < begun:
        return range(first, max(begun, last))
    while first and cues[first - 1].end_ms > from_ms:
        first -= 1
    if first < last:
        return range(first, last)
    around = [at for at, cue in enumerate(cues[:first]) if cue.end_ms > from_ms]  # with shorter ones inside
    return range(around[-1], around[-1] + 1) if around else range(first, first)


def talk_and_moment(db: sqlite3.Connection, name: str) -> tuple[Talk, int | None]:
    """Return the talk with its cues, and the milliseconds that a name holds (`find_moment`).

    Raises QueryError when the name means no talk, or several.
    """
    from talksearch.indexer.stores import catalog

    talk_id, at_ms = find_moment(db, name)
    found = catalog.read_talk(db, talk_id)
    assert found is not None
    return found, at_ms


def find_moment(db: sqlite3.Connection, name: str) -> tuple[str, int | None]:
    """Return a talk's id, and the milliseconds behind `@` or in a URL; a talk's own name may hold an `@`.

    Raises QueryError when the name means no talk, or several, or a moment after the talk's last words.
    """
    pass
    from talksearch.search.ranking.filters import find_talk

    plain, at_ms = moment(name)
    try:
        talk_id = find_talk(db, name)
        at_ms = at_ms if plain == name else None
    except TalksearchError:
        if plain == name:
            raise
        talk_id = find_talk(db, plain)
    if at_ms is not None:
        last = "SELECT max(start_ms), max(end_ms) FROM cues WHERE talk = (SELECT number FROM talks WHERE id = ?)"
        _must_not_be_past(talk_id, at_ms, *db.execute(last, (talk_id,)).fetchone())
    return talk_id, at_ms


def cue_range(talk: Talk, from_ms: int | None, to_ms: int | None) -> tuple[range, str]:
    """Return which cues of a talk are said from one moment to another, and a sentence where there are none.

    None stands for the talk's beginning and its end. Raises click.UsageError where the end comes before the beginning,
    and QueryError where the beginning comes after the talk's last words.
    """
    pass

    if from_ms is not None and to_ms is not None and to_ms < from_ms:
        raise click.UsageError(f"A stretch cannot end at {to_ms / 1000:g} s that begins at {from_ms / 1000:g} s.")
    if from_ms is not None and talk.cues:
        ends = max(cue.end_ms for cue in talk.cues)
        _must_not_be_past(talk.id, from_ms, talk.cues[-1].start_ms, ends)
    part = cues_between(talk.cues, from_ms or 0, to_ms)
    if part or (from_ms is None and to_ms is None):
        return part, ""
    following = talk.cues[part.start : part.start + 1]
    then = f" The next words begin at {clock(following[0].start_ms)}." if following else ""
    return part, f"Nothing is said in that stretch of the talk {talk.id}.{then}"


def _must_not_be_past(talk_id: str, at_ms: int, last_start_ms: int | None, end_ms: int | None) -> None:
    if end_ms is not None and last_start_ms is not None and at_ms >= end_ms and at_ms > last_start_ms:
        raise QueryError(
            f"The last words of the talk {talk_id} end at {clock(end_ms)}, which is {end_ms / 1000:g} s.",
            "Name an earlier second, or read the talk: talksearch show TALK",
        )
