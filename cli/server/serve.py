"""A server: it answers one index over HTTP for people and programs, and on a socket for the command line."""

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
from concurrent.futures import CancelledError
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import uvicorn
from filelock import FileLock, Timeout
from starlette.types import ASGIApp, Receive, Scope, Send

from talksearch.cli import answers
from talksearch.cli.messages import AnswerRequest, MessageError, Printed
from talksearch.cli.pool.index_pool import WORKERS, BusyError, IndexPool
from talksearch.cli.web.app import application, load_pages, load_talk_page
from talksearch.indexer.encoders.base import Encoder
from talksearch.indexer.errors import BadIndexError, ModelError, TalksearchError, UsageError
from talksearch.indexer.records import Json

from .client import greet
from .connections import BoundedConnection
from .protocol import LONGEST_ANSWER, LONGEST_REQUEST, Asked, greeting, is_private, socket_path

if TYPE_CHECKING:
    from talksearch.indexer.stores.remote.engine import Engine

_IDLE_S = 600
"""Seconds after which a client that says nothing is hung up on."""

_CONNECTIONS = 128
"""Clients on the socket at once."""

_CLOSING_S = 3
"""Seconds for answers under way when the server is stopped."""

_FIRST_PAGE_S = 0.5
"""Seconds after which a server warms although nobody has asked for a page."""

_LONGEST_HEAD = 1_048_576
"""Bytes of the address and headers of a request that are read, to say in a sentence that they are too many."""

_BACKLOG = 128
"""Connections over HTTP that may wait to be taken."""

HOW_TO_MAKE_ONE = (
    "Make a file with one: python -c 'import secrets; print(secrets.token_urlsafe())' > FILE;"
    " then talksearch serve --token-file FILE, or put it into TALKSEARCH_TOKEN."
)
"""What to do where a token is needed."""

_PASS: dict[str, Json] = {"pass": True}
"""The reply that tells a client to answer by itself."""


@dataclass(frozen=True, slots=True)
class Serving:
    """A server that has begun to answer."""

    url: str
    """Of the web page."""
    socket: Path | None
    """Where the command line reaches it; None on systems without Unix sockets, and where another server of the store is
    reached."""
    public: bool
    """Whether other machines may reach it."""
    stop: Callable[[], None]
    """Ends the server; any thread may call it."""


def serve(
    folder: Path,
    host: str,
    port: int,
    *,
    token: str = "",
    tell: Callable[[Serving], None],
    warn: Callable[[str], None] = lambda _: None,
    encoder: Encoder | None = None,
    workers: int = WORKERS,
    store: Engine | None = None,
) -> None:
    """Serve an index, or a store, until SIGINT, SIGTERM, or `Serving.stop`.

    Args:
        folder: the folder of the index.
        host: the address at which HTTP is answered.
        port: the port for HTTP; 0 takes a free one.
        token: what HTTP requests must hold; an address that other machines may reach needs one.
        tell: called when the server begins to answer.
        warn: called with a sentence when something works but slowly, or could not be answered.
        encoder: takes the place of the index's own (for tests).
        workers: how many queries are answered at the same time.
        store: a store that is asked in the place of the index. Of several servers of one store, the command line asks
            the one that was there first.

    Raises BadIndexError when there is no index, TalksearchError when one serves it already, the address is taken or
    needs a token.
    """
    folder = Path(os.path.realpath(folder))  # a link may lead elsewhere tomorrow, and the socket is this index's
    pool = IndexPool(folder, encoder=encoder, workers=workers, warn=warn, store=store)
    try:
        with (
            _only_server(folder if store is None else store.address) as path,
            _listening(host, port, token) as web_socket,
        ):
            pool.check()
            # It listens before it is warm: the first page needs no model, and a query that comes early waits.
            answered = threading.Event()
            threading.Thread(target=_warm, args=(pool, warn, answered), name="warming", daemon=True).start()
            app = _noting(answered, application(pool, host, token))
            asyncio.run(_run(pool, path, web_socket, app, tell, warn))
    finally:
        pool.close()


