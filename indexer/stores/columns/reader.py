"""The columns: what ranking reads of every passage, in one file that a query maps and hardly reads.

SQLite hands a posting list over row by row, and a record of the copy of the vectors is four times as large as a first
look at it needs to be. This file holds, as plain arrays: how passages lie along their talks, which of them hold each
term and at which words, and each vector in one byte a dimension, with how far that may be off. It is derived from the
catalog and the copy of the vectors, and may always be deleted: then searching takes longer and finds the same.

A reader takes the file only if it is of the very state of the catalog and of the vectors that it sees. `update.write`
makes it at the end of an indexing run: from the file of the run before where little changed (`merge`), else from
nothing (`build`), which gives the same file. The file is put in place whole, and whoever has the old one open goes on
reading it.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from talksearch.indexer import layout
from talksearch.indexer.arrays import Floats, Ints
from talksearch.indexer.encoders import checksums
from talksearch.indexer.stores import catalog
from talksearch.indexer.stores.state import State, state_of

MAGIC = b"talksearch columns 1\n"
"""What the file begins with."""

WORDS_BETWEEN_PASSAGES = 8
"""Positions that stay free behind every passage, so that words of two passages are never near each other."""

FIELDS = ("speech", "title", "chapter", "description")
"""Fields by the number under which `Columns.fields` has them; any other is `len(FIELDS)`."""

_ALIGNMENT = 64
"""Arrays begin at multiples of so many bytes."""

# Letters, digits and the marks that combine with them; what else compatibility forms turn into is no word.
_WORD = re.compile(r"(?:[^\W_]|[\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u06ed\u0900-\u0dff\u0e31-\u0f84])+")

Array = npt.NDArray[Any]
Words = npt.NDArray[np.int32]
Hashes = npt.NDArray[np.uint64]
Positions = npt.NDArray[np.unsignedinteger[Any]]


@dataclass(frozen=True, slots=True)
class Columns:
    """The file, mapped. A place is the position of a passage in these arrays: by talk, and within it by number.

    The file holds the arrays under these names. Safe to share between threads: nothing here is ever written.
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
    """When each begins, in milliseconds (n,)."""
    ends: npt.NDArray[np.int32]
    """When each ends, in milliseconds (n,)."""
    voices: npt.NDArray[np.int32]
    """Who speaks in each, as a place in `speakers` (n,)."""
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
    hashes: Hashes
    """A hash of each term, rising (terms,)."""
    offsets: Ints
    """Where the positions of each term begin and, one further, end (terms + 1,)."""
    positions: Positions
    """Where each term stands, rising: the place, shifted left by `shift`, and which word of the passage (words,)."""
    shift: int

    def positions_of(self, term: str) -> Positions:
        """Return where a term stands, or the terms in a row that it is cut into or written as, by the first of them."""
        starts: Positions | None = None
        for offset, word in enumerate(word for part in term.split() for word in fts_tokens(part)):
            positions = self._positions_of_word(word)
            starts = positions if starts is None else starts[_is_in(starts + self._as_position(offset), positions)]
        return self.positions[:0] if starts is None else starts

    def postings(self, term: str) -> Ints:
        """Return the places of the passages that hold a term, rising."""
        return self._places(self.positions_of(term))

    def held(self, terms: Sequence[str]) -> list[str]:
        """Return those of some terms that any passage holds, the most frequent first."""
        wanted = hashes_of(terms)
        found = np.searchsorted(self.hashes, wanted)
        found[found == len(self.hashes)] = 0
        held = np.flatnonzero(self.hashes[found] == wanted) if len(self.hashes) else np.empty(0, np.int64)
        counts = np.diff(self.offsets)[found[held]] if len(held) else held
        return [terms[position] for position in held[np.argsort(-counts, kind="stable")].tolist()]

    def cooccurrences(self, first: str, second: str, between: int) -> Ints:
        """Return the places of the passages that say two terms, in either order, at most `between` words apart."""
        rarer, commoner = sorted((self.positions_of(first), self.positions_of(second)), key=len)
        if not len(rarer):
            return np.empty(0, np.int64)
        reach = self._as_position(between + 1)
        # The first position of the commoner term at or behind the earliest word that is near enough.
        candidates = np.searchsorted(commoner, np.maximum(rarer, reach) - reach)
        is_near = np.zeros(len(rarer), bool)
        exists = candidates < len(commoner)
        is_near[exists] = commoner[candidates[exists]] <= rarer[exists] + reach
        return self._places(rarer[is_near])

    def _positions_of_word(self, word: str) -> Positions:
        wanted = np.uint64(_hash(word))
        term = int(np.searchsorted(self.hashes, wanted))
        if term == len(self.hashes) or self.hashes[term] != wanted:
            return self.positions[:0]
        return self.positions[int(self.offsets[term]) : int(self.offsets[term + 1])]

    def _as_position(self, value: int) -> Any:
        """Return a number as the type of the positions, so that sums with it keep that type."""
        return self.positions.dtype.type(value)

    def _places(self, positions: Positions) -> Ints:
        """Return the places that rising positions are in, each once."""
        places: Ints = (positions >> self._as_position(self.shift)).astype(np.int64)
        if not len(places):
            return np.empty(0, np.int64)
        is_first = np.empty(len(places), bool)
        is_first[0] = True
        np.not_equal(places[1:], places[:-1], out=is_first[1:])
        distinct: Ints = places[is_first]
        return distinct


