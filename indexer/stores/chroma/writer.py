"""Putting passages into Chroma, in a process of its own where there are many, or where a run has just begun.

Chroma keeps Python's lock while it takes passages in (chromadb 1.5.9), and without that lock the model waits for its
next texts. And to import chromadb takes most of a second, in which another process can read talks.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import cache
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from talksearch.indexer import disk, layout
from talksearch.indexer.arrays import Floats, Ints
from talksearch.indexer.errors import BadIndexError, TalksearchError
from talksearch.indexer.process import cores, trim_heap
from talksearch.indexer.stores import catalog, catalog_writer
from talksearch.indexer.stores.lock import store_write_lock
from talksearch.indexer.stores.vectors import Vectors
from talksearch.indexer.worker import WorkerProcess, start_worker

from . import collection as passages
from .describe import describe
from .store import by_partition, drop, open_partition

PassageWriter = Callable[[Ints, Sequence[str], Floats, Sequence[dict[str, Any]]], Mapping[int, int]]
"""Takes the numbers of passages, which rise, their ids, their vectors and what `describe` says of them. Returns how
many passages each partition then holds that some were put into."""

_PartitionWriter = Callable[[Sequence[str], Floats, Sequence[dict[str, Any]]], int]
"""Puts passages into the partition that is open; returns how many it then holds."""

_WORTH_A_PROCESS = 4_000
"""Passages from which on a process of its own pays: it needs a second or two to start."""

_begun = count()
"""Counts the runs of this process that began. A program that indexes again, as `--watch` does, imports chromadb itself
the second time, and then never again."""

_REFILLED_AT_ONCE = 2_000
"""Passages that are in memory at once while Chroma is filled from the copy of the vectors."""


def refill(folder: Path, db: sqlite3.Connection, numbers: Sequence[int], copy: Vectors) -> None:
    """Put passages that Chroma lacks into it. Until it has them, they count as not embedded: the next run goes on.

    Args:
        folder: The index.
        db: Its catalog.
        numbers: The passages, each of which has a vector in the copy.
        copy: The copy of the vectors.
    """
    positions = copy.find(np.array(numbers, np.int64))
    with catalog.transaction(db):
        catalog_writer.put_unembedded(db, numbers)
    with writer(folder, len(numbers), {}) as put:  # nothing is known of what is there
        for start in range(0, len(numbers), _REFILLED_AT_ONCE):
            batch = list(numbers[start : start + _REFILLED_AT_ONCE])
            rows = db.execute(
                "SELECT number, id FROM passages WHERE number IN (SELECT value FROM json_each(?))", [json.dumps(batch)]
            )
            id_of = dict(rows)
            vectors = np.array(copy.rows[positions[start : start + _REFILLED_AT_ONCE]])
            put(np.array(batch, np.int64), [id_of[number] for number in batch], vectors, describe(db, batch))
            with catalog.transaction(db):
                catalog_writer.put_embedded(db, batch, [None] * len(batch))  # the codes of their tokens stay


@contextmanager
def early_process(*, wanted: bool) -> Iterator[Future[WorkerProcess | None] | None]:
    """Yield a process that imports chromadb while this one goes on, for `writer`; None where that gains nothing.

    Args:
        wanted: Whether passages will probably be put.
    """
    if not wanted or cores() < 2 or "chromadb" in sys.modules or next(_begun):
        yield None
        return
    with ThreadPoolExecutor(1, "talksearch-chroma") as thread:
        process = thread.submit(start_worker, _serve)  # a thread, because it waits until the process has started
        try:
            yield process
        finally:
            started = process.result()
            if started is not None:
                started.kill()  # where passages were put, it has ended


@contextmanager
def writer(
    folder: Path,
    waiting: int,
    staying: Mapping[int, int],
    leaving: Mapping[int, str] | None = None,
    early: Future[WorkerProcess | None] | None = None,
) -> Iterator[PassageWriter]:
    """Yield a function that puts passages into the Chroma store of an index.

    Nobody else may have the store open meanwhile: a Chroma client does not see what another process puts. Where the
    store cannot be opened, or Chroma refuses passages, or the process ended over them, BadIndexError is raised, of a
    process when passages are put or at the end.

    Args:
        folder: The index.
        waiting: About how many passages will be put.
        staying: How many other passages each partition should hold. If it holds no more, all that are put are new.
        leaving: Passages that are taken out first, their ids by their numbers.
        early: What `early_process` gave.
    """
    process = early.result() if early else start_worker(_serve) if waiting >= _WORTH_A_PROCESS else None
    if process is None:
        drop(folder, leaving or {})
        with _writer_in_this_process(folder, staying) as put:
            yield put
    else:
        with _writer_in(process, folder, staying, leaving or {}) as put:
            yield put


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


@contextmanager
def _writer_in(
    process: WorkerProcess, folder: Path, staying: Mapping[int, int], leaving: Mapping[int, str]
) -> Iterator[PassageWriter]:
    """Have another process take passages out and put others in."""
    opened = cache(lambda: _answer(process))  # whether the store could be opened is asked once, before all else

    def put(numbers: Ints, ids: Sequence[str], vectors: Floats, rows: Sequence[dict[str, Any]]) -> Mapping[int, int]:
        opened()
        _tell(process, (numbers, ids, vectors, rows))
        return _answer(process)

    try:
        _tell(process, (folder, staying, leaving))
        yield put
        opened()
    finally:
        process.close()


def _tell(process: WorkerProcess, request: object) -> None:
    try:
        process.connection.send(request)
    except OSError as error:
        raise _ended() from error


def _answer(process: WorkerProcess) -> Mapping[int, int]:
    """Wait for the sizes of partitions, or for the error that came instead, and raise that."""
    try:
        sizes, error = process.connection.recv()
    except (EOFError, OSError) as ended:
        raise _ended() from ended
    if error is not None:
        raise error
    return dict(sizes)


def _ended() -> BadIndexError:
    return _refused("the process that writes into it ended; it may have run out of memory")


def _refused(problem: str) -> BadIndexError:
    return BadIndexError(f"Chroma did not take passages: {problem}.", "Go on where it stopped: talksearch index")


def _serve(line: Connection) -> None:
    """Put what comes down the line, in a process of its own: first where, then passages.

    Answers each with (sizes of partitions, None), or (None, what to raise).
    """
    from . import client  # noqa: F401 - while the other process reads talks

    folder, staying, leaving = line.recv()
    try:
        with store_write_lock(folder):
            _put_what_comes(line, folder, staying, leaving)
    except TalksearchError as error:  # it could not be opened
        line.send((None, error))


def _put_what_comes(line: Connection, folder: Path, staying: Mapping[int, int], leaving: Mapping[int, str]) -> None:
    drop(folder, leaving)
    with _writer_in_this_process(folder, staying) as put:
        line.send(({}, None))
        while True:
            passages_to_put = line.recv()
            try:
                line.send((put(*passages_to_put), None))
            except Exception as error:  # noqa: BLE001 - whatever Chroma raises, who waits must hear of it
                message = str(error) or type(error).__name__
                full = disk.full_in_words(layout.CHROMA.within(folder), message)
                line.send((None, full or _refused(message)))
