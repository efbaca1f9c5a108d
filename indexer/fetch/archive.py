"""The folder that talks are brought into: what is done, what was left, and how files land whole.

::

    talks/
        subscriptions.toml         what `sync` asks again
        Harbour Talks/             one folder a channel or a podcast, plain files in it
        .talksearch/               passed over by the walk
            done.txt               one line a talk that landed; yt-dlp's own archive format
            left.jsonl             talks that were left, when they were looked at, and when to look again
            lock                   held by the process that writes
            part/                  what is being fetched; emptied at the start of a run

A talk's files are made in `part/` and moved when all of them are whole; when the disk has their names as well, the
talk is written down as done. A run that is killed at any moment leaves whole files, and at worst a talk that the next
run fetches once more. A file that lies where one would land is never replaced: it is the same talk's, from a run that
was killed, and the user may have corrected it since.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import filelock

from talksearch.indexer.errors import LockedError, TalksearchError
from talksearch.indexer.layout import replace_file

from .records import FetchError

HIDDEN = ".talksearch"
_LONGEST_WAIT_DAYS = 64
"""A talk that stays without captions, or private, is looked at again after 1, 2, 4 … and at last every so many days."""
OF_THE_DISK = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO))
"""Errors of a disk that is full, broken or not to be written. Those of a network are told where it is asked."""


@dataclass(slots=True)
class WaitingTalk:
    """A talk that was left, and when it is looked at again."""

    reason: str
    looks: int
    next_look: datetime
    published: date | None = None
    """The day that it is from, where that was found out; so `since` can be asked without asking the site."""
    title: str = ""
    expected: bool = False
    """Whether it was left because the user wanted it so; then it is due as soon as that is wanted no longer."""
    wishes: str = ""
    """What was wanted then; where something else is wanted now, it is due. Empty where that makes no difference."""


@dataclass(slots=True)
class Archive:
    """The folder of one user, held for writing. Made by `open_archive`."""

    folder: Path
    done: set[str]
    """Keys of the talks that landed."""
    waiting: dict[str, WaitingTalk] = field(default_factory=dict)
    """Talks that were left, by key."""

    def is_due(self, key: str, wishes: str | None = None, now: datetime | None = None) -> bool:
        """Say whether a talk is to be looked at: it has not landed, and if it was left, it is time to look again.

        With the `wishes` of a source, which has not told that the talk is unwanted, it is also due where it was left
        for other wishes.
        """
        left = self.waiting.get(key)
        if key in self.done or left is None:
            return key not in self.done
        if wishes is not None and (left.expected or left.wishes not in ("", wishes)):
            return True
        wait = left.next_look - (now or datetime.now(UTC))
        # Longer than any wait: the clock was wrong when it was left.
        return wait <= timedelta(0) or wait > timedelta(days=_LONGEST_WAIT_DAYS)

    def leave(
        self,
        key: str,
        reason: str,
        title: str = "",
        published: date | None = None,
        *,
        expected: bool = False,
        wishes: str = "",
        soon: bool = False,
    ) -> None:
        """Write down that a talk was left, and look again after twice as many days as the last time.

        `soon` is for what may be no fault of the talk: the first time, the next run looks again.
        """
        looks = self.waiting[key].looks + 1 if key in self.waiting else 1
        days = 0 if soon and looks == 1 else min(2 ** min(looks - 1, 10), _LONGEST_WAIT_DAYS)
        # Half an hour less, so that a daily run does not miss the moment by a minute and wait two days.
        next_look = datetime.now(UTC) + timedelta(days=days) - timedelta(minutes=30)
        self.waiting[key] = left = WaitingTalk(reason, looks, next_look, published, title, expected, wishes)
        with (self.folder / HIDDEN / "left.jsonl").open("a", encoding="utf-8") as file:
            file.write(_line(key, left))

    def land(self, key: str, staged: Path, into: str) -> tuple[Path, ...]:
        """Move the files of a talk from its staging folder to a folder of the archive, and write it down as done.

        Args:
            key: Which talk it is.
            staged: The folder from `staging`, with this talk's finished files and nothing else.
            into: The name of the folder under the archive's; one step, made safe by `names.safe_name`.

        Returns the files where they lie now, in the order of their names. What lies there already stays as it is.

        Raises:
            FetchError: The folder cannot be made, as a file is called so. Nothing was moved.
            OSError: The disk does not take it.
        """
        target = self.folder / into
        try:
            target.mkdir(exist_ok=True)
        except FileExistsError:
            raise FetchError(f"It has no place: {into} should be a folder, and a file is called so.") from None
        files = sorted(staged.iterdir())
        for file in files:
            with file.open("rb+") as opened:  # on disk before the name leads to it
                os.fsync(opened.fileno())
        for file in files:
            if not os.path.lexists(target / file.name):
                _move(file, target / file.name)
        _sync(target)
        _sync(self.folder)
        self.mark_done(key)
        return tuple(target / file.name for file in files)

    def mark_done(self, key: str) -> None:
        """Write down that a talk landed, also under another key by which a list names it."""
        with (self.folder / HIDDEN / "done.txt").open("a", encoding="utf-8") as done:
            done.write(f"{key}\n")
            done.flush()
            os.fsync(done.fileno())
        self.done.add(key)
        self.waiting.pop(key, None)

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """Yield an empty folder on the archive's disk, for the files of one talk; gone when the block ends."""
        folder = Path(tempfile.mkdtemp(dir=self.folder / HIDDEN / "part"))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def open_archive(folder: Path) -> Iterator[Archive]:
    """Hold the folder for writing, make it where it is not there, and clear what a killed run left.

    Raises:
        LockedError: Another process is bringing talks into it.
        TalksearchError: It cannot be written.
    """
    hidden = folder / HIDDEN
    lock = filelock.FileLock(hidden / "lock", timeout=0)
    try:
        hidden.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except filelock.Timeout:
        raise LockedError(
            f"Another process is bringing talks into {folder}.", "Wait until it is done; nothing is lost meanwhile."
        ) from None
    except OSError as error:
        raise TalksearchError(
            f"{folder} cannot be written: {error.strerror or error}.",
            "Name another folder with --to, or make room or get leave to write there.",
        ) from error
    try:
        shutil.rmtree(hidden / "part", ignore_errors=True)
        (hidden / "part").mkdir(exist_ok=True)
        done = _read_done(hidden / "done.txt")
        yield Archive(folder, done, _read_waiting(hidden / "left.jsonl", done))
    except OSError as error:
        if error.errno not in OF_THE_DISK:
            raise
        raise TalksearchError(
            f"{folder} cannot be written: {error.strerror or error}.",
            "What was brought in before is whole. Make room, or get leave to write there, and run it again.",
        ) from error
    finally:
        shutil.rmtree(hidden / "part", ignore_errors=True)
        lock.release()