def _noting(answered: threading.Event, app: ASGIApp) -> ASGIApp:
    """Return an application that sets an event whenever it has answered a request."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        finally:
            answered.set()

    return answer


def _warm(pool: IndexPool, warn: Callable[[str], None], answered: threading.Event) -> None:
    """Make the pool ready for queries; what cannot be made ready is told by the queries that need it, and here once.

    Who starts a server mostly opens its page, which would take three times as long while all this is imported.
    """
    answered.wait(_FIRST_PAGE_S)
    try:
        load_pages()
        pool.warm()
        load_talk_page()
    except ModelError as error:
        warn(f"Only searches by words are answered: {error.message}")
    except TalksearchError as error:
        warn(f"The index cannot answer yet: {error.message} {error.hint}")
    except (CancelledError, threading.BrokenBarrierError, RuntimeError):  # the server stops
        pass


async def _run(
    pool: IndexPool,
    path: Path | None,
    web_socket: socket.socket,
    app: ASGIApp,
    tell: Callable[[Serving], None],
    warn: Callable[[str], None],
) -> None:
    address, port = web_socket.getsockname()[:2]
    name = "localhost" if address in ("0.0.0.0", "::") else f"[{address}]" if ":" in address else address  # noqa: S104
    url = f"http://{name}:{port}/"
    config = uvicorn.Config(
        app,
        lifespan="off",
        ws="none",
        log_level="error",  # a warning for every request that is none would fill the terminal
        access_log=False,
        proxy_headers=False,
        server_header=False,
        # With h11: another parser, where it is installed, says only that a request of this size is invalid.
        http=BoundedConnection,
        h11_max_incomplete_event_size=_LONGEST_HEAD,
        timeout_graceful_shutdown=_CLOSING_S,
    )
    server = uvicorn.Server(config)

    def stop() -> None:
        server.should_exit = True

    with _stopped_by_signals(stop):
        async with _on_socket(pool, path, url, warn):
            tell(Serving(url, path, not ipaddress.ip_address(address).is_loopback, stop))
            await server.serve([web_socket])


@contextmanager
def _stopped_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Stop at a signal. Uvicorn, which gets it first, raises it again when it is done, and then it must do nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {number: signal.signal(number, lambda *_: stop()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


@contextmanager
def _listening(host: str, port: int, token: str) -> Iterator[socket.socket]:
    try:
        family, *_, (address, *_) = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        if not token and not ipaddress.ip_address(str(address).partition("%")[0]).is_loopback:
            raise TalksearchError(f"Other machines may reach {host}, so the server needs a token.", HOW_TO_MAKE_ONE)
        bound = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise TalksearchError(
            f"The address {host}:{port} cannot be used: {error.strerror or error}.",
            "Name another port, or let one be chosen: talksearch serve --port 0",
        ) from error
    # Only where a socket says that its protocol is TCP does asyncio send all at once (TCP_NODELAY). Otherwise the end
    # of each answer waits for the client to acknowledge its beginning, which takes 40 ms with Linux.
    with socket.socket(bound.family, bound.type, socket.IPPROTO_TCP, bound.detach()) as listening:
        yield listening


# ------------------------------------------------------------------------------------------ the command line's socket


@contextmanager
def _only_server(asked: Asked) -> Iterator[Path | None]:
    """Yield where the socket goes, while no other process can serve the index; None without Unix sockets.

    Any number of processes may serve a store, and the command line reaches the first: the others have no socket, nor
    does any have one where no safe place for it is.

    A socket that a killed server left behind is removed: the process that holds the lock knows that nobody uses it.
    """
    if not hasattr(socket, "AF_UNIX"):
        yield None
        return
    path, is_store = socket_path(asked), isinstance(asked, str)
    if path is not None:
        with contextlib.suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if path.parent.lstat().st_uid == os.geteuid():
                path.parent.chmod(0o700)
    if path is None or not is_private(path.parent):
        if is_store:
            yield None
            return
        raise TalksearchError(
            f"The runtime folder {path.parent if path else ''} is not private to you.",
            "Set XDG_RUNTIME_DIR to a folder that only you can open.",
        )
    lock = FileLock(path.with_suffix(".lock"), timeout=0, mode=0o600)
    with contextlib.suppress(Timeout):
        lock.acquire()
    if not lock.is_locked and is_store:
        yield None
        return
    if not lock.is_locked:
        url = (greet(asked) or {}).get("url", "")
        raise TalksearchError(
            f"A server runs already for the index {asked}{f': {url}' if url else ''}.", "Stop it first, with Ctrl-C."
        )
    try:
        path.unlink(missing_ok=True)
        yield path
    finally:
        path.unlink(missing_ok=True)
        lock.release()


@asynccontextmanager
async def _on_socket(pool: IndexPool, path: Path | None, url: str, warn: Callable[[str], None]) -> AsyncIterator[None]:
    """Answer the command line while the context lasts."""
    if path is None:
        yield
        return
    listening = socket.socket(socket.AF_UNIX)
    try:
        listening.bind(str(path))
        path.chmod(0o600)
    except OSError as error:
        listening.close()
        if pool.store is not None:  # the command line asks the store by itself
            yield
            return
        raise TalksearchError(
            f"The socket {path} cannot be made: {error.strerror or error}.", "Set XDG_RUNTIME_DIR to another folder."
        ) from error
    tasks: set[asyncio.Task[None]] = set()
    expected = greeting(pool.folder if pool.store is None else pool.store.address)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            if len(tasks) <= _CONNECTIONS:
                await _converse(_Connection(reader, writer), pool, expected, url, warn)
        except OSError:  # the client is gone, or silent for too long
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


class _Connection(NamedTuple):
    """The two directions of a client's socket."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def receive(self) -> dict[str, Json] | None:
        """Return the next message; None at the end, and where it is too long or no message: then the client is left."""
        try:
            message = json.loads(await asyncio.wait_for(self.reader.readline(), _IDLE_S))
        except (ValueError, RecursionError):
            return None
        return message if isinstance(message, dict) else None

    async def send(self, message: dict[str, Json]) -> None:
        """Send a message; one that is too long becomes the reply that tells the client to answer by itself."""
        line = json.dumps(message).encode()
        self.writer.write((line if len(line) < LONGEST_ANSWER else json.dumps(_PASS).encode()) + b"\n")
        await self.writer.drain()


