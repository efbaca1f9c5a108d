"""The vectors: that Chroma and the copy hold the same one of each embedded passage, and Chroma what describes it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from talksearch.indexer.arrays import Floats
from talksearch.indexer.errors import BadIndexError, DamagedStoreError
from talksearch.indexer.pipeline import embed_pending
from talksearch.indexer.stores import catalog, catalog_writer, copy_check, seals, vectors
from talksearch.indexer.stores.chroma import collection as passages
from talksearch.indexer.stores.chroma import store, writer
from talksearch.indexer.stores.chroma.describe import describe

from .findings import Finding, finding, finding_for_index

_VECTOR_TOLERANCE = 1e-3
"""How far a vector's length may be from 1, and a component from the same one of the other copy."""

_AT_ONCE = 2_000
"""Passages whose vectors are compared at once."""


class _Embedded(NamedTuple):
    """A passage that the catalog says has a vector."""

    id: str
    number: int


@dataclass(slots=True)
class _Differences:
    """Where Chroma and the copy do not both have the same vector of length 1: passage numbers."""

    strangers: list[str] = field(default_factory=list)
    """Ids of passages that Chroma has and the catalog does not know."""
    not_in_chroma: list[int] = field(default_factory=list)
    """Those of which only the copy has a vector that is sound."""
    not_in_copy: list[int] = field(default_factory=list)
    """Those of which only Chroma has one, and the copy none."""
    wrong_in_copy: list[int] = field(default_factory=list)
    """Those of which only Chroma has one that is sound, and the copy another."""
    in_neither: list[int] = field(default_factory=list)
    """Those of which neither has one that is sound, or both have one and these differ."""
    described_otherwise: list[int] = field(default_factory=list)
    """Those of which Chroma has another text, or other metadata, than the catalog."""


def check_vectors(db: sqlite3.Connection, folder: Path, dimension: int, mend: bool) -> list[Finding]:
    """Check that Chroma and the copy hold one and the same vector of length 1 for each embedded passage, and no others.

    What only one of them lost it gets back from the other.
    """
    findings: list[Finding] = []
    rows = db.execute("SELECT id, number FROM passages WHERE embedded ORDER BY number")
    embedded = [_Embedded(*row) for row in rows]
    copy = vectors.read(folder, dimension)
    if not copy_check.is_of(folder, db, copy):
        if mend:
            vectors.delete(folder)
        copy = vectors.empty(dimension)
        findings.append(finding("The copy of the vectors was of another catalog, or of a later state of it.", mend))
    is_as_written = copy_check.may_be_read(folder, db, thorough=True)
    try:
        differences = _differences(db, folder, embedded, copy, mend)
    except DamagedStoreError as error:
        if not mend:
            return [finding(error.message, mend)]
        aside = store.put_aside(folder, db)
        remains = f" What is left of it lies in {aside} and may be deleted." if aside else ""
        findings.append(finding(f"{error.message} A new one was made.{remains}", mend))
        differences = _compare(db, folder, embedded, copy, mend)
    except BadIndexError as error:  # another program uses it, or it cannot be written
        if mend:
            raise
        positions = copy.find(np.array([passage.number for passage in embedded], np.int64))
        not_looked_at = Finding(f"{error.message} So it was not looked at.", False, error.hint)
        return [not_looked_at, *_lacking_in_copy(int((positions < 0).sum()), mend)]
    findings += _mend_vectors(db, folder, dimension, copy, differences, mend)
    if not is_as_written:
        if mend:
            vectors.delete(folder)
            embed_pending.mend_copy(db, folder, dimension)
        if not findings:
            findings.append(finding("The copy of the vectors was not as it was written.", mend))
    return findings


