"""What a line that carries a time looks like, for each way in which programs and people write transcripts in text.

A line is judged by itself here. Whether a file is a transcript of one of these kinds is decided in `layout`, by how
its times run and how many words stand between them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from talksearch.indexer.text.clock import CLOCK, parse_clock, seconds_in
from talksearch.indexer.text.speaker_labels import may_stand_before_a_time

_CALLOUT = r"\[![a-z]{2,12}\][-+]?"
"""What opens a box of notes: `> [!quote] Ana Ruiz 12:34`."""
_LEAD = rf"[ \t]*(?:(?:[-*+•>|]|{_CALLOUT}|\d{{1,5}}(?:[.)]|(?=\t)))[ \t]+)*(?P<mark>#{{1,6}}[ \t]+)?[*_`~]{{0,8}}"
_TRAIL = r"[*_`~]{0,8}"
"""Emphasis. It has a bound, because several of them stand in a row below, and a line may be drawn of such signs."""
_TO = r"[ \t]*(?:-->|->|—>|→|-|–|—|to)[ \t]*"
_NOON = r"AM|PM|a\.m\.|p\.m\.|pm"
_RANGE = rf"(?:[ \t]?(?P<half>{_NOON})(?![^\W\d_]))?(?:{_TO}(?P<end>{CLOCK})(?:[ \t]?(?:{_NOON})(?![^\W\d_]))?)?"
"""Behind a time: the half of the day, as far as it is no word, and a second time."""
_NAME = r"(?P<name>[^\W\d_][^\[\]():\n]{0,50}?(?:[ \t]*\((?!\d|\s*\d+:)[^()\n]{1,50}\))?)"
"""A name, and a role or a place in parentheses."""
_SEPARATOR = r"(?:[-‐–—‒―:|,·•⋅・»/~]|>(?!>))"
"""What may stand between a time or a name and what follows."""
_START = re.compile(
    rf"^{_LEAD}@?(?:(?P<open>[\[(<【（])[ \t]*)?(?P<start>{CLOCK}){_RANGE}[ \t]*(?(open)[\])>】）])"
    rf"(?:\((?P<link>[^()\s]*)\))?{_TRAIL}(?P<sep>[ \t]*{_SEPARATOR}?)(?=\s|$|\*|[\[(])[ \t]*(?P<text>.*)$"
)
_GLUED = re.compile(rf"^[ \t]*[\[(【（](?P<start>{CLOCK}){_RANGE}[\])】）](?P<text>\S.*)$")
_NAMED = re.compile(
    rf"^{_LEAD}{_NAME}{_TRAIL}[ \t]*[-‐–—‒―,|·•⋅・»/~@]?"
    rf"(?:[ \t]*{_TRAIL}(?P<open>[\[(])[ \t]*|[ \t]+){_TRAIL}(?P<start>{CLOCK}){_RANGE}(?(open)[ \t]*[\])])"
    rf"{_TRAIL}(?P<tab>\t)?[ \t]*(?P<sep>(?(open):?|(?:[:|](?!\d))?)){_TRAIL}[ \t]*(?P<text>.*)$"
)
_LABELLED = re.compile(
    rf"^{_LEAD}(?P<bracket>\[)?{_NAME}(?(bracket)\]:?|{_TRAIL}[ \t]*:){_TRAIL}[ \t]*"
    rf"(?P<open>[\[(][ \t]*)?(?P<start>{CLOCK}){_RANGE}(?(open)[ \t]*[\])])"
    rf"{_TRAIL}[ \t]*{_SEPARATOR}?(?=\s|$)[ \t]*(?P<text>.*)$"
)
_POINT = r"\d{1,6}\.\d{1,9}"
_UNIT = r"\d{1,6}(?:\.\d{1,9})?[ \t]?s"
_SECONDS = re.compile(
    rf"^{_LEAD}(?:\[[ \t]*(?P<start>{_UNIT}|{_POINT})(?:{_TO}(?P<end>{_UNIT}|{_POINT}))?[ \t]*\]"
    rf"|(?P<bare>{_UNIT}){_TO}(?P<bare_end>{_UNIT})(?=[\s:|,]|$)){_TRAIL}[ \t]*[:|,]?[ \t]*(?P<text>.*)$"
)
_LABEL = re.compile(r"^(?P<start>\d{1,6}[.,]\d{1,9})\t(?P<end>\d{1,6}[.,]\d{1,9})(?:\t(?P<text>.*))?$")
_FRAME = r"\d\d[:;]\d\d[:;]\d\d[:;]\d\d"
_FRAMES = re.compile(
    rf"^{_LEAD}(?P<open>[\[(][ \t]*)?(?P<start>{_FRAME})(?:(?:{_TO}|[ \t]*,[ \t]*|[ \t]+)(?P<end>{_FRAME}))?"
    rf"(?(open)[ \t]*[\])]){_TRAIL}[ \t]*{_SEPARATOR}?(?=\s|$)[ \t]*(?P<text>.*)$"
)
_HAS_FRAME = re.compile(rf"{_FRAME}(?![\d:;])")
_SPOKEN = r"(?:\d{1,3} hours?)?(?:(?:, )?\d{1,2} minutes?)?(?:(?:, )?\d{1,2} seconds?)?"
_LEADING_SPOKEN = re.compile(rf"[ \t]*(?=\d)(?P<said>{_SPOKEN})[ \t]*")
_STUCK = re.compile(rf"^[ \t]*(?P<start>(?:\d{{1,3}}:)?\d{{1,2}}:\d\d)(?=\d)(?P<said>{_SPOKEN})[ \t]*(?P<text>.*)$")
_DAY = re.compile(r"(?<![ \t,])[ \t,]+(?:(?:19|20)\d\d-\d\d-\d\d|\d{1,2}[./]\d{1,2}[./](?:19|20)\d\d)[ \t,T]*$")
"""The day before a time of day, behind a name."""
_A_DATE = re.compile(r"\b(?:19|20)\d\d\b|\d,")
"""`March 12, 2024, 3:03 PM` is no name and a time."""
_HALF_DAY = re.compile(rf"\d[ \t]?(?:{_NOON})(?![^\W\d_])")
_HASHED = re.compile(r"#(\d{1,2}:\d\d(?::\d\d)?)(?:[-.,](\d{1,3}))?#")
_TRAILING = re.compile(rf"^(?P<text>.*\S)[ \t]*\[(?P<end>{CLOCK})\][ \t]*$")
_SENTENCE_END = re.compile(r"[^\W\d_]{4}[.!?…]$|[。！？]$")
"""What no name ends with; short words with a point are initials and titles."""
_AROUND_NAMES = " \t*_-‐–—‒―,|·•⋅・»/~@"
_WIDEST = 8
"""Blanks in a row that a line is read with; what is said keeps one of them."""
_WIDE = re.compile(rf"[ \t]{{{_WIDEST + 1},}}")
_LYRIC = re.compile(rf"[ \t]*\[(?P<start>{CLOCK})\]")


@dataclass(frozen=True, slots=True)
class Stamp:
    """A line that carries a time."""

    start_ms: int
    end_ms: int | None
    text: str
    speaker: str | None = None
    heading: bool = False
    link: str | None = None
    again: tuple[int, ...] = ()
    """Other times at which the same words are said, in milliseconds, as in lyrics."""


def stamp_of(line: str) -> Stamp | None:
    """Read a line that begins with a time, or with a name and a time, as most transcripts write them.

    >>> stamp_of("[00:05] Hello"), stamp_of("We met at 12:30 and left")
    (Stamp(start_ms=5000, end_ms=None, text='Hello', speaker=None, heading=False, link=None, again=()), None)
    """
    line = _WIDE.sub(lambda blanks: blanks[0][:_WIDEST], line)  # the patterns below try each of them in many ways
    match = _START.match(line) or _GLUED.match(line)
    name = None
    if not match:
        match = _NAMED.match(line)
        # "We met at 12:30" has a name's shape; a name's line holds no more, or goes on after a bracket or colon.
        if (
            not match
            or (match["text"] and not (match["open"] or match["sep"] or match["tab"] or _is_marked(line, match)))
            or len(match["name"].split()) > 5
            or _SENTENCE_END.search(match["name"])
        ):
            return None
        name = _DAY.sub("", match["name"]).strip(_AROUND_NAMES)
        if _A_DATE.search(name):
            return None
    start = _start_of(match)
    if start is None:
        return None
    groups = match.groupdict()
    end = parse_clock(groups["end"]) if groups.get("end") and not groups["half"] else None
    return Stamp(start, end, match["text"].strip(), name or None, bool(groups.get("mark")), groups.get("link"))


def _is_marked(line: str, match: re.Match[str]) -> bool:
    """Whether the time behind a name is set apart by marks of Markdown, as in `**Ana Ruiz** `00:05` Hello`."""
    before, behind = line[match.end("name") : match.start("start")], line[match.end("start") :]
    return bool(before) and before[-1] in "`*_" and behind[:1] == before[-1]


def _start_of(match: re.Match[str]) -> int | None:
    """Return the first time of a line; with the half of the day it is hours and minutes, `3:03 PM` as `3:03:00 PM`."""
    start = parse_clock(match["start"])
    if start is None or not match["half"]:
        return start
    if match["start"].count(":") < 2:
        start *= 60
    hours = start // 3_600_000
    later = match["half"][0] in "Pp"
    return start + 43_200_000 * (int(later and hours < 12) - int(not later and hours == 12)) if hours < 13 else None


def has_half_days(text: str) -> bool:
    """Say whether a text may hold times with the half of the day."""
    return _HALF_DAY.search(text) is not None


def labelled(line: str) -> Stamp | None:
    """Read `[Ana Ruiz] 00:00:05`, `Ana Ruiz: 00:00:05` and `Ana Ruiz: [00:00:05] text`; no key before a colon.

    >>> labelled("Ana Ruiz: [00:00:05] Hello").speaker, labelled("Duration: 00:45:10")
    ('Ana Ruiz', None)
    """
    match = _LABELLED.match(line)
    start = _start_of(match) if match else None
    if not match or start is None:
        return None
    name = match["name"].strip(_AROUND_NAMES)
    if len(name.split()) > 5 or not may_stand_before_a_time(name):
        return None
    return Stamp(start, parse_clock(match["end"] or ""), match["text"].strip(), name)


def in_seconds(line: str) -> Stamp | None:
    """Read `[5.0s] text`, `[0.0 - 5.2] text`, `0.0s - 2.4s : text`: with an `s`, or in brackets with a decimal point.

    >>> [in_seconds(line) is None for line in ("[0.00s -> 5.00s] Hello", "[1] A footnote.", "1.5 is a number")]
    [False, True, True]
    """
    match = _SECONDS.match(line)
    if not match:
        return None
    end = match["end"] or match["bare_end"]
    return Stamp(_seconds(match["start"] or match["bare"]), _seconds(end) if end else None, match["text"].strip())


def named_unit(line: str) -> bool:
    """Whether a line `in_seconds` says from when until when, and that these are seconds."""
    match = _SECONDS.match(line)
    return bool(match and (match["bare"] or ((match["end"] or "").endswith("s") and match["start"].endswith("s"))))


def in_label(line: str) -> Stamp | None:
    r"""Read a line of a label track: `0.000000<TAB>5.000000<TAB>text`.

    >>> in_label("1.500000\t2.000000\tHello")
    Stamp(start_ms=1500, end_ms=2000, text='Hello', speaker=None, heading=False, link=None, again=())
    """
    match = _LABEL.match(line)
    return Stamp(_seconds(match["start"]), _seconds(match["end"]), (match["text"] or "").strip()) if match else None


def _seconds(text: str) -> int:
    return round(float(text.rstrip("s").strip().replace(",", ".")) * 1000)


def frame_rate(text: str) -> int | None:
    """Return how many frames a second has, from the frame times in a text; None where it has none.

    No file says it. Frames are 25ths of a second, or 30ths where one has a number of 25 or more or a semicolon stands
    before it (which marks the time code of 29.97 frames); 50 and 60 where their numbers say so.

    >>> frame_rate("00:00:05:12 Hello"), frame_rate("00:00:05:12 a\\n00:00:08:27 b"), frame_rate("00:05:12")
    (25, 30, None)
    """
    times = _HAS_FRAME.findall(text)
    if not times:
        return None
    most = max(int(time[-2:]) for time in times)
    if most < 25:
        return 30 if any(time[-3] == ";" for time in times) else 25
    return next((rate for rate in (30, 50, 60) if most < rate), None)


def in_frames(line: str, rate: int) -> Stamp | None:
    """Read `00:00:05:12 - 00:00:08:03` and `00:00:05:12 text`, `rate` frames in a second.

    >>> in_frames("00;00;05;15 - 00;00;08;00", 30)
    Stamp(start_ms=5500, end_ms=8000, text='', speaker=None, heading=False, link=None, again=())
    """
    match = _FRAMES.match(line)
    start = _frames(match["start"], rate) if match else None
    if not match or start is None:
        return None
    return Stamp(start, _frames(match["end"], rate) if match["end"] else None, match["text"].strip())


def _frames(text: str, rate: int) -> int | None:
    hours, minutes, seconds, frames = map(int, re.split("[:;]", text))
    if minutes > 59 or seconds > 59 or frames >= rate:
        return None
    return seconds_in(hours, minutes, seconds) * 1000 + frames * 1000 // rate


def stuck(line: str) -> Stamp | None:
    """Read a clock to which the same time in words sticks, as YouTube's transcript panel is copied.

    >>> stuck("0:055 secondshello").text, stuck("0:054 secondshello")
    ('hello', None)
    """
    match = _STUCK.match(line)
    start = parse_clock(match["start"]) if match else None
    if not match or start is None or _in_words(match["said"]) != start:
        return None
    return Stamp(start, None, match["text"].strip())


def without_spoken(text: str, start_ms: int) -> str | None:
    """Return the words behind a time in words that is `start_ms`; None where none stands before them.

    >>> without_spoken("1 minute, 5 secondshello", 65_000), without_spoken("5 seconds is long", 65_000)
    ('hello', None)
    """
    match = _LEADING_SPOKEN.match(text)
    return text[match.end() :] if match and _in_words(match["said"]) == start_ms else None


def _in_words(said: str) -> int | None:
    units = {"hour": 3_600_000, "minute": 60_000, "second": 1000}
    amounts = re.findall(r"(\d+) (hour|minute|second)", said)
    return sum(int(number) * units[unit] for number, unit in amounts) if amounts else None


def with_plain_marks(text: str) -> tuple[str, bool]:
    """Write the marks that f4transkript and MAXQDA leave behind what is said (`#00:01:02-5#`) as times in brackets.

    Returns the text, and whether it had two at least.

    >>> with_plain_marks("I: Yes. #00:01:02-5# B: No. #00:01:04-1#")
    ('I: Yes. [00:01:02.5] B: No. [00:01:04.1]', True)
    """
    if "#" not in text:
        return text, False
    text, count = _HASHED.subn(lambda mark: f"[{mark[1]}.{mark[2] or 0}]", text)
    return text, count > 1


def trailing(line: str) -> tuple[str, int] | None:
    """Return the words before a time in square brackets that ends a line, and that time.

    >>> trailing("And nobody heard it. [00:00:06]"), trailing("[00:00:06]")
    (('And nobody heard it.', 6000), None)
    """
    match = _TRAILING.match(line) if line.rstrip().endswith("]") else None
    end = parse_clock(match["end"]) if match else None
    return (match["text"], end) if match and end is not None else None


def lyric_starts(line: str) -> tuple[list[int], str]:
    """Return the times before a line of lyrics (`[00:12.00][01:10.00] text`), in milliseconds, and the line behind.

    >>> lyric_starts("[00:12.00][01:10.00] La la")
    ([12000, 70000], ' La la')
    """
    starts = []
    while match := _LYRIC.match(line):
        start = parse_clock(match["start"])
        if start is None:
            break
        starts.append(start)
        line = line[match.end() :]
    return starts, line


def forwards(starts: Iterable[int]) -> float:
    """Return which share of times is not before the one in front of it; 1 where there are none to compare.

    >>> forwards([1, 2, 2, 1, 3])
    0.75
    """
    steps = [a <= b for a, b in pairwise(starts)]
    return sum(steps) / len(steps) if steps else 1
