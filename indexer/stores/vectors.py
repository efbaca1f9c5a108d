"""A copy of the vectors that a fresh process can search in milliseconds, derived from the Chroma store.

Importing chromadb costs a second and its filters lose recall on large collections; an exact product over a file in the
page cache costs neither. One file, `vectors.bin`, of records: a passage's number (int64) and its normalised vector
(float32). Records are only ever appended; one whose passage has left the catalog, or that a later one repeats, is dead
and is passed over, until `compact` writes the file anew. The copy may always be deleted: `build` makes it from Chroma.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from talksearch.indexer.arrays import Floats, Ints
from talksearch.indexer.process import let_go

FILE_NAME = "vectors.bin"

BLOCK = 8_192
"""Rows that are worked on at once by who goes through all of them."""


@dataclass(frozen=True, slots=True)
class Vectors:
    """The copy, open for reading. Safe to share between threads."""

    read_numbers: Callable[[], Ints]
    rows: Floats
    """Normalised vectors (n, dimension), mapped from the file. A product with all of them is slow, because records lie
    apart: `columns` has what a query looks at first."""
    file: Path | None = None
    """Where `take` reads rows from, if not from the mapping."""

    def take(self, at: Ints) -> Floats:
        """Return some rows (len(at), dimension).

        A process that asks a single query reads them from the file: of what is mapped, the system puts whole stretches
        around each row into the memory of a process, 64 kB where a row has 1.5.
        """
        if self.file is None:
            return self.rows[at]
        found = np.empty((len(at), self.rows.shape[1]), np.float32)
        size = _record(self.rows.shape[1]).itemsize
        with self.file.open("rb", buffering=0) as file:
            for row, place in zip(found, at.tolist(), strict=True):
                file.seek(place * size + _NUMBER.itemsize)
                file.readinto(row.data)
        return found

    @property
    def numbers(self) -> Ints:
        """Passage numbers (n,). Read when they are first asked for, which reads the whole file."""
        return self.read_numbers()

    def find(self, numbers: Ints) -> Ints:
        """Return the row of each passage number, the latest where it stands twice; -1 where it has none."""
        own = self.numbers
        if len(own) == 0:
            return np.full(len(numbers), -1)
        # Nearly always they rise as they were appended; then sorting, the dear part, is not needed.
        order = None if (own[1:] >= own[:-1]).all() else np.argsort(own, kind="stable")
        at = np.maximum(np.searchsorted(own, numbers, side="right", sorter=order) - 1, 0)
        rows = at if order is None else order[at]
        return np.where(own[rows] == numbers, rows, -1)


def read(folder: Path, dimension: int, *, once: bool = False) -> Vectors:
    """Open the copy; empty where there is none. A torn last record, left by an interrupted build, is passed over.

    `once`: for hardly more than one query, which should take little memory.
    """
    path = folder / FILE_NAME
    record = _record(dimension)
    count = path.stat().st_size // record.itemsize if path.exists() else 0
    if count == 0:
        return Vectors(lambda: np.empty(0, np.int64), np.empty((0, dimension), np.float32))
    records = np.memmap(path, record, "r", shape=(count,)).view(np.ndarray)
    return Vectors(cache(lambda: _numbers(records)), records["vector"], path if once else None)


def _numbers(records: np.ndarray[Any, Any]) -> Ints:
    """Read the numbers of mapped records, and let go of the pages that they lie on, which are all of the file."""
    found = np.empty(len(records), np.int64)
    for at in range(0, len(records), BLOCK):
        found[at : at + BLOCK] = records["number"][at : at + BLOCK]
        let_go(records)
    return found


def blocks(rows: Floats, at: Ints) -> Iterator[Floats]:
    """Yield some of the rows of a file in blocks (`BLOCK` or fewer, dimension), so that one at a time is in memory."""
    for first in range(0, len(at), BLOCK):
        yield rows[at[first : first + BLOCK]]
        let_go(rows)


def fingerprint(folder: Path, until: int | None = None) -> tuple[int, str]:
    """Return what tells one content of the copy from another: its length and a hash of its end.

    It is only ever appended to, or written anew with fewer records; numbers are never used twice. `until`: of its first
    so many bytes, to see whether it was only appended to since it was so long.
    """
    path = folder / FILE_NAME
    try:
        with path.open("rb") as file:
            length = min(file.seek(0, os.SEEK_END), until if until is not None else sys.maxsize)
            start = file.seek(max(0, length - _END))
            return length, hashlib.blake2b(file.read(length - start), digest_size=16).hexdigest()
    except FileNotFoundError:
        return 0, ""


_END = 16_384


def append(folder: Path, numbers: Ints, rows: Floats) -> None:
    """Add vectors (n, dimension) for passage numbers (n,), on disk when this returns."""
    record = _record(rows.shape[1])
    records = np.empty(len(numbers), record)
    records["number"], records["vector"] = numbers, rows
    with (folder / FILE_NAME).open("ab") as file:
        file.truncate(file.tell() // record.itemsize * record.itemsize)  # what an interrupted append left behind
        file.write(records.tobytes())
        file.flush()
        os.fsync(file.fileno())


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


def write_anew(folder: Path, dimension: int, numbers: Ints, rows: Floats, kept: Ints) -> None:
    """Put a new file in the old one's place at once; whoever has the old one open goes on reading it."""
    fresh = folder / f"{FILE_NAME}.new"
    with fresh.open("wb") as file:
        at = 0
        for block in blocks(rows, kept):
            records = np.empty(len(block), _record(dimension))
            records["number"], records["vector"] = numbers[at : at + len(block)], block
            file.write(records.tobytes())
            at += len(block)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(folder / FILE_NAME)


_NUMBER = np.dtype("<i8")


def _record(dimension: int) -> np.dtype[Any]:
    return np.dtype([("number", _NUMBER), ("vector", "<f4", (dimension,))])
