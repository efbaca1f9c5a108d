"""What marks a turn on a web page: an element that names a moment, or who speaks."""

from __future__ import annotations

import re

from talksearch.indexer.text.clock import CLOCK, parse_clock

from .html_tree import Element, text_in

_SECONDS_TEXT = """
data-start data-starttime data-start-time data-time data-timestamp data-begin data-seconds data-t data-timecode
data-cue-start
"""
_SECONDS = tuple(_SECONDS_TEXT.split())
_MILLISECONDS = ("data-m", "data-ms", "data-start-ms", "data-startms", "data-time-ms")
_ATTRIBUTES = frozenset((*_SECONDS, *_MILLISECONDS))
_NUMBER = re.compile(r"\d{1,9}(?:\.\d{1,9})?")
_IN_LINK = re.compile(r"[#?&;](?:t|time|start|time_continue)=(?:npt:)?(?P<t>[\dhms:.]{1,20})(?:$|[,&#])")
_UNITS = re.compile(r"(?:(\d{1,3})h)?(?:(\d{1,4})m)?(?:(\d{1,6}(?:\.\d{1,6})?)s?)?", re.IGNORECASE)
_ISO = re.compile(r"PT(?:(\d{1,3})H)?(?:(\d{1,4})M)?(?:(\d{1,6}(?:\.\d{1,6})?)S)?", re.IGNORECASE)
CLOCK_ALONE = re.compile(rf"[\[(]?({CLOCK})[\])]?")
"""A time on the clock, in brackets or not, and nothing else."""
_SPEAKER = re.compile(r"(?:^|[-_ ])speaker(?:[-_ ]?(?:name|label))?(?:$| )", re.IGNORECASE)
_LONGEST_NAME = 60


def time_of(element: Element) -> int | None:
    """Return the moment that an element names, in milliseconds; None where it names none."""
    if not _ATTRIBUTES.isdisjoint(element.attributes):  # nearly no element has one: to look for each takes longest
        for name in _MILLISECONDS:
            if _NUMBER.fullmatch(element.attributes.get(name, "").strip()):
                return round(float(element.attributes[name]))
        for name in _SECONDS:
            if (moment := _moment(element.attributes.get(name, "").strip())) is not None:
                return moment
    if element.name == "a" and (match := _IN_LINK.search(element.attributes.get("href", ""))):
        return _moment(match["t"])
    if element.name == "time" and (match := _ISO.fullmatch(element.attributes.get("datetime", "").strip())):
        return _in_units(match)
    if element.name in ("time", "span", "a", "b", "strong", "small", "code", "td", "div", "dt"):
        alone = element.parts and all(isinstance(part, str) for part in element.parts)
        match = CLOCK_ALONE.fullmatch(text_in(element)) if alone else None
        return parse_clock(match[1]) if match else None
    return None


def _moment(text: str) -> int | None:
    """Return the milliseconds of seconds, a clock, or `1h2m3s`; None for all else.

    >>> _moment("90.5"), _moment("1:30"), _moment("1m30s"), _moment("top")
    (90500, 90000, 90000, None)
    """
    if ":" in text:
        return parse_clock(text)
    match = _UNITS.fullmatch(text)
    return _in_units(match) if match and text else None


def _in_units(match: re.Match[str]) -> int | None:
    hours, minutes, seconds = match.groups()
    if hours is minutes is seconds is None:
        return None
    return round((int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(seconds or 0)) * 1000)


def name_of(element: Element) -> str | None:
    """Return who speaks, where an element says that and nothing else."""
    if element.name != "cite" and not _SPEAKER.search(element.attributes.get("class", "")):
        return None
    name = text_in(element).rstrip(" :：")
    return name if 0 < len(name) <= _LONGEST_NAME else None


def is_mark(element: Element) -> bool:
    """Say whether an element names a moment, or who speaks."""
    return time_of(element) is not None or name_of(element) is not None
