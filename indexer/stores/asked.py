"""The talks that were asked for lately: those among the first hits of searches made while vectors are missing.

The indexing run that makes the vectors begins with these talks (`pipeline.embed_order`). One small file of numbers of
talks, a line for each search, that the run deletes when no vector is missing any more. No word of a query is written
down, nor who asked, nor when; and nothing at all where every passage has its vector.

A line is appended by a single call, so that searches of several processes do not lose each other's lines.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from talksearch.indexer import layout

_MOST = 100
"""How many talks count as asked for lately."""

_LARGEST = 8_192
"""Bytes that the file may have; then it begins anew. It holds some hundreds of searches."""

_LINE = re.compile(rb"\d{1,18}( \d{1,18})*")


def note(folder: Path, talks: Sequence[int]) -> None:
    """Note the numbers of talks that were among the first hits of a search; where that cannot be written, do not."""
    if not talks:
        return
    line = " ".join(map(str, talks)).encode() + b"\n"
    # A link in an index that came from elsewhere may lead to any file, to which nothing shall be appended.
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
    with suppress(OSError):
        file = os.open(layout.ASKED.within(folder), flags, 0o666)
        try:
            if os.fstat(file).st_size + len(line) > _LARGEST:
                os.ftruncate(file, 0)
            os.write(file, line)
        finally:
            os.close(file)


def read(folder: Path) -> list[int]:
    """Return the numbers of the talks that were asked for lately, last ones first; damaged lines are passed over."""
    try:
        with layout.ASKED.within(folder).open("rb") as file:
            lines = file.read(_LARGEST).split(b"\n")[:-1]
    except OSError:
        return []
    numbers = (int(number) for line in reversed(lines) if _LINE.fullmatch(line) for number in line.split(b" "))
    return list(dict.fromkeys(numbers))[:_MOST]


def forget(folder: Path) -> None:
    """Delete what was noted."""
    with suppress(OSError):  # it does no harm
        layout.ASKED.within(folder).unlink(missing_ok=True)