def _move(file: Path, target: Path) -> None:
    """Move a file at once, also to a folder that is a link to another disk."""
    try:
        file.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        with replace_file(target) as fresh:
            shutil.copyfile(file, fresh)


def _sync(folder: Path) -> None:
    """Wait until the disk has the names in a folder, where a system can be asked for that."""
    try:
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
    except OSError as error:
        if error.errno in (errno.EIO, errno.ENOSPC, errno.EDQUOT):
            raise


def _read_done(path: Path) -> set[str]:
    """Return the keys in the archive of what is done, and end a line that a full disk or a kill cut off."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return set()
    whole, _, cut = text.rpartition("\n")
    if cut:
        with path.open("a", encoding="utf-8") as file:
            file.write("\n")
    return {line.strip() for line in whole.splitlines() if line.strip()}


def _line(key: str, left: WaitingTalk) -> str:
    row = {
        "key": key,
        "reason": left.reason,
        "looks": left.looks,
        "next_look": left.next_look.isoformat(timespec="seconds"),
        "published": left.published.isoformat() if left.published else None,
        "title": left.title,
        "expected": left.expected,
        "wishes": left.wishes,
    }
    return json.dumps(row, ensure_ascii=False).encode("utf-8", "replace").decode() + "\n"


def _read_waiting(path: Path, done: set[str]) -> dict[str, WaitingTalk]:
    """Return what was left and has not landed since, and write the file anew where half of its lines say nothing.

    A line that is damaged is passed over: its talk is looked at once more.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return {}
    lines = text.split("\n")  # not `splitlines`: a title may hold signs that it takes for the end of a line
    cut = lines.pop()
    waiting: dict[str, WaitingTalk] = {}
    for line in lines:
        with suppress(ValueError, KeyError, TypeError, OverflowError):
            row = json.loads(line)
            published = date.fromisoformat(row["published"]) if row["published"] else None
            next_look = datetime.fromisoformat(row["next_look"]).astimezone(UTC)
            expected, wishes = bool(row.get("expected")), str(row.get("wishes") or "")
            waiting[str(row["key"])] = WaitingTalk(
                str(row["reason"]), int(row["looks"]), next_look, published, str(row["title"]), expected, wishes
            )
    waiting = {key: left for key, left in waiting.items() if key not in done}
    if len(lines) > 2 * len(waiting) or cut:
        with replace_file(path) as fresh:
            fresh.write_text("".join(_line(key, left) for key, left in waiting.items()), encoding="utf-8")
    return waiting
