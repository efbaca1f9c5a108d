"""What a repair did to a text: edits that can be replayed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Edit:
    """One stretch of text that was repaired or marked. `start` and `end` count characters of the original text."""

    start: int
    end: int
    before: str
    after: str
    rule: str
    """The code pages with which the text had been decoded: `windows-1254`, `windows-1252 twice`. Receipts keep it."""
    certain: bool
    """False where other readings are possible. Where `before` equals `after`, no reading was likely enough."""
    alternatives: tuple[str, ...] = ()
    """Other possible readings, likeliest first."""


@dataclass(frozen=True, slots=True)
class Repair:
    """The repaired text and every edit that led to it."""

    text: str
    edits: tuple[Edit, ...] = ()
    gave_up: bool = False
    """The text may be damaged, and to put it back would have been more work than it may be."""

    @property
    def repaired(self) -> dict[str, int]:
        """How many characters were put back, by rule."""
        counts: Counter[str] = Counter()
        for edit in self.edits:
            if edit.after != edit.before:
                counts[edit.rule] += len(edit.after)
        return dict(counts)

    @property
    def uncertain(self) -> tuple[Edit, ...]:
        """The edits that have other possible readings, and the marks where the text stayed as it was."""
        return tuple(edit for edit in self.edits if not edit.certain)


def replay(text: str, edits: Iterable[Edit]) -> str:
    """Apply edits to the text for which they were made.

    >>> replay("cafÃ© noir", [Edit(3, 5, "Ã©", "é", "windows-1252", True)])
    'café noir'
    """
    parts = []
    position = 0
    for edit in edits:
        parts += [text[position : edit.start], edit.after]
        position = edit.end
    return "".join([*parts, text[position:]])
