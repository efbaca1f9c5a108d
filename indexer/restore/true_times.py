"""Times that cannot be those of the recording: whole hours of an editor, clock times of a day, another unit.

An editor's timeline begins at one o'clock (Avid, Resolve) or at ten (European broadcasting), and a meeting's captions
carry the time of day. How long the recording is tells that for certain; where nobody says, the shape of the times does,
and where that may mean two things the times stay and a note says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from talksearch.indexer.readers import pace
from talksearch.indexer.readers.cue_times import count_units
from talksearch.indexer.records import Cue, Step, Word
from talksearch.indexer.text.clock import show_clock

_HOUR_MS = 3_600_000
_TIMELINES = (1, 10)
"""The hours at which the timelines of editors begin."""
_AT_ONCE_MS = 60_000
"""Somebody speaks so soon after the beginning of a timeline."""
_DAYTIME = 6
"""Hours. Nobody is silent for so long at the beginning of a recording, so times from here on are those of a clock."""
_LONGEST_MS = 12 * _HOUR_MS
"""A talk with clock times lasts no longer; what does is the log of a day."""
_LEAST_OVER_MS = 10_000
_OVER_SHARE = 20
"""Captions may end after the recording by a share of one in so many: lengths are rounded, and ends stay."""
_PART = re.compile(
    r"(?:part|pt|teil|partie|parte|hour|stunde|reel|tape|cd|disc|disk)[\W_]*0*(\d{1,2})(?!\d)", re.IGNORECASE
)
_LAST_NUMBER = re.compile(r"(?:^|[\W_])0*(\d{1,2})\W*$")


@dataclass(frozen=True, slots=True)
class Recording:
    """What is known of a recording, beside the times of its words."""

    duration_ms: int | None = None
    reaches_ms: int = 0
    """A moment that it has, such as the beginning of its last chapter."""
    part: int | None = None
    """Its number among several, as its name has it."""


@dataclass(frozen=True, slots=True)
class TrueTimes:
    """Cues with times that can be, and what was done for that."""

    cues: tuple[Cue, ...]
    step: Step | None = None
    note: str | None = None
    """What is uncertain about it."""
    offset_ms: int = 0
    """What was added to every time, in the file's chapters too."""
    margin_ms: int = 0
    """How far off the times may be."""
    timed: bool = True
    """False where they say nothing: then they are 0, and are to be estimated."""


def part_of(name: str) -> int | None:
    """Return the number of a recording among several, as the name of a file without its ending has it.

    >>> [part_of(name) for name in ("stream part 2 of 3", "Lecture_03", "Reel2-final", "talk", "in 2024")]
    [2, 3, 2, None, None]
    """
    match = _PART.search(name) or _LAST_NUMBER.search(name)
    return int(match[1]) if match else None


def true_times(cues: Sequence[Cue], recording: Recording) -> TrueTimes:
    """Find out whether restored cues have times of the recording, and give them these where they have not."""
    cues = tuple(cues)
    if not cues:
        return TrueTimes(cues)
    spans = _spans(cues)
    if pace.says_nothing(spans) and pace.says_nothing(_said_once(cues, spans)):
        return _crammed(cues, spans, recording)
    if recording.duration_ms:
        return _by_duration(cues, recording.duration_ms)
    return _by_shape(cues, recording)


def shift_cues(cues: Sequence[Cue], offset_ms: int) -> tuple[Cue, ...]:
    """Add milliseconds to every time, and never go below the beginning."""
    return tuple(_timed(cue, lambda ms: max(0, ms + offset_ms)) for cue in cues)


