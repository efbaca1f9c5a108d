"""Reading the talks of a run, several at once, and handing each on as rows. Nothing here writes to an index.

A talk is read, restored, split and looked through for names where it is read: in a process of its own where there is
much to do and more than one core. What comes back are rows, in the order of the groups, so an index is the same however
many processes read.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.passages.metadata_passages import notes
from talksearch.indexer.passages.misheard import misheard
from talksearch.indexer.passages.split import split
from talksearch.indexer.process import collections_paused
from talksearch.indexer.records import Mishearing, RareWord, Talk
from talksearch.indexer.restore.align_times import may_be_bettered, with_times_of
from talksearch.indexer.stores.catalog import FileRow
from talksearch.indexer.stores.catalog_writer import TalkRows, rows_of
from talksearch.indexer.talks.load import TalkMetadata
from talksearch.indexer.talks.read import failing_on_one_file, read_talk, read_talk_metadata
from talksearch.indexer.talks.receipt import changes
from talksearch.indexer.worker import WorkerProcess, start_worker

from .plan import Group
from .scan import identity_of
from .sizing import PassageSizer

_AHEAD = 64
"""Talks that may be read before their turn to be written; they are kept in memory until then."""

_WORTH_A_PROCESS = 2_000_000
"""Bytes of transcripts; a process that reads needs a second to start, and reads a megabyte in about that time."""

_MOST = 16
"""Processes that one writer can keep up with, with room to spare."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that gave no talk, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class TalkResult:
    """What came of the files of one talk."""

    files: list[FileRow]
    """What to remember of each."""
    rows: TalkRows | None = None
    """The talk; None where no file could be read."""
    youtube_id: str | None = None
    path: str = ""
    """The file that it was read from."""
    heard: tuple[Mishearing, ...] = ()
    odd: tuple[RareWord, ...] = ()
    repairs: frozenset[str] = frozenset()
    """The kinds of repair that it needed."""
    copies: list[Skipped] = field(default_factory=list)
    """Files that hold the talk as well, and less well."""
    skipped: list[Skipped] = field(default_factory=list)
    lost: bool = False
    """The process that read it ended. Nothing is known of its files, and the next run tries again."""


def read_group(group: Group, measure: PassageSizer, salt: str = "") -> TalkResult:
    """Read the talk of a group of files from the best of them; `salt` is put behind its id."""
    copies: list[Skipped] = []
    skipped: list[Skipped] = []
    with collections_paused():
        talk, files = _talk_of(group, copies, skipped)
        if talk is None:
            return TalkResult(files, skipped=skipped)
        if salt:
            talk = replace(talk, id=f"{talk.id}-{salt}")
            files = [replace(row, talk_id=talk.id) if row.talk_id else row for row in files]
        try:
            with failing_on_one_file():
                passages = split(talk, measure.counter(), measure.room, measure.splitting)
                heard, odd = misheard(talk)
                rows = rows_of(talk, [*passages, *notes(talk)])
        except UnreadableError as error:
            skipped += [Skipped(row.path, error.message) for row in files]
            return TalkResult([replace(row, talk_id=None, note=error.message) for row in files], skipped=skipped)
        return TalkResult(
            files=files,
            rows=rows,
            youtube_id=talk.youtube_id,
            path=next(row.path for row in files if row.talk_id and not row.note),
            heard=heard,
            odd=odd,
            repairs=frozenset(step.name for step in changes(talk.receipt)),
            copies=copies,
            skipped=skipped,
        )


def read_groups(groups: Sequence[Group], measure: PassageSizer, processes: int | None = None) -> Iterator[TalkResult]:
    """Read the talks of all groups and yield them in order.

    `processes` is how many read beside this one, which then only writes; by default as many as there are cores and
    work for. A process that ends over a talk (no memory, a defect in a library) costs that talk, which comes with
    `lost` and a reason; another process takes its place.
    """
    count = _processes(groups) if processes is None else processes
    if count < 2 or measure.tokenizer is None or not groups:
        yield from (read_group(group, measure) for group in groups)
    else:
        yield from _in_processes(groups, measure, min(count, len(groups)))


def _processes(groups: Sequence[Group]) -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, _MOST, sum(map(_size, groups)) // _WORTH_A_PROCESS)


def _size(group: Group) -> int:
    """Bytes of the file that speaks for a talk."""
    stamp = json.loads(group.files[0].stamp or "[]")
    return int(stamp[0][1]) if stamp else 0


def _order(groups: Sequence[Group], early: int) -> list[int]:
    """Return in which order to begin: the `early` largest texts without times first, then all as they come.

    To repair and to unfold these takes many times as long as to read captions; begun last, one would keep everybody
    waiting.
    """
    untimed = [
        at for at, group in enumerate(groups) if (found := identity_of(group.files[0])) is not None and not found.timed
    ]
    first = sorted(untimed, key=lambda at: -_size(groups[at]))[:early]
    return [*first, *(at for at in range(len(groups)) if at not in set(first))]


