"""What was repaired in a talk, at the places where it stands now: the text before, the text after, how certain it is.

A receipt counts the characters of the text as it was before the repairs. Here they are counted in the text that is
indexed, for who wants to show them in it. Tidying, which follows a repair, may have taken invisible characters out, so
a place is looked for a little before where it should be.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from talksearch.indexer.mojibake import Edit
from talksearch.indexer.records import Talk
from talksearch.indexer.restore.normalize import normalize_text

from .receipt import edits_of

_REPAIR = "repair-text"


@dataclass(frozen=True, slots=True)
class Repaired:
    """A stretch of a text that was repaired, or that is damaged and was left."""

    start: int
    end: int
    """Characters of the text as it is indexed."""
    before: str
    after: str
    """As it stands there; the same as `before` where no reading was certain enough."""
    certain: bool
    """False where other readings are possible."""
    alternatives: tuple[str, ...] = ()
    """Other possible readings, likeliest first."""


def repairs_in(talk: Talk) -> dict[int, tuple[Repaired, ...]]:
    """Return what was repaired in the texts of a talk's cues, by the position of the cue; cues without any are left
    out. So is a repair of which tidying left nothing.
    """
    edits = _edits(talk, "cues")
    if not edits:
        return {}
    found: dict[int, list[Repaired]] = {}
    position, cue_start = 0, 0
    for one in _placed("\n".join(cue.text for cue in talk.cues), edits):
        while one.start > cue_start + len(talk.cues[position].text):
            cue_start += len(talk.cues[position].text) + 1
            position += 1
        inside = replace(one, start=one.start - cue_start, end=one.end - cue_start)
        found.setdefault(position, []).append(inside)
    return {position: tuple(repairs) for position, repairs in found.items()}


def repairs_of(talk: Talk, field: str) -> tuple[Repaired, ...]:
    """Return what was repaired in a talk's `title`, `channel`, `speaker` or `description`."""
    return tuple(_placed(getattr(talk, field) or "", _edits(talk, field)))


def repaired_names(talk: Talk) -> dict[str, str]:
    """Return how the names of those who speak were written before they were repaired, by the name as it is now."""
    names: dict[str, str] = {}
    for step in talk.receipt.steps:
        if step.name == _REPAIR and step.field == "speakers":
            names |= {after: before for before, after in step.detail["names"].items()}
    return names


def _edits(talk: Talk, field: str) -> tuple[Edit, ...]:
    steps = [step for step in talk.receipt.steps if step.name == _REPAIR and step.field == field]
    # A field has one repair: chapters, which have one each, are not asked for.
    return edits_of(steps[0].detail) if steps else ()


def _placed(text: str, edits: tuple[Edit, ...]) -> Iterator[Repaired]:
    """Yield edits with their places in the text that they and the tidying behind them led to.

    >>> edit = Edit(6, 8, "Ã©", "é", "windows-1252", True)
    >>> list(_placed("a café", (edit,)))  # a blank was taken out in front
    [Repaired(start=5, end=6, before='Ã©', after='é', certain=True, alternatives=())]
    """
    shift = 0
    """How much further left things stand than before the repairs, below zero where further right."""
    last_end = 0
    for edit in edits:
        expected = edit.start - shift
        shift += len(edit.before) - len(edit.after)
        for written in (edit.after, normalize_text(edit.after)):
            place = text.rfind(written, last_end, expected + len(written)) if written else -1
            if place >= 0:
                shift += expected - place
                last_end = place + len(written)
                yield Repaired(place, last_end, edit.before, written, edit.certain, edit.alternatives)
                break
