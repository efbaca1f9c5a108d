"""What the library does to its own process: memory given back, pages released, garbage collection paused."""

from __future__ import annotations

import ctypes
import gc
import mmap
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np


def let_go(array: np.ndarray[Any, Any]) -> None:
    """Have the system take the pages of a mapped file out of this process's memory; what was written stays in the file.

    They come back when they are touched again. Without this, who walks through a large file ends up holding all of it.
    """
    base: Any = array
    while isinstance(base, np.ndarray | memoryview):
        base = base.obj if isinstance(base, memoryview) else base.base
    if isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)


def _give_back() -> None:
    """Have the C library give the system the memory back that a closed client left in pieces. Only glibc needs it."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim:
        trim(0)


@contextmanager
def _without_collections() -> Iterator[None]:
    """Put off Python's search for reference cycles: a talk makes a million small objects and hardly a cycle."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
