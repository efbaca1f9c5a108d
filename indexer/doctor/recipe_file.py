"""The recipe of an index: that `recipe.json` is the one of which the catalog keeps a copy."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from talksearch.indexer import layout
from talksearch.indexer.records import Json
from talksearch.indexer.stores import recipe

from .findings import Finding, finding


def check_recipe(folder: Path, db: sqlite3.Connection, *, mend: bool) -> list[Finding]:
    """Check `recipe.json` against its copy; where the catalog keeps none, there is nothing to compare it with."""
    if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'recipe'").fetchone():
        return []  # of an earlier format: who reads the recipe says so
    kept = recipe.kept_copy(db)
    if kept is None or _meaning(kept) == _meaning(_read(folder)):
        return []
    if mend:
        recipe.put_back(folder, kept)
    return [finding("The recipe of the index was missing, damaged or another one.", mend)]


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
