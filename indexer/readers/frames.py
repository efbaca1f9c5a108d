"""Times that count frames, as editors of film write them: `00:00:05:18`, and `00:00:05;18` where numbers are dropped.

How many frames pass in a second stands beside the times, or shows in the largest number of one.
https://en.wikipedia.org/wiki/SMPTE_timecode
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from talksearch.indexer.text.clock import seconds_in

_FRAMES = re.compile(r"(\d{1,3})[:;](\d{2})[:;](\d{2})([:;.])(\d{2})")
_RATE = re.compile(r"\s*(\d{2,3}(?:[.,]\d{1,3})?)\s*(?:fps|p|i|df|ndf|drop|non-?drop|hz)?\s*", re.IGNORECASE)
_COMMON = (25, 30, 50, 60)
"""Frames a second where nobody says: the smallest that the numbers fit; 24 is told from 25 by nothing that matters."""
_HUNDREDTHS = 100
"""Larger numbers than those of frames count hundredths of a second."""
_SLOWED = 1.001
"""At 23.976, 29.97 and 59.94 frames a second whoever counts 24, 30 and 60 falls behind the clock by so much."""


@dataclass(frozen=True, slots=True)
class FrameRate:
    """How many frames pass in a second."""

    per_second: float
    """As they are numbered: 24 for 23.976."""
    slowed: bool = False
    """The numbers fall behind the clock (`_SLOWED`), and none are dropped to make up for it."""
    said: bool = False
    """The file says so; else it was told from the largest number."""


def is_frames(text: str) -> bool:
    """Say whether a text is a time whose last part may count frames.

    >>> is_frames("00:00:05:18"), is_frames("00;01;05;02"), is_frames("0:01:05.25"), is_frames("00:01:05:250")
    (True, True, False, False)
    """
    match = _FRAMES.fullmatch(text.strip())
    return match is not None and match[4] != "."


def rate_of(times: Iterable[str], said: str | None = None) -> FrameRate:
    """Tell how many frames pass in a second.

    Args:
        times: all that `is_frames`.
        said: what the file says of it, such as `25`, `29.97 DF` or `23,976 fps`; None where it says nothing.

    >>> rate_of(["00:00:05:18", "00:00:09:24"]).per_second, rate_of(["00:00:05:29"]).per_second
    (25, 30)
    >>> rate_of(["00:00:05:18"], "23.976 fps")
    FrameRate(per_second=24, slowed=True, said=True)
    """
    found = [match for match in map(_FRAMES.fullmatch, (time.strip() for time in times)) if match]
    largest = max((int(match[5]) for match in found), default=0)
    number = _RATE.fullmatch(said) if said else None
    if number:
        rate = float(number[1].replace(",", "."))
        if max(largest, 5) < round(rate) + 1 and rate <= 240:
            drops = any(match[4] == ";" for match in found)
            return FrameRate(round(rate), round(rate) - rate > 0.01 and not drops, True)
    return FrameRate(next((rate for rate in _COMMON if largest < rate), _HUNDREDTHS))


def frames_ms(text: str, rate: FrameRate) -> int | None:
    """Turn a time that counts frames into milliseconds; None where it is none.

    Numbers of frames that are dropped (`;`) keep up with the clock.

    >>> frames_ms("00:00:05:18", FrameRate(25)), frames_ms("01:00:00:00", FrameRate(24, slowed=True))
    (5720, 3603600)
    """
    match = _FRAMES.fullmatch(text.strip())
    if not match:
        return None
    seconds = seconds_in(int(match[1]), int(match[2]), int(match[3])) + int(match[5]) / rate.per_second
    return round(seconds * (_SLOWED if rate.slowed else 1.0) * 1000)
