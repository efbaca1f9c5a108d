"""The Chroma store as it is opened for a while: its partitions, and what is done when it is damaged."""

from __future__ import annotations

import re
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from talksearch.indexer import disk, layout
from talksearch.indexer.arrays import Ints
from talksearch.indexer.errors import BadIndexError, DamagedStoreError, DiskError
from talksearch.indexer.stores import catalog, catalog_writer
from talksearch.indexer.stores.catalog import primary_code

from . import collection as passages
from .collection import Collection

PARTITION = 50_000
"""Numbers of passages that belong to one partition of the store: what Chroma then holds in memory is bounded, however
large the archive is. docs/scale.md has the figures."""

_DATABASE = "chroma.sqlite3"
"""The file in the folder of the store in which Chroma keeps all but its graph."""

_DAMAGE = frozenset((sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB))
"""Codes of SQLite's errors that mean damage. All others mean that the store is in use, or cannot be written."""

_METADATA = "metadata segment"
"""What Chroma calls the part of a collection that lies in its database alone."""

_CODE = re.compile(r"\(code: (\d+)\)")
"""How Chroma's messages name the code of an error of SQLite."""


def by_partition(numbers: Ints) -> Iterator[tuple[int, slice]]:
    """Yield each partition that passages are in, and which of them, whose numbers rise, these are.

    A passage lies in the same partition for as long as it is in the index.

    >>> list(by_partition(np.array([1, 49_999, 50_000, 260_000])))
    [(0, slice(0, 2, None)), (1, slice(2, 3, None)), (5, slice(3, 4, None))]
    """
    partitions, starts, counts = np.unique(numbers // PARTITION, return_index=True, return_counts=True)
    for partition, start, count in zip(partitions.tolist(), starts.tolist(), counts.tolist(), strict=True):
        yield partition, slice(start, start + count)


def ids_in(db: sqlite3.Connection, partition: int) -> set[str]:
    """Return the ids of the passages that belong to a partition, as the catalog knows them."""
    rows = db.execute(
        "SELECT id FROM passages WHERE number >= ? AND number < ?", (partition * PARTITION, (partition + 1) * PARTITION)
    )
    return {passage_id for (passage_id,) in rows}


@contextmanager
def open_partition(folder: Path, partition: int = 0) -> Iterator[Collection]:
    """Open a partition of the Chroma store for a while.

    Where it cannot be opened, and in the place of what Chroma raises while it is open, it raises DamagedStoreError
    where the store is damaged, else BadIndexError.
    """
    with _open_client(folder, partition) as (_, collection):
        yield collection


def partitions(folder: Path) -> list[int]:
    """Return which partitions the Chroma store has. Raises what `open_partition` raises."""
    with _open_client(folder, 0) as (client, _):
        numbers = [passages.partition_of(collection.name) for collection in client.list_collections()]
    return sorted(number for number in numbers if number is not None)


@contextmanager
def _open_client(folder: Path, partition: int) -> Iterator[tuple[Any, Collection]]:
    """Open a partition of the Chroma store for a while: (the client, the collection)."""
    from .client import ChromaError, open_store  # importing chromadb takes a second

    try:
        client, collection = open_store(folder, partition)
        with closing(client):
            yield client, collection
    except ChromaError as error:
        raise unusable(folder, str(error)) from error


def drop(folder: Path, gone: Mapping[int, str]) -> None:
    """Take passages, given as their ids by their numbers, out of the Chroma store; what is not there does no harm."""
    numbers = np.array(sorted(gone), np.int64)
    for partition, which in by_partition(numbers):
        with open_partition(folder, partition) as collection:
            passages.drop(collection, [gone[number] for number in numbers[which].tolist()])


def drop_leaving(folder: Path, db: sqlite3.Connection) -> int:
    """Take what left the index out of the Chroma store, also what an ended run left there; return how many it was."""
    leaving = catalog.leaving(db)
    if leaving:
        drop(folder, leaving)
        with catalog.transaction(db):
            catalog_writer.forget_leaving(db)
    return len(leaving)


def unusable(folder: Path, message: str) -> BadIndexError | DiskError:
    """Return what to raise where Chroma raised an error with some message: a DamagedStoreError where it means damage.

    Chroma has one class of errors for all that goes wrong on disk, and says only in its message which error of SQLite
    it was (chromadb 1.5.9). So this is the one place that reads a message: errors of the graph have no such code and
    mean damage, and of SQLite's errors those in `_DAMAGE` do.
    """
    code = _CODE.search(message)
    if told := _refusal(folder, message, int(code[1]) if code else None):
        return told
    if code is None or int(code[1]) & 0xFF in _DAMAGE:
        return damaged(folder, message)
    return BadIndexError(
        _unusable_message(folder, message), "See whether another program uses it, and whether it can be written."
    )


def _refusal(folder: Path, message: str, code: int | None) -> DiskError | None:
    """Return what to raise where Chroma's message, or the code in it, says that the disk refuses; else None.

    Where a transaction of its database finds no room, Chroma 1.5.9 may say no more than which part of it failed, of
    which the database is sound. By then it has given the room back that it had taken.
    """
    path = layout.CHROMA.within(folder)
    if full := disk.full_in_words(path, message):
        return full
    if code is not None and code & 0xFF == sqlite3.SQLITE_IOERR:
        return disk.refusal_of_io(path, message)
    if code is None and _METADATA in message and not damage(folder):
        return disk.refusal_of_io(path, message)
    return None


def damaged(folder: Path, reason: str) -> DamagedStoreError:
    """Return what to raise where the store is damaged."""
    return DamagedStoreError(_unusable_message(folder, reason), "Mend it: talksearch doctor")


def _unusable_message(folder: Path, reason: str) -> str:
    return f"The Chroma store in {layout.CHROMA.within(folder)} cannot be used: {reason}."


def damage(folder: Path, *, thorough: bool = False) -> str:
    """Say what is wrong with the file in which Chroma keeps all but its graph; empty where nothing is.

    Chroma makes a new file where it finds none, and notices damage only where it happens to read. With `thorough`, what
    is in the indexes of its tables is compared with these, which takes some six times as long.
    """
    path = layout.CHROMA.within(folder) / _DATABASE
    try:
        if not path.stat().st_size:
            return "it is empty"
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            result = str(db.execute(f"PRAGMA {'integrity' if thorough else 'quick'}_check(1)").fetchone()[0])
            return "" if result == "ok" else result
    except FileNotFoundError:
        return "it is missing"
    except sqlite3.DatabaseError as error:
        # Of any other error, another program may use the file, or have left work to undo.
        return str(error) if primary_code(error) in _DAMAGE else ""


@contextmanager
def copied(folder: Path) -> Iterator[Path]:
    """Copy the Chroma store for a while, and give the folder in which the copy lies as in the folder of an index.

    Chroma writes into its folder also where it is only read: a row that locks it, and the graph of a collection that
    has none yet. So who only looks at an index looks at a copy.

    Raises BadIndexError where there is no room for it, it cannot be read, or it changes meanwhile.
    """
    there = layout.CHROMA.within(folder)
    with tempfile.TemporaryDirectory(prefix="talksearch-") as scratch:
        before = _stamps(there)
        needed = sum(size for size, _ in before.values())
        if shutil.disk_usage(scratch).free < needed:
            raise BadIndexError(
                f"There is no room in {tempfile.gettempdir()} for a copy of the Chroma store, {needed / 1e6:.0f} MB.",
                "Name another folder in TMPDIR, or have it looked at where it is: talksearch doctor",
            )
        try:
            if there.exists():
                shutil.copytree(there, layout.CHROMA.within(Path(scratch)))
        except OSError as error:  # shutil.Error too
            raise BadIndexError(
                _unusable_message(folder, str(error)),
                "See whether another program uses it, and whether it can be read.",
            ) from error
        if _stamps(there) != before:
            raise BadIndexError(_unusable_message(folder, "it changes"), "Look again when nobody writes to it.")
        yield Path(scratch)


def _stamps(store: Path) -> dict[Path, tuple[int, int]]:
    """Return the size and the time of change of each file of the store."""
    files = (file for file in store.rglob("*") if file.is_file())
    return {file: (status.st_size, status.st_mtime_ns) for file in files for status in [file.stat()]}


def put_aside(folder: Path, db: sqlite3.Connection) -> Path | None:
    """Put a damaged Chroma store aside as `move_aside` does.

    When the store is opened next, none is there, and a new one is made. No passage counts as embedded from then on, so
    that whoever goes on, this run or the next, fills the new one: from the copy of the vectors, as far as that goes.
    """
    with catalog.transaction(db):
        catalog_writer.put_all_unembedded(db)
    return move_aside(folder)


def move_aside(folder: Path) -> Path | None:
    """Put the Chroma store aside, in the place of any put there before, and return where it is; None without one."""
    store, aside = layout.CHROMA.within(folder), layout.CHROMA_DAMAGED.within(folder)
    if not store.exists():
        return None
    if aside.is_dir():
        shutil.rmtree(aside)
    store.rename(aside)
    return aside
