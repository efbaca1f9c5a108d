"""The tags of a recording: ID3, those of MP4, of Ogg and FLAC. They are asked where nothing else describes a talk.

Podcast programs write them (castget, gPodder), yt-dlp does (`--embed-metadata`), and TubeArchivist, which puts all it
knows of a video into a field of its own.
"""

from __future__ import annotations

import io
import json
import os
import re
import stat
from functools import lru_cache
from pathlib import Path

from talksearch.indexer.text import youtube

from . import tubearchivist
from .entry import Info, day_in, is_address

_MOST_BYTES = 32_000_000
"""That are read of a recording at once: tags hold no more, and the sizes that a file states of itself may be wrong."""
_ELSEWHERE = 0x0044_1000
"""Attributes of Windows for a file whose content is fetched once it is opened: offline, recalled on open or on read."""


def read_tags(path: Path) -> Info | None:
    """Return what the tags of a recording say, under yt-dlp's keys; None where they say nothing. Never raises.

    A file whose content lies in a cloud alone is not opened, because that would fetch it.
    """
    try:
        status = path.stat()
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode) or not status.st_size or _lies_elsewhere(status):
        return None
    return _read(path, status.st_mtime_ns, status.st_size)


def _lies_elsewhere(status: os.stat_result) -> bool:
    attributes = getattr(status, "st_file_attributes", 0)
    return bool(attributes & _ELSEWHERE) or getattr(status, "st_blocks", 1) == 0


class _Bounded(io.FileIO):
    """A file of which no more is read at once than tags hold."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(_MOST_BYTES if size is None or not 0 <= size <= _MOST_BYTES else size) or b""


@lru_cache(maxsize=256)
def _read(path: Path, _mtime_ns: int, _size: int) -> Info | None:
    from tinytag import TinyTag, TinyTagException  # other commands would wait for it

    try:
        if not TinyTag.is_supported(str(path)):
            return None
        with io.BufferedReader(_Bounded(path)) as file:
            tag = TinyTag.get(str(path), file_obj=file, image=False)
    except (
        TinyTagException,
        OSError,
        ValueError,
        ArithmeticError,
        LookupError,
        TypeError,
        RecursionError,
        MemoryError,
    ):
        return None
    other: dict[str, list[str]] = tag.other or {}

    def of(*names: str) -> str:
        return next((text for name in names for text in other.get(name, []) if isinstance(text, str) and text), "")

    if embedded := _of_tubearchivist(of("ta")):
        return embedded
    described = of("description", "synopsis", "subtitle") or (tag.comment or "")
    addresses = (of("purl"), tag.comment or "", of("url", "podcast_url", "podcasturl", "website"))
    url = next((text.strip() for text in addresses if is_address(text.strip())), None)
    day = tag.year or of("release_date", "date")
    found: Info = {
        "title": tag.title,
        "channel": tag.album or tag.albumartist or of("show") or tag.artist,
        "speaker": tag.artist if tag.album or tag.albumartist else None,
        "upload_date": day_in(day) if day and not re.fullmatch(r"\d{4}", day.strip()) else None,
        "webpage_url": url,
        # Without a header of its own the length of an MP3 is a guess.
        "duration": tag.duration if path.suffix.lower() != ".mp3" else None,
        "description": None if is_address(described.strip()) else described,
    }
    if video := youtube.find_id(url or ""):
        found |= {"id": video, "extractor": "youtube", "channel": tag.album or tag.artist, "speaker": None}
    found = {key: value for key, value in found.items() if value}
    # A title alone is what some program called a file that nobody tagged; the name of the file says more.
    return found if found.keys() & {"channel", "speaker", "webpage_url"} else None


def _of_tubearchivist(text: str) -> Info | None:
    try:
        value = json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None
    return tubearchivist.info_of(value.get("video")) if isinstance(value, dict) else None
