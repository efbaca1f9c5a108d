"""Cues whose times cannot be true, mended.

A reader collects `RawCue`s in file order with the times as they stand; `mend` makes them run forwards, by what is
certain, and says what it did.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.records import Cue, Step
from talksearch.indexer.text.clock import show_clock
from talksearch.indexer.text.sentences import sentence_breaks

from . import pace
from .copies import without_copies
from .cut_cues import joined_on_grid
from .raw_cue import RawCue as RawCue  # readers take it from here
from .raw_cue import count_units as count_units
from .raw_cue import moved, slowed, spoken
from .tracks import tell_tracks_apart

LONGEST_MS = 100 * 3_600_000
"""A talk has no second at 100 hours; a time that says so is damage."""

_WORD_MS = 400
"""About how long a spoken word takes: 150 words a minute."""
_PATIENT_MS = 1_500
"""Milliseconds a word takes at most in slow speech with pauses, 40 words a minute."""
_SLOWEST_MS = 4_000
"""A cue that stays longer than this a word, and longer than ten minutes, has an end that means nothing."""
_LONG_MS = 600_000
"""A cue of ten minutes is looked at twice: few hold the words for it."""
_FAR_MS = 10_000
"""A time that was moved further than this is wrong altogether."""
_FAR_TOO_FAST = 60.0
"""Units a second. Captions that repeat every line while it grows show up to a third of this."""
_HOUR_MS = 3_600_000
_PAST_MIDNIGHT_MS = 1_800_000
"""Clock times that begin again at midnight or at one o'clock go on within half an hour."""


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


def mend(raw: Sequence[RawCue], what: str = "file") -> Mended:
    """Make the times of cues run forwards.

    Cues without text stay: in rolling captions they tell that the screen was cleared.

    - No cues at all, or times of 100 hours and more in over a tenth of them: `UnreadableError`.
    - A cue that stands there again, with the same time and words, at the border of segments: left out.
    - A cue that such a border cut in two: joined.
    - Times of days, in which milliseconds stand for seconds: a thousandth.
    - Clock times that begin again at midnight: counted on.
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
    if len({cue.start_ms for cue in raw}) > 1:  # else times say nothing, and no cue is told from another by them
        raw = joined_on_grid(without_copies(raw, steps), steps)
    raw = _in_seconds(raw, steps, notes)
    raw = _past_midnight(raw, steps)
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


def _in_seconds(raw: list[RawCue], steps: list[Step], notes: list[str]) -> list[RawCue]:
    """Take a thousandth of times that were written as seconds and are milliseconds."""
    if max(cue.start_ms for cue in raw) < pace.A_DAY_MS or not pace.are_thousandfold(_spans(raw)):
        return raw
    steps.append(Step("scale-times", "cues", {"divided_by": 1000}))
    notes.append("The times would last for days; they were taken for milliseconds that stand where seconds must.")
    return [slowed(cue, 1000) for cue in raw]


def _past_midnight(raw: list[RawCue], steps: list[Step]) -> list[RawCue]:
    """Count clock times on that begin again: behind 23:59:59 at 0:00:00, behind 12:59:59 at 1:00:00."""
    if max(cue.start_ms for cue in raw) < 12 * _HOUR_MS:
        return raw
    out = raw[:1]
    added = 0
    for before, cue in pairwise(raw):
        for hours, least in ((24, 23), (12, 12)):
            on = cue.start_ms + hours * _HOUR_MS - before.start_ms
            if cue.start_ms < before.start_ms >= least * _HOUR_MS and 0 <= on <= _PAST_MIDNIGHT_MS:
                added += hours * _HOUR_MS
                steps.append(Step("mend-times", "cues", {"went_on_after_ms": before.start_ms}))
                break
        out.append(moved(cue, added) if added else cue)
    return out


def _spans(raw: Sequence[RawCue]) -> list[pace.Span]:
    return [pace.Span(cue.start_ms, _end_of(cue), count_units(cue.text)) for cue in raw]


def _end_of(cue: RawCue) -> int:
    return cue.start_ms if cue.end_ms is None else cue.end_ms


def _says_nothing(raw: Sequence[RawCue]) -> bool:
    """Say whether most words stand in cues that are far too short for them, or all cues at one time.

    Times that are a thousandth of what they should be are left to whoever knows how long the recording is.
    """
    total = crammed = dense = 0
    counts = [count_units(cue.text) for cue in raw]
    following = [*(cue.start_ms for cue in raw[1:]), _end_of(raw[-1])]
    for cue, units, next_ms in zip(raw, counts, following, strict=True):
        total += units
        if units * 1000 > _FAR_TOO_FAST * (next_ms - cue.start_ms):
            dense += units
        if units >= 100 and cue.end_ms is not None and units * 1000 > pace.FASTEST * max(cue.end_ms - cue.start_ms, 0):
            crammed += units
    if crammed * 2 > total:
        return True
    if len(raw) > 3 and len({cue.start_ms for cue in raw}) == 1:
        return True
    if dense * 2 <= total:  # as in nearly every file
        return False
    spans = _spans(raw)
    if not pace.says_nothing(spans, _FAR_TOO_FAST):
        return False
    said: set[str] = set()  # a text that comes again, as while a line grows or is marked, is said once
    for i, cue in enumerate(raw):
        text = spoken(cue.text)
        spans[i] = spans[i]._replace(units=0 if text in said else count_units(text))
        said.add(text)
    return pace.says_nothing(spans, _FAR_TOO_FAST) and not pace.are_thousandths(spans)


def _untimed(raw: Sequence[RawCue], steps: list[Step], notes: list[str]) -> Mended:
    last = max((cue.end_ms if cue.end_ms is not None else cue.start_ms) for cue in raw)
    words = sum(count_units(cue.text) for cue in raw)
    largest = max(raw, key=lambda cue: len(cue.text))
    in_largest = count_units(largest.text)
    if in_largest * 2 > words:
        length_ms = max((largest.end_ms or 0) - largest.start_ms, 0)
        where = f" (line {largest.line})" if largest.line else ""
        found = f"{in_largest:,} words stand in one cue{where} that lasts {length_ms / 1000:g} s"
    else:
        found = f"Most of the {words:,} words stand in stretches too short for anybody to say them"
    notes.append(f"{found}, so the times say nothing; the text was kept and its times are estimated.")
    duration = last if last * pace.FASTEST > words * 1000 else None
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
    raw = tell_tracks_apart(raw, steps, notes)
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
            if units >= 40 and units * 1000 > pace.FASTEST * (end - cue.start_ms) and (following or 0) > end:
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
