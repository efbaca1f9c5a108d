"""What the readers of JSON share: values from outside, whose types nobody promised."""

from __future__ import annotations

import json
import math
from typing import Any

from ..errors import UnreadableError
from ..records import Word


def parse(text: str) -> Any:
    """Parse JSON.

    Raises:
        UnreadableError: it is none, with the line where it breaks.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise UnreadableError(
            f"The JSON is broken at line {error.lineno}: {error.msg}.", "Was the download cut off? Fetch it again."
        ) from error
    except RecursionError as error:
        raise UnreadableError("The JSON is nested too deeply to be a transcript.", "") from error
    except ValueError as error:  # a number of thousands of digits
        raise UnreadableError(f"The JSON holds a value that cannot be read: {error}.", "") from error


def milliseconds(value: object, per_unit: int = 1000) -> int | None:
    """Turn a number, or a string that holds one, into milliseconds; None for anything else.

    >>> milliseconds(1.5), milliseconds("2"), milliseconds(float("nan")), milliseconds(True), milliseconds(None)
    (1500, 2000, None, None, None)
    """
    if isinstance(value, str):
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
    current, at = "", start_ms
    last = start_ms
    for piece, time in pieces:
        last = max(last, time) if time is not None else last
        for i, part in enumerate(piece.replace("\n", " ").split(" ")):
            if i and current:
                words.append(Word(current, at))
                current = ""
            if part and not current:
                at = last
            current += part
    if current:
        words.append(Word(current, at))
    return " ".join(word.text for word in words), tuple(words)
