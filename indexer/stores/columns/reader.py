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
import os
import re
import sqlite3
from array import array
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import count, pairwise
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import numpy as np
import numpy.typing as npt

from talksearch.indexer.stores import catalog, vectors
from talksearch.indexer.stores.vectors import Floats, Ints, Vectors

FILE_NAME = "columns.bin"
_FRESH = f"{FILE_NAME}.new"

_MAGIC = b"talksearch columns 1\n"
_ALIGN = 64
_BLOCK = 8_192
"""Passages worked on at once while the file is made."""

_HELD = 1 << 23
"""Positions that are filled in by one walk through all words: their pages are in memory meanwhile."""

_ROUNDING = 1e-6
"""What is added to each error, because all of this is float32."""

_APART = 8
"""Positions that stay free behind every passage, so that words of two passages are never near each other."""

FIELDS = ("speech", "title", "chapter", "description")
"""Fields by the number under which `Columns.fields` has them; any other is `len(FIELDS)`."""

_ADDED_UP = 1e-9
"""How far a mean may be off, because it depends on the order in which float64 values are added and subtracted: so often
as an index may be updated, less than that."""

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
    hashes: npt.NDArray[np.uint64]
    """A hash of each term, rising (terms,)."""
    offsets: Ints
    """Where the positions of each term begin and, one further, end (terms + 1,)."""
    positions: Positions
    """Where each term stands, rising: the place, shifted left by `shift`, and which word of the passage (words,)."""
    shift: int

    def positions_of(self, term: str) -> Positions:
        """Return where a term stands, or the terms in a row that it is cut into or written as, by the first of them."""
        words = [word for part in term.split() for word in pieces(part)]
        found: Positions | None = None
        for at, word in enumerate(words):
            own = self._of(word)
            found = own if found is None else found[_among(found + self._unit(at), own)]
        return self.positions[:0] if found is None else found

    def holding(self, term: str) -> Ints:
        """Return the places of the passages that hold a term, rising."""
        return self._places(self.positions_of(term))

    def together(self, one: str, other: str, between: int) -> Ints:
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


def pieces(term: str) -> list[str]:
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
    return [*catalog.version(db), *vectors.stamp(folder)]


def file_stamp(folder: Path) -> tuple[int, int] | None:
    """Return what changes whenever the file is put in place anew; None where there is none."""
    try:
        found = (folder / FILE_NAME).stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns


def write(folder: Path, db: sqlite3.Connection, dimension: int) -> bool:
    """Make the file where it is missing or of another state. Returns whether it was made.

    From the file that is there where less than a third of the passages changed: about what these cost, and copying the
    rest. From nothing some seconds for 100,000 passages; the memory that takes grows by some 50 bytes a passage.
    """
    from .merge import merge  # a query, which only reads, does not wait for it

    with catalog.one_state(db):
        now, old = state(folder, db), _open(folder / FILE_NAME)
        if old and old[1] == now:
            return False
        fresh, copy = folder / _FRESH, vectors.read(folder, dimension)
        if not old or not merge(fresh, now, folder, db, copy, *old):
            _write(fresh, now, db, copy, dimension)
        fresh.replace(folder / FILE_NAME)
        return True


def check(folder: Path, db: sqlite3.Connection, dimension: int, *, mend: bool) -> bool:
    """Say whether the file is what would be made from nothing now; with `mend` it is from then on.

    Everything is compared to the bit but the two means, which depend on the order of adding by less than 1e-9.
    """
    with catalog.one_state(db):
        fresh, old = folder / _FRESH, folder / FILE_NAME
        _write(fresh, state(folder, db), db, vectors.read(folder, dimension), dimension)
        same = alike(old, fresh)
        if mend and not same:
            fresh.replace(old)
        fresh.unlink(missing_ok=True)
        return same


def alike(one: Path, other: Path) -> bool:
    """Say whether two such files are whole, of one state, and hold the same; the means but for the order of adding."""
    ours, theirs = _open(one), _open(other)
    if ours is None or theirs is None or ours[1] != theirs[1]:
        return False
    for name in (field.name for field in fields(Columns)):
        mine, its = (np.asarray(getattr(found[0], name)) for found in (ours, theirs))
        if mine.shape != its.shape or mine.dtype != its.dtype:
            return False
        near = name in ("mean", "second")
        if not (np.allclose(mine, its, rtol=0, atol=_ADDED_UP) if near else np.array_equal(mine, its)):
            return False
    return True


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