class MappedColumns(NamedTuple):
    """The file as it is on disk, whatever the state of the index."""

    columns: Columns
    state: State
    """What it was made of."""


def fts_tokens(term: str) -> list[str]:
    """Return the words that the word index cuts a term into, nearly always the term itself.

    >>> fts_tokens("dilat"), fts_tokens("1⁄2")
    (['dilat'], ['1', '2'])
    """
    return [term] if term.isalnum() else _WORD.findall(term)


def read(folder: Path, db: sqlite3.Connection) -> Columns | None:
    """Map the file; None where it is missing, damaged, or of another state than `db` shows and the vectors have.

    It is hashed first where its size or its time of change is not the one that was noted when it was written.

    Call it inside a transaction that only reads, so that what is read later is of the same state.
    """
    if not checksums.may_be_read(folder, layout.COLUMNS.name):
        return None
    mapped = map_file(layout.COLUMNS.within(folder))
    return mapped.columns if mapped and mapped.state == state_of(folder, db) else None


def are_damaged(folder: Path) -> bool:
    """Say whether the file is there and not as it was written, or nothing is known of how it was; it is hashed."""
    return layout.COLUMNS.within(folder).exists() and not checksums.are_right(
        folder, [layout.COLUMNS.name], thorough=True
    )


def are_of_another_catalog(folder: Path) -> bool:
    """Say whether the file is whole and was made of another catalog, or of a later state of it, than is there now.

    A file that another run puts there meanwhile is of neither.
    """
    before = file_fingerprint(folder)
    mapped = map_file(layout.COLUMNS.within(folder)) if checksums.may_be_read(folder, layout.COLUMNS.name) else None
    if mapped is None:
        return False
    with closing(catalog.open_catalog(folder)) as db:  # after the file: a run changes the catalog first
        now = state_of(folder, db)
    made_of = mapped.state
    is_other = made_of.catalog != now.catalog or made_of[:2] > now[:2]
    return is_other and file_fingerprint(folder) == before


def map_file(path: Path) -> MappedColumns | None:
    """Map a file; None where it is missing or damaged."""
    try:
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError):  # none; an empty file cannot be mapped
        return None
    try:
        header, start = _header(mapped)
        arrays = {
            name: np.frombuffer(mapped, np.dtype(dtype), int(np.prod(shape)), start + offset).reshape(shape)
            for name, (dtype, shape, offset) in header["arrays"].items()
        }
        speakers = tuple(bytes(arrays.pop("speakers")).decode().split("\0"))
        return MappedColumns(Columns(**arrays, speakers=speakers, shift=header["shift"]), State(*header["state"]))
    except (ValueError, KeyError, TypeError, UnicodeDecodeError):
        return None


def file_fingerprint(folder: Path) -> tuple[int, int] | None:
    """Return what changes whenever the file is put in place anew; None where there is none."""
    try:
        status = layout.COLUMNS.within(folder).stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns


def aligned(offset: int) -> int:
    """Return the first place at or behind an offset at which an array may begin."""
    return -(-offset // _ALIGNMENT) * _ALIGNMENT


def hashes_of(words: Sequence[str]) -> Hashes:
    """Return the hash by which each word is looked up."""
    return np.array([_hash(word) for word in words], np.uint64)


def _header(mapped: mmap.mmap) -> tuple[dict[str, Any], int]:
    """Return the header and where the arrays begin. Raises ValueError where this is no such file, or not all of it."""
    if mapped[: len(MAGIC)] != MAGIC:
        raise ValueError
    length = int.from_bytes(mapped[len(MAGIC) : len(MAGIC) + 8], "little")
    first = len(MAGIC) + 8
    header = json.loads(mapped[first : first + length])
    start = aligned(first + length)
    if len(mapped) != start + header["bytes"]:
        raise ValueError
    return header, start


def _hash(word: str) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little")


def _is_in(wanted: Positions, positions: Positions) -> npt.NDArray[np.bool_]:
    """Say which of some rising positions are among others, which rise as well (len(wanted),)."""
    candidates = np.searchsorted(positions, wanted)
    is_in = np.zeros(len(wanted), bool)
    exists = candidates < len(positions)
    is_in[exists] = positions[candidates[exists]] == wanted[exists]
    return is_in
