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

from . import scraped_record
from .cue_times import pieces
from .front_matter import Front, iso_date, plain_markdown, read_front, read_front_matter, read_keys

_HEADING = re.compile(r"^[ \t]{0,3}#{1,6}[ \t]")
_SURE_TIMES = re.compile(r"-->|\[(?:\d{1,2}:)?\d{1,3}:[0-5]\d(?:[.,]\d{1,3})?\]")
"""What tells that times which `record` finds are those of the words. Other figures, which `layout` did not take for
times, are verses, ratios or times of day."""
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)")


def read(text: str, name: str = "", *, unfolding: bool = True) -> Transcript:
    """Read a text without times; with `unfolding` False captions in it are read as they stand, repeats and all.

    Raises:
        UnreadableError: it holds no words, or nothing that reads like speech (code, tables of figures).
    """
    markdown = name.lower().endswith((".md", ".markdown", ".mdown"))
    lines = text.split("\n")
    front = Front()
    at = read_front_matter(lines, front)
    body = lines[at:]
    if markdown:
        body = _without_code(body)
        kept = [i for i, line in enumerate(body) if line.strip()]
        if kept and _HEADING.match(body[kept[0]]):
            read_front(body[kept[0]], front)
            body = body[kept[0] + 1 :]
    body = body[read_keys(body, front) :]
    if markdown:
        body = [plain_markdown(re.sub(r"^[ \t]{0,3}#{1,6}[ \t]+", "", line)) for line in body]
    speech = "\n".join(body).strip()
    _refuse_what_is_no_speech(speech)
    found = scraped_record.read_content(speech, unfolding=unfolding)
    timed = found.timed and (found.steps or _SURE_TIMES.search(speech))
    if timed or any(step.name == "unfold-rolling" for step in found.steps) or speech.startswith("WEBVTT"):
        return _described(replace(found, format="text"), front)
    cues = tuple(Cue(0, 0, piece) for piece in pieces(speech))
    video = find_id(front.values.get("url", "")) or find_id("\n".join(lines[:40]))
    transcript = Transcript(
        format="markdown" if markdown else "text",
        cues=cues,
        timed=False,
        url=watch_url(video) if video else None,
        words_before=len(speech.split()),
    )
    return _described(transcript, front)


def _described(found: Transcript, front: Front) -> Transcript:
    """Add what stands above the text: it goes before what the text itself says of it."""
    values = front.values
    return replace(
        found,
        title=values.get("title"),
        url=values.get("url") or found.url,
        channel=values.get("channel"),
        speaker=values.get("speaker"),
        language=values.get("language") or found.language,
        date=iso_date(values.get("date")),
        description="\n".join([*front.text, found.description]).strip("\n"),
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
    solid = sum(not char.isspace() for char in text[:200_000])
    letters = sum(char.isalpha() for char in text[:200_000])
    if letters < 10:
        raise UnreadableError("The text holds no words.", "Leave the file out.")
    if letters * 10 < solid * 6:
        raise UnreadableError(
            f"Only {100 * letters // solid} of 100 characters are letters, so this is code or a table, not speech.",
            "Leave the file out.",
        )
