"""Transcripts in text or Markdown whose lines carry times, in all the ways that `line_stamps` knows.

Lines begin with a time (`[12:34]`, `12:34`, `(1:02:03)`, `**[00:12:34]**`, `[12:34](link)`), with a range of times as
Whisper prints it, or with a name and a time; a time stands alone above the words; or it stands in brackets among them.
Headings become chapters; front matter and `Key: value` lines above the first time become metadata.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from talksearch.indexer.records import Chapter, Step, Transcript
from talksearch.indexer.text.clock import CLOCK
from talksearch.indexer.text.counting import count_words
from talksearch.indexer.text.youtube import find_id, watch_url

from . import line_layout, text_files
from .bold_names import with_colons
from .cue_times import RawCue, mend
from .dated_lines import with_plain_signs, without_days
from .finish import finish
from .front_matter import (
    HEADING,
    RULE,
    Front,
    iso_date,
    plain_markdown,
    read_front,
    read_front_matter,
    read_keys,
    unread_values,
)
from .head_lines import dropped_notices, read_head, stands_above_turns
from .line_layout import LineLayout
from .line_stamps import has_half_days
from .lyrics import mended_lyrics
from .raw_cue import moved
from .source_text import SourceText

_LYRIC_TAG = re.compile(
    r"[ \t]*\[(?P<key>ar|ti|al|au|lr|by|re|ve|la|length|offset|tool):(?P<value>[^\]\n]*)\][ \t]*", re.I
)
_LYRIC_KEYS = {"ti": "title", "ar": "speaker", "la": "language"}
_OFFSET = re.compile(r"[ \t]*([+-]?\d{1,9})[ \t]*(?:ms)?[ \t]*", re.I)
_LARGEST_OFFSET_MS = 3_600_000
"""What lyrics are moved by at most; a larger number is no offset."""
_WORD_TIME = re.compile(r"<[\d:.]+>")
_ANY_CLOCK = re.compile(CLOCK)
_LINES_WITH_LINK = 40
"""Lines at the top of a text in which the address of its recording is looked for."""


def layout_of(source: SourceText) -> LineLayout | None:
    """Find the times in a text; None where it has none, or none that can be those of its words."""
    return source.once(_layout)


def _layout(source: SourceText) -> LineLayout | None:
    return line_layout.find(source.once(_prepared)[0])


def _prepared(source: SourceText) -> tuple[str, tuple[Step, ...]]:
    """Return the text with its times as they should stand, and the steps to note what was done for that."""
    text, steps = source.once(mended_lyrics)
    text, signs = with_plain_signs(text)
    text, days = without_days(text)
    return text, (*steps, *signs, *days)


def matches(source: SourceText) -> bool:
    """Say whether the lines carry times: three of them at least or a third of all, and they run forwards.

    Times that are fewer, or written in a way that may mean other things, count where the words fill them
    (`line_layout`).

    >>> matches(SourceText("[0:00] Hello\\n[0:05] and welcome"))
    True
    >>> matches(SourceText("12:30 is when we met.\\nWe left.\\nWe ate.\\nWe slept."))
    False
    """
    return text_files.may_be_timed_text(source) and layout_of(source) is not None


def matches_markdown(source: SourceText) -> bool:
    """Say whether a file is Markdown whose lines carry times."""
    return text_files.is_markdown(source) and matches(source)


def address(source: SourceText) -> str:
    """Return the lines of a text among which the address of its recording stands, if anywhere."""
    return "\n".join(source.text.split("\n", _LINES_WITH_LINK)[:_LINES_WITH_LINK])


def read(source: SourceText) -> Transcript:
    """Read a transcript with times at the beginning of lines.

    Raises:
        UnreadableError: no cues, or times that cannot be.
    """
    text, mended = source.once(_prepared)
    markdown = text_files.has_markdown_name(source.name) or "](" in text or "**" in text
    layout = layout_of(source) or line_layout.by_line(text)
    lines = with_colons(layout.lines) if markdown else layout.lines
    front = Front()
    first_line = read_front_matter(lines, front)
    notices: list[str] = []
    above_turns = False
    top = min(layout.stamps, default=0)
    if first_line < top and stands_above_turns(layout, lines[first_line:top]):
        above_turns = True
        notices = read_head(lines[first_line:top], front)
        first_line = top
    elif layout.far_apart:
        first_line += read_keys(lines[first_line:top], front)
    raw: list[RawCue] = []
    repeats: list[tuple[int, int]] = []
    chapters: list[tuple[str, int | None]] = []
    sooner_ms = 0
    link: str | None = None
    started = False
    for i in range(first_line, len(lines)):
        line = lines[i]
        stamp = layout.stamps.get(i)
        if stamp:
            started = True
            link = link or stamp.link
            words = plain_markdown(stamp.text) if markdown else stamp.text
            chapters = [(title, stamp.start_ms if ms is None else ms) for title, ms in chapters]
            if stamp.heading and words:
                chapters.append((words, stamp.start_ms))
                words = ""
            repeats += [(len(raw), ms) for ms in stamp.again]
            raw.append(RawCue(stamp.start_ms, stamp.end_ms, words, _number(layout, i), stamp.speaker))
        elif (sooner := _sooner_ms(line)) is not None:
            sooner_ms = sooner
        elif not started:
            _read_above(line, layout, front)
        elif (heading := HEADING.match(line)) and markdown:
            chapters.append((plain_markdown(heading["text"]), None))
        elif line.strip() and not RULE.match(line):
            words = plain_markdown(line) if markdown else line.strip()
            last = raw[-1]
            raw[-1] = RawCue(last.start_ms, last.end_ms, f"{last.text}\n{words}".strip("\n"), last.line, last.speaker)
    if repeats:  # a line of lyrics that is sung several times
        raw += [replace(raw[i], start_ms=ms, text=_WORD_TIME.sub("", raw[i].text)) for i, ms in repeats]
        raw.sort(key=lambda cue: cue.start_ms)
    steps = mended
    if sooner_ms:
        raw = [moved(cue, -sooner_ms) for cue in raw]
        chapters = [(title, None if ms is None else max(0, ms - sooner_ms)) for title, ms in chapters]
        steps += (Step("shift-times", "cues", {"offset_ms": -sooner_ms, "from": "the file's offset"}),)
    before = [line for line in (*front.text, *unread_values(front)) if line.strip()]
    first = min(cue.start_ms for cue in raw) if raw else 0
    description = "\n".join(before)
    if before and first > 0 and not above_turns and (layout.far_apart or not markdown):
        raw.insert(0, RawCue(0, first, description, 1))
        description = ""
    steps += _steps_of(layout, notices)
    values = front.values
    video = find_id(values.get("url", "")) or find_id(link or "") or find_id("\n".join(lines[:_LINES_WITH_LINK]))
    url = values.get("url") if "://" in values.get("url", "") else None
    known = Transcript(
        format="markdown" if markdown else "text",
        cues=(),
        title=values.get("title"),
        url=url or (watch_url(video) if video else None),
        channel=values.get("channel"),
        speaker=values.get("speaker"),
        language=values.get("language"),
        date=iso_date(values.get("date")),
        description=description,
        chapters=tuple(Chapter(ms, title) for title, ms in chapters if ms is not None),
        steps=steps,
    )
    return finish(mend(raw, "transcript"), known)


def _number(layout: LineLayout, i: int) -> int:
    """Return the number in the file of a line that may have been cut."""
    return layout.numbers[i] if layout.numbers else i + 1


def _sooner_ms(line: str) -> int | None:
    """Return by how many milliseconds a line of lyrics says that all of them come sooner; None where it says nothing.

    `[offset:500]` shows every line half a second before its time, `[offset:-500]` after it: so players read it, and
    https://en.wikipedia.org/wiki/LRC_(file_format) has it.
    """
    tag = _LYRIC_TAG.fullmatch(line) if line.lstrip().startswith("[") else None
    if tag is None or tag["key"].lower() != "offset":
        return None
    number = _OFFSET.fullmatch(tag["value"].replace("\u2212", "-"))
    return int(number[1]) if number and abs(int(number[1])) <= _LARGEST_OFFSET_MS else 0


def _read_above(line: str, layout: LineLayout, front: Front) -> None:
    """Take a line above the first time for what it is: metadata, text, or speech whose time stands further down."""
    tag = _LYRIC_TAG.fullmatch(line) if line.lstrip().startswith("[") else None
    if tag:
        key, value = _LYRIC_KEYS.get(tag["key"].lower()), tag["value"].strip()
        if key and value:
            front.values.setdefault(key, value)
    elif layout.far_apart and not HEADING.match(line):
        front.text.append(plain_markdown(line))
    else:
        read_front(line, front)


def _steps_of(layout: LineLayout, notices: Sequence[str]) -> tuple[Step, ...]:
    """Return what was left out on the way from the lines to the cues."""
    steps = [*dropped_notices(notices)]
    named = [i for i, stamp in layout.stamps.items() if stamp.speaker]
    if named or has_half_days("\n".join(layout.lines)):
        beside = sum(
            count_words(_ANY_CLOCK.sub("", layout.lines[i])) - count_words(layout.stamps[i].text) for i in layout.stamps
        )
        words = layout.left_out + max(0, beside)
        steps.append(Step("read-turn-heads", "cues", {"turns": len(named), "words_left_out": words}))
    return tuple(steps)
