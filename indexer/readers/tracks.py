"""Several tracks or recordings that stand one after the other in a file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from talksearch.indexer.records import Json, Step
from talksearch.indexer.text.clock import show_clock
from talksearch.indexer.text.counting import bag_of

from .raw_cue import RawCue, moved, spoken

_LETTERS = re.compile(r"\w+")
_TRACK_DROP_MS = 30_000
"""Times that fall back by more than this may be those of another track or recording."""


def tell_tracks_apart(raw: list[RawCue], steps: list[Step], notes: list[str]) -> list[RawCue]:
    """Keep of two tracks of one talk the fuller one, and count the times of a second recording on from the first.

    Args:
        raw: cues in the order of the file; their times fall back somewhere.
        steps: is added to.
        notes: is added to: sentences about what is uncertain.
    """
    cuts = [0]
    highest = raw[0].start_ms
    for i in range(1, len(raw)):
        if raw[i].start_ms < highest - _TRACK_DROP_MS and raw[i].start_ms < raw[i - 1].start_ms:
            cuts.append(i)
            highest = raw[i].start_ms
        highest = max(highest, raw[i].start_ms)
    runs = [raw[a:b] for a, b in zip(cuts, [*cuts[1:], len(raw)], strict=True)]
    begins = raw[0].start_ms
    if len(runs) < 2 or len(runs) > 20 or any(len(run) < 5 for run in runs):
        return raw
    # A track begins where talks begin. A run that begins later is a stretch of cues in the wrong place.
    if any(run[0].start_ms > max(60_000, 2 * begins) for run in runs[1:]):
        return raw
    out = runs[0]
    for run in runs[1:]:
        short, long = sorted((out, run), key=lambda cues: (cues[-1].start_ms, len(cues)))
        if _same_words(short, long):
            kept = long if long is not short else run
            dropped = run if kept is out else out
            counts = {"cues": len(dropped), "kept": len(kept), **_folded_into(kept, dropped)}
            steps.append(Step("drop-track", "cues", counts))
            notes.append(
                f"From line {run[0].line} on the file holds the same talk a second time; "
                f"the track that reaches {show_clock(kept[-1].start_ms)} was kept."
            )
            out = kept
        elif {cue.speaker for cue in out} & {cue.speaker for cue in run} - {None}:
            out = [*out, *_shifted(out, run, steps, notes)]
        elif any(cue.speaker for cue in out) and any(cue.speaker for cue in run):
            out = sorted([*out, *run], key=lambda cue: cue.start_ms)
            steps.append(Step("sort-cues", "cues", {"tracks": 2}))
        else:
            out = [*out, *_shifted(out, run, steps, notes)]
    return list(out)


def _shifted(out: Sequence[RawCue], run: Sequence[RawCue], steps: list[Step], notes: list[str]) -> Iterator[RawCue]:
    offset = max(out[-1].end_ms or 0, out[-1].start_ms)
    steps.append(Step("join-recordings", "cues", {"cues": len(run), "offset_ms": offset}))
    notes.append(
        f"From line {run[0].line} on the times begin again; that part was counted on from {show_clock(offset)}, "
        "where the first part ends."
    )
    yield from (moved(cue, offset) for cue in run)


def _same_words(short: Sequence[RawCue], long: Sequence[RawCue]) -> bool:
    """Say whether the pairs of neighbouring words of one track are, for the most part, those of the other.

    Two transcripts of one talk, even by a machine and a person, share more than half of their word pairs; two talks on
    one subject share about a tenth.
    """

    def pairs(cues: Sequence[RawCue]) -> Counter[tuple[str, str]]:
        words = _LETTERS.findall(re.sub(r"<[^<>]*>", "", " ".join(cue.text for cue in cues)).lower())
        if len(words) < len(cues):  # a script without spaces
            words = [char for word in words for char in word]
        return Counter(pairwise(words))

    few, many = pairs(short), pairs(long)
    return (few & many).total() > 0.4 * max(few.total(), 1)


def _folded_into(kept: Sequence[RawCue], dropped: Sequence[RawCue]) -> dict[str, Json]:
    """Count the words of cues that are dropped: those that stand in the kept ones too, and the others."""
    some, many = _spoken(dropped), _spoken(kept)
    folded = (some & many).total()
    return {"words_folded": folded, "words_left_out": some.total() - folded}


def _spoken(cues: Sequence[RawCue]) -> Counter[str]:
    return bag_of(spoken("\n".join(cue.text for cue in cues)))
