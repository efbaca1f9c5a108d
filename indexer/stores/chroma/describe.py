"""What Chroma is told of a passage beside its vector."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from talksearch.indexer.stores.catalog import placeholders

_AT_ONCE = 2_000
"""Passages that one statement asks for."""

_DESCRIBE = """
SELECT p.number, p.text, t.id, t.title, t.source, t.youtube_id, t.url, t.channel, t.language, t.date, t.timing,
    p.start_ms / 1000.0, p.end_ms / 1000.0, p.field
FROM passages p JOIN talks t ON t.number = p.talk
"""

_KEYS = (
    "text", "talk_id", "title", "source", "youtube_id", "url", "channel", "language", "date", "timing", "start_s",
    "end_s", "field",
)  # fmt: skip
"""The names that Chroma has for what the statement returns behind the number."""

METADATA = _KEYS[1:]
"""Those of a passage's metadata, all but its text."""


def describe(db: sqlite3.Connection, numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Return text and metadata of passages for Chroma, in the order of `numbers`: times in seconds, no empty values."""
    descriptions: dict[int, dict[str, Any]] = {}
    for start in range(0, len(numbers), _AT_ONCE):
        batch = list(numbers[start : start + _AT_ONCE])
        rows = db.execute(f"{_DESCRIBE} WHERE p.number IN ({placeholders(len(batch))})", batch)
        for number, *values in rows:
            descriptions[number] = {key: value for key, value in zip(_KEYS, values, strict=True) if value is not None}
    return [descriptions[number] for number in numbers]
