"""Chapters that a description lists with their times."""

from __future__ import annotations

import re

from talksearch.indexer.records import Chapter

from .clock import clock_ms

_CHAPTER = re.compile(
    r"^[^\w\n(\[]{0,4}[(\[]?((?:\d{1,2}:)?\d{1,3}:[0-5]\d)[)\]]?(?:[ \t]*[-–—→>][ \t]*(?:\d{1,2}:)?\d{1,3}:[0-5]\d)?"
    r"[ \t\-–—:|.•]*+(\S.*)?$"
)
"""A row that begins with a time, or a span of times, and goes on with the title."""
_TIME_BEHIND = re.compile(r"[ \t\-–—:|(\[]((?:\d{1,2}:)?\d{1,3}:[0-5]\d)[)\]]?$")
"""The end of a row that ends with the time."""
_BETWEEN = " \t-–—:|(["
_LONGEST_TIME = 12
"""Characters of a time with a bracket behind it and one sign before."""
_FEWEST_CHAPTERS = 3
"""YouTube shows no chapters where a description has fewer rows with times."""


def chapters_in(description: str) -> tuple[Chapter, ...]:
    """Chapters that a description lists, as YouTube takes them: rows with a time, three or more, rising from 0:00.

    >>> chapters_in("About it\\n0:00 Intro\\n1:05 - Why\\n(1:00:00) End")
    (Chapter(start_ms=0, title='Intro'), Chapter(start_ms=65000, title='Why'), Chapter(start_ms=3600000, title='End'))
    >>> chapters_in("At 10:30 we meet.\\n11:00 Lunch")
    ()
    """
    for read in (_time_first, _time_last):
        chapters: list[Chapter] = []
        for row in description.split("\n"):
            time, title = read(row.strip(" \t\r"))
            if not title:
                continue
            start = clock_ms(time)
            if not chapters and start != 0:
                continue
            if not chapters or start > chapters[-1].start_ms:
                chapters.append(Chapter(start, title))
        if len(chapters) >= _FEWEST_CHAPTERS:
            return tuple(chapters)
    return ()


def _time_first(row: str) -> tuple[str, str]:
    match = _CHAPTER.match(row)
    return (match[1], match[2] or "") if match else ("", "")


def _time_last(row: str) -> tuple[str, str]:
    # The time is looked for at the end alone, because to look for it behind each sign takes the square of them.
    match = _TIME_BEHIND.search(row, max(0, len(row) - _LONGEST_TIME))
    return (match[1], row[: match.start()].rstrip(_BETWEEN)) if match else ("", "")