async def _converse(
    connection: _Connection,
    pool: IndexPool,
    expected: dict[str, Json],
    url: str,
    warn: Callable[[str], None],
) -> None:
    """Answer one client until it goes. `expected` is the greeting of a client of this index, or store, and code."""
    is_ready = await connection.receive() == expected
    await connection.send({"ready": is_ready, "url": url})
    if not is_ready:
        return
    while (message := await connection.receive()) is not None:
        await connection.send(await _reply(pool, message, warn))


async def _reply(pool: IndexPool, message: dict[str, Json], warn: Callable[[str], None]) -> dict[str, Json]:
    """Return the reply to a request. An error that nobody foresaw is logged in a line, and the client goes on."""
    try:
        request = AnswerRequest.from_json(message)
        future = pool.submit(partial(answers.respond, request=request))
    except BusyError:
        return _PASS
    except MessageError as error:
        warn(_unanswered(error))
        return _PASS
    (outcome,) = await asyncio.gather(asyncio.wrap_future(future), return_exceptions=True)
    match outcome:
        case Printed():
            return outcome.to_json()
        case BadIndexError() | ModelError():
            return _PASS  # only a process that opens the index itself can say what is wrong as it would
        case UsageError():
            return {"usage": outcome.message}
        case TalksearchError():
            return {"error": outcome.message, "hint": outcome.hint}
    warn(_unanswered(outcome))
    return _PASS


def _unanswered(error: BaseException) -> str:
    return f"A request could not be answered here, {type(error).__name__}: {error}"
