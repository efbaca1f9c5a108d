"""A store on other machines as a program opens it: ask, list, read, close."""

from __future__ import annotations

from collections.abc import Callable

from talksearch.indexer.records import Json, Talk
from talksearch.indexer.stores.remote.engine import Engine, TalkFacts
from talksearch.search import engine
from talksearch.search.answer import Answer
from talksearch.search.moments import require_moment, talk_and_moment
from talksearch.search.named_talk import gather_named
from talksearch.search.opened import Opened
from talksearch.search.options import checked
from talksearch.search.query import Query
from talksearch.search.reader import IndexReader

from . import listing
from .current_store import CurrentStore


class Store(Opened):
    """A store, open for questions. A context manager; `open_store` makes one.

    It belongs to the thread that opened it: another thread opens one of its own. A newer version of the store is seen
    a few seconds after it was written.
    """

    _NAME, _CALL = "store", "open_store(url)"

    def __init__(self, engine: Engine, *, warn: Callable[[str], None] = lambda _: None) -> None:
        super().__init__(CurrentStore(engine, warn=warn))
        self._address = engine.address

    @property
    def address(self) -> str:
        """Its URL, without anything secret."""
        return self._address

    def search(self, query: Query | str) -> Answer:
        """Find passages that answer a query, best first; a text is asked with the defaults of `Query`.

        Raises:
            QueryError: the query is empty, an option cannot have its value, or a filter names what is not there.
            StoreError: the store does not answer.
        """
        asked = checked(Query(query) if isinstance(query, str) else query)
        return self._ask(lambda reader: engine.search(reader, asked))

    def similar(self, moment: str, query: Query | None = None) -> Answer:
        """Find passages like the one that is said at a moment, as `Index.similar` does.

        Raises:
            QueryError: the name means no talk, or several; no seconds are given, or nothing is said there.
            StoreError: the store does not answer.
        """
        asked = checked(Query("") if query is None else query)

        def find(reader: IndexReader) -> Answer:
            gather_named(reader, moment)
            return engine.similar(reader, asked, *require_moment(reader.db, moment))

        return self._ask(find)

    def talks(self) -> list[TalkFacts]:
        """Return what there is to know of all talks before they are fetched, by title."""
        return self._ask(listing.facts_of)

    def talk(self, name: str) -> Talk:
        """Return one talk with its cues and its receipt.

        Args:
            name: an id, a YouTube URL, the path of a transcript, or the beginning of an id.

        Raises:
            QueryError: the name means no talk, or several.
            StoreError: the store does not answer.
        """

        def read(reader: IndexReader) -> Talk:
            gather_named(reader, name)
            return talk_and_moment(reader.db, name)[0]

        return self._ask(read)

    def stats(self) -> dict[str, Json]:
        """Return counts, with the keys of `talksearch stats --store URL --format jsonl`."""
        return self._ask(listing.gather_stats)

    def __repr__(self) -> str:
        return f"<talksearch store at {self._address!r}>"


def open_store(url: str, *, warn: Callable[[str], None] = lambda _: None) -> Store:
    """Open a store for questions. Nothing is asked of it before the first one.

    Args:
        url: where it is, as `talksearch index --store` was told.
        warn: called with a sentence when something works, but slowly.

    Raises:
        StoreError: the URL names no store that this version knows, or what it takes is not installed.
    """
    from talksearch.indexer.stores.remote.address import open_engine

    return Store(open_engine(url), warn=warn)
