"""What a process does that answers many queries: it keeps memory, uses one thread, and reads files ahead.

All of this changes the whole process, so only the process's owner may ask for it: a server, or a command that asks many
queries. A library that others import must not, and opening an index does not.
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

from talksearch.indexer import layout

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of glibc's malloc.h."""

_KEPT_BYTES = 32 << 20
"""How much freed memory a process keeps. It is the greatest M_MMAP_THRESHOLD that glibc takes."""

_READ_AHEAD_SHARE = 4
"""Files are read ahead where all of them together take at most one part in so many of the memory."""


def tune(folder: Path) -> None:
    """Prepare this process for many queries to the index in a folder."""
    keep_memory()
    use_one_thread()
    freeze_modules()
    # Not the catalog: where a process opens its file and closes it, the locks are gone that SQLite holds on it for this
    # process, and another one deletes the log that is being read (sqlite.org/howtocorrupt.html, 2.2).
    read_ahead([entry.within(folder) for entry in (layout.COLUMNS, layout.VECTORS)])


def keep_memory() -> None:
    """Have the C library keep the memory of one query for the next one, instead of giving it back to the system.

    Ranking needs arrays of a number for each passage, and getting their pages anew takes longer than filling them. This
    holds for the whole process, and costs it up to 32 MB. It does nothing where there is another library than glibc.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries have none
    if mallopt:
        mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)
        mallopt(_MMAP_THRESHOLD, _KEPT_BYTES)


def use_one_thread() -> None:
    """Have numpy's library for products use one thread, in the whole process.

    A query's products are small. The threads that OpenBLAS starts for them spin while they wait for more, and take the
    processor from the thread that encodes the next query, or from the one that looks up its words.
    """
    threadpool_limits(1, "blas")


@cache  # once in a process: what is frozen is never looked at again, also where it is no longer needed
def freeze_modules() -> None:
    """Have Python's search for reference cycles pass over all that is there now, which is mostly modules.

    Going through them takes as long as answering a query, and would slow one query in a few hundred down.
    """
    gc.collect()
    gc.freeze()


def read_ahead(files: Sequence[Path]) -> None:
    """Have the system begin to read files that queries will look at here and there, and return before it has done so.

    Otherwise the first queries wait for the disk at every place that no other query has looked at.
    """
    if sys.platform != "linux":
        return
    with suppress(OSError):  # a file is missing: opening it tells so, or nobody needs it
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        if sum(path.stat().st_size for path in files) > memory // _READ_AHEAD_SHARE:
            return
        for path in files:
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_WILLNEED)
