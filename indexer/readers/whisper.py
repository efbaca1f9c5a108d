"""Whisper's JSON: openai-whisper, faster-whisper, WhisperX (`segments`, seconds), whisper.cpp (`transcription`, ms)."""

from __future__ import annotations

from typing import Any

from ..records import Transcript, Word
from .jsons import milliseconds, string, timed_words
from .times import RawCue, mend, parse_clock
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
    raw: list[RawCue] = []
    notes = 0
    for entry in segments if isinstance(segments, list) else about.get("transcription", []):
        if not isinstance(entry, dict):
            continue
        text = string(entry.get("text"))
        if not text:
            continue
        start, end = _times(entry)
        if start is None:
            notes += 1
            start = raw[-1].end_ms or raw[-1].start_ms if raw else 0
        words = _words(entry.get("words"), text, start)
        raw.append(RawCue(start, end, text, speaker=string(entry.get("speaker")), words=words))
    mended = mend(raw, "Whisper file")
    result = about.get("result")
    language = string(about.get("language")) or (string(result.get("language")) if isinstance(result, dict) else None)
    uncertain = (f"{notes} segments had no start; they were put after the ones before them.",) if notes else ()
    return Transcript(
        format="whisper-json",
        cues=mended.cues,
        timed=mended.timed,
        origin="automatic",
        language=language,
        duration_ms=mended.duration_ms,
        words_before=count_words(raw),
        steps=mended.steps,
        uncertain=(*mended.uncertain, *uncertain),
    )


def _times(entry: dict[str, Any]) -> tuple[int | None, int | None]:
    offsets = entry.get("offsets")
    if isinstance(offsets, dict):
        return milliseconds(offsets.get("from"), 1), milliseconds(offsets.get("to"), 1)
    stamps = entry.get("timestamps")
    if isinstance(stamps, dict):
        return parse_clock(str(stamps.get("from"))), parse_clock(str(stamps.get("to")))
    return milliseconds(entry.get("start")), milliseconds(entry.get("end"))


def _words(entries: object, text: str, start_ms: int) -> tuple[Word, ...]:
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
        parts.append((word, milliseconds(entry.get("start"))))
    joined, words = timed_words(parts, start_ms)
    tokens = text.split()
    if joined.split() == tokens:
        return words
    # WhisperX gives its words without the spaces.
    joined, words = timed_words([(f" {word.strip()}", time) for word, time in parts], start_ms)
    return words if joined.split() == tokens else ()
