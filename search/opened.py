"""What a program holds open and asks, an index or a store: whose thread it is, and until when.

Importing this stays light, as `search.index` does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar, Protocol, Self, TypeVar

from talksearch.indexer.errors import TalksearchError

if TYPE_CHECKING:
    from .reader import IndexReader

T = TypeVar("T")


class Source(Protocol):
    """What is asked: `current.CurrentIndex`, or `remote.current_store.CurrentStore`."""

    def ask(self, work: Callable[[IndexReader], T]) -> T:
        """Do something with the reader of it as it is now."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Opened:
    """Something that is open for questions. A context manager.

    It belongs to the thread that opened it, because its connection to SQLite does: another thread opens one of its own.
    """

    _NAME: ClassVar[str]
    """What it is called in sentences."""
    _CALL: ClassVar[str]
    """The call that opens one."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._owner = threading.get_ident()
        self._is_closed = False

    def _ask(self, work: Callable[[IndexReader], T]) -> T:
        """Do something with the reader of what is open, as it is now.

        Raises TalksearchError where it is closed, or belongs to another thread.
        """
        self._require_open()
        return self._source.ask(work)

    def _require_open(self) -> None:
        if self._is_closed:
            raise TalksearchError(f"The {self._NAME} is closed.", f"Open it again: {self._CALL}")
        if threading.get_ident() != self._owner:
            raise TalksearchError(
                f"The {self._NAME} was opened by another thread.", f"Let each thread open one: {self._CALL}"
            )

    def close(self) -> None:
        """Close it; nothing can be asked of it any more. Closing it twice does nothing.

        Raises TalksearchError in another thread than the one that opened it.
        """
        if not self._is_closed:
            self._require_open()
            self._source.close()
            self._is_closed = True

    def __enter__(self) -> Self:
        self._require_open()  # that it is closed is told here
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
