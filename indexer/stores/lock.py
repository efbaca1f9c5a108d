"""One writer to an index: a lock that says who holds it."""

from __future__ import annotations

import json
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import filelock

from talksearch.indexer import disk, layout
from talksearch.indexer.errors import DiskError, DiskFullError, LockedError

_PATIENCE_S = 60
"""How long the process that puts passages into the Chroma store may take to notice that nobody gives it any more."""


@contextmanager
def index_write_lock(index: Path) -> Iterator[None]:
    """Hold the index for writing.

    The operating system frees the lock when the process ends, however it ends. Raises LockedError at once when
    another process holds it, and DiskError where the folder cannot be written.
    """
    holder = layout.LOCK_HOLDER.within(index)
    lock = filelock.FileLock(layout.LOCK.within(index), timeout=0)
    try:
        _make_private(index)
        lock.acquire()
        _wait_for_store_writer(index)
        holder.write_text(json.dumps(_this_process()), encoding="utf-8")
    except filelock.Timeout:
        lock.release()
        raise LockedError(
            f"Another process is writing to the index {index}{_described(holder)}.",
            "Wait until it is done; searching works meanwhile.",
        ) from None
    except OSError as error:
        lock.release()
        told = disk.refusal(index, error)
        if isinstance(told, DiskFullError):
            raise told from error
        raise DiskError(
            f"The index {index} cannot be written: {error.strerror or error}.",
            "Searching it works; to change it, copy it to where it can be written.",
        ) from error
    try:
        yield
    finally:
        with suppress(OSError):  # a rebuilt index took this folder's place
            holder.unlink()
        lock.release()


@contextmanager
def store_write_lock(index: Path) -> Iterator[None]:
    """Hold the Chroma store of an index for the process that puts passages into it for another.

    That process may outlive the one that held the index and was killed, by what it is putting just then.
    """
    with filelock.FileLock(layout.CHROMA_LOCK.within(index)):
        yield


def _make_private(index: Path) -> None:
    """Make the folder of an index where there is none, its owner's alone: it will hold all that was said.

    Whoever shares an index changes that once, and a rebuild keeps it. A folder that is there and empty keeps what its
    group may do, which may be meant, and loses what everybody may do, which `mkdir` gives without being asked.
    """
    index.mkdir(mode=0o700, parents=True, exist_ok=True)
    mode = stat.S_IMODE(index.stat().st_mode)
    if mode & stat.S_IRWXO and not any(index.iterdir()):
        with suppress(OSError):  # somebody else's folder
            index.chmod(mode & ~stat.S_IRWXO)


def _wait_for_store_writer(index: Path) -> None:
    """Wait until no process of an ended run puts passages into the Chroma store. Raises filelock.Timeout."""
    for folder in (index, layout.rebuilt(Path(os.path.realpath(index)))):
        path = layout.CHROMA_LOCK.within(folder)
        if path.exists():
            with filelock.FileLock(path, timeout=_PATIENCE_S):
                pass


def _this_process() -> dict[str, str | int]:
    return {
        "process": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now().astimezone().isoformat(timespec="seconds"),
    }


def _described(holder: Path) -> str:
    """Return who holds the lock, in words; empty where that cannot be read."""
    try:
        process = json.loads(holder.read_text(encoding="utf-8"))
        return f" (process {process['process']} on {process['host']}, since {process['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
