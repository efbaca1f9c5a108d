"""What the readers of JSON share: values from outside, whose types nobody promised."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.records import Word
from talksearch.indexer.text.clock import parse_clock

_HALVES = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\."
)
"""Escapes of JSON; the group takes those that are half a character, whose other half was cut off."""

_LONGEST = 40
"""Characters of a time that is written as a string; Python refuses to read numbers of thousands of digits."""


def parse(text: str) -> Any:
    """Parse JSON; objects that stand one after the other, as in JSON lines, become a list.

    Raises:
        UnreadableError: it is none, with the line where it breaks.
    """
    text = without_halves(text)
    try:
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            if error.msg != "Extra data" or not text.lstrip().startswith("{"):
                raise
            return _objects(text)
    except json.JSONDecodeError as error:
        raise UnreadableError(
            f"The JSON is broken at line {error.lineno}: {error.msg}.", "Was the download cut off? Fetch it again."
        ) from error
    except RecursionError as error:
        raise UnreadableError("The JSON is nested too deeply to be a transcript.", "") from error
    except ValueError as error:  # a number of thousands of digits
        raise UnreadableError(f"The JSON holds a value that cannot be read: {error}.", "") from error


def without_halves(text: str) -> str:
    r"""Return JSON with the escapes of half characters, whose other half was cut off, as those of U+FFFD.

    >>> without_halves(r'"Tides \ud83c" "\ud83c\udf0a"')
    '"Tides \\ufffd" "\\ud83c\\udf0a"'
    """
    if "\\ud" in text or "\\uD" in text:
        return _HALVES.sub(lambda match: "\\ufffd" if match[1] else match[0], text)
    return text


def _objects(text: str) -> list[Any]:
    """Parse objects that stand one after the other. Raises JSONDecodeError where something else stands."""
    decoder = json.JSONDecoder()
    objects = []
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
        elif text[position] == "{":
            value, position = decoder.raw_decode(text, position)
            objects.append(value)
        else:
            raise json.JSONDecodeError("Extra data", text, position)
    return objects


def milliseconds(value: object, per_unit: int = 1000) -> int | None:
    """Turn a time as JSON holds it into milliseconds; None for what is none.

    A number, or a string that holds one, is as many units of `per_unit` milliseconds. A clock, seconds with an `s`
    behind them, and protobuf's `seconds` and `nanos` say their unit themselves.

    >>> milliseconds(1.5), milliseconds("2"), milliseconds(float("nan")), milliseconds(True), milliseconds(None)
    (1500, 2000, None, None, None)
    >>> milliseconds("0:01:02,5"), milliseconds("1.4s", 1), milliseconds({"seconds": "1", "nanos": 5 * 10**8}, 1)
    (62500, 1400, 1500)
    """
    if isinstance(value, dict) and value and value.keys() <= {"seconds", "nanos"}:
        whole, rest = milliseconds(value.get("seconds", 0)), milliseconds(value.get("nanos", 0), 1)
        return None if whole is None or rest is None else whole + rest // 10**6
    if isinstance(value, str):
        if len(value) > _LONGEST:
            return None
        if ":" in value:
            return parse_clock(value)
        if value.endswith("s"):
            value, per_unit = value[:-1], 1000
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if isinstance(value, int):
        return value * per_unit if abs(value) < 10**12 else None
    if not math.isfinite(value) or abs(value) > 1e12:
        return None
    return round(value * per_unit)


def string(value: object) -> str | None:
    """Return the value where it is a text that says something."""
    return value.strip() if isinstance(value, str) and value.strip() else None


def timed_words(pieces: list[tuple[str, int | None]], start_ms: int) -> tuple[str, tuple[Word, ...]]:
    """Join pieces of text, each with its time, and give every word between spaces the time of its first piece.

    >>> timed_words([("un", 10), ("believable", 20), (" news", 30)], 0)
    ('unbelievable news', (Word(text='unbelievable', start_ms=10), Word(text='news', start_ms=30)))
    """
    words: list[Word] = []
    current, current_ms = "", start_ms
    last = start_ms
    for piece, time in pieces:
        last = max(last, time) if time is not None else last
        for i, part in enumerate(piece.replace("\n", " ").split(" ")):
            if i and current:
                words.append(Word(current, current_ms))
                current = ""
            if part and not current:
                current_ms = last
            current += part
    if current:
        words.append(Word(current, current_ms))
    return " ".join(word.text for word in words), tuple(words)
