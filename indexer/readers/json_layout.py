"""Where a list of things has its texts, times and speakers, and whether these can be what is said in a talk.

Keys tell it (`json_keys`); where they say nothing, the values do, and then more is asked of them. Whatever the keys
say, times must rise, lie within a talk and be those of as many words: so no list of places, chapters, log lines or
comments is taken for a transcript.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from . import json_keys
from .json_keys import ALTERNATIVES, KeyRole, Path
from .json_lists import Entry, FoundList
from .json_moments import (
    LONGEST_SPAN_MS,
    is_time_in_parts,
    moment_of,
    ms_a_word,
    span_of,
    unit_of_numbers,
    unit_since_1970,
)
from .json_talks import says_kind
from .json_times import Column, TimedList, are_letters, count_words, in_milliseconds, letters, numbers_of

_SAMPLE = 60
_DEEPEST = 6
_QUICKEST_MS, _SLOWEST_MS = 40, 20_000
"""Milliseconds a word between which the times and the words of a list belong together."""
_SURE_QUICKEST_MS, _SURE_SLOWEST_MS = 110, 2_000
"""The same where no key says what is a time, or what is said."""
_FEWEST_WORDS = 5
"""Words that are needed to judge how fast they are said."""
_FEWEST_UNNAMED = 3
"""Entries, and words in each, that are needed where no key says what they are."""
_FEWEST_STATES = 4
_LETTERS_A_WORD = 5
_SAID = frozenset(("transcript", "transcription", "utterance", "sentence", "spoken"))
"""Words of keys whose text is said, not typed, also where a time of day stands beside it."""
_WORD_LISTS = ("words", "tokens", "elements", "items")
_WORD = re.compile(r"(?<![\w#=])[^\W\d_]+")
_ADDRESS = re.compile(r"\s*(?:https?://|www\.|data:|[\w.+-]+@[\w-]+\.)\S*\s*|[0-9a-fA-F-]{16,}|[\w/.-][\w.-]*/[\w/.-]+")


# --- what lies in an entry ------------------------------------------------------------------------------------------


def at(value: Any, path: Path) -> Any:
    """Return what lies at a path inside an entry, None where nothing does. `*` joins the texts of a list."""
    for i, key in enumerate(path):
        if isinstance(value, dict):
            value = value.get(key)
        elif not isinstance(value, list):
            return None
        elif key == "*":
            texts = [inner if isinstance(inner, str) else at(inner, path[i + 1 :]) for inner in value]
            return _join([text for text in texts if isinstance(text, str)])
        else:
            value = value[int(key)] if key.isdigit() and int(key) < len(value) else None
    return value


def _join(texts: list[str]) -> str:
    spaced = any(text[:1].isspace() or text[-1:].isspace() for text in texts)
    return ("" if spaced else " ").join(texts)


def flat(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield what lies in an entry, with the path to it; lists of things that have texts and times are not its own."""
    if len(path) >= _DEEPEST:
        return
    if isinstance(value, dict):
        if is_time_in_parts(value):
            yield path, value
            return
        for key, inner in value.items():
            if isinstance(inner, (dict, list)):
                yield from flat(inner, (*path, key))
            elif inner is not None and not isinstance(inner, bool):
                yield (*path, key), inner
    elif isinstance(value, list) and value and path:
        yield from _flat_list(value, path)


def _flat_list(value: list[Any], path: Path) -> Iterator[tuple[Path, Any]]:
    first = value[0]
    if isinstance(first, dict):
        if path[-1].lower() in ALTERNATIVES:
            yield from flat(first, (*path, "0"))
            return
        inside = list(flat(first, path))
        roles = {found.role for inner, _ in inside for found in json_keys.roles_of(inner[len(path) - 1 :])}
        if roles & {"start", "span"}:
            if "text" not in roles:
                yield from flat(first, (*path, "0"))
        elif "text" in roles:
            texts = [(inner, text) for inner, text in inside if isinstance(text, str)]
            yield from (((*path, "*", *inner[len(path) :]), text) for inner, text in texts)
    elif all(isinstance(cell, str) for cell in value) and not (len(value) == 2 and all(map(moment_of, value))):
        yield (*path, "*"), _join(value)
    elif len(value) == 2 and any(moment_of(cell) for cell in value):
        yield (*path, "0"), value[0]
        yield (*path, "1"), value[1]