def _write(path: Path, made_of: Sequence[Any], db: sqlite3.Connection, copy: Vectors, dimension: int) -> None:
    """Make the file from nothing."""
    arrays = lie(db)
    arrays["rows"] = copy.find(arrays["numbers"].astype(np.int64)).astype(np.int32)
    # There may be more words than memory: they are gone through in a file.
    with TemporaryFile(dir=path.parent, buffering=0) as file:
        known = _vocabulary()
        sizes = [np.empty(0, np.int64)]
        for words, own in _words_in(db, known):
            words.tofile(file)
            sizes.append(own)
        lengths = np.concatenate(sizes)

        def again() -> Iterator[tuple[int, Ints, Words]]:
            """Yield blocks: the place of the first passage, how many words each has, and the words."""
            file.seek(0)
            for at in range(0, len(lengths), _BLOCK):
                own = lengths[at : at + _BLOCK]
                yield at, own, np.fromfile(file, np.int32, int(own.sum()))

        # A term goes by its hash: a query looks it up without reading all terms.
        hashes = hashes_of(list(known))
        order = np.argsort(hashes)
        rank_of = np.empty(len(order), np.int32)
        rank_of[order] = np.arange(len(order))
        times = np.zeros(len(order), np.int64)
        for _, _, words in again():
            times += np.bincount(words, minlength=len(order))
        arrays["hashes"] = hashes[order]
        arrays["offsets"] = np.concatenate(([0], np.cumsum(times[order])))
        shift = shift_for(int(lengths.max(initial=0)))

        def fill(views: dict[str, Array]) -> None:
            _fill_positions(views["positions"], arrays["offsets"], rank_of, again, shift)
            there = np.flatnonzero(arrays["rows"] >= 0)
            sums = fill_codes(views, copy, arrays["rows"], there)
            for name, one in zip(("mean", "second"), sums, strict=True):
                views[name][...] = one / max(len(there), 1)

        put(path, made_of, shift, arrays, int(lengths.sum()), dimension, fill)


def shift_for(longest: int) -> int:
    """Return by how many bits a place is shifted where the longest passage has so many words."""
    return (longest + _APART).bit_length()


def put(
    path: Path,
    made_of: Sequence[Any],
    shift: int,
    arrays: dict[str, Array],
    words: int,
    dimension: int,
    fill: Callable[[dict[str, Array]], None],
) -> None:
    """Write a file of small arrays and of large ones, for all positions and codes, which `fill` fills in place."""
    count = len(arrays["numbers"])
    open_: dict[str, tuple[Any, tuple[int, ...]]] = {
        "positions": (np.uint32 if count << shift < 1 << 32 else np.uint64, (words,)),
        "codes": (np.int8, (count, dimension)),
        "scales": (np.float32, (count,)),
        "errors": (np.float32, (count,)),
        "mean": (np.float64, (dimension,)),
        "second": (np.float64, (dimension, dimension)),
    }
    plan: dict[str, tuple[str, list[int], int]] = {}
    size = 0
    for name, (dtype, shape) in {**{name: (one.dtype, one.shape) for name, one in arrays.items()}, **open_}.items():
        plan[name] = (np.dtype(dtype).str, list(shape), size)
        size = _aligned(size + int(np.prod(shape)) * np.dtype(dtype).itemsize)
    header = {"state": list(made_of), "shift": shift, "bytes": size, "arrays": plan}
    text = json.dumps(header).encode()
    text = _MAGIC + len(text).to_bytes(8, "little") + text
    start = _aligned(len(text))
    with path.open("w+b") as file:
        file.truncate(start + size)
        with mmap.mmap(file.fileno(), start + size) as mapped:
            views = {
                name: np.ndarray(shape, np.dtype(dtype), mapped, start + offset)
                for name, (dtype, shape, offset) in plan.items()
            }
            for name, one in arrays.items():
                views[name][...] = one
            fill(views)
            mapped[: len(text)] = text
            views.clear()  # a mapping cannot be closed while arrays lie in it
            mapped.flush()
        os.fsync(file.fileno())


def lie(db: sqlite3.Connection, only: Collection[int] | None = None) -> dict[str, Array]:
    """Return how passages lie along their talks, of all or `only` some talks, and what else is known of each."""
    rows = db.execute(
        "SELECT number, talk, field, start_ms, end_ms, speakers FROM passages INDEXED BY passages_of_talk"  # noqa: S608
        f" {'' if only is None else 'WHERE talk IN (SELECT value FROM json_each(?))'} ORDER BY talk, number",
        () if only is None else (json.dumps(list(only)),),
    )
    numbers, talks, fields, starts, ends, voices = (array(kind) for kind in "iqBiii")
    speakers: dict[str, int] = {}
    kinds = {name: at for at, name in enumerate(FIELDS)}
    for number, talk, field, start_ms, end_ms, who in rows:
        numbers.append(number)
        talks.append(talk)
        fields.append(kinds.get(field, len(FIELDS)))
        starts.append(start_ms)
        ends.append(end_ms)
        voices.append(speakers.setdefault(who, len(speakers)))
    talk_numbers, talk_of = np.unique(np.array(talks, np.int64), return_inverse=True)
    return {
        "numbers": np.array(numbers, np.int32),
        "talks": talk_of.astype(np.int32),
        "talk_numbers": talk_numbers,
        "fields": np.array(fields, np.uint8),
        "starts": np.array(starts, np.int32),
        "ends": np.array(ends, np.int32),
        "voices": np.array(voices, np.int32),
        "speakers": np.frombuffer("\0".join(speakers).encode(), np.uint8),
    }


