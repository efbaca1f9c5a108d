"""Keeping an index current while files arrive: after a change, and when it is quiet again, the index is made anew.

Which files count is decided by the run, as ever; this module only says when to run. A run that finds nothing new takes
as long as looking at the files, so one too many does no harm.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import monotonic

from talksearch.indexer import layout
from talksearch.indexer.errors import LockedError, TalksearchError
from talksearch.indexer.pipeline.report import Report
from talksearch.indexer.stores import catalog
from talksearch.indexer.talks.track_names import RECORDINGS

from .render.common import counted

UNFINISHED = (".part", ".ytdl", ".crdownload", ".download", ".partial", ".tmp", ".temp", "~")
"""How the names of files end that a program is still writing: yt-dlp, browsers, wget, rsync, editors. Their last name
comes with a change of its own."""

_RECORDINGS = tuple(f".{ending}" for ending in RECORDINGS)

_SAYS_NOTHING = ("nfs", "cifs", "smb", "9p", "fuse", "vboxsf", "prl_fs", "drvfs", "afs", "ceph", "lustre", "ncpfs")
"""How the names of file systems begin on which other machines change files, and of which Linux is not told."""

_MOUNTS = Path("/proc/self/mounts")


@dataclass(frozen=True, slots=True)
class Pace:
    """How often it is looked, and how long waited. Seconds."""

    tick_s: float = 0.5
    """Whether it is quiet, and whether each PATH is still there, is asked so often."""
    quiet_s: float = 2.0
    """So long nothing must change before a run: who writes a file in pieces writes the next one sooner."""
    longest_s: float = 60.0
    """A run is not put off longer than that, however much goes on changing."""
    poll_s: float = 10.0
    """Files are looked at so often where the system says nothing of changes."""


@dataclass(slots=True)
class _Pending:
    """A change that no run has seen yet. Times of the monotonic clock."""

    first: float | None = None
    last: float = 0.0

    def note(self) -> None:
        self.last = monotonic()
        self.first = self.last if self.first is None else self.first

    def is_due(self, pace: Pace) -> bool:
        now = monotonic()
        return self.first is not None and (now - self.last >= pace.quiet_s or now - self.first >= pace.longest_s)


Tell = Callable[[str], None]
"""Is called with a line for the user."""


def when_free(build: Callable[[], Report], tell: Tell, stop: threading.Event, pace: Pace = Pace()) -> Report | None:
    """Return what a run reports, once no other process writes to the index; None where it was stopped before.

    Raises what the run raises, but LockedError.
    """
    is_told = False
    while not stop.is_set():
        try:
            return build()
        except LockedError as error:
            if not is_told:
                tell(f"{error.message} This run waits until it is done.")
                is_told = True
            stop.wait(pace.tick_s)
    return None


def watch(
    folder: Path,
    build: Callable[[], Report],
    tell: Tell,
    *,
    first: Report,
    stop: threading.Event,
    pace: Pace = Pace(),
    polls: bool | None = None,
) -> None:
    """Run after each change under the PATHs of an index, until it is stopped or interrupted.

    A run that fails is told, and the next change is waited for. Raises KeyboardInterrupt where a signal does.

    Args:
        folder: The index.
        build: Makes the index hold what lies under all its PATHs.
        tell: Gets a line for each run that changed something or failed, and for each PATH that goes or comes back.
        first: What the run before reported.
        stop: Ends it from another thread.
        pace: How long is waited.
        polls: Look at all files again and again, and do not wait for the system to say what changed. None: where the
            file system says nothing.
    """
    pending, missing, before = _Pending(), set[Path](), first
    roots = _roots_of(folder, ())
    tells_of_polling = True
    while not stop.is_set():
        pending.note()  # what changed before the watch began, or between two of them, is seen by one more run
        states = {root: _state_of(root) for root in roots}
        missing = _tell_missing(states, missing, tell)
        folders = [root for root in roots if root.is_dir()]
        does_poll = polls if polls is not None else any(map(_says_nothing, folders))
        if does_poll and tells_of_polling:
            tells_of_polling = False
            tell(f"Files are looked at every {pace.poll_s:g} s, because their system does not say what changes.")
        try:
            for changed in _ticks(folders, stop, pace, polls=does_poll):
                if any(_counts(path, folder, roots, is_modified=kind == "modified") for kind, path in changed):
                    pending.note()
                if any(_state_of(root) != state for root, state in states.items()):
                    break
                if pending.is_due(pace):
                    pending = _Pending()
                    before = _run(build, before, tell, stop, pace)
                    now = _roots_of(folder, roots)
                    if now != roots:  # another run gave the index a PATH, or took one
                        roots = now
                        break
        except TalksearchError as error:
            if does_poll:
                raise
            polls = True
            tell(error.message)


def summary(report: Report, before: Report) -> str:
    """Return in a line what a run did; empty where nothing is different from the run before.

    >>> summary(Report(added=["a", "b"], kept=["c"]), Report())
    '2 added; 3 talks in the index.'
    """
    counts = (("added", report.added), ("replaced", report.replaced), ("dropped", report.dropped))
    done = ", ".join(f"{len(talks):,} {what}" for what, talks in counts if talks)
    known = {(file.path, file.reason) for file in before.skipped}
    skipped = [file for file in report.skipped if (file.path, file.reason) not in known]
    held = {talk.talk_id for talk in report.held}
    parts = [done] if done else []
    if skipped:
        more = f" and {len(skipped) - 1:,} more" if len(skipped) > 1 else ""
        parts.append(f"skipped {skipped[0].path}{more}: {skipped[0].reason.rstrip('.')}")
    if held != {talk.talk_id for talk in before.held}:
        parts.append(f"{len(held):,} stayed, because their files cannot be read now" if held else "all files are back")
    if not parts:
        return ""
    total = len(report.added) + len(report.replaced) + len(report.kept)
    return f"{'; '.join(parts)}; {counted('talk', total)} in the index."


def _run(build: Callable[[], Report], before: Report, tell: Tell, stop: threading.Event, pace: Pace) -> Report:
    """Run once and tell what it did; returns what the next run is compared with."""
    time = f"{datetime.now():%H:%M:%S}"
    try:
        report = when_free(build, tell, stop, pace)
    except TalksearchError as error:
        tell(f"{time} Not indexed: {' '.join(filter(None, (error.message, error.hint)))}")
        return before
    except (OSError, sqlite3.Error) as error:
        tell(f"{time} Not indexed: {error}. The next change is waited for.")
        return before
    if report is None:
        return before
    line = summary(report, before)
    if line:
        tell(f"{time} {line}")
    return report


def _ticks(
    folders: Sequence[Path], stop: threading.Event, pace: Pace, *, polls: bool
) -> Iterator[set[tuple[str, Path]]]:
    """Yield what changed, as kind and path, at least once in a tick. It ends where a folder is gone.

    Raises TalksearchError where they cannot be watched.
    """
    if not folders:
        while not stop.wait(pace.tick_s):
            yield set()
        return
    from watchfiles import watch as watch_files  # it takes a while to import

    milliseconds = round(pace.tick_s * 1000)
    try:
        for changes in watch_files(
            *folders,
            watch_filter=None,  # which would swallow the ticks of a folder where much happens that does not count
            debounce=milliseconds,
            step=max(1, milliseconds // 10),
            stop_event=stop,
            rust_timeout=milliseconds,
            yield_on_timeout=True,
            force_polling=polls or None,
            poll_delay_ms=round(pace.poll_s * 1000),
            ignore_permission_denied=True,
        ):
            yield {(kind.name, Path(path)) for kind, path in changes}
    except FileNotFoundError:
        stop.wait(pace.tick_s)  # a folder went just now; the state of its PATH tells
    except (OSError, RuntimeError) as error:  # such as the system's limit of folders, or what watchfiles makes of it
        raise TalksearchError(f"The folders cannot be watched: {error}.", "Index them now and then.") from error


def _counts(path: Path, index: Path, roots: Iterable[Path], *, is_modified: bool) -> bool:
    """Say whether a change may make the index another one."""
    root = next((root for root in roots if root in path.parents), None)
    if root is None:
        return False
    inside = path.relative_to(root).parts
    if any(part.startswith(".") for part in inside) or path.name.lower().endswith(UNFINISHED):
        return False
    if is_modified and path.name.lower().endswith(_RECORDINGS):
        return False  # only whether it is there counts
    folders = [root.joinpath(*inside[:depth]) for depth in range(1, len(inside) + 1)]
    return not any(_is_index(one, index) for one in folders)


def _is_index(folder: Path, own: Path) -> bool:
    if os.path.realpath(folder) == os.path.realpath(own):
        return True
    with suppress(OSError):
        return layout.is_index(folder)
    return False


def _roots_of(folder: Path, known: Sequence[Path]) -> list[Path]:
    """Return the PATHs of an index; those that are known where it cannot be read now."""
    try:
        with closing(catalog.open_catalog(folder)) as db:
            return [Path(path) for path in catalog.roots(db)]
    except (TalksearchError, sqlite3.Error):
        return list(known)


def _state_of(root: Path) -> tuple[int, ...] | None:
    """Return what tells whether a PATH is another one now: which folder it is; of a file, its size and time as well."""
    try:
        status = root.stat()
    except OSError:
        return None
    which = (status.st_dev, status.st_ino)
    return which if root.is_dir() else (*which, status.st_size, status.st_mtime_ns)


def _tell_missing(states: dict[Path, tuple[int, ...] | None], missing: set[Path], tell: Tell) -> set[Path]:
    """Return the PATHs that are gone, and say once of each that it is, and that it is back."""
    now = {root for root, state in states.items() if state is None}
    for root in sorted(now - missing):
        tell(f"{root} is not there. Its talks stay, and it is waited for.")
    for root in sorted(missing - now):
        tell(f"{root} is back.")
    return now


def _says_nothing(folder: Path) -> bool:
    """Say whether a folder lies on a file system of whose changes Linux is not told."""
    try:
        mounts = [line.split(" ") for line in _MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()]
    except OSError:  # another system, whose own means watchfiles knows
        return False
    real = Path(os.path.realpath(folder))
    around = [
        (point, mount[2])
        for mount in mounts
        if len(mount) > 2 and ((point := Path(mount[1].replace("\\040", " "))) == real or point in real.parents)
    ]
    nearest = max(around, key=lambda pair: len(pair[0].parts), default=(real, ""))
    return nearest[1].startswith(_SAYS_NOTHING)
