"""What may be written about a talk at most, whichever file it comes from; what is beyond is left out and told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from talksearch.indexer.records import Chapter
from talksearch.indexer.restore.normalize import LATEST_MS

LONGEST_LINE = 1_000
"""Characters of a title, a name or the title of a chapter; YouTube's titles have 100 at most."""
LONGEST_DESCRIPTION = 50_000
"""Characters; YouTube allows 5,000, and notes of podcasts seldom have 20,000."""
_MOST_CHAPTERS = 2_000
_TOLD = 40
"""Characters of what was left out that a sentence shows."""


def bounded_text(text: str, what: str, most: int, notes: list[str]) -> str:
    """Return the first `most` characters of a text about a talk; where it has more, `notes` gets a sentence."""
    if len(text) <= most:
        return text
    notes.append(f"The {what} has {len(text):,} characters; those behind the first {most:,} were left out.")
    return text[:most]


def bounded_length(duration_ms: int | None, notes: list[str]) -> int | None:
    """Return a length in milliseconds that a talk may have, else None and a sentence in `notes`."""
    if duration_ms is None or 0 < duration_ms < LATEST_MS:
        return duration_ms
    notes.append(f"A length of {str(duration_ms)[:_TOLD]} milliseconds is none and was left out.")
    return None


def bounded_chapters(chapters: Sequence[Chapter], notes: list[str]) -> tuple[Chapter, ...]:
    """Return the chapters whose times and titles can be, no more than can be shown; `notes` gets what was left out."""
    kept = [chapter for chapter in chapters if 0 <= chapter.start_ms < LATEST_MS]
    if len(kept) < len(chapters):
        notes.append(f"{len(chapters) - len(kept):,} chapters begin where no talk has a second; they were left out.")
    if len(kept) > _MOST_CHAPTERS:
        notes.append(f"There are {len(kept):,} chapters; those behind the first {_MOST_CHAPTERS:,} were left out.")
    return tuple(
        replace(chapter, title=bounded_text(chapter.title, "title of a chapter", LONGEST_LINE, notes))
        if len(chapter.title) > LONGEST_LINE
        else chapter
        for chapter in kept[:_MOST_CHAPTERS]
    )
