"""Cues that a border between segments cut in two: the same words twice, the second half beginning where the first ends.

A packager that cuts a stream into segments may give each its part of a cue that is shown across the border.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median

from talksearch.indexer.records import Step
from talksearch.indexer.text.counting import count_words

from .raw_cue import RawCue, count_units, spoken

_TOUCHES_MS = 10
"""The halves of a cue lie no further apart."""
_NEAR = 4
"""Cues that a border may cut at once, and as many that may stand between the halves."""
_FEWEST_CUTS = 3
_SHORTEST_SEGMENT_MS = 1_000
_FEWEST_WORDS = 3
"""Shorter cues are really said twice."""


def joined_at(borders: Sequence[int], raw: Sequence[RawCue], steps: list[Step]) -> list[RawCue]:
    """Join the halves of cues that stand before and behind a border.

    Args:
        borders: lines of the file at which segments begin, in order.
        raw: cues in the order of the file, with their lines.
        steps: is added to.
    """
    if not borders:
        return list(raw)
    segments = [bisect_right(borders, cue.line) for cue in raw]
    begins = {segment: segments.index(segment) for segment in sorted(set(segments))}

    def is_cut(first: int, second: int) -> bool:
        return segments[second] == segments[first] + 1 and second - begins[segments[second]] < _NEAR

    return _joined(raw, steps, is_cut)


def joined_on_grid(raw: Sequence[RawCue], steps: list[Step]) -> list[RawCue]:
    """Join the halves of cues in a file that no longer says where its segments begin.

    They are told by the moments of the cuts, which lie whole lengths of a segment apart; what a speaker says again, or
    a recognizer that loops, keeps to no such measure.
    """
    pairs = [i for i in range(1, len(raw)) if _are_halves(raw[i - 1], raw[i])]
    if len(pairs) < _FEWEST_CUTS or any(count_units(raw[i].text) < _FEWEST_WORDS for i in pairs):
        return list(raw)
    cuts = [raw[i].start_ms for i in pairs]
    lengths = [b - a for a, b in pairwise(cuts)]
    length = min(lengths)
    in_a_row = any(b - a == 1 for a, b in pairwise(pairs))
    if in_a_row or length < _SHORTEST_SEGMENT_MS or not all(_is_near_grid(ms, 0, length) for ms in lengths):
        return list(raw)
    halves = set(pairs)
    others = [cue for i, cue in enumerate(raw) if i not in halves and cue.text.strip()]
    measured = sum(_is_near_grid(cue.start_ms, cuts[0], length) for cue in others)  # as the lines of songs are
    if 2 * median(_length(raw[i - 1]) + _length(raw[i]) for i in pairs) > 3 * median(map(_length, others or raw)):
        return list(raw)  # each is as long as a cue: it is said twice
    uncut = any(_goes_over(cue, cuts[0], length) for cue in others if cuts[0] <= cue.start_ms < cuts[-1])
    return list(raw) if uncut or measured * 4 > len(others) else _joined(raw, steps, lambda _, second: second in halves)


def _length(cue: RawCue) -> int:
    return 0 if cue.end_ms is None else cue.end_ms - cue.start_ms


def _is_near_grid(ms: int, origin_ms: int, length: int) -> bool:
    beside = (ms - origin_ms) % length
    return min(beside, length - beside) <= _TOUCHES_MS


def _goes_over(cue: RawCue, origin_ms: int, length: int) -> bool:
    """Say whether a cue begins before a border and ends behind it."""
    border = cue.start_ms + length - (cue.start_ms - origin_ms) % length
    return cue.end_ms is not None and cue.start_ms + _TOUCHES_MS < border < cue.end_ms - _TOUCHES_MS


def _joined(raw: Sequence[RawCue], steps: list[Step], is_cut: Callable[[int, int], bool]) -> list[RawCue]:
    kept: list[tuple[int, RawCue]] = []
    joined = words = 0
    for i, cue in enumerate(raw):
        place = next(
            (
                at
                for at in range(len(kept) - 1, max(-1, len(kept) - 1 - 2 * _NEAR), -1)
                if is_cut(kept[at][0], i) and _are_halves(kept[at][1], cue)
            ),
            None,
        )
        if place is None:
            kept.append((i, cue))
            continue
        kept[place] = (i, replace(kept[place][1], end_ms=cue.end_ms))  # a long cue goes on across the next border
        joined += 1
        words += count_words(spoken(cue.text))
    if joined:
        steps.append(Step("join-cut-cues", "cues", {"cues": joined, "words_folded": words}))
    return [cue for _, cue in kept]


def _are_halves(first: RawCue, second: RawCue) -> bool:
    return (
        first.end_ms is not None
        and abs(second.start_ms - first.end_ms) <= _TOUCHES_MS
        and bool(first.text.strip())
        and first.text.strip() == second.text.strip()
        and first.speaker == second.speaker
    )
