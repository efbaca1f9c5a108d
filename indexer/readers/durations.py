"""Lengths of time as people and programs write them."""

from __future__ import annotations

import re

from talksearch.indexer.text.clock import parts_ms, seconds_in

_CLOCK = re.compile(r"(?:(\d{1,9}):)?(\d{1,3}):(\d{2})(?:[.,](\d{1,3}))?")
_SECONDS = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*(?:s|sec|secs|seconds?)?")
_UNITS = re.compile(
    r"(?:pt)?\s*+(?:(\d{1,9})\s*h[a-z]*)?[\s,]*+(?:(\d{1,9})\s*m[a-z]*)?[\s,]*+(?:(\d{1,9}(?:\.\d{1,9})?)\s*s[a-z]*)?"
)


def parse_duration(text: str) -> int | None:
    """Read a length of time, in milliseconds; None where it is none.

    >>> [parse_duration(t) for t in ("20:54", "1:43:29", "1254", "20m 54s", "PT1H2M", "21 minutes", "N/A")]
    [1254000, 6209000, 1254000, 1254000, 3720000, 1260000, None]
    """
    text = text.strip().lower()
    if clock := _CLOCK.fullmatch(text):
        return _positive(parts_ms(*clock.groups()))
    if number := _SECONDS.fullmatch(text):
        return _positive(round(float(number[1]) * 1000))
    units = _UNITS.fullmatch(text)
    if units and any(units.groups()):
        hours, minutes, seconds = units.groups()
        return _positive(round(seconds_in(float(hours or 0), float(minutes or 0), float(seconds or 0)) * 1000))
    return None


def _positive(milliseconds: int) -> int | None:
    return milliseconds if milliseconds > 0 else None
