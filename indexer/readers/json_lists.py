"""Everything in a JSON value that is a list of things: where it lies, its entries, and the objects around them.

Lists of objects, of rows (`[1.0, 4.0, "…"]`), objects of arrays that run side by side (`{"start": […], "text": […]}`),
and objects whose keys count or name their entries. Lists that lie at the same path in several objects, such as the
words of every result, are one list; the objects around an entry tell which of them it is from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from .json_keys import ALTERNATIVES, Path
from .json_talks import by_speaker, says_kind

_DEEPEST = 16
"""Objects and lists inside one another; no service nests its words deeper."""
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_CLOCK = re.compile(r"(?:\d{1,2}:)?\d{1,3}:\d{2}(?:[.,]\d{1,9})?")
_FEWEST_PARALLEL = 1
_FEWEST_ALIGNED = 3
_TOKEN = re.compile(
    r"[^\W\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+|[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"
)
"""A word, or a character of a script without spaces."""
_SAMPLE = 20
_SHORTEST_JSON = 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing of a list."""

    value: dict[str, Any]
    around: tuple[dict[str, Any], ...]
    """The objects that it lies in, the outermost first."""


@dataclass(slots=True)
class FoundList:
    """All entries that lie at one path of a value, in its order."""

    path: Path
    entries: list[Entry] = field(default_factory=list)
    keyed: bool = False
    """The keys of an object are the times of its texts; they stand under `time`, the texts under `text`."""
    rows: bool = False
    """Entries are rows without keys; what they hold stands under the figures of its place."""


def opened(value: Any, depth: int = 0) -> Any:
    """Return a value with the JSON that stands in its texts, as answers of web services have it, as values."""
    if isinstance(value, str):
        text = value.strip()
        if len(text) < _SHORTEST_JSON or text[0] not in "[{" or text[-1] not in "]}" or depth > _DEEPEST:
            return value
        try:
            inner = json.loads(text)
        except (ValueError, RecursionError):
            return value
        return opened(inner, depth + 1)
    if depth > _DEEPEST:
        return value
    if isinstance(value, dict):
        return {key: opened(inner, depth + 1) for key, inner in value.items()}
    return [opened(inner, depth + 1) for inner in value] if isinstance(value, list) else value


def lists_in(value: object) -> list[FoundList]:
    """Return every list of things in a value, outer ones before inner ones."""
    found: dict[Path, FoundList] = {}
    _walk(value, (), (), found, 0)
    return list(found.values())


def _walk(
    value: object, path: Path, around: tuple[dict[str, Any], ...], found: dict[Path, FoundList], depth: int
) -> None:
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        inside = (*path, "*")
        first_only = bool(path) and path[-1].lower() in ALTERNATIVES
        entries = value[:1] if first_only else value
        if any(isinstance(entry, dict) for entry in entries):
            into = found.setdefault(inside, FoundList(inside))
            into.entries += [Entry(entry, around) for entry in entries if isinstance(entry, dict)]
        elif _are_rows(entries):
            into = found.setdefault(inside, FoundList(inside, rows=True))
            into.entries += [Entry({str(i): cell for i, cell in enumerate(row)}, around) for row in entries]
        for entry in entries:
            is_outer = isinstance(entry, list) and bool(entry) and isinstance(entry[0], (dict, list))
            if is_outer or isinstance(entry, dict):
                _walk(entry, inside, around, found, depth + 1)
    elif isinstance(value, dict):
        around = (*around, value)
        if side_by_side := _side_by_side(value):
            inside = (*path, "{}")
            into = found.setdefault(inside, FoundList(inside))
            into.entries += [Entry(entry, around) for entry in side_by_side]
        if columns := _columns(value):
            inside = (*path, "{}")
            into = found.setdefault(inside, FoundList(inside))
            into.entries += [Entry(entry, around) for entry in columns]
        if aligned := _aligned(value):
            inside = (*path, "words", "*")
            found.setdefault(inside, FoundList(inside)).entries += [Entry(entry, around) for entry in aligned]
        if _are_times(value):
            inside = (*path, "{}")
            into = found.setdefault(inside, FoundList(inside, keyed=True))
            into.entries += [Entry({"time": key, "text": text}, around) for key, text in value.items()]
        if conversation := by_speaker(value):
            inside = (*path, "speakers", "*")
            into = found.setdefault(inside, FoundList(inside))
            for speaker, entries in conversation.items():
                into.entries += [Entry(entry, (*around, {"speaker": speaker})) for entry in entries]
        alike = _are_alike(value)
        if alike:
            into = found.setdefault((*path, "*"), FoundList((*path, "*")))
            into.entries += [Entry(entry, around) for entry in value.values()]
        for key, inner in value.items():
            if isinstance(inner, (dict, list)):
                _walk(inner, (*path, "*" if alike else key), around, found, depth + 1)


