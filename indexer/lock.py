"""One writer to an index: a lock that says who holds it."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import filelock

from .errors import LockedError


@contextmanager
def writing(index: Path) -> Iterator[None]:
    """Hold the index for writing.

    The operating system frees the lock when the process ends, however it ends. Raises LockedError at once when
    somebody else holds it.
    """
    index.mkdir(parents=True, exist_ok=True)
    holder = index / "lock.holder"
    try:
        with filelock.FileLock(index / "lock", timeout=0):
            holder.write_text(json.dumps(_me()), encoding="utf-8")
            try:
                yield
            finally:
                with suppress(FileNotFoundError):  # a rebuilt index took this folder's place
                    holder.unlink()
    except filelock.Timeout:
        raise LockedError(
            f"Another process is writing to the index {index}{_who(holder)}.",
            "Wait until it is done; searching works meanwhile.",
        ) from None


def _me() -> dict[str, str | int]:
    return {
        "process": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now().astimezone().isoformat(timespec="seconds"),
    }


def _who(holder: Path) -> str:
    try:
        who = json.loads(holder.read_text(encoding="utf-8"))
        return f" (process {who['process']} on {who['host']}, since {who['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
