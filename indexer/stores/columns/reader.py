"""The columns: what ranking reads of every passage, in one file that a query maps and hardly reads.

SQLite hands a posting list over row by row, and a record of `vectors.bin` is four times as large as a first look at it
needs to be. `columns.bin` holds, as plain arrays: how passages lie along their talks, which of them hold each term and
at which words, and each vector in one byte a dimension, with how far that may be off. It is derived from the catalog
and the copy of the vectors, and may always be deleted: then searching takes longer and finds the same.

A reader takes the file only if it is of the very state of the catalog and of the vectors that it sees; `write` makes
it at the end of an indexing run: from the file of the run before where little changed (`columns_merge`), else from
nothing, which says the same. The file is put in place whole, and whoever has the old one open goes on reading it.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from talksearch.indexer.arrays import Floats, Ints
from talksearch.indexer.stores import catalog, vectors

FILE_NAME = "columns.bin"

_MAGIC = b"talksearch columns 1\n"
_ALIGN = 64

_APART = 8
"""Positions that stay free behind every passage, so that words of two passages are never near each other."""

FIELDS = ("speech", "title", "chapter", "description")
"""Fields by the number under which `Columns.fields` has them; any other is `len(FIELDS)`."""

Array = npt.NDArray[Any]
Words = npt.NDArray[np.int32]
Positions = npt.NDArray[np.unsignedinteger[Any]]


@dataclass(frozen=True, slots=True)
class Columns:
    """The file, mapped. A place is the position of a passage in these arrays: by talk, and within it by number.

    Safe to share between threads: nothing here is ever written.
    """

    numbers: npt.NDArray[np.int32]
    """Passage numbers (n,)."""
    talks: npt.NDArray[np.int32]
    """The talk of each, counted from 0 (n,); never decreases."""
    talk_numbers: Ints
    """The number of each talk in the catalog (talks,)."""
    fields: npt.NDArray[np.uint8]
    """The field of each, as its place in FIELDS (n,)."""
    starts: npt.NDArray[np.int32]
    ends: npt.NDArray[np.int32]
    """When each begins and ends, in milliseconds (n,)."""
    voices: npt.NDArray[np.int32]
    """Who speaks in each, as a place in `speakers` (n,). The file holds it by this name."""
    speakers: tuple[str, ...]
    """Who speaks, as the catalog has it: names as JSON."""
    rows: npt.NDArray[np.int32]
    """The row of each in the copy of the vectors, -1 where it has none (n,)."""
    codes: npt.NDArray[np.int8]
    """Vectors in one byte a dimension (n, dimension): about vector / scale. Zeros where there is none."""
    scales: Floats
    """What a code of 1 is worth (n,)."""
    errors: Floats
    """How far each `codes * scale` lies from its vector at most, as the length of the difference (n,)."""
    mean: npt.NDArray[np.float64]
    """The mean of all vectors (dimension,)."""
    second: npt.NDArray[np.float64]
    """The mean of all vectors' products with themselves (dimension, dimension), so that the mean and the deviation of
    all cosines to a query are known without any of them."""
    hashes: npt.NDArray[np.uint64]
    """A hash of each term, rising (terms,)."""
    offsets: Ints
    """Where the positions of each term begin and, one further, end (terms + 1,)."""
    positions: Positions
    """Where each term stands, rising: the place, shifted left by `shift`, and which word of the passage (words,)."""
    shift: int

    def positions_of(self, term: str) -> Positions:
        """Return where a term stands, or the terms in a row that it is cut into or written as, by the first of them."""
        words = [word for part in term.split() for word in fts_tokens(part)]
        found: Positions | None = None
        for at, word in enumerate(words):
            own = self._of(word)
            found = own if found is None else found[_among(found + self._unit(at), own)]
        return self.positions[:0] if found is None else found

    def postings(self, term: str) -> Ints:
        """Return the places of the passages that hold a term, rising."""
        return self._places(self.positions_of(term))

    def cooccurrences(self, one: str, other: str, between: int) -> Ints:
        """Return the places of the passages that say two terms, in either order, at most `between` words apart."""
        few, many = sorted((self.positions_of(one), self.positions_of(other)), key=len)
        if not len(few):
            return np.empty(0, np.int64)
        reach = self._unit(between + 1)
        # The first of the others that stands at or behind the earliest word that is near enough.
        at = np.searchsorted(many, np.maximum(few, reach) - reach)
        near = np.zeros(len(few), bool)
        inside = at < len(many)
        near[inside] = many[at[inside]] <= few[inside] + reach
        return self._places(few[near])

    def _of(self, word: str) -> Positions:
        wanted = np.uint64(_hash(word))
        at = int(np.searchsorted(self.hashes, wanted))
        if at == len(self.hashes) or self.hashes[at] != wanted:
            return self.positions[:0]
        return self.positions[int(self.offsets[at]) : int(self.offsets[at + 1])]

    def _unit(self, value: int) -> Any:
        return self.positions.dtype.type(value)

    def _places(self, positions: Positions) -> Ints:
        places: Ints = (positions >> self._unit(self.shift)).astype(np.int64)
        if not len(places):
            return np.empty(0, np.int64)
        first = np.empty(len(places), bool)
        first[0] = True
        np.not_equal(places[1:], places[:-1], out=first[1:])
        found: Ints = places[first]
        return found


def fts_tokens(term: str) -> list[str]:
    """Return the words that the word index cuts a term into, nearly always the term itself.

    >>> pieces("dilat"), pieces("1⁄2")
    (['dilat'], ['1', '2'])
    """
    return [term] if term.isalnum() else _WORD.findall(term)


# Letters, digits and the marks that combine with them; what else compatibility forms turn into is no word.
_WORD = re.compile(r"(?:[^\W_]|[\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u06ed\u0900-\u0dff\u0e31-\u0f84])+")


def read(folder: Path, db: sqlite3.Connection) -> Columns | None:
    """Map the file; None where it is missing, damaged, or of another state than `db` shows and the vectors have.

    Call it inside a transaction that only reads, so that what is read later is of the same state.
    """
    found = _open(folder / FILE_NAME)
    return found[0] if found and found[1] == state(folder, db) else None


def _open(path: Path) -> tuple[Columns, list[Any]] | None:
    """Map a file: what it holds, and of which state that is; None where it is missing or damaged."""
    try:
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError):  # none; an empty file cannot be mapped
        return None
    try:
        header, start = _header(mapped)
        found = {
            name: np.frombuffer(mapped, np.dtype(kind), int(np.prod(shape)), start + offset).reshape(shape)
            for name, (kind, shape, offset) in header["arrays"].items()
        }
        names = tuple(bytes(found.pop("speakers")).decode().split("\0"))
        return Columns(**found, speakers=names, shift=header["shift"]), list(header["state"])
    except (ValueError, KeyError, TypeError, UnicodeDecodeError):
        return None


def state(folder: Path, db: sqlite3.Connection) -> list[Any]:
    """Return what tells one state of the catalog's passages and of the vectors from another."""
    return [*catalog.version(db), *vectors.fingerprint(folder)]


