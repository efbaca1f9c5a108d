"""The recipe of an index: that `recipe.json` is the one of which the catalog keeps a copy."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from talksearch.indexer import layout
from talksearch.indexer.records import Json
from talksearch.indexer.stores import catalog, recipe

from .findings import Finding, finding


def check_recipe(folder: Path, db: sqlite3.Connection, *, mend: bool) -> list[Finding]:
    """Check `recipe.json` against its copy in the catalog, and that there is one, as after each finished run."""
    if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'recipe'").fetchone():
        return []  # of an earlier format: who reads the recipe says so
    kept = recipe.kept_copy(db)
    if kept is None:
        return _keep_copy(folder, db, mend=mend)
    if _meaning(kept) == _meaning(_read(folder)):
        return []
    if mend:
        recipe.put_back(folder, kept)
    return [finding("The recipe of the index was missing, damaged or another one.", mend)]


def _keep_copy(folder: Path, db: sqlite3.Connection, *, mend: bool) -> list[Finding]:
    if _meaning(_read(folder)) is None:
        return []  # who reads it says what is wrong with it
    if mend:
        with catalog.transaction(db):
            recipe.keep_copy(folder, db)
    return [finding("The copy of the recipe that the catalog keeps was damaged, or gone.", mend)]


def _read(folder: Path) -> str:
    try:
        return layout.RECIPE.within(folder).read_text(encoding="utf-8")
    except (FileNotFoundError, IsADirectoryError, ValueError):
        return ""


def _meaning(text: str) -> Json:
    """Return what a recipe asks for: all but the sentence for people. None where it is no recipe."""
    try:
        return {**json.loads(text), "embedded_by": ""}
    except (ValueError, TypeError):
        return None
