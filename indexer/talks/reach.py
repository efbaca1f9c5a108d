"""What cannot be read *now*: refused, emptied or offloaded files, and what lies behind a closed folder or a dead link.

Such a file says nothing about its talk, so a talk that is in the index stays there as it was. What is truly gone, from
a folder that can be read, is another thing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from .folders import stub_of
from .playlist import named_segments
from .walk import Root

_BLANK = b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"
"""Bytes that say nothing: zeros, white space, and the marks that a text may begin with."""
_ZEROS = bytes(512)
"""No text has so many zeros in a row, in whatever encoding: a disk that failed, or a crash, left them."""
_POINTERS = ((b"version https://git-lfs.github.com/", "Git LFS"), (b"/annex/objects/", "git-annex"))
"""How a file begins that only says where its content is kept. Sources: the specification of Git LFS, version 1
(github.com/git-lfs/git-lfs, docs/spec.md), and git-annex's page on its pointer files."""
_LARGEST_POINTER = 1024
_MOUNT_PLACES = ("/mnt", "/media", "/run/media", "/Volumes")
"""Where systems put the folders of disks that come and go."""


def lacks_content(data: bytes) -> str | None:
    """Say why a file's content cannot be what it was: it is empty, zeros, or a pointer; None where it may be."""
    if not data:
        return "The file is empty."
    if not data.strip(_BLANK):
        return "The file is empty but for zeros and white space."
    if _ZEROS in data:
        return "A part of the file turned to zeros."
    if len(data) <= _LARGEST_POINTER:
        for beginning, keeper in _POINTERS:
            if data.startswith(beginning):
                return f"The file is a pointer of {keeper}; its content was not fetched."
    return None


def lacks_first_byte(path: Path) -> bool:
    """Say whether a file cannot be read at all, or is empty. What else it holds is not looked at."""
    try:
        with path.open("rb") as file:
            return not file.read(1)
    except OSError:
        return True


def lacking_segment(playlist: Path) -> str | None:
    """Say which segment of a playlist cannot be read now: offloaded, under a dead link, or without content."""
    for segment in named_segments(playlist):
        if stub_of(segment):
            return f"{segment.name}, which this playlist names, is offloaded."
        if segment.is_symlink() and not segment.exists():
            return f"{segment.name}, which this playlist names, is a link that leads nowhere."
        if segment.is_file() and lacks_content(segment.read_bytes()):
            return f"{segment.name}, which this playlist names, has no content."
    return None


def out_of_reach(paths: Iterable[str], root: Root) -> dict[str, str]:
    """Say of files that were under a PATH, and were not met there, why they cannot be looked at now.

    Those that are truly gone are left out: the folder where they lay can be read, or was deleted from one that can be.
    """
    folders: dict[Path, str | None] = {}
    found = {path: _why(Path(path), root, folders) for path in paths}
    return {path: reason for path, reason in found.items() if reason}


def missing(root: Root) -> str | None:
    """Say why nothing under a PATH can be looked at: it is not there, or is the empty place of a disk; else None."""
    path = root.path
    if not os.path.exists(path):  # noqa: PTH110 - Path.exists raises where a folder above cannot be entered
        return f"{path} is not there."
    is_place_of_a_disk = any(str(folder) in _MOUNT_PLACES for folder in path.parents)
    if not is_place_of_a_disk or not path.is_dir() or any(map(os.path.ismount, (path, *path.parents[:-1]))):
        return None
    is_empty = _closed(path) is None and not any(path.iterdir())
    return f"{path} is empty, as where no disk is mounted." if is_empty else None


def _why(path: Path, root: Root, folders: dict[Path, str | None]) -> str | None:
    """Say why a file cannot be looked at. `folders` keeps what was found out about each folder, None: it is open."""
    above = [folder for folder in path.parents if root.holds(folder)]
    for place in reversed(above):
        if place not in folders:
            if not os.path.lexists(place):
                return None
            folders[place] = _closed(place)
        reason = folders[place]
        if reason:
            return reason
    stub = stub_of(path)
    if stub:
        return f"The file is offloaded: {stub.name} stands in its place."
    if path.is_symlink() and not path.exists():
        return f"{path} is a link that leads nowhere."
    return "A folder stands in its place." if path.is_dir() else None


def _closed(folder: Path) -> str | None:
    """Say why a folder that is there cannot be entered; None where it can."""
    try:
        for _ in folder.iterdir():
            break
    except FileNotFoundError:
        return f"{folder} is a link that leads nowhere."
    except NotADirectoryError:
        return None
    except OSError as error:
        return f"The folder {folder} cannot be entered: {error.strerror}."
    return None
