"""What lies beside a transcript and says something of its talk: yt-dlp's `.info.json`, a description, chapters."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from talksearch.indexer.readers.json_values import without_halves
from talksearch.indexer.records import Chapter
from talksearch.indexer.text import youtube
from talksearch.indexer.text.sites import takes_time
from talksearch.indexer.text.untrusted import is_linkable

from .chapter_files import find_chapters, read_chapters
from .folders import Listing, beside, listing
from .language_tags import language_of
from .recordings import same_talk
from .track_names import is_named_after_folder, track_name, without_ending

LARGEST_BYTES = 64_000_000
"""yt-dlp's sidecars take about 0.7 MB; comments can make them tens of times larger."""
_LONGEST_S = 100 * 3600
_LONGEST_DESCRIPTION = 1_000_000
"""Bytes; YouTube allows 5000 characters."""


@dataclass(frozen=True, slots=True)
class SidecarMetadata:
    """What a sidecar says about a talk; None where it says nothing usable."""

    title: str | None = None
    channel: str | None = None
    speaker: str | None = None
    date: str | None = None
    """`YYYY-MM-DD`."""
    url: str | None = None
    duration_ms: int | None = None
    description: str = ""
    chapters: tuple[Chapter, ...] = ()
    language: str | None = None
    youtube_id: str | None = None
    human_tracks: frozenset[str] = frozenset()
    """Language tags of the tracks that people wrote."""
    automatic_tracks: frozenset[str] = frozenset()
    problem: str | None = None
    """What was wrong with the sidecar, a sentence; the rest of it was used as far as possible."""


def find_sidecar(path: Path) -> Path | None:
    """Find the `.info.json` that belongs to a transcript: of the same stem, with or without the language tag."""
    return _find_beside(path, ".info.json") or (beside(path, "info.json") if is_named_after_folder(path) else None)


def find_description(path: Path) -> Path | None:
    """Find the `.description` that yt-dlp wrote for the recording of a transcript."""
    return beside(path, f"{track_name(path).stem}.description")


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
    metadata = _read_info(path_of_transcript)
    known = metadata or SidecarMetadata()
    chapter_file = None if known.chapters else find_chapters(path_of_transcript)
    filled = replace(
        known,
        description=known.description or _read_description(path_of_transcript),
        chapters=known.chapters or (read_chapters(chapter_file) if chapter_file else ()),
    )
    return metadata if filled == known else filled


def _read_description(path_of_transcript: Path) -> str:
    path = find_description(path_of_transcript)
    try:
        if path is None or path.stat().st_size > _LONGEST_DESCRIPTION:
            return ""
        return path.read_bytes().decode("utf-8-sig", errors="replace").strip()
    except OSError:
        return ""


def _read_info(path_of_transcript: Path) -> SidecarMetadata | None:
    path = find_sidecar(path_of_transcript)
    if path is None:
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


def from_info(info: dict[str, Any], name: str = "the sidecar") -> SidecarMetadata:
    """Take from a parsed `.info.json` what can be used.

    >>> from_info({"title": ["x"], "duration": -5, "id": "DTcRLlMv4_o", "extractor": "youtube"}).problem
    'the sidecar: duration is no length of time; title is not text.'
    """
    wrong: list[str] = []

    def text(*keys: str) -> str | None:
        for key in keys:
            value = info.get(key)
            if isinstance(value, str):
                if value.strip():
                    return value.strip()
            elif value is not None:
                wrong.append(f"{key} is not text")
        return None

    url = text("webpage_url", "original_url", "url")
    if url is not None and not re.match(r"(?:https?|file|rtmp)://", url):
        wrong.append("webpage_url is no address")
        url = None
    media = info.get("url")
    if (
        info.get("extractor") == "podcast"
        and isinstance(media, str)
        and is_linkable(media)
        and not takes_time(url or "")
    ):
        url = media  # the page of an episode opens at its beginning, its sound at any second
    if url is not None and len(url) > 2000:
        url = None
    named_id = text("id", "display_id")
    video = youtube.find_id(url or "")
    extractor = str(info.get("extractor_key") or info.get("extractor") or "")
    if video is None and extractor.lower().startswith("youtube") and named_id and youtube.is_id(named_id):
        video = named_id
    length = info.get("duration")
    duration = _milliseconds(length)
    if duration is not None and not 0 < duration < _LONGEST_S * 1000:
        duration = None
    if length is not None and duration is None:
        wrong.append("duration is no length of time")
    chapters = _chapters(info.get("chapters"), wrong)
    if duration is not None:
        chapters = tuple(chapter for chapter in chapters if chapter.start_ms <= duration)
    language = text("language")
    is_tag = language is None or re.fullmatch(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*", language)
    if language is not None and not is_tag and language_of(language) is None:
        wrong.append("language is no language tag")
        language = None
    automatic = _tracks(info.get("automatic_captions"))
    originals = sorted(tag for tag in automatic if tag.lower().endswith("-orig"))
    if language is None and len(originals) == 1:  # the track that YouTube translated all others from
        language = originals[0]
    return SidecarMetadata(
        title=text("title", "fulltitle"),
        channel=text("channel", "uploader", "series"),
        speaker=text("speaker", "creator", "artist"),
        date=_date(info, wrong),
        url=url or (youtube.watch_url(video) if video else None),
        duration_ms=duration,
        description=text("description") or "",
        chapters=chapters,
        language=language_of(language),
        youtube_id=video,
        human_tracks=_tracks(info.get("subtitles")),
        automatic_tracks=automatic,
        problem=f"{name}: {'; '.join(dict.fromkeys(wrong))}." if wrong else None,
    )


def _milliseconds(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return round(value * 1000) if abs(value) < 1e9 else None


def _chapters(value: object, wrong: list[str]) -> tuple[Chapter, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        wrong.append("chapters is no list")
        return ()
    out = []
    for entry in value:
        start = _milliseconds(entry.get("start_time")) if isinstance(entry, dict) else None
        title = entry.get("title") if isinstance(entry, dict) else None
        if start is None or not 0 <= start < _LONGEST_S * 1000 or not isinstance(title, str) or not title.strip():
            wrong.append("a chapter has no title or no time")
            continue
        out.append(Chapter(start, title.strip()))
    return tuple(sorted(out, key=lambda chapter: chapter.start_ms))


def _date(info: dict[str, Any], wrong: list[str]) -> str | None:
    for key in ("release_date", "upload_date"):
        value = info.get(key)
        if value is None:
            continue
        match = re.fullmatch(r"(\d{4})-?(\d{2})-?(\d{2})", str(value))
        try:
            if match:
                return date(int(match[1]), int(match[2]), int(match[3])).isoformat()
        except ValueError:
            pass
        wrong.append(f"{key} is no day")
    stamp = _milliseconds(info.get("timestamp"))
    if stamp is not None and 0 < stamp < 4_102_444_800_000:  # the year 2100
        return datetime.fromtimestamp(stamp / 1000, UTC).date().isoformat()
    return None


def _tracks(value: object) -> frozenset[str]:
    return frozenset(key for key in value if isinstance(key, str)) if isinstance(value, dict) else frozenset()
