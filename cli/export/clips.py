"""Stretches of local recordings, cut out with ffmpeg: the hits of a query, or the chapters of talks.

Each clip is encoded anew, because only that begins it at the second that was asked for: copied pictures begin where the
recording happens to have a whole one, up to ten seconds early.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from talksearch.indexer.errors import QueryError, TalksearchError
from talksearch.indexer.records import Talk
from talksearch.indexer.text.untrusted import safe

from .files import file_name
from .recordings import Stretch, address_of, file_of, stretch_of
from .selection import Selection

_ENDING = "mp4"
"""Of clips, also of those without a picture; every player takes it."""

_EMPTY_BYTES = 1_000
"""An MP4 that holds less is a head without a picture or a sound."""


@dataclass(frozen=True, slots=True)
class Clip:
    """What became of one stretch."""

    path: Path | None
    """Where the clip lies; None where there is none."""
    problem: str = ""
    """A sentence that says why there is none."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A stretch to be cut, and what its clip is called after."""

    talk: Talk
    title: str
    stretch: Stretch


def cut(selection: Selection, folder: Path) -> Iterator[Clip]:
    """Cut hits, or the chapters of talks, into a folder, which is made where there is none.

    Names begin with a number that sorts them as they were selected. A clip that cannot be cut is said, and the others
    are cut all the same; a file that is there already is left as it is. Recordings on the web are not fetched.

    Raises TalksearchError where ffmpeg is not installed or the folder cannot be made, and QueryError where the talks
    have no chapters.
    """
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        raise TalksearchError("Clips are cut by ffmpeg, which is not installed.", "Install it: https://ffmpeg.org")
    wanted = list(_wanted(selection))
    if not wanted and selection.kind != "hits":
        raise QueryError("These talks have no chapters to cut at.", "To cut hits: --query TEXT --clips DIR")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TalksearchError(f"The folder {folder} cannot be made: {error.strerror}.", "Name another one.") from error
    digits = len(str(len(wanted)))
    for number, one in enumerate(wanted, 1):
        name = f"{number:0{digits}}-{file_name(one.title)}-{_moment(one.stretch.start_ms)}.{_ENDING}"
        yield _clip(ffmpeg, one, folder / name)


def _wanted(selection: Selection) -> Iterator[_Wanted]:
    if selection.kind == "hits":
        talks = {talk.id: talk for talk in selection.talks}
        for hit in selection.hits:
            if hit.talk_id in talks:
                yield _Wanted(talks[hit.talk_id], hit.title, stretch_of(hit))
        return
    for talk in selection.talks:
        last_ms = max(talk.duration_ms or 0, max((cue.end_ms for cue in talk.cues), default=0))
        ends = [*(chapter.start_ms for chapter in talk.chapters[1:]), last_ms]
        for chapter, end_ms in zip(talk.chapters, ends, strict=False):
            if end_ms > chapter.start_ms:
                yield _Wanted(talk, f"{talk.title} {chapter.title}", Stretch(chapter.start_ms, end_ms))


def _clip(ffmpeg: str, wanted: _Wanted, path: Path) -> Clip:
    """Cut one clip, so that it is there as a whole or not at all."""
    recording = file_of(wanted.talk)
    what = f"{wanted.title}, {_moment(wanted.stretch.start_ms)}"
    if recording is None:
        address = address_of(wanted.talk)
        if address is None:
            return Clip(None, f"Not cut, no recording is known: {what}.")
        where = "the recording is not there any more" if address.startswith("file:") else "the recording is on the web"
        return Clip(None, f"Not cut, {where}: {what}, {address}")
    if path.exists():
        return Clip(None, f"Not cut, a file of that name is there already: {path}")
    part = path.with_name(f".{path.stem}.part.{_ENDING}")
    try:
        done = subprocess.run(  # noqa: S603 - a list of arguments, read by no shell
            _command(ffmpeg, recording, wanted, part), capture_output=True, check=False, stdin=subprocess.DEVNULL
        )
        if done.returncode:
            told = done.stderr.decode(errors="replace").strip().splitlines()
            return Clip(None, f"Not cut, ffmpeg failed on {recording}: {safe(told[-1]) if told else done.returncode}")
        if part.stat().st_size < _EMPTY_BYTES:
            return Clip(None, f"Not cut, the recording ends before: {what}, {recording}")
        part.rename(path)
    except OSError as error:
        return Clip(None, f"Not cut, {path} cannot be written: {error.strerror}.")
    finally:
        part.unlink(missing_ok=True)
    return Clip(path)


def _command(ffmpeg: str, recording: Path, wanted: _Wanted, out: Path) -> list[str]:
    """Return the call of ffmpeg. `-ss` before `-i` seeks fast, and decodes from the picture before up to the second.

    `file:` keeps names with a colon from being taken for addresses; `V` is a picture that moves, not the cover of an
    album.
    """
    start_s, length_s = wanted.stretch.start_ms / 1000, (wanted.stretch.end_ms - wanted.stretch.start_ms) / 1000
    return [
        ffmpeg, "-nostdin", "-hide_banner", "-loglevel", "error", "-y",
        "-ss", f"{start_s:.3f}", "-i", f"file:{recording}", "-t", f"{length_s:.3f}",
        "-map", "0:V:0?", "-map", "0:a:0?", "-pix_fmt", "yuv420p", "-movflags", "+faststart",
        "-metadata", f"title={safe(wanted.title)}", f"file:{out}",
    ]  # fmt: skip


def _moment(ms: int) -> str:
    """Return a time for the name of a file, in which a colon may not stand.

    >>> _moment(3_723_900)
    '1h02m03s'
    """
    seconds = ms // 1000
    return f"{seconds // 3600}h{seconds // 60 % 60:02}m{seconds % 60:02}s"
