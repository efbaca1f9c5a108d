"""An index as a program opens it: ask, list, read, close.

Importing this stays light: what answers queries needs numpy, which is loaded when an index is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from talksearch.indexer.records import Json, Talk

from .answer import Answer
from .opened import Opened
from .options import checked
from .query import Query

if TYPE_CHECKING:
    from .current import CurrentIndex
    from .reader import IndexReader

T = TypeVar("T")


def open_index(folder: str | Path | Sequence[str | Path], *, warn: Callable[[str], None] = lambda _: None) -> Index:
    """Open an index for questions, or several as one.

    Opening changes nothing in the index and nothing in the process. The model is loaded by the first question that
    needs it. Of several, a copy that holds what they hold together is kept in the user's cache, and made by the first
    question after one of them has changed (`merge_indexes` puts them together for good).

    Args:
        folder: the folder of the index, as `build_index` or `talksearch index` made it; or those of several.
        warn: called with a sentence when something works, but slowly.

    Raises:
        BadIndexError: there is no index in the folder, it cannot be read, or several were not made in one way.
        DiskError: the copy of several cannot be written.
    """
    from .current import current_index  # sqlite3

    parts = [Path(folder)] if isinstance(folder, str | Path) else list(map(Path, folder))
    if len(parts) == 1:
        index = Index(parts[0], current_index(parts[0], warn=warn))
    else:
        from talksearch.indexer.pipeline.merged_copy import merged_copy

        def follow() -> Path:
            return merged_copy(parts, note=warn)

        index = Index(follow(), current_index(follow(), warn=warn), follow)
    index._ask(lambda _: None)  # whether there is one is told here
    return index


class Index(Opened):
    """An index, open for questions. A context manager; `open_index` makes one.

    It belongs to the thread that opened it, because its connection to SQLite does: another thread opens one of its own.
    What an indexing run changes is found without opening it again, also where a rebuild put another index in its place.
    """

    _NAME, _CALL = "index", "open_index(folder)"

    def __init__(self, folder: Path, index: CurrentIndex, follow: Callable[[], Path] | None = None) -> None:
        super().__init__(index)
        self._folder = folder
        self._follow = follow

    @property
    def folder(self) -> Path:
        """The folder it lies in."""
        return self._folder

    def _ask(self, work: Callable[[IndexReader], T]) -> T:
        """Do something with the reader of the index as it is now.

        Raises TalksearchError where the index is closed, or belongs to another thread.
        """
        self._require_open()
        if self._follow:
            self._follow()
        return super()._ask(work)

    def search(self, query: Query | str) -> Answer:
        """Find passages that answer a query, best first; a text is asked with the defaults of `Query`.

        Raises:
            QueryError: the query is empty, an option cannot have its value, or a filter names what is not there.
        """
        from . import engine  # numpy

        asked = checked(Query(query) if isinstance(query, str) else query)
        return self._ask(lambda reader: engine.search(reader, asked))

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

        asked = checked(Query("") if query is None else query)
        return self._ask(lambda reader: engine.similar(reader, asked, *require_moment(reader.db, moment)))

    def talks(self) -> list[Talk]:
        """Return all talks, without their cues."""
        from talksearch.indexer.stores import catalog_talks  # sqlite3

        return self._ask(lambda reader: list(catalog_talks.read_talks(reader.db)))

    def talk(self, name: str) -> Talk:
        """Return one talk with its cues and its receipt.

        Args:
            name: an id, a YouTube URL, the path of a transcript, or the beginning of an id.

        Raises:
            QueryError: the name means no talk, or several.
        """
        from .moments import talk_and_moment  # numpy

        return self._ask(lambda reader: talk_and_moment(reader.db, name)[0])

    def stats(self) -> dict[str, Json]:
        """Return counts and sizes, with the keys of `talksearch stats --format jsonl`."""
        from .stats import gather  # numpy

        return self._ask(lambda reader: gather(reader.folder))

    def __repr__(self) -> str:
        return f"<talksearch index in {str(self._folder)!r}>"
