"""A worker process for work that would hold up everything else, and the connection to it."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

_PATIENCE_S = 60
"""How long a process may take to finish what it is doing before it is killed."""

_start_lock = threading.Lock()
"""Held while a process starts: `multiprocessing` keeps a list of processes that two threads must not add to at once."""


@dataclass(frozen=True, slots=True)
class WorkerProcess:
    """A process that answers one request after the other."""

    process: multiprocessing.process.BaseProcess
    connection: Connection

    def ask(self, request: Any) -> Any:
        """Return the answer to a request. Raises EOFError or OSError where the process ended over it."""
        self.connection.send(request)
        return self.connection.recv()

    def close(self) -> None:
        """Let the process finish, and wait for its end."""
        self.connection.close()
        self.process.join(_PATIENCE_S)
        self.kill()

    def kill(self) -> None:
        """End the process, whatever it is doing."""
        self.process.terminate()  # the same as kill here: a worker has no handler, and loky has no kill
        self.process.join()


def start_worker(serve: Callable[..., None], *arguments: Any) -> WorkerProcess | None:
    """Start a process that runs `serve(connection, *arguments)`.

    `serve` answers what comes through the connection until that is closed. It is named by its module, so the module
    must be quick to import. Returns None where no process can be started.
    """
    from loky.backend import get_context  # most commands start no process

    # Safe beside threads, as "spawn" is, but it does not run the script again from which talksearch was called: a
    # program that builds an index needs no main guard.
    context = get_context("loky")
    connection, far_end = context.Pipe()
    # A daemon is ended with the process that started it.
    process = context.Process(target=_run, args=(far_end, serve, arguments), daemon=True)
    try:
        with _start_lock:
            process.start()
        far_end.close()
        connection.recv()  # the process reports that it has started
    except (EOFError, OSError, RuntimeError, AssertionError):  # the last: inside a process that may have no children
        return None
    return WorkerProcess(process, connection)


def _run(connection: Connection, serve: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of a terminal; the first one decides
    with suppress(EOFError, OSError), closing(connection):
        connection.send(None)
        serve(connection, *arguments)
