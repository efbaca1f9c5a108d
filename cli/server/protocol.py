"""What passes between the command line and a server: where its socket lies, and the messages on it.

A message is a JSON object on a line. The client greets, and the server says whether it is the one that is meant: same
index, or store, and same code. Then each request (`messages.AnswerRequest`) is answered in turn (`messages.Printed`):

    {"talksearch": 2, "code": "…", "index": "/…"}   → {"ready": true, "url": "http://…"}
    {"command": "search", "text": "…", …}           → {"out": "…", "err": […], "note": "…", "url": "…"}
                                                     or {"error": "…", "hint": "…"}, {"usage": "…"}, {"pass": true}

`error` is a TalksearchError and `usage` a UsageError; `pass` tells the client to answer by itself. An answer holds
what is to be printed. The function that makes it is the one that makes it where no server runs, so both print the same,
but for the last digit of a score (`search.hit`), and the client needs neither numpy nor what renders.

Both ends import this module, and the client must not wait: it imports only what costs next to nothing.
"""

from __future__ import annotations

import os
import stat
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from talksearch.indexer.records import Json

PROTOCOL = 2
"""The number of this protocol, raised when messages change their shape or meaning."""

LONGEST_REQUEST = 1 << 20
"""Bytes of a request. A longer one is not sent, and whoever sends it is hung up on."""

LONGEST_ANSWER = 1 << 26
"""Bytes of an answer. A longer one is not sent, and a client that gets it answers by itself."""

Asked = Path | str
"""What a server answers from: the folder of an index, or the URL of a store."""

_WHERE_STORES_ARE = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE")
"""What in the environment makes one URL of a store mean several."""

_CODE_FOLDERS = ("cli", "indexer", "search")
"""Where the modules lie that make an answer, folders inside them as well."""


def name_of(asked: Asked) -> str:
    """Return what tells an index or a store from others, for the processes of one user on this machine.

    An index is one by whatever path it is reached; a store is one where its URL means the same.
    """
    if isinstance(asked, Path):
        return os.path.realpath(asked)
    return " ".join([asked.rstrip("/"), *(f"{name}={os.environ.get(name, '')}" for name in _WHERE_STORES_ARE)])


def socket_path(asked: Asked) -> Path | None:
    """Return where the socket of the server of an index or a store lies: in the user's runtime folder.

    None where the system has no safe place for it.
    """
    import hashlib

    import platformdirs

    name = hashlib.sha256(os.fsencode(name_of(asked))).hexdigest()[:16]
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
        status = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o077


def is_own_socket(path: Path) -> bool:
    """Say whether a path is a socket of this user, in a folder that only this user can open."""
    try:
        status = path.lstat()
    except OSError:
        return False
    return stat.S_ISSOCK(status.st_mode) and status.st_uid == os.geteuid() and is_private(path.parent)


def code() -> str:
    """Return what names the code that runs: path, size and time of every module.

    Two processes with the same name run the same code: a version number would not tell of an edited checkout, and
    reading it costs more than looking at the files.
    """
    import hashlib

    root = Path(__file__).parents[2]
    digest = hashlib.sha256()
    for folder in _CODE_FOLDERS:
        for path, status in sorted(_modules_under(str(root / folder))):
            digest.update(f"{path[len(str(root)) :]} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _modules_under(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yield every module under a folder with its status. Every search waits for this: `Path.rglob` takes ten times as
    long.
    """
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".py"):
                yield entry.path, entry.stat()
            elif entry.name != "__pycache__" and entry.is_dir(follow_symlinks=False):
                yield from _modules_under(entry.path)


def greeting(asked: Asked) -> dict[str, Json]:
    """Return the first message of a client."""
    return {"talksearch": PROTOCOL, "code": code(), "index": name_of(asked)}
