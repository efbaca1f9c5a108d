"""Times as JSON holds them: numbers of some unit, clocks, ISO 8601, spans in one text; and which unit is meant."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from statistics import median
from typing import Any, TypeGuard

from talksearch.indexer.text.clock import parse_clock

LONGEST_SPAN_MS = 100 * 3_600_000
_LONGEST = 40
"""Characters of a time that is written as text."""
_LONGEST_ADDRESS = 500
_NUMBER = re.compile(r"-?\d{1,18}(?:\.\d{1,18})?")
_WITH_UNIT = re.compile(
    r"(?:(\d{1,3})\s*h(?:ours?|r)?\s*)?(?:(\d{1,4})\s*m(?:in(?:utes?)?)?\s*)?(?:(\d{1,7}(?:\.\d{1,9})?)\s*s(?:ec(?:onds?)?)?)?"
)
_MILLISECONDS = re.compile(r"(\d{1,12}(?:\.\d+)?)\s*ms(?:ecs?)?")
_ISO = re.compile(r"P(?:0D)?T(?:(\d{1,3})H)?(?:(\d{1,5})M)?(?:(\d{1,7}(?:\.\d{1,9})?)S)?")
_FRAME_CLOCK = re.compile(r"(\d{1,2}:\d{2}:\d{2})[:;](\d{2})")
_SPAN = re.compile(
    r"\s*(?:\S*[#?&]t=|t=)?(?:npt:)?\[?([\d:.,hms]+)\]?\s*(?:-->|-|–|—|→|,|\bto\b|/)\s*\[?([\d:.,hms]+)\]?\s*"
)
_PARTS_MS = {
    "hours": 3_600_000.0,
    "minutes": 60_000.0,
    "seconds": 1000.0,
    "milliseconds": 1.0,
    "millis": 1.0,
    "nanos": 1e-6,
    "nanoseconds": 1e-6,
}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}")
_FRAME_MS = 40
"""A frame of a clock that counts them, where nothing says the rate: 25 a second."""

_FASTEST_MS = 66
_SLOWEST_MS = 15_000
"""Milliseconds that a word takes where its unit is the right one, with the pauses behind it."""
_USUAL_MS = 350
_SURE_MS = 120
"""The same where few seconds would be left of the whole, which a list of chapters in seconds looks like."""
_SHORT_MS = 10_000
_MOST_IN_SECONDS = 66
"""Seconds a word that are still taken for seconds; above that nobody waits."""
_EPOCH_MS = 3e11
"""From here on milliseconds count from 1970, and the same in other units: 1979."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A time as it stands there."""

    number: float
    unit: float | None = None
    """Milliseconds in one of them; None where the value does not say."""
    of_a_day: bool = False
    """It says when that was, not where in the recording; `number` counts from 1970."""


def moment_of(value: object) -> Moment | None:
    """Read a time; None for what is none.

    >>> moment_of(1.5), moment_of("PT1M2.5S"), moment_of("0:01:02,5")
    (Moment(number=1.5, unit=None, of_a_day=False), Moment(number=62500.0, unit=1.0, of_a_day=False), \
Moment(number=62500, unit=1.0, of_a_day=False))
    >>> moment_of("1m 4s"), moment_of("soon"), moment_of(True), moment_of(float("nan"))
    (Moment(number=64000.0, unit=1.0, of_a_day=False), None, None, None)
    """
    if isinstance(value, (int, float)):
        if isinstance(value, bool) or not abs(value) < 1e19:  # also for NaN, and for what no float holds
            return None
        return Moment(value)
    if is_time_in_parts(value):
        parts = [(moment_of(part), _PARTS_MS[key]) for key, part in value.items()]
        return (
            Moment(sum(part.number * ms for part, ms in parts if part), 1.0) if all(part for part, _ in parts) else None
        )
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST:
        return None
    text = value.strip()
    if _NUMBER.fullmatch(text):
        return moment_of(float(text))
    if _DAY.match(text):
        return _of_a_day(text)
    if ":" in text:
        frames = _FRAME_CLOCK.fullmatch(text)
        whole = parse_clock(frames[1] if frames else text)
        return None if whole is None else Moment(whole + (int(frames[2]) * _FRAME_MS if frames else 0), 1.0)
    if match := _MILLISECONDS.fullmatch(text):
        return Moment(float(match[1]), 1.0)
    match = _ISO.fullmatch(text) or _WITH_UNIT.fullmatch(text)
    if not match or not any(match.groups()):
        return None
    hours, minutes, seconds_of = (float(part or 0) for part in match.groups())
    return Moment(((hours * 60 + minutes) * 60 + seconds_of) * 1000, 1.0)


