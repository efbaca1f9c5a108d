"""Bringing the columns up to date after a run, and checking them."""

from __future__ import annotations

import sqlite3
from dataclasses import fields
from pathlib import Path

import numpy as np

from talksearch.indexer.stores import catalog, vectors

from .build import _write
from .reader import FILE_NAME, Columns, _open, state

_FRESH = f"{FILE_NAME}.new"


_ADDED_UP = 1e-9
"""How far a mean may be off, because it depends on the order in which float64 values are added and subtracted: so often
as an index may be updated, less than that."""


def write(folder: Path, db: sqlite3.Connection, dimension: int) -> bool:
    """Make the file where it is missing or of another state. Returns whether it was made.

    From the file that is there where less than a third of the passages changed: about what these cost, and copying the
    rest. From nothing some seconds for 100,000 passages; the memory that takes grows by some 50 bytes a passage.
    """
    from .merge import merge  # a query, which only reads, does not wait for it

    with catalog.snapshot(db):
        now, old = state(folder, db), _open(folder / FILE_NAME)
        if old and old[1] == now:
            return False
        fresh, copy = folder / _FRESH, vectors.read(folder, dimension)
        if not old or not merge(fresh, now, folder, db, copy, *old):
            _write(fresh, now, db, copy, dimension)
        fresh.replace(folder / FILE_NAME)
        return True


def check(folder: Path, db: sqlite3.Connection, dimension: int, *, mend: bool) -> bool:
    """Say whether the file is what would be made from nothing now; with `mend` it is from then on.

    Everything is compared to the bit but the two means, which depend on the order of adding by less than 1e-9.
    """
    with catalog.snapshot(db):
        fresh, old = folder / _FRESH, folder / FILE_NAME
        _write(fresh, state(folder, db), db, vectors.read(folder, dimension), dimension)
        same = same_columns(old, fresh)
        if mend and not same:
            fresh.replace(old)
        fresh.unlink(missing_ok=True)
        return same


def same_columns(one: Path, other: Path) -> bool:
    """Say whether two such files are whole, of one state, and hold the same; the means but for the order of adding."""
    ours, theirs = _open(one), _open(other)
    if ours is None or theirs is None or ours[1] != theirs[1]:
        return False
    for name in (field.name for field in fields(Columns)):
        mine, its = (np.asarray(getattr(found[0], name)) for found in (ours, theirs))
        if mine.shape != its.shape or mine.dtype != its.dtype:
            return False
        near = name in ("mean", "second")
        if not (np.allclose(mine, its, rtol=0, atol=_ADDED_UP) if near else np.array_equal(mine, its)):
            return False
    return True