def _in_processes(groups: Sequence[Group], measure: PassageSizer, count: int) -> Iterator[TalkResult]:
    results: SimpleQueue[tuple[int, TalkResult | None]] = SimpleQueue()  # None: a thread, and its process, are done
    room = threading.Semaphore(_AHEAD + 2 * count)
    jobs = iter(_order(groups, 2 * count))
    lock = threading.Lock()
    started: list[WorkerProcess] = []
    stopping = threading.Event()

    def begin() -> WorkerProcess | None:
        apart = start_worker(_serve, measure)
        if apart is not None:
            started.append(apart)
            if stopping.is_set():  # too late for whoever ends all that have started
                apart.end()
        return apart

    def work() -> None:
        apart = begin()
        while apart is not None:
            room.acquire()
            with lock:
                at = None if stopping.is_set() else next(jobs, None)
            if at is None:
                break
            read = _read(apart, groups[at])
            if read is None and not stopping.is_set():
                apart = begin()
            results.put((at, read or _lost(groups[at])))
        results.put((-1, None))

    threads = [threading.Thread(target=work, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    ready: dict[int, TalkResult] = {}
    working = count
    try:
        for at in range(len(groups)):
            while at not in ready and working:
                number, read = results.get()
                if read is None:
                    working -= 1
                else:
                    ready[number] = read
            # No process can be started here (a script without a main guard, say): this one reads.
            yield ready.pop(at) if at in ready else read_group(groups[at], measure)
            room.release()
    finally:
        stopping.set()
        room.release(count)
        for apart in started:
            apart.end()
        for thread in threads:
            thread.join()


def _serve(line: Connection, measure: PassageSizer) -> None:
    """Read what comes down the line until it is cut. Runs in a process of its own."""
    while True:
        line.send(read_group(line.recv(), measure))


def _read(apart: WorkerProcess, group: Group) -> TalkResult | None:
    """Have a group read by a process; None where it ended over it."""
    try:
        read: TalkResult = apart.ask(group)
    except (EOFError, OSError):
        return None
    return read


def _lost(group: Group) -> TalkResult:
    reason = "The process that read it ended; it may have run out of memory. It is tried again in the next run."
    return TalkResult([], skipped=[Skipped(row.path, reason) for row in group.files[:1]], lost=True)


# --- the files of one talk ------------------------------------------------------------------------------------------


def _talk_of(group: Group, copies: list[Skipped], skipped: list[Skipped]) -> tuple[Talk | None, list[FileRow]]:
    """Return the group's talk and what to remember of each file.

    The talk is read from the first file that can be read. Where that is a timed track and another file has better words
    without times, these get the track's times (`align.with_times_of`).
    """
    talk: Talk | None = None
    spoke: FileRow | None = None
    failed: dict[str, str] = {}
    for row in group.files:
        try:
            talk, spoke = read_talk(Path(row.path), row.source, _others(group, row)), row
            break
        except UnreadableError as error:
            failed[row.path] = error.message
    if talk is None or spoke is None:
        skipped += [Skipped(path, message) for path, message in failed.items()]
        return None, [replace(row, talk_id=None, note=failed[row.path]) for row in group.files]
    track = None
    better = _better_text(talk, group, spoke)
    if better:
        track, (talk, spoke) = spoke, better
    rows = []
    for row in group.files:
        if row.path in failed:
            skipped.append(Skipped(row.path, failed[row.path]))
            rows.append(replace(row, talk_id=None, note=failed[row.path]))
        elif row == spoke:
            rows.append(replace(row, talk_id=talk.id, note=""))
        else:
            gave = f"gave its times to {talk.source}" if row == track else f"another copy of {talk.source}"
            reason = f", to which it {gave.partition(' to ')[0]}" if row == track else ""
            copies.append(Skipped(row.path, f"the talk {talk.id} was read from {talk.source}{reason}"))
            rows.append(replace(row, talk_id=talk.id, note=gave))
    return talk, rows


def _others(group: Group, spoke: FileRow) -> Iterator[TalkMetadata]:
    """Yield what the other files of a talk say about it; they are read when they are asked for."""
    for row in group.files:
        if row != spoke:
            with suppress(UnreadableError):
                yield read_talk_metadata(Path(row.path), row.source)


def _better_text(talk: Talk, group: Group, track: FileRow) -> tuple[Talk, FileRow] | None:
    """Return the talk with the words of a better file and the times of this one, and that file; None where none is."""
    if not may_be_bettered(talk):
        return None
    for row in group.files:
        known = identity_of(row)
        if row == track or known is None or known.timed:
            continue
        with suppress(UnreadableError):
            better = with_times_of(read_talk(Path(row.path), row.source, _others(group, row)), talk)
            if better:
                return better, row
    return None
