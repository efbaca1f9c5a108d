"""Workers by way of Ray (docs.ray.io): tasks that read talks and embed texts, on every machine of a cluster.

All work is in tasks of one core each. Ray keeps a process for each core, which loads what it needs once, and gives
tasks to machines that join a cluster later as well. A task that ended with its process is given to another one here and
not by Ray, which would try without end where processes run out of memory.
"""

from __future__ import annotations

import logging
import platform
import shutil
import socket
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import ray
from ray.exceptions import GetTimeoutError, RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from talksearch.indexer.encoders import make_home, onnx_encoder
from talksearch.indexer.encoders.base import Encoder, ModelCard, first_line
from talksearch.indexer.encoders.int8_products import sums_are_cut
from talksearch.indexer.encoders.model_home import MODEL
from talksearch.indexer.errors import DiskError, TalksearchError, WorkersError
from talksearch.indexer.passages.split import Splitting
from talksearch.indexer.process import cores

from .embed_pending import WINDOW, PassageEncoding, encode_along
from .plan import Group
from .read_talks import TalkResult, lost_talk, read_group, reading_order
from .shipped_files import ShippedFiles, opener, ship
from .shipped_model import FilesByContent, ShippedModel, files_by_content, lay_out
from .sizing import PassageSizer

_TRIES = 3
"""Workers that a task is given to before it counts as what ends them."""

_AHEAD = 64
"""Talks that may be read before their turn to be written; they are kept in memory until then."""

_TEXTS = 128
"""Texts of one task: a second or two of one core."""

_LOCAL_STORE_BYTES = 500_000_000
"""What workers on this machine may share: a model, and the files of some talks. Memory is taken when it is needed."""

_SHORT = Path("/tmp")  # noqa: S108 - `mkdtemp` makes a folder in it that is this user's alone
"""Where Ray puts its sockets. On macOS, paths in the folder for temporary files are too long for these."""

_KNOCK_S = 15
"""How long a head may take to answer."""

_START_S = 300
"""How long a machine may take to start its first worker."""

_LONGEST = 400
"""Characters that are told of an error."""

_MOMENT_S = 1.0
"""How long to wait before looking whether somebody wants to end the run."""

_ENDED = f"{_TRIES} workers ended over it; they may have run out of memory."
_AGAIN = "Run the same command again: what was read and embedded is kept."

_RAY: Any = ray
"""What of Ray has no types."""

Begin = Callable[[int], "ray.ObjectRef[Any]"]
"""Gives the task of a position to a worker."""


class _About(NamedTuple):
    """What must be the same on every machine."""

    python: str
    talksearch: str


class _ShippedSizer(NamedTuple):
    """How talks are split, by a tokenizer that is shipped."""

    splitting: Splitting
    max_tokens: int
    digest: str
    name: str


# --- here -----------------------------------------------------------------------------------------------------------


@contextmanager
def ray_workers(address: str | None) -> Iterator[RayWorkers]:
    """Connect to a cluster of Ray by its address, or start one on this machine. At the end it is left as it was.

    Raises WorkersError as `workers.open_workers` does.
    """
    told = address or "this machine"
    folder = None if address else tempfile.mkdtemp(prefix="talksearch-ray-", dir=_SHORT if _SHORT.is_dir() else None)
    try:
        with _reaching(told):
            _connect(address, folder)
            _check(told)
        yield RayWorkers(told)
    finally:
        ray.shutdown()
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _reaching(told: str) -> Iterator[None]:
    """Turn a connection that ends into a sentence."""
    try:
        yield
    except (ConnectionError, TimeoutError) as error:
        raise WorkersError(
            f"The workers at {told} cannot be reached any more: {first_line(error).rstrip('.')}.", _AGAIN
        ) from error


def _connect(address: str | None, folder: str | None) -> None:
    quiet: dict[str, Any] = {"logging_level": logging.CRITICAL, "log_to_driver": False}
    try:
        if address:
            _knock(address)
            with warnings.catch_warnings(action="ignore"):  # the error says as much
                try:
                    ray.init(address, **quiet)
                except ConnectionAbortedError:  # the head starts a process for each client, which may fail to start
                    ray.init(address, **quiet)
        else:
            ray.init(
                "local",
                num_cpus=cores(),
                object_store_memory=_LOCAL_STORE_BYTES,
                include_dashboard=False,
                _temp_dir=folder,
                _system_config={"worker_niceness": 0},  # they work as this process would alone
                **quiet,
            )
    except (RuntimeError, ValueError, OSError, RayError) as error:
        raise WorkersError(
            f"The workers at {address or 'this machine'} cannot be reached: {_in_a_line(error)}.",
            "The address is that of the head's port for clients (10001), Ray and Python have the same versions on all"
            " machines, and RAY_AUTH_TOKEN holds the token, where the cluster asks for one.",
        ) from error


