"""The files of a talk as a worker gets them that does not see the archive: their content, and what lies around them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from talksearch.indexer.errors import OutOfReachError, UnreadableError
from talksearch.indexer.talks.opened_file import OpenedFile, open_file
from talksearch.indexer.talks.read import failing_on_one_file, read_file
from talksearch.indexer.talks.surroundings import Surroundings, surroundings_of

from .plan import Group


@dataclass(frozen=True, slots=True)
class ShippedFile:
    """A transcript on its way to a worker."""

    path: str
    """Where it lies in the archive."""
    data: bytes
    """Its content; of a playlist, the captions that it names."""
    around: Surroundings


@dataclass(frozen=True, slots=True)
class LackingFile:
    """A file that cannot be read now, on the machine of the archive."""

    path: str
    reason: str
    """A sentence."""
    hint: str
    """What to do about it."""


ShippedFiles = tuple[ShippedFile | LackingFile, ...]


def ship(group: Group) -> ShippedFiles:
    """Take along all that reading the talk of a group may need."""
    return tuple(_ship(row.path) for row in group.files)


def opener(files: ShippedFiles) -> Callable[[Path], OpenedFile]:
    """Return what opens files that were shipped, on a worker. It raises UnreadableError as `open_transcript` does."""
    by_path = {file.path: file for file in files}

    def open_shipped(path: Path) -> OpenedFile:
        file = by_path[str(path)]
        if isinstance(file, LackingFile):
            raise UnreadableError(file.reason, file.hint)
        with failing_on_one_file():
            return open_file(path, file.data, file.around)

    return open_shipped


def _ship(name: str) -> ShippedFile | LackingFile:
    path = Path(name)
    try:
        try:
            return ShippedFile(name, read_file(path), surroundings_of(path))
        except OSError as error:
            raise OutOfReachError(f"The file cannot be read: {error.strerror}.") from error
    except UnreadableError as error:
        return LackingFile(name, error.message, error.hint)
