"""Reading the talks of a run, several at once, and handing each on as rows. Nothing here writes to an index.

A talk is read, restored, split and searched for names where it is read: in a worker process where there is much to do
and more than one core. What comes back are rows, in the order of the groups, so an index is the same however many
processes read.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue

from talksearch.indexer.errors import DiskError, UnreadableError
from talksearch.indexer.passages.metadata_passages import notes
from talksearch.indexer.passages.misheard import misheard
from talksearch.indexer.passages.split import split
from talksearch.indexer.passages.track_words import words_meanwhile
from talksearch.indexer.process import collections_paused, cores
from talksearch.indexer.records import Mishearing, RareWord, Talk
from talksearch.indexer.restore.align_times import may_be_bettered, with_times_of
from talksearch.indexer.stores.catalog import FileRow
from talksearch.indexer.stores.catalog_writer import TalkRows, rows_of
from talksearch.indexer.talks.balance import UNBALANCED
from talksearch.indexer.talks.opened_file import OpenedFile, ScannedFiles
from talksearch.indexer.talks.read import failing_on_one_file, open_transcript
from talksearch.indexer.talks.receipt import changes
from talksearch.indexer.text.language_names import language_name
from talksearch.indexer.text.languages import load_detector
from talksearch.indexer.worker import WorkerProcess, start_worker

from .further_tracks import TrackFile, further_tracks
from .group_files import GroupFiles, OpenFile
from .plan import Group
from .scan import identity_of
from .sizing import PassageSizer

_AHEAD = 64
"""Talks that may be read before their turn to be written; they are kept in memory until then."""

_BYTES_PER_PROCESS = 2_000_000
"""Bytes of transcripts that make one more process worth starting: it needs a second to start, and reads a megabyte in
about that time."""

_MOST_PROCESSES = 16
"""Processes that one writer can keep up with, with room to spare."""


@dataclass(frozen=True, slots=True)
class SkippedFile:
    """A file that gave no talk, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class TalkResult:
    """What came of the files of one talk."""

    file_rows: list[FileRow]
    """What to remember of each file."""
    talk_rows: TalkRows | None = None
    """The talk; None where no file could be read."""
    youtube_id: str | None = None
    talk_path: str = ""
    """The file that the talk was read from."""
    mishearings: tuple[Mishearing, ...] = ()
    rare_words: tuple[RareWord, ...] = ()
    unbalanced: list[SkippedFile] = field(default_factory=list)
    """The files with words that are not accounted for, and what is wrong, a sentence."""
    repairs: frozenset[str] = frozenset()
    """The kinds of repair that the talk needed."""
    duplicates: list[SkippedFile] = field(default_factory=list)
    """Files that hold the talk as well, and less well."""
    tracks: list[SkippedFile] = field(default_factory=list)
    """Files that hold it in another language."""
    skipped: list[SkippedFile] = field(default_factory=list)
    """Files that could not be read as transcripts."""
    lost: bool = False
    """Whether the process that read it ended. Nothing is known of its files, and the next run tries again."""


@dataclass(frozen=True, slots=True)
class _TalkFiles:
    """A talk and what became of each of its files."""

    talk: Talk | None
    file_rows: list[FileRow]
    duplicates: list[SkippedFile]
    skipped: list[SkippedFile]
    tracks: list[TrackFile] = field(default_factory=list)


def read_group(
    group: Group, sizer: PassageSizer, id_suffix: str = "", open_file: OpenFile = open_transcript
) -> TalkResult:
    """Read the talk of a group of files from the best of them.

    Args:
        group: The files of the talk.
        sizer: How talks are split.
        id_suffix: Tells the talk from another with its id.
        open_file: Opens a file of the group.
    """
    with collections_paused():
        files = _read_files(group, open_file)
        talk, file_rows = files.talk, files.file_rows
        if talk is None:
            return TalkResult(file_rows, skipped=files.skipped)
        if id_suffix:
            talk = replace(talk, id=f"{talk.id}-{id_suffix}")
            file_rows = [replace(row, talk_id=talk.id) if row.talk_id else row for row in file_rows]
        try:
            with failing_on_one_file():
                passages = split(talk, sizer.counter(), sizer.max_tokens, sizer.splitting)
                mishearings, rare_words = misheard(talk)
                passages = (*passages, *notes(talk))
                tracks = [file.track for file in files.tracks if file.track]
                talk_rows = rows_of(talk, passages, tracks, words_meanwhile(passages, tracks))
        except UnreadableError as error:
            skipped = [SkippedFile(row.path, error.message) for row in file_rows]
            file_rows = [replace(row, talk_id=None, note=error.message) for row in file_rows]
            return TalkResult(file_rows, skipped=[*files.skipped, *skipped])
        talk_path = next(row.path for row in file_rows if row.talk_id and not row.note)
        return TalkResult(
            file_rows=file_rows,
            talk_rows=talk_rows,
            youtube_id=talk.youtube_id,
            talk_path=talk_path,
            mishearings=mishearings,
            rare_words=rare_words,
            unbalanced=[
                SkippedFile(path, note)
                for path, read in [(talk_path, talk), *((file.row.path, file.talk) for file in files.tracks)]
                for note in (read.receipt.uncertain if read else ())
                if note.startswith(UNBALANCED)
            ],
            # That a language was told from the words repairs nothing.
            repairs=frozenset(step.name for step in changes(talk.receipt) if step.field != "language"),
            duplicates=files.duplicates,
            tracks=[
                SkippedFile(file.row.path, f"is the {language_name(file.track.language)} track of {talk.source}")
                for file in files.tracks
                if file.track
            ],
            skipped=files.skipped,
        )


