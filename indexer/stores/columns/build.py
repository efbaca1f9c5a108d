"""Making the columns from the catalog and the vectors."""

from __future__ import annotations

import json
import mmap
import os
import sqlite3
from array import array
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import count, pairwise
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import numpy as np

from talksearch.indexer import process
from talksearch.indexer.arrays import Floats, Ints
from talksearch.indexer.stores import vectors
from talksearch.indexer.stores.vectors import Vectors

from .reader import _APART, _MAGIC, FIELDS, Array, Words, _aligned, fts_tokens, hashes_of

_BLOCK = 8_192
"""Passages worked on at once while the file is made."""


_HELD = 1 << 23
"""Positions that are filled in by one walk through all words: their pages are in memory meanwhile."""


_ROUNDING = 1e-6
"""What is added to each error, because all of this is float32."""


def _write(path: Path, made_of: Sequence[Any], db: sqlite3.Connection, copy: Vectors, dimension: int) -> None:
    """Make the file from nothing."""
    arrays = passage_columns(db)
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

        write_file(path, made_of, shift, arrays, int(lengths.sum()), dimension, fill)


def shift_for(longest: int) -> int:
    """Return by how many bits a place is shifted where the longest passage has so many words."""
    return (longest + _APART).bit_length()


def write_file(
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


def passage_columns(db: sqlite3.Connection, only: Collection[int] | None = None) -> dict[str, Array]:
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
                every = [word for term in every for word in fts_tokens(term)]
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
        process.let_go(positions)


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
        process.let_go(views["codes"])
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
