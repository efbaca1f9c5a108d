"""Making the columns from the catalog and the vectors."""

from __future__ import annotations

import errno
import json
import mmap
import os
import sqlite3
from array import array
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import count, pairwise
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

from talksearch.indexer.arrays import Floats, Ints
from talksearch.indexer.process import release_pages
from talksearch.indexer.stores import vectors
from talksearch.indexer.stores.state import State
from talksearch.indexer.stores.vectors import Vectors

from .reader import FIELDS, MAGIC, WORDS_BETWEEN_PASSAGES, Array, Words, aligned, fts_tokens, hashes_of

_BLOCK = 8_192
"""Passages that are in memory at once while the file is made."""

_HELD = 1 << 23
"""Positions that are filled in by one walk through all words: their pages are in memory meanwhile."""

_WORD_BYTES = np.dtype(np.int32).itemsize
"""Bytes of a word by its number."""

_SEAM = ("",) * 3
"""Between the words of a passage and those of its tracks stands what is no word, so that none of both are near each
other: in the word index they are columns."""

_CANNOT_ALLOCATE = frozenset((errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENODEV))
"""What a file system says that cannot give a file its bytes before they are written."""

_ZEROS = 1 << 20
"""Bytes that are then written at once."""

_ROUNDING = 1e-6
"""What is added to each error, because the errors are computed in float32."""

_LARGEST_CODE = np.float32(127)
"""The largest number that a vector's greatest component becomes, in one byte with a sign."""

Vocabulary = defaultdict[str, int]
"""Words with their numbers, counted from 0 as they first come."""


class WordBlock(NamedTuple):
    """The words of some passages in a row."""

    first: int
    """The place of the first passage."""
    lengths: Ints
    """How many words each passage has (passages,)."""
    words: Words
    """The words of all of them, by their numbers in a vocabulary (sum of lengths,)."""


class VectorSums(NamedTuple):
    """The sums of some vectors and of their products with themselves, in float64.

    From such a sum vectors can be taken out again, and it is the sum of those that stay.
    """

    vectors: npt.NDArray[np.float64]
    """(dimension,)."""
    products: npt.NDArray[np.float64]
    """(dimension, dimension)."""


def write_from_catalog(path: Path, state: State, db: sqlite3.Connection, copy: Vectors, dimension: int) -> None:
    """Make the file from nothing.

    Args:
        path: Where it is written.
        state: The state of the index that `db` and `copy` show.
        db: The catalog.
        copy: The copy of the vectors.
        dimension: The width of a vector.
    """
    arrays = passage_columns(db)
    arrays["rows"] = copy.find(arrays["numbers"].astype(np.int64)).astype(np.int32)
    # All words of an archive may be more than fits into memory: they are gone through in a file.
    with TemporaryFile(dir=path.parent) as file:
        vocabulary = _new_vocabulary()
        blocks_of_lengths = [np.empty(0, np.int64)]
        for words, block_lengths in _words_in(db, vocabulary):
            file.write(words.tobytes())
            blocks_of_lengths.append(block_lengths)
        lengths = np.concatenate(blocks_of_lengths)

        def word_blocks() -> Iterator[WordBlock]:
            file.seek(0)
            for first in range(0, len(lengths), _BLOCK):
                block_lengths = lengths[first : first + _BLOCK]
                words = np.frombuffer(file.read(int(block_lengths.sum()) * _WORD_BYTES), np.int32)
                yield WordBlock(first, block_lengths, words)

        # A term is looked up by its hash, so that a query need not read all terms.
        hashes = hashes_of(list(vocabulary))
        order = np.argsort(hashes)
        ranks = np.empty(len(order), np.int32)
        ranks[order] = np.arange(len(order))
        frequencies = np.zeros(len(order), np.int64)
        for block in word_blocks():
            frequencies += np.bincount(block.words, minlength=len(order))
        arrays["hashes"] = hashes[order]
        arrays["offsets"] = np.concatenate(([0], np.cumsum(frequencies[order])))
        shift = shift_for(int(lengths.max(initial=0)))

        def fill(views: dict[str, Array]) -> None:
            _fill_positions(views["positions"], arrays["offsets"], ranks, word_blocks, shift)
            with_vector = np.flatnonzero(arrays["rows"] >= 0)
            sums = fill_codes(views, copy, arrays["rows"], with_vector)
            vector_count = max(len(with_vector), 1)
            views["mean"][...] = sums.vectors / vector_count
            views["second"][...] = sums.products / vector_count

        write_file(path, state, shift, arrays, int(lengths.sum()), dimension, fill)


def shift_for(longest: int) -> int:
    """Return by how many bits a place is shifted where the longest passage has so many words."""
    return (longest + WORDS_BETWEEN_PASSAGES).bit_length()


