"""Segments of a live stream (HLS) in one WebVTT file, each with its own clock: `X-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:0`.

https://www.rfc-editor.org/rfc/rfc8216#section-3.5

The map says which moment of the stream, in 1/90,000 s, a local time of the segment is. Where the stream begins nothing
says, so the clock of the first segment is kept and the others are moved by what theirs differ from it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from talksearch.indexer.records import Step
from talksearch.indexer.text.clock import parse_clock

from .raw_cue import RawCue, moved

_MAP = re.compile(r"^X-TIMESTAMP-MAP=(.*)$", re.MULTILINE)
_MPEGTS = re.compile(r"MPEGTS:[ \t]*(\d{1,12})")
_LOCAL = re.compile(r"LOCAL:[ \t]*([\d:.]+)")
_PER_MS = 90
_WRAP = 2**33
"""Where the stream's clock begins again, after 26.5 hours."""
_SLACK_MS = 1_000


@dataclass(frozen=True, slots=True)
class _Clock:
    line: int
    """Where its map stands, from 1."""
    stream_ms: int
    local_ms: int

    @property
    def offset_ms(self) -> int:
        return self.stream_ms - self.local_ms


def on_one_clock(text: str, raw: Sequence[RawCue]) -> tuple[list[RawCue], tuple[Step, ...]]:
    """Count the times of all segments on the clock of the first.

    Some programs write times of the whole stream and a map as if they were those of the segment. It shows where no
    segment has a time that lies before the segment itself; these are left as they are.

    Args:
        text: the file.
        raw: its cues, with their lines.

    Returns:
        The cues, and the step to note where any was moved.
    """
    cues = list(raw)
    if text.count("X-TIMESTAMP-MAP=") < 2:
        return cues, ()
    clocks = _clocks(text)
    if len({clock.offset_ms for clock in clocks}) < 2:
        return cues, ()
    lines = [clock.line for clock in clocks]
    places = [max(0, bisect_right(lines, cue.line) - 1) for cue in cues]
    if all(
        cue.start_ms + _SLACK_MS >= clocks[place].stream_ms - clocks[0].stream_ms + clocks[0].local_ms
        for cue, place in zip(cues, places, strict=True)
    ):
        return cues, ()
    offsets = [clock.offset_ms - clocks[0].offset_ms for clock in clocks]
    shifted = [moved(cue, offsets[place]) if offsets[place] else cue for cue, place in zip(cues, places, strict=True)]
    count = sum(offsets[place] != 0 for place in places)
    return shifted, (Step("join-segments", "cues", {"segments": len(clocks), "cues": count, "offset_ms": offsets[-1]}),)


def _clocks(text: str) -> list[_Clock]:
    """Return the clocks of the segments, in order; a map that lacks a time says nothing."""
    clocks: list[_Clock] = []
    line, done, wraps, last = 1, 0, 0, 0
    for match in _MAP.finditer(text):
        line += text.count("\n", done, match.start())
        done = match.start()
        stream, local = _MPEGTS.search(match[1]), _LOCAL.search(match[1])
        local_ms = parse_clock(local[1]) if local else None
        if stream is None or local_ms is None:
            continue
        ticks = int(stream[1])
        wraps += ticks + _WRAP // 2 < last
        last = ticks
        clocks.append(_Clock(line, (ticks + wraps * _WRAP) // _PER_MS, local_ms))
    return clocks
