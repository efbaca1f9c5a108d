"""A cue as it stands in a file, before its times are mended."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from talksearch.indexer.records import Word
from talksearch.indexer.text.clock import caption_clock, clock_ms

_TAG = re.compile(r"<[^<>\n]*>")
_WORD_TIME = re.compile(r"<((?:\d+:)?\d{1,3}:\d{2}(?:[.,]\d{1,3})?)>")


@dataclass(slots=True)
class RawCue:
    """A cue as it stands in a file: its times in milliseconds may be negative, backwards or absurd.

    Never changed; frozen ones take three times as long to make.
    """

    start_ms: int
    end_ms: int | None
    """None where the file gives no end: it lasts until the next cue."""
    text: str
    line: int = 0
    """Line number in the file, from 1; 0 where lines mean nothing (JSON)."""
    speaker: str | None = None
    words: tuple[Word, ...] = ()
    identifier: str | None = None
    """What stands above the time line and is no number alone: WebVTT's name of the cue, or the speaker's."""


def count_units(text: str) -> int:
    """Count words; in scripts without spaces four bytes of UTF-8 count for one, which is near enough for speed checks.

    >>> count_units("one two three"), count_units("我们今天来谈谈相对论")
    (3, 7)
    """
    return len(text.split()) if text.isascii() else max(len(text.split()), (len(text.encode()) - len(text)) // 3 + 1)


def spoken(text: str) -> str:
    """Return a text without its tags.

    >>> spoken("So<00:01.500><c> long</c>")
    'So long'
    """
    return _TAG.sub("", text) if "<" in text else text


def moved(cue: RawCue, offset_ms: int) -> RawCue:
    """Put a cue later by so many milliseconds, or sooner where they are negative, with the times of its words.

    >>> moved(RawCue(1_000, None, "So<00:01.500> long"), 2_000)
    RawCue(start_ms=3000, end_ms=None, text='So<00:00:03.500> long', line=0, speaker=None, words=(), identifier=None)
    """
    words = tuple(Word(word.text, word.start_ms + offset_ms) for word in cue.words)
    text = cue.text
    if "<" in text:
        text = _WORD_TIME.sub(lambda match: f"<{caption_clock(clock_ms(match[1]) + offset_ms)}>", text)
    end_ms = None if cue.end_ms is None else cue.end_ms + offset_ms
    return replace(cue, start_ms=cue.start_ms + offset_ms, end_ms=end_ms, text=text, words=words)


def slowed(cue: RawCue, divisor: int) -> RawCue:
    """Take a part of every time of a cue; those inside its text are left out, as nothing says what they count."""
    end_ms = None if cue.end_ms is None else cue.end_ms // divisor
    words = tuple(Word(word.text, word.start_ms // divisor) for word in cue.words)
    return replace(cue, start_ms=cue.start_ms // divisor, end_ms=end_ms, text=_WORD_TIME.sub("", cue.text), words=words)