def write_file(
    path: Path,
    state: State,
    shift: int,
    arrays: dict[str, Array],
    words: int,
    dimension: int,
    fill: Callable[[dict[str, Array]], None],
) -> None:
    """Write a file of small arrays, and of large ones that are filled in place.

    Args:
        path: Where it is written.
        state: What it is made of.
        shift: By how many bits a place is shifted in a position.
        arrays: The small arrays by their names in `Columns`; they are copied.
        words: How many positions there are.
        dimension: The width of a vector.
        fill: Fills the large arrays, which it is given by name, mapped from the file and full of zeros.
    """
    passages = len(arrays["numbers"])
    position_dtype = np.uint32 if passages << shift < 1 << 32 else np.uint64
    shapes: dict[str, tuple[Any, tuple[int, ...]]] = {
        **{name: (values.dtype, values.shape) for name, values in arrays.items()},
        "positions": (position_dtype, (words,)),
        "codes": (np.int8, (passages, dimension)),
        "scales": (np.float32, (passages,)),
        "errors": (np.float32, (passages,)),
        "mean": (np.float64, (dimension,)),
        "second": (np.float64, (dimension, dimension)),
    }
    placed: dict[str, tuple[str, list[int], int]] = {}
    size = 0
    for name, (dtype, shape) in shapes.items():
        placed[name] = (np.dtype(dtype).str, list(shape), size)
        size = aligned(size + int(np.prod(shape)) * np.dtype(dtype).itemsize)
    header = json.dumps({"state": state, "shift": shift, "bytes": size, "arrays": placed}).encode()
    head = MAGIC + len(header).to_bytes(8, "little") + header
    start = aligned(len(head))
    with path.open("w+b") as file:
        _allocate(file, start + size)
        with mmap.mmap(file.fileno(), start + size) as mapped:
            views = {
                name: np.ndarray(shape, np.dtype(dtype), mapped, start + offset)
                for name, (dtype, shape, offset) in placed.items()
            }
            for name, values in arrays.items():
                views[name][...] = values
            fill(views)
            mapped[: len(head)] = head
            views.clear()  # a mapping cannot be closed while arrays lie in it
            mapped.flush()
        os.fsync(file.fileno())


def _allocate(file: BinaryIO, size: int) -> None:
    """Have the disk give a new file its bytes, all zeros. Raises OSError where it has not so many.

    A file that is only said to be so long gets them when they are first written, and one that is written through a
    mapping then ends the process where there are none, by a signal (SIGBUS).
    """
    try:
        os.posix_fallocate(file.fileno(), 0, size)  # not on macOS or Windows
    except (AttributeError, OSError) as error:
        if isinstance(error, OSError) and error.errno not in _CANNOT_ALLOCATE:
            raise OSError(error.errno, error.strerror, file.name) from error
        zeros = bytes(_ZEROS)
        for at in range(0, size, _ZEROS):
            file.write(zeros[: size - at])
        file.flush()


def passage_columns(db: sqlite3.Connection, only: Collection[int] | None = None) -> dict[str, Array]:
    """Return how passages lie along their talks, of all or `only` some talks, and what else is known of each."""
    rows = db.execute(
        "SELECT number, talk, field, start_ms, end_ms, speakers FROM passages INDEXED BY passages_of_talk"  # noqa: S608
        f" {'' if only is None else 'WHERE talk IN (SELECT value FROM json_each(?))'} ORDER BY talk, number",
        () if only is None else (json.dumps(list(only)),),
    )
    numbers, talks, fields, starts, ends, voices = (array(kind) for kind in "iqBiii")
    voice_of: dict[str, int] = {}
    field_numbers = {name: number for number, name in enumerate(FIELDS)}
    for number, talk, field, start_ms, end_ms, speakers in rows:
        numbers.append(number)
        talks.append(talk)
        fields.append(field_numbers.get(field, len(FIELDS)))
        starts.append(start_ms)
        ends.append(end_ms)
        voices.append(voice_of.setdefault(speakers, len(voice_of)))
    talk_numbers, talk_positions = np.unique(np.array(talks, np.int64), return_inverse=True)
    return {
        "numbers": np.array(numbers, np.int32),
        "talks": talk_positions.astype(np.int32),
        "talk_numbers": talk_numbers,
        "fields": np.array(fields, np.uint8),
        "starts": np.array(starts, np.int32),
        "ends": np.array(ends, np.int32),
        "voices": np.array(voices, np.int32),
        "speakers": np.frombuffer("\0".join(voice_of).encode(), np.uint8),
    }


def words_of(db: sqlite3.Connection, only: Collection[int]) -> tuple[Words, Ints, list[str]]:
    """Return the words of the passages with some numbers, in the order of their places.

    Returns (the words, by their places in the third value; how many each passage has; what the words are).
    """
    vocabulary = _new_vocabulary()
    blocks = list(_words_in(db, vocabulary, only))
    words = np.concatenate([np.empty(0, np.int32), *(words for words, _ in blocks)])
    lengths = np.concatenate([np.empty(0, np.int64), *(lengths for _, lengths in blocks)])
    return words, lengths, list(vocabulary)


