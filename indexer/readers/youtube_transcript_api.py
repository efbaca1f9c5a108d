"""What youtube-transcript-api gives: a list of `text`, `start` and `duration` in seconds, bare or as `snippets`."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from talksearch.indexer.records import Origin, Transcript
from talksearch.indexer.text.youtube import is_id, watch_url

from . import whisper_json
from .cue_times import RawCue, mend
from .finish import finish
from .json_keys import holds_no_speech
from .json_source import parsed_json
from .json_talks import says_kind
from .json_values import string
from .segments import put_after, speaker_of, start_after, times_of, unit_of
from .source_text import SourceText
from .youtube_json3 import clip

_KEYS = frozenset(("text", "start", "duration", "dur", "offset", "end", "lang", "language", "speaker"))
"""Keys of its entries, and of those that libraries like it write. What has others is for `timed_json` to judge."""
_GENERATED = re.compile(r'"is_generated":\s*(true|false)')
_VIDEO_ID = re.compile(r'"video_id":\s*"([A-Za-z0-9_-]{11})"')
_ONLY_KEY = re.compile(r'\s*\{\s*"([^"]{11})"\s*:')


def matches(source: SourceText) -> bool:
    """Say whether most entries of a list have a text and a start, and the list is not Whisper's."""
    data = parsed_json(source)
    entries = _entries(data)
    good = sum(_is_cue(entry) for entry in entries)
    return good > 0 and good * 2 > len(entries) and not whisper_json.has_shape(data)


def origin(source: SourceText) -> Origin:
    """Tell who wrote the captions, where the file says it."""
    generated = _GENERATED.search(source.text)
    if generated is None:
        return "unknown"
    return "automatic" if generated[1] == "true" else "human"


def address(source: SourceText) -> str | None:
    """Return the address of the video that the file names."""
    named = _VIDEO_ID.search(source.text)
    only_key = _ONLY_KEY.match(source.text)
    video = named[1] if named else video_in(only_key[1]) if only_key else None
    return watch_url(video) if video else None


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
    return key, value if isinstance(value, list) and not (says_kind(key) or holds_no_speech((key,))) else []


def video_in(key: str) -> str | None:
    """Return a key of JSON where it is a video's id and not a word of eleven letters.

    >>> video_in("DTcRLlMv4_o"), video_in("transcripts"), video_in("captionList"), video_in("my_captions")
    ('DTcRLlMv4_o', None, None, None)
    """
    named = any(char.isdigit() for char in key) or sum(char.isupper() for char in key) > 2
    return key if is_id(key) and named else None


def _is_cue(entry: object) -> bool:
    if not isinstance(entry, dict) or not isinstance(entry.get("text"), str) or not entry.keys() <= _KEYS:
        return False
    return times_of(entry)[0] is not None


def read(source: SourceText) -> Transcript:
    """Read the output of youtube-transcript-api.

    Raises:
        UnreadableError: no cues, or times that cannot be.
    """
    data = parsed_json(source)
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
    # Lines stay while the next is written: only rolling captions do so throughout.
    overlapping = sum(following.start_ms < cue.end_ms for cue, following in pairwise(raw) if cue.end_ms is not None)
    mended = mend(clip(raw) if overlapping * 2 > len(raw) else raw, "list of captions")
    video = about.get("video_id") or video_in(_only_list(about)[0])
    known = Transcript(
        format="ytapi",
        cues=(),
        origin="automatic" if generated is True else "human" if generated is False else "unknown",
        title=string(about.get("title")),
        url=watch_url(video) if isinstance(video, str) and is_id(video) else None,
        language=string(about.get("language_code")),
        steps=steps,
    )
    return finish(mended, known, put_after(untimed))