def is_time_in_parts(value: object) -> TypeGuard[dict[str, Any]]:
    """Say whether an object is one time, as protobuf's `seconds` and `nanos`, or hours, minutes and seconds."""
    return isinstance(value, dict) and "seconds" in value and value.keys() <= _PARTS_MS.keys()


def _of_a_day(text: str) -> Moment | None:
    try:
        when = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    except ValueError:
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return Moment(when.timestamp() * 1000, 1.0, of_a_day=True)


def unit_since_1970(numbers: Sequence[float]) -> float | None:
    """Return the milliseconds in one of what numbers count that count from 1970; None where they do not.

    >>> unit_since_1970([1_710_237_601, 1_710_237_605]), unit_since_1970([1e9, 5e9, 9e9])
    (1000.0, None)
    """
    for unit in (1000.0, 1.0, 1e-3, 1e-6):
        first, last = min(numbers, default=0) * unit, max(numbers, default=0) * unit
        if first >= _EPOCH_MS and last < _EPOCH_MS * 20 and last - first < LONGEST_SPAN_MS:
            return unit
    return None


def span_of(value: object) -> tuple[Moment | None, Moment | None]:
    """Read a beginning and an end that are written as one text.

    >>> [moment and moment.number for moment in span_of("00:00:01 - 00:00:04")]
    [1000, 4000]
    """
    match = _SPAN.fullmatch(value) if isinstance(value, str) and len(value) <= _LONGEST_ADDRESS else None
    # A day has dashes too.
    return (None, None) if not match else (moment_of(match[1]), moment_of(match[2]))


def ms_a_word(starts: Sequence[float | None], ends: Sequence[float | None], words: Sequence[float]) -> float | None:
    """Return how long the middle one of the entries takes for a word, in the unit of the times; None where none tells.

    An entry without an end lasts until the next one.
    """
    lengths = []
    numbered = [(start, end, count) for start, end, count in zip(starts, ends, words, strict=True) if start is not None]
    for (start, end, count), (following, _, _) in pairwise([*numbered, (None, None, 0)]):
        until = end if end is not None and start is not None and end > start else following
        if count and start is not None and until is not None and until > start:
            lengths.append((until - start) / count)
    return median(lengths) if lengths else None


def unit_of_numbers(
    starts: Sequence[float | None], ends: Sequence[float | None], words: Sequence[float]
) -> tuple[float, float | None]:
    """Tell what numbers count whose unit nobody says.

    Args:
        starts: when each entry begins.
        ends: when it ends.
        words: how many words it has.

    Returns:
        The milliseconds in one of them, and how many of these a word takes where that decided.

    Seconds, where a word takes as long as words take; else milliseconds; of the smaller units (microseconds, the ticks
    of .NET, nanoseconds) the one in which words are spoken most as they usually are.
    """
    a_word = ms_a_word(starts, ends, words)
    if a_word is None or sum(words) < 5 or a_word <= _MOST_IN_SECONDS:
        return 1000.0, None
    latest = max(time for time in (*starts, *ends) if time is not None)
    if _FASTEST_MS <= a_word <= _SLOWEST_MS:
        too_short = latest < _SHORT_MS and a_word < _SURE_MS
        return (1000.0, None) if too_short else (1.0, a_word)
    near = [unit for unit in (1e-3, 1e-4, 1e-6) if _FASTEST_MS <= a_word * unit <= _SLOWEST_MS]
    if not near:
        return 1000.0, None
    unit = min(near, key=lambda unit: abs(math.log(a_word * unit / _USUAL_MS)))
    return unit, a_word * unit
