"""Putting passages into Chroma, in a process of its own where there are many."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from talksearch.indexer.arrays import Floats, Ints
from talksearch.indexer.errors import BadIndexError
from talksearch.indexer.process import _give_back
from talksearch.indexer.stores.vectors import Vectors
from talksearch.indexer.worker import WorkerProcess, start_worker

from .describe import _AT_ONCE, describe
from .store import by_partition, open_partition

PassageWriter = Callable[[Ints, Sequence[str], Floats, Sequence[dict[str, Any]]], Mapping[int, int]]
"""Takes the numbers of passages, which rise, their ids, their vectors and what `describe` says of them; returns how
many passages the parts hold then that it put some into."""


_WORTH_A_PROCESS = 4_000
"""Passages; a process needs a second or two to start."""


def refill(folder: Path, db: sqlite3.Connection, numbers: Sequence[int], copy: Vectors) -> None:
    """Put passages that Chroma lacks into it, with their vectors from the copy, where each has one."""
    places = copy.find(np.array(numbers, np.int64))
    with writer(folder, len(numbers), {}) as put:  # nothing is known of what is there
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
def writer(folder: Path, waiting: int, there: Mapping[int, int]) -> Iterator[PassageWriter]:
    """Give what puts passages into the Chroma store of an index, of which about `waiting` will come.

    `there` is how many passages that will not come each part should hold: if it holds no more, all that come are new.
    Nobody else may have the store open meanwhile: a Chroma client does not see what another process puts. Putting
    raises BadIndexError when the process ended over it, or Chroma refused.
    """
    apart = start_worker(_serve, folder, there) if waiting >= _WORTH_A_PROCESS else None
    if apart is None:
        with _putting_here(folder, there) as put:
            yield put
        return
    try:
        yield partial(_put, apart)
    finally:
        apart.close()


@contextmanager
def _putting_here(folder: Path, there: Mapping[int, int]) -> Iterator[PassageWriter]:
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
            return {part: turn_to(part)(ids[own], vectors[own], rows[own]) for part, own in by_partition(numbers)}

        turn_to(max(there, default=0))  # where it cannot be opened that must be said before the model is loaded
        yield put


_PutSome = Callable[[Sequence[str], Floats, Sequence[dict[str, Any]]], int]
"""Puts passages into the part that is open; returns how many it then holds."""


@contextmanager
def _putting_into(folder: Path, part: int, there: int) -> Iterator[_PutSome]:
    with open_partition(folder, part) as (store, collection):
        new = collection.count() == there

        def put(ids: Sequence[str], vectors: Floats, rows: Sequence[dict[str, Any]]) -> int:
            store.put(collection, ids, vectors, rows, new=new)
            return int(collection.count())

        yield put


def _put(
    apart: WorkerProcess, numbers: Ints, ids: Sequence[str], vectors: Floats, rows: Sequence[dict[str, Any]]
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
