"""Making the columns of a changed index from those it had: what changed costs work, the rest is copied.

`merge` writes what `build` would make from nothing. It may take so much from the old file because numbers of talks and
passages are never used twice, because neither the text of a passage nor its vector ever changes, and because places
rise with (talk, number), so that what stays keeps its order. Terms go by their hashes: of the words that stay nothing
needs to be known.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from talksearch.indexer.arrays import Ints
from talksearch.indexer.process import release_pages
from talksearch.indexer.stores import vectors
from talksearch.indexer.stores.state import State
from talksearch.indexer.stores.vectors import Vectors

from . import build, reader
from .reader import Array, Columns, Hashes, MappedColumns, Positions

_CHANGED_SHARE = 3
"""Where more than one in so many passages changed, little is gained by keeping the rest."""

_BLOCK = 1 << 20
"""Positions that are in memory at once."""


class _TalkContent(NamedTuple):
    """What shows whether the passages of a talk are other ones than before."""

    passages: int
    """How many it has."""
    last_number: int
    """The highest of their numbers: new passages have higher numbers."""


@dataclass(frozen=True, slots=True)
class _Moves:
    """Where the passages of the old file are in the new one."""

    to_new: Ints
    """The new place of each old place, -1 where the passage is gone."""
    to_old: Ints
    """The old place of each new place, -1 where the passage is new."""


@dataclass(frozen=True, slots=True)
class _NewWords:
    """The words of new passages, as positions in the order in which the new file has them."""

    hashes: Hashes
    """The hash of each term, rising (terms,)."""
    frequencies: Ints
    """How often each stands in new passages (terms,)."""
    before: Ints
    """Before which of the old positions each comes, never decreasing (words,)."""
    places: Ints
    """The place of the passage that each stands in (words,)."""
    word_numbers: Ints
    """Which word of the passage each is (words,)."""
    longest: int
    """How many words the longest new passage has."""


def merge(path: Path, state: State, folder: Path, db: sqlite3.Connection, copy: Vectors, mapped: MappedColumns) -> bool:
    """Write to `path` what `build` would make from nothing, from the columns of an earlier state.

    Returns False, and nothing counts that was written, where that cannot be done or is not worth it: where vectors were
    written anew, where much changed, or where the old file contradicts itself.

    Args:
        path: Where it is written.
        state: The state of the index that `db` and `copy` show.
        folder: The index.
        db: The catalog.
        copy: The copy of the vectors.
        mapped: The old file.
    """
    old, before = mapped
    only_grew = (
        state.catalog == before.catalog
        and state.changes >= before.changes
        and state.last_number >= before.last_number
        and vectors.fingerprint(folder, before.vector_bytes) == (before.vector_bytes, before.vectors_end)
    )
    if not only_grew or not len(old.numbers) or old.codes.shape[1] != copy.rows.shape[1]:
        return False
    try:
        return _merge(path, state, state.changes - before.changes, db, copy, old)
    except (IndexError, ValueError):  # numbers that point nowhere: the old file is damaged
        return False


def _merge(path: Path, state: State, changes: int, db: sqlite3.Connection, copy: Vectors, old: Columns) -> bool:
    content = {
        talk: _TalkContent(passages, last_number)
        for talk, passages, last_number in db.execute(
            "SELECT talk, count(*), max(number) FROM passages INDEXED BY passages_of_talk GROUP BY talk ORDER BY talk"
        )
    }
    old_content = _content(old)
    changed = {talk for talk in content if old_content.get(talk) != content[talk]}
    gone = old_content.keys() - content.keys()
    if sum(content[talk].passages for talk in changed) * _CHANGED_SHARE > len(old.numbers):
        return False
    # Each change of a talk was counted. Where more changed than can be seen, passages may have got other times.
    if changes == len(changed) + len(gone):
        arrays = _passage_columns(db, content, changed, old)
    else:
        arrays = build.passage_columns(db)
    moves = _moves(old.numbers, arrays["numbers"])
    rows = arrays["rows"] = copy.find(arrays["numbers"].astype(np.int64)).astype(np.int32)
    new_places = np.flatnonzero(moves.to_old < 0)
    keeps_code = (moves.to_old >= 0) & (old.rows[moves.to_old] == rows)
    old_code_kept = np.zeros(len(old.rows), bool)
    old_code_kept[moves.to_old[keeps_code]] = True
    other_codes = len(rows) - int(keeps_code.sum())
    if (other_codes + int((moves.to_new < 0).sum())) * _CHANGED_SHARE > len(old.numbers):
        return False
    new = _new_words(db, arrays["numbers"], new_places, moves, old)
    lost, longest = _lost_positions(old, moves) if (moves.to_new < 0).any() else (np.empty(0, np.int64), 0)
    shift = build.shift_for(max(new.longest, longest))
    if not len(lost):
        shift = max(shift, old.shift)
    arrays["hashes"], arrays["offsets"] = _terms(old, new, lost)

    def fill(views: dict[str, Array]) -> None:
        _fill_positions(views["positions"], old, new, moves, lost, shift)
        for place, old_place, length in _runs(np.flatnonzero(keeps_code), moves.to_old[keeps_code]):
            for name in ("codes", "scales", "errors"):
                views[name][place : place + length] = getattr(old, name)[old_place : old_place + length]
        coded_anew = np.flatnonzero(~keeps_code & (rows >= 0))
        left_rows = old.rows[~old_code_kept & (old.rows >= 0)]
        old_count = int((old.rows >= 0).sum())
        count = max(old_count + len(coded_anew) - len(left_rows), 1)
        added, taken = build.fill_codes(views, copy, rows, coded_anew), build.sums_of(copy, left_rows)
        views["mean"][...] = (old.mean * old_count + added.vectors - taken.vectors) / count
        views["second"][...] = (old.second * old_count + added.products - taken.products) / count

    words = len(old.positions) + len(new.before) - len(lost)
    build.write_file(path, state, shift, arrays, words, copy.rows.shape[1], fill)
    return True


def _content(old: Columns) -> dict[int, _TalkContent]:
    """Return what each talk held, by its number."""
    counts = np.bincount(old.talks, minlength=len(old.talk_numbers))
    last_numbers = old.numbers[np.cumsum(counts) - 1]
    content = map(_TalkContent, counts.tolist(), last_numbers.tolist())
    return dict(zip(old.talk_numbers.tolist(), content, strict=True))


def _passage_columns(
    db: sqlite3.Connection, content: dict[int, _TalkContent], changed: set[int], old: Columns
) -> dict[str, Array]:
    """Return what `build.passage_columns` returns, read from the catalog for changed talks only.

    `content` is of all talks of the catalog, by their numbers, which rise.
    """
    read = build.passage_columns(db, changed)
    counts = np.array([talk.passages for talk in content.values()], np.int64)
    is_read = np.repeat(np.array([talk in changed for talk in content], bool), counts)
    is_kept = np.isin(old.talk_numbers, [talk for talk in content if talk not in changed])[old.talks]
    voice_of = {speakers: voice for voice, speakers in enumerate(old.speakers)}
    read_speakers = bytes(read["speakers"]).decode().split("\0")
    voices_read = [voice_of.setdefault(speakers, len(voice_of)) for speakers in read_speakers]
    read["voices"] = np.array(voices_read, np.int32)[read["voices"]]
    arrays: dict[str, Array] = {}
    for name in ("numbers", "talks", "fields", "starts", "ends", "voices"):
        old_values = getattr(old, name)
        arrays[name] = np.empty(len(is_read), old_values.dtype)
        arrays[name][is_read] = read[name]
        arrays[name][~is_read] = old_values[is_kept]
    arrays["talks"] = np.repeat(np.arange(len(content), dtype=np.int32), counts)
    arrays["talk_numbers"] = np.array(list(content), np.int64)
    # Speakers are numbered in the order in which they first come.
    used, first_places, voices = np.unique(arrays["voices"], return_index=True, return_inverse=True)
    order = np.argsort(first_places)
    ranks = np.empty(len(order), np.int32)
    ranks[order] = np.arange(len(order))
    arrays["voices"] = ranks[voices]
    known_speakers = list(voice_of)
    speakers_in_order = [known_speakers[voice] for voice in used[order].tolist()]
    arrays["speakers"] = np.frombuffer("\0".join(speakers_in_order).encode(), np.uint8)
    return arrays


def _moves(old_numbers: Array, numbers: Array) -> _Moves:
    to_new, to_old = np.full(len(old_numbers), -1), np.full(len(numbers), -1)
    _, old_places, places = np.intersect1d(old_numbers, numbers, assume_unique=True, return_indices=True)
    to_new[old_places], to_old[places] = places, old_places
    return _Moves(to_new, to_old)


def _new_words(db: sqlite3.Connection, numbers: Array, new_places: Ints, moves: _Moves, old: Columns) -> _NewWords:
    words, lengths, vocabulary = build.words_of(db, numbers[new_places].tolist())
    hashes = reader.hashes_of(vocabulary)
    by_hash = np.argsort(hashes)
    rank_of = np.empty(len(by_hash), np.int64)
    rank_of[by_hash] = np.arange(len(by_hash))
    ranks = rank_of[words]
    order = np.argsort(ranks, kind="stable")
    hashes, frequencies = hashes[by_hash], np.bincount(ranks, minlength=len(by_hash))
    word_numbers = (np.arange(len(words)) - np.repeat(np.cumsum(lengths) - lengths, lengths))[order]
    # For each new passage, the old place of the first passage behind it that stays.
    staying = np.flatnonzero(moves.to_new >= 0)
    following = np.append(staying, len(moves.to_new))[np.searchsorted(moves.to_new[staying], new_places)]
    limits = (np.repeat(following, lengths)[order] << old.shift).astype(old.positions.dtype)
    old_terms = np.searchsorted(old.hashes, hashes)
    before = old.offsets[np.repeat(old_terms, frequencies)]
    ends = np.cumsum(frequencies)
    is_old = (old_terms < len(old.hashes)) & (old.hashes[np.minimum(old_terms, len(old.hashes) - 1)] == hashes)
    for rank in np.flatnonzero(is_old).tolist():
        of_term = slice(ends[rank] - frequencies[rank], ends[rank])
        old_positions = old.positions[old.offsets[old_terms[rank]] : old.offsets[old_terms[rank] + 1]]
        before[of_term] += np.searchsorted(old_positions, limits[of_term])
    return _NewWords(
        hashes=hashes,
        frequencies=frequencies,
        before=before,
        places=np.repeat(new_places, lengths)[order],
        word_numbers=word_numbers,
        longest=int(lengths.max(initial=0)),
    )


def _blocks(old: Columns) -> Iterator[tuple[int, Positions, Ints]]:
    """Yield positions of the old file in blocks: where the block begins, the positions, and their old places."""
    for start in range(0, len(old.positions), _BLOCK):
        block = old.positions[start : start + _BLOCK]
        yield start, block, (block >> block.dtype.type(old.shift)).astype(np.int64)


def _word_mask(old: Columns) -> Any:
    """Return the bits of a position that say which word of the passage it is."""
    return old.positions.dtype.type((1 << old.shift) - 1)


def _lost_positions(old: Columns, moves: _Moves) -> tuple[Ints, int]:
    """Return which old positions are of passages that are gone, and how many words the longest of the others has."""
    lost, longest = [], 0
    place_is_gone = moves.to_new < 0
    for start, block, places in _blocks(old):
        is_lost = place_is_gone[places]
        lost.append(np.flatnonzero(is_lost) + start)
        longest = max(longest, int(((block & _word_mask(old))[~is_lost]).max(initial=0)) + 1)
    return np.concatenate([np.empty(0, np.int64), *lost]), longest


def _terms(old: Columns, new: _NewWords, lost: Ints) -> tuple[Hashes, Ints]:
    """Return the hashes of all terms that some passage holds, and where the positions of each begin and end."""
    terms_of_lost = np.searchsorted(old.offsets, lost, side="right") - 1
    kept_frequencies = np.diff(old.offsets) - np.bincount(terms_of_lost, minlength=len(old.hashes))
    hashes = np.union1d(old.hashes, new.hashes)
    frequencies = np.zeros(len(hashes), np.int64)
    frequencies[np.searchsorted(hashes, old.hashes)] += kept_frequencies
    frequencies[np.searchsorted(hashes, new.hashes)] += new.frequencies
    is_used = frequencies > 0
    return hashes[is_used], np.concatenate(([0], np.cumsum(frequencies[is_used]))).astype(np.int64)


def _fill_positions(positions: Array, old: Columns, new: _NewWords, moves: _Moves, lost: Ints, shift: int) -> None:
    """Fill in the positions that stay, at their new places, and those of new words where they belong between them.

    Args:
        positions: What to fill in (words of the new file,).
        old: The old file.
        new: The words of new passages.
        moves: Where passages went.
        lost: Which old positions go, rising.
        shift: By how many bits a place is shifted in a new position.
    """
    dtype = positions.dtype
    moved_places = np.maximum(moves.to_new, 0).astype(dtype) << dtype.type(shift)
    new_positions = (new.places.astype(dtype) << dtype.type(shift)) | new.word_numbers.astype(dtype)
    mask, filled = _word_mask(old), 0
    last_start = range(0, len(old.positions), _BLOCK)[-1] if len(old.positions) else 0
    for start, block, places in _blocks(old):
        end = start + len(block)
        moved = moved_places[places] | (block & mask).astype(dtype)
        stays = np.ones(len(block), bool)
        stays[lost[slice(*np.searchsorted(lost, (start, end)))] - start] = False
        # What comes behind the last of all belongs to the last block.
        first, last = np.searchsorted(new.before, (start, end))
        last = len(new.before) if start == last_start else last
        insert_at = new.before[first:last] - start
        merged = np.insert(moved, insert_at, new_positions[first:last])[np.insert(stays, insert_at, True)]
        positions[filled : filled + len(merged)] = merged
        filled += len(merged)
        for mapped in (positions, old.positions):
            release_pages(mapped)
    if not len(old.positions):
        positions[:] = new_positions


def _runs(places: Ints, old_places: Ints) -> Iterator[tuple[int, int, int]]:
    """Yield where both rise by one: (the first place, the first old place, how many).

    >>> list(_runs(np.array([0, 1, 4, 5]), np.array([0, 1, 2, 4])))
    [(0, 0, 2), (4, 2, 1), (5, 4, 1)]
    """
    if not len(places):
        return
    cuts = np.flatnonzero((np.diff(places) != 1) | (np.diff(old_places) != 1)) + 1
    begins, ends = np.append(0, cuts), np.append(cuts, len(places))
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        yield int(places[begin]), int(old_places[begin]), end - begin
