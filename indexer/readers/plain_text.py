"""Plain text and Markdown without times: every line, or sentence of a long line, is a cue whose time is not known.

Captions that were copied without their times still repeat every line two or three times, or carry the head of a WebVTT
file; the reader of the scraped record knows how to undo that and is asked first.
"""

from __future__ import annotations

import re
from dataclasses import replace

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.records import Cue, Transcript
from talksearch.indexer.text.youtube import find_id, watch_url

from . import scraped_record, text_files
from .bold_names import with_colons
from .cue_times import pieces
from .front_matter import Front, iso_date, plain_markdown, read_front, read_front_matter, read_keys, unread_values
from .head_lines import above_names, dropped_notices, read_head
from .source_text import SourceText

_HEADING = re.compile(r"^[ \t]{0,3}#{1,6}[ \t]")
_SURE_TIMES = re.compile(r"-->|\[(?:\d{1,2}:)?\d{1,3}:[0-5]\d(?:[.,]\d{1,3})?\]")
"""What tells that times which `scraped_record` finds are those of the words. Other figures, which `line_layout` did not
take for times, are verses, ratios or times of day."""
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)")
_MARKS_OF_HEADING = re.compile(r"^[ \t]{0,3}#{1,6}[ \t]+")
_LINES_WITH_LINK = 40
"""Lines at the top of a text in which the address of its recording is looked for."""
_CHARACTERS_LOOKED_AT = 200_000
_FEWEST_LETTERS = 10
_LEAST_PERCENT = 60
"""Of letters among the characters of a text that are not space; code and tables of figures have less."""


def matches(source: SourceText) -> bool:
    """Say whether a file is taken for a transcript although it has no times."""
    return text_files.may_be_untimed_text(source)


def matches_markdown(source: SourceText) -> bool:
    """Say whether a file is Markdown and taken for a transcript although it has no times."""
    return text_files.is_markdown(source) and matches(source)


def read(source: SourceText) -> Transcript:
    """Read a text without times; where `source.unfold` is false, captions in it are read with every repetition.

    Raises:
        UnreadableError: it holds no words, or nothing that reads like speech (code, tables of figures).
    """
    return _read(source, unfold_lines=source.unfold)


def read_header(source: SourceText) -> Transcript:
    """Read what a text says about its talk; captions in it stay as they are, which saves most of the work."""
    return _read(source, unfold_lines=False)


def _read(source: SourceText, *, unfold_lines: bool) -> Transcript:
    markdown = text_files.has_markdown_name(source.name)
    lines = source.text.split("\n")
    front = Front()
    body = lines[read_front_matter(lines, front) :]
    if markdown:
        body = _without_code(body)
        filled = [i for i, line in enumerate(body) if line.strip()]
        # A heading that comes back is who speaks, not what the talk is called.
        if filled and _HEADING.match(body[filled[0]]) and body.count(body[filled[0]]) == 1:
            read_front(body[filled[0]], front)
            body = body[filled[0] + 1 :]
    body = body[read_keys(body, front) :]
    top = above_names(body)
    notices = read_head(body[:top], front) if top else []
    body = body[top:]
    if markdown:
        body = [plain_markdown(_MARKS_OF_HEADING.sub("", line)) for line in with_colons(body)]
    speech = "\n".join(body).strip()
    _refuse_what_is_no_speech(speech)
    captions = scraped_record.read_content(speech, unfold_lines=unfold_lines)
    timed = captions.timed and (captions.steps or _SURE_TIMES.search(speech))
    if timed or any(step.name == "unfold-rolling" for step in captions.steps) or speech.startswith("WEBVTT"):
        return _described(replace(captions, format="text"), front)
    cues = tuple(Cue(0, 0, piece) for piece in pieces(speech))
    video = find_id(front.values.get("url", "")) or find_id("\n".join(lines[:_LINES_WITH_LINK]))
    transcript = Transcript(
        format="markdown" if markdown else "text",
        cues=cues,
        timed=False,
        url=watch_url(video) if video else None,
        steps=dropped_notices(notices),
    )
    return _described(transcript, front)


def _described(transcript: Transcript, front: Front) -> Transcript:
    """Add what stands above the text: it goes before what the text itself says of it."""
    values = front.values
    return replace(
        transcript,
        title=values.get("title"),
        url=values.get("url") or transcript.url,
        channel=values.get("channel"),
        speaker=values.get("speaker"),
        language=values.get("language") or transcript.language,
        date=iso_date(values.get("date")),
        description="\n".join([*front.text, *unread_values(front), transcript.description]).strip("\n"),
    )


def _without_code(lines: list[str]) -> list[str]:
    kept = []
    inside = False
    for line in lines:
        if _FENCE.match(line):
            inside = not inside
        elif not inside:
            kept.append(line)
    return kept


def _refuse_what_is_no_speech(text: str) -> None:
    solid = sum(not char.isspace() for char in text[:_CHARACTERS_LOOKED_AT])
    letters = sum(char.isalpha() for char in text[:_CHARACTERS_LOOKED_AT])
    if letters < _FEWEST_LETTERS:
        raise UnreadableError("The text holds no words.", "Leave the file out.")
    if letters * 100 < solid * _LEAST_PERCENT:
        raise UnreadableError(
            f"Only {100 * letters // solid} of 100 characters are letters, so this is code or a table, not speech.",
            "Leave the file out.",
        )
