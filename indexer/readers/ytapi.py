"""What youtube-transcript-api gives: a list of `text`, `start` and `duration` in seconds, bare or as `snippets`."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from ..records import Origin, Transcript
from ..youtube import is_id, watch_url
from .json3 import clip
from .jsons import milliseconds, string
from .times import RawCue, mend
from .vtt import count_words

_START = ("start", "start_time", "offset", "startTime", "begin")
_LENGTH = ("duration", "dur")
_END = ("end", "end_time", "endTime")


def matches(data: object) -> bool:
    """Whether parsed JSON has the shape: most entries have a text and a start."""
    entries = _entries(data)
    good = sum(_is_cue(entry) for entry in entries)
    return good > 0 and good * 2 > len(entries)


def _entries(data: object) -> list[Any]:
    if isinstance(data, dict):
        for key in ("snippets", "transcript", "captions", "subtitles", "cues"):
            if isinstance(data.get(key), list):
                return list(data[key])
        return []
    if isinstance(data, list):
        if len(data) == 1 and isinstance(data[0], list):  # one list a video
            return data[0]
        return data
    return []


def _is_cue(entry: object) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("text"), str) and _first(entry, _START) is not None


def _first(entry: dict[str, Any], keys: tuple[str, ...]) -> int | None:
    for key in keys:
        ms = milliseconds(entry.get(key))
        if ms is not None:
            return ms
    return None


def read(data: Any) -> Transcript:
    """Read parsed output of youtube-transcript-api.

    Raises:
        UnreadableError: no cues, or times that cannot be.
    """
    raw = []
    for entry in _entries(data):
        if not _is_cue(entry):
            continue
        start = _first(entry, _START) or 0
        length, end = _first(entry, _LENGTH), _first(entry, _END)
        if length is not None:
            end = start + max(length, 0)
        raw.append(RawCue(start, end, entry["text"], speaker=string(entry.get("speaker"))))
    about: dict[str, Any] = data if isinstance(data, dict) else {}
    generated = about.get("is_generated")
    origin: Origin = "automatic" if generated is True else "human" if generated is False else "unknown"
    overlapping = sum(
        b.start_ms < a.end_ms for a, b in pairwise(raw) if a.end_ms is not None
    )  # lines stay while the next is written: only rolling captions do so throughout
    mended = mend(clip(raw) if overlapping * 2 > len(raw) else raw, "list of captions")
    video = about.get("video_id")
    return Transcript(
        format="ytapi",
        cues=mended.cues,
        timed=mended.timed,
        origin=origin,
        title=string(about.get("title")),
        url=watch_url(video) if isinstance(video, str) and is_id(video) else None,
        language=string(about.get("language_code")),
        duration_ms=mended.duration_ms,
        words_before=count_words(raw),
        steps=mended.steps,
        uncertain=mended.uncertain,
    )
