"""The files of a talk while it is read: each is decoded and parsed once, and no more of them is kept than is needed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.records import Talk
from talksearch.indexer.stores.catalog import FileRow
from talksearch.indexer.talks.load import TalkMetadata
from talksearch.indexer.talks.opened_file import OpenedFile, ScannedFiles
from talksearch.indexer.talks.read import metadata_of, open_transcript, talk_of

from .plan import Group
from .scan import identity_of


class GroupFiles:
    """The files of one talk. What a file says about it is kept; a file itself only where it may be read once more."""

    def __init__(self, group: Group, scanned: ScannedFiles) -> None:
        self._group = group
        self._scanned = scanned
        self._opened: dict[str, OpenedFile] = {}
        self._metadata: dict[str, TalkMetadata | None] = {}

    def read(self, row: FileRow) -> Talk:
        """Read the talk from one of its files; the others fill what that one leaves open, as far as they are needed.

        Raises UnreadableError where it is no transcript or a reader fails on it.
        """
        opened = self._opened[row.path] = self._open(row)
        return talk_of(opened, row.source, self._others(row))

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
        path = Path(row.path)
        return self._opened.get(row.path) or self._scanned.take(path) or open_transcript(path)
