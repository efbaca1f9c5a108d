"""The pace of an indexing run that makes vectors, written down so that a search can say when all of them are there.

One small file. It is written with every window of passages, and gone when the run ends, however it ends but by a crash.
A pace that is old, or of a process of this machine that has ended, says that nobody is at work.
"""

from __future__ import annotations

import json
import os
import socket
import time
from pathlib import Path

from talksearch.indexer import layout
from talksearch.indexer.process import has_ended

_STALE_S = 120.0
"""After so many seconds without a word, or `_WINDOWS` windows at its pace, a run is taken to have ended."""

_WINDOWS = 3


def write(folder: Path, passages_per_s: float, window: int) -> None:
    """Write down how many passages get their vectors in a second, in windows of so many."""
    process = {"process": os.getpid(), "host": socket.gethostname()}
    values = {"passages_per_s": passages_per_s, "window": window, "at": time.time(), **process}
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
    if not pace >= 0 or _has_ended(values.get("process"), values.get("host")):
        return None
    return pace if abs(time.time() - at) <= max(_STALE_S, _WINDOWS * window / pace if pace else 0) else None


def _has_ended(process: object, host: object) -> bool:
    """Say whether a process is known to have ended, as one that was killed has: of another machine nothing is known."""
    return host == socket.gethostname() and isinstance(process, int) and has_ended(process)
