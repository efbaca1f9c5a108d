"""A store as it is now, for one thread: a new version is seen between two questions."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import TypeVar

from talksearch.indexer.encoders.base import Encoder, ModelCard
from talksearch.indexer.errors import BadIndexError, StoreError
from talksearch.indexer.passages.split import Splitting
from talksearch.indexer.stores import recipe
from talksearch.indexer.stores.recipe import Recipe
from talksearch.indexer.stores.remote.engine import Engine
from talksearch.search.ranking.compounds import CompoundFinder
from talksearch.search.reader import IndexReader

from . import asking
from .candidates import MOST_TALKS
from .store_talks import StoreTalks
from .version_folder import VersionFolder, forget, version_folder

T = TypeVar("T")

POLL_S = 5.0
"""After so many seconds, a question looks first whether there is a newer version."""


class CurrentStore:
    """A store, open for questions. It belongs to the thread that asks first, because what it holds in memory does.

    `search.current.CurrentIndex` is the same for an index on this machine.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        encoder: Callable[[Recipe], Encoder] | None = None,
        compounds: CompoundFinder | None = None,
        warn: Callable[[str], None] = lambda _: None,
        once: bool = False,
        poll_s: float = POLL_S,
        most_talks: int = MOST_TALKS,
    ) -> None:
        """Nothing is asked of the store yet.

        Args:
            engine: The store.
            encoder: Returns what encodes queries, in the place of the encoder that the recipe names.
            compounds: What finds compounds, which several readers of the store may share.
            warn: Called with a sentence when something works but slowly.
            once: Hardly more than one question is asked.
            poll_s: After how many seconds a newer version is looked for.
            most_talks: How many talks are fetched for a query where few hits are wanted.
        """
        self._engine = engine
        self._encoder, self._compounds = encoder, compounds
        self._warn, self._once, self._poll_s, self._most_talks = warn, once, poll_s, most_talks
        self._reader: IndexReader | None = None
        self._talks: StoreTalks | None = None
        self._kept: VersionFolder | None = None
        self._looked_at = 0.0

    def ask(self, work: Callable[[IndexReader], T]) -> T:
        """Do something with the store as it is now, and return what comes of it.

        Where the store refuses and has a newer version, it is done again with that one; where what is kept of the
        version is damaged, with that fetched anew. Raises what `work` raises, and StoreError where the store does not
        answer.
        """
        try:
            reader = self._current()
            return work(reader)
        except sqlite3.DatabaseError:
            self._forget()
            return work(self._current())
        except StoreError:
            if self._reader is None:
                raise
            reader, self._looked_at = self._reader, -math.inf
            newest = self._current()
            if newest is reader:
                raise
            return work(newest)

    def close(self) -> None:
        """Let go of all that is held; the next question opens the store again."""
        if self._reader is not None:
            self._reader.close()
        if self._talks is not None:
            self._talks.close()
        self._reader = self._talks = None

    def __enter__(self) -> CurrentStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _current(self) -> IndexReader:
        """Return what reads the newest version, as far as that was looked for."""
        if self._reader is not None and monotonic() - self._looked_at < self._poll_s:
            return self._reader
        address = self._engine.address
        version = asking.start(address, self._engine.open)()
        if self._reader is None or self._talks is None or self._talks.kept.version.name != version.name:
            kept = asking.start(address, partial(version_folder, address, version), asking.LARGE_ANSWER_S)()
            self._kept = kept
            self._reader = self._open(kept)
        self._looked_at = monotonic()
        return self._reader

    def _forget(self) -> None:
        """Let go of the version, and of what is kept of it."""
        if self._kept is not None:
            forget(self._kept)
        self.close()

    def _open(self, kept: VersionFolder) -> IndexReader:
        made = self._recipe_in(kept)
        before, talks = self._reader, self._talks
        if before is not None and talks is not None and (made.model, made.splitting) == _made(before.recipe):
            talks.follow(kept)
        else:
            self.close()
            before, talks = None, StoreTalks(self._engine.address, kept, made, self._most_talks)
        self._talks = talks
        reader = IndexReader(
            kept.folder,
            talks.held.db,
            made,
            encoder=self._encoder(made) if self._encoder is not None else None,
            compounds=self._compounds,
            warn=self._warn,
            once=self._once,
            store=talks,
        )
        if before is not None:
            before.encoder_pool.shutdown(wait=True, cancel_futures=True)
            reader.take_over(before)
        return reader

    def _recipe_in(self, kept: VersionFolder) -> Recipe:
        try:
            made = recipe.read(kept.folder)
        except BadIndexError as error:
            raise StoreError(f"The store {self._engine.address} cannot be read: {error.message}", error.hint) from error
        if made is None:
            raise StoreError(f"The store {self._engine.address} holds no recipe.", "Put an index there anew.")
        return made


def _made(recipe: Recipe) -> tuple[ModelCard, Splitting]:
    return recipe.model, recipe.splitting
