"""The keys of a scraped record, `Title:` and the like, and what stands behind each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from .pasted_captions import begins_like_captions

CONTENT_KEYS = ("content", "transcript")
_SIMPLE_KEYS = ("timestamp", "title", "url", "status", "duration")
_KEY = re.compile(r"^[ \t]*(timestamp|title|url|status|duration|description|content|transcript)[ \t]*[:：](.*)$", re.I)


class KeyRow(NamedTuple):
    """A row that looks like a key."""

    row: int
    key: str
    rest: str
    """What stands behind the colon."""


def rows_of(text: str) -> list[str]:
    """Cut a record into rows."""
    # Not splitlines: in broken encodings U+0085 and its like are parts of letters, not line ends.
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")


def key_of(row: str) -> str | None:
    """Return the key that a row begins with."""
    match = _KEY.match(row)
    return match[1].lower() if match else None


def key_rows(rows: Sequence[str]) -> list[KeyRow]:
    """Return the rows that look like a key."""
    return [KeyRow(i, match[1].lower(), match[2]) for i, row in enumerate(rows) if (match := _KEY.match(row))]


def header_and_content(rows: Sequence[str], keys: Sequence[KeyRow]) -> tuple[dict[str, str], str]:
    """Split the rows of a record, some of which look like keys, into its values by key and its content.

    A description may hold anything, lines that look like keys included. So the keys are read in two places only: from
    the top down to `Description:`, and in the unbroken rows of keys right above the content. The content begins at the
    last row that says so, or at the first one behind which captions begin.
    """
    content_row, content = _find_content(rows, keys)
    described = next((item.row for item in keys if item.key == "description" and item.row < content_row), content_row)
    values: dict[str, str] = {}
    heads = [item for item in keys if item.row < described and item.key in _SIMPLE_KEYS]
    for position, (i, key, rest) in enumerate(heads):
        until = heads[position + 1].row if position + 1 < len(heads) else described
        if key not in values:
            values[key] = _trim(" ".join(_trim(row) for row in (rest, *rows[i + 1 : until]) if _trim(row)))
    tail = content_row
    key_by_row = {i: (key, rest) for i, key, rest in keys}
    i = content_row - 1
    while i > described:
        key, rest = key_by_row.get(i, ("", ""))
        if key in _SIMPLE_KEYS and key not in values:
            values[key] = _trim(rest)
            tail = i
        elif _trim(rows[i]):
            break
        i -= 1
    if described < content_row:
        first = key_by_row[described][1]
        values["description"] = "\n".join([first, *rows[described + 1 : tail]]).strip(" \t\n")
    return values, content


def _find_content(rows: Sequence[str], keys: Sequence[KeyRow]) -> tuple[int, str]:
    """Return the row of `Content:` and what follows it; the number of rows and nothing where there is none."""
    chosen: tuple[int, str] | None = None
    for i, key, rest in keys:
        if key not in CONTENT_KEYS:
            continue
        content = "\n".join([rest, *rows[i + 1 :]])
        if begins_like_captions(content):
            return i, content
        if _trim(content) or chosen is None:
            chosen = (i, content)
    return chosen if chosen is not None else (len(rows), "")


def _trim(value: str) -> str:
    # Not strip(): a no-break space may be half of a letter in a broken encoding.
    return value.strip(" \t\r\n")
