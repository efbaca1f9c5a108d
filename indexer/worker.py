"""A process of its own for work that would hold up others, and the line to it."""

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
"""How long a process may take to finish what it does before it is ended."""

_starting = threading.Lock()
"""`multiprocessing` keeps a list of processes that two threads must not add to at once."""


@dataclass(frozen=True, slots=True)
class WorkerProcess:
    """A process that answers one question after the other."""

    process: multiprocessing.process.BaseProcess
    line: Connection

    def ask(self, question: Any) -> Any:
        """Return the answer to a question. Raises EOFError or OSError where the process ended over it."""
        self.line.send(question)
        return self.line.recv()

    def close(self) -> None:
        """Let the process finish, and wait for its end."""
        self.line.close()
        self.process.join(_PATIENCE_S)
        self.end()

    def end(self) -> None:
        """End the process, whatever it does."""
        self.process.kill()
        self.process.join()


def start_worker(serve: Callable[..., None], *given: Any) -> WorkerProcess | None:
    """Start a process that runs `serve(line, *given)`, which answers what comes down the line until it is cut.

    Returns None where none can be started: in a script without a main guard, say.
    """
    context = multiprocessing.get_context("spawn")  # the only way to start one that is safe beside threads
    line, far = context.Pipe()
    # A daemon is ended with the process that started it.
    apart = WorkerProcess(context.Process(target=_run, args=(far, serve, given), daemon=True), line)
    try:
        with _starting:
            apart.process.start()
        far.close()
        line.recv()  # it says that it is there
    except (EOFError, OSError, RuntimeError, AssertionError):  # the last: inside a process that may have no children
        return None
    return apart


def _run(line: Connection, serve: Callable[..., None], given: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of a terminal; the first one decides
    with suppress(EOFError, OSError), closing(line):
        line.send(None)
        serve(line, *given)
