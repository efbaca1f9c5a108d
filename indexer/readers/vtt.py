"""WebVTT, through webvtt-py; files that it would read with losses go through `blocks` instead.

https://www.w3.org/TR/webvtt1/
"""

from __future__ import annotations

import re

import webvtt

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.records import Step, Transcript
from talksearch.indexer.text.clock import parse_clock

from .caption_tracks import has_true_times, origin_by_cues
from .cue_blocks import TIME_LINE, identifier_of, read_blocks
from .cue_times import RawCue, mend
from .finish import finish
from .source_text import SourceText
from .text_files import is_headed_webvtt

_LANGUAGE = re.compile(r"^Language:[ \t]*([A-Za-z0-9-]{2,35})[ \t]*$", re.MULTILINE)
_SETTINGS = re.compile(r"(-->[ \t]*[\d:.]+)[ \t][^\n]*")
_NO_WORDS = re.compile(r"WEBVTT|(?:Kind|Language):[ \t]*\S*|^NOTE.*(?:\n.+)*|-->", re.MULTILINE)
"""What stands in a WebVTT file that holds nothing."""
_FEW_WORDS = 3
# A block webvtt-py passes over although it stands between cues and is not a comment, style or region: lost speech.
_STRAY = re.compile(r"\n\n+(?!NOTE|STYLE|REGION|WEBVTT)(?![^\n]*-->)[^\n]+\n(?![^\n]*-->)|\n\n[^\n]+\Z(?<!-->)")


def matches(source: SourceText) -> bool:
    """Say whether there are cues whose times stand in lines with an arrow; `srt.matches` is asked before.

    Raises UnreadableError where the header is all there is. A text behind a header is another format's.
    """
    if source.time_line is None and is_headed_webvtt(source):
        if len(_NO_WORDS.sub("", source.stripped).split()) < _FEW_WORDS:
            raise UnreadableError(
                "The WebVTT file has no cues.", "The recording may have no captions in this language."
            )
        return False
    return source.time_line is not None


def are_times_true(source: SourceText) -> bool:
    """Say whether the times of its cues mean anything."""
    return has_true_times(source, read)


def read(source: SourceText) -> Transcript:
    """Read a WebVTT file. Its name tells YouTube's original automatic track (`.en-orig.vtt`) from others.

    Raises:
        UnreadableError: no cues, or times that cannot be.
    """
    text = source.text
    raw = _through_webvtt(text)
    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()
    if raw is None:
        raw = read_blocks(text)
        if raw and not text.lstrip().startswith("WEBVTT"):
            notes = ("The WEBVTT header is missing; the file was read as WebVTT by its time lines.",)
        steps = (Step("read-damaged-vtt", "cues", {"cues": len(raw)}),)
    if sum("#xywh=" in cue.text for cue in raw) * 2 > len(raw):
        raise UnreadableError("This is a track of thumbnails for a player, not of what is said.", "Leave it out.")
    header = text[: text.find("-->") if "-->" in text else 0]
    language = _LANGUAGE.search(header)
    known = Transcript(
        format="vtt",
        cues=(),
        origin=origin_by_cues(source),
        language=language[1] if language else None,
        steps=steps,
        uncertain=notes,
    )
    return finish(raw, mend(raw, "WebVTT file"), known)


def _through_webvtt(text: str) -> list[RawCue] | None:
    """Read with webvtt-py; None where the file is damaged in a way that would cost words."""
    if not text.startswith("WEBVTT"):
        return None
    heads = list(TIME_LINE.finditer(text))
    first = text.rfind("\n\n", 0, heads[0].start()) if heads else 0
    # An arrow that is in no time line stands in what is said; webvtt-py would end the cue there without a word.
    if first < 0 or text.count("-->") != len(heads) or _STRAY.search(text, first):
        return None
    try:
        # Where a cue stands on the screen says nothing here, and reading that takes most of the time.
        captions = webvtt.from_string(_SETTINGS.sub(r"\1", text)).captions
    except webvtt.errors.MalformedFileError as error:
        raise UnreadableError(f"webvtt-py refuses the file: {error}", "Download the captions again.") from error
    if len(captions) != len(heads):
        return None
    raw = []
    for caption, head in zip(captions, heads, strict=True):
        start, end = parse_clock(head[2]), parse_clock(head[4])
        if start is None:
            return None
        # YouTube pads its rows with a space so that they are not empty; webvtt-py keeps these.
        raw.append(RawCue(start, end, caption.raw_text, identifier=identifier_of(caption.identifier)))
    return _with_lines(text, raw, [head.start() for head in heads])


def _with_lines(text: str, raw: list[RawCue], places: list[int]) -> list[RawCue]:
    """Give every cue the line number of its time line."""
    line = 1
    done = 0
    out = []
    for cue, place in zip(raw, places, strict=True):
        line += text.count("\n", done, place)
        done = place
        out.append(RawCue(cue.start_ms, cue.end_ms, cue.text, line, identifier=cue.identifier))
    return out
