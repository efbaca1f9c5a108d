"""What Chroma is told of a passage beside its vector."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

_AT_ONCE = 2_000
"""Passages that one statement asks for."""


def describe(db: sqlite3.Connection, numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Return text and metadata of passages for Chroma, in the order of `numbers`; seconds, and no empty values."""
    rows = {}
    for at in range(0, len(numbers), _AT_ONCE):
        part = list(numbers[at : at + _AT_ONCE])
        marks = ", ".join("?" * len(part))
        for row in db.execute(f"{_DESCRIBE} WHERE p.number IN ({marks})", part):
            rows[row[0]] = {key: value for key, value in zip(_KEYS, row[1:], strict=True) if value is not None}
    return [rows[number] for number in numbers]


_DESCRIBE = """
SELECT p.number, p.text, t.id, t.title, t.source, t.youtube_id, t.url, t.channel, t.language, t.date, t.timing,
    p.start_ms / 1000.0, p.end_ms / 1000.0, p.field
FROM passages p JOIN talks t ON t.number = p.talk
"""


_KEYS = (
    "text", "talk_id", "title", "source", "youtube_id", "url", "channel", "language", "date", "timing", "start_s",
    "end_s", "field",
)  # fmt: skip
