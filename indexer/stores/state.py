"""The state of an index that derived files are made of: if it is the same, they are still right."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import NamedTuple

from . import catalog, vectors


class State(NamedTuple):
    """What tells one state of the passages and their vectors from another. Derived files hold it as a list."""

    changes: int
    """How often passages or their words changed."""
    last_number: int
    """The highest number that a passage ever had."""
    vector_bytes: int
    """How long the copy of the vectors is."""
    vectors_end: str
    """A hash of its end."""
    catalog: int
    """Which catalog it is (`identity`)."""


def identity(db: sqlite3.Connection) -> int:
    """Return a number by which one catalog is told from another, drawn when it was made; 0 for one of format 7."""
    return int(db.execute("PRAGMA application_id").fetchone()[0])


def state_of(folder: Path, db: sqlite3.Connection) -> State:
    """Return the state of an index folder and of the catalog as `db` shows it."""
    return State(*catalog.version(db), *vectors.fingerprint(folder), identity(db))
