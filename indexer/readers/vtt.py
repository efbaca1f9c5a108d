"""WebVTT, through webvtt-py; files that it would read with losses go through `blocks` instead.

https://www.w3.org/TR/webvtt1/
"""

from __future__ import annotations

import re

import webvtt

from talksearch.indexer.errors import UnreadableError, UnspokenError
from talksearch.indexer.records import Step, Transcript
from talksearch.indexer.text.clock import parse_clock

from .caption_tracks import has_true_times, origin_by_cues, refuse_data, refuse_metadata
from .cue_blocks import are_names, identifier_of, left_out_steps, read_blocks
from .cue_times import mend
from .cut_cues import joined_at
from .data_cues import said_in_data
from .finish import finish
from .identifier_names import named_by_identifiers
from .raw_cue import RawCue
from .segment_clocks import on_one_clock
from .source_text import SourceText
from .text_files import is_headed_webvtt
from .time_lines import TIME_LINE, has_damaged, is_headed, said_behind

_LANGUAGE = re.compile(r"^Language:[ \t]*([A-Za-z0-9-]{2,35})[ \t]*$", re.MULTILINE)
_SETTINGS = re.compile(r"(-->[ \t]*[\d:.]+)[ \t][^\n]*")
_NO_WORDS = re.compile(r"WEBVTT|(?:Kind|Language):[ \t]*\S*|^NOTE.*(?:\n.+)*|-->", re.MULTILINE)
"""What stands in a WebVTT file that holds nothing."""
_HEADER = re.compile(r"^\ufeff?WEBVTT(?:[ \t].*)?$", re.MULTILINE)
_FEW_WORDS = 3
_COMMENT = re.compile(r"(?<=\n\n)NOTE(?:[ \t].*)?$(?:\n.+)*", re.MULTILINE)
_NOT_SAID = re.compile(r"(?:NOTE|STYLE|REGION)(?:[ \t].*)?(?:\n|$)")
# A block webvtt-py passes over although it stands between cues and is not a comment, style or region: lost speech.
_STRAY = re.compile(r"(?<!\n)\n\n+(?!NOTE|STYLE|REGION|WEBVTT)(?![^\n]*-->)[^\n]+\n(?![^\n]*-->)|\n\n[^\n]+\Z(?<!-->)")


def matches(source: SourceText) -> bool:
    """Say whether there are cues whose times stand in lines with an arrow; `srt.matches` is asked before.

    Raises UnreadableError where the header is all there is, or the cues are data. A text behind a header is another
    format's.
    """
    if source.time_line is None and is_headed_webvtt(source):
        if len(_NO_WORDS.sub("", source.stripped).split()) < _FEW_WORDS:
            raise UnreadableError(
                "The WebVTT file has no cues.", "The recording may have no captions in this language."
            )
        return False
    if source.time_line is None:
        return False
    refuse_data(source, read)
    return True


def are_times_true(source: SourceText) -> bool:
    """Say whether the times of its cues mean anything."""
    return has_true_times(source, read)


def read(source: SourceText) -> Transcript:
    """Read a WebVTT file. Its name tells YouTube's original automatic track (`.en-orig.vtt`) from others.

    Raises:
        UnreadableError: no cues, times that cannot be, or a track for programs, not of what is said.
    """
    text = source.text
    raw = _through_webvtt(text)
    notes: tuple[str, ...] = ()
    if raw is None:
        found = read_blocks(text)
        raw = list(found.cues)
        if raw and not is_headed(text):
            notes = ("The WEBVTT header is missing; the file was read as WebVTT by its time lines.",)
        notes = (*notes, *found.notes)
        steps = [Step("read-damaged-vtt", "cues", {"cues": len(raw)}), *found.steps]
    else:
        names = [cue.identifier for cue in raw if cue.identifier]
        comments = _comments(text)
        steps = left_out_steps(sum(len(comment.split()) for comment in comments), len(comments), names)
    if sum("#xywh=" in cue.text for cue in raw) * 2 > len(raw):
        raise UnspokenError("This is a track of thumbnails for a player, not of what is said.", "Leave it out.")
    raw, speaking = said_in_data(raw)
    refuse_metadata(raw)
    raw, moving = on_one_clock(text, raw)
    cuts: list[Step] = []
    raw = joined_at(_borders(text), raw, cuts)
    raw, naming = named_by_identifiers(raw)
    header = text[: text.find("-->") if "-->" in text else 0]
    language = _LANGUAGE.search(header)
    known = Transcript(
        format="vtt",
        cues=(),
        origin=origin_by_cues(source),
        language=language[1] if language else None,
        steps=(*steps, *speaking, *moving, *cuts, *naming),
        uncertain=notes,
    )
    return finish(mend(raw, "WebVTT file"), known)


def _borders(text: str) -> list[int]:
    """Return the lines at which the files behind the first begin, where several were written into one."""
    if text.count("WEBVTT") < 2:
        return []
    return [text.count("\n", 0, match.start()) + 1 for match in _HEADER.finditer(text)][1:]


def _comments(text: str) -> list[str]:
    return [match[0] for match in _COMMENT.finditer(text)] if "\nNOTE" in text else []


def _through_webvtt(text: str) -> list[RawCue] | None:
    """Read with webvtt-py; None where the file is damaged in a way that would cost words."""
    if not text.startswith("WEBVTT"):
        return None
    heads = list(TIME_LINE.finditer(text))
    first = text.rfind("\n\n", 0, heads[0].start()) if heads else 0
    # An arrow that is in no time line stands in what is said; webvtt-py would end the cue there without a word.
    if first < 0 or text.count("-->") != len(heads) or _STRAY.search(text, first) or _is_damaged(text, heads):
        return None
    if _said_in_head(text[:first]):
        return None
    try:
        # Where a cue stands on the screen says nothing here, and reading that takes most of the time.
        captions = webvtt.from_string(_SETTINGS.sub(r"\1", text)).captions
    except webvtt.errors.MalformedFileError as error:
        raise UnreadableError(f"webvtt-py refuses the file: {error}", "Download the captions again.") from error
    names = [name for caption in captions if (name := identifier_of(caption.identifier))]
    if len(captions) != len(heads) or not are_names(names, len(captions)):
        return None
    raw = []
    for caption, head in zip(captions, heads, strict=True):
        start, end = parse_clock(head[2]), parse_clock(head[4])
        if start is None:
            return None
        # YouTube pads its rows with a space so that they are not empty; webvtt-py keeps these.
        raw.append(RawCue(start, end, caption.raw_text, identifier=identifier_of(caption.identifier)))
    return _with_lines(text, raw, [head.start() for head in heads])


def _is_damaged(text: str, heads: list[re.Match[str]]) -> bool:
    """Say whether a file has other time lines than the regular ones, or words behind the times of these."""
    if has_damaged(text, len(heads)):
        return True
    behind = {text[head.end() : text.find("\n", head.end())] for head in heads}
    return any(said_behind(rest, headed=True) for rest in behind)


def _said_in_head(before: str) -> bool:
    """Say whether more than a header, comments and styles stands above the first cue."""
    _, *blocks = before.split("\n\n")
    return any(block.strip() and not _NOT_SAID.match(block.lstrip("\n")) for block in blocks)


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
