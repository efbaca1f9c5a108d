"""What youtube-transcript-api gives: a list of `text`, `start` and `duration` in seconds, bare or as `snippets`."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from talksearch.indexer.records import Origin, Transcript
from talksearch.indexer.text.youtube import is_id, watch_url

from .cue_times import RawCue, mend
from .json_values import string
from .segments import put_after, speaker_of, start_after, times_of, unit_of
from .vtt import count_words
from .youtube_json3 import clip

_WORDS = ("words", "result", "results", "utterances", "chunks")
"""Lists of `timed_json`, whose entries may be single words."""


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
        return _only_list(data)[1]
    if isinstance(data, list):
        if len(data) == 1 and isinstance(data[0], list):  # one list a video
            return data[0]
        return data
    return []


def _only_list(data: dict[str, Any]) -> tuple[str, list[Any]]:
    """Return the list that is all there is, and its key: `{"DTcRLlMv4_o": [...]}`."""
    key, value = next(iter(data.items())) if len(data) == 1 else ("", None)
    return key, value if isinstance(value, list) and key not in _WORDS else []


def holds_several(data: object) -> bool:
    """Whether parsed JSON holds the lists of several videos."""
    lists = [value for value in data.values() if isinstance(value, list)] if isinstance(data, dict) else []
    return sum(bool(entries) and all(map(_is_cue, entries)) for entries in lists) > 1


def video_in(key: str) -> str | None:
    """Return a key of JSON where it is a video's id and not a word of eleven letters.

    >>> video_in("DTcRLlMv4_o"), video_in("transcripts"), video_in("captionList"), video_in("my_captions")
    ('DTcRLlMv4_o', None, None, None)
    """
    named = any(char.isdigit() for char in key) or sum(char.isupper() for char in key) > 2
    return key if is_id(key) and named else None


def _is_cue(entry: object) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("text"), str) and times_of(entry)[0] is not None


def read(data: Any) -> Transcript:
    """Read parsed output of youtube-transcript-api.

    Raises:
        UnreadableError: no cues, or times that cannot be.
    """
    entries = [
        (entry["text"], entry)
        for entry in _entries(data)
        if isinstance(entry, dict) and isinstance(entry.get("text"), str)
    ]
    per_unit, steps = unit_of(entries)
    raw: list[RawCue] = []
    untimed = 0
    for text, entry in entries:
        start, end = times_of(entry, per_unit)
        if start is None:
            if not text.strip():
                continue
            untimed += 1
            start = start_after(raw)
        raw.append(RawCue(start, end, text, speaker=speaker_of(entry)))
    about: dict[str, Any] = data if isinstance(data, dict) else {}
    generated = about.get("is_generated")
    origin: Origin = "automatic" if generated is True else "human" if generated is False else "unknown"
    overlapping = sum(
        b.start_ms < a.end_ms for a, b in pairwise(raw) if a.end_ms is not None
    )  # lines stay while the next is written: only rolling captions do so throughout
    mended = mend(clip(raw) if overlapping * 2 > len(raw) else raw, "list of captions")
    video = about.get("video_id") or video_in(_only_list(about)[0])
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
        steps=(*steps, *mended.steps),
        uncertain=(*mended.uncertain, *put_after(untimed)),
    )
