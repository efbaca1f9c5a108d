"""Whisper's TSV: `start`, `end` in milliseconds and `text`, with tabs between."""

from __future__ import annotations

import re

from talksearch.indexer.records import Transcript

from .cue_times import RawCue, mend
from .vtt import count_words

ROW = re.compile(r"^(-?\d{1,12})\t(-?\d{1,12})\t([^\n]*)$", re.MULTILINE)
HEADER = re.compile(r"start\tend\ttext[ \t]*(?:\n|$)")


def read(text: str) -> Transcript:
    """Read a Whisper TSV file.

    Raises:
        UnreadableError: no cues, or times that cannot be.
    """
    first = 2 if HEADER.match(text) else 1
    raw: list[RawCue] = []
    for number, line in enumerate(text.split("\n")[first - 1 :], first):
        match = ROW.match(line)
        if match:
            raw.append(RawCue(int(match[1]), int(match[2]), match[3], number))
        elif line.strip() and raw:  # a line break inside the text
            last = raw[-1]
            raw[-1] = RawCue(last.start_ms, last.end_ms, f"{last.text}\n{line}", last.line)
    mended = mend(raw, "TSV file")
    return Transcript(
        format="tsv",
        cues=mended.cues,
        timed=mended.timed,
        origin="automatic",
        duration_ms=mended.duration_ms,
        words_before=count_words(raw),
        steps=mended.steps,
        uncertain=mended.uncertain,
    )
