"""One index of several, kept in the user's cache, so that a question to all of them gets the answers of their merger.

Ranking compares passages with the whole of an archive: how rare a term is, how near passages are on the average. These
statistics are those of the merged index, so the answers are, too, without a second way to search. The price is room on
the disk for a copy without its Chroma store (docs/scale.md), made once, and then brought up to date wherever a part
changed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Hashable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from talksearch.indexer import layout
from talksearch.indexer.errors import BadIndexError, DiskError
from talksearch.indexer.records import Json
from talksearch.indexer.settings import cache_folder
from talksearch.indexer.stores import catalog, recipe

if TYPE_CHECKING:
    from .report import Tell

_KEPT = 4
"""Copies that stay in the cache; when another is made, the one that was asked the longest ago goes."""

_PARTS = "parts.json"
"""What the copy was made of: the path of each index, and the state that it was in."""

_NAMED_PARTS = 3
"""Indexes whose names are part of the name of their copy."""

_OF_VECTORS = (layout.VECTORS, layout.DIRECTIONS, layout.RECIPE)
"""The files of an index, beside its catalog, that answers are made of."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the copy of some indexes lies."""

    folder: Path

    @property
    def index(self) -> Path:
        """The copy itself."""
        return self.folder / "index"

    @property
    def parts(self) -> Path:
        """The file that says what it was made of."""
        return self.folder / _PARTS

    @property
    def lock(self) -> Path:
        """Held by whoever makes it, or brings it up to date."""
        return self.folder / "lock"


def is_current(folders: Sequence[Path]) -> bool:
    """Say whether there is a copy of some indexes in the state that they are in now. Raises BadIndexError."""
    return _made_of(_place(_real(folders))) == _states(_real(folders))


def state_of_copy(folders: Sequence[Path]) -> Hashable:
    """Return what tells one state of the copy of some indexes from another; None where there is none."""
    made_of = _made_of(_place(_real(folders)))
    return None if made_of is None else json.dumps(made_of)


def merged_copy(folders: Sequence[Path], *, note: Callable[[str], None], tell: Tell = lambda _: None) -> Path:
    """Return an index that holds what several others hold together, made or brought up to date where need be.

    Of processes that need it at the same time, one makes it while the others wait.

    Args:
        folders: The indexes; which of two that hold a talk is named first may matter (`merge_plan`).
        note: Is called with a sentence when that takes a while.
        tell: Is called with a `Progress` now and then.

    Raises:
        BadIndexError: One of them is no index, is damaged, of another format, or made in another way than the first.
        DiskError: The copy cannot be written; DiskFullError where there is no room for it.
    """
    folders = _real(folders)
    place = _place(folders)
    states = _states(folders)
    if _made_of(place) != states:
        _make(place, folders, note, tell)
    with suppress(OSError):
        os.utime(place.parts)  # by it the one that was asked the longest ago is known
    return place.index


def map_topics(folders: Sequence[Path]) -> None:
    """Make the map of topics of the copy of some indexes, where that of its state is not there.

    No search reads it, and for 100,000 passages it takes longer than to bring the copy up to date; a server shows it.
    Raises what `merged_copy` raises.
    """
    import filelock

    from talksearch.indexer import disk
    from talksearch.indexer.stores.lock import index_write_lock

    from . import topic_map

    place = _place(_real(folders))
    with filelock.FileLock(place.lock), disk.refusals_told(place.index), index_write_lock(place.index):
        known = recipe.read(place.index)
        if known is not None:
            with closing(catalog.open_catalog(place.index, write=True)) as db:
                topic_map.update(place.index, db, known.model.dimension)


def _make(place: _Place, folders: Sequence[Path], note: Callable[[str], None], tell: Tell) -> None:
    """Make the copy, or bring it up to date, unless another process does just now."""
    import filelock  # most questions need neither

    try:
        place.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = filelock.FileLock(place.lock)
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            note("Another process is merging these indexes; this one waits for it.")
            lock.acquire()
    except OSError as error:
        raise DiskError(
            f"The copy of several indexes in {place.folder} cannot be written: {error.strerror or error}.",
            "Name a folder that can be written in TALKSEARCH_CACHE, or put them together: talksearch merge",
        ) from error
    with lock:
        states = _states(folders)
        if _made_of(place) == states:
            return
        how = "Bringing the copy of" if place.index.exists() else "Merging"
        then = "up to date" if place.index.exists() else "into a copy in the cache, which is done once"
        note(f"{how} {len(folders)} indexes {then} …")
        _bring_together(place, folders, tell)
        with layout.replace_file(place.parts) as fresh:
            fresh.write_text(json.dumps(states), encoding="utf-8")
    _clear(place.folder)


def _bring_together(place: _Place, folders: Sequence[Path], tell: Tell) -> None:
    from talksearch.indexer import disk
    from talksearch.indexer.stores.lock import index_write_lock

    from .merge import bring_together
    from .merge_parts import open_parts

    with open_parts(folders) as parts, disk.refusals_told(place.index):
        try:
            with index_write_lock(place.index):
                bring_together(place.index, parts, tell, mirrors=True)
        except (BadIndexError, sqlite3.DatabaseError) as error:  # the parts are sound: it is the copy that is not
            if isinstance(error, sqlite3.Error) and not catalog.means_damage(error):
                raise
            shutil.rmtree(place.index)
            with index_write_lock(place.index):
                bring_together(place.index, parts, tell, mirrors=True)


def _clear(latest: Path) -> None:
    """Delete the copies that were asked the longest ago, but for those that somebody is making now."""
    import filelock

    others = [path for path in latest.parent.iterdir() if path != latest and path.is_dir()]
    others.sort(key=_asked_ns, reverse=True)
    for folder in others[_KEPT - 1 :]:
        place = _Place(folder)
        with suppress(filelock.Timeout, OSError), filelock.FileLock(place.lock, timeout=0):
            place.parts.unlink(missing_ok=True)  # first: what is left of it is then no copy
            shutil.rmtree(folder, ignore_errors=True)


def _asked_ns(folder: Path) -> int:
    try:
        return _Place(folder).parts.stat().st_mtime_ns
    except OSError:
        return 0


def _real(folders: Sequence[Path]) -> list[Path]:
    return list(dict.fromkeys(Path(os.path.realpath(folder)) for folder in folders))


def _place(folders: Sequence[Path]) -> _Place:
    mark = hashlib.sha256("\0".join(map(str, folders)).encode(errors="surrogateescape")).hexdigest()[:12]
    names = ["".join(char for char in folder.name if char.isalnum() or char in "-_")[:20] for folder in folders]
    return _Place(cache_folder() / "merged" / "+".join([*filter(None, names[:_NAMED_PARTS]), mark]))


def _made_of(place: _Place) -> list[Json] | None:
    """Return the states of the indexes that a copy was made of; None where there is none."""
    try:
        made_of: list[Json] = json.loads(place.parts.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return made_of if layout.is_index(place.index) else None


def _states(folders: Sequence[Path]) -> list[Json]:
    """Return what tells one state of some indexes from another; no numpy is needed for it. Raises BadIndexError."""
    return [_state(folder) for folder in folders]


def _state(folder: Path) -> Json:
    with catalog.open_snapshot(folder) as db:
        (identity,) = db.execute("PRAGMA application_id").fetchone()
        state: list[Json] = [str(folder), recipe.FORMAT, identity, *catalog.version(db)]
    for entry in _OF_VECTORS:
        try:
            status = entry.within(folder).stat()
            state += [status.st_ino, status.st_size, status.st_mtime_ns]
        except OSError:
            state.append(None)
    return state
