"""Files that are written whole or not at all, under names that every file system takes."""

from __future__ import annotations

import os
import re
import threading
import unicodedata
from contextlib import suppress
from pathlib import Path

from talksearch.indexer import disk
from talksearch.indexer.errors import DiskFullError, TalksearchError
from talksearch.indexer.process import has_ended
from talksearch.indexer.text.untrusted import safe

_LONGEST_BYTES = 100
"""Bytes of a name made of a title. File systems take 255, and other names are put before it and behind."""

_PART = ".part"
"""The ending of a file that is being written."""

_NOT_IN_NAMES = re.compile(r'[\s<>:"/\\|?*%#&]+')
"""Characters that Windows refuses or that mean something in a shell or an address."""

_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.IGNORECASE)
"""Names of devices on Windows, with any ending (learn.microsoft.com: Naming Files, Paths, and Namespaces)."""


def file_name(title: str, fallback: str = "talk") -> str:
    """Return a name made of a title that leads out of no folder and that every file system takes; no ending is added.

    >>> file_name("../../etc/passwd"), file_name("What? Ropes, Salt & Patience"), file_name("CON"), file_name("..")
    ('etc-passwd', 'What-Ropes,-Salt-Patience', '_CON', 'talk')
    """
    plain = unicodedata.normalize("NFC", safe(title))
    plain = _NOT_IN_NAMES.sub("-", plain).strip("-. ")
    plain = plain.encode()[:_LONGEST_BYTES].decode(errors="ignore").rstrip("-. ")
    if _RESERVED.match(plain):
        plain = f"_{plain}"
    return plain or fallback


def write_whole(path: Path, content: str | bytes, *, option: str = "-o") -> None:
    """Write a file, so that it holds all of its content or what it held before; a file of that name is replaced.

    What is no plain file, such as `/dev/stdout` or a pipe, is written to as it is. Raises TalksearchError where it
    cannot be written; `option` is what named the file.
    """
    data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    if path.is_dir():
        raise TalksearchError(f"{path} is a folder.", "Name a file in it.")
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)
            return
        _replace(path.resolve(), data)  # a link to a file goes on being one
    except OSError as error:
        if error.errno in disk.FULL:
            message = disk.full(path, error.strerror or "").message
            raise DiskFullError(message, f"Make room there, or name another with {option}.") from error
        raise TalksearchError(f"{path} cannot be written: {error.strerror}.", f"Name another with {option}.") from error


def clear_parts(folder: Path) -> None:
    """Delete what exports into a folder left that were killed."""
    for part in folder.glob(f".*{_PART}"):
        process = ["", *part.name.split(".")][-3]
        if process.isdecimal() and has_ended(int(process)):
            with suppress(OSError):
                part.unlink()


def _replace(path: Path, data: bytes) -> None:
    part = path.with_name(f".{path.name[:50]}.{os.getpid()}.{threading.get_ident()}{_PART}")
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(data)
        part.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _umask() -> int:
    """Return which permissions new files do not get; it can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
