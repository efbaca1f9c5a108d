"""The times of a list in JSON, turned into milliseconds: one unit for all of them, whatever way each is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from .json_keys import FRAMES, Path
from .json_lists import Entry, FoundList
from .json_moments import Moment, unit_of_numbers, unit_since_1970

_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_UNSPACED_SIGN = re.compile(r"[\u3001-\u303f\uff01-\uff65]")
_UNSPACED_A_WORD = 1.6
_SINGLE_WORDS = 1.25
"""Words in an entry, on average, up to which a list is one of single words."""
_FRAMES_A_SECOND = 25.0
"""Where nothing says the rate."""


@dataclass(frozen=True, slots=True)
class Said:
    """An entry of a list: what is said, and when."""

    text: str
    start: float | None
    """In milliseconds, None where the entry does not say."""
    end: float | None
    entry: Entry


@dataclass(frozen=True, slots=True)
class TimedList:
    """A list that can be a transcript, or its words."""

    path: Path
    said: tuple[Said, ...]
    single: bool
    """Entries are single words."""
    has_ends: bool
    ms_a_word: float | None = None
    """Set where the unit of the times was told by this."""
    unit: float = 1000.0
    of_a_day: bool = False
    """The times are those of a day; they still count from 1970."""
    frames: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """The times of a list as one key has them."""

    moments: list[Moment | None]
    unit: float | None
    path: Path
    role: str = "start"


def count_words(text: str) -> float:
    """Count words; in scripts without spaces, about.

    >>> count_words("one two"), round(count_words("我们今天来谈"))
    (2, 4)
    """
    if text.isascii():
        return len(text.split())
    unspaced = len(_UNSPACED.findall(text))
    return len(_UNSPACED.sub(" ", text).split()) + unspaced / _UNSPACED_A_WORD if unspaced else len(text.split())


def is_unspaced(character: str) -> bool:
    """Say whether a character is of a script that writes no spaces."""
    return bool(_UNSPACED.match(character) or _UNSPACED_SIGN.match(character))


def letters(text: str) -> str:
    """Return the letters and figures of a text, small."""
    return "".join(char for char in text.casefold() if char.isalnum())


def numbers_of(column: Column) -> list[float | None]:
    """Return the times of a column as bare numbers."""
    return [None if moment is None else moment.number for moment in column.moments]


def in_milliseconds(
    found: FoundList,
    texts: Sequence[str],
    counts: Sequence[float],
    start: Column,
    end: Column | None,
    frame_rate: Callable[[], float | None],
) -> TimedList | None:
    """Turn the times of a list into milliseconds; None where some are those of a day and others are not.

    Args:
        found: the list.
        texts: what each entry says.
        counts: how many words these are.
        start: when each begins.
        end: when each ends, or how long it is, where that is known.
        frame_rate: tells how many frames a second there are; asked where times count frames.
    """
    written = [moment for moment in start.moments if moment is not None]
    if len({moment.of_a_day for moment in written}) != 1:
        return None
    bare = [moment.number for moment in written if moment.unit is None]
    day_unit = unit_since_1970(bare) if bare and start.unit != FRAMES else None
    unit, a_word = start.unit or 1000.0, None
    if day_unit:
        unit = day_unit
    elif unit == FRAMES:
        unit = 1000 / (frame_rate() or _FRAMES_A_SECOND)
    elif bare and start.unit is None:
        unit, a_word = unit_of_numbers(numbers_of(start), _raw_ends(start, end), counts)
    starts = [_ms(moment, unit) for moment in start.moments]
    ends: list[float | None] = [None] * len(starts)
    if end is not None:
        beside = unit if end.unit in (None, FRAMES) else end.unit
        if end.role == "length" and end.unit is None and (start.unit not in (None, FRAMES) or not bare):
            # The beginnings say their unit, the lengths do not; it need not be the same.
            beside, _ = unit_of_numbers([0.0] * len(starts), numbers_of(end), counts)
        ends = [_ms(moment, beside or unit) for moment in end.moments]
        if end.role == "length":
            ends = [
                None if begin is None or length is None else begin + max(length, 0)
                for begin, length in zip(starts, ends, strict=True)
            ]
    rows = zip(texts, starts, ends, found.entries, strict=True)
    said = tuple(Said(text, begin, until, entry) for text, begin, until, entry in rows)
    spoken = [count for count in counts if count]
    timed = TimedList(
        path=found.path,
        said=said,
        single=(bool(spoken) and sum(spoken) / len(spoken) <= _SINGLE_WORDS) or _are_unspaced_words(texts),
        has_ends=end is not None,
        ms_a_word=a_word,
        unit=unit,
        of_a_day=day_unit is not None or written[0].of_a_day,
        frames=start.unit == FRAMES,
    )
    return replace(timed, said=tuple(_words_of_letters(said))) if are_letters(texts) else timed


def _ms(moment: Moment | None, unit: float) -> float | None:
    return None if moment is None else moment.number * (moment.unit or unit)


def _raw_ends(start: Column, end: Column | None) -> list[float | None]:
    if end is None:
        return [None] * len(start.moments)
    if end.role != "length":
        return numbers_of(end)
    return [
        None if begin is None or moment is None or moment.unit else begin.number + moment.number
        for begin, moment in zip(start.moments, end.moments, strict=True)
    ]


def _are_unspaced_words(texts: Sequence[str]) -> bool:
    spoken = [text.strip() for text in texts if letters(text)]
    if not spoken or any(any(map(str.isspace, text)) for text in spoken):
        return False
    return sum(map(len, spoken)) <= 4 * len(spoken) and any(map(_UNSPACED.search, spoken))


def are_letters(texts: Sequence[str]) -> bool:
    """Say whether entries are single letters, with spaces between the words."""
    return (
        sum(bool(letters(text)) for text in texts) > 1
        and all(len(text) <= 1 for text in texts)
        and any(text.isspace() for text in texts)
        and not any(map(_UNSPACED.search, texts))
    )


def _words_of_letters(said: Sequence[Said]) -> Iterator[Said]:
    """Put single letters together to words, each with the times of its first letter and its last."""
    word: list[Said] = []
    for entry in [*said, None]:
        if entry is not None and not entry.text.isspace() and entry.text:
            word.append(entry)
            continue
        if word:
            yield replace(word[0], text="".join(letter.text for letter in word), end=word[-1].end)
        word = []
