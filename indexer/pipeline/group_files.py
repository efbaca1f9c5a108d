"""The files of a talk while it is read: each is decoded and parsed once, and no more of them is kept than is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.records import Talk
from talksearch.indexer.stores.catalog import FileRow
from talksearch.indexer.talks.load import TalkMetadata
from talksearch.indexer.talks.opened_file import OpenedFile
from talksearch.indexer.talks.read import metadata_of, talk_of
from talksearch.indexer.talks.track_names import TrackName

from .plan import Group
from .scan import identity_of

OpenFile = Callable[[Path], OpenedFile]
"""Opens a file by the path that it has in the archive. Raises UnreadableError."""


class GroupFiles:
    """The files of one talk. What a file says about it is kept; a file itself only where it may be read once more."""

    def __init__(self, group: Group, open_file: OpenFile) -> None:
        self._group = group
        self._open_file = open_file
        self._opened: dict[str, OpenedFile] = {}
        self._metadata: dict[str, TalkMetadata | None] = {}

    def read(self, row: FileRow) -> Talk:
        """Read the talk from one of its files; the others fill what that one leaves open, as far as they are needed.

        Raises UnreadableError where it is no transcript or a reader fails on it.
        """
        opened = self._opened[row.path] = self._open(row)
        return talk_of(opened, row.source, self._others(row))

    def track_of(self, row: FileRow) -> TrackName:
        """Return what the name of a file says. Raises UnreadableError where the file cannot be opened."""
        return self._open(row).around.track

    def _others(self, row: FileRow) -> Iterator[TalkMetadata]:
        for other in self._group.files:
            if other != row:
                if other.path not in self._metadata:
                    self._metadata[other.path] = self._read_metadata(other)
                metadata = self._metadata[other.path]
                if metadata is not None:
                    yield metadata

    def _read_metadata(self, row: FileRow) -> TalkMetadata | None:
        try:
            opened = self._open(row)
            identity = identity_of(row)
            if identity is not None and not identity.timed:  # its words may turn out to be better
                self._opened[row.path] = opened
            return metadata_of(opened, row.source)
        except UnreadableError:
            return None

    def _open(self, row: FileRow) -> OpenedFile:
        return self._opened.get(row.path) or self._open_file(Path(row.path))
