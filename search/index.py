"""An index as a program opens it: ask, list, read, close."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from talksearch.indexer.errors import QueryError
from talksearch.indexer.records import Json, Talk
from talksearch.indexer.stores import catalog

from . import engine
from .answer import Answer
from .moments import find_moment, talk_and_moment
from .query import Query
from .reader import IndexReader, open_reader
from .stats import gather


def open_index(folder: str | Path, *, warn: Callable[[str], None] = lambda _: None) -> Index:
    """Open an index for questions.

    Opening changes nothing in the index and nothing in the process. The model is loaded by the first question that
    needs it.

    Args:
        folder: the folder of the index, as `build_index` or `talksearch index` made it.
        warn: called with a sentence when something works, but slowly.

    Raises:
        BadIndexError: there is no index in the folder, or it cannot be read.
    """
    return Index(open_reader(Path(folder), warn=warn))


class Index:
    """An index, open for questions. A context manager; `open_index` makes one.

    It belongs to the thread that opened it, because its connection to SQLite does: another thread opens one of its own.
    Talks that an indexing run adds are found without opening it again; after `--rebuild` it has to be opened again.
    """

    def __init__(self, reader: IndexReader) -> None:
        self._reader = reader

    @property
    def folder(self) -> Path:
        """The folder it lies in."""
        return self._reader.folder

    def search(self, query: Query | str) -> Answer:
        """Find passages that answer a query, best first; a text is asked with the defaults of `Query`.

        Raises:
            QueryError: the query is empty, or a filter names what is not there.
        """
        return engine.search(self._reader, Query(query) if isinstance(query, str) else query)

    def similar(self, moment: str, query: Query | None = None) -> Answer:
        """Find passages like the one that is said at a moment, which is left out.

        Args:
            moment: `TALK@SECONDS`, or a YouTube URL with a time in it. TALK is an id, the path of a transcript, or the
                beginning of an id.
            query: how many hits, from which talks, in which mode; its text is not looked at.

        Raises:
            QueryError: the name means no talk, or several; no seconds are given, or nothing is said there.
        """
        talk_id, at_ms = find_moment(self._reader.db, moment)
        if at_ms is None:
            raise QueryError(f"{moment!r} names no moment.", "Name one: TALK@SECONDS, such as DTcRLlMv4_o@777.")
        return engine.similar(self._reader, query or Query(""), talk_id, at_ms)

    def talks(self) -> list[Talk]:
        """Return all talks, without their cues."""
        return list(catalog.read_talks(self._reader.db))

    def talk(self, name: str) -> Talk:
        """Return one talk with its cues and its receipt.

        Args:
            name: an id, a YouTube URL, the path of a transcript, or the beginning of an id.

        Raises:
            QueryError: the name means no talk, or several.
        """
        return talk_and_moment(self._reader.db, name)[0]

    def stats(self) -> dict[str, Json]:
        """Return counts and sizes, with the keys of `talksearch stats --format jsonl`."""
        return gather(self._reader.folder)

    def close(self) -> None:
        """Close the index; nothing can be asked of it any more. Closing it twice does nothing."""
        self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<talksearch index in {str(self._reader.folder)!r}>"
