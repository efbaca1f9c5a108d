"""Times of TTML: clocks with fractions or frames, counts of hours, seconds, frames and ticks, and SMPTE time codes.

https://www.w3.org/TR/ttml1/#timing-value-timeExpression
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from talksearch.indexer.text.clock import seconds_in
from talksearch.indexer.text.damaged_clock import plain_signs, read_damaged_clock

from .xml_tree import Node

_CLOCK = re.compile(r"(\d{1,3}):(\d{1,2}):(\d{1,2})(?:[.,](\d{1,9})|[:;](\d{1,3})(?:\.(\d{1,3}))?)?")
_SHORT = re.compile(r"(?:(\d{1,3}):)?(\d{1,5}[.,]\d{1,9})")
_OFFSET = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)(h|ms|m|s|f|t)")
_UNITS = {"h": 3_600_000.0, "m": 60_000.0, "s": 1000.0, "ms": 1.0}


@dataclass(frozen=True, slots=True)
class Rates:
    """How the times of a file are to be read; frames and ticks are so many a second."""

    frames: float
    real_frames: float
    """The same, as they really pass: 29.97 where 30 are counted."""
    ticks: float
    base: str
    """`media`, `smpte` or `clock`."""
    drop: str


def rates_of(root: Node) -> Rates:
    """Return how the times of a file are to be read, as its outermost element says."""
    given = root.attributes
    frames = _number(given.get("frameRate"))
    factors = [_number(part) or 1.0 for part in re.split(r"[\s:]+", given.get("frameRateMultiplier", "").strip())]
    multiplier = factors[0] / factors[1] if len(factors) == 2 else 1.0
    counted = frames or 30.0
    return Rates(
        frames=counted,
        real_frames=counted * multiplier,
        ticks=_number(given.get("tickRate")) or frames or 1.0,
        base=given.get("timeBase", "media"),
        drop=given.get("dropMode", "nonDrop"),
    )


def _number(text: str | None) -> float | None:
    return float(text) if text and re.fullmatch(r"\d{1,12}(?:\.\d{1,6})?", text) and float(text) else None


def milliseconds_of(text: str, rates: Rates) -> int | None:
    """Turn a time of TTML into milliseconds; None where it is none. A bare whole number may be anything.

    >>> rates = Rates(25.0, 25.0, 10_000_000.0, "media", "nonDrop")
    >>> [milliseconds_of(time, rates) for time in ("00:00:01.5", "00:00:01:05", "1.5s", "90ms", "15000000t", "50f")]
    [1500, 1200, 1500, 90, 1500, 2000]
    >>> [milliseconds_of(time, rates) for time in ("9.731", "1:02.5", "1500", "indefinite", "00:61:00", "")]
    [9731, 62500, None, None, None, None]
    """
    if match := _CLOCK.fullmatch(text):
        hours, minutes, seconds = (int(match[i]) for i in (1, 2, 3))
        if minutes > 59 or seconds > 60:
            return None
        frames = float(match[5] or 0)
        if match[5] and rates.base == "smpte":
            return smpte_ms(hours, minutes, seconds, frames, rates)
        fraction = float(f"0.{match[4]}") if match[4] else frames / rates.real_frames
        return round((seconds_in(hours, minutes, seconds) + fraction) * 1000)
    if match := _SHORT.fullmatch(text):
        return round((int(match[1] or 0) * 60 + float(match[2].replace(",", "."))) * 1000)
    if match := _OFFSET.fullmatch(text):
        amount, unit = float(match[1]), match[2]
        if unit in _UNITS:
            return round(amount * _UNITS[unit])
        return round(amount * 1000 / (rates.real_frames if unit == "f" else rates.ticks))
    # Not what TTML knows, but sure: 00：00：01，5.
    plain = plain_signs(text)
    return read_damaged_clock(plain, rates.real_frames) if plain.count(":") > 1 else None


def smpte_ms(hours: int, minutes: int, seconds: int, frames: float, rates: Rates) -> int:
    """Count the frames that a time code tells, without those whose numbers it drops (TTML1, appendix N.2)."""
    counted = seconds_in(hours, minutes, seconds) * rates.frames + frames
    dropped = 0
    if rates.drop == "dropNTSC":
        dropped = (hours * 54 + minutes - minutes // 10) * 2
    elif rates.drop == "dropPAL":
        dropped = (hours * 27 + minutes // 2 - minutes // 20) * 4
    return round((counted - dropped) * 1000 / rates.real_frames)
