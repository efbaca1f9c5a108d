"""The last step of every reader whose cues have times: from what stands in the file to a `Transcript`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from talksearch.indexer.records import Transcript

from .cue_times import Mended, RawCue

_TAG = re.compile(r"<[^<>\n]*>")


def finish(raw: Sequence[RawCue], mended: Mended, known: Transcript, notes: Iterable[str] = ()) -> Transcript:
    """Complete a transcript with its cues.

    Args:
        raw: the cues as they stand in the file, whose words are counted.
        mended: the same with times that can be, as `mend` returns them.
        known: what the reader knows beside the cues: format, origin, metadata, and its own steps and notes, which stand
            before those of `mended`.
        notes: sentences about what is uncertain that stand behind all others.
    """
    return replace(
        known,
        cues=mended.cues,
        timed=mended.timed,
        duration_ms=mended.duration_ms,
        words_before=count_words(raw),
        steps=(*known.steps, *mended.steps),
        uncertain=(*known.uncertain, *mended.uncertain, *notes),
    )


def count_words(raw: Iterable[RawCue]) -> int:
    """Count the words of speech that stand in the cues, repetitions too, tags not."""
    return len(_TAG.sub("", "\n".join(cue.text for cue in raw)).replace("&gt;&gt;", " ").split())
