"""What lists of segments share, whoever wrote them: where the times and the speaker of one stand, and in what unit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median
from typing import Any

from talksearch.indexer.records import Cue, Step

from .cue_times import Mended, RawCue, count_units, pieces
from .json_values import milliseconds, string

TEXTS = ("text", "body", "transcript", "content", "caption", "subtitle", "sentence", "line")
"""Keys of what is said in a segment."""

_STARTS = ("start", "start_time", "offset", "startTime", "begin", "startOffset", "start_offset", "from", "ts", "time")
_ENDS = ("end", "end_time", "endTime", "endOffset", "end_offset", "to", "end_ts")
_LENGTHS = ("duration", "dur")
_STARTS_MS = ("startMs", "start_ms", "startTimeMs", "start_time_ms", "offsetMs", "offset_ms")
_ENDS_MS = ("endMs", "end_ms", "endTimeMs", "end_time_ms")
_LENGTHS_MS = ("durationMs", "duration_ms", "durMs", "dur_ms")
_PAIRS = (
    ("offsets", "from", "to", 1),  # whisper.cpp, in milliseconds, and after it the same as clocks
    ("timestamps", "from", "to", 0),
    ("timestamp", "start", "end", 0),
)
"""Keys of a start and an end in one, and of the two; then milliseconds of their unit, 0 where it is not told."""
_SPEAKERS = ("speaker", "speaker_name", "speakerName", "speaker_label", "speakerLabel", "speaker_id", "speakerTag",
             "speaker_tag")  # fmt: skip
_FASTEST = 15
"""Words a second that nobody says; `times` draws the same line."""
_SHORTEST = 10_000
"""A talk in milliseconds has at least ten seconds of them. A list of chapters in seconds, which has few words for its
times too, ends below this."""
_FEWEST = 5
"""Words that are needed to judge how fast they are said."""
_UNTOLD = (*_STARTS, *_ENDS, *_LENGTHS)
"""Keys that do not tell the unit of their times."""
_NUMBER = re.compile(r"\s*-?\d+(?:\.\d+)?\s*")
_SOUND = re.compile(r"\[[^\[\]]*\]|\([^()]*\)|[♪♫]")


def times_of(entry: dict[str, Any], per_unit: int = 1000) -> tuple[int | None, int | None]:
    """Return when a segment begins and ends, in milliseconds; None where that is not said.

    `per_unit` is how many milliseconds a number counts whose key does not tell (`unit_of`).

    >>> times_of({"start": 1.5, "duration": 2}), times_of({"startMs": "1500"}), times_of({"timestamp": [1.5, None]})
    ((1500, 3500), (1500, None), (1500, None))
    """
    for key, first, last, unit in _PAIRS:
        if key not in entry:
            continue
        inside, unit = entry[key], unit or per_unit
        if isinstance(inside, dict):
            return milliseconds(inside.get(first), unit), milliseconds(inside.get(last), unit)
        if isinstance(inside, list) and len(inside) == 2:
            return milliseconds(inside[0], unit), milliseconds(inside[1], unit)
    start = _first(entry, _STARTS, per_unit)
    start = _first(entry, _STARTS_MS, 1) if start is None else start
    start = _first(entry, ("timestamp",), per_unit) if start is None else start
    length = _first(entry, _LENGTHS, per_unit)
    length = _first(entry, _LENGTHS_MS, 1) if length is None else length
    if start is not None and length is not None:
        return start, start + max(length, 0)
    end = _first(entry, _ENDS, per_unit)
    return start, _first(entry, _ENDS_MS, 1) if end is None else end


def _first(entry: dict[str, Any], keys: tuple[str, ...], per_unit: int) -> int | None:
    for key in keys:
        if key in entry and (ms := milliseconds(entry[key], per_unit)) is not None:
            return ms
    return None


def speaker_of(entry: dict[str, Any]) -> str | None:
    """Return who says a segment; a number stands for a name that nobody knows.

    >>> speaker_of({"speaker": " Ann "}), speaker_of({"speakerTag": 2}), speaker_of({"speaker": None})
    ('Ann', 'Speaker 2', None)
    """
    for key in _SPEAKERS:
        value = entry.get(key)
        if isinstance(value, int) and not isinstance(value, bool):
            return f"Speaker {value}"
        if name := string(value):
            return name
    return None


def text_of(entry: object) -> str | None:
    """Return what is said in a segment, None where nothing is."""
    if not isinstance(entry, dict):
        return None
    return next((text for key in TEXTS if (text := string(entry.get(key)))), None)


def unit_of(entries: Sequence[tuple[str, dict[str, Any]]]) -> tuple[int, tuple[Step, ...]]:
    """Tell how many milliseconds a number stands for, and the step to note where that is not a second.

    Args:
        entries: what is said in each segment or word, and the object that holds its times.

    Whole numbers are milliseconds where, taken as seconds, the middle one of the segments would spend more than a
    minute on a word (and taken as milliseconds no less than anybody needs). Everything else is in seconds, as the
    formats say that do not name the unit.
    """
    has_numbers = False
    for value in (value for _, entry in entries for value in _bare(entry)):
        if not float(value).is_integer():
            return 1000, ()
        has_numbers = True
    if not has_numbers:
        return 1000, ()
    timed = [(_units(text), *times_of(entry, 1)) for text, entry in entries]
    lengths = []
    for (words, start, end), following in pairwise([*timed, (0, None, None)]):
        until = end if end is not None else following[1]
        if words and start is not None and until is not None and until > start:
            lengths.append((until - start) / words)
    latest = max((end if end is not None else start for _, start, end in timed if start is not None), default=0)
    phrases = any(words > 1 for words, _, _ in timed)
    if sum(words for words, _, _ in timed) < _FEWEST or (phrases and latest < _SHORTEST) or not lengths:
        return 1000, ()
    a_word = median(lengths)
    if a_word * _FASTEST < 1000:
        return 1000, ()
    return 1, (Step("read-milliseconds", "cues", {"ms_a_word": round(a_word)}),)


def start_after(raw: Sequence[RawCue]) -> int:
    """Return where to put a segment that has no start: behind the last one, in milliseconds."""
    return raw[-1].end_ms or raw[-1].start_ms if raw else 0


def put_after(count: int, what: str = "segments") -> tuple[str, ...]:
    """Return what is to be said of so many that were put there; nothing where there are none."""
    return (f"{count} {what} had no start; they were put after the ones before them.",) if count else ()


def without_times(raw: Sequence[RawCue]) -> Mended:
    """Keep the text of segments of which none has a time."""
    cues = tuple(Cue(0, 0, piece, cue.speaker) for cue in raw for piece in pieces(cue.text))
    return Mended(cues, False, uncertain=("No segment has a time; the text was kept and its times are estimated.",))


def _units(text: str) -> int:
    words = _SOUND.sub(" ", text)
    return count_units(words) if words.strip() else 0


def _bare(entry: dict[str, Any]) -> Iterator[int | float]:
    """Yield the times of a segment whose unit is not said; for one that says it, half a second: it is not whole."""
    pair = entry.get("timestamp")
    values = [entry[key] for key in _UNTOLD if key in entry]  # most of so many are not there
    values += pair if isinstance(pair, list) else [pair]
    for value in values:
        if isinstance(value, dict):
            yield 0.5
        elif value is None or milliseconds(value) is None or isinstance(value, bool):
            continue
        elif isinstance(value, str):
            yield float(value) if _NUMBER.fullmatch(value) else 0.5
        elif isinstance(value, int | float):
            yield value
