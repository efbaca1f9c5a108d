"""The pace of an indexing run that makes vectors, written down so that a search can say when all of them are there.

One small file of numbers. It is written with every window of passages, and gone when the run ends, however it ends but
by a crash; a pace that is old says that nobody is at work.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

from talksearch.indexer import layout

_STALE_S = 120.0
"""After so many seconds without a word, or `_WINDOWS` windows at its pace, a run is taken to have ended."""

_WINDOWS = 3


def write(folder: Path, passages_per_s: float, window: int) -> None:
    """Write down how many passages get their vectors in a second, in windows of so many."""
    values = {"passages_per_s": passages_per_s, "window": window, "at": time.time()}
    with layout.replace_file(layout.PACE.within(folder)) as fresh:
        fresh.write_text(json.dumps(values), encoding="utf-8")


def begin(folder: Path) -> None:
    """Say that vectors are being made from now on, at a pace that is not known yet."""
    write(folder, 0.0, 0)


def forget(folder: Path) -> None:
    """Say that no vectors are being made."""
    layout.PACE.within(folder).unlink(missing_ok=True)


def read(folder: Path) -> float | None:
    """Return how many passages get their vectors in a second; None where nobody makes any.

    It is 0 where a run has begun and does not know its pace yet.
    """
    try:
        values = json.loads(layout.PACE.within(folder).read_text(encoding="utf-8"))
        pace, window, at = float(values["passages_per_s"]), float(values["window"]), float(values["at"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not pace >= 0:
        return None
    return pace if abs(time.time() - at) <= max(_STALE_S, _WINDOWS * window / pace if pace else 0) else None
