"""Chapters that a description lists with their times."""

from __future__ import annotations

import re

from talksearch.indexer.records import Chapter

from .clock import clock_ms

_CHAPTER = re.compile(
    r"^[^\w\n(\[]{0,4}[(\[]?((?:\d{1,2}:)?\d{1,3}:[0-5]\d)[)\]]?(?:[ \t]*[-–—→>][ \t]*(?:\d{1,2}:)?\d{1,3}:[0-5]\d)?"
    r"[ \t\-–—:|.•]*(\S.*?)?[ \t]*$"
)


_CHAPTER_BEHIND = re.compile(r"^(\S.*?)[ \t\-–—:|(\[]+((?:\d{1,2}:)?\d{1,3}:[0-5]\d)[)\]]?[ \t]*$")


def chapters_in(description: str) -> tuple[Chapter, ...]:
    """Chapters that a description lists, as YouTube takes them: rows with a time, three or more, rising from 0:00.

    >>> chapters_in("About it\\n0:00 Intro\\n1:05 - Why\\n(1:00:00) End")
    (Chapter(start_ms=0, title='Intro'), Chapter(start_ms=65000, title='Why'), Chapter(start_ms=3600000, title='End'))
    >>> chapters_in("At 10:30 we meet.\\n11:00 Lunch")
    ()
    """
    for pattern, time, title in ((_CHAPTER, 1, 2), (_CHAPTER_BEHIND, 2, 1)):
        found: list[Chapter] = []
        for row in description.split("\n"):
            match = pattern.match(row.strip(" \t\r"))
            if not match or not match[title]:
                continue
            start = clock_ms(match[time])
            if not found and start != 0:
                continue
            if not found or start > found[-1].start_ms:
                found.append(Chapter(start, match[title]))
        if len(found) >= 3:
            return tuple(found)
    return ()