# --- which is which -------------------------------------------------------------------------------------------------


def layout_of(found: FoundList, frame_rate: Callable[[], float | None]) -> TimedList | None:
    """Read a list, where it can be what is said in a talk; None where it cannot.

    Args:
        found: the list.
        frame_rate: tells how many frames a second the value says that there are; asked where times count frames.
    """
    keys = tuple(key for key in found.path if key not in ("*", "{}"))
    if json_keys.holds_no_speech(keys):
        return None
    sample = [dict(flat(entry.value)) for entry in found.entries[:_SAMPLE]]
    columns = list(dict.fromkeys(path for row in sample for path in row))
    named = [path for path in columns if _text_rank(path, keys) is not None]
    named.sort(key=lambda path: _text_rank(path, keys) or 0)
    texts = _texts(found.entries, named)
    text_is_named = _share(texts) * 2 > len(texts)
    if not text_is_named:
        texts = _unnamed_texts(found.entries, columns, sample)
    if not _are_words(texts):
        return None
    share = _LETTERS_A_WORD if are_letters(texts) else 1
    counts = [count_words(text) / share for text in texts]
    start, end = _named_times(found.entries, columns, texts)
    time_is_named = start is not None
    if start is None:
        start, end = _unnamed_times(found.entries, columns, counts)
    if start is None:
        return None
    timed = in_milliseconds(found, texts, counts, start, end, frame_rate)
    transcript = keys and says_kind(keys[-1]) and any(_SAID & set(json_keys.words_of(path[-1])) for path in named)
    if not text_is_named and timed and (timed.of_a_day or not (timed.has_ends or found.rows)):
        return None
    says_it = found.rows and bool(keys) and says_kind(keys[-1])
    sure = says_it or (text_is_named and time_is_named and not found.keyed)
    written = _is_typed(found) or bool(timed and timed.of_a_day and not transcript)
    return timed if timed and _can_be(timed, sure=sure, typed=written) else None


def _text_rank(path: Path, keys: Path) -> int | None:
    ranks = [found.rank for found in json_keys.roles_of(path) if found.role == "text"]
    if ranks:
        return ranks[0]
    # Speechmatics called its words names.
    return 90 if path == ("name",) and keys and keys[-1].lower() in _WORD_LISTS else None


def _is_typed(found: FoundList) -> bool:
    return any(json_keys.is_typed(tuple(entry.value)) for entry in found.entries[:3])


def _texts(entries: Sequence[Entry], paths: Sequence[Path]) -> list[str]:
    """Return the text of every entry, from the first of the paths at which it has one."""
    texts = []
    for entry in entries:
        values = [text for path in paths if isinstance(text := at(entry.value, path), str) and text]
        # The spaces between words may be entries too.
        texts.append(next((text for text in values if text.strip()), values[0] if values else ""))
    # SentencePiece marks the blank before a word so.
    return [text.replace("\u2581", " ") if "\u2581" in text else text for text in texts]


def _share(texts: Sequence[str]) -> int:
    return sum(bool(text) for text in texts)


def _are_words(texts: Sequence[str]) -> bool:
    """Say whether texts are words: most are more than figures and units."""
    spoken = [text for text in texts if letters(text)]
    return sum(bool(_WORD.search(text)) for text in spoken) * 2 > len(spoken)


