"""Cues that stand in a file several times: at the borders of segments, and where a live stream repeats its last ones.

A player of HLS gets captions in segments, and a cue that is shown across a border stands in both (RFC 8216, 3.5).
Whoever writes the segments into one file has it twice.
"""

from __future__ import annotations

from dataclasses import replace

from talksearch.indexer.records import Step
from talksearch.indexer.text.counting import count_words

from .raw_cue import RawCue, spoken

_NEAR = 100
"""Cues. A stream repeats no more of what it has shown."""
_SAME_MS = 10
"""Times of one cue differ by no more than this from segment to segment."""
_BACK_MS = 30_000
"""A segment that goes back by more than this, to the very beginning, may be another recording."""


def without_copies(raw: list[RawCue], steps: list[Step]) -> list[RawCue]:
    """Leave out every cue that stands a little above with the same time, speaker and words.

    Args:
        raw: cues in the order of the file.
        steps: is added to.

    What is said again has other times, so it stays. Where a copy ends later than what was kept, that lasts as long.
    """
    kept: list[RawCue] = []
    places: dict[str, int] = {}
    copies = words = 0
    repeats = False  # the times fell back, to a cue that stands above: what follows is a segment
    highest_ms = before_ms = -1
    for cue in raw:
        text = cue.text.strip()
        falls_back = cue.start_ms < before_ms
        before_ms = cue.start_ms
        place = places.get(text, -1) if text else -1
        same = place >= 0 and len(kept) - place <= _NEAR and _is_same(kept[place], cue)
        if falls_back:
            repeats = same and (place > 0 or highest_ms - cue.start_ms <= _BACK_MS)
        if same and (repeats or not falls_back):
            copies += 1
            words += count_words(spoken(cue.text))
            above = kept[place]
            if (cue.end_ms or 0) > (above.end_ms or 0) and not _ends_same(above, cue):
                kept[place] = replace(above, end_ms=cue.end_ms)
            continue
        highest_ms = max(highest_ms, cue.start_ms)
        if text:
            places[text] = len(kept)
        kept.append(cue)
    if copies:
        steps.append(Step("drop-copies", "cues", {"cues": copies, "words_folded": words}))
    return kept


def _is_same(above: RawCue, cue: RawCue) -> bool:
    return abs(above.start_ms - cue.start_ms) <= _SAME_MS and above.speaker == cue.speaker


def _ends_same(above: RawCue, cue: RawCue) -> bool:
    if above.end_ms is None or cue.end_ms is None:
        return above.end_ms is cue.end_ms
    return abs(above.end_ms - cue.end_ms) <= _SAME_MS
