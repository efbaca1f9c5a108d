"""Links that open a recording at a second."""

from __future__ import annotations

from pathlib import Path

from talksearch.indexer.records import Timing
from talksearch.indexer.text import youtube

_EARLY_MS = 8_000
"""How much earlier than an estimated time a link opens at most, in milliseconds."""


def jump_to(start_ms: int, timing: Timing, margin_ms: int) -> int:
    """Return where a link to something said at `start_ms` should open.

    Exact times open there. Estimated times open a little early: a listener who comes early waits a moment, one who
    comes late misses the answer and does not know which way to look.

    >>> jump_to(60_000, "exact", 0), jump_to(60_000, "estimated", 20_000), jump_to(3_000, "estimated", 20_000)
    (60000, 52000, 0)
    """
    early = min(_EARLY_MS, margin_ms // 2) if timing == "estimated" else 0
    return max(0, start_ms - early)


def link(url: str | None, transcript: Path | str, jump_ms: int) -> str:
    """Return the address that opens a talk at a moment; the transcript itself where no recording is known."""
    return youtube.link(url, jump_ms // 1000) if url else Path(transcript).as_uri()