def _differences(
    db: sqlite3.Connection, folder: Path, embedded: list[_Embedded], copy: vectors.Vectors, mend: bool
) -> _Differences:
    """Compare Chroma with the copy of the vectors as `_compare` does, in a copy of its own where nothing is mended."""
    if embedded and (reason := store.damage(folder, thorough=True)):
        raise store.damaged(folder, reason)
    if mend:
        return _compare(db, folder, embedded, copy, mend)
    with store.copied(folder) as scratch:
        try:
            return _compare(db, scratch, embedded, copy, mend)
        except BadIndexError as error:  # it names the store
            error.message = error.message.replace(str(scratch), str(folder))
            raise


def _mend_vectors(
    db: sqlite3.Connection,
    folder: Path,
    dimension: int,
    copy: vectors.Vectors,
    differences: _Differences,
    mend: bool,
) -> list[Finding]:
    """Mend what differs, with `mend`, and return what that is."""
    findings: list[Finding] = []
    if differences.strangers:
        count = len(differences.strangers)
        findings.append(finding(f"Chroma holds {count} passages that the catalog does not know.", mend))
    if differences.in_neither:
        if mend:
            with catalog.transaction(db):
                catalog_writer.renumber(db, differences.in_neither)
            store.drop_leaving(folder, db)
        count = len(differences.in_neither)
        what = f"{count} passages have no sound vector in Chroma or in the copy, or not the same one."
        findings.append(finding_for_index(what, mend))
    if differences.not_in_chroma:
        if mend:
            writer.refill(folder, db, differences.not_in_chroma, copy)
        findings.append(finding(f"Chroma lacked the vectors of {len(differences.not_in_chroma)} passages.", mend))
    if otherwise := [number for number in differences.described_otherwise if number not in differences.in_neither]:
        if mend:
            _describe_again(db, folder, otherwise, copy)
        what = f"Chroma held another text or other metadata of {len(otherwise)} passages than the catalog."
        findings.append(finding(what, mend))
    if mend and differences.wrong_in_copy:
        _take_out_of_copy(folder, dimension, set(differences.wrong_in_copy))
    if mend and (differences.not_in_copy or differences.wrong_in_copy):
        embed_pending.mend_copy(db, folder, dimension)
    if differences.wrong_in_copy:
        findings.append(finding(f"The copy of the vectors held {len(differences.wrong_in_copy)} damaged ones.", mend))
    return [*findings, *_lacking_in_copy(len(differences.not_in_copy), mend)]


def _describe_again(db: sqlite3.Connection, folder: Path, numbers: Sequence[int], copy: vectors.Vectors) -> None:
    """Put passages into Chroma anew, with the vectors that they have there; Chroma would keep metadata that is left."""
    lacking = [number for number, row in zip(numbers, copy.find(np.array(numbers, np.int64)), strict=True) if row < 0]
    if lacking:  # their vectors are only in Chroma
        embed_pending.mend_copy(db, folder, copy.rows.shape[1])
        copy = vectors.read(folder, copy.rows.shape[1])
    ids = dict(
        db.execute(
            "SELECT number, id FROM passages WHERE number IN (SELECT value FROM json_each(?))",
            (json.dumps(list(numbers)),),
        )
    )
    with catalog.transaction(db):  # before they are taken out, so that the next run puts them there if this one ends
        catalog_writer.put_unembedded(db, numbers)
    store.drop(folder, ids)
    writer.refill(folder, db, numbers, copy)


def _lacking_in_copy(count: int, mend: bool) -> list[Finding]:
    return [finding(f"The copy of the vectors lacked {count} of them.", mend)] if count else []


