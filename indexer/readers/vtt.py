"""WebVTT, through webvtt-py; files that it would read with losses go through `blocks` instead.

https://www.w3.org/TR/webvtt1/
"""

from __future__ import annotations

import re
from itertools import islice

import webvtt

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.records import Origin, Step, Transcript

from .cue_blocks import TIME_LINE, read_blocks
from .cue_times import RawCue, mend, parse_clock

_LANGUAGE = re.compile(r"^Language:[ \t]*([A-Za-z0-9-]{2,35})[ \t]*$", re.MULTILINE)
_ORIGINAL_TRACK = re.compile(r"\.[a-z]{2,3}-orig\.[a-z0-9]+$", re.IGNORECASE)
_TAG = re.compile(r"<[^<>\n]*>")
_SETTINGS = re.compile(r"(-->[ \t]*[\d:.]+)[ \t][^\n]*")
_WORD_TIME = re.compile(r"<\d[\d:.]*><c>|<c>[^<]*</c>\s*<\d")
# A block webvtt-py passes over although it stands between cues and is not a comment, style or region: lost speech.
_STRAY = re.compile(r"\n\n+(?!NOTE|STYLE|REGION|WEBVTT)(?![^\n]*-->)[^\n]+\n(?![^\n]*-->)|\n\n[^\n]+\Z(?<!-->)")


def read(text: str, name: str = "") -> Transcript:
    """Read a WebVTT file. `name` tells YouTube's original automatic track (`.en-orig.vtt`) from others.

    Raises:
        UnreadableError: no cues, or times that cannot be.
    """
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
    mended = mend(raw, "WebVTT file")
    header = text[: text.find("-->") if "-->" in text else 0]
    language = _LANGUAGE.search(header)
    return Transcript(
        format="vtt",
        cues=mended.cues,
        timed=mended.timed,
        origin=origin_of(text, name),
        language=language[1] if language else None,
        duration_ms=mended.duration_ms,
        words_before=count_words(raw),
        steps=(*steps, *mended.steps),
        uncertain=(*notes, *mended.uncertain),
    )


def count_words(raw: list[RawCue]) -> int:
    """Count the words of speech that stand in the cues, repetitions too, tags not."""
    return len(_TAG.sub("", "\n".join(cue.text for cue in raw)).replace("&gt;&gt;", " ").split())


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
        raw.append(RawCue(start, end, caption.raw_text))
    return _with_lines(text, raw, [head.start() for head in heads])


def _with_lines(text: str, raw: list[RawCue], places: list[int]) -> list[RawCue]:
    """Give every cue the line number of its time line."""
    line = 1
    done = 0
    out = []
    for cue, place in zip(raw, places, strict=True):
        line += text.count("\n", done, place)
        done = place
        out.append(RawCue(cue.start_ms, cue.end_ms, cue.text, line))
    return out


def origin_of(text: str, name: str) -> Origin:
    """Tell YouTube's automatic captions by what only they have: word times, or rows held for 10 ms, or the name.

    Everything else is unknown: people and machines write the same plain cues.
    """
    if _ORIGINAL_TRACK.search(name):
        return "automatic"
    held = cues = 0
    for head in islice(TIME_LINE.finditer(text), 400):
        start, end = parse_clock(head[2]), parse_clock(head[4])
        cues += 1
        if start is not None and end is not None and 0 <= end - start <= 10:
            held += 0 <= text.find("\n", head.end(), head.end() + 250) < text.find("\n\n", head.end(), head.end() + 250)
    if cues >= 4 and held * 5 >= cues:
        return "automatic"
    timed_words = len(_WORD_TIME.findall(text[:100_000]))
    return "automatic" if timed_words >= max(2, cues // 4) else "unknown"
