"""Times on a clock: `1:02:03.5` to milliseconds, and milliseconds to what people read.

Which texts are times differs from format to format, so the patterns of a format stay with its reader. What the parts of
a time add up to, and how a time is shown, is decided here.
"""

from __future__ import annotations

import re
from typing import TypeVar

Number = TypeVar("Number", int, float)

CLOCK = r"(?:\d{1,3}:)?\d{1,3}:\d{1,2}(?:[.,]\d{1,9})?"
"""`M:SS`, `MM:SS.mmm`, `H:MM:SS,mmm`, `HHH:MM:SS`: a regular expression without groups."""

_CLOCK = re.compile(r"(?:(\d{1,9}):)?(\d{1,9}):(\d{1,9})(?:[.,](\d+))?")
_FULL = re.compile(r"[0-9]{2}:[0-9]{2}:[0-9]{2}[.,][0-9]{3}")
_FULL_LENGTH = 12
"""Characters of `HH:MM:SS.mmm`, as nearly all captions have it; it is read without a pattern, because there is one for
every word of an archive."""


def seconds_in(hours: Number, minutes: Number, seconds: Number) -> Number:
    """Add up a time in seconds.

    >>> seconds_in(1, 2, 3), seconds_in(0.0, 0.5, 1.25)
    (3723, 31.25)
    """
    return (hours * 60 + minutes) * 60 + seconds


def parts_ms(hours: str | None, minutes: str | None, seconds: str | None, fraction: str | None = None) -> int:
    """Add up the parts of a clock time, as a pattern's groups have them, in milliseconds.

    Args:
        hours: digits, or nothing.
        minutes: digits, or nothing.
        seconds: digits, or nothing.
        fraction: of a second, the digits behind the point; from the fourth on they are left out.

    >>> parts_ms(None, "1", "2", "5"), parts_ms("1", "2", "3", "0049")
    (62500, 3723004)
    """
    milliseconds = int(fraction[:3].ljust(3, "0")) if fraction else 0
    return seconds_in(int(hours or 0), int(minutes or 0), int(seconds or 0)) * 1000 + milliseconds


def clock_ms(text: str) -> int:
    """Add up a clock time in milliseconds, whatever its parts hold: that it is one, the caller knows.

    >>> clock_ms("00:01:02.345"), clock_ms("75:30"), clock_ms("1:99:00,5")
    (62345, 4530000, 9540500)
    """
    if len(text) == _FULL_LENGTH and text[2] == text[5] == ":" and text[8] in ".,":
        return seconds_in(int(text[:2]), int(text[3:5]), int(text[6:8])) * 1000 + int(text[9:])
    whole, _, fraction = text.replace(",", ".").partition(".")
    hours, minutes, seconds = ["", "", *whole.split(":")][-3:]
    return parts_ms(hours, minutes, seconds, fraction)


def parse_clock(text: str) -> int | None:
    """Turn a clock time into milliseconds; None where it is not one.

    `2:60` is 3:00: programs that round seconds after splitting off the minutes write it.

    >>> parse_clock("1:02:03,5"), parse_clock("75:30"), parse_clock("00:01.250"), parse_clock("12")
    (3723500, 4530000, 1250, None)
    """
    if len(text) == _FULL_LENGTH and _FULL.fullmatch(text):
        return clock_ms(text) if int(text[3:5]) <= 60 and int(text[6:8]) <= 60 else None
    match = _CLOCK.fullmatch(text.strip())
    if not match:
        return None
    hours, minutes, seconds, fraction = match.groups()
    if int(seconds) > 60 or (hours and int(minutes) > 60):
        return None
    return parts_ms(hours, minutes, seconds, fraction)


def caption_clock(ms: int) -> str:
    """Write milliseconds as WebVTT has them.

    >>> caption_clock(3_723_004), caption_clock(-5)
    ('01:02:03.004', '00:00:00.000')
    """
    seconds, rest = divmod(max(0, ms), 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:03d}"


def show_clock(ms: int) -> str:
    """Write milliseconds as people read them.

    >>> show_clock(754_000), show_clock(3_723_999)
    ('12:34', '1:02:03')
    """
    minutes, seconds = divmod(ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