def _knock(address: str) -> None:
    """Raise OSError where nobody listens at an address. Ray by itself would wait for half a minute."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), _KNOCK_S).close()


def _in_a_line(error: BaseException) -> str:
    """Return what an error of Ray's says: of a traceback on the other side, the last line."""
    text = getattr(error, "strerror", None) or str(error)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if any(line.startswith("Traceback") for line in lines):
        lines = lines[-1:]
    return " ".join(lines)[:_LONGEST].rstrip(".")


def _check(told: str) -> None:
    """Raise WorkersError where no machine has cores for work, or one has another version of what is needed."""
    nodes = [node["NodeID"] for node in _RAY.nodes() if node["Alive"] and node["Resources"].get("CPU")]
    if not nodes:
        raise WorkersError(f"No machine at {told} has cores to work with.", "Add one: ray start --address …")
    here = _about()
    places = [NodeAffinitySchedulingStrategy(node, soft=False) for node in nodes]
    try:
        found = ray.get([_ABOUT.options(scheduling_strategy=place).remote() for place in places], timeout=_START_S)
    except GetTimeoutError as error:
        raise WorkersError(f"A machine at {told} started no worker within {_START_S} s.", "Look at its log.") from error
    except (RayError, RuntimeError) as error:
        raise WorkersError(
            f"A worker at {told} cannot run talksearch: {_reason(error)}.",
            f'On every machine: pip install "talksearch[distributed]=={here.talksearch}"',
        ) from error
    for there in found:
        if there != here:
            raise WorkersError(
                f"A worker at {told} has talksearch {there.talksearch} on Python {there.python}, and this machine "
                f"talksearch {here.talksearch} on Python {here.python}.",
                "Install the same versions on every machine.",
            )


