"""Cues whose times cannot be true, mended.

A reader collects `RawCue`s in file order with the times as they stand; `mend` makes them run forwards, by what is
certain, and says what it did.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.records import Cue, Json, Step, Word
from talksearch.indexer.text.clock import show_clock
from talksearch.indexer.text.sentences import sentence_breaks

LONGEST_MS = 100 * 3_600_000
"""A talk has no second at 100 hours; a time that says so is damage."""

_LETTERS = re.compile(r"\w+")
_TAG = re.compile(r"<[^<>\n]*>")
_WORD_MS = 400
"""About how long a spoken word takes: 150 words a minute."""
_PATIENT_MS = 1_500
"""Milliseconds a word takes at most in slow speech with pauses, 40 words a minute."""
_FASTEST = 15.0
"""Words a second. Auctioneers reach about 6; above this the words and the time do not belong together."""
_SLOWEST_MS = 4_000
"""A cue that stays longer than this a word, and longer than ten minutes, has an end that means nothing."""
_LONG_MS = 600_000
"""A cue of ten minutes is looked at twice: few hold the words for it."""
_FAR_MS = 10_000
"""A time that was moved further than this is wrong altogether."""
_TRACK_DROP_MS = 30_000
"""Times that fall back by more than this may be those of another track or recording."""


@dataclass(slots=True)
class RawCue:
    """A cue as it stands in a file: its times in milliseconds may be negative, backwards or absurd.

    Never changed; frozen ones take three times as long to make.
    """

    start_ms: int
    end_ms: int | None
    """None where the file gives no end: it lasts until the next cue."""
    text: str
    line: int = 0
    """Line number in the file, from 1; 0 where lines mean nothing (JSON)."""
    speaker: str | None = None
    words: tuple[Word, ...] = ()
    identifier: str | None = None
    """What stands above the time line and is no number alone: WebVTT's name of the cue, or the speaker's."""


@dataclass(frozen=True, slots=True)
class Mended:
    """Cues whose times run forwards, and what had to be done for that."""

    cues: tuple[Cue, ...]
    timed: bool = True
    """False when the times turned out to say nothing: then they are all 0."""
    duration_ms: int | None = None
    """Set with `timed` False where the times still tell how long the talk is."""
    steps: tuple[Step, ...] = ()
    uncertain: tuple[str, ...] = ()


def count_units(text: str) -> int:
    """Count words; in scripts without spaces four bytes of UTF-8 count for one, which is near enough for speed checks.

    >>> count_units("one two three"), count_units("我们今天来谈谈相对论")
    (3, 7)
    """
    return len(text.split()) if text.isascii() else max(len(text.split()), (len(text.encode()) - len(text)) // 3 + 1)


def mend(raw: Sequence[RawCue], what: str = "file") -> Mended:
    """Make the times of cues run forwards.

    Cues without text stay: in rolling captions they tell that the screen was cleared.

    - No cues at all, or times of 100 hours and more in over a tenth of them: `UnreadableError`.
    - A single time of 100 hours and more, a time far from its neighbours on both sides: taken from the neighbours.
    - The same talk twice in the file, one track after the other: the fuller track is kept.
    - Another recording after the first, its times beginning again: counted on from the end of the first.
    - Cues in no order: sorted.
    - An end before its start, or hours after its words: the start of the next cue, or as long as the words take.
    - A cue that holds more words than can be said in its time, most of the file's words: the text is kept as untimed.
    """
    raw = list(raw)
    if not any(cue.text.strip() for cue in raw):
        raise UnreadableError(f"The {what} has no cues: no line of speech with a time was found.", "Nothing to index.")
    steps: list[Step] = []
    notes: list[str] = []
    raw = _refuse_or_clear_absurd(raw, steps, notes)
    if _says_nothing(raw):
        return _untimed(raw, steps, notes)
    raw = _forwards(raw, steps, notes)
    cues = _with_ends(raw, steps)
    return Mended(cues, steps=tuple(steps), uncertain=tuple(notes))


def _refuse_or_clear_absurd(raw: list[RawCue], steps: list[Step], notes: list[str]) -> list[RawCue]:
    bad = [cue for cue in raw if cue.start_ms >= LONGEST_MS or (cue.end_ms or 0) >= LONGEST_MS]
    if bad:
        first = bad[0]
        where = f"Line {first.line}" if first.line else f"The cue {first.text.strip()[:40]!r}"
        time = show_clock(max(first.start_ms, first.end_ms or 0))
        if sum(cue.start_ms >= LONGEST_MS for cue in raw) * 10 >= len(raw):
            raise UnreadableError(
                f"{where} is timed {time}: times of 100 hours and more cannot be true.",
                "Make the captions again from the recording, or subtract the offset.",
            )
        notes.append(f"{where} is timed {time}; its place was taken from the cues around it.")
        steps.append(Step("mend-times", "cues", {"absurd": len(bad)}))
    out: list[RawCue] = []
    negative = 0
    for cue in raw:
        start, end = cue.start_ms, cue.end_ms
        if start >= LONGEST_MS:
            start, end = (out[-1].start_ms if out else 0), None
        if end is not None and end >= LONGEST_MS:
            end = None
        if start < 0:
            negative += 1
            start = 0
        out.append(cue if (start, end) == (cue.start_ms, cue.end_ms) else replace(cue, start_ms=start, end_ms=end))
    if negative:
        steps.append(Step("mend-times", "cues", {"negative": negative}))
        notes.append(f"{negative} cues begin before the recording does; they were put at 0:00.")
    return out


def _says_nothing(raw: Sequence[RawCue]) -> bool:
    """Say whether most words stand in cues that are far too short for them."""
    total = crammed = 0
    for cue in raw:
        units = count_units(cue.text)
        total += units
        if units >= 100 and cue.end_ms is not None and units * 1000 > _FASTEST * max(cue.end_ms - cue.start_ms, 0):
            crammed += units
    if crammed * 2 > total:
        return True
    return len(raw) > 3 and len({cue.start_ms for cue in raw}) == 1


def _untimed(raw: Sequence[RawCue], steps: list[Step], notes: list[str]) -> Mended:
    largest = max(raw, key=lambda cue: len(cue.text))
    where = f" (line {largest.line})" if largest.line else ""
    last = max((cue.end_ms if cue.end_ms is not None else cue.start_ms) for cue in raw)
    notes.append(
        f"{count_units(largest.text)} words stand in one cue{where} that lasts "
        f"{max((largest.end_ms or 0) - largest.start_ms, 0) / 1000:g} s, so its times say nothing; "
        "the text was kept and its times are estimated."
    )
    words = sum(count_units(cue.text) for cue in raw)
    duration = last if last * _FASTEST > words * 1000 else None
    steps.append(Step("drop-times", "cues", {"cues": len(raw), "words": words}))
    cues = tuple(Cue(0, 0, piece, cue.speaker) for cue in raw for piece in pieces(cue.text))
    return Mended(cues, False, duration, tuple(steps), tuple(notes))


def pieces(text: str, most: int = 40) -> Iterator[str]:
    """Cut a long text at line breaks and sentence ends, and where there are none after `most` words.

    >>> list(pieces("One. Two three.\\nFour", 2))
    ['One.', 'Two three.', 'Four']
    """
    for line in text.split("\n"):
        if len(line) < most * 4:
            if line.strip():
                yield line.strip()
            continue
        start = 0
        cuts = [*sentence_breaks(line), len(line)]
        for cut in cuts:
            sentence = line[start:cut].split()
            start = cut
            for i in range(0, len(sentence), most):
                yield " ".join(sentence[i : i + most])


def _forwards(raw: list[RawCue], steps: list[Step], notes: list[str]) -> list[RawCue]:
    starts = [cue.start_ms for cue in raw]
    drops = [i for i in range(1, len(starts)) if starts[i] < starts[i - 1]]
    if not drops:
        return raw
    raw = _tracks(raw, steps, notes)
    starts = [cue.start_ms for cue in raw]
    if all(a <= b for a, b in pairwise(starts)):
        return raw
    keep = _longest_run(starts)
    outliers = len(raw) - len(keep)
    if outliers * 5 > len(raw):
        steps.append(Step("sort-cues", "cues", {"cues": len(raw), "out_of_order": outliers}))
        notes.append(f"{outliers} of {len(raw)} cues stood in no order and were sorted by their times.")
        return sorted(raw, key=lambda cue: cue.start_ms)
    kept = set(keep)
    after = [0] * len(raw)
    bound = starts[keep[-1]]
    for i in range(len(raw) - 1, -1, -1):
        if i in kept:
            bound = starts[i]
        after[i] = bound
    out: list[RawCue] = []
    worst = 0
    for i, cue in enumerate(raw):
        if i in kept:
            out.append(cue)
            continue
        before = out[-1].start_ms if out else 0
        bound = max(after[i], before)
        start = min(max(cue.start_ms, before), bound)
        if abs(start - cue.start_ms) > _FAR_MS and out:  # it follows the cue before it
            start = min(max(out[-1].end_ms or before, before), bound)
        worst = max(worst, abs(start - cue.start_ms))
        end = cue.end_ms if cue.end_ms is not None and cue.end_ms >= start and cue.end_ms - start < _LONG_MS else None
        out.append(replace(cue, start_ms=start, end_ms=end, words=()))
    steps.append(Step("mend-times", "cues", {"backwards": outliers, "moved_at_most_ms": worst}))
    if worst > _FAR_MS:
        notes.append(
            f"{outliers} cues ran backwards by up to {worst // 1000} s; they were put between their neighbours."
        )
    return out


def _tracks(raw: list[RawCue], steps: list[Step], notes: list[str]) -> list[RawCue]:
    """Recognise several tracks or recordings that stand one after the other in a file."""
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
    for cue in run:
        words = tuple(Word(word.text, word.start_ms + offset) for word in cue.words)
        end = None if cue.end_ms is None else cue.end_ms + offset
        yield replace(cue, start_ms=cue.start_ms + offset, end_ms=end, words=words)


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
    return Counter(_TAG.sub("", "\n".join(cue.text for cue in cues)).split())


def _longest_run(starts: Sequence[int]) -> list[int]:
    """Return the positions of a longest subsequence that never decreases (patience sorting)."""
    tops: list[int] = []
    positions: list[int] = []  # of the tops
    previous: list[int] = []
    for position, start in enumerate(starts):
        pile = bisect_right(tops, start)
        previous.append(positions[pile - 1] if pile else -1)
        if pile == len(tops):
            tops.append(start)
            positions.append(position)
        else:
            tops[pile] = start
            positions[pile] = position
    run = []
    position = positions[-1]
    while position >= 0:
        run.append(position)
        position = previous[position]
    return run[::-1]


def _with_ends(raw: Sequence[RawCue], steps: list[Step]) -> tuple[Cue, ...]:
    """Give every cue an end: its own where it can be true, else the next cue's start or what its words take."""
    cues = []
    mended = 0
    following: int | None = None
    for i in range(len(raw) - 1, -1, -1):
        cue = raw[i]
        if i + 1 < len(raw) and raw[i + 1].start_ms > cue.start_ms:
            following = raw[i + 1].start_ms
        end = cue.end_ms
        units = 0
        if end is not None and end < cue.start_ms:
            mended += 1
            end = None
        if end is not None and end - cue.start_ms > _LONG_MS:
            units = count_units(cue.text)
            if end - cue.start_ms > max(units * _SLOWEST_MS, _LONG_MS):
                mended += 1
                end = min(cue.start_ms + units * _WORD_MS + 1000, following or end)
        elif end is not None and len(cue.text) > 200:
            units = count_units(cue.text)
            if units >= 40 and units * 1000 > _FASTEST * (end - cue.start_ms) and (following or 0) > end:
                mended += 1
                end = None
        if end is None:
            units = units or count_units(cue.text)
            if following is None:
                end = cue.start_ms + max(units * _WORD_MS, 1000)
            else:  # until the next cue, but not for minutes after a few words
                end = min(following, cue.start_ms + units * _PATIENT_MS + 2000)
        cues.append(Cue(cue.start_ms, end, cue.text, cue.speaker, False, cue.words))
    if mended:
        steps.append(Step("mend-times", "cues", {"ends": mended}))
    return tuple(reversed(cues))
