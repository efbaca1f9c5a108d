"""What the library does to its own process: memory given back, pages released, garbage collection paused.

All of it passes, or shows only in how much memory the process has. What lasts is up to whoever owns the process.
"""

from __future__ import annotations

import ctypes
import gc
import mmap
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def has_ended(process: int) -> bool:
    """Say whether no process of this machine has a number; False where that cannot be known, as on Windows."""
    if os.name != "posix" or process <= 0:
        return False
    try:
        os.kill(process, 0)  # sends nothing; on Windows it would
    except (ProcessLookupError, OverflowError):
        return True
    except OSError:  # a process of somebody else
        return False
    return False


def release_pages(array: np.ndarray[Any, Any]) -> None:
    """Have the system take the pages of a mapped file out of this process's memory; what was written stays in the file.

    They come back when they are touched again. Without this, a walk through a large file ends with all of it in memory.
    """
    import numpy as np  # a server that pauses collections must listen before it has numpy

    base: Any = array
    while isinstance(base, np.ndarray | memoryview):
        base = base.obj if isinstance(base, memoryview) else base.base
    if isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)


def trim_heap() -> None:
    """Have the C library return free memory to the system that lies in pieces in its heap. Only glibc needs it."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim:
        trim(0)


@contextmanager
def collections_paused() -> Iterator[None]:
    """Put off Python's search for reference cycles.

    A talk makes a million small objects and hardly a cycle; and modules are kept anyway, while looking for cycles takes
    a tenth of the time of importing them.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
