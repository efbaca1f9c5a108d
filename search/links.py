"""Links that open a recording at a second.

Every site has its own way to name a second in an address: in the query or the fragment, as seconds or as hours and
minutes. `indexer.text.sites` is the one table of them, with where each is documented. Any other page or file gets the
media fragment `#t=90` (https://www.w3.org/TR/media-frags/#naming-time), which browsers follow for media files, and
which changes nothing where it is not understood.
"""

from __future__ import annotations

import re
from functools import lru_cache
from math import isfinite
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from talksearch.indexer.records import Timing
from talksearch.indexer.text import youtube
from talksearch.indexer.text.clock import show_clock
from talksearch.indexer.text.sites import Form, site_of

_EARLY_MS = 8_000
"""How much earlier than an estimated time a link opens at most, in milliseconds."""

_TIME = r"(?:\d{1,6}(?:\.\d+)?s?|(?:\d+h)?(?:\d+m)?(?:\d+s)?|(?:\d+(?::|%3A)){1,2}\d{2})"
_READABLE = re.compile(r"\d+(?:\.\d+)?s?|(?=\d)(?:\d+h)?(?:\d+m)?(?:\d+s)?|(?:\d+:){1,2}\d{2}", re.IGNORECASE)
_CLOCK_STEP = re.compile(r"(?:\d+:){1,2}\d{2}")
_TIME_KEYS = frozenset({"t", "start", "time", "time_continue", "st", "wtime", "from"})
"""The names under which an address may hold a time: those of `sites.SITES` and of YouTube."""
_PARTS = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?", re.IGNORECASE)

_HOLE = "\0"
"""Stands for the time while a link is put together; no address holds it."""


