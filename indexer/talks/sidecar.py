"""What lies beside a transcript and describes its talk: `.info.json`, `.nfo`, exports, the tags of its recording."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.readers.bounds import bounded
from talksearch.indexer.readers.decode import decode
from talksearch.indexer.readers.json_values import without_halves

from . import media_tags, nfo, tubearchivist
from .catalogue import catalogues, find_entries
from .chapter_files import find_chapters, read_chapters
from .entry import Info, merged
from .folders import Listing, beside, listing, never_ends
from .info_json import SidecarMetadata, from_info
from .recordings import find_recording, same_talk
from .track_names import is_named_after_folder, track_name, without_ending

LARGEST_BYTES = 64_000_000
"""yt-dlp's sidecars take about 0.7 MB; comments can make them tens of times larger."""
_LONGEST_DESCRIPTION = 1_000_000
"""Bytes; YouTube allows 5000 characters."""
_LARGEST_NFO = 1_000_000
_NFO_OF_FOLDER = "movie.nfo"
_NFO_OF_SHOW = "tvshow.nfo"
_FILLED = (
    *("title", "channel", "speaker", "date", "url", "duration_ms", "description", "chapters", "language"),
    *("youtube_id", "entry"),
)
"""Fields that other files fill where an `.info.json` leaves them open."""


def find_sidecar(path: Path) -> Path | None:
    """Find the `.info.json` that belongs to a transcript: of the same stem, with or without the language tag."""
    return _find_beside(path, ".info.json") or (beside(path, "info.json") if is_named_after_folder(path) else None)


def find_description(path: Path) -> Path | None:
    """Find the `.description` that yt-dlp wrote for the recording of a transcript."""
    return beside(path, f"{track_name(path).stem}.description")


def find_nfo(path: Path) -> Path | None:
    """Find the `.nfo` of a transcript's recording, or `movie.nfo` where every talk has a folder of its own."""
    if not _by_talk(listing(path.parent), ".nfo"):
        return None
    return _find_beside(path, ".nfo") or (beside(path, _NFO_OF_FOLDER) if is_named_after_folder(path) else None)


def _find_show(path: Path) -> Path | None:
    """Find the `.nfo` of the show, or channel, of a recording: beside it, or above the folder of its season."""
    if _by_talk(listing(path.parent), ".nfo") and (found := beside(path, _NFO_OF_SHOW)):
        return found
    above = os.path.join(os.path.dirname(path.parent), _NFO_OF_SHOW)  # noqa: PTH118, PTH120 - asked of every file
    return Path(above) if os.path.isfile(above) else None  # noqa: PTH113 - it never raises


def metadata_files(path: Path) -> list[Path]:
    """Return the files beside a transcript that describe its talk alone, or its channel."""
    own_nfo = find_nfo(path)
    found = (find_sidecar(path), find_description(path), find_chapters(path), own_nfo, _find_show(path))
    return [file for file in found if file and not never_ends(file)]


def shared_files(path: Path) -> list[Path]:
    """Return the files beside a transcript that describe several talks; `shared_metadata` says what of this one."""
    return catalogues(path)


def shared_metadata(path: Path) -> bytes:
    """Return what files that describe several talks, and the tags of the recording, say of a transcript's talk.

    It is as short as that: such a file may be of many megabytes, and change for every talk that it gets. Empty where
    they say nothing.
    """
    shared = [entry.info for entry in find_entries(path)]
    infos = [*shared, *_tags(path, [*_read_nfo(path), *shared])]
    return json.dumps(infos, sort_keys=True, default=str).encode() if infos else b""


def _find_beside(path: Path, ending: str) -> Path | None:
    """Find the file of a talk that has an ending: by the stem of its tracks, else by the talk that its name means."""
    stem = track_name(path).stem
    for name in dict.fromkeys((stem, without_ending(path.name), path.name)):
        found = beside(path, f"{name}{ending}")
        if found is not None:
            return found
    talk = same_talk(stem)
    return next((path.with_name(name) for name in _by_talk(listing(path.parent), ending).get(talk, ())), None)


@lru_cache(maxsize=16)
def _by_talk(folder: Listing, ending: str) -> dict[str, list[str]]:
    """Return the names with an ending, by the talk that they mean."""
    found: dict[str, list[str]] = {}
    for name in folder.names:
        if name.lower().endswith(ending):
            found.setdefault(same_talk(name[: -len(ending)]), []).append(name)
    return found


def read_sidecar(path_of_transcript: Path) -> SidecarMetadata | None:
    """Read the sidecar of a transcript; None where there is none.

    Nothing in it is trusted: a value of the wrong type or out of all measure is left out and named in `problem`. A
    `.description` is its description where it has none, and a file of chapters has its chapters. Never raises.
    """
    metadata = _filled(_read_info(path_of_transcript), path_of_transcript)
    known = metadata or SidecarMetadata()
    chapter_file = None if known.chapters else find_chapters(path_of_transcript)
    filled = replace(
        known,
        description=known.description or _read_description(path_of_transcript),
        chapters=known.chapters or (read_chapters(chapter_file) if chapter_file else ()),
    )
    problems = [*filter(None, [known.problem]), *_problems(path_of_transcript)]
    if chapter_file and not filled.chapters:
        problems.append(f"{chapter_file.name} holds no chapters that can be read.")
    filled = replace(filled, problem=" ".join(problems) or None)
    return metadata if filled == known else filled


