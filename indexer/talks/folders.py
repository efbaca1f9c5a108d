"""The files of a folder by their names, which meet whatever their Unicode form and case.

The same name is written in composed letters on one system and in decomposed ones on another (`ü` as one character, or
as `u` with a mark), and archives are copied between systems. Two names that differ only in that, or in case, mean the
same thing, whatever the file system at hand makes of them.
"""

from __future__ import annotations

import os
import stat
import time
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_SETTLED_NS = 2_000_000_000
"""A listing is kept once its folder has not changed for so long: the coarsest clock of a file system (FAT) ticks every
two seconds, and a change within one tick would not show."""

_STUBS = (".{}.icloud", "{}.nextcloud", "{}.owncloud")
"""Names of what stands in the place of a file whose content is only in the cloud: macOS before 14, and the clients of
Nextcloud and ownCloud. Elsewhere such a file has its own name, and reading it fails, or gives nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """The names in a folder. Two are the same only where they are one value, so that what is worked out from it is
    found again at once.
    """

    names: tuple[str, ...]
    """Sorted."""
    by_fold: Mapping[str, tuple[str, ...]]
    """By the form in which names are compared."""


def fold(name: str) -> str:
    """Return the form of a name in which names are compared.

    >>> fold("Bru\\u0308cke.EN.VTT") == fold("BRÜCKE.en.vtt")
    True
    """
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def listing(folder: Path) -> Listing:
    """Return the names in a folder; a file that was offloaded to a cloud has its own name, not its stub's.

    A folder that cannot be listed has none.
    """
    try:
        changed = folder.stat().st_mtime_ns
    except OSError:
        return listing_of(())
    if abs(time.time_ns() - changed) < _SETTLED_NS:
        return listing_of(_names(folder))
    return _settled(folder, changed)


@lru_cache(maxsize=64)
def listing_of(names: tuple[str, ...]) -> Listing:
    """Return the listing of some names."""
    by_fold: dict[str, list[str]] = {}
    for name in names:
        by_fold.setdefault(fold(name), []).append(name)
    return Listing(names, {folded: tuple(found) for folded, found in by_fold.items()})


def beside(path: Path, name: str) -> Path | None:
    """Return the file of a name in the folder of another, whatever the form of that name; None where there is none.

    A file is not beside itself.
    """
    found = [other for other in listing(path.parent).by_fold.get(fold(name), ()) if other != path.name]
    exact = name if name in found else next(iter(found), None)
    return path.with_name(exact) if exact else None


def never_ends(path: Path) -> bool:
    """Say whether something is a pipe or a device, of which to read could take for ever."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def stub_of(path: Path) -> Path | None:
    """Return what stands in the place of a file that was offloaded to a cloud; None where there is nothing."""
    stubs = (path.with_name(pattern.format(path.name)) for pattern in _STUBS)
    return next((stub for stub in stubs if os.path.lexists(stub)), None)


def offloaded(name: str) -> str | None:
    """Return the name of the file that a stub stands for; None for what is no stub.

    >>> offloaded(".talk.vtt.icloud"), offloaded("talk.vtt.nextcloud"), offloaded("talk.vtt")
    ('talk.vtt', 'talk.vtt', None)
    """
    for pattern in _STUBS:
        before, after = pattern.split("{}")
        if name.startswith(before) and name.endswith(after) and len(name) > len(before) + len(after):
            return name[len(before) : len(name) - len(after)]
    return None


@lru_cache(maxsize=256)
def _settled(folder: Path, _changed: int) -> Listing:
    return listing_of(_names(folder))


def _names(folder: Path) -> tuple[str, ...]:
    try:
        found = os.listdir(folder)  # noqa: PTH208 - names are all that is wanted
    except OSError:
        return ()
    return tuple(sorted({offloaded(name) or name for name in found}))
