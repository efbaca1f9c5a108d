"""The Chroma store as it is opened for a while, and putting passages into it while the model works on others.

Chroma keeps Python's lock while it takes passages in (chromadb 1.5.9), and without that lock the model waits for its
next texts. So where many come, a process of its own puts them.
"""

from __future__ import annotations

import ctypes
import json
import re
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from talksearch.indexer.errors import BadIndexError
from talksearch.indexer.stores.catalog import kind_of
from talksearch.indexer.stores.vectors import Floats, Ints, Vectors
from talksearch.indexer.worker import Apart, start

FOLDER = "chroma"
_DATABASE = "chroma.sqlite3"

PART = 50_000
"""Numbers of passages that belong to one part of the store: what Chroma then holds in memory is bounded, however large
the archive is. docs/scale.md has the figures."""

Put = Callable[[Ints, Sequence[str], Floats, Sequence[dict[str, Any]]], Mapping[int, int]]
"""Takes the numbers of passages, which rise, their ids, their vectors and what `describe` says of them; returns how
many passages the parts hold then that it put some into."""

_WORTH_A_PROCESS = 4_000
"""Passages; a process needs a second or two to start."""

_AT_ONCE = 2_000
"""Passages that one statement asks for."""


def by_part(numbers: Ints) -> Iterator[tuple[int, slice]]:
    """Yield each part of the store that passages are in, and which of them, whose numbers rise, these are.

    A passage lies in the same part for as long as it is in the index.

    >>> list(by_part(np.array([1, 49_999, 50_000, 260_000])))
    [(0, slice(0, 2, None)), (1, slice(2, 3, None)), (5, slice(3, 4, None))]
    """
    own, firsts, counts = np.unique(numbers // PART, return_index=True, return_counts=True)
    for part, first, count in zip(own.tolist(), firsts.tolist(), counts.tolist(), strict=True):
        yield part, slice(first, first + count)


def ids_in(db: sqlite3.Connection, part: int) -> set[str]:
    """Return the ids of the passages that belong to a part of the store, as the catalog knows them."""
    rows = db.execute("SELECT id FROM passages WHERE number >= ? AND number < ?", (part * PART, (part + 1) * PART))
    return {row[0] for row in rows}


@contextmanager
def opened(folder: Path, part: int = 0) -> Iterator[tuple[Any, Any]]:
    """Open a part of the Chroma store for a while: (the `store` module, the collection).

    Raises BadIndexError where it cannot be opened, and in the place of what Chroma raises while it is open.
    """
    with _client(folder, part) as (store, _, collection):
        yield store, collection


def parts(folder: Path) -> list[int]:
    """Return which parts the Chroma store has. Raises BadIndexError where it cannot be opened."""
    with _client(folder, 0) as (store, client, _):
        found: list[int] = store.parts(client)
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
    for part, own in by_part(np.array([gone[id_] for id_ in ids], np.int64)):
        with opened(folder, part) as (store, collection):
            store.drop(collection, ids[own])


def unusable(folder: Path, why: str) -> BadIndexError:
    """Return what to raise where the store cannot be used: it is damaged, or Chroma says so, `why`."""
    return BadIndexError(
        f"The Chroma store in {folder / FOLDER} cannot be used: {why}.",
        _MEND if _is_damage(why) else "See whether another program uses it, and whether it can be written.",
    )


_MEND = "Mend it: talksearch doctor"


def is_damaged(error: BadIndexError) -> bool:
    """Say whether what `opened` raised means that the store is damaged, and not only in use, or that a disk is full."""
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


def refill(folder: Path, db: sqlite3.Connection, numbers: Sequence[int], copy: Vectors) -> None:
    """Put passages that Chroma lacks into it, with their vectors from the copy, where each has one."""
    places = copy.find(np.array(numbers, np.int64))
    with putting(folder, len(numbers), {}) as put:  # nothing is known of what is there
        for at in range(0, len(numbers), _AT_ONCE):
            part = list(numbers[at : at + _AT_ONCE])
            ids = dict(
                db.execute("SELECT number, id FROM passages WHERE number IN (SELECT value FROM json_each(?))", [
                    json.dumps(part)
                ])
            )  # fmt: skip
            rows = np.array(copy.rows[places[at : at + _AT_ONCE]])
            put(np.array(part, np.int64), [ids[number] for number in part], rows, describe(db, part))


@contextmanager
def putting(folder: Path, waiting: int, there: Mapping[int, int]) -> Iterator[Put]:
    """Give what puts passages into the Chroma store of an index, of which about `waiting` will come.

    `there` is how many passages that will not come each part should hold: if it holds no more, all that come are new.
    Nobody else may have the store open meanwhile: a Chroma client does not see what another process puts. Putting
    raises BadIndexError when the process ended over it, or Chroma refused.
    """
    apart = start(_serve, folder, there) if waiting >= _WORTH_A_PROCESS else None
    if apart is None:
        with _putting_here(folder, there) as put:
            yield put
        return
    try:
        yield partial(_put, apart)
    finally:
        apart.close()


@contextmanager
def _putting_here(folder: Path, there: Mapping[int, int]) -> Iterator[Put]:
    with ExitStack() as stack:
        held: dict[int, _PutSome] = {}  # of the one part that is open

        def turn_to(part: int) -> _PutSome:
            if part not in held:
                held.clear()
                stack.close()
                _give_back()
                held[part] = stack.enter_context(_putting_into(folder, part, there.get(part, 0)))
            return held[part]

        def put(
            numbers: Ints, ids: Sequence[str], vectors: Floats, rows: Sequence[dict[str, Any]]
        ) -> Mapping[int, int]:
            return {part: turn_to(part)(ids[own], vectors[own], rows[own]) for part, own in by_part(numbers)}

        turn_to(max(there, default=0))  # where it cannot be opened that must be said before the model is loaded
        yield put


_PutSome = Callable[[Sequence[str], Floats, Sequence[dict[str, Any]]], int]
"""Puts passages into the part that is open; returns how many it then holds."""


@contextmanager
def _putting_into(folder: Path, part: int, there: int) -> Iterator[_PutSome]:
    with opened(folder, part) as (store, collection):
        new = collection.count() == there

        def put(ids: Sequence[str], vectors: Floats, rows: Sequence[dict[str, Any]]) -> int:
            store.put(collection, ids, vectors, rows, new=new)
            return int(collection.count())

        yield put


def _give_back() -> None:
    """Have the C library give the system the memory back that a closed client left in pieces. Only glibc needs it."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim:
        trim(0)


def _put(
    apart: Apart, numbers: Ints, ids: Sequence[str], vectors: Floats, rows: Sequence[dict[str, Any]]
) -> Mapping[int, int]:
    held: Mapping[int, int] | None = None
    try:
        held, problem = apart.ask((numbers, ids, vectors, rows))
    except (EOFError, OSError):
        problem = "the process that writes into it ended; it may have run out of memory"
    if held is None:
        raise BadIndexError(f"Chroma did not take passages: {problem}.", "Go on where it stopped: talksearch index")
    return held


def _serve(line: Connection, folder: Path, there: Mapping[int, int]) -> None:
    try:
        _take(line, folder, there)
    except BadIndexError as error:  # it could not be opened: whoever asks first must hear of it
        line.recv()
        line.send((None, f"{error.message} {error.hint}"))


def _take(line: Connection, folder: Path, there: Mapping[int, int]) -> None:
    with _putting_here(folder, there) as put:
        while True:
            given = line.recv()
            try:
                line.send((put(*given), ""))
            except Exception as error:  # noqa: BLE001 - whatever Chroma raises, whoever waits must hear of it
                line.send((None, str(error) or type(error).__name__))


def describe(db: sqlite3.Connection, numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Return text and metadata of passages for Chroma, in the order of `numbers`; seconds, and no empty values."""
    rows = {}
    for at in range(0, len(numbers), _AT_ONCE):
        part = list(numbers[at : at + _AT_ONCE])
        marks = ", ".join("?" * len(part))
        for row in db.execute(f"{_DESCRIBE} WHERE p.number IN ({marks})", part):
            rows[row[0]] = {key: value for key, value in zip(_KEYS, row[1:], strict=True) if value is not None}
    return [rows[number] for number in numbers]


_DESCRIBE = """
SELECT p.number, p.text, t.id, t.title, t.source, t.youtube_id, t.url, t.channel, t.language, t.date, t.timing,
    p.start_ms / 1000.0, p.end_ms / 1000.0, p.field
FROM passages p JOIN talks t ON t.number = p.talk
"""

_KEYS = (
    "text", "talk_id", "title", "source", "youtube_id", "url", "channel", "language", "date", "timing", "start_s",
    "end_s", "field",
)  # fmt: skip
