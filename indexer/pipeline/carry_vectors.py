"""Giving passages the vectors that other indexes have of the same words, so that no model is asked.

The order of writes is that of `embed_pending`: a window of passages is put into Chroma, then appended to `vectors.bin`
and synced, then marked embedded in one transaction. Ended anywhere, the same call goes on.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from talksearch.indexer.arrays import Floats
from talksearch.indexer.encoders import token_codes
from talksearch.indexer.stores import catalog, catalog_writer, copy_check, vectors
from talksearch.indexer.stores.chroma.describe import describe
from talksearch.indexer.stores.chroma.writer import PassageWriter, writer
from talksearch.indexer.stores.vectors import Vectors

from .settle_stores import partition_sizes, passage_numbers, settle_stores

_WINDOW = 2_000
"""Passages between two commits: as many as are handed to Chroma at once."""


@dataclass(frozen=True, slots=True)
class VectorSource:
    """An index that vectors are taken from."""

    db: sqlite3.Connection
    copy: Vectors
    directions: Floats | None
    """Along which the codes of its tokens were made; None where it has none that can be used."""


_Encoding = tuple[Floats, bytes | None]
"""A vector, and the codes of the tokens where there are some that mean the same."""


@dataclass(frozen=True, slots=True)
class _Carried:
    """What other indexes have of passages that have no vector yet."""

    numbers: list[int]
    ids: list[str]
    rows: Floats
    codes: list[bytes | None]


def open_source(folder: Path, db: sqlite3.Connection, dimension: int) -> VectorSource:
    """Return what an index has of vectors; nothing where its copy of them is damaged, or another catalog's."""
    copy = vectors.read(folder, dimension)
    if not (copy_check.may_be_read(folder, db) and copy_check.is_of(folder, db, copy)):
        copy = vectors.empty(dimension)
    directions = None if copy_check.has_directions_of_another(folder, db) else token_codes.read(folder)
    return VectorSource(db, copy, directions)


def carry_vectors(
    db: sqlite3.Connection,
    folder: Path,
    sources: Sequence[VectorSource],
    dimension: int,
    tell: Callable[[int, int], None],
    *,
    chroma: bool = True,
) -> int:
    """Give each passage without a vector the one that an index has of the same text, and its codes.

    Passages of which none has a vector stay as they are. Codes that were made along other directions mean nothing here:
    such passages have none, and are not compared token by token until the doctor has them embedded again.

    Args:
        db: The catalog, open for writing.
        folder: The index folder.
        sources: The indexes that vectors are taken from; of several that have one, the first.
        dimension: The dimension of the vectors.
        tell: Is called with (passages done, passages that wait).
        chroma: Whether they are put into the Chroma store as well. Else the index has none.

    Returns:
        How many passages got their vectors.
    """
    waiting = passage_numbers(db, "WHERE NOT embedded").tolist()
    leaving = catalog.leaving(db)
    if not waiting and not leaving:
        return 0
    tell(0, len(waiting))
    own = VectorSource(db, vectors.read(folder, dimension), token_codes.read(folder))
    staying = partition_sizes(passage_numbers(db, "WHERE embedded"))
    done, sizes = 0, dict[int, int]()
    catalog.flush(folder)
    with writer(folder, len(waiting), staying, leaving) if chroma else _no_store() as put:
        for start in range(0, len(waiting), _WINDOW):
            carried = _look_up(own, sources, waiting[start : start + _WINDOW])
            if carried.numbers:
                numbers = np.array(carried.numbers, np.int64)
                if chroma:
                    sizes.update(put(numbers, carried.ids, carried.rows, describe(db, carried.numbers)))
                lacking = own.copy.find(numbers) < 0
                if lacking.any():
                    vectors.append(folder, numbers[lacking], carried.rows[lacking])
                with catalog.transaction(db):
                    catalog_writer.forget_leaving(db)  # they were taken out before the first window was put
                    catalog_writer.put_embedded(db, carried.numbers, carried.codes)
                done += len(carried.numbers)
            tell(done, len(waiting))
    settle_stores(db, folder, sizes, dimension)
    return done


def _look_up(own: VectorSource, sources: Sequence[VectorSource], numbers: Sequence[int]) -> _Carried:
    """Return what is known of passages, given by their numbers, which rise.

    A passage that the index itself has a vector of, because a run was ended or only its talk changed, keeps that.
    """
    marks = catalog.placeholders(len(numbers))
    rows = own.db.execute(
        f"SELECT number, id, digest FROM passages WHERE number IN ({marks}) ORDER BY number",  # noqa: S608
        numbers,
    ).fetchall()
    # Where one index has the codes of a text and another one has not, those come along.
    ordered = sorted((own, *sources), key=lambda source: not _has_codes_for(own, source))
    known: dict[bytes, _Encoding] = {}
    for source in ordered:
        digests = [digest for _, _, digest in rows if digest not in known]
        known |= _encodings(source, digests, codes=_has_codes_for(own, source))
    own_codes = catalog.read_tokens(own.db, numbers)
    own_rows = own.copy.find(np.array(numbers, np.int64))
    numbers_found, ids, vectors_found, codes_found = [], [], [], []
    for (number, id_, digest), own_row in zip(rows, own_rows.tolist(), strict=True):
        codes = own_codes.get(number)
        if own_row >= 0 and (codes is not None or digest not in known):
            vector = own.copy.rows[own_row]
        elif digest in known:
            vector, codes = known[digest]
        else:
            continue
        numbers_found.append(number)
        ids.append(id_)
        vectors_found.append(vector)
        codes_found.append(codes)
    return _Carried(numbers_found, ids, np.array(vectors_found, np.float32), codes_found)


def _has_codes_for(own: VectorSource, source: VectorSource) -> bool:
    """Say whether the codes of an index mean the same in the one that vectors are carried into."""
    if own.directions is None or source.directions is None:
        return False
    return token_codes.are_same(own.directions, source.directions)


def _encodings(source: VectorSource, digests: Sequence[bytes], *, codes: bool) -> dict[bytes, _Encoding]:
    """Return the vectors that an index has of texts, by their digests; with their codes, if any, or without any."""
    if not digests or not len(source.copy.numbers):
        return {}
    marks = catalog.placeholders(len(digests))
    rows = source.db.execute(
        f"SELECT number, digest FROM passages WHERE embedded AND digest IN ({marks}) ORDER BY number DESC",  # noqa: S608
        digests,
    ).fetchall()
    at = source.copy.find(np.array([number for number, _ in rows], np.int64))
    codes_of = catalog.read_tokens(source.db, [number for number, _ in rows]) if codes else {}
    return {
        digest: (source.copy.rows[row], codes_of.get(number))
        for (number, digest), row in zip(rows, at.tolist(), strict=True)  # of several, the one with the lowest number
        if row >= 0
    }


@contextmanager
def _no_store() -> Iterator[PassageWriter]:
    yield lambda *_: {}
