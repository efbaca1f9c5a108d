"""Whether the copy of the vectors is as the last run left it, and it and the directions are those of this catalog.

A vector lies under the number of its passage, and says nothing of what passage that is. So when a run is through, the
hash of the file is noted, and which catalog gave the numbers; whoever appends to it forgets that note before. Between
the two, as after a run that was ended, it is trusted, because each record was on disk before the catalog knew of it.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from talksearch.indexer import layout
from talksearch.indexer.encoders import checksums

from . import catalog
from .state import identity
from .vectors import Vectors

_NAME = layout.VECTORS.name


def note(folder: Path, db: sqlite3.Connection) -> None:
    """Note what the copy is like now, and whose the directions are, where that is not noted. Raises OSError.

    Call it at the end of a run.
    """
    if layout.VECTORS.within(folder).exists() and checksums.noted_catalog(folder, _NAME) is None:
        checksums.note(folder, _NAME, identity(db))
    name = layout.DIRECTIONS.name
    if checksums.noted_catalog(folder, name) == 0 and identity(db) and checksums.are_right(folder, [name]):
        checksums.note(folder, name, identity(db))


def has_directions_of_another(folder: Path, db: sqlite3.Connection) -> bool:
    """Say whether the directions are those of the tokens in another catalog."""
    return checksums.noted_catalog(folder, layout.DIRECTIONS.name) not in (None, 0, identity(db))


def is_of(folder: Path, db: sqlite3.Connection, copy: Vectors) -> bool:
    """Say whether the numbers in the copy were given by this catalog, in the state that it is in, or an earlier one."""
    if checksums.noted_catalog(folder, _NAME) not in (None, identity(db)):
        return False
    return not len(copy.numbers) or bool(copy.numbers.max() <= catalog.last_passage_number(db))


def may_be_read(folder: Path, db: sqlite3.Connection, *, thorough: bool = False) -> bool:
    """Say whether the copy is as it was noted, and of this catalog, also where nothing was noted.

    It is hashed where its size or its time of change is another one; with `thorough` always.
    """
    noted = checksums.noted_catalog(folder, _NAME)
    return noted is None or (noted == identity(db) and checksums.may_be_read(folder, _NAME, thorough=thorough))
