"""How fast words would have to be said: what shows that the times of cues say nothing, or count another unit.

Units are those of `cue_times.count_units`: words, or about as much of a script without spaces.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

FASTEST = 15.0
"""Units a second. Auctioneers reach about 6; above this the words and the time do not belong together."""
_STRETCH = 50
"""Units that are looked at together: a single cue of a few words may be short by a rounding."""
_FEWEST = 20
"""Units; fewer tell nothing about how fast they are said."""
_SAID_MS = (150, 1_000)
"""A unit of speech takes between so many milliseconds, pauses and all: 400 and 60 a minute."""
A_DAY_MS = 24 * 3_600_000
"""No talk lasts so long."""


class Span(NamedTuple):
    """A cue as far as its pace goes: its times in milliseconds, and how much is said in it."""

    start_ms: int
    end_ms: int
    units: int


def says_nothing(spans: Sequence[Span], fastest: float = FASTEST) -> bool:
    """Say whether most units stand in stretches of the file too short for them.

    Args:
        spans: the cues in order, each with what is new in it.
        fastest: units a second that nobody reaches.

    >>> says_nothing([Span(20 * i, 20 * i + 20, 8) for i in range(100)])
    True
    >>> says_nothing([Span(3_000 * i, 3_000 * i + 20, 8) for i in range(100)])
    False
    """
    total = sum(span.units for span in spans)
    if total < _FEWEST:
        return False
    crammed = units = 0
    first = 0
    last = len(spans) - 1
    for i, span in enumerate(spans):
        units += span.units
        if units < _STRETCH and i < last:
            continue
        # Where a stretch ends does the next begin; behind the last there is only its own end.
        until = spans[i + 1].start_ms if i < last else max(cue.end_ms for cue in spans[first:])
        if units * 1000 > fastest * max(until - spans[first].start_ms, 0):
            crammed += units
        first, units = i + 1, 0
    return crammed * 2 > total


def are_thousandths(spans: Sequence[Span]) -> bool:
    """Say whether times are a thousandth of what they should be, seconds written as milliseconds.

    Nobody says so much in so little time, and a thousand times as long is what it takes.
    """
    total = sum(span.units for span in spans)
    if total < _FEWEST:
        return False
    length_ms = max(span.end_ms for span in spans) - spans[0].start_ms
    return total * 1000 > FASTEST * length_ms and _SAID_MS[0] <= length_ms * 1000 / total <= _SAID_MS[1]


def are_thousandfold(spans: Sequence[Span]) -> bool:
    """Say whether times are a thousand times what they should be, milliseconds written as seconds.

    They last for days, in whole seconds, and each cue so long that a thousandth is what its words take. Titles of
    chapters stand for minutes too, but for no days.
    """
    if max((span.end_ms for span in spans), default=0) < A_DAY_MS:
        return False
    if any(span.start_ms % 1000 or span.end_ms % 1000 for span in spans):
        return False
    paces = [(span.end_ms - span.start_ms) / span.units for span in spans if span.units and span.end_ms > span.start_ms]
    return (
        sum(span.units for span in spans) >= _FEWEST
        and bool(paces)
        and (_SAID_MS[0] <= median(paces) / 1000 <= _SAID_MS[1])
    )
