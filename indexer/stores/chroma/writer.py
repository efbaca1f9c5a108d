"""Putting passages into Chroma, in a process of its own where there are many.

Chroma keeps Python's lock while it takes passages in (chromadb 1.5.9), and without that lock the model waits for its
next texts.
"""

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
from talksearch.indexer.process import trim_heap
from talksearch.indexer.stores.vectors import Vectors
from talksearch.indexer.worker import WorkerProcess, start_worker

from . import collection as passages
from .describe import describe
from .store import by_partition, open_partition

PassageWriter = Callable[[Ints, Sequence[str], Floats, Sequence[dict[str, Any]]], Mapping[int, int]]
"""Takes the numbers of passages, which rise, their ids, their vectors and what `describe` says of them. Returns how
many passages each partition then holds that some were put into."""

_PartitionWriter = Callable[[Sequence[str], Floats, Sequence[dict[str, Any]]], int]
"""Puts passages into the partition that is open; returns how many it then holds."""

_WORTH_A_PROCESS = 4_000
"""Passages from which on a process of its own pays: it needs a second or two to start."""

_REFILLED_AT_ONCE = 2_000
"""Passages that are in memory at once while Chroma is filled from the copy of the vectors."""


def refill(folder: Path, db: sqlite3.Connection, numbers: Sequence[int], copy: Vectors) -> None:
    """Put passages that Chroma lacks into it.

    Args:
        folder: The index.
        db: Its catalog.
        numbers: The passages, each of which has a vector in the copy.
        copy: The copy of the vectors.
    """
    positions = copy.find(np.array(numbers, np.int64))
    with writer(folder, len(numbers), {}) as put:  # nothing is known of what is there
        for start in range(0, len(numbers), _REFILLED_AT_ONCE):
            batch = list(numbers[start : start + _REFILLED_AT_ONCE])
            rows = db.execute(
                "SELECT number, id FROM passages WHERE number IN (SELECT value FROM json_each(?))", [json.dumps(batch)]
            )
            id_of = dict(rows)
            vectors = np.array(copy.rows[positions[start : start + _REFILLED_AT_ONCE]])
            put(np.array(batch, np.int64), [id_of[number] for number in batch], vectors, describe(db, batch))


@contextmanager
def writer(folder: Path, waiting: int, staying: Mapping[int, int]) -> Iterator[PassageWriter]:
    """Yield a function that puts passages into the Chroma store of an index.

    Nobody else may have the store open meanwhile: a Chroma client does not see what another process puts. Putting
    raises BadIndexError when the process ended over it, or Chroma refused.

    Args:
        folder: The index.
        waiting: About how many passages will be put.
        staying: How many other passages each partition should hold. If it holds no more, all that are put are new.
    """
    process = start_worker(_serve, folder, staying) if waiting >= _WORTH_A_PROCESS else None
    if process is None:
        with _writer_in_this_process(folder, staying) as put:
            yield put
        return
    try:
        yield partial(_put_by, process)
    finally:
        process.close()


@contextmanager
def _writer_in_this_process(folder: Path, staying: Mapping[int, int]) -> Iterator[PassageWriter]:
    sizes = dict(staying)  # how many each partition holds, as far as is known
    with ExitStack() as stack:
        opened: dict[int, _PartitionWriter] = {}  # the one partition that is open

        def writer_to(partition: int) -> _PartitionWriter:
            if partition not in opened:
                opened.clear()
                stack.close()
                trim_heap()
                opened[partition] = stack.enter_context(_partition_writer(folder, partition, sizes.get(partition, 0)))
            return opened[partition]

        def put(
            numbers: Ints, ids: Sequence[str], vectors: Floats, rows: Sequence[dict[str, Any]]
        ) -> Mapping[int, int]:
            put_into = {
                partition: writer_to(partition)(ids[which], vectors[which], rows[which])
                for partition, which in by_partition(numbers)
            }
            sizes.update(put_into)  # a partition may be opened again
            return put_into

        writer_to(max(staying, default=0))  # a store that cannot be opened is told before the model is loaded
        yield put


@contextmanager
def _partition_writer(folder: Path, partition: int, staying: int) -> Iterator[_PartitionWriter]:
    with open_partition(folder, partition) as collection:
        new = collection.count() == staying

        def put(ids: Sequence[str], vectors: Floats, rows: Sequence[dict[str, Any]]) -> int:
            passages.put(collection, ids, vectors, rows, new=new)
            return int(collection.count())

        yield put


def _put_by(
    process: WorkerProcess, numbers: Ints, ids: Sequence[str], vectors: Floats, rows: Sequence[dict[str, Any]]
) -> Mapping[int, int]:
    """Have another process put passages: a `PassageWriter`."""
    sizes: Mapping[int, int] | None = None
    try:
        sizes, problem = process.ask((numbers, ids, vectors, rows))
    except (EOFError, OSError):
        problem = "the process that writes into it ended; it may have run out of memory"
    if sizes is None:
        raise BadIndexError(f"Chroma did not take passages: {problem}.", "Go on where it stopped: talksearch index")
    return sizes


def _serve(line: Connection, folder: Path, staying: Mapping[int, int]) -> None:
    """Put what comes down the line, in a process of its own, and answer (sizes of partitions, what went wrong)."""
    try:
        _put_what_comes(line, folder, staying)
    except BadIndexError as error:  # it could not be opened: the first answer says so
        line.recv()
        line.send((None, f"{error.message} {error.hint}"))


def _put_what_comes(line: Connection, folder: Path, staying: Mapping[int, int]) -> None:
    with _writer_in_this_process(folder, staying) as put:
        while True:
            passages_to_put = line.recv()
            try:
                line.send((put(*passages_to_put), ""))
            except Exception as error:  # noqa: BLE001 - whatever Chroma raises, the process that waits must hear of it
                line.send((None, str(error) or type(error).__name__))
