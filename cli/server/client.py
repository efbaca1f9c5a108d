"""Asking a server for answers, where one runs. Nothing here fails: a client that gets no answer finds it by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import IO, TYPE_CHECKING

from talksearch.cli.messages import AnswerRequest, MessageError, Printed
from talksearch.indexer.errors import TalksearchError, UsageError

from .protocol import LONGEST_ANSWER, LONGEST_REQUEST, Asked, greeting, is_own_socket, socket_path

if TYPE_CHECKING:
    import socket as sockets
    from pathlib import Path

    from talksearch.indexer.records import Json

_GREETING_S = 2.0
"""Seconds in which a server must greet. One that hangs costs a search no more than this."""

_ANSWER_S = 120.0
"""Seconds that an answer may take: other clients may be waiting before this one."""


def ask(asked: Asked, requests: Sequence[AnswerRequest]) -> Iterator[Printed]:
    """Yield the answers of the server of an index or a store, in order, as long as there is one that gives them.

    It ends early, at once if there is no server, when the server is gone, stuck, of other code, or passes a request
    back. Raises TalksearchError, such as UsageError, where a request is at fault, as answering it here would.
    """
    path = socket_path(asked)
    if path is None or not is_own_socket(path):
        return
    connection = _connect(path)
    if connection is None:
        return
    with connection, connection.makefile("rb") as replies:
        if not _send(connection, greeting(asked)):
            return
        is_first = True
        for request in requests:
            if not _send(connection, request.to_json()):
                return
            if is_first:  # the first request goes out with the greeting, so that both take one turn
                connection.settimeout(_GREETING_S)
                if (_receive(replies) or {}).get("ready") is not True:
                    return
                connection.settimeout(_ANSWER_S)
                is_first = False
            printed = _answer_in(_receive(replies))
            if printed is None:
                return
            yield printed


def greet(asked: Asked) -> dict[str, Json] | None:
    """Return how the server of an index or a store answers a greeting; None where there is none."""
    path = socket_path(asked)
    connection = _connect(path) if path is not None and is_own_socket(path) else None
    if connection is None:
        return None
    with connection, connection.makefile("rb") as replies:
        return _receive(replies) if _send(connection, greeting(asked)) else None


def _connect(path: Path) -> sockets.socket | None:
    import socket  # most searches find no server

    if not hasattr(socket, "AF_UNIX"):
        return None
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(_GREETING_S)
    try:
        connection.connect(str(path))
    except OSError:  # nobody listens: a server that was killed leaves its socket behind
        connection.close()
        return None
    return connection


def _send(connection: sockets.socket, message: dict[str, Json]) -> bool:
    line = json.dumps(message).encode() + b"\n"
    if len(line) > LONGEST_REQUEST:
        return False
    try:
        connection.sendall(line)
    except OSError:
        return False
    return True


def _receive(replies: IO[bytes]) -> dict[str, Json] | None:
    """Return the next message; None where there is none, or none that can be read."""
    try:
        line = replies.readline(LONGEST_ANSWER + 1)
        message = json.loads(line) if line.endswith(b"\n") else None
    except (OSError, ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None


def _answer_in(reply: dict[str, Json] | None) -> Printed | None:
    """Return the answer that a reply holds; None where it holds none. Raises what the server says is wrong."""
    match reply:
        case {"error": str(message), "hint": str(hint)}:
            raise TalksearchError(message, hint)
        case {"usage": str(message)}:
            raise UsageError(message)
    try:
        return Printed.from_json(reply)
    except MessageError:
        return None