def fill_codes(views: dict[str, Array], copy: Vectors, rows: Array, places: Ints) -> VectorSums:
    """Fill in the codes, scales and errors of some places, which all have a vector, and return the sums of the vectors.

    Args:
        views: The arrays of the file.
        copy: The copy of the vectors.
        rows: The row of every place in the copy.
        places: The places to fill in.
    """
    sums = VectorSums(np.zeros_like(views["mean"]), np.zeros_like(views["second"]))
    for start, block in _vectors_of(copy, rows[places], sums):
        filled = places[start : start + len(block)]
        scales = np.maximum(np.abs(block).max(axis=1, initial=0.0), np.finfo(np.float32).tiny) / _LARGEST_CODE
        rest = block / scales[:, None]
        codes = np.rint(rest)
        views["codes"][filled] = codes
        views["scales"][filled] = scales
        rest -= codes
        views["errors"][filled] = np.sqrt(np.einsum("ij,ij->i", rest, rest)) * scales + _ROUNDING
        release_pages(views["codes"])
    return sums


def sums_of(copy: Vectors, rows: Array) -> VectorSums:
    """Return the sums of the vectors in some rows and of their products with themselves."""
    dimension = copy.rows.shape[1]
    sums = VectorSums(np.zeros(dimension), np.zeros((dimension, dimension)))
    for _ in _vectors_of(copy, rows, sums):
        pass
    return sums


def _new_vocabulary() -> Vocabulary:
    """Return what gives each word the next number when it first comes."""
    return defaultdict(count().__next__)


def _words_in(
    db: sqlite3.Connection, vocabulary: Vocabulary, only: Collection[int] | None = None
) -> Iterator[tuple[Words, Ints]]:
    """Yield the words of passages in blocks, as `vocabulary` numbers them, and how many words each passage has.

    Of all passages, or of those with `only` some numbers.
    """
    rows = db.execute(
        "SELECT coalesce(w.terms, ''), coalesce(w.track_terms, '') FROM passages p"  # noqa: S608
        f" {'INDEXED BY passages_of_talk' if only is None else ''}"
        " LEFT JOIN words w ON w.rowid = p.number"
        f" {'' if only is None else 'WHERE p.number IN (SELECT value FROM json_each(?))'} ORDER BY p.talk, p.number",
        () if only is None else (json.dumps(list(only)),),
    )
    while block := rows.fetchmany(_BLOCK):
        words, lengths = array("i"), array("q")
        for text, track_text in block:
            tokens = _tokens(text)
            if track_text:
                tokens += [*_SEAM, *_tokens(track_text)]
            words.extend(map(vocabulary.__getitem__, tokens))
            lengths.append(len(tokens))
        yield np.array(words, np.int32), np.array(lengths, np.int64)


def _tokens(terms: str) -> list[str]:
    tokens = terms.split()
    if terms.replace(" ", "").isalnum():
        return tokens
    return [token for term in tokens for token in fts_tokens(term)]


def _fill_positions(
    positions: Array,
    offsets: Ints,
    ranks: Array,
    word_blocks: Callable[[], Iterable[WordBlock]],
    shift: int,
) -> None:
    """Fill in where each term stands, a range of terms at a time, so that few pages of the file are in memory.

    Args:
        positions: What to fill in (words,).
        offsets: Where the positions of each term begin and, one further, end (terms + 1,).
        ranks: The term of each word of the vocabulary (terms,).
        word_blocks: Goes through the words of all passages from the beginning.
        shift: By how many bits a place is shifted in a position.
    """
    next_free = offsets[:-1].copy()
    cuts = np.searchsorted(offsets, np.arange(_HELD, len(positions), _HELD))
    for first_term, end_term in pairwise(np.unique([0, *cuts.tolist(), len(next_free)]).tolist()):
        for first, lengths, words in word_blocks():
            terms = ranks[words]
            chosen = np.flatnonzero((terms >= first_term) & (terms < end_term))
            terms = terms[chosen]
            if not len(terms):
                continue
            places = np.repeat(np.arange(first, first + len(lengths)), lengths)[chosen]
            words_before = chosen - np.repeat(np.cumsum(lengths) - lengths, lengths)[chosen]
            order = np.argsort(terms, kind="stable")
            terms = terms[order]
            # Where each term begins in this block, and how often it comes.
            begins = np.flatnonzero(np.diff(terms, prepend=-1))
            times = np.diff(begins, append=len(terms))
            targets = next_free[terms] + np.arange(len(terms)) - np.repeat(begins, times)
            positions[targets] = ((places << shift) | words_before)[order]
            next_free[terms[begins]] += times
        release_pages(positions)


def _vectors_of(copy: Vectors, rows: Array, sums: VectorSums) -> Iterator[tuple[int, Floats]]:
    """Yield the vectors in some rows in blocks, with where each block begins, and add them to the sums."""
    start = 0
    for block in vectors.blocks(copy.rows, rows):
        wide = block.astype(np.float64)
        sums.vectors[...] += wide.sum(axis=0)
        sums.products[...] += wide.T @ wide
        yield start, block
        start += len(block)