def _problems(path: Path) -> Iterator[str]:
    """Yield a sentence for each file that describes the talk and was not read, or not to its end.

    What `_read_info` finds wrong in what it read is not among them.
    """
    own = find_nfo(path)
    info = find_sidecar(path)
    if info and never_ends(info):
        yield f"{info.name} is a pipe or a device and was not read."
    for file, most in ((own, _LARGEST_NFO), (find_description(path), _LONGEST_DESCRIPTION)):
        if file is None:
            continue
        try:
            if never_ends(file):
                yield f"{file.name} is a pipe or a device and was not read."
            elif not (size := file.stat().st_size):
                continue
            elif size > most:
                yield f"{file.name} has {size:,} bytes, more than {most:,}, and was not read."
            elif file == own and (damage := nfo.damage_in(bounded(decode(file.read_bytes())[0]).text)):
                yield f"{file.name} {damage}."
            else:
                with file.open("rb"):
                    pass
        except OSError as error:
            yield f"{file.name} cannot be read: {error.strerror}."
        except UnreadableError as error:
            yield f"{file.name} was not read: {error.message}"


def _filled(metadata: SidecarMetadata | None, path: Path) -> SidecarMetadata | None:
    """Fill what yt-dlp's sidecar leaves open, or is not there to say, from all other files that describe the talk."""
    entries = find_entries(path)
    infos = [*_read_nfo(path), *(entry.info for entry in entries)]
    infos += _tags(path, infos)
    video = tubearchivist.id_of(path.parent, track_name(path).stem)
    if video:
        infos.append({"id": video, "extractor": "youtube"})
    info = merged(infos)
    if not info:
        return metadata
    other = from_info(info, "what describes it")
    other = replace(other, entry=next((entry.id for entry in entries if entry.id), None))
    if metadata is None:
        return other
    open_fields = {name: value for name in _FILLED if not getattr(metadata, name) and (value := getattr(other, name))}
    return replace(metadata, **open_fields) if open_fields else metadata


def _read_nfo(path: Path) -> list[Info]:
    found = []
    own, show = find_nfo(path), _find_show(path)
    if own and (text := _short_text(own)):
        found.append(nfo.info_in(text))
    if show and (text := _short_text(show)) and (channel := nfo.show_in(text)):
        found.append({"channel": channel})
    return [info for info in found if info]


def _short_text(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST_NFO or never_ends(path):
            return ""
        return bounded(decode(path.read_bytes())[0]).text
    except (OSError, UnreadableError):
        return ""


def _tags(path: Path, described: Sequence[Info]) -> list[Info]:
    """Return what the tags of the recording say, where nothing else that `described` the talk has a title."""
    if find_sidecar(path) or any(info.get("title") for info in described):
        return []
    recording = find_recording(path)
    info = media_tags.read_tags(recording) if recording else None
    return [info] if info else []


def _read_description(path_of_transcript: Path) -> str:
    path = find_description(path_of_transcript)
    try:
        if path is None or path.stat().st_size > _LONGEST_DESCRIPTION or never_ends(path):
            return ""
        return path.read_bytes().decode("utf-8-sig", errors="replace").strip()
    except OSError:
        return ""


def _read_info(path_of_transcript: Path) -> SidecarMetadata | None:
    path = find_sidecar(path_of_transcript)
    if path is None or never_ends(path):
        return None
    try:
        stat = path.stat()
    except OSError as error:
        return SidecarMetadata(problem=f"{path.name} cannot be read: {error.strerror}.")
    return _read(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=64)
def _read(path: Path, _mtime_ns: int, size: int) -> SidecarMetadata:
    if size > LARGEST_BYTES:
        return SidecarMetadata(problem=f"{path.name} has {size // 1_000_000} MB and was not read.")
    try:
        raw = path.read_bytes()
        data = json.loads(without_halves(raw.decode(json.detect_encoding(raw))))
    except OSError as error:
        return SidecarMetadata(problem=f"{path.name} cannot be read: {error.strerror}.")
    except UnicodeDecodeError:
        return SidecarMetadata(problem=f"{path.name} is not text.")
    except json.JSONDecodeError as error:
        return SidecarMetadata(problem=f"{path.name} is broken JSON at line {error.lineno}: {error.msg}.")
    except (ValueError, RecursionError):
        return SidecarMetadata(problem=f"{path.name} is JSON that nobody can read: too deep, or a number too long.")
    if not isinstance(data, dict):
        return SidecarMetadata(problem=f"{path.name} holds no JSON object.")
    return from_info(data, path.name)