def scale_cues(cues: Sequence[Cue], step: Step) -> tuple[Cue, ...]:
    """Multiply or divide every time by what a step `scale-times` says."""
    times, parts = step.detail.get("multiplied_by", 1), step.detail.get("divided_by", 1)
    return tuple(_timed(cue, lambda ms: ms * times // parts) for cue in cues)


def drop_times(cues: Sequence[Cue]) -> tuple[Cue, ...]:
    """Forget every time."""
    return tuple(replace(cue, start_ms=0, end_ms=0, words=()) for cue in cues)


def _timed(cue: Cue, change: Callable[[int], int]) -> Cue:
    words = tuple(Word(word.text, change(word.start_ms)) for word in cue.words)
    return replace(cue, start_ms=change(cue.start_ms), end_ms=change(cue.end_ms), words=words)


def _spans(cues: Sequence[Cue]) -> list[pace.Span]:
    return [pace.Span(cue.start_ms, cue.end_ms, count_units(cue.text)) for cue in cues]


def _said_once(cues: Sequence[Cue], spans: Sequence[pace.Span]) -> list[pace.Span]:
    """Count a text that comes again only once: it may be shown again, in a way that nobody knows."""
    said: set[str] = set()
    once = []
    for cue, span in zip(cues, spans, strict=True):
        once.append(span._replace(units=0) if cue.text in said else span)
        said.add(cue.text)
    return once


def _crammed(cues: tuple[Cue, ...], spans: Sequence[pace.Span], recording: Recording) -> TrueTimes:
    """Give cues whose words nobody could say in their time a thousand times as much, or none."""
    length_ms, duration_ms = cues[-1].end_ms, recording.duration_ms
    fits = duration_ms is None or duration_ms // 2 <= length_ms * 1000 <= duration_ms + _over_ms(duration_ms)
    if fits and pace.are_thousandths(spans):
        step = Step("scale-times", "cues", {"multiplied_by": 1000})
        note = "The times are a thousandth of what the words take; they were taken for seconds written as milliseconds."
        return TrueTimes(scale_cues(cues, step), step, note, margin_ms=1000)
    words = sum(span.units for span in spans)
    step = Step("drop-times", "cues", {"cues": len(cues), "words": words})
    note = (
        f"Most of the {words:,} words stand in stretches too short for anybody to say them, so the times say nothing; "
        "the text was kept and its times are estimated."
    )
    return TrueTimes(drop_times(cues), step, note, timed=False)


def _over_ms(duration_ms: int) -> int:
    return max(_LEAST_OVER_MS, duration_ms // _OVER_SHARE)


def _by_duration(cues: tuple[Cue, ...], duration_ms: int) -> TrueTimes:
    """Judge by the length of the recording, which for once is certain: no word is said after its end."""
    first, last = cues[0].start_ms, cues[-1].start_ms
    most = duration_ms + _over_ms(duration_ms)
    if last <= most:
        return TrueTimes(cues)
    hours, rest = divmod(first, _HOUR_MS)
    clock = _is_clock(cues) and rest > _AT_ONCE_MS
    if not clock and last - hours * _HOUR_MS <= most:  # not 0 hours: the last is beyond as it stands
        note = None if rest <= _AT_ONCE_MS else _OFF.format(_hours(hours), show_clock(first))
        return _shifted(cues, -hours * _HOUR_MS, "hours of a timeline", note)
    if last - first <= most and (hours or first >= duration_ms):
        return _counted_from_first(cues)
    if last // 1000 <= most and _is_clock(cues) and (last * 2 >= duration_ms * 1000):
        step = Step("scale-times", "cues", {"divided_by": 1000})
        note = "The times reach far beyond the recording's end; they were taken for milliseconds written as seconds."
        return TrueTimes(scale_cues(cues, step), step, note)
    if first > most:
        return TrueTimes(cues, note=f"All times lie after the end of the recording, at {show_clock(duration_ms)}.")
    return TrueTimes(cues)


def _by_shape(cues: tuple[Cue, ...], recording: Recording) -> TrueTimes:
    """Judge by where the first word stands, as nobody says how long the recording is."""
    first = cues[0].start_ms
    hours, rest = divmod(first, _HOUR_MS)
    if not hours or recording.reaches_ms >= first:
        return TrueTimes(cues)
    begins = f"The first words stand at {show_clock(first)}, and nothing says how long the recording is"
    # One recording cut into hours: its second part begins in the second hour, and often within a sentence.
    if recording.part == hours + 1 or (hours < _DAYTIME and _begins_inside(cues)):
        return TrueTimes(cues, note=f"{begins}; it may be a part of a longer one, so the times stay.")
    if rest <= _AT_ONCE_MS and (hours in _TIMELINES or hours == recording.part):
        return _shifted(cues, -hours * _HOUR_MS, "hours of a timeline", _OFF.format(_hours(hours), show_clock(first)))
    if hours >= _DAYTIME and cues[-1].start_ms - first <= _LONGEST_MS:
        return _counted_from_first(cues)
    return TrueTimes(cues, note=f"{begins}; the times stay, but may be those of a clock or of an editor's timeline.")


_OFF = "{} taken off all times, as the timelines of editors begin late: the first words stood at {}."


def _hours(hours: int) -> str:
    return "1 hour was" if hours == 1 else f"{hours} hours were"


def _is_clock(cues: Sequence[Cue]) -> bool:
    """Say whether times may be those of a clock: whole seconds all of them."""
    return all(cue.start_ms % 1000 == 0 for cue in cues)


def _begins_inside(cues: Sequence[Cue]) -> bool:
    """Say whether the first words go on with a sentence, in a text that writes the beginnings of others large."""
    return cues[0].text[:1].islower() and any(cue.text[:1].isupper() for cue in cues)


def _counted_from_first(cues: tuple[Cue, ...]) -> TrueTimes:
    first, last = cues[0].start_ms, cues[-1].start_ms
    what = "those of a clock" if first >= _HOUR_MS else "not those of the recording"
    note = (
        f"The times, {show_clock(first)} to {show_clock(last)}, are {what}; they were counted from the first, so all "
        "of them are too early by as long as the recording ran before."
    )
    return _shifted(cues, -first, "the first words", note)


def _shifted(cues: tuple[Cue, ...], offset_ms: int, what: str, note: str | None) -> TrueTimes:
    step = Step("shift-times", "cues", {"offset_ms": offset_ms, "from": what})
    return TrueTimes(shift_cues(cues, offset_ms), step, note, offset_ms)
