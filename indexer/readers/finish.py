"""The last step of every reader whose cues have times: from what stands in the file to a `Transcript`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from talksearch.indexer.records import Transcript

from .cue_times import Mended


def finish(mended: Mended, known: Transcript, notes: Iterable[str] = ()) -> Transcript:
    """Complete a transcript with its cues.

    Args:
        mended: its cues with times that can be, as `mend` returns them.
        known: what the reader knows beside the cues: format, origin, metadata, and its own steps and notes, which stand
            before those of `mended`.
        notes: sentences about what is uncertain that stand behind all others.
    """
    return replace(
        known,
        cues=mended.cues,
        timed=mended.timed,
        duration_ms=mended.duration_ms,
        steps=(*known.steps, *mended.steps),
        uncertain=(*known.uncertain, *mended.uncertain, *notes),
    )