class RayWorkers:
    """The workers of a cluster, for one run (`workers.Workers`)."""

    def __init__(self, told: str) -> None:
        self._told = told
        self._shared: dict[str, ray.ObjectRef[Any]] = {}
        """What workers fetch once for each machine, by its digest."""
        self._sharing = threading.Lock()

    @property
    def windows_at_once(self) -> int:
        """How many windows of passages keep all workers at work: two tasks for each (`Workers.windows_at_once`)."""
        return -(-2 * _TEXTS * _cores_of_all() // WINDOW)

    def read(self, groups: Sequence[Group], sizer: PassageSizer) -> Iterator[TalkResult]:
        """Read the talks of all groups and yield them in order (`Workers.read`)."""
        if sizer.tokenizer is None:
            raise WorkersError(
                "This model has no tokenizer that could be shipped to workers.", "Index without --workers."
            )
        tokenizer = files_by_content({sizer.tokenizer.name: sizer.tokenizer})
        shared = self._share(tokenizer)
        shipped = _ShippedSizer(sizer.splitting, sizer.max_tokens, tokenizer.digest, sizer.tokenizer.name)

        def begin(position: int) -> ray.ObjectRef[Any]:
            return _READ.remote(groups[position], ship(groups[position]), shipped, [shared])

        count = _cores_of_all()
        for position, result in enumerate(self._in_order(begin, reading_order(groups, 2 * count), _AHEAD + 2 * count)):
            yield lost_talk(groups[position], result) if isinstance(result, str) else result

    def encode(self, model: ShippedModel, texts: Sequence[str]) -> list[PassageEncoding]:
        """Return what a model makes of texts (`Workers.encode`)."""
        shared = self._share(model.files)
        order = model.order(texts)
        tasks = [order[first : first + _TEXTS] for first in range(0, len(texts), _TEXTS)]

        def begin(task: int) -> ray.ObjectRef[Any]:
            given = [texts[position] for position in tasks[task]]
            return _ENCODE.remote(model.card, model.files.digest, [shared], model.is_uncut, model.directions, given)

        encodings: dict[int, PassageEncoding] = {}
        for positions, result in zip(tasks, self._in_order(begin, range(len(tasks))[::-1], len(tasks)), strict=True):
            if isinstance(result, str):
                raise WorkersError(f"Passages could not be embedded at {self._told}: {result}", _AGAIN)
            encodings.update(zip(positions, result, strict=True))
        return [encodings[position] for position in range(len(texts))]

    def _share(self, files: FilesByContent) -> ray.ObjectRef[Any]:
        with self._sharing, _reaching(self._told):
            if files.digest not in self._shared:
                self._shared[files.digest] = ray.put(files.content())
            return self._shared[files.digest]

    def _in_order(self, begin: Begin, order: Sequence[int], room: int) -> Iterator[Any]:
        """Yield what came of each task by position, or in words why nothing did.

        Args:
            begin: Gives a task to a worker.
            order: The positions in the order in which tasks begin.
            room: How many tasks may be under way or waiting for their turn.
        """
        waiting = iter(order)
        running: dict[ray.ObjectRef[Any], tuple[int, int]] = {}
        ready: dict[int, Any] = {}

        def wait() -> None:
            while len(running) + len(ready) < room and (position := next(waiting, None)) is not None:
                running[begin(position)] = (position, 1)
            for task in ray.wait(list(running), timeout=_MOMENT_S)[0]:
                position, tries = running.pop(task)
                result = _result(task)
                if result is None and tries < _TRIES:
                    running[begin(position)] = (position, tries + 1)
                else:
                    ready[position] = _ENDED if result is None else result

        try:
            for turn in range(len(order)):
                while turn not in ready:
                    with _reaching(self._told):
                        wait()
                yield ready.pop(turn)
        finally:
            for task in running:
                with suppress(RayError, ConnectionError, ValueError):
                    ray.cancel(task, force=True)


def _cores_of_all() -> int:
    """Return how many tasks run at the same time. It changes while machines come and go."""
    return max(1, int(_RAY.cluster_resources().get("CPU", 0)))


def _result(task: ray.ObjectRef[Any]) -> Any:
    """Return what came of a task that is done, or in words what failed; None where its worker, or its answer, is gone.

    Raises what talksearch raised there on purpose.
    """
    try:
        return ray.get(task)
    except RayTaskError as error:
        if isinstance(error.cause, TalksearchError):
            raise error.cause from None
        return f"A worker failed ({_reason(error)})."
    except RayError:
        return None


def _reason(error: BaseException) -> str:
    cause = getattr(error, "cause", None) or error
    return f"{type(cause).__name__}: {first_line(cause)}".rstrip(".")


# --- on a worker ----------------------------------------------------------------------------------------------------


def _about() -> _About:
    return _About(".".join(platform.python_version_tuple()[:2]), metadata.version("talksearch"))


def _read(
    group: Group, files: ShippedFiles, sizer: _ShippedSizer, tokenizer: Sequence[ray.ObjectRef[Any]]
) -> TalkResult:
    """Read the talk of a group from files that were shipped."""
    folder = lay_out(sizer.digest, lambda: _fetched(tokenizer))
    here = PassageSizer(sizer.splitting, sizer.max_tokens, folder / sizer.name)
    try:
        return read_group(group, here, open_file=opener(files))
    except DiskError as error:  # of temporary files; nothing is known of the talk
        return lost_talk(group, error.message)


def _encode(
    card: ModelCard,
    digest: str,
    model: Sequence[ray.ObjectRef[Any]],
    is_uncut: bool,
    directions: Any,
    texts: Sequence[str],
) -> list[PassageEncoding]:
    """Return what a model that was shipped makes of texts."""
    return encode_along(directions, _encoder(card, lay_out(digest, lambda: _fetched(model)), is_uncut), texts)


@cache
def _encoder(card: ModelCard, shipped: Path, is_uncut: bool) -> Encoder:
    """Load the model that was shipped; where this processor would make other numbers of it, this machine's own."""
    folder = shipped
    if is_uncut and sums_are_cut():
        home = make_home.find_or_make(card, lambda _: None)
        if home is None:
            raise WorkersError(
                f"The processor of {platform.node()} cannot run the copy of the model that was made for another kind.",
                "Index from a machine like those that work.",
            )
        folder = home
    return onnx_encoder.load_bulk(folder, card, folder / MODEL, threads=1)


def _fetched(shared: Sequence[ray.ObjectRef[Any]]) -> Mapping[str, bytes]:
    """Fetch what is shared. It comes in a list, as Ray fetches what is an argument itself before each task."""
    files: Mapping[str, bytes] = ray.get(shared[0])
    return files


_ABOUT = ray.remote(num_cpus=0, max_retries=0)(_about)
_READ = ray.remote(num_cpus=1, max_retries=0)(_read)
_ENCODE = ray.remote(num_cpus=1, max_retries=0)(_encode)
