"""An index that is kept open and warm, for many clients at once.

Each worker thread has an index of its own, because a connection to SQLite belongs to the thread that made it; they
share the encoder. Work is done in the order in which it came, so nobody waits longer for having asked less.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from talksearch.indexer.arrays import Floats
from talksearch.indexer.encoders import model_folder
from talksearch.indexer.encoders.base import Encoder, ModelCard, QueryEncoding, encode_query_by_token
from talksearch.indexer.errors import BadIndexError, TalksearchError
from talksearch.indexer.stores import catalog, recipe
from talksearch.search import engine
from talksearch.search.query import Query
from talksearch.search.reader import IndexReader, open_reader

from . import process_tuning

T = TypeVar("T")

WORKERS = min(4, os.cpu_count() or 1)
"""Queries that are answered at the same time."""

_WAITING = 256
"""Queries that may wait; more are turned away rather than kept for minutes."""

_STALE = (TalksearchError, sqlite3.Error, LookupError, ValueError)
"""What a query may raise when the index is changed under it; it is asked again of what is there then."""


class BusyError(TalksearchError):
    """More is asked at once than can be answered soon."""


Files = dict[str, tuple[int, ...]]
"""What tells the files of an index from others of the same names."""


@dataclass(frozen=True, slots=True)
class _Opened:
    index: IndexReader
    files: Files
    version: int


class IndexPool:
    """An index, open in every worker thread, reopened when it changes."""

    def __init__(
        self,
        folder: Path,
        *,
        encoder: Encoder | None = None,
        workers: int = WORKERS,
        warn: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.folder = folder
        self._warn = warn
        self._given = encoder
        self._encoder: tuple[object, _OneAtATime] | None = None
        self._lock = threading.Lock()
        self._mine = threading.local()
        self._workers = workers
        self._waiting = 0
        self._pool = ThreadPoolExecutor(workers, "talksearch")

    def submit(self, work: Callable[[IndexReader], T]) -> Future[T]:
        """Have something done with the index, behind all that was submitted before.

        Raises BusyError when too much is waiting; the future raises BadIndexError while there is no index to read.
        """
        with self._lock:
            if self._waiting >= _WAITING + self._workers:
                raise BusyError("Too many queries are waiting for an answer.", "Ask again in a moment.")
            self._waiting += 1
        future = self._pool.submit(self._do, work)
        future.add_done_callback(self._one_less)
        return future

    def warm(self) -> None:
        """Open the index in every worker and load all that a query needs. Raises what opening raises."""
        self._pool.submit(self._do, lambda _: None).result()  # a missing index is told here, before others wait
        together = threading.Barrier(self._workers, timeout=60)  # so that none of them takes another's share

        def open_one(index: IndexReader) -> None:
            together.wait()
            for query in (Query("warm", mode="lexical"), Query("warm", mode="quote"), Query("warm")):
                engine.search(index, query)

        for future in [self._pool.submit(self._do, open_one) for _ in range(self._workers)]:
            future.result()

    def close(self) -> None:
        """Finish what is being answered, turn the rest away."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _one_less(self, _: object) -> None:
        with self._lock:
            self._waiting -= 1

    def _do(self, work: Callable[[IndexReader], T]) -> T:
        kept: _Opened | None = getattr(self._mine, "opened", None)
        if kept is not None and _state(kept, self.folder) == (kept.files, kept.version):
            try:
                found = work(kept.index)
            except _STALE:
                if _state(kept, self.folder) == (kept.files, kept.version):
                    raise
            else:
                if _state(kept, self.folder) == (kept.files, kept.version):
                    return found
        # What was read at opening may be older than what the query read: it is asked again, as a new process would.
        try:
            return work(self._reopened().index)
        except sqlite3.Error as error:
            self._mine.opened = None
            raise BadIndexError(
                f"The catalog in {self.folder} cannot be read: {error}.", "Look at it: talksearch doctor"
            ) from error

    def _reopened(self) -> _Opened:
        kept: _Opened | None = getattr(self._mine, "opened", None)
        self._mine.opened = None
        if kept is not None:
            kept.index.db.close()
        files = _files(self.folder)
        index = open_reader(self.folder, encoder=self._shared(files))
        process_tuning.tune(self.folder)
        opened = _Opened(index, files, _version(index.db))
        self._mine.opened = opened
        return opened

    def _shared(self, files: Files) -> Encoder:
        """Return the encoder of the index as it is now, the same for all workers; loaded when it is first needed."""
        says_which = tuple(files.get(name) for name in (recipe.FILE_NAME, _MODEL))
        with self._lock:
            if self._encoder is None or self._encoder[0] != says_which:
                self._encoder = (says_which, _OneAtATime(self._load))
            return self._encoder[1]

    def _load(self) -> Encoder:
        if self._given is not None:
            return self._given
        index = open_reader(self.folder, warn=self._warn)
        index.db.close()
        return index.encoder()


class _OneAtATime:
    """An encoder that is loaded at first use and used by one thread at a time: not every model bears more."""

    def __init__(self, load: Callable[[], Encoder]) -> None:
        self._load = load
        self._loaded: Encoder | None = None
        self._lock = threading.Lock()

    def _encoder(self) -> Encoder:
        if self._loaded is None:
            self._loaded = self._load()
        return self._loaded

    @property
    def card(self) -> ModelCard:
        """The model behind it."""
        with self._lock:
            return self._encoder().card

    def count_tokens(self, word: str) -> int:
        """Count the tokens of one word."""
        with self._lock:
            return self._encoder().count_tokens(word)

    def encode_passages(self, texts: Sequence[str]) -> Floats:
        """Return normalised vectors (n, dimension)."""
        with self._lock:
            return self._encoder().encode_passages(texts)

    def encode_query(self, text: str) -> Floats:
        """Return a normalised vector (dimension,)."""
        with self._lock:
            return self._encoder().encode_query(text)

    def encode_query_by_token(self, text: str) -> QueryEncoding:
        """Return what `encode_query` returns, and the vectors of the query's tokens, if it knows them."""
        with self._lock:
            return encode_query_by_token(self._encoder(), text)


_MODEL = f"{model_folder.FOLDER}/{model_folder.MODEL}"


def _state(opened: _Opened, folder: Path) -> tuple[Files, int]:
    try:
        return _files(folder), _version(opened.index.db)
    except sqlite3.Error:
        return {}, -1


def _files(folder: Path) -> Files:
    """Return what is there to tell whether the index in a folder is still the one that was opened."""
    found: Files = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_file() and not entry.name.startswith(("lock", f"{catalog.FILE_NAME}-")):
                    found[entry.name] = _stamp(entry.stat(), whole=entry.name != catalog.FILE_NAME)
        found[_MODEL] = _stamp((folder / _MODEL).stat(), whole=True)
    except OSError:  # no index any more, or none with an encoder; opening it will tell
        pass
    return found


def _stamp(found: os.stat_result, *, whole: bool) -> tuple[int, ...]:
    # The catalog's own changes show in its version: with a write-ahead log they reach the file only later.
    return (found.st_dev, found.st_ino, *((found.st_size, found.st_mtime_ns) if whole else ()))


def _version(db: sqlite3.Connection) -> int:
    """Return a number that changes when another connection changes the catalog."""
    return int(db.execute("PRAGMA data_version").fetchone()[0])
