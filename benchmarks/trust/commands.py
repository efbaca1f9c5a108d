"""Running talksearch's own command line in processes that may be killed.

A command runs either in a fresh process (`python -m talksearch.cli`), or in a fork of this one, which has imported
what the command needs: that spares two seconds, in which nothing is written. Either begins a session of its own, so
that it can be killed alone or with all that it started. Nothing here may start a thread or open an index: a fork would
inherit it.
"""

from __future__ import annotations

import atexit
import ctypes
import importlib
import os
import pickle
import resource
import select
import signal
import struct
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

_CREATED, _MODIFIED, _MOVED, _DELETED, _IS_FOLDER = 0x100, 0x2, 0xC0, 0x200, 0x40000000
"""Kinds of events of inotify(7)."""

_PATIENCE_S = 600.0
"""A command that takes longer is killed and counts as one that hangs."""

MODULES = tuple(
    f"talksearch.{name}"
    for name in (
        "cli.main",
        *(f"cli.commands.{name}" for name in ("index", "search", "talks", "export", "inspect", "add", "sync")),
        "indexer.pipeline.run",
        "indexer.stores.chroma.client",
        "indexer.encoders.onnx_encoder",
        "indexer.doctor",
        "search.engine",
        "search.make_overview",
        "cli.export.registry",
    )
)
"""What a fork finds imported."""


@dataclass(frozen=True, slots=True)
class Kill:
    """When a command is killed, and how. With neither a moment nor an event it runs to its end."""

    after_s: float | None = None
    event: int | None = None
    """After so many changes of files, counted from 1."""
    group: bool = True
    """Kill all that it started as well."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a command."""

    status: int
    """Its exit code; minus the signal that ended it."""
    said: str
    """What it wrote to standard error, and behind that to standard output."""
    seconds: float
    events: int
    """How many changes of files were seen."""
    session: int
    """The number of its session, in which also is what it started."""

    @property
    def killed(self) -> bool:
        """Whether it was killed before it ended by itself."""
        return self.status == -signal.SIGKILL


def warm() -> None:
    """Import what commands need, for the forks."""
    for name in MODULES:
        importlib.import_module(name)


def run(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    scratch: Path,
    *,
    fresh: bool = False,
    kill: Kill | None = None,
    watched: Iterable[Path] = (),
    largest_file: int | None = None,
) -> Outcome:
    """Run a command of talksearch.

    Args:
        arguments: What stands behind `talksearch`.
        environment: The whole environment.
        scratch: A folder in which what it says is kept; not one that is watched.
        fresh: Take a process of its own, from the start.
        kill: When to kill it; None lets it run.
        watched: Folders whose changes are counted, with all that lies in them.
        largest_file: How many bytes a file may have that a fork writes; None for any number.
    """
    said, told = scratch / "stderr", scratch / "stdout"
    started = monotonic()
    with _Watch(watched) as watch, said.open("wb") as error, told.open("wb") as output:
        if fresh:
            command = [sys.executable, "-m", "talksearch.cli", *arguments]
            pid = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=error, start_new_session=True
            ).pid
        else:
            pid = _fork(lambda: _command(arguments, largest_file), environment, output.fileno(), error.fileno())
        status, seconds = _wait(pid, started, kill or Kill(), watch)
    text = said.read_text(errors="replace") + told.read_text(errors="replace")
    return Outcome(status, text, seconds, watch.events, pid)


def call(function: Callable[..., Any], *arguments: Any, environment: Mapping[str, str], scratch: Path) -> Any:
    """Return what a function returns in a fork of this process. What it raises there is raised here, as a text."""
    answer = scratch / "answer"

    def work() -> int:
        try:
            result = (True, function(*arguments))
        except Exception:  # noqa: BLE001 - whatever it is, who asked must hear of it
            result = (False, traceback.format_exc())
        answer.write_bytes(pickle.dumps(result))
        return 0

    answer.unlink(missing_ok=True)
    with (scratch / "said").open("wb") as said:
        pid = _fork(work, environment, said.fileno(), said.fileno())
    with _Watch(()) as watch:
        status, _ = _wait(pid, monotonic(), Kill(), watch)
    if not answer.exists():
        raise RuntimeError(f"A process ended with {status}: {(scratch / 'said').read_text(errors='replace')[-2000:]}")
    done, value = pickle.loads(answer.read_bytes())
    if not done:
        raise RuntimeError(value)
    return value


def lives(session: int) -> bool:
    """Say whether any process of a session lives."""
    try:
        os.killpg(session, 0)
    except ProcessLookupError:
        return False
    return True


def _command(arguments: Sequence[str], largest_file: int | None) -> int:
    from talksearch.cli.main import cli

    if largest_file is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, resource.RLIM_INFINITY))
    try:
        cli.main(args=list(arguments), prog_name="talksearch")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _fork(work: Callable[[], int], environment: Mapping[str, str], output: int, error: int) -> int:
    """Do some work in a fork that has a session, an environment and outputs of its own; returns its number."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(error, 2)
        os.environ.clear()
        os.environ.update(environment)
        tempfile.tempdir = None
        status = work()
        sys.stdout.flush()
        sys.stderr.flush()
        atexit._run_exitfuncs()  # as a process does that ends by itself
    except BaseException:  # noqa: BLE001 - nothing of a fork may come back into the program
        traceback.print_exc()
    finally:
        with suppress(Exception):
            sys.stderr.flush()
        os._exit(status)


def _wait(pid: int, started: float, kill: Kill, watch: _Watch) -> tuple[int, float]:
    """Wait until a process ends, and kill it when its time has come; returns its status and how long it took."""
    ended = os.pidfd_open(pid)
    until = started + (_PATIENCE_S if kill.after_s is None else kill.after_s)
    try:
        while True:
            readable, _, _ = select.select([ended, watch.file], (), (), max(0.0, until - monotonic()))
            if ended in readable:
                break
            if watch.file in readable:
                watch.read(kill.event)
            if monotonic() >= until or (kill.event is not None and watch.events >= kill.event):
                (os.killpg if kill.group and os.getpgid(pid) == pid else os.kill)(pid, signal.SIGKILL)
                break
    finally:
        os.close(ended)
    _, status = os.waitpid(pid, 0)
    seconds = monotonic() - started
    return os.waitstatus_to_exitcode(status), seconds


class _Watch:
    """Counts the changes of files in some folders, by inotify."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self.events = 0
        self._library = ctypes.CDLL(None, use_errno=True)
        self.file = self._library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        self._folders: dict[int, Path] = {}
        for folder in folders:
            self._add(folder)

    def __enter__(self) -> _Watch:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.file)

    def read(self, until: int | None) -> None:
        """Take what has happened, up to some number of changes."""
        with suppress(BlockingIOError):
            data = os.read(self.file, 65_536)
            at = 0
            while at < len(data) and (until is None or self.events < until):
                watched, kind, _, length = struct.unpack_from("iIII", data, at)
                name = data[at + 16 : at + 16 + length].rstrip(b"\0")
                at += 16 + length
                self.events += 1
                if kind & _IS_FOLDER and kind & (_CREATED | _MOVED) and watched in self._folders:
                    self._add(self._folders[watched] / os.fsdecode(name))

    def _add(self, folder: Path) -> None:
        kinds = _CREATED | _MODIFIED | _MOVED | _DELETED
        for path, _, _ in os.walk(folder):  # passes over what is gone meanwhile
            number = self._library.inotify_add_watch(self.file, os.fsencode(path), kinds)
            if number >= 0:
                self._folders[number] = Path(path)
