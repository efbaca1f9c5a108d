"""An index as a program opens it: ask, list, read, close.

Importing this stays light: what answers queries needs numpy, which is loaded when an index is opened.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from talksearch.indexer.errors import TalksearchError
from talksearch.indexer.records import Json, Talk

from .answer import Answer
from .options import checked
from .query import Query

if TYPE_CHECKING:
    from .reader import IndexReader


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
    from .reader import open_reader  # numpy

    return Index(open_reader(Path(folder), warn=warn))


class Index:
    """An index, open for questions. A context manager; `open_index` makes one.

    It belongs to the thread that opened it, because its connection to SQLite does: another thread opens one of its own.
    Talks that an indexing run adds are found without opening it again; after `--rebuild` it has to be opened again.
    """

    def __init__(self, reader: IndexReader) -> None:
        self._open_reader = reader
        self._owner = threading.get_ident()
        self._is_closed = False

    @property
    def folder(self) -> Path:
        """The folder it lies in."""
        return self._open_reader.folder

    @property
    def _reader(self) -> IndexReader:
        """What answers. Raises TalksearchError where the index is closed, or belongs to another thread."""
        if self._is_closed:
            raise TalksearchError("The index is closed.", "Open it again: open_index(folder)")
        if threading.get_ident() != self._owner:
            raise TalksearchError(
                "The index was opened by another thread.", "Let each thread open one: open_index(folder)"
            )
        return self._open_reader

    def search(self, query: Query | str) -> Answer:
        """Find passages that answer a query, best first; a text is asked with the defaults of `Query`.

        Raises:
            QueryError: the query is empty, an option cannot have its value, or a filter names what is not there.
        """
        from . import engine  # numpy

        return engine.search(self._reader, checked(Query(query) if isinstance(query, str) else query))

    def similar(self, moment: str, query: Query | None = None) -> Answer:
        """Find passages like the one that is said at a moment, which is left out.

        Args:
            moment: `TALK@SECONDS`, or a YouTube URL with a time in it. TALK is an id, the path of a transcript, or the
                beginning of an id.
            query: how many hits, from which talks, in which mode; its text is not looked at.

        Raises:
            QueryError: the name means no talk, or several; no seconds are given, or nothing is said there.
        """
        from . import engine  # numpy
        from .moments import require_moment

        query = checked(Query("") if query is None else query)
        return engine.similar(self._reader, query, *require_moment(self._reader.db, moment))

    def talks(self) -> list[Talk]:
        """Return all talks, without their cues."""
        from talksearch.indexer.stores import catalog  # sqlite3

        return list(catalog.read_talks(self._reader.db))

    def talk(self, name: str) -> Talk:
        """Return one talk with its cues and its receipt.

        Args:
            name: an id, a YouTube URL, the path of a transcript, or the beginning of an id.

        Raises:
            QueryError: the name means no talk, or several.
        """
        from .moments import talk_and_moment  # numpy

        return talk_and_moment(self._reader.db, name)[0]

    def stats(self) -> dict[str, Json]:
        """Return counts and sizes, with the keys of `talksearch stats --format jsonl`."""
        from .stats import gather  # numpy

        return gather(self._reader.folder)

    def close(self) -> None:
        """Close the index; nothing can be asked of it any more. Closing it twice does nothing.

        Raises TalksearchError in another thread than the one that opened it.
        """
        if not self._is_closed:
            self._reader.close()
            self._is_closed = True

    def __enter__(self) -> Self:
        _ = self._reader  # a closed index is told here
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<talksearch index in {str(self.folder)!r}>"
