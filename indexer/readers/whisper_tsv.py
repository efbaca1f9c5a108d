"""Whisper's TSV: `start`, `end` in milliseconds and `text`, with tabs between."""

from __future__ import annotations

import re

from talksearch.indexer.records import Transcript

from .cue_times import RawCue, mend
from .finish import finish
from .source_text import SourceText

_ROW = re.compile(r"^(-?\d{1,12})\t(-?\d{1,12})\t([^\n]*)$", re.MULTILINE)
_HEADER = re.compile(r"start\tend\ttext[ \t]*(?:\n|$)")


def matches(source: SourceText) -> bool:
    """Say whether it is Whisper's table, or has its header at least."""
    return _HEADER.match(source.stripped) is not None or is_whispers(source)


def is_whispers(source: SourceText) -> bool:
    """Say whether a table is Whisper's own, in whole milliseconds."""
    text = source.stripped
    header = _HEADER.match(text)
    first = _ROW.match(text, header.end()) if header else _ROW.match(text)
    return first is not None and (header is not None or len(_ROW.findall(text)) * 2 > text.count("\n"))


def read(source: SourceText) -> Transcript:
    """Read a Whisper TSV file.

    Raises:
        UnreadableError: no cues, or times that cannot be.
    """
    text = source.text
    first = 2 if _HEADER.match(text) else 1
    raw: list[RawCue] = []
    for number, line in enumerate(text.split("\n")[first - 1 :], first):
        match = _ROW.match(line)
        if match:
            raw.append(RawCue(int(match[1]), int(match[2]), match[3], number))
        elif line.strip() and raw:  # a line break inside the text
            last = raw[-1]
            raw[-1] = RawCue(last.start_ms, last.end_ms, f"{last.text}\n{line}", last.line)
    return finish(mend(raw, "TSV file"), Transcript("tsv", (), origin="automatic"))