def _compare(
    db: sqlite3.Connection, folder: Path, embedded: list[_Embedded], copy: vectors.Vectors, mend: bool
) -> _Differences:
    """Compare Chroma with the copy, for all embedded passages; with `mend` strangers go at once.

    Raises BadIndexError where Chroma cannot be read: DamagedStoreError where it is damaged.
    """
    numbers = np.array([passage.number for passage in embedded], np.int64)
    rows = copy.find(numbers)
    differences = _Differences()
    known_partitions = dict(store.by_partition(numbers))
    leaving = set(catalog.leaving(db).values())  # they are told of by `pipeline.unfinished`
    describable = _holding(db)
    for partition in sorted({*store.partitions(folder), *known_partitions}):
        which = known_partitions.get(partition, slice(0))
        in_partition, rows_in_partition = embedded[which], rows[which].tolist()
        with store.open_partition(folder, partition) as collection:
            stored = set(passages.all_ids(collection))
            strangers = sorted(stored - store.ids_in(db, partition) - leaving)
            differences.strangers.extend(strangers)
            if mend and strangers:
                passages.drop(collection, strangers)
            for start in range(0, len(in_partition), _AT_ONCE):
                block = in_partition[start : start + _AT_ONCE]
                in_chroma = passages.read(collection, [passage.id for passage in block if passage.id in stored])
                _compare_block(block, rows_in_partition[start : start + _AT_ONCE], copy, in_chroma, differences)
                there = [passage for passage in block if passage.id in in_chroma and passage.number in describable]
                differences.described_otherwise += _described_otherwise(db, collection, there)
    return differences


def _holding(db: sqlite3.Connection) -> set[int]:
    """Return the passages that hold, and whose talks hold, by number: what they say of themselves is right."""
    talks = [n for (n,) in db.execute(f"SELECT number FROM talks WHERE {seals.holds_sql('talks')}")]  # noqa: S608
    rows = db.execute(
        f"SELECT number FROM passages WHERE {seals.holds_sql('passages')}"  # noqa: S608 - our own names
        " AND talk IN (SELECT value FROM json_each(?))",
        (json.dumps(talks),),
    )
    return {number for (number,) in rows}


def _described_otherwise(
    db: sqlite3.Connection, collection: passages.Collection, block: Sequence[_Embedded]
) -> list[int]:
    """Return the passages of which Chroma has another text, or other metadata, than the catalog, by number."""
    in_chroma = passages.read_descriptions(collection, [passage.id for passage in block])
    expected = describe(db, [passage.number for passage in block])
    return [
        passage.number
        for passage, description in zip(block, expected, strict=True)
        if in_chroma[passage.id] != description
    ]


def _compare_block(
    block: Sequence[_Embedded],
    rows: Sequence[int],
    copy: vectors.Vectors,
    in_chroma: Mapping[str, Floats],
    differences: _Differences,
) -> None:
    """Note where some passages have another vector in the copy than in Chroma.

    Args:
        block: The passages (n,).
        rows: Their rows in the copy, -1 where it has none (n,).
        copy: The copy of the vectors.
        in_chroma: The vectors in Chroma by passage id.
        differences: Where they are noted.
    """
    for passage, row in zip(block, rows, strict=True):
        ours, theirs = copy.rows[row] if row >= 0 else None, in_chroma.get(passage.id)
        copy_is_sound, chroma_is_sound = _is_sound(ours), _is_sound(theirs)
        if copy_is_sound and chroma_is_sound and _are_close(ours, theirs):
            continue
        if copy_is_sound == chroma_is_sound:
            differences.in_neither.append(passage.number)
        elif copy_is_sound:
            differences.not_in_chroma.append(passage.number)
        elif ours is None:
            differences.not_in_copy.append(passage.number)
        else:
            differences.wrong_in_copy.append(passage.number)


def _is_sound(vector: Floats | None) -> bool:
    with np.errstate(all="ignore"):  # damaged numbers may be of any size
        return vector is not None and abs(float(np.linalg.norm(vector)) - 1) <= _VECTOR_TOLERANCE


def _are_close(vector: Floats | None, other: Floats | None) -> bool:
    return float(np.abs(np.asarray(vector) - np.asarray(other)).max()) <= _VECTOR_TOLERANCE


def _take_out_of_copy(folder: Path, dimension: int, numbers: set[int]) -> None:
    """Take vectors out of the copy, so that nothing is taken from them again."""
    copy = vectors.read(folder, dimension)
    kept = np.flatnonzero(~np.isin(copy.numbers, np.fromiter(numbers, np.int64, len(numbers))))
    vectors.write_anew(folder, dimension, copy.numbers[kept], copy.rows, kept)
