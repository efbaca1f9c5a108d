"""Bringing the columns up to date after a run, and checking them."""

from __future__ import annotations

import sqlite3
from dataclasses import fields
from pathlib import Path

import numpy as np

from talksearch.indexer import layout
from talksearch.indexer.encoders import checksums
from talksearch.indexer.stores import catalog, vectors
from talksearch.indexer.stores.state import state_of

from . import build, merge
from .reader import Columns, map_file

_ROUNDING = 1e-9
"""How far a mean may be off, because it depends on the order in which float64 values are added and subtracted. However
often an index is updated, it is less than that."""

_ROUNDED = ("mean", "second")
"""The arrays that depend on that order."""


def write(folder: Path, db: sqlite3.Connection, dimension: int) -> bool:
    """Make the file where it is missing or of another state. Returns whether it was made.

    Where less than a third of the passages changed, it is made from the file that is there: that takes about what these
    passages cost, and copying the rest. From nothing it takes some seconds for 100,000 passages, and memory that grows
    by some 50 bytes a passage.
    """
    path = layout.COLUMNS.within(folder)
    with catalog.snapshot(db):
        state = state_of(folder, db)
        old = map_file(path) if checksums.may_be_read(folder, path.name) else None
        if old and old.state == state:
            return False
        copy = vectors.read(folder, dimension)
        with layout.replace_file(path) as fresh:
            if not old or not merge.merge(fresh, state, folder, db, copy, old):
                build.write_from_catalog(fresh, state, db, copy, dimension)
            checksums.forget(folder, path.name)
        checksums.note(folder, path.name)
        return True


def forget(folder: Path) -> None:
    """Take the file away, so that the next one is made from nothing: where words of passages changed that stay."""
    layout.COLUMNS.within(folder).unlink(missing_ok=True)


def check(folder: Path, db: sqlite3.Connection, dimension: int, *, mend: bool) -> bool:
    """Say whether the file is what would be made from nothing now.

    Everything is compared to the bit but the two means, which depend on the order of adding by less than 1e-9.

    Args:
        folder: The index.
        db: Its catalog.
        dimension: Of its vectors.
        mend: Put the new file in its place where they differ.
    """
    path = layout.COLUMNS.within(folder)
    with catalog.snapshot(db), layout.replace_file(path) as fresh:
        build.write_from_catalog(fresh, state_of(folder, db), db, vectors.read(folder, dimension), dimension)
        same = same_columns(path, fresh)
        if same or not mend:
            fresh.unlink()  # the old file stays
        else:
            checksums.forget(folder, path.name)
    if mend and path.exists():
        checksums.note(folder, path.name)
    return same


def same_columns(first: Path, second: Path) -> bool:
    """Say whether two such files are whole, of one state, and hold the same; the means but for the order of adding."""
    mapped, other = map_file(first), map_file(second)
    if mapped is None or other is None or mapped.state != other.state:
        return False
    for name in (field.name for field in fields(Columns)):
        array, other_array = np.asarray(getattr(mapped.columns, name)), np.asarray(getattr(other.columns, name))
        if array.shape != other_array.shape or array.dtype != other_array.dtype:
            return False
        if name in _ROUNDED:
            same = np.allclose(array, other_array, rtol=0, atol=_ROUNDING)
        else:
            same = np.array_equal(array, other_array)
        if not same:
            return False
    return True
