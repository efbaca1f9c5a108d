"""Bringing an index of the format before up to the present one, without reading or embedding anything anew."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from talksearch.indexer import layout

from . import catalog, recipe, schema, seals


def bring_up_to_date(folder: Path) -> None:
    """Turn an index of the format before into one of the present format; any other stays as it is.

    The catalog changes in one transaction, and the recipe says so only then: where this is ended between the two, the
    next run finishes it. Call it while the index is locked for writing.

    Raises BadIndexError where the catalog cannot be read or written.
    """
    if not layout.is_index(folder) or recipe.format_of(folder) not in (None, recipe.FORMAT_BEFORE):
        return
    with closing(catalog.open_catalog(folder, write=True)) as db:
        if not _has_table(db, "leaving"):
            with catalog.transaction(db):
                for statement in schema.NEW_IN_THIS_FORMAT:
                    db.execute(statement)
                seals.seal_all(db)
    recipe.raise_format(folder)


def _has_table(db: sqlite3.Connection, name: str) -> bool:
    return db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (name,)).fetchone() is not None
