"""What an index holds, how large it is, and how it was made."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from talksearch.indexer import layout, mirrors
from talksearch.indexer.encoders import model_home
from talksearch.indexer.records import Json
from talksearch.indexer.settings import MULTILINGUAL_MODEL
from talksearch.indexer.stores import catalog, languages

from .current import current_index
from .reader import IndexReader

_PARTS = {
    "catalog": layout.CATALOG,
    "chroma": layout.CHROMA,
    "vectors": layout.VECTORS,
}
"""The entries of an index whose sizes are told, by the names of the command contract."""


def gather(folder: Path) -> dict[str, Json]:
    """Return the facts about an index. Raises BadIndexError when there is none."""
    with current_index(folder) as index:
        return index.ask(_of_one_state)


def _of_one_state(reader: IndexReader) -> dict[str, Json]:
    with catalog.snapshot(reader.db):
        return _facts(reader)


def _facts(reader: IndexReader) -> dict[str, Json]:
    db, recipe = reader.db, reader.recipe
    counts = catalog.counts(db)
    return {
        "index": str(reader.folder.absolute()),
        "paths": [mirrors.shown(root) for root in catalog.roots(db)],
        "talks": counts.talks,
        "talks_estimated": db.execute("SELECT count(*) FROM talks WHERE timing = 'estimated'").fetchone()[0],
        "hours": round(counts.speech_ms / 3_600_000, 2),
        "cues": counts.cues,
        "passages": counts.passages,
        "embedded": counts.embedded,
        "languages": dict(db.execute("SELECT coalesce(language, ''), count(*) FROM talks GROUP BY 1 ORDER BY 2 DESC")),
        "tracks": dict(db.execute("SELECT language, count(*) FROM tracks GROUP BY 1 ORDER BY 2 DESC, 1")),
        "suggested_model": _suggested_model(db, recipe.model.name),
        "bytes": {
            **{name: _size(part.within(reader.folder)) for name, part in _PARTS.items()},
            "encoder": model_home.size_of(recipe.model),
        },
        "encoder_folder": str(model_home.home_of(recipe.model).absolute()),
        "model": recipe.model.name,
        "dimension": recipe.model.dimension,
        "passage_words": recipe.splitting.length,
        "format": recipe.format,
    }


def _suggested_model(db: sqlite3.Connection, model: str) -> str | None:
    """Return the model that would serve the archive's languages; None where the index's own does, or may."""
    is_foreign = languages.is_foreign_to(model, languages.count_languages(db))
    return MULTILINGUAL_MODEL if is_foreign else None


def _size(path: Path) -> int:
    """Return how many bytes a file or a folder takes; a write-ahead log beside the catalog is part of it.

    What a run that writes takes away meanwhile is passed over.
    """
    in_folder = (Path(folder, name) for folder, _, names in os.walk(path) for name in names)
    size = 0
    for file in in_folder if path.is_dir() else path.parent.glob(f"{path.name}*"):
        with suppress(FileNotFoundError):
            size += file.stat().st_size
    return size
