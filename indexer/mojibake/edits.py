"""What a repair did: edits that can be replayed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Edit:
    """One stretch of text put back, or marked. `start` and `end` count characters of the original text."""

    start: int
    end: int
    before: str
    after: str
    rule: str
    """The code page it had been read in: `windows-1254`, `windows-1252 twice`."""
    certain: bool
    """False: other readings are possible. Where `before` equals `after`, none was likely enough to be written down."""
    alternatives: tuple[str, ...] = ()
    """What else it may have been, likeliest first."""


@dataclass(frozen=True, slots=True)
class Repair:
    """The repaired text and everything that was done to get it."""

    text: str
    edits: tuple[Edit, ...] = ()

    @property
    def repaired(self) -> dict[str, int]:
        """Characters put back, by rule."""
        counts: Counter[str] = Counter()
        for edit in self.edits:
            if edit.after != edit.before:
                counts[edit.rule] += len(edit.after)
        return dict(counts)

    @property
    def uncertain(self) -> tuple[Edit, ...]:
        """What has other possible readings, and what was left as it stood."""
        return tuple(edit for edit in self.edits if not edit.certain)


def replay(text: str, edits: Iterable[Edit]) -> str:
    """Apply edits to the text they were made for.

    >>> replay("cafÃ© noir", [Edit(3, 5, "Ã©", "é", "windows-1252", True)])
    'café noir'
    """
    parts = []
    done = 0
    for edit in edits:
        parts += [text[done : edit.start], edit.after]
        done = edit.end
    return "".join([*parts, text[done:]])
