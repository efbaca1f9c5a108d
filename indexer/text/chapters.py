"""Chapters that a description lists with their times."""

from __future__ import annotations

import re

from talksearch.indexer.records import Chapter

from .clock import clock_ms

_CHAPTER = re.compile(
    r"^[^\w\n(\[]{0,4}[(\[]?((?:\d{1,2}:)?\d{1,3}:[0-5]\d)[)\]]?(?:[ \t]*[-–—→>][ \t]*(?:\d{1,2}:)?\d{1,3}:[0-5]\d)?"
    r"[ \t\-–—:|.•]*(\S.*?)?[ \t]*$"
)
"""A row that begins with a time, or a span of times, and goes on with the title."""
_CHAPTER_BEHIND = re.compile(r"^(\S.*?)[ \t\-–—:|(\[]+((?:\d{1,2}:)?\d{1,3}:[0-5]\d)[)\]]?[ \t]*$")
"""A row that ends with the time."""
_FEWEST_CHAPTERS = 3
"""YouTube shows no chapters where a description has fewer rows with times."""


def chapters_in(description: str) -> tuple[Chapter, ...]:
    """Chapters that a description lists, as YouTube takes them: rows with a time, three or more, rising from 0:00.

    >>> chapters_in("About it\\n0:00 Intro\\n1:05 - Why\\n(1:00:00) End")
    (Chapter(start_ms=0, title='Intro'), Chapter(start_ms=65000, title='Why'), Chapter(start_ms=3600000, title='End'))
    >>> chapters_in("At 10:30 we meet.\\n11:00 Lunch")
    ()
    """
    for pattern, time, title in ((_CHAPTER, 1, 2), (_CHAPTER_BEHIND, 2, 1)):
        chapters: list[Chapter] = []
        for row in description.split("\n"):
            match = pattern.match(row.strip(" \t\r"))
            if not match or not match[title]:
                continue
            start = clock_ms(match[time])
            if not chapters and start != 0:
                continue
            if not chapters or start > chapters[-1].start_ms:
                chapters.append(Chapter(start, match[title]))
        if len(chapters) >= _FEWEST_CHAPTERS:
            return tuple(chapters)
    return ()