def jump_to(start_ms: int, timing: Timing, margin_ms: int) -> int:
    """Return where a link to something said at `start_ms` should open.

    Exact times open there. Estimated times open a little early: a listener who comes early waits a moment, one who
    comes late misses the answer and does not know which way to look.

    >>> jump_to(60_000, "exact", 0), jump_to(60_000, "estimated", 20_000), jump_to(3_000, "estimated", 20_000)
    (60000, 52000, 0)
    """
    early = min(_EARLY_MS, margin_ms // 2) if timing == "estimated" else 0
    return max(0, start_ms - early)


def link(url: str | None, transcript: Path | str, jump_ms: int) -> str:
    """Return the address that opens a talk at a moment; the transcript itself where no recording is known."""
    return link_at(url, jump_ms / 1000) if url else Path(transcript).as_uri()


def link_at(url: str | None, seconds: float) -> str:
    """Return the address that opens a recording at a second; an empty text where there is no address.

    What else stands in the query and the fragment is kept, a time that stands there is replaced. Of YouTube's addresses
    only video and playlist are kept. A fragment that is a path says which page is meant: such a page gets no time where
    the site is not known. Seconds are whole, and never below zero.

    >>> link_at("https://youtu.be/DTcRLlMv4_o?si=abc&t=7", 90), link_at("https://vimeo.com/1234", 90.9)
    ('https://youtu.be/DTcRLlMv4_o?t=90', 'https://vimeo.com/1234#t=90s')
    >>> link_at("https://www.twitch.tv/videos/99?filter=all&t=0h1m0s", 3723)
    'https://www.twitch.tv/videos/99?filter=all&t=1h2m3s'
    >>> link_at("file:///talks/a.mp4", -3), link_at("https://talks.example/#/watch/7", 90)
    ('file:///talks/a.mp4#t=0', 'https://talks.example/#/watch/7')
    """
    if not url:
        return ""
    frame = _frame(url)
    if frame is None:
        return url
    return f"{frame.before}{_written(max(0, int(seconds)) if isfinite(seconds) else 0, frame.form)}{frame.after}"


def seconds_of(url: str) -> float | None:
    """Return the second that an address opens at; None where it names none.

    >>> seconds_of("https://youtu.be/DTcRLlMv4_o?t=1m30s"), seconds_of("https://soundcloud.com/a/b#t=1:02:03")
    (90.0, 3723.0)
    >>> seconds_of("https://rumble.com/v1-a.html?start=90&x=1"), seconds_of("https://example.org/?t=soon")
    (90.0, None)
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    for key, value in parse_qsl(parts.query) + parse_qsl(parts.fragment):
        if key in _TIME_KEYS and _READABLE.fullmatch(value):
            return _read(value)
    step = parts.path.rsplit("/", 1)[-1]
    return _read(step) if _CLOCK_STEP.fullmatch(step) else None


class _Frame(NamedTuple):
    """A link without its time."""

    before: str
    form: Form
    after: str


@lru_cache(maxsize=10_000)
def _frame(url: str) -> _Frame | None:
    """Return a link without its time; None where the address can have none."""
    if _HOLE in url:
        return None
    video = youtube.find_id(url)
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        return None
    if video and youtube.is_host(host):
        return _Frame(*_youtube(parts, host, video))
    site = site_of(parts)
    if site is None:
        return _unknown(parts)
    if site.place == "path":
        steps = parts.path.rstrip("/").split("/")
        kept = steps[:-1] if _CLOCK_STEP.fullmatch(steps[-1]) else steps
        before, after = urlunsplit(parts._replace(path="/".join([*kept, _HOLE]))).split(_HOLE)
        return _Frame(before, site.form, after)
    return _in_place(parts, site.place, site.key, site.form)


def _youtube(parts: SplitResult, host: str, video: str) -> tuple[str, Form, str]:
    """Return what stands before the time in an address of YouTube, its form, and what stands behind it."""
    if host.endswith("youtu.be"):
        return f"https://youtu.be/{video}?t=", "90", ""
    if "/embed/" in parts.path:
        return f"https://{host}/embed/{video}?start=", "90", ""
    kept = [(key, value) for key, value in parse_qsl(parts.query) if key in ("list", "index")]
    return f"https://www.youtube.com/watch?{urlencode([('v', video), *kept])}&t=", "90", ""


def _unknown(parts: SplitResult) -> _Frame | None:
    """Return the link to a page or a file of no known site: its own `t=` in the query, else the media fragment."""
    timed = [pair for pair in parts.query.split("&") if re.fullmatch(rf"t={_TIME}", pair) and pair != "t="]
    if timed:
        return _in_place(parts, "query", "t", "90")
    if parts.fragment.startswith(("/", "!")):
        return None
    if "=" not in parts.fragment:  # an anchor of the page, which a player would not follow
        parts = parts._replace(fragment="")
    return _in_place(parts, "fragment", "t", "90")


def _in_place(parts: SplitResult, place: Literal["query", "fragment"], key: str, form: Form) -> _Frame:
    """Return the link whose time stands under a name in the query or the fragment, behind what else stands there."""
    text = parts.query if place == "query" else parts.fragment
    kept = [pair for pair in text.split("&") if pair and pair.partition("=")[0] != key]
    text = "&".join([*kept, f"{key}={_HOLE}"])
    parts = parts._replace(query=text) if place == "query" else parts._replace(fragment=text)
    before, after = urlunsplit(parts).split(_HOLE)
    return _Frame(before, form, after)


def _written(seconds: int, form: Form) -> str:
    """Return a moment as a site wants it.

    >>> [_written(3723, form) for form in ("90", "90s", "1h2m3s", "1:02:03")], _written(83, "1h2m3s")
    (['3723', '3723s', '1h2m3s', '1:02:03'], '1m23s')
    """
    match form:
        case "90":
            return str(seconds)
        case "90s":
            return f"{seconds}s"
        case "1h2m3s":
            hours, minutes = seconds // 3600, seconds // 60 % 60
            return f"{f'{hours}h' if hours else ''}{f'{minutes}m' if hours or minutes else ''}{seconds % 60}s"
    return show_clock(seconds * 1000)


def _read(text: str) -> float:
    """Return the seconds that a moment in an address stands for."""
    if ":" in text:
        total = 0.0
        for part in text.split(":"):
            total = total * 60 + float(part)
        return total
    match = _PARTS.fullmatch(text)
    assert match is not None
    hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds
