"""YouTube's own caption format (`fmt=json3`): events of segments, with word times in automatic captions.

An event with `aAppend` holds only the line break that makes the window roll; the lines themselves are not repeated.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.records import Origin, Transcript

from .cue_times import RawCue, mend
from .finish import finish
from .json_source import parsed_json
from .json_values import milliseconds, timed_words
from .source_text import SourceText


def matches(source: SourceText) -> bool:
    """Say whether a file in JSON has the list of events."""
    data = parsed_json(source)
    events = data.get("events") if isinstance(data, dict) else None
    if not isinstance(events, list):
        return False
    own = any(isinstance(event, dict) and {"segs", "tStartMs"} & event.keys() for event in events)
    return own or source.ending == "json3"  # others have events too


def origin(source: SourceText) -> Origin:
    """Tell who wrote the captions: only those of a machine roll, and have times of words."""
    return "automatic" if '"aAppend"' in source.text or '"tOffsetMs"' in source.text else "human"


def read(source: SourceText) -> Transcript:
    """Read json3.

    Raises:
        UnreadableError: no cues, or times that cannot be.
    """
    return read_events(parsed_json(source)["events"], "json3")


def read_events(events: Iterable[Any], form: str) -> Transcript:
    """Read the events of json3, or of another format (`form`) that was put into their shape. Raises as `read` does."""
    raw: list[RawCue] = []
    automatic = False
    for event in events:
        if not isinstance(event, dict):
            continue
        segments = event.get("segs")
        start = milliseconds(event.get("tStartMs"), 1)
        if not isinstance(segments, list) or start is None:
            continue
        automatic = automatic or bool(event.get("aAppend"))
        pieces: list[tuple[str, int | None]] = []
        for segment in segments:
            if not isinstance(segment, dict) or not isinstance(segment.get("utf8"), str):
                continue
            automatic = automatic or "acAsrConf" in segment or "tOffsetMs" in segment
            offset = milliseconds(segment.get("tOffsetMs", 0), 1)
            pieces.append((segment["utf8"], None if offset is None else start + offset))
        text = "".join(piece for piece, _ in pieces)
        if not text.strip():
            continue
        joined, words = timed_words(pieces, start)
        several = len(pieces) > 1
        duration = milliseconds(event.get("dDurationMs"), 1)
        end = None if duration is None else start + max(duration, 0)
        raw.append(RawCue(start, end, joined if several else text, words=words if several else ()))
    if not raw:
        raise UnreadableError("The json3 file has no cues.", "The video may have no captions in this language.")
    mended = mend(clip(raw) if automatic else raw, "json3 file")
    return finish(mended, Transcript(form, (), origin="automatic" if automatic else "human"))


def clip(raw: list[RawCue]) -> list[RawCue]:
    """End every cue where the next begins.

    The duration of an automatic line is how long it stays on the screen, which is until two lines later.
    """
    out = []
    for cue, following in zip(raw, [*raw[1:], None], strict=True):
        late = following and cue.end_ms is not None and cue.start_ms < following.start_ms < cue.end_ms
        end = following.start_ms if following and late else cue.end_ms
        out.append(RawCue(cue.start_ms, end, cue.text, cue.line, cue.speaker, cue.words))
    return out
