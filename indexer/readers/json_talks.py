"""Whether a JSON value holds several talks, and lists of one conversation that lie under the names of its speakers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from .segments import text_of, times_of

_LISTS = frozenset((
    "segments", "words", "result", "results", "utterances", "chunks", "speakers", "transcript", "transcripts",
    "captions", "subtitles", "cues", "snippets", "sentences", "turns", "paragraphs", "monologues", "transcription",
    "lines", "phones", "tokens", "phrases", "translation", "translations", "text", "items", "entries", "events",
    "timeline",
))  # fmt: skip
"""Keys that say what a list holds, and neither which talk it is of nor who speaks."""
_TALKS = (
    "video_id", "videoid", "youtube_id", "youtubeid", "talk_id", "episode_id", "episodeid", "video_url", "videourl",
    "audio_filepath", "audio_file", "audio_path", "file", "filename", "file_name", "media_id", "url",
)  # fmt: skip
"""Keys that name a recording, in small letters."""
_RECORDINGS = ("video", "talk", "episode", "recording", "media", "document")
"""Keys of what describes a recording, or names it."""
_DESCRIPTIONS = ("metadata", "_source", "fields", "payload", "document", "source")
_MOST_OVERLAP = 0.15
"""Share of the time of speech in which the speakers of one conversation speak at once, at most."""


def says_kind(key: str) -> bool:
    """Say whether a key tells what a list holds, and is no name.

    >>> says_kind("segments"), says_kind("DTcRLlMv4_o")
    (True, False)
    """
    return key.lower() in _LISTS


def holds_several(data: object) -> bool:
    """Say whether parsed JSON holds the lists of several videos, by their names: they are spoken at the same time."""
    lists = _named_lists(data)
    return len(lists) > 1 and not _take_turns(list(lists.values()))


def by_speaker(data: object) -> dict[str, list[dict[str, Any]]]:
    """Return the lists of one conversation by who speaks; nothing where an object holds none, or several talks."""
    lists = _named_lists(data)
    return lists if len(lists) > 1 and _take_turns(list(lists.values())) else {}


def _named_lists(data: object) -> dict[str, list[dict[str, Any]]]:
    if not isinstance(data, dict):
        return {}
    return {
        key: value
        for key, value in data.items()
        if isinstance(value, list) and value and not says_kind(key) and all(map(_is_cue, value))
    }


def _is_cue(entry: object) -> bool:
    return isinstance(entry, dict) and text_of(entry) is not None and times_of(entry)[0] is not None


def _take_turns(lists: Sequence[Sequence[dict[str, Any]]]) -> bool:
    """Say whether what lies in several lists is said one after the other, as far as it has ends."""
    spans = sorted(
        (start, end) for entries in lists for start, end in map(times_of, entries) if start is not None and end
    )
    if len(spans) < sum(map(len, lists)):
        return False
    spoken = sum(end - start for start, end in spans)
    at_once = sum(max(min(end, until) - begin, 0) for (_, end), (begin, until) in pairwise(spans))
    return spoken > 0 and at_once <= spoken * _MOST_OVERLAP


def names_several(holders: Iterator[dict[str, Any]]) -> bool:
    """Say whether objects name several recordings."""
    named: dict[str, str] = {}
    described = (
        [holder, *(holder[key] for key in _DESCRIPTIONS if isinstance(holder.get(key), dict))] for holder in holders
    )
    for holder in (each for several in described for each in several):
        for key, value in holder.items():
            name = key.lower()
            if name in _RECORDINGS and isinstance(value, dict):
                value = next((value[key] for key in ("id", "url", "title", "name") if value.get(key)), None)
            elif name not in _TALKS and name not in _RECORDINGS:
                continue
            if isinstance(value, (str, int)) and named.setdefault(name, str(value)) != str(value):
                return True
    return False