def words_of(db: sqlite3.Connection, only: Collection[int]) -> tuple[Words, Ints, list[str]]:
    """Return the words of the passages with some numbers in the order of their places, how many each has, and what the
    words are.
    """
    known = _vocabulary()
    found = list(_words_in(db, known, only))
    words = np.concatenate([np.empty(0, np.int32), *(words for words, _ in found)])
    return words, np.concatenate([np.empty(0, np.int64), *(lengths for _, lengths in found)]), list(known)


def _vocabulary() -> defaultdict[str, int]:
    """Return what numbers words as they first come."""
    return defaultdict(count().__next__)


def _words_in(
    db: sqlite3.Connection, known: defaultdict[str, int], only: Collection[int] | None = None
) -> Iterator[tuple[Words, Ints]]:
    """Yield the words of passages in blocks, as `known` numbers them, and how many words each passage has.

    Of all passages, or of those with `only` some numbers.
    """
    rows = db.execute(
        f"SELECT coalesce(w.terms, '') FROM passages p {'INDEXED BY passages_of_talk' if only is None else ''}"  # noqa: S608
        " LEFT JOIN words w ON w.rowid = p.number"
        f" {'' if only is None else 'WHERE p.number IN (SELECT value FROM json_each(?))'} ORDER BY p.talk, p.number",
        () if only is None else (json.dumps(list(only)),),
    )
    while block := rows.fetchmany(_BLOCK):
        words, lengths = array("i"), array("q")
        for (text,) in block:
            every = text.split()
            if not text.replace(" ", "").isalnum():
                every = [word for term in every for word in pieces(term)]
            words.extend(map(known.__getitem__, every))
            lengths.append(len(every))
        yield np.array(words, np.int32), np.array(lengths, np.int64)


def _fill_positions(
    positions: Array,
    offsets: Ints,
    rank_of: Array,
    blocks: Callable[[], Iterable[tuple[int, Ints, Words]]],
    shift: int,
) -> None:
    cursor = offsets[:-1].copy()
    cuts = np.searchsorted(offsets, np.arange(_HELD, len(positions), _HELD))
    for low, high in pairwise(np.unique([0, *cuts.tolist(), len(cursor)]).tolist()):
        for first, own, words in blocks():
            ranks = rank_of[words]
            at = np.flatnonzero((ranks >= low) & (ranks < high))
            ranks = ranks[at]
            if not len(ranks):
                continue
            place = np.repeat(np.arange(first, first + len(own)), own)[at]
            within = at - np.repeat(np.cumsum(own) - own, own)[at]
            order = np.argsort(ranks, kind="stable")
            ranks = ranks[order]
            begins = np.flatnonzero(np.diff(ranks, prepend=-1))
            many = np.diff(begins, append=len(ranks))
            to = cursor[ranks] + np.arange(len(ranks)) - np.repeat(begins, many)
            positions[to] = ((place << shift) | within)[order]
            cursor[ranks[begins]] += many
        vectors.let_go(positions)


def fill_codes(views: dict[str, Array], copy: Vectors, rows: Array, places: Ints) -> tuple[Array, Array]:
    """Fill in what stands for the vectors of some places, which all have one, and how far that is off.

    `rows` are those of all places. Returns the sums of these vectors and of their products with themselves.
    """
    sums = np.zeros_like(views["mean"]), np.zeros_like(views["second"])
    for at, found in _vectors_of(copy, rows[places], sums):
        own = places[at : at + len(found)]
        scales = np.maximum(np.abs(found).max(axis=1, initial=0.0), np.finfo(np.float32).tiny) / np.float32(127)
        exact = found / scales[:, None]
        codes = np.rint(exact)
        views["codes"][own] = codes
        views["scales"][own] = scales
        exact -= codes
        views["errors"][own] = np.sqrt(np.einsum("ij,ij->i", exact, exact)) * scales + _ROUNDING
        vectors.let_go(views["codes"])
    return sums


def sums_of(copy: Vectors, rows: Array) -> tuple[Array, Array]:
    """Return the sums of the vectors in some rows and of their products with themselves."""
    dimension = copy.rows.shape[1]
    sums = np.zeros(dimension), np.zeros((dimension, dimension))
    for _ in _vectors_of(copy, rows, sums):
        pass
    return sums


def _vectors_of(copy: Vectors, rows: Array, sums: tuple[Array, Array]) -> Iterator[tuple[int, Floats]]:
    """Yield vectors in blocks, with where each block begins, and add them to two sums.

    Added up in float64, so that a sum from which vectors are taken out again is the sum of those that stay.
    """
    at = 0
    for found in vectors.blocks(copy.rows, rows):
        wide = found.astype(np.float64)
        sums[0][...] += wide.sum(axis=0)
        sums[1][...] += wide.T @ wide
        yield at, found
        at += len(found)


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
