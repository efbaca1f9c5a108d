"""An index as it is now: what fails, or may be of two states, because the index changes meanwhile, is done once more.

A catalog shows one state for as long as a query looks at it. What lies beside it does not: a run may put other columns
or vectors there between two looks, and a rebuild another index. So who asks notes which files there are and what the
catalog is before and after, and where that is not the same, asks again.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from talksearch.indexer import disk, layout
from talksearch.indexer.errors import BadIndexError, TalksearchError

if TYPE_CHECKING:
    from .reader import IndexReader

T = TypeVar("T")

_ATTEMPTS = 3
"""How often something is asked where the index changes each time. A run that reads talks changes it with each talk, and
nobody shall wait for its end: the last answer then counts. It may miss a passage that has just come or gone."""

_STALE = (TalksearchError, sqlite3.Error, OSError, LookupError, ValueError)
"""What may be raised where the index changes under who asks."""

FileStamps = dict[str, tuple[int, ...]]
"""By the name of each file of an index, numbers that tell it from another file of this name."""


class IndexState(NamedTuple):
    """What changes whenever an index does."""

    files: FileStamps
    version: tuple[int, int]
    """The catalog's own number, which a change by another connection raises, and the size of its log's index, which
    alone tells of a change where the catalog was opened as a file that nobody changes (`catalog.open_catalog`)."""


class _Opened(NamedTuple):
    reader: IndexReader
    state: IndexState
    """That of the index when the reader was opened."""


class CurrentIndex:
    """An index that is opened when it is first asked, and again where it changed. A context manager that closes it.

    It belongs to one thread, as a reader does.
    """

    def __init__(self, folder: Path, open_reader: Callable[[FileStamps, IndexReader | None], IndexReader]) -> None:
        """Note what to open, and how.

        Args:
            folder: The index.
            open_reader: Opens a reader, given the files of the index and the reader that was open before, which is
                closed: what was loaded for that one may serve this one.
        """
        self._folder, self._open_reader = folder, open_reader
        self._opened: _Opened | None = None

    def ask(self, work: Callable[[IndexReader], T]) -> T:
        """Do something with the index as it is now, and return what comes of it.

        Raises what `work` raises, a BadIndexError or DiskError in the place of an error of SQLite.
        """
        for left in reversed(range(_ATTEMPTS)):
            opened = self._current()
            try:
                result = work(opened.reader)
            except _STALE as error:
                if left and not self._is_current(opened):
                    continue
                if isinstance(error, sqlite3.Error):
                    self.close()
                    raise unreadable(self._folder, error) from error
                raise
            if not left or self._is_current(opened):
                return result
        raise AssertionError  # the last attempt returns or raises

    def close(self) -> None:
        """Close the index; the next question opens it again."""
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.reader.close()

    def __enter__(self) -> CurrentIndex:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _current(self) -> _Opened:
        """Return the reader that is open where the index is still of its state, else a new one."""
        before = self._opened
        if before is not None and self._is_current(before):
            return before
        self.close()
        files = file_stamps(self._folder)
        reader = self._open_reader(files, before.reader if before else None)
        self._opened = opened = _Opened(reader, IndexState(files, _version(self._folder, reader.db)))
        return opened

    def _is_current(self, opened: _Opened) -> bool:
        """Say whether the index is still in the state in which a reader was opened."""
        try:
            return opened.state == IndexState(file_stamps(self._folder), _version(self._folder, opened.reader.db))
        except sqlite3.Error:
            return False


def current_index(folder: Path, *, warn: Callable[[str], None] = lambda _: None, once: bool = False) -> CurrentIndex:
    """Return an index that is opened by its first question; the arguments are those of `reader.open_reader`."""

    def open_next(_: FileStamps, before: IndexReader | None) -> IndexReader:
        from .reader import open_reader  # numpy, for which a server that listens does not wait

        reader = open_reader(folder, warn=warn, once=once)
        if before is not None:
            reader.take_over(before)
        return reader

    return CurrentIndex(folder, open_next)


def unreadable(folder: Path, error: sqlite3.Error) -> TalksearchError:
    """Return what to raise in the place of an error of SQLite that came while a catalog was read."""
    return disk.refusal(folder, error) or BadIndexError(
        f"The catalog in {folder} cannot be read: {error}.", "Look at it: talksearch doctor"
    )


def file_stamps(folder: Path) -> FileStamps:
    """Return what tells whether the index in a folder is still the one that was opened."""
    stamps: FileStamps = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_file() and entry.name not in layout.PASSING:
                    stamps[entry.name] = _stamp(entry.stat(), is_catalog=entry.name == layout.CATALOG.name)
    except OSError:  # there is no index any more; opening it will tell
        pass
    return stamps


def _stamp(status: os.stat_result, *, is_catalog: bool = False) -> tuple[int, ...]:
    file = (status.st_dev, status.st_ino)
    # The catalog's own changes show in its version: with a write-ahead log they reach the file only later.
    return file if is_catalog else (*file, status.st_size, status.st_mtime_ns)


def _version(folder: Path, db: sqlite3.Connection) -> tuple[int, int]:
    """Return numbers of which one changes when another connection changes the catalog."""
    (version,) = db.execute("PRAGMA data_version").fetchone()
    log_index = layout.CATALOG_LOG_INDEX.within(folder)
    return int(version), log_index.stat().st_size if log_index.exists() else 0
