"""What a process that answers many queries asks for: memory kept, one thread, no garbage search, files read ahead.

All of it changes the process, so it is for whoever owns it: a server, or a command that asks many queries. A library
that is imported by others must not do it (`open_index` does not).
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from threadpoolctl import threadpool_limits

from talksearch.indexer.stores import catalog, vectors
from talksearch.indexer.stores.columns import reader

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of glibc's malloc.h."""

_KEPT = 32 << 20
"""Bytes; the most that glibc takes for the second of them."""

_SHARE = 4
"""Files are read ahead where all of them together take at most this part of the memory."""


def tune(folder: Path) -> None:
    """Prepare this process for many queries to the index in a folder."""
    keep()
    one_thread()
    freeze()
    read_ahead([folder / module.FILE_NAME for module in (catalog, reader, vectors)])


def keep() -> None:
    """Have the C library keep the memory of one query for the next one, instead of giving it back to the system.

    Ranking needs arrays of a number for each passage, and to be given their pages anew takes longer than to fill them.
    This holds for the whole process, and costs it up to 32 MB. Does nothing but with glibc.
    """
    if sys.platform != "linux":
        return
    adjust = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries have none
    if adjust:
        adjust(_TRIM_THRESHOLD, _KEPT)
        adjust(_MMAP_THRESHOLD, _KEPT)


def one_thread() -> None:
    """Have numpy's library for products use one thread, in the whole process.

    A query's products are small. The threads that OpenBLAS starts for them wait for more by running in circles, and
    take the processor from the thread that encodes the next query, or from the one that looks up its words.
    """
    threadpool_limits(1, "blas")


@cache  # once in a process: what is frozen is never looked at again
def freeze() -> None:
    """Have Python's search for reference cycles pass over all that is there now, which is mostly modules.

    To go through them takes as long as to answer a query, and would come on top of every few hundredth one.
    """
    gc.collect()
    gc.freeze()


def read_ahead(files: Sequence[Path]) -> None:
    """Have the system begin to read files that queries will look at here and there; return before it has.

    Otherwise the first queries wait for the disk at every place that none has looked at before.
    """
    if sys.platform != "linux":
        return
    with suppress(OSError):  # some file is missing: then opening it tells, or nobody needs it
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        if sum(path.stat().st_size for path in files) > memory // _SHARE:
            return
        for path in files:
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_WILLNEED)