def _unnamed_texts(entries: Sequence[Entry], columns: Sequence[Path], sample: Sequence[dict[Path, Any]]) -> list[str]:
    """Return the texts of the key that says nothing and has the most words; nothing where no key has sentences."""
    best: tuple[float, Path] | None = None
    for path in columns:
        texts = [row[path] for row in sample if isinstance(row.get(path), str)]
        plain = [text for text in texts if moment_of(text) is None and not _ADDRESS.fullmatch(text)]
        if len(plain) * 2 <= len(sample) or not json_keys.may_be_text(path):
            continue
        words = sum(map(count_words, plain))
        if len(set(plain)) * 2 > len(plain) and (best is None or words > best[0]):
            best = words, path
    return _texts(entries, [best[1]]) if best else []


def _named_times(
    entries: Sequence[Entry], columns: Sequence[Path], texts: Sequence[str]
) -> tuple[Column | None, Column | None]:
    roles = sorted(
        ((found, path) for path in columns for found in json_keys.roles_of(path) if found.role != "text"),
        key=lambda pair: pair[0].rank,
    )
    starts = [column for pair in roles if pair[0].role == "start" and (column := _column(entries, texts, *pair))]
    # Where something begins in a recording, before the time of day.
    start = next((column for column in starts if not _is_of_a_day(column)), starts[0] if starts else None)
    for found, path in roles:
        if found.role == "span" and (start is None or found.rank < 6):
            spans = [span_of(at(entry.value, path)) for entry in entries]
            if sum(bool(a and b) for a, b in spans) * 2 > len(entries):
                return Column([a for a, _ in spans], found.unit, path), Column([b for _, b in spans], found.unit, path)
    if start is None:
        return None, None
    beside = sorted(
        (pair for pair in roles if pair[0].role in ("end", "length")),
        key=lambda pair: (pair[1][:-1] != start.path[:-1], pair[0].role == "length", pair[0].rank),
    )
    for found, path in beside:
        column = _column(entries, texts, found, path)
        if column and _fits(start, column):
            return start, column
    return start, None


def _is_of_a_day(column: Column) -> bool:
    numbers = [moment.number for moment in column.moments if moment is not None]
    return any(moment and moment.of_a_day for moment in column.moments) or unit_since_1970(numbers) is not None


def _column(entries: Sequence[Entry], texts: Sequence[str], found: KeyRole, path: Path) -> Column | None:
    """Return the times at a path, where most entries that say something have one."""
    moments = [moment_of(at(entry.value, path)) for entry in entries]
    spoken = [moment for moment, text in zip(moments, texts, strict=True) if letters(text)]
    if sum(moment is not None for moment in spoken) * 2 <= len(spoken):
        return None
    return Column(moments, found.unit, path, found.role)


def _fits(start: Column, column: Column) -> bool:
    """Say whether ends or lengths go with the beginnings: of one unit, and hardly ever before them."""
    if column.role == "end" and _is_of_a_day(start) != _is_of_a_day(column):
        return False
    good = both = 0
    for a, b in zip(start.moments, column.moments, strict=True):
        if a is None or b is None:
            continue
        both += 1
        if column.role == "length":
            good += b.number >= 0
        else:
            first, last = (
                moment.number * (moment.unit or unit or 1) for moment, unit in ((a, start.unit), (b, column.unit))
            )
            good += last >= first and (a.unit is None) == (b.unit is None)
    return good * 5 >= both * 4 and both > 0


