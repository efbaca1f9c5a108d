"""What the system says when it does not write or read a file, as sentences: the disk is full, the folder is read-only.

All of it is decided here, so that a full disk is never told as damage, and told in one way whoever noticed it: Python,
SQLite, or Chroma.
"""

from __future__ import annotations

import errno
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile

from .errors import DiskError, DiskFullError

FULL = frozenset((errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)))
"""Numbers of errors that mean that there is no room: the disk is full, a quota is used up, a file may not be larger."""

_ROOM_HINT = (
    "Make room there, and give the same command again: it goes on where it stopped. Until then the index answers."
)

_SQLITE_REFUSED = frozenset((sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN))

_FULL_IN_WORDS = re.compile(
    r"No space left on device|Disk quota exceeded|File too large|database or disk is full"
    rf"|\(code: {sqlite3.SQLITE_FULL}\)|os error ({'|'.join(str(number) for number in sorted(FULL))})\b"
)
"""How libraries that have no numbers of errors say that there is no room, Chroma among them."""

_PROBE = bytes(1 << 20)
"""What is written to see why something else could not be."""


@contextmanager
def refusals_told(path: Path) -> Iterator[None]:
    """Raise a DiskError in the place of what the system or SQLite raises where a file cannot be written or read.

    Args:
        path: What is worked on, for errors that name no file.
    """
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        told = refusal(path, error)
        if told is None:
            raise
        raise told from error


def refusal(path: Path, error: OSError | sqlite3.Error) -> DiskError | None:
    """Return what to raise in the place of an error; None where it says nothing of the disk.

    Args:
        path: What was worked on, for errors that name no file.
        error: What was raised.
    """
    if isinstance(error, sqlite3.Error):
        return _refusal_of_sqlite(path, error)
    if isinstance(error, ConnectionError):
        return None
    named = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else path
    if error.errno is None:  # numpy says only how much it could not write
        error = _probe(path) or error
    if error.errno in FULL:
        return full(named, error.strerror or "")
    return DiskError(
        f"{named} cannot be read or written: {error.strerror or error}.",
        "See who may read and write it, and whether its disk is there and sound.",
    )


def full_in_words(path: Path, message: str) -> DiskFullError | None:
    """Return what to raise where a message of a library means that there is no room; None where it does not.

    Args:
        path: What the library wrote.
        message: What it said.
    """
    said = _FULL_IN_WORDS.search(message)
    return full(path, "No space left on device" if said[0].startswith(("(", "os")) else said[0]) if said else None


def refusal_of_io(path: Path, message: str) -> DiskError:
    """Return what to raise where a library could not write or read, and does not say why; a used up quota, say.

    Args:
        path: What it worked on, a file or a folder.
        message: What it said.
    """
    reason = _probe(path)
    if reason is not None and reason.errno in FULL:
        return full(path, reason.strerror or "")
    return DiskError(
        f"{path} cannot be read or written: {reason.strerror if reason else message}.",
        "The index may be sound: see whether its disk has room, and in the system's log whether it fails.",
    )


def full(path: Path, reason: str) -> DiskFullError:
    """Return what to raise where there is no room for a file, with what the system says of it."""
    return DiskFullError(f"The disk of {path} is full: {reason or 'no space is left'}.", _ROOM_HINT)


def _refusal_of_sqlite(path: Path, error: sqlite3.Error) -> DiskError | None:
    code = int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return full(path, "No space left on device")
    if code == sqlite3.SQLITE_IOERR:
        return refusal_of_io(path, str(error))
    if code in _SQLITE_REFUSED:
        return DiskError(
            f"{path} cannot be written: {error}.",
            "See who may read and write it, or copy the index to where it can be written.",
        )
    return None


def _probe(path: Path) -> OSError | None:
    """Return why nothing can be written in a folder, or beside a file; None where something can."""
    limit = _largest_file()
    if limit is not None and _longest_in(path) >= limit - len(_PROBE):
        return OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    try:
        with TemporaryFile(dir=path if path.is_dir() else path.parent, buffering=0) as file:
            written = file.write(_PROBE)
            file.write(_PROBE[written:])  # what was written in part says why when it is written further
            os.fsync(file.fileno())
    except OSError as error:
        return error
    return None


def _largest_file() -> int | None:
    """Return how many bytes a file of this process may have; None where nothing limits it."""
    try:
        import resource  # not on Windows
    except ImportError:
        return None
    limit: int = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    return None if limit == resource.RLIM_INFINITY else limit


def _longest_in(path: Path) -> int:
    """Return how many bytes the longest file has of those in a folder, or beside a file."""
    folder = path if path.is_dir() else path.parent
    return max((file.stat().st_size for file in folder.iterdir() if file.is_file()), default=0)
