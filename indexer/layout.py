"""What lies in an index: one entry for each file and folder, and the one way in which a file is put in place.

Everybody who needs the name of a file of an index asks this module: the stores and the encoders that write it, the walk
that passes over an index, the server that watches one, the report of its sizes, the doctor. It lies on the ground floor
and not in `stores`, because the encoders, on which the stores build, write into an index as well. docs/index.md is the
same list for people, and a test holds the two against each other.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or a folder of an index."""

    name: str
    holds: str
    """What it holds, as the end of a sentence that begins with its name."""
    made_from: str = ""
    """What it can be made from again. Empty where nothing else holds what it holds."""
    is_folder: bool = False
    passing: bool = False
    """Whether it comes and goes without the index being another one, as a lock does."""

    def within(self, index: Path) -> Path:
        """Return where it lies in an index folder."""
        return index / self.name


CATALOG = Entry("catalog.sqlite3", "talks, cues, passages, their words, and every file that was looked at")
CATALOG_LOG = Entry(
    "catalog.sqlite3-wal", "what was written to the catalog last, until SQLite moves it there", passing=True
)
CATALOG_LOG_INDEX = Entry(
    "catalog.sqlite3-shm", "where in this log each page stands, while somebody has the catalog open", passing=True
)
CHROMA = Entry(
    "chroma", "each passage with its vector, text and metadata, readable by any other Chroma client", is_folder=True
)
CHROMA_DAMAGED = Entry(
    "chroma.damaged", "a damaged Chroma store that the doctor put aside, and may be deleted", is_folder=True
)
RECIPE = Entry("recipe.json", "the model, its prompts, and how talks are split, which must be the same in every run")
DIRECTIONS = Entry("directions.npy", "the directions along which the tokens of passages were encoded")
VECTORS = Entry("vectors.bin", "every vector a second time, as a file that can be mapped", made_from="the Chroma store")
COLUMNS = Entry(
    "columns.bin",
    "what ranking reads of every passage, as arrays that can be mapped",
    made_from="the catalog and the vectors",
)
CALIBRATION = Entry(
    "calibration.json",
    "how near passages are to queries that the index does not answer",
    made_from="the vectors and the null queries",
)
NULL_VECTORS = Entry("nulls.npy", "the vectors of the null queries", made_from="the encoder")
TOPICS = Entry(
    "topics.json",
    "where each talk stands on the map of topics, and what the topics are called",
    made_from="the catalog and the vectors",
)
OVERVIEW = Entry(
    "overview.json",
    "what the first page tells of the archive: how much there is, and what to ask it",
    made_from="the catalog",
    passing=True,
)
LOCK = Entry("lock", "nothing: the operating system holds it for the process that writes", passing=True)
PACE = Entry(
    "pace.json",
    "how many passages get their vectors in a second, and which process makes them, while an indexing run does",
    passing=True,
)
CHECKSUMS = Entry(
    "checksums.json",
    "SHA-256, size and time of change of the files that are made of others, as they were written",
    passing=True,
)
ASKED = Entry(
    "asked.log", "the numbers of talks that were asked for lately, while passages wait for vectors", passing=True
)
STORES = Entry(
    "stores.json", "which stores on other machines the index was put into, and under which number", passing=True
)
LOCK_HOLDER = Entry("lock.holder", "which process writes, on which machine, and since when", passing=True)
CHROMA_LOCK = Entry(
    "lock.chroma",
    "nothing: the operating system holds it for the process that puts passages into the Chroma store",
    passing=True,
)
STORES_LOCK = Entry(
    "lock.stores",
    "nothing: the operating system holds it for the process that puts the index into a store on other machines",
    passing=True,
)

ENTRIES = (
    CATALOG,
    CATALOG_LOG,
    CATALOG_LOG_INDEX,
    CHROMA,
    CHROMA_DAMAGED,
    RECIPE,
    DIRECTIONS,
    VECTORS,
    COLUMNS,
    CALIBRATION,
    NULL_VECTORS,
    TOPICS,
    OVERVIEW,
    LOCK,
    LOCK_HOLDER,
    CHROMA_LOCK,
    STORES_LOCK,
    PACE,
    CHECKSUMS,
    ASKED,
    STORES,
)
"""Everything that may lie in an index. The first is there in every index, finished or not."""

PASSING = frozenset(entry.name for entry in ENTRIES if entry.passing)
"""Names of the files that say nothing about which index this is."""


_AT_FDCWD = -100
"""Names are relative to the working folder, says Linux's fcntl.h."""
_EXCHANGE = 2
"""RENAME_EXCHANGE of Linux, and RENAME_SWAP of macOS."""

_OLD_ENCODER = "encoder"
"""A folder that holds the model as ONNX in an index of an earlier version. By now it has a home in the user's cache."""


def is_index(folder: Path) -> bool:
    """Say whether a folder is an index. Raises OSError where it cannot be entered."""
    return CATALOG.within(folder).exists()


def rebuilt(index: Path) -> Path:
    """Return the folder beside an index in which a new one is built that will take its place."""
    return index.with_name(f".{index.name}.rebuild")


def replaced(index: Path) -> Path:
    """Return the folder beside an index to which it is moved while the new one takes its place."""
    return index.with_name(f".{index.name}.old")


def swap_folders(one: Path, other: Path) -> bool:
    """Let two folders take each other's names at once, so that nobody ever finds a name without its folder.

    By `renameat2` with RENAME_EXCHANGE on Linux (rename(2)), by `renamex_np` with RENAME_SWAP on macOS. Returns False
    where the system or the file system has neither; nothing is changed then.
    """
    library = ctypes.CDLL(None) if sys.platform in ("linux", "darwin") else None
    names = os.fsencode(one), os.fsencode(other)
    if swap := getattr(library, "renameat2", None):
        return bool(swap(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _EXCHANGE) == 0)
    if swap := getattr(library, "renamex_np", None):
        return bool(swap(*names, _EXCHANGE) == 0)
    return False


def leftovers(index: Path) -> list[Path]:
    """Return what lies in an index and beside it that nobody uses: what an ended run left, or an earlier version.

    Only whoever holds the index for writing can tell: for all others, a run may be at work on it.
    """
    index = Path(os.path.realpath(index))
    files = [_fresh(entry.within(index)) for entry in ENTRIES if not entry.is_folder] + [PACE.within(index)]
    folders = [index / _OLD_ENCODER, rebuilt(index), replaced(index)]
    return [file for file in files if os.path.lexists(file)] + [
        folder for folder in folders if folder.is_dir() and not folder.is_symlink()
    ]


def clear_leftovers(index: Path) -> list[Path]:
    """Delete what nobody uses, and return what it was. Whoever calls this holds the index for writing.

    What cannot be deleted stays for the next time: it does no harm.
    """
    found = leftovers(index)
    for path in found:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):
                path.unlink()
    return found


def _fresh(path: Path) -> Path:
    """Return where the file is written that will take the place of another."""
    return path.with_name(f"{path.name}.new")


@contextmanager
def replace_file(path: Path) -> Iterator[Path]:
    """Yield where to write a new file, which takes the place of `path` at once when the block ends without an error.

    Whoever has the old file open goes on reading it, and a reader never sees half of the new one. Where the block
    leaves no new file, because the old one shall stay, nothing is replaced.
    """
    fresh = _fresh(path)
    try:
        yield fresh
        if fresh.exists():
            with fresh.open("rb+") as file:  # on disk before the name leads to it
                os.fsync(file.fileno())
            fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
