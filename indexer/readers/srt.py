"""SubRip (`.srt`), by its time lines alone: numbers and blank lines are often wrong or missing.

ffmpeg keeps the empty upper row of YouTube's rolling cues as an empty line inside the cue; it is kept here, because it
tells that the row below is new.
"""

from __future__ import annotations

from talksearch.indexer.records import Transcript

from .cue_blocks import read_blocks
from .cue_times import mend
from .vtt import count_words, origin_of


def read(text: str, name: str = "") -> Transcript:
    """Read a SubRip file.

    Raises:
        UnreadableError: no cues, or times that cannot be.
    """
    raw = read_blocks(text)
    mended = mend(raw, "SubRip file")
    return Transcript(
        format="srt",
        cues=mended.cues,
        timed=mended.timed,
        origin=origin_of(text, name),
        duration_ms=mended.duration_ms,
        words_before=count_words(raw),
        steps=mended.steps,
        uncertain=mended.uncertain,
    )
