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
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from talksearch.indexer import layout
from talksearch.indexer.encoders.base import Encoder, ModelCard, QueryEncoding, encode_query_by_token
from talksearch.indexer.errors import BadIndexError, QueryError, TalksearchError
from talksearch.indexer.stores import catalog, recipe
from talksearch.search.current import CurrentIndex, FileStamps, file_stamps, unreadable
from talksearch.search.query import Query

if TYPE_CHECKING:
    from talksearch.indexer.arrays import Floats
    from talksearch.indexer.stores.recipe import Recipe
    from talksearch.indexer.stores.remote.engine import Engine
    from talksearch.search.ranking.compounds import CompoundFinder
    from talksearch.search.reader import IndexReader
    from talksearch.search.remote.current_store import CurrentStore

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

    recipe: Hashable
    """What tells it from another, which may name another model: the stamp of its file, or of a store its model."""
    encoder: _LockedEncoder


class IndexPool:
    """An index, or a store, open in every worker thread and reopened when it changes.

    `encoder` takes the place of the index's own (for tests). `workers` is how many queries are answered at the same
    time. `warn` is called with a sentence when something works but slowly. With `store`, that store is asked, and
    `folder` is only a name.
    """

    def __init__(
        self,
        folder: Path,
        *,
        encoder: Encoder | None = None,
        workers: int = WORKERS,
        warn: Callable[[str], None] = lambda _: None,
        store: Engine | None = None,
    ) -> None:
        self.folder = folder
        self.store = store
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

    def submit_to_catalog(self, work: Callable[[sqlite3.Connection], T], talk: str = "") -> Future[T]:
        """Have something done with the catalog alone, which needs no vectors and does not wait behind queries.

        It raises, and the future raises, as `submit` does.

        Args:
            work: What is done.
            talk: A name of the talk that it reads, which is fetched from a store. Where it means none, `work` tells.
        """
        return self._submit(self._catalog_threads, partial(self._run_on_catalog, talk), work)

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
        if self.store is not None:
            self.store.open()
            return
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
        index: CurrentIndex | CurrentStore | None = getattr(self._local, "index", None)
        if index is None:
            index = self._local.index = self._source()
        return index.ask(work)

    def _source(self) -> CurrentIndex | CurrentStore:
        if self.store is None:
            return CurrentIndex(self.folder, self._open)
        from talksearch.search.remote.current_store import CurrentStore

        from . import process_tuning

        process_tuning.tune(self.folder)
        return CurrentStore(self.store, encoder=self._encoder_of, compounds=self._shared_compounds(), warn=self._warn)

    def _run_on_catalog(self, talk: str, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do something with the catalog as it is now: opening it takes a millisecond, so nothing is kept open.

        Of a store each of these threads has one of its own, with the talks that were read lately.
        """
        if self.store is not None:
            return self._run(partial(_with_talk, talk, work))
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
        return self._encoder_loaded_by(files.get(layout.RECIPE.name), self._load_encoder)

    def _encoder_of(self, made: Recipe) -> Encoder:
        """Return the encoder of a store as it is now, likewise."""

        def load() -> Encoder:
            if self._given_encoder is not None:
                return self._given_encoder
            from talksearch.search.reader import load_encoder

            return load_encoder(made.model, self._warn, once=False)

        return self._encoder_loaded_by(made.model, load)

    def _encoder_loaded_by(self, recipe: Hashable, load: Callable[[], Encoder]) -> Encoder:
        with self._lock:
            if self._shared_encoder is None or self._shared_encoder.recipe != recipe:
                self._shared_encoder = _SharedEncoder(recipe, _LockedEncoder(load))
            return self._shared_encoder.encoder

    def _load_encoder(self) -> Encoder:
        if self._given_encoder is not None:
            return self._given_encoder
        from talksearch.search.reader import open_reader

        with open_reader(self.folder, warn=self._warn) as reader:
            return reader.encoder()


def _with_talk(talk: str, work: Callable[[sqlite3.Connection], T], reader: IndexReader) -> T:
    """Do something with the catalog of a store that has a talk, where there is such a talk."""
    from talksearch.search.named_talk import gather_named

    if talk:
        with suppress(QueryError):
            gather_named(reader, talk)
    with catalog.snapshot(reader.db):
        return work(reader.db)


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
