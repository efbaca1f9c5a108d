"""Captions in segments: a playlist of HTTP Live Streaming (RFC 8216) and the WebVTT files that it names are one talk.

Where a playlist is read, the segments stand for it, one behind the other in its order. So what its talk is read from,
and what a receipt is replayed on, is the text of all segments.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote

from talksearch.indexer.errors import UnreadableError, UnspokenError

from .folders import Listing, fold, listing
from .track_names import PLAYLIST

_SEGMENT_ENDINGS = (".vtt", ".webvtt")
_LARGEST_BYTES = 4_000_000
_HOST = re.compile(r"[a-z][a-z0-9+.-]{0,20}://[^/?#]*", re.IGNORECASE)
"""What stands before the path of an address. `urlsplit` refuses hosts that cannot be, and a playlist may hold any."""
"""Of a playlist: a line of some 200 bytes for each six seconds of four days."""


def is_playlist(path: Path) -> bool:
    """Say whether a file is a playlist, by its name."""
    return path.name.lower().endswith(f".{PLAYLIST}")


def is_segment(path: Path) -> bool:
    """Say whether a playlist in the folder of a file, or in the one above it, names it as a segment of captions."""
    if not path.name.lower().endswith(_SEGMENT_ENDINGS):
        return False
    for folder in (path.parent, path.parent.parent):
        for name in _playlists(listing(folder)):
            if fold(path.relative_to(folder).as_posix()) in _found(folder / name):
                return True
    return False


def segments(path: Path) -> list[Path]:
    """Return the segments of captions that a playlist names and that are there, in its order, each once."""
    return [segment for segment in named_segments(path) if segment.is_file()]


def named_segments(path: Path) -> list[Path]:
    """Return where the segments of captions that a playlist names lie, or should, in its order, each once."""
    return list(map(Path, _found(path).values()))


def joined(path: Path) -> bytes:
    """Return the text of all segments of a playlist, a blank line between two.

    Raises:
        UnspokenError: it names no captions, but pictures, sound or other playlists.
        UnreadableError: none of its segments is there.
        OSError: it, or a segment, cannot be read.
    """
    text = _text(path)
    if not _named(text):
        raise UnspokenError("This is a playlist of a recording, or of other playlists, and names no captions.")
    there = segments(path)
    if not there:
        raise UnreadableError("None of the segments that this playlist names is there.", "Put them beside it.")
    return b"\n\n".join(segment.read_bytes().removeprefix(b"\xef\xbb\xbf").strip(b"\r\n") for segment in there) + b"\n"


def missing_segments(path: Path) -> str | None:
    """Say how many of the segments that a playlist names are not there; None where all of them are."""
    named = len(dict.fromkeys(_named(_text(path))))
    lacking = named - len(segments(path))
    return f"{lacking} of the {named} segments that the playlist names are not there." if lacking else None


def _found(path: Path) -> dict[str, str]:
    """Return the segments that a playlist names, in order: their folded place beside it, and their path."""
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        return {}
    return _find(path, changed)


@lru_cache(maxsize=64)
def _find(path: Path, _changed: int) -> dict[str, str]:
    try:
        named = _named(_text(path))
    except OSError:
        return {}
    found: dict[str, str] = {}
    beside = listing(path.parent).by_fold
    for address in named:
        name = address.rpartition("/")[2]
        # As its address says, below the playlist, or, as downloads lie, beside it.
        place = path.parent / address.lstrip("/")
        if "/" not in address or ".." in address or not place.is_file():
            place = path.parent / beside.get(fold(name), (name,))[0]
        found[fold(place.relative_to(path.parent).as_posix())] = str(place)
    return found


def _text(path: Path) -> str:
    if path.stat().st_size > _LARGEST_BYTES:
        return ""
    return path.read_bytes().decode("utf-8-sig", errors="replace")


def _named(text: str) -> list[str]:
    """Return the addresses of captions that a playlist names, without host and query."""
    rows = (row.strip() for row in text.splitlines())
    addresses = (unquote(_HOST.sub("", row, count=1).split("?")[0]) for row in rows)
    return [address for address in addresses if address.lower().endswith(_SEGMENT_ENDINGS) and address[:1] != "#"]


@lru_cache(maxsize=16)
def _playlists(folder: Listing) -> tuple[str, ...]:
    return tuple(name for name in folder.names if name.lower().endswith(f".{PLAYLIST}"))
