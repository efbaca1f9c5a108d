"""When each line of an untimed talk was said, as far as that can be known."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from .flat import PAUSE_MARK_MS, count_words, width_of
from .records import Chapter, Cue, Step

_CHAPTER = re.compile(r"^\W{0,4}\(?((?:\d{1,2}:)?\d{1,3}:[0-5]\d)\)?[ \t\-–—:|]*(\S.*?)?\s*$")


def chapters_in(description: str) -> tuple[Chapter, ...]:
    """Chapters that a description lists, as YouTube reads them: rows that begin with a time, rising from 0:00.

    >>> chapters_in("About it\\n0:00 Intro\\n1:05 - Why\\n1:00:00 End")
    (Chapter(start_ms=0, title='Intro'), Chapter(start_ms=65000, title='Why'), Chapter(start_ms=3600000, title='End'))
    """
    found: list[Chapter] = []
    for row in description.split("\n"):
        match = _CHAPTER.match(row.strip())
        if match and match[2]:
            seconds = 0
            for part in match[1].split(":"):
                seconds = seconds * 60 + int(part)
            if found and seconds * 1000 <= found[-1].start_ms:
                continue
            found.append(Chapter(seconds * 1000, match[2]))
    return tuple(found) if len(found) >= 3 and found[0].start_ms == 0 else ()


def estimate_times(
    cues: Sequence[Cue],
    duration_ms: int | None,
    description: str,
    chapters: Sequence[Chapter],
) -> tuple[tuple[Cue, ...], int, Step]:
    """Give untimed cues times: the timed cues, the margin in milliseconds, and what it was worked out from."""
    weights = [width_of(cue.text) + 12 + (70 if cue.end_ms == PAUSE_MARK_MS else 0) for cue in cues]
    total = sum(weights) or 1
    words = sum(count_words(cue.text) for cue in cues)
    length = duration_ms if duration_ms else words * 400
    margin = max(2000, length // (40 if duration_ms else 6))
    timed = []
    position = 0
    for cue, weight in zip(cues, weights, strict=True):
        start = position * length // total
        position += weight
        timed.append(replace(cue, start_ms=start, end_ms=position * length // total))
    step = Step("estimate-times", "cues", {"from": "duration" if duration_ms else "words", "margin_ms": margin})
    return tuple(timed), margin, step
