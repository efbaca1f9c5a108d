"""An index that is kept open and warm, for many clients at once.

Each worker thread has a reader of its own, because a connection to SQLite belongs to the thread that made it; all share
the encoder. Work is done in the order in which it came, so no client waits longer for having asked less. What needs
only the catalog is done by threads of its own, beside the queries and before the index is warm.

A server imports this before it listens, and must not wait for numpy: what answers queries is imported by the workers.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from talksearch.indexer import layout
from talksearch.indexer.encoders.base import Encoder, ModelCard, QueryEncoding, encode_query_by_token
from talksearch.indexer.errors import BadIndexError, TalksearchError
from talksearch.indexer.stores import catalog, recipe
from talksearch.search.current import CurrentIndex, FileStamps, file_stamps, unreadable
from talksearch.search.query import Query

if TYPE_CHECKING:
    from talksearch.indexer.arrays import Floats
    from talksearch.search.ranking.compounds import CompoundFinder
    from talksearch.search.reader import IndexReader

T = TypeVar("T")
Asked = TypeVar("Asked")
"""What is asked: the reader of an index, or the connection to its catalog."""

WORKERS = min(4, os.cpu_count() or 1)
"""Queries that are answered at the same time."""

_CATALOG_WORKERS = 2
"""Likewise for what only the catalog is asked."""

_WAITING = 256
"""Queries that may wait; more are turned away rather than kept for minutes."""

_WARMING_S = 60
"""Seconds in which all workers must have opened the index when it is warmed."""


class BusyError(TalksearchError):
    """More is asked at once than can be answered soon."""


class _SharedEncoder(NamedTuple):
    """The encoder that all workers use, and the recipe that it was loaded for."""

    recipe: tuple[int, ...] | None
    """What tells its file from another, which may name another model."""
    encoder: _LockedEncoder


class IndexPool:
    """An index, open in every worker thread and reopened when it changes.

    `encoder` takes the place of the index's own (for tests). `workers` is how many queries are answered at the same
    time. `warn` is called with a sentence when something works but slowly.
    """

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
        self._given_encoder = encoder
        self._shared_encoder: _SharedEncoder | None = None
        self._compounds: CompoundFinder | None = None  # what it remembers of a vocabulary is large, so all share it
        self._lock = threading.Lock()
        self._local = threading.local()
        self._workers = workers
        self._submitted = 0
        self._threads = ThreadPoolExecutor(workers, "talksearch")
        self._catalog_threads = ThreadPoolExecutor(_CATALOG_WORKERS, "catalog")
        self._warmed_together = threading.Barrier(workers, timeout=_WARMING_S)

    def submit(self, work: Callable[[IndexReader], T]) -> Future[T]:
        """Have something done with the index, behind all that was submitted before.

        Raises BusyError when too much is waiting; the future raises BadIndexError while there is no index to read. A
        future that is cancelled before its turn is passed over and does not count as waiting.
        """
        return self._submit(self._threads, self._run, work)

    def submit_to_catalog(self, work: Callable[[sqlite3.Connection], T]) -> Future[T]:
        """Have something done with the catalog alone, which needs no vectors and does not wait behind queries.

        It raises, and the future raises, as `submit` does.
        """
        return self._submit(self._catalog_threads, self._run_on_catalog, work)

    def _submit(
        self, threads: ThreadPoolExecutor, run: Callable[[Callable[[Asked], T]], T], work: Callable[[Asked], T]
    ) -> Future[T]:
        with self._lock:
            if self._submitted >= _WAITING + self._workers:
                raise BusyError("Too many queries are waiting for an answer.", "Ask again in a moment.")
            self._submitted += 1
        future = threads.submit(run, work)
        future.add_done_callback(self._count_down)
        return future

    def check(self) -> None:
        """Look whether there is an index that this version reads, without opening what is large.

        Raises BadIndexError where there is none.
        """
        with closing(catalog.open_catalog(self.folder)):
            if recipe.read_json(self.folder) is None:
                raise BadIndexError(f"There is no finished index in {self.folder}.", "Make one: talksearch index PATH")

    def warm(self) -> None:
        """Open the index in every worker and load all that a query needs.

        One worker loads the model. The others answer meanwhile, what needs no model at once.

        Raises what opening raises, and CancelledError or BrokenBarrierError where the pool is closed meanwhile.
        """
        self._threads.submit(self._run, _ask_everything).result()

        def warm_one() -> None:
            self._warmed_together.wait()  # so that no worker takes another's share
            self._run(_ask_everything)

        for future in [self._threads.submit(warm_one) for _ in range(self._workers)]:
            future.result()

    def close(self) -> None:
        """Finish what is being answered and turn the rest away."""
        self._warmed_together.abort()
        for threads in (self._threads, self._catalog_threads):
            threads.shutdown(wait=True, cancel_futures=True)

    def _count_down(self, _: object) -> None:
        with self._lock:
            self._submitted -= 1

    def _run(self, work: Callable[[IndexReader], T]) -> T:
        """Do something with the index of this worker. What changes meanwhile is noticed, and the work done again."""
        index: CurrentIndex | None = getattr(self._local, "index", None)
        if index is None:
            index = self._local.index = CurrentIndex(self.folder, self._open)
        return index.ask(work)

    def _run_on_catalog(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do something with the catalog as it is now: opening it takes a millisecond, so nothing is kept open."""
        try:
            with closing(catalog.open_catalog(self.folder)) as db, catalog.snapshot(db):
                return work(db)
        except sqlite3.Error as error:
            raise unreadable(self.folder, error) from error

    def _open(self, files: FileStamps, _: IndexReader | None) -> IndexReader:
        from talksearch.search.reader import open_reader

        from . import process_tuning

        reader = open_reader(self.folder, encoder=self._encoder_for(files), compounds=self._shared_compounds())
        process_tuning.tune(self.folder)
        return reader

    def _shared_compounds(self) -> CompoundFinder:
        from talksearch.search.ranking.compounds import CompoundFinder

        with self._lock:
            if self._compounds is None:
                self._compounds = CompoundFinder()
            return self._compounds

    def _encoder_for(self, files: FileStamps) -> Encoder:
        """Return the encoder of the index as it is now, the same for all workers; loaded when it is first needed."""
        recipe_stamp = files.get(layout.RECIPE.name)
        with self._lock:
            if self._shared_encoder is None or self._shared_encoder.recipe != recipe_stamp:
                self._shared_encoder = _SharedEncoder(recipe_stamp, _LockedEncoder(self._load_encoder))
            return self._shared_encoder.encoder

    def _load_encoder(self) -> Encoder:
        if self._given_encoder is not None:
            return self._given_encoder
        from talksearch.search.reader import open_reader

        with open_reader(self.folder, warn=self._warn) as reader:
            return reader.encoder()


def _ask_everything(index: IndexReader) -> None:
    """Ask what makes an index load all that queries need."""
    from talksearch.search import engine

    for query in (Query("warm", mode="lexical"), Query("warm", mode="quote"), Query("warm")):
        engine.search(index, query, is_asked=False)


class _LockedEncoder:
    """An encoder that is loaded at first use and used by one thread at a time: not every model bears more."""

    def __init__(self, load: Callable[[], Encoder]) -> None:
        self._load = load
        self._loaded: Encoder | None = None
        self._lock = threading.Lock()

    def _encoder(self) -> Encoder:
        """Return the encoder itself; the lock must be held."""
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


def state_of(index: IndexReader) -> Hashable:
    """Return what tells a state of an index from all others, the same for all workers."""
    return tuple(sorted(file_stamps(index.folder).items())), catalog.version(index.db)
