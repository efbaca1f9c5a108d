"""Recordings that nothing is known of because no transcript lies beside them, and how long they are."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.text import youtube

from .folders import Listing, listing
from .read import open_transcript
from .recordings import FOLDERS_OF_CAPTIONS, has_no_picture, is_recording, recordings_of, talk_of_recording
from .track_names import without_ending
from .unspoken import refuse_by_name
from .walk import may_be_transcript

_LONGEST_LOOK_S = 1.0
"""Seconds for which lengths of recordings are read. Those left are told from their sizes, so that an archive of many
thousands does not keep a run waiting."""


@dataclass(frozen=True, slots=True)
class Untranscribed:
    """A recording without a transcript."""

    path: Path
    duration_ms: int | None
    """How long it is; None where neither its head nor its size tells."""


def without_transcript(
    recordings: Iterable[Path], transcripts: Iterable[Path], videos: Iterable[str] = ()
) -> list[Path]:
    """Return the recordings of talks of which there is no transcript, one of each talk, in the order of their paths.

    Of several recordings of a talk it is the one of sound alone, which is read more quickly.

    Args:
        recordings: The recordings that lie there.
        transcripts: The files that are transcripts.
        videos: Ids of YouTube videos of which there is a transcript, wherever it lies.
    """
    known = {(found.parent, talk_of_recording(found)) for path in transcripts for found in recordings_of(path)}
    transcribed = frozenset(videos)
    talks: dict[tuple[Path, str], list[Path]] = defaultdict(list)
    for path in recordings:
        if youtube.id_from_name(without_ending(path.name)) not in transcribed:
            talks[path.parent, talk_of_recording(path)].append(path)
    return sorted(
        min(paths, key=lambda path: (not has_no_picture(path.name), path))
        for talk, paths in talks.items()
        if talk not in known
    )


def transcript_of(recording: Path) -> Path | None:
    """Return a transcript that lies beside a recording, None where there is none. Files that may be one are opened."""
    folder = recording.parent
    near = (folder, *_folders_of_captions(folder))
    tracks = _tracks_by_talk(near, tuple(map(listing, near)))
    return next(filter(is_transcript, tracks.get((folder, talk_of_recording(recording)), ())), None)


def is_transcript(path: Path) -> bool:
    """Say whether a file is a transcript. It is opened."""
    with suppress(UnreadableError, OSError):
        refuse_by_name(path)
        open_transcript(path)
        return True
    return False


def _folders_of_captions(folder: Path) -> Iterator[Path]:
    for name in listing(folder).names:
        if name.lower() in FOLDERS_OF_CAPTIONS and (folder / name).is_dir():
            yield folder / name


@lru_cache(maxsize=16)
def _tracks_by_talk(
    folders: tuple[Path, ...], listings: tuple[Listing, ...]
) -> dict[tuple[Path, str], tuple[Path, ...]]:
    """Return the files in some folders that may be transcripts by their names, by the talk that a recording has there.

    The listings are those of the folders; what is worked out from the same ones is found again at once.
    """
    found: dict[tuple[Path, str], dict[Path, None]] = defaultdict(dict)
    for folder, names in zip(folders, listings, strict=True):
        for name in names.names:
            path = folder / name
            if name.startswith(".") or is_recording(name) or not may_be_transcript(path):
                continue
            for recording in recordings_of(path):
                found[recording.parent, talk_of_recording(recording)][path] = None
    return {talk: tuple(paths) for talk, paths in found.items()}


def with_durations(recordings: Sequence[Path], longest_look_s: float = _LONGEST_LOOK_S) -> tuple[Untranscribed, ...]:
    """Return recordings with their lengths, read from their heads.

    Args:
        recordings: The recordings.
        longest_look_s: For how many seconds heads are read. The other lengths are told from the sizes of the files, by
            what others with the same ending have for each byte.
    """
    until = time.monotonic() + longest_look_s
    read: dict[Path, int | None] = {}
    sizes = {path: _size(path) for path in recordings}
    for path in recordings:
        if time.monotonic() > until:
            break
        read[path] = duration_ms(path)
    bytes_of: dict[str, int] = defaultdict(int)
    ms_of: dict[str, int] = defaultdict(int)
    for path, length in read.items():
        if length:
            bytes_of[path.suffix.lower()] += sizes[path]
            ms_of[path.suffix.lower()] += length

    def guessed(path: Path) -> int | None:
        total = bytes_of[path.suffix.lower()]
        return round(ms_of[path.suffix.lower()] * sizes[path] / total) if total else None

    return tuple(Untranscribed(path, read[path] if path in read else guessed(path)) for path in recordings)


def duration_ms(path: Path) -> int | None:
    """Return how long a recording says it is, None where it does not say.

    `tinytag` knows what is mostly sound; the library that decodes for recognition, where it is installed, the others.
    """
    import tinytag  # most runs have no recording to ask

    with suppress(OSError, ValueError, LookupError, ArithmeticError, tinytag.TinyTagException):
        length = tinytag.TinyTag.get(path, tags=False).duration
        if length:
            return round(length * 1000)
    try:
        import av
    except ImportError:
        return None
    with suppress(OSError, ValueError, av.FFmpegError), av.open(str(path), metadata_errors="ignore") as container:
        return container.duration // 1000 if container.duration else None
    return None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
