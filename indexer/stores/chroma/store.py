"""The Chroma store as it is opened for a while, and putting passages into it while the model works on others.

Chroma keeps Python's lock while it takes passages in (chromadb 1.5.9), and without that lock the model waits for its
next texts. So where many come, a process of its own puts them.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from talksearch.indexer.arrays import Ints
from talksearch.indexer.errors import BadIndexError
from talksearch.indexer.stores.catalog import kind_of
from talksearch.indexer.stores.layout import FOLDER

_DATABASE = "chroma.sqlite3"

PARTITION = 50_000
"""Numbers of passages that belong to one part of the store: what Chroma then holds in memory is bounded, however large
the archive is. docs/scale.md has the figures."""


def by_partition(numbers: Ints) -> Iterator[tuple[int, slice]]:
    """Yield each part of the store that passages are in, and which of them, whose numbers rise, these are.

    A passage lies in the same part for as long as it is in the index.

    >>> list(by_part(np.array([1, 49_999, 50_000, 260_000])))
    [(0, slice(0, 2, None)), (1, slice(2, 3, None)), (5, slice(3, 4, None))]
    """
    own, firsts, counts = np.unique(numbers // PARTITION, return_index=True, return_counts=True)
    for part, first, count in zip(own.tolist(), firsts.tolist(), counts.tolist(), strict=True):
        yield part, slice(first, first + count)


def ids_in(db: sqlite3.Connection, part: int) -> set[str]:
    """Return the ids of the passages that belong to a part of the store, as the catalog knows them."""
    rows = db.execute(
        "SELECT id FROM passages WHERE number >= ? AND number < ?", (part * PARTITION, (part + 1) * PARTITION)
    )
    return {row[0] for row in rows}


@contextmanager
def open_partition(folder: Path, part: int = 0) -> Iterator[tuple[Any, Any]]:
    """Open a part of the Chroma store for a while: (the `store` module, the collection).

    Raises BadIndexError where it cannot be opened, and in the place of what Chroma raises while it is open.
    """
    with _client(folder, part) as (store, _, collection):
        yield store, collection


def partitions(folder: Path) -> list[int]:
    """Return which parts the Chroma store has. Raises BadIndexError where it cannot be opened."""
    with _client(folder, 0) as (store, client, _):
        found: list[int] = store.partitions(client)
        return found


@contextmanager
def _client(folder: Path, part: int) -> Iterator[tuple[Any, Any, Any]]:
    """Open a part of the Chroma store for a while: (the `store` module, the client, the collection)."""
    from chromadb.errors import ChromaError  # importing chromadb costs a second

    from . import client as store

    try:
        client, collection = store.open_store(folder, part)
        with closing(client):
            yield store, client, collection
    except ChromaError as error:
        raise unusable(folder, str(error)) from error


def drop(folder: Path, gone: Mapping[str, int]) -> None:
    """Take passages, given as their ids and numbers, out of the Chroma store; what is not there does no harm."""
    ids = sorted(gone, key=lambda id_: gone[id_])
    for part, own in by_partition(np.array([gone[id_] for id_ in ids], np.int64)):
        with open_partition(folder, part) as (store, collection):
            store.drop(collection, ids[own])


def unusable(folder: Path, why: str) -> BadIndexError:
    """Return what to raise where the store cannot be used: it is damaged, or Chroma says so, `why`."""
    return BadIndexError(
        f"The Chroma store in {folder / FOLDER} cannot be used: {why}.",
        _MEND if _is_damage(why) else "See whether another program uses it, and whether it can be written.",
    )


_MEND = "Mend it: talksearch doctor"


def is_damaged(error: BadIndexError) -> bool:
    """Say whether what `open_partition` raised means that the store is damaged, not only in use, nor a full disk."""
    return error.hint == _MEND


def _is_damage(what: str) -> bool:
    """Say whether words of Chroma mean damage. Of SQLite's errors, whose number it gives, only two do; its graph's have
    no number.
    """
    code = re.search(r"\(code: (\d+)\)", what)
    return code is None or int(code[1]) & 0xFF in _DAMAGE


_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def damage(folder: Path) -> str:
    """Say what is wrong with the file in which Chroma keeps all but its graph; empty where nothing is.

    Chroma makes a new file where it finds none, and notices damage only where it happens to read.
    """
    path = folder / FOLDER / _DATABASE
    try:
        if not path.stat().st_size:
            return "it is empty"
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            found = str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
            return "" if found == "ok" else found
    except FileNotFoundError:
        return "it is missing"
    except sqlite3.DatabaseError as error:
        # Else another program may use it, or have left work to undo.
        return str(error) if kind_of(error) in _DAMAGE else ""


def put_aside(folder: Path) -> Path | None:
    """Put a damaged Chroma store aside, in the place of any put there before, and return where it is; None without one.

    The next to open the store finds none and makes a new one.
    """
    bad, aside = folder / FOLDER, folder / f"{FOLDER}.damaged"
    if not bad.exists():
        return None
    if aside.is_dir():
        shutil.rmtree(aside)
    bad.rename(aside)
    return aside
