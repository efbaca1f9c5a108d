"""Whisper's JSON: openai-whisper, faster-whisper, WhisperX (`segments`, seconds), whisper.cpp (`transcription`, ms)."""

from __future__ import annotations

from typing import Any

from talksearch.indexer.records import Transcript, Word

from .cue_times import RawCue, mend
from .json_values import string, timed_words
from .segments import put_after, speaker_of, start_after, times_of, unit_of, without_times
from .vtt import count_words


def matches(data: object) -> bool:
    """Whether parsed JSON has the shape."""
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


def read(data: Any) -> Transcript:
    """Read parsed Whisper JSON.

    Raises:
        UnreadableError: no cues, or times that cannot be.
    """
    about: dict[str, Any] = data if isinstance(data, dict) else {"segments": data}
    segments = about.get("segments")
    entries = [
        (text, entry)
        for entry in (segments if isinstance(segments, list) else about.get("transcription", []))
        if isinstance(entry, dict) and (text := string(entry.get("text")))
    ]
    per_unit, steps = unit_of(entries)
    raw: list[RawCue] = []
    notes = 0
    for text, entry in entries:
        start, end = times_of(entry, per_unit)
        if start is None:
            notes += 1
            start = start_after(raw)
        words = _words(entry.get("words"), text, start, per_unit)
        raw.append(RawCue(start, end, text, speaker=speaker_of(entry), words=words))
    mended = mend(raw, "Whisper file") if notes < len(raw) or not raw else without_times(raw)
    result = about.get("result")
    language = string(about.get("language")) or (string(result.get("language")) if isinstance(result, dict) else None)
    uncertain = put_after(notes) if mended.timed else ()
    return Transcript(
        format="whisper-json",
        cues=mended.cues,
        timed=mended.timed,
        origin="automatic",
        language=language,
        duration_ms=mended.duration_ms,
        words_before=count_words(raw),
        steps=(*steps, *mended.steps),
        uncertain=(*mended.uncertain, *uncertain),
    )


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
        parts.append((word, times_of(entry, per_unit)[0]))
    joined, words = timed_words(parts, start_ms)
    tokens = text.split()
    if joined.split() == tokens:
        return words
    # WhisperX gives its words without the spaces.
    joined, words = timed_words([(f" {word.strip()}", time) for word, time in parts], start_ms)
    return words if joined.split() == tokens else ()
