"""Transcripts in text or Markdown whose lines begin with a time: `[12:34]`, `12:34`, `(1:02:03)`, `**[00:12:34]**`.

Also `[00:00.000 --> 00:05.000]` as Whisper prints, a time alone on its line as YouTube's transcript panel is copied,
`Name (12:34):` and `Name  12:34` with the text below, and `[12:34](link)`. Headings become chapters; YAML front matter
and `Key: value` lines above the first time become metadata.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ..records import Chapter, Transcript
from ..youtube import find_id, watch_url
from .times import CLOCK, RawCue, mend, parse_clock
from .vtt import count_words

_LEAD = r"[ \t]*(?:(?:[-*+•>|]|\d{1,5}[.)])[ \t]+)*(?P<mark>#{1,6}[ \t]+)?(?:\*\*|__|[*_`~])*"
_TRAIL = r"(?:\*\*|__|[*_`~])*"
_RANGE = rf"(?:[ \t]*(?:-->|->|—>|→|-|–|—|to)[ \t]*(?P<end>{CLOCK}))?"
_START = re.compile(
    rf"^{_LEAD}(?:(?P<open>[\[(<【（])[ \t]*)?(?P<start>{CLOCK}){_RANGE}[ \t]*(?(open)[\])>】）])"
    rf"(?:\((?P<link>[^()\s]*)\))?{_TRAIL}(?P<sep>[ \t]*[-–—:|,]?)(?=\s|$|\*|[\[(])[ \t]*(?P<text>.*)$"
)
_GLUED = re.compile(rf"^[ \t]*[\[(【（](?P<start>{CLOCK}){_RANGE}[\])】）](?P<text>\S.*)$")
_NAMED = re.compile(
    rf"^{_LEAD}(?P<name>[^\W\d_][^\[\]():\n]{{0,50}}?){_TRAIL}[ \t]*[-–—,|]?"
    rf"(?:[ \t]*(?P<open>[\[(])[ \t]*|[ \t]+)(?:\*\*|__)?(?P<start>{CLOCK}){_RANGE}(?(open)[ \t]*[\])])"
    rf"{_TRAIL}[ \t]*(?P<sep>:?){_TRAIL}[ \t]*(?P<text>.*)$"
)
_HEADING = re.compile(r"^[ \t]{0,3}#{1,6}[ \t]+(?P<text>.*?)[ \t]*#*[ \t]*$")
_KEY = re.compile(
    r"^[ \t]*(?:[-*][ \t]+)?(?:\*\*|__)?(?P<key>[A-Za-z][A-Za-z _-]{1,24}?)(?:\*\*|__)?:"
    r"(?:\*\*|__)?[ \t]*(?P<value>\S.*)$"
)
_KEYS = {
    "title": "title", "talk": "title", "video": "url", "url": "url", "link": "url", "source": "url", "recording": "url",
    "youtube": "url", "media": "url", "speaker": "speaker", "speakers": "speaker", "presenter": "speaker",
    "channel": "channel", "uploader": "channel", "date": "date", "language": "language", "lang": "language",
}  # fmt: skip
_RULE = re.compile(r"^[ \t]*(?:[-*_=][ \t]*){3,}$")


@dataclass(frozen=True, slots=True)
class _Stamp:
    """A line that carries a time."""

    start_ms: int
    end_ms: int | None
    text: str
    speaker: str | None
    heading: bool
    link: str | None


@dataclass(slots=True)
class Front:
    """What stands above the first words: metadata, and text that is no speech."""

    values: dict[str, str] = field(default_factory=dict)
    text: list[str] = field(default_factory=list)


def matches(text: str) -> bool:
    """Whether the lines carry times: three of them at least or a third of all, and they run forwards.

    >>> matches("[0:00] Hello\\n[0:05] and welcome"), matches("12:30 is when we met.\\nWe left.\\nWe ate.\\nWe slept.")
    (True, False)
    """
    lines = [line for line in text.split("\n") if line.strip()]
    starts = [stamp.start_ms for stamp in (_stamp(line) for line in lines if ":" in line) if stamp]
    if not starts or (len(starts) < 3 and len(starts) * 3 < len(lines)):
        return False
    if len(starts) * 30 < len(lines):
        return False
    forwards = sum(a <= b for a, b in pairwise(starts))
    return forwards * 10 >= (len(starts) - 1) * 8


def _stamp(line: str) -> _Stamp | None:
    match = _START.match(line) or _GLUED.match(line)
    name = None
    if not match:
        match = _NAMED.match(line)
        # "We met at 12:30" has a name's shape; a name's line holds no more, or goes on after a bracket or colon.
        if not match or (match["text"] and not (match["open"] or match["sep"])) or len(match["name"].split()) > 5:
            return None
        name = match["name"].strip(" \t*_-–—,|")
    start = parse_clock(match["start"])
    if start is None:
        return None
    groups = match.groupdict()
    end = parse_clock(groups["end"]) if groups.get("end") else None
    return _Stamp(start, end, match["text"].strip(), name or None, bool(groups.get("mark")), groups.get("link"))


def read(text: str, name: str = "") -> Transcript:
    """Read a transcript with times at the beginning of lines.

    Raises:
        UnreadableError: no cues, or times that cannot be.
    """
    markdown = name.lower().endswith((".md", ".markdown", ".mdown")) or "](" in text or "**" in text
    lines = text.split("\n")
    front = Front()
    at = read_front_matter(lines, front)
    raw: list[RawCue] = []
    chapters: list[tuple[str, int | None]] = []
    link: str | None = None
    started = False
    for i in range(at, len(lines)):
        line = lines[i]
        stamp = _stamp(line) if ":" in line else None
        if stamp:
            started = True
            link = link or stamp.link
            said = plain_markdown(stamp.text) if markdown else stamp.text
            chapters = [(title, stamp.start_ms if ms is None else ms) for title, ms in chapters]
            if stamp.heading and said:
                chapters.append((said, stamp.start_ms))
                said = ""
            raw.append(RawCue(stamp.start_ms, stamp.end_ms, said, i + 1, stamp.speaker))
        elif not started:
            read_front(line, front)
        elif (heading := _HEADING.match(line)) and markdown:
            chapters.append((plain_markdown(heading["text"]), None))
        elif line.strip() and not _RULE.match(line):
            said = plain_markdown(line) if markdown else line.strip()
            last = raw[-1]
            raw[-1] = RawCue(last.start_ms, last.end_ms, f"{last.text}\n{said}".strip("\n"), last.line, last.speaker)
    before = [line for line in front.text if line.strip()]
    first = min(cue.start_ms for cue in raw) if raw else 0
    description = "\n".join(before)
    if before and first > 0 and not markdown:
        raw.insert(0, RawCue(0, first, description, 1))
        description = ""
    mended = mend(raw, "transcript")
    values = front.values
    video = find_id(values.get("url", "")) or find_id(link or "") or find_id("\n".join(lines[:40]))
    url = values.get("url") if "://" in values.get("url", "") else None
    return Transcript(
        format="markdown" if markdown else "text",
        cues=mended.cues,
        timed=mended.timed,
        title=values.get("title"),
        url=url or (watch_url(video) if video else None),
        channel=values.get("channel"),
        speaker=values.get("speaker"),
        language=values.get("language"),
        date=iso_date(values.get("date")),
        duration_ms=mended.duration_ms,
        description=description,
        chapters=tuple(Chapter(ms, title) for title, ms in chapters if ms is not None),
        words_before=count_words(raw),
        steps=mended.steps,
        uncertain=mended.uncertain,
    )


def iso_date(text: str | None) -> str | None:
    """Return `YYYY-MM-DD` where the text begins with such a date.

    >>> iso_date("2024-05-01T10:00"), iso_date("May")
    ('2024-05-01', None)
    """
    match = re.match(r"(\d{4})[-/.](0[1-9]|1[0-2])[-/.](0[1-9]|[12]\d|3[01])(?!\d)", (text or "").strip(" '\""))
    return "-".join(match.groups()) if match else None


def read_front_matter(lines: Sequence[str], front: Front) -> int:
    """Read YAML front matter (flat keys only) and return the position of the first line behind it."""
    first = next((i for i, line in enumerate(lines) if line.strip()), len(lines))
    if first == len(lines) or lines[first].strip() != "---":
        return 0
    for i in range(first + 1, min(len(lines), first + 60)):
        if lines[i].strip() in ("---", "..."):
            return i + 1
        key = _KEY.match(lines[i])
        if key:
            # Behind a space, # begins a comment in YAML, but not inside quotation marks.
            quoted = key["value"][0] in "'\""
            _keep(key["key"], key["value"] if quoted else re.sub(r"\s#.*$", "", key["value"]), front)
    return 0


def read_front(line: str, front: Front) -> None:
    """Take a line above the first time apart: a title, a key with a value, or text."""
    heading = _HEADING.match(line)
    key = _KEY.match(line)
    if heading:
        if "title" in front.values:
            front.text.append(plain_markdown(heading["text"]))
        else:
            front.values["title"] = plain_markdown(heading["text"])
    elif key and _keep(key["key"], key["value"], front):
        return
    elif line.strip() and not _RULE.match(line):
        front.text.append(plain_markdown(line))


def _keep(key: str, value: str, front: Front) -> bool:
    name = _KEYS.get(key.strip().lower())
    if name is None:
        return False
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        value = value[1:-1]
    if name == "url":
        match = re.search(r"[a-z]+://[^\s<>()\[\]\"]+", value)
        if not match:
            return False
        value = match[0]
    front.values.setdefault(name, value.strip("*_ "))
    return True


_LINK = re.compile(r"!?\[([^\]\n]*)\]\([^()\n]*(?:\([^()\n]*\)[^()\n]*)*\)")
_EMPHASIS = re.compile(r"(?<![\w*_])(\*{1,3}|__)(?=\S)(.+?)(?<=\S)\1(?![\w*_])")


def plain_markdown(line: str) -> str:
    """Return a line of Markdown as text; a bold name before a colon stays bold, for `clean` takes names from it.

    >>> plain_markdown("> see [the *paper*](https://x.org/a_(b)) **now**")
    'see the paper now'
    """
    line = _LINK.sub(r"\1", line)
    line = re.sub(r"^[ \t]*(?:>[ \t]*)*(?:[-*+•][ \t]+|\d{1,4}[.)][ \t]+(?=\D))?", "", line)
    name = re.match(r"(\*\*|__)([^*_\n]{1,60}?):?\1:?[ \t]+", line)
    if name and ":" in name[0]:
        return f"{name[2]}: " + _EMPHASIS.sub(r"\2", line[name.end() :]).strip()
    return _EMPHASIS.sub(r"\2", line).strip()