def _unnamed_times(
    entries: Sequence[Entry], columns: Sequence[Path], counts: Sequence[float]
) -> tuple[Column | None, Column | None]:
    """Find times by their values: two columns that rise together, one behind the other; or one of clock times."""
    found: list[Column] = []
    for path in columns:
        if not json_keys.may_be_time(path):
            continue
        moments = [moment_of(at(entry.value, path)) for entry in entries]
        numbers = [moment.number for moment in moments if moment is not None and not moment.of_a_day]
        if len(numbers) < max(len(entries) * 0.9, _FEWEST_UNNAMED):
            continue
        steps = [after - before for before, after in pairwise(numbers)]
        if all(step >= 0 for step in steps) and any(steps) and set(steps) != {1}:
            found.append(Column(moments, None, path))
    best: tuple[float, Column, Column] | None = None
    for start in found:
        for end in found:
            if start is end or not _are_spans(start, end):
                continue
            a, b = numbers_of(start), numbers_of(end)
            _, a_word = unit_of_numbers(a, b, counts)
            pace = a_word or (ms_a_word(a, b, counts) or 0) * 1000
            off = abs(pace - 350)
            if pace and (best is None or off < best[0]):
                best = off, start, end
    if best:
        return best[1], best[2]
    clocks = [column for column in found if all(moment is None or moment.unit for moment in column.moments)]
    alone = clocks or (found if len(found) == 1 else [])
    return (alone[0], None) if alone else (None, None)


def _are_spans(start: Column, end: Column) -> bool:
    pairs = [(a.number, b.number) for a, b in zip(start.moments, end.moments, strict=True) if a and b]
    inside = sum(a < b for a, b in pairs)
    apart = sum(b <= following + (following - a) * 0.25 for (a, b), (following, _) in pairwise(pairs))
    return inside * 20 >= len(pairs) * 19 and apart * 5 >= (len(pairs) - 1) * 4


# --- whether it can be ----------------------------------------------------------------------------------------------


def _can_be(timed: TimedList, *, sure: bool, typed: bool) -> bool:
    """Say whether the times rise, lie within a talk and are those of so many words."""
    spoken = [(said, count_words(said.text)) for said in timed.said if letters(said.text)]
    starts = [said.start for said, _ in spoken if said.start is not None]
    if not starts or len(starts) * 2 <= len(spoken) or (typed and not timed.has_ends):
        return False
    if not timed.has_ends and _say_the_same([said.text for said, _ in spoken]):
        return False
    if max(starts) - (min(starts) if timed.of_a_day else 0) >= LONGEST_SPAN_MS:
        return False
    if not _rises(timed) or counts_characters((said.text, said.start, said.end) for said, _ in spoken):
        return False
    pace = ms_a_word(
        [said.start for said, _ in spoken], [said.end for said, _ in spoken], [count for _, count in spoken]
    )
    words = sum(count for _, count in spoken)
    if sure:
        return pace is None or words < _FEWEST_WORDS or _QUICKEST_MS <= pace <= _SLOWEST_MS
    if len(spoken) < _FEWEST_UNNAMED or pace is None or not _SURE_QUICKEST_MS <= pace <= _SURE_SLOWEST_MS:
        return False
    return (timed.single and timed.has_ends) or words >= _FEWEST_UNNAMED * len(spoken)


def _say_the_same(texts: Sequence[str]) -> bool:
    """Whether a few texts come over and over, as the states of a machine do."""
    few = texts[:_SAMPLE]
    return len(few) >= _FEWEST_STATES and len(set(few)) * _FEWEST_STATES <= len(few)


def counts_characters(entries: Iterable[tuple[str, float | None, float | None]]) -> bool:
    """Say whether what looks like times are places in a text: each as far apart as its words have characters."""
    lengths = [
        (len(text.strip()), end - start) for text, start, end in entries if start is not None and end is not None
    ]
    return len(lengths) > 1 and all(size in (length, length / 1000) for size, length in lengths)


def _rises(timed: TimedList) -> bool:
    """Say whether times go forwards: in each of the objects that hold the entries, but for single ones."""
    by_holder: dict[int, list[float]] = {}
    for said in timed.said:
        if said.start is not None and letters(said.text):
            by_holder.setdefault(id(said.entry.around[-1]) if said.entry.around else 0, []).append(said.start)
    steps = [after - before for starts in by_holder.values() for before, after in pairwise(starts)]
    back = sum(step < 0 for step in steps)
    return back * 5 <= len(steps)
