"""A copy of the vectors that a fresh process can search in milliseconds, derived from the Chroma store.

Importing chromadb costs a second and its filters lose recall on large collections; an exact product over a file in the
page cache costs neither. One file of records: a passage's number (int64) and its normalised vector (float32). Records
are only ever appended. A record is dead when its passage has left the catalog or a later record repeats it; readers
pass over it until `compact` writes the file anew. The copy may always be deleted: an indexing run makes it from Chroma.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from talksearch.indexer import layout
from talksearch.indexer.arrays import Floats, Ints
from talksearch.indexer.encoders import checksums
from talksearch.indexer.process import release_pages

BLOCK = 8_192
"""Rows that are in memory at once when all of them are gone through."""

_HASHED_END = 16_384
"""Bytes at the end of the file by which one content is told from another."""

_NUMBER = np.dtype("<i8")
"""How a record holds the number of its passage."""


class Fingerprint(NamedTuple):
    """What tells one content of the copy from another."""

    length: int
    """Bytes."""
    end_hash: str
    """Empty where there is no file."""


class _OpenFile:
    """A file that stays open for as long as this value is there, also when another file takes its name."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def read(self, start: int, length: int) -> bytes:
        """Return some bytes of it. Safe to share between threads."""
        return os.pread(self._descriptor, length, start)

    def __del__(self) -> None:
        os.close(self._descriptor)


@dataclass(frozen=True, slots=True)
class Vectors:
    """The copy, open for reading. Safe to share between threads."""

    read_numbers: Callable[[], Ints]
    rows: Floats
    """Normalised vectors (n, dimension), mapped from the file. A product with all of them is slow, because records lie
    apart: `columns` has what a query looks at first."""
    file: _OpenFile | None = None
    """What `take` reads rows from, if not from the mapping."""

    def take(self, positions: Ints) -> Floats:
        """Return the rows at some positions (len(positions), dimension).

        A process that asks a single query reads them from the file: of what is mapped, the system puts whole stretches
        around each row into the memory of a process, 64 kB where a row has 1.5.
        """
        if self.file is None:
            return self.rows[positions]
        rows = np.empty((len(positions), self.rows.shape[1]), np.float32)
        record_bytes = _record(self.rows.shape[1]).itemsize
        for row, position in zip(rows, positions.tolist(), strict=True):
            row[...] = np.frombuffer(self.file.read(position * record_bytes + _NUMBER.itemsize, row.nbytes), np.float32)
        return rows

    @property
    def numbers(self) -> Ints:
        """Passage numbers (n,). The first use reads the whole file."""
        return self.read_numbers()

    def find(self, numbers: Ints) -> Ints:
        """Return the row of each passage number, the latest where it stands twice; -1 where it has none."""
        stored = self.numbers
        if len(stored) == 0:
            return np.full(len(numbers), -1)
        # Numbers nearly always rise as they were appended; then they need not be sorted, which takes long.
        order = None if (stored[1:] >= stored[:-1]).all() else np.argsort(stored, kind="stable")
        positions = np.maximum(np.searchsorted(stored, numbers, side="right", sorter=order) - 1, 0)
        rows = positions if order is None else order[positions]
        return np.where(stored[rows] == numbers, rows, -1)


def read(folder: Path, dimension: int, *, once: bool = False) -> Vectors:
    """Open the copy; empty where there is none. A torn last record, left by an interrupted run, is passed over.

    `once`: for hardly more than one query, which should take little memory.
    """
    record = _record(dimension)
    try:
        file = layout.VECTORS.within(folder).open("rb")
    except FileNotFoundError:
        return empty(dimension)
    with file:  # one file, whatever takes its name meanwhile
        count = os.fstat(file.fileno()).st_size // record.itemsize
        if count == 0:
            return empty(dimension)
        records = np.memmap(file, record, "r", shape=(count,)).view(np.ndarray)
        kept = _OpenFile(os.dup(file.fileno())) if once and hasattr(os, "pread") else None
        return Vectors(cache(lambda: _numbers(records)), records["vector"], kept)


