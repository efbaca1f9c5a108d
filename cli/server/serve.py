"""A resident engine: one index, answered over HTTP for people and programs, and on a socket for the command line."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import os
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click
import uvicorn
from filelock import FileLock, Timeout

from talksearch.cli import answers
from talksearch.cli.messages import Printed
from talksearch.indexer.encoders.base import Encoder
from talksearch.indexer.errors import BadIndexError, ModelError, TalksearchError
from talksearch.indexer.records import Json

from . import web
from .client import greet
from .index_pool import WORKERS, BusyError, IndexPool
from .protocol import LONGEST_ANSWER, LONGEST_REQUEST, PROTOCOL, code, is_private, socket_path

_IDLE_S = 600
"""Seconds after which a client that says nothing is hung up on."""

_CONNECTIONS = 128
"""Clients on the socket at once."""

_CLOSING_S = 3
"""Seconds for answers under way when the server is stopped."""


@dataclass(frozen=True, slots=True)
class Serving:
    """A server that has begun to answer."""

    url: str
    """Of the web page."""
    socket: Path | None
    """Where the command line reaches it; None on systems without Unix sockets."""
    public: bool
    """Other machines may reach it."""
    stop: Callable[[], None]
    """Ends it; may be called from any thread."""


def serve(
    folder: Path,
    host: str,
    port: int,
    *,
    tell: Callable[[Serving], None],
    warn: Callable[[str], None] = lambda _: None,
    encoder: Encoder | None = None,
    workers: int = WORKERS,
) -> None:
    """Serve an index until SIGINT, SIGTERM, or `Serving.stop`; `tell` hears when it begins, port 0 takes a free one.

    Raises BadIndexError when there is no index, TalksearchError when one serves it already or the address is taken.
    """
    folder = Path(os.path.realpath(folder))  # a link may lead elsewhere tomorrow, and the socket is this index's
    resident = IndexPool(folder, encoder=encoder, workers=workers, warn=warn)
    try:
        with _only_one(folder) as path, _listening(host, port) as web_socket:
            try:
                resident.warm()
            except ModelError as error:
                warn(f"Only searches by words are answered: {error.message}")
            asyncio.run(_run(resident, path, web_socket, host, tell, warn))
    finally:
        resident.close()


async def _run(
    resident: IndexPool,
    path: Path | None,
    web_socket: socket.socket,
    host: str,
    tell: Callable[[Serving], None],
    warn: Callable[[str], None],
) -> None:
    at, port = web_socket.getsockname()[:2]
    shown = "localhost" if at in ("0.0.0.0", "::") else f"[{at}]" if ":" in at else at  # noqa: S104
    url = f"http://{shown}:{port}/"
    config = uvicorn.Config(
        web.application(resident, host),
        lifespan="off",
        ws="none",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=_CLOSING_S,
    )
    server = uvicorn.Server(config)

    def stop() -> None:
        server.should_exit = True

    with _signals_heard(stop):
        async with _on_socket(resident, path, url, warn):
            tell(Serving(url, path, not ipaddress.ip_address(at).is_loopback, stop))
            await server.serve([web_socket])


@contextmanager
def _signals_heard(stop: Callable[[], None]) -> Iterator[None]:
    """Stop at a signal; uvicorn, which hears it first, raises it again when it is done, and that must end nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {which: signal.signal(which, lambda *_: stop()) for which in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for which, handler in before.items():
            signal.signal(which, handler)


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise TalksearchError(
            f"The address {host}:{port} cannot be used: {error.strerror or error}.",
            "Name another port, or let one be chosen: talksearch serve --port 0",
        ) from error
    with listening:
        yield listening


# ------------------------------------------------------------------------------------------ the command line's socket


@contextmanager
def _only_one(folder: Path) -> Iterator[Path | None]:
    """Yield where the socket goes, this process being the only one that serves the index; None without Unix sockets.

    A socket that a killed server left behind is removed: whoever holds the lock knows that it is nobody's.
    """
    if not hasattr(socket, "AF_UNIX"):
        yield None
        return
    path = socket_path(folder)
    if path is not None:
        with contextlib.suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if path.parent.lstat().st_uid == os.geteuid():
                path.parent.chmod(0o700)
    if path is None or not is_private(path.parent):
        raise TalksearchError(
            f"The runtime folder {path.parent if path else ''} is not private to you.",
            "Set XDG_RUNTIME_DIR to a folder that only you can open.",
        )
    lock = FileLock(path.with_suffix(".lock"), timeout=0, mode=0o600)
    try:
        lock.acquire()
    except Timeout:
        url = (greet(folder) or {}).get("url", "")
        raise TalksearchError(
            f"A server runs already for the index {folder}{f': {url}' if url else ''}.", "Stop it first, with Ctrl-C."
        ) from None
    try:
        path.unlink(missing_ok=True)
        yield path
    finally:
        path.unlink(missing_ok=True)
        lock.release()


@asynccontextmanager
async def _on_socket(
    resident: IndexPool, path: Path | None, url: str, warn: Callable[[str], None]
) -> AsyncIterator[None]:
    if path is None:
        yield
        return
    listening = socket.socket(socket.AF_UNIX)
    try:
        listening.bind(str(path))
        path.chmod(0o600)
    except OSError as error:
        listening.close()
        raise TalksearchError(
            f"The socket {path} cannot be made: {error.strerror or error}.", "Set XDG_RUNTIME_DIR to another folder."
        ) from error
    tasks: set[asyncio.Task[None]] = set()
    ready = {"ready": True, "url": url}
    meant = {"talksearch": PROTOCOL, "code": code(), "index": os.path.realpath(resident.folder)}

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            if len(tasks) <= _CONNECTIONS:
                await _converse(resident, reader, writer, meant, ready, warn)
        except OSError:  # gone, or silent for too long
            pass
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_unix_server(connected, sock=listening, limit=LONGEST_REQUEST)
    try:
        yield
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _converse(
    resident: IndexPool,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    meant: dict[str, Json],
    ready: dict[str, Json],
    warn: Callable[[str], None],
) -> None:
    said = await _message(reader)
    if said != meant:
        await _say(writer, {"ready": False, "url": ready["url"]})
        return
    await _say(writer, ready)
    while (said := await _message(reader)) is not None:
        await _say(writer, await _reply(resident, said, warn))


async def _message(reader: asyncio.StreamReader) -> dict[str, Json] | None:
    """Return the next message; None at the end, and where it is too long or no message: then it is hung up on."""
    try:
        message = json.loads(await asyncio.wait_for(reader.readline(), _IDLE_S))
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None


async def _say(writer: asyncio.StreamWriter, message: dict[str, Json]) -> None:
    line = json.dumps(message).encode() + b"\n"
    if len(line) > LONGEST_ANSWER:
        line = b'{"pass": true}\n'
    writer.write(line)
    await writer.drain()


async def _reply(resident: IndexPool, asked: dict[str, Json], warn: Callable[[str], None]) -> dict[str, Json]:
    """Return the answer to a request as a message; what nobody foresaw is logged in a line, and the client goes on."""
    try:
        future = resident.submit(partial(answers.respond, asked=asked))
    except BusyError:
        return {"pass": True}
    (told,) = await asyncio.gather(asyncio.wrap_future(future), return_exceptions=True)
    match told:
        case Printed():
            return {"out": told.out, "err": list(told.err), "note": told.note, "url": told.url}
        case BadIndexError() | ModelError():
            pass  # only who opens the index himself can say what is wrong, in his own words
        case TalksearchError():
            return {"error": told.message, "hint": told.hint}
        case click.UsageError():
            return {"usage": told.message}
        case _:
            warn(f"A request could not be answered here, {type(told).__name__}: {told}")
    return {"pass": True}
