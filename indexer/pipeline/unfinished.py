"""What an ended run left: passages that left the index and are still in Chroma, stop terms of before, files.

Every indexing run and `remove` finish that on their way; the doctor does it here, because it tells what it finds.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from talksearch.indexer import layout
from talksearch.indexer.stores import catalog, stop_terms
from talksearch.indexer.stores.chroma import store

_NAMED = 3
"""Files that are named; of the others it is said how many they are."""


def look(folder: Path, db: sqlite3.Connection, *, finish: bool) -> list[str]:
    """Return what an ended run left, a sentence for each kind, and `finish` it.

    Args:
        folder: The index, held for writing; where it cannot be written, files are not looked at, because a run of
            somebody else may be at work on them.
        db: Its catalog.
        finish: Whether it is finished and cleared away.
    """
    found: list[str] = []
    files = _files(folder, clear=finish)
    if files:
        unnamed = len(files) - _NAMED
        names = ", ".join(files[:_NAMED]) + (f" and {unnamed} more" if unnamed > 0 else "")
        found.append(f"An ended run, or an earlier version, left what nobody uses: {names}.")
    count = store.drop_leaving(folder, db) if finish else len(catalog.leaving(db))
    if count:
        found.append(f"{count} passages that left the index were still to be taken out of Chroma.")
    if finish:
        stop_terms.update_stop_terms(db)
    return found


def _files(folder: Path, *, clear: bool) -> list[str]:
    if not os.access(folder, os.W_OK):
        return []
    return [path.name for path in (layout.clear_leftovers if clear else layout.leftovers)(folder)]