def _are_rows(entries: list[Any]) -> bool:
    """Whether a list holds rows of the same length with a text and a number, or a clock time, in each."""
    sample = entries[:_SAMPLE]
    if not sample or not all(isinstance(row, list) and 2 <= len(row) <= 16 for row in sample):
        return False
    return all(any(isinstance(cell, str) for cell in row) for row in sample) and len({len(row) for row in sample}) <= 2


def _side_by_side(value: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the entries of an object whose arrays run side by side; none where it has no such arrays."""
    arrays = {
        key: inner
        for key, inner in value.items()
        if isinstance(inner, list) and len(inner) >= _FEWEST_PARALLEL and not isinstance(inner[0], dict)
    }
    texts = [key for key, inner in arrays.items() if all(isinstance(cell, str) for cell in inner[:_SAMPLE])]
    for key in texts:
        beside = {other: inner for other, inner in arrays.items() if len(inner) == len(arrays[key])}
        if any(other not in texts for other in beside):
            return [dict(zip(beside, row, strict=True)) for row in zip(*beside.values(), strict=True)]
    return []


def _columns(value: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of a table whose columns are objects with the numbers of rows as keys, as pandas has it."""
    columns = {key: inner for key, inner in value.items() if isinstance(inner, dict) and inner}
    if len(columns) < 2 or len(columns) < len(value):
        return []
    numbers = next(iter(columns.values())).keys()
    if not all(key.isdigit() for key in numbers) or any(inner.keys() != numbers for inner in columns.values()):
        return []
    if any(isinstance(cell, dict) for inner in columns.values() for cell in inner.values()):
        return []
    return [{key: inner[number] for key, inner in columns.items()} for number in numbers]


def _aligned(value: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the words of a text with as many pairs of times beside it, as FunASR writes them."""
    for pairs in value.values():
        if not isinstance(pairs, list) or len(pairs) < _FEWEST_ALIGNED or not all(map(_is_pair, pairs)):
            continue
        for text in value.values():
            if not isinstance(text, str):
                continue
            for words in (text.split(), _TOKEN.findall(text)):
                if len(words) == len(pairs):
                    return [{"word": w, "start": a, "end": b} for w, (a, b) in zip(words, pairs, strict=True)]
    return []


def _is_pair(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(number, (int, float)) for number in value)


def _are_times(value: dict[str, Any]) -> bool:
    """Whether the keys of an object are the times of its texts."""
    keys = list(value)
    if len(keys) < 3 or not all(isinstance(text, str) for text in value.values()):
        return False
    if all(_CLOCK.fullmatch(key) for key in keys):
        return True
    if not all(_NUMBER.fullmatch(key) for key in keys):
        return False
    # What is counted up by one is numbered, not timed.
    return {after - before for before, after in pairwise(map(float, keys))} != {1.0}


def _are_alike(value: dict[str, Any]) -> bool:
    """Whether an object is a list whose entries have names or numbers: all are objects, and their keys are the same."""
    inner = list(value.values())
    if len(inner) < 2 or any(map(says_kind, value)) or not all(isinstance(entry, dict) and entry for entry in inner):
        return False
    first = set(inner[0])
    return all(len(first & set(entry)) * 2 > len(first | set(entry)) for entry in inner[:_SAMPLE])


def strings_in(value: object) -> Iterator[str]:
    """Yield every text in a value."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
