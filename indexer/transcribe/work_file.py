"""What is finished of a recording, kept beside it while its transcript is made, so that an ended run can go on.

It is a hidden file, which the walk over an archive passes over: a line of JSON for what it is of, then one for each
finished piece, each on the disk before the next piece is begun. A line that was cut off is as if it were not there.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import filelock

from talksearch.indexer.layout import replace_file
from talksearch.indexer.records import Json
from talksearch.indexer.talks.recordings import hidden_beside, state_of

from .errors import RecordingError
from .pieces import SpeechPiece

_FORMAT = 1
"""Raised when pieces are cut or recognised in another way, so that a transcript is never half of one and half of the
other."""


@dataclass(slots=True)
class WorkFile:
    """The finished pieces of a recording. Made by `open_work_file`."""

    path: Path
    finished: list[dict[str, Json]] = field(default_factory=list)
    """In order: `block` and `speech` of each `SpeechPiece`, `segments`, `language` and the model's `share` of it."""

    def holds(self, piece: SpeechPiece) -> bool:
        """Say whether a piece is finished: no earlier run stopped before it."""
        return bool(self.finished) and piece.speech[0][0] <= int(self.finished[-1]["speech"][0][0])

    @property
    def block(self) -> int:
        """The sample at which the block of the last finished piece begins, from which on pieces are to be found."""
        return int(self.finished[-1]["block"]) if self.finished else 0

    def add(self, row: dict[str, Json]) -> None:
        """Write down a finished piece. Raises OSError where the disk is full."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.finished.append(row)

    def remove(self) -> None:
        """Delete it, since the transcript is in its place."""
        self.path.unlink(missing_ok=True)


def work_path(recording: Path) -> Path:
    """Return where the work file of a recording lies."""
    return hidden_beside(recording, "transcribing")


@contextmanager
def open_work_file(recording: Path, settings: dict[str, Json]) -> Iterator[WorkFile]:
    """Open the work file of a recording, or begin one; nobody else has it meanwhile.

    What it holds of another state of the recording (its size, its last change), or of other settings, is dropped.

    Args:
        recording: The recording.
        settings: All that the result depends on: the model, the language.

    Raises:
        RecordingError: nothing can be written beside the recording, or another process transcribes it.
    """
    path = work_path(recording)
    lock = filelock.FileLock(path.with_suffix(".lock"), timeout=0)
    try:
        head = {"format": _FORMAT, **state_of(recording), **settings}
        lock.acquire()
    except filelock.Timeout:
        raise RecordingError(f"Another process is transcribing {recording}.", "Wait until it is done.") from None
    except OSError as error:
        raise not_written(recording, error) from error
    try:
        yield _opened(path, head)
    except OSError as error:
        raise not_written(recording, error) from error
    finally:
        # While it is held, so that nobody's next one is deleted. Windows deletes no file that is open.
        with suppress(OSError):
            path.with_suffix(".lock").unlink(missing_ok=True)
        lock.release()


def not_written(recording: Path, error: OSError) -> RecordingError:
    """Return the error that says why nothing can be written beside a recording."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return RecordingError(
            f"The disk is full: what was recognised of {recording} cannot be written.",
            "Make room and run it again; it goes on from where it stopped.",
        )
    return RecordingError(
        f"Nothing can be written beside {recording}: {error.strerror or error}.",
        "Get leave to write into its folder, or move the recording into one of yours.",
    )


def _opened(path: Path, head: dict[str, Json]) -> WorkFile:
    try:
        lines = path.read_bytes().split(b"\n")[:-1]  # what is behind the last line end was cut off
    except FileNotFoundError:
        lines = []
    rows: list[dict[str, Any]] = []
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            break
        if not isinstance(row, dict):
            break
        rows.append(row)
    if not rows or rows[0] != head or not all("speech" in row and "segments" in row for row in rows[1:]):
        rows = [head]
    kept = b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)
    if kept != b"".join(line + b"\n" for line in lines) or not path.exists() or path.stat().st_size != len(kept):
        with replace_file(path) as fresh:
            fresh.write_bytes(kept)
    return WorkFile(path, rows[1:])
