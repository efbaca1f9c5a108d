"""Making the columns of a changed index from those it had: what changed costs work, the rest is copied.

`merge` writes what `columns` would make from nothing. It may take so much from the old file because numbers of talks
and passages are never used twice, because neither the text of a passage nor its vector ever changes, and because places
rise with (talk, number), so that what stays keeps its order. Terms go by their hashes: of the words that stay nothing
needs to be known.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from talksearch.indexer import process
from talksearch.indexer.arrays import Ints
from talksearch.indexer.stores import vectors
from talksearch.indexer.stores.vectors import Vectors

from . import build, reader
from .reader import Array, Columns, Positions

_CHANGED = 3
"""Where one in so many passages changed, little is gained by keeping the rest."""

_BLOCK = 1 << 20
"""Positions worked on at once."""


@dataclass(frozen=True, slots=True)
class _Moves:
    """Where the passages of the old file are in the new one."""

    to: Ints
    """The new place of each old place, -1 where the passage is gone."""
    back: Ints
    """The old place of each new place, -1 where the passage is new."""


@dataclass(frozen=True, slots=True)
class _New:
    """The words of new passages, as positions in the order in which the new file has them."""

    hashes: npt.NDArray[np.uint64]
    """The hash of each term, rising (terms,)."""
    times: Ints
    """How often each stands in new passages (terms,)."""
    at: Ints
    """Before which of the old positions each comes, never decreasing (words,)."""
    places: Ints
    within: Ints
    longest: int
    """How many words the longest new passage has."""


def merge(
    path: Path,
    made_of: Sequence[Any],
    folder: Path,
    db: sqlite3.Connection,
    copy: Vectors,
    old: Columns,
    was: list[Any],
) -> bool:
    """Write to `path` what `columns` would make from nothing, from what is `old` and was made of the state `was`.

    Returns False, and nothing counts that was written, where that cannot be done or is not worth it: where vectors were
    written anew, where much changed, or where the old file contradicts itself.
    """
    grown = made_of[0] >= was[0] and made_of[1] >= was[1] and vectors.fingerprint(folder, was[2]) == (was[2], was[3])
    if not grown or not len(old.numbers) or old.codes.shape[1] != copy.rows.shape[1]:
        return False
    try:
        return _merge(path, made_of, made_of[0] - was[0], db, copy, old)
    except (IndexError, ValueError):  # numbers that point nowhere: the old file is damaged
        return False


def _merge(
    path: Path, made_of: Sequence[Any], changes: int, db: sqlite3.Connection, copy: Vectors, old: Columns
) -> bool:
    sizes = db.execute(
        "SELECT talk, count(*), max(number) FROM passages INDEXED BY passages_of_talk GROUP BY talk ORDER BY talk"
    ).fetchall()
    had = _sizes(old)
    changed = {talk for talk, *size in sizes if had.get(talk) != tuple(size)}
    gone = had.keys() - {talk for talk, *_ in sizes}
    if sum(count for talk, count, _ in sizes if talk in changed) * _CHANGED > len(old.numbers):
        return False
    # Each change of a talk was counted. Where more changed than can be seen, passages may have got other times.
    arrays = (
        _passage_columns(db, sizes, changed, old) if changes == len(changed) + len(gone) else build.passage_columns(db)
    )
    moves = _moves(old.numbers, arrays["numbers"])
    rows = arrays["rows"] = copy.find(arrays["numbers"].astype(np.int64)).astype(np.int32)
    came = np.flatnonzero(moves.back < 0)
    same = (moves.back >= 0) & (old.rows[moves.back] == rows)  # in these the codes are the old ones too
    stays = np.zeros(len(old.rows), bool)
    stays[moves.back[same]] = True
    if (len(rows) - int(same.sum()) + int((moves.to < 0).sum())) * _CHANGED > len(old.numbers):
        return False
    new = _words(db, arrays["numbers"], came, moves, old)
    lost, longest = _lost(old, moves) if (moves.to < 0).any() else (np.empty(0, np.int64), 0)
    shift = build.shift_for(max(new.longest, longest))
    if not len(lost):
        shift = max(shift, old.shift)
    arrays["hashes"], arrays["offsets"] = _terms(old, new, lost)

    def fill(views: dict[str, Array]) -> None:
        _fill_positions(views["positions"], old, new, moves, lost, shift)
        for at, from_, length in _runs(np.flatnonzero(same), moves.back[same]):
            for name in ("codes", "scales", "errors"):
                views[name][at : at + length] = getattr(old, name)[from_ : from_ + length]
        fresh = np.flatnonzero(~same & (rows >= 0))
        left = old.rows[~stays & (old.rows >= 0)]
        count = int((old.rows >= 0).sum())
        more, less = build.fill_codes(views, copy, rows, fresh), build.sums_of(copy, left)
        for at, name in enumerate(("mean", "second")):
            total = getattr(old, name) * count + more[at] - less[at]
            views[name][...] = total / max(count + len(fresh) - len(left), 1)

    words = len(old.positions) + len(new.at) - len(lost)
    build.write_file(path, made_of, shift, arrays, words, copy.rows.shape[1], fill)
    return True


def _sizes(old: Columns) -> dict[int, tuple[int, int]]:
    """Return how many passages each talk had and the highest of their numbers: new ones have higher numbers."""
    counts = np.bincount(old.talks, minlength=len(old.talk_numbers))
    last = old.numbers[np.cumsum(counts) - 1]
    return dict(zip(old.talk_numbers.tolist(), zip(counts.tolist(), last.tolist(), strict=True), strict=True))


def _passage_columns(
    db: sqlite3.Connection, sizes: Sequence[tuple[int, int, int]], changed: set[int], old: Columns
) -> dict[str, Array]:
    """Return what `columns.lie` returns, read from the catalog for changed talks only."""
    read = build.passage_columns(db, changed)
    counts = np.array([count for _, count, _ in sizes], np.int64)
    new = np.repeat(np.array([talk in changed for talk, *_ in sizes], bool), counts)
    kept = np.isin(old.talk_numbers, [talk for talk, *_ in sizes if talk not in changed])[old.talks]
    arrays: dict[str, Array] = {}
    known = {who: at for at, who in enumerate(old.speakers)}
    names = bytes(read["speakers"]).decode().split("\0")
    read["voices"] = np.array([known.setdefault(who, len(known)) for who in names], np.int32)[read["voices"]]
    for name in ("numbers", "talks", "fields", "starts", "ends", "voices"):
        own = getattr(old, name)
        arrays[name] = np.empty(len(new), own.dtype)
        arrays[name][new] = read[name]
        arrays[name][~new] = own[kept]
    arrays["talks"] = np.repeat(np.arange(len(sizes), dtype=np.int32), counts)
    arrays["talk_numbers"] = np.array([talk for talk, *_ in sizes], np.int64)
    # Speakers are numbered in the order in which they first come.
    used, first, voices = np.unique(arrays["voices"], return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order))
    arrays["voices"] = rank[voices]
    every = list(known)
    arrays["speakers"] = np.frombuffer("\0".join(every[one] for one in used[order].tolist()).encode(), np.uint8)
    return arrays


def _moves(before: Array, now: Array) -> _Moves:
    to, back = np.full(len(before), -1), np.full(len(now), -1)
    _, old, new = np.intersect1d(before, now, assume_unique=True, return_indices=True)
    to[old], back[new] = new, old
    return _Moves(to, back)


def _words(db: sqlite3.Connection, numbers: Array, came: Ints, moves: _Moves, old: Columns) -> _New:
    words, lengths, vocabulary = build.words_of(db, numbers[came].tolist())
    hashes = reader.hashes_of(vocabulary)
    by_hash = np.argsort(hashes)
    rank_of = np.empty(len(by_hash), np.int64)
    rank_of[by_hash] = np.arange(len(by_hash))
    ranks = rank_of[words]
    order = np.argsort(ranks, kind="stable")
    hashes, times = hashes[by_hash], np.bincount(ranks, minlength=len(by_hash))
    within = (np.arange(len(words)) - np.repeat(np.cumsum(lengths) - lengths, lengths))[order]
    # The old place that the next passage had which stays, for each new passage.
    stayed = np.flatnonzero(moves.to >= 0)
    next_ = np.append(stayed, len(moves.to))[np.searchsorted(moves.to[stayed], came)]
    before = (np.repeat(next_, lengths)[order] << old.shift).astype(old.positions.dtype)
    terms = np.searchsorted(old.hashes, hashes)
    at = old.offsets[np.repeat(terms, times)]
    ends = np.cumsum(times)
    there = (terms < len(old.hashes)) & (old.hashes[np.minimum(terms, len(old.hashes) - 1)] == hashes)
    for one in np.flatnonzero(there).tolist():
        own = slice(ends[one] - times[one], ends[one])
        stands = old.positions[old.offsets[terms[one]] : old.offsets[terms[one] + 1]]
        at[own] += np.searchsorted(stands, before[own])
    return _New(hashes, times, at, np.repeat(came, lengths)[order], within, int(lengths.max(initial=0)))


def _blocks(old: Columns) -> Iterator[tuple[int, Positions, Ints]]:
    """Yield positions of the old file in blocks: where the block begins, the positions, and their old places."""
    for at in range(0, len(old.positions), _BLOCK):
        block = old.positions[at : at + _BLOCK]
        yield at, block, (block >> block.dtype.type(old.shift)).astype(np.int64)


def _inside(old: Columns) -> Any:
    """Return the bits of a position that say which word of the passage it is."""
    return old.positions.dtype.type((1 << old.shift) - 1)


def _lost(old: Columns, moves: _Moves) -> tuple[Ints, int]:
    """Return which old positions are of passages that are gone, and how many words the longest of the others has."""
    lost, longest = [], 0
    gone = moves.to < 0
    for at, block, places in _blocks(old):
        away = gone[places]
        lost.append(np.flatnonzero(away) + at)
        longest = max(longest, int(((block & _inside(old))[~away]).max(initial=0)) + 1)
    return np.concatenate([np.empty(0, np.int64), *lost]), longest


def _terms(old: Columns, new: _New, lost: Ints) -> tuple[npt.NDArray[np.uint64], Ints]:
    """Return the hashes of all terms that some passage holds, and where the positions of each begin and end."""
    of_lost = np.searchsorted(old.offsets, lost, side="right") - 1
    times = np.diff(old.offsets) - np.bincount(of_lost, minlength=len(old.hashes))
    hashes = np.union1d(old.hashes, new.hashes)
    every = np.zeros(len(hashes), np.int64)
    every[np.searchsorted(hashes, old.hashes)] += times
    every[np.searchsorted(hashes, new.hashes)] += new.times
    said = every > 0
    return hashes[said], np.concatenate(([0], np.cumsum(every[said]))).astype(np.int64)


def _fill_positions(positions: Array, old: Columns, new: _New, moves: _Moves, lost: Ints, shift: int) -> None:
    kind = positions.dtype.type
    to = np.maximum(moves.to, 0).astype(positions.dtype) << kind(shift)
    come = (new.places.astype(positions.dtype) << kind(shift)) | new.within.astype(positions.dtype)
    inside, cursor = _inside(old), 0
    begins = range(0, len(old.positions), _BLOCK)
    for at, block, places in _blocks(old):
        moved = to[places] | (block & inside).astype(positions.dtype)
        stays = np.ones(len(block), bool)
        stays[lost[slice(*np.searchsorted(lost, (at, at + len(block))))] - at] = False
        # What comes behind the last of all belongs to the last block.
        first, last = np.searchsorted(new.at, (at, at + len(block)))
        last = len(new.at) if at == begins[-1] else last
        here = new.at[first:last] - at
        merged = np.insert(moved, here, come[first:last])[np.insert(stays, here, True)]
        positions[cursor : cursor + len(merged)] = merged
        cursor += len(merged)
        for mapped in (positions, old.positions):
            process.let_go(mapped)
    if not len(old.positions):
        positions[:] = come


def _runs(places: Ints, others: Ints) -> Iterator[tuple[int, int, int]]:
    """Yield where both rise by one: (the first place, the other, how many).

    >>> list(_runs(np.array([0, 1, 4, 5]), np.array([0, 1, 2, 4])))
    [(0, 0, 2), (4, 2, 1), (5, 4, 1)]
    """
    if not len(places):
        return
    cuts = np.flatnonzero((np.diff(places) != 1) | (np.diff(others) != 1)) + 1
    begins, ends = np.append(0, cuts), np.append(cuts, len(places))
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        yield int(places[begin]), int(others[begin]), end - begin