def file_stamp(folder: Path) -> tuple[int, int] | None:
    """Return what changes whenever the file is put in place anew; None where there is none."""
    try:
        found = (folder / FILE_NAME).stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns


def _header(mapped: mmap.mmap) -> tuple[dict[str, Any], int]:
    """Return the header and where the arrays begin. Raises ValueError where this is no such file, or not all of it."""
    if mapped[: len(_MAGIC)] != _MAGIC:
        raise ValueError
    length = int.from_bytes(mapped[len(_MAGIC) : len(_MAGIC) + 8], "little")
    first = len(_MAGIC) + 8
    header = json.loads(mapped[first : first + length])
    start = _aligned(first + length)
    if len(mapped) != start + header["bytes"]:
        raise ValueError
    return header, start


def _aligned(offset: int) -> int:
    return -(-offset // _ALIGN) * _ALIGN


def hashes_of(words: Sequence[str]) -> npt.NDArray[np.uint64]:
    """Return what each word goes by."""
    return np.array([_hash(word) for word in words], np.uint64)


def _hash(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little")


def _among(wanted: Positions, some: Positions) -> npt.NDArray[np.bool_]:
    """Say which of some rising positions are among others."""
    at = np.searchsorted(some, wanted)
    found = np.zeros(len(wanted), bool)
    inside = at < len(some)
    found[inside] = some[at[inside]] == wanted[inside]
    return found
