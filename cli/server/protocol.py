"""What passes between the command line and a resident engine: where its socket lies, and the messages on it.

A message is a JSON object on a line. The client greets, and the server says whether it is the one that is meant: same
index, same code. Then each request is answered in turn:

    {"talksearch": 1, "code": "…", "index": "/…"}   → {"ready": true, "url": "http://…"}
    {"command": "search", "text": "…", …}           → {"out": "…", "err": […], "note": "…", "url": "…"}
                                                     or {"error": "…", "hint": "…"}, {"usage": "…"}, {"pass": true}

`pass` means: do it yourself. An answer holds what is to be printed, made by the very function that makes it where no
server runs, so both print the same, but for the last digit of a score (`search.hit`), and the client needs neither
numpy nor what renders.

Both ends import this, and the client must not wait: only what costs next to nothing is imported here.
"""

from __future__ import annotations

import os
import stat
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from talksearch.indexer.records import Json

PROTOCOL = 1
"""Raised when messages change their meaning."""

LONGEST_REQUEST = 1 << 20
LONGEST_ANSWER = 1 << 26
"""Bytes of a line. What is longer is not sent, and whoever sends it is hung up on."""


def socket_path(index: Path) -> Path | None:
    """Return where the socket of an index's resident engine lies: in the user's runtime folder.

    One index has one socket, by whatever path it is reached. None where the system has no safe place for it.
    """
    import hashlib

    import platformdirs

    name = hashlib.sha256(os.fsencode(os.path.realpath(index))).hexdigest()[:16]
    try:
        with warnings.catch_warnings():  # it warns of an unsafe XDG_RUNTIME_DIR and takes another folder
            warnings.simplefilter("ignore")
            folder = platformdirs.user_runtime_dir("talksearch")
    except OSError:
        return None
    return Path(folder) / f"{name}.sock"


def is_private(folder: Path) -> bool:
    """Say whether a folder, no link to one, belongs to this user and nobody else can look into it."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077


def is_own_socket(path: Path) -> bool:
    """Say whether a path is a socket of this user in a folder private to him."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISSOCK(found.st_mode) and found.st_uid == os.geteuid() and is_private(path.parent)


def code() -> str:
    """Return what names the code that runs: size and time of every module.

    Two processes with the same name run the same code: a version number would not tell of an edited checkout, and
    reading it costs more than looking at the files.
    """
    import hashlib

    root = Path(__file__).parents[2]
    seen = hashlib.sha256()
    for folder in ("cli", "indexer", "search"):
        for path in sorted((root / folder).rglob("*.py")):
            status = path.stat()
            seen.update(f"{path.relative_to(root)} {status.st_size} {status.st_mtime_ns}\n".encode())
    return seen.hexdigest()


def greeting(index: Path) -> dict[str, Json]:
    """Return the first message of a client."""
    return {"talksearch": PROTOCOL, "code": code(), "index": os.path.realpath(index)}