def empty(dimension: int) -> Vectors:
    """Return a copy that holds nothing."""
    return Vectors(lambda: np.empty(0, np.int64), np.empty((0, dimension), np.float32))


def _numbers(records: np.ndarray[Any, Any]) -> Ints:
    """Read the numbers of mapped records, and release the pages that they lie on, which are all of the file."""
    numbers = np.empty(len(records), np.int64)
    for start in range(0, len(records), BLOCK):
        numbers[start : start + BLOCK] = records["number"][start : start + BLOCK]
        release_pages(records)
    return numbers


def blocks(rows: Floats, positions: Ints) -> Iterator[Floats]:
    """Yield some of the rows of a file in blocks (`BLOCK` or fewer, dimension), so that one at a time is in memory."""
    for start in range(0, len(positions), BLOCK):
        yield rows[positions[start : start + BLOCK]]
        release_pages(rows)


def fingerprint(folder: Path, until: int | None = None) -> Fingerprint:
    """Return what tells one content of the copy from another.

    The end is enough, because the file is only ever appended to, or written anew with fewer records, and numbers are
    never used twice. `until` takes only its first so many bytes, which shows whether it was only appended to since it
    had that length.
    """
    try:
        with layout.VECTORS.within(folder).open("rb") as file:
            length = min(file.seek(0, os.SEEK_END), until if until is not None else sys.maxsize)
            start = file.seek(max(0, length - _HASHED_END))
            return Fingerprint(length, hashlib.blake2b(file.read(length - start), digest_size=16).hexdigest())
    except FileNotFoundError:
        return Fingerprint(0, "")


def append(folder: Path, numbers: Ints, rows: Floats) -> None:
    """Add vectors (n, dimension) for passage numbers (n,), on disk when this returns."""
    record = _record(rows.shape[1])
    records = np.empty(len(numbers), record)
    records["number"], records["vector"] = numbers, rows
    checksums.forget(folder, layout.VECTORS.name)  # `copy_check` notes it when the run is through
    with layout.VECTORS.within(folder).open("ab") as file:
        file.truncate(file.tell() // record.itemsize * record.itemsize)  # what an interrupted append left behind
        file.write(records.tobytes())
        file.flush()
        os.fsync(file.fileno())


def delete(folder: Path) -> None:
    """Take the file away, so that `pipeline.embed_pending.mend_copy` makes it from Chroma."""
    checksums.forget(folder, layout.VECTORS.name)
    layout.VECTORS.within(folder).unlink(missing_ok=True)


def compact(folder: Path, dimension: int, alive: Collection[int]) -> int:
    """Write the copy anew without its dead records when they are more than a quarter. Returns how many went."""
    old = read(folder, dimension)
    keep = np.isin(old.numbers, np.fromiter(alive, np.int64, len(alive)))
    keep &= old.find(old.numbers) == np.arange(len(old.numbers))
    dead = int((~keep).sum())
    if dead * 4 <= len(keep):
        return 0
    write_anew(folder, dimension, old.numbers[keep], old.rows, np.flatnonzero(keep))
    return dead


def write_anew(folder: Path, dimension: int, numbers: Ints, rows: Floats, positions: Ints) -> None:
    """Put a new file in the old one's place; whoever has the old one open goes on reading it.

    Args:
        folder: The index.
        dimension: The width of a vector.
        numbers: The passage numbers of the new file (n,).
        rows: The vectors of the old file (m, dimension).
        positions: Which of these the new file keeps, one for each number (n,).
    """
    checksums.forget(folder, layout.VECTORS.name)
    with layout.replace_file(layout.VECTORS.within(folder)) as fresh, fresh.open("wb") as file:
        start = 0
        for block in blocks(rows, positions):
            records = np.empty(len(block), _record(dimension))
            records["number"], records["vector"] = numbers[start : start + len(block)], block
            file.write(records.tobytes())
            start += len(block)


def _record(dimension: int) -> np.dtype[Any]:
    return np.dtype([("number", _NUMBER), ("vector", "<f4", (dimension,))])