def read_groups(
    groups: Sequence[Group], sizer: PassageSizer, processes: int | None = None, scanned: ScannedFiles | None = None
) -> Iterator[TalkResult]:
    """Read the talks of all groups and yield them in order.

    A process that ends over a talk (no memory, a defect in a library) costs that talk, which comes as `lost` and with a
    reason; another process takes its place.

    Args:
        groups: The files of each talk.
        sizer: How talks are split.
        processes: How many processes read beside this one, which then only writes; by default as many as there are
            cores and work for.
        scanned: Files that this process has opened already.
    """
    scanned = scanned or ScannedFiles()
    count = _process_count(groups) if processes is None else processes
    if count < 2 or sizer.tokenizer is None or not groups:
        if groups:
            threading.Thread(target=load_detector, name="talksearch-languages").start()
        yield from (read_group(group, sizer, open_file=partial(_open, scanned)) for group in groups)
    else:
        scanned.clear()
        yield from _ReaderPool(groups, sizer, min(count, len(groups))).results()


def _open(scanned: ScannedFiles, path: Path) -> OpenedFile:
    return scanned.take(path) or open_transcript(path)


def _process_count(groups: Sequence[Group]) -> int:
    return min(cores(), _MOST_PROCESSES, sum(map(_size, groups)) // _BYTES_PER_PROCESS)


def _size(group: Group) -> int:
    """Return the bytes of the file that a talk is read from."""
    stamp = json.loads(group.files[0].stamp or "[]")
    return int(stamp[0][1]) if stamp else 0


# --- in worker processes --------------------------------------------------------------------------------------------


class _ReaderPool:
    """Worker processes that read talks ahead of the one that writes them, each fed by a thread of its own."""

    def __init__(self, groups: Sequence[Group], sizer: PassageSizer, count: int) -> None:
        self._groups, self._sizer, self._count = groups, sizer, count
        self._results: SimpleQueue[tuple[int, TalkResult] | None] = SimpleQueue()
        """Positions of groups and what came of them; None: a thread, and its process, are done."""
        self._slots = threading.Semaphore(_AHEAD + 2 * count)
        """Talks that may be under way or waiting to be written."""
        self._positions = iter(reading_order(groups, 2 * count))
        self._positions_lock = threading.Lock()
        self._workers: list[WorkerProcess] = []
        self._stopping = threading.Event()

    def results(self) -> Iterator[TalkResult]:
        """Yield what came of each group, in order. Whoever stops early leaves no process behind."""
        threads = [threading.Thread(target=self._feed_worker, daemon=True) for _ in range(self._count)]
        for thread in threads:
            thread.start()
        try:
            yield from self._in_order(len(threads))
        finally:
            self._stopping.set()
            self._slots.release(self._count)
            for worker in self._workers:
                worker.kill()
            for thread in threads:
                thread.join()

    def _in_order(self, working: int) -> Iterator[TalkResult]:
        ready: dict[int, TalkResult] = {}
        for position, group in enumerate(self._groups):
            while position not in ready and working:
                arrival = self._results.get()
                if arrival is None:
                    working -= 1
                else:
                    ready[arrival[0]] = arrival[1]
            # Where no process can be started, this one reads.
            yield ready.pop(position) if position in ready else read_group(group, self._sizer)
            self._slots.release()

    def _feed_worker(self) -> None:
        """Have a worker process read one group after the other; replace it where it ends over one."""
        worker = self._start_worker()
        while worker is not None:
            self._slots.acquire()
            position = self._next_position()
            if position is None:
                break
            group = self._groups[position]
            result = _ask(worker, group)
            if result is None and not self._stopping.is_set():
                worker = self._start_worker()
            self._results.put((position, result or lost_talk(group)))
        self._results.put(None)

    def _next_position(self) -> int | None:
        with self._positions_lock:
            return None if self._stopping.is_set() else next(self._positions, None)

    def _start_worker(self) -> WorkerProcess | None:
        worker = start_worker(_serve, self._sizer)
        if worker is not None:
            self._workers.append(worker)
            if self._stopping.is_set():  # `results` may have killed all workers before this one was in the list
                worker.kill()
        return worker


def reading_order(groups: Sequence[Group], early: int) -> list[int]:
    """Return the positions of groups in the order in which reading them begins.

    The `early` largest texts without times come first, the others as they are. Repairing and unfolding such a text
    takes many times as long as reading captions; if one began last, all processes would wait for it.
    """
    untimed = [
        position
        for position, group in enumerate(groups)
        if (identity := identity_of(group.files[0])) is not None and not identity.timed
    ]
    first = sorted(untimed, key=lambda position: -_size(groups[position]))[:early]
    return [*first, *(position for position in range(len(groups)) if position not in set(first))]


def _serve(connection: Connection, sizer: PassageSizer) -> None:
    """Read the groups that come through the connection until it is closed. Runs in a worker process."""
    while True:
        group = connection.recv()
        try:
            result = read_group(group, sizer)
        except DiskError as error:  # of temporary files; nothing is known of the talk
            result = lost_talk(group, error.message)
        connection.send(result)


def _ask(worker: WorkerProcess, group: Group) -> TalkResult | None:
    """Have a group read by a worker process; None where the process ended over it."""
    try:
        result: TalkResult = worker.ask(group)
    except (EOFError, OSError):
        return None
    return result


def lost_talk(
    group: Group, problem: str = "The process that read it ended; it may have run out of memory."
) -> TalkResult:
    """Return what came of a group of which nothing is known, as `problem` says, a sentence."""
    reason = f"{problem} It is tried again in the next run."
    return TalkResult([], skipped=[SkippedFile(row.path, reason) for row in group.files[:1]], lost=True)


# --- the files of one talk ------------------------------------------------------------------------------------------


def _read_files(group: Group, open_file: OpenFile) -> _TalkFiles:
    """Read the group's talk from its best file.

    Where nothing says for sure which of its languages is spoken, times tell: a track of another cut, which most others
    do not fit, is not the one that they translate.
    """
    files = _read_best(group, open_file)
    apart = [track.row for track in files.tracks if track.is_apart]
    if not group.is_open or len(apart) <= max(1, _fitting(files)):
        return files
    others = tuple(row for row in group.files if row != apart[0])
    other = _read_best(replace(group, files=(apart[0], *others)), open_file)
    return other if _fitting(other) > _fitting(files) else files


def _fitting(files: _TalkFiles) -> int:
    """Return how many further tracks have the times of their talk."""
    return sum(track.track is not None for track in files.tracks)


def _read_best(group: Group, open_file: OpenFile) -> _TalkFiles:
    """Read the group's talk from the first file that can be read.

    Where that is a timed track and another file has better words without times, these words get the track's times
    (`align_times.with_times_of`).
    """
    files = GroupFiles(group, open_file)
    talk: Talk | None = None
    source: FileRow | None = None
    failed: dict[str, str] = {}
    for row in group.files:
        try:
            talk, source = files.read(row), row
            break
        except UnreadableError as error:
            failed[row.path] = error.message
    skipped = [SkippedFile(path, message) for path, message in failed.items()]
    if talk is None or source is None:
        return _TalkFiles(None, [replace(row, talk_id=None, note=failed[row.path]) for row in group.files], [], skipped)
    track = None
    better = _better_text(talk, group, source, files)
    if better:
        track, (talk, source) = source, better
    rest = [row for row in group.files if row not in (source, track) and row.path not in failed]
    tracks = {file.row.path: file for file in further_tracks(talk, rest, files)}
    file_rows = []
    duplicates = []
    for row in group.files:
        file = tracks.get(row.path)
        if file is not None and file.failed:
            skipped.append(SkippedFile(row.path, file.reason))
            file_rows.append(replace(row, talk_id=None, note=file.reason))
        elif file is not None and file.track:
            note = f"is the {language_name(file.track.language)} track of {talk.source}"
            file_rows.append(replace(row, talk_id=talk.id, note=note))
        elif row.path in failed:
            file_rows.append(replace(row, talk_id=None, note=failed[row.path]))
        elif row == source:
            file_rows.append(replace(row, talk_id=talk.id, note=""))
        else:
            reason = f"the talk {talk.id} was read from {talk.source}"
            note = f"another copy of {talk.source}"
            if row == track:
                reason += ", to which it gave its times"
                note = f"gave its times to {talk.source}"
            elif file is not None and file.reason:
                reason += f"; {file.reason}"
                note += f"; {file.reason}"
            duplicates.append(SkippedFile(row.path, reason))
            file_rows.append(replace(row, talk_id=talk.id, note=note))
    return _TalkFiles(talk, file_rows, duplicates, skipped, list(tracks.values()))


def _better_text(talk: Talk, group: Group, track: FileRow, files: GroupFiles) -> tuple[Talk, FileRow] | None:
    """Return the talk with the words of a better file and the times of this one, and that file; None where none is.

    Args:
        talk: as it was read from the track.
        group: its files.
        track: the one with times.
        files: what reads them.
    """
    if not may_be_bettered(talk):
        return None
    for row in group.files:
        identity = identity_of(row)
        if row == track or identity is None or identity.timed:
            continue
        with suppress(UnreadableError):
            better = with_times_of(files.read(row), talk)
            if better:
                return better, row
    return None
