"""Whisper's JSON: openai-whisper, faster-whisper, WhisperX (`segments`, seconds), whisper.cpp (`transcription`, ms)."""

from __future__ import annotations

from typing import Any

from talksearch.indexer.records import Transcript, Word

from . import timed_json
from .cue_times import RawCue, mend
from .finish import finish
from .json_choice import is_mark
from .json_layout import counts_characters
from .json_source import parsed_json
from .json_values import string, timed_words
from .segments import put_after, speaker_of, start_after, times_of, unit_of, without_times
from .source_text import SourceText
from .whisper_inventions import Segment, invention_notes


def matches(source: SourceText) -> bool:
    """Say whether a file is Whisper's: it has the shape, and what it holds stands in segments.

    OpenAI's answers with times of words have the shape and an empty list of segments; `timed_json` reads these.
    """
    data = parsed_json(source)
    if not has_shape(data):
        return False
    if any(isinstance(entry.get("speaker"), dict) for entry in _entries(data)):
        return False  # `timed_json` knows where the names are
    timed = [times_of(entry)[0] is not None for entry in _entries(data)]
    if timed and sum(timed) * 2 <= len(timed) and _says_times(data):
        return False  # of days, as those of a calendar
    if isinstance(data, list) and counts_characters(
        (str(entry["text"]), *times_of(entry, 1)) for entry in data if "text" in entry
    ):
        return False  # places in a text
    return (bool(timed) and any(timed)) or not timed_json.matches(source)


def has_shape(data: object) -> bool:
    """Say whether parsed JSON has the shape of what a Whisper program writes."""
    if isinstance(data, list):
        return bool(data) and all(
            isinstance(entry, dict) and {"start", "end", "text"} <= entry.keys() and not {"duration"} & entry.keys()
            for entry in data[:20]
        )
    if not isinstance(data, dict):
        return False
    return any(
        isinstance(data.get(key), list) and all(isinstance(entry, dict) and "text" in entry for entry in data[key][:20])
        for key in ("segments", "transcription")
    )


def _entries(data: object) -> list[Any]:
    """Return the segments of what has the shape."""
    if isinstance(data, list):
        return data
    segments = data.get("segments") if isinstance(data, dict) else None
    entries = (
        segments if isinstance(segments, list) else data.get("transcription", []) if isinstance(data, dict) else []
    )
    return [entry for entry in entries if isinstance(entry, dict)]


def _says_times(data: object) -> bool:
    return any(isinstance(entry.get(key), str) and entry[key] for entry in _entries(data) for key in ("start", "end"))


def read(source: SourceText) -> Transcript:
    """Read Whisper's JSON.

    Raises:
        UnreadableError: no cues, or times that cannot be.
    """
    data = parsed_json(source)
    about: dict[str, Any] = data if isinstance(data, dict) else {"segments": data}
    entries = [(text, entry) for entry in _entries(about) if (text := string(entry.get("text")))]
    per_unit, steps = unit_of(entries)
    raw: list[RawCue] = []
    segments: list[Segment] = []
    untimed = 0
    for text, entry in entries:
        start, end = times_of(entry, per_unit)
        if start is None:
            untimed += 1
            start = start_after(raw)
        else:
            segments.append(Segment(text, start, end, entry))
        words = _words(entry.get("words") or entry.get("tokens"), text, start, per_unit)
        raw.append(RawCue(start, end, text, speaker=speaker_of(entry), words=words))
    mended = mend(raw, "Whisper file") if untimed < len(raw) or not raw else without_times(raw)
    result = about.get("result")
    language = string(about.get("language")) or (string(result.get("language")) if isinstance(result, dict) else None)
    known = Transcript("whisper-json", (), origin="automatic", language=language, steps=steps)
    notes = [*put_after(untimed), *invention_notes(segments)] if mended.timed else ()
    return finish(mended, known, notes)


def _words(entries: object, text: str, start_ms: int, per_unit: int) -> tuple[Word, ...]:
    """Word times, where together they are the words of the text; a word without a time takes the one before it."""
    if not isinstance(entries, list):
        return ()
    parts: list[tuple[str, int | None]] = []
    for entry in entries:
        if not isinstance(entry, dict):
            return ()
        word = entry.get("word", entry.get("text"))
        if not isinstance(word, str):
            return ()
        if is_mark(word):  # of whisper.cpp's `-ojf`
            continue
        parts.append((word, times_of(entry, per_unit)[0]))
    joined, words = timed_words(parts, start_ms)
    tokens = text.split()
    if joined.split() == tokens:
        return words
    # WhisperX gives its words without the spaces.
    joined, words = timed_words([(f" {word.strip()}", time) for word, time in parts], start_ms)
    return words if joined.split() == tokens else ()
