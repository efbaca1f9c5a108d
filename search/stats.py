"""What an index holds, how large it is, and how it was made."""

from __future__ import annotations

from pathlib import Path

from talksearch.indexer.encoders import model_folder
from talksearch.indexer.errors import BadIndexError
from talksearch.indexer.records import Json
from talksearch.indexer.stores import catalog, recipe, vectors

_PARTS = {
    "catalog": catalog.FILE_NAME,
    "chroma": "chroma",
    "vectors": vectors.FILE_NAME,
    "encoder": model_folder.FOLDER,
}


def gather(folder: Path) -> dict[str, Json]:
    """Return the facts about an index. Raises BadIndexError when there is none."""
    db = catalog.open_catalog(folder)
    made = recipe.read(folder)
    if made is None:
        raise BadIndexError(f"There is no finished index in {folder}.", "Make one: talksearch index PATH")
    counts = catalog.counts(db)
    return {
        "index": str(folder.absolute()),
        "paths": list(catalog.roots(db)),
        "talks": counts.talks,
        "talks_estimated": db.execute("SELECT count(*) FROM talks WHERE timing = 'estimated'").fetchone()[0],
        "hours": round(counts.speech_ms / 3_600_000, 2),
        "cues": counts.cues,
        "passages": counts.passages,
        "embedded": counts.embedded,
        "languages": dict(db.execute("SELECT coalesce(language, ''), count(*) FROM talks GROUP BY 1 ORDER BY 2 DESC")),
        "bytes": {name: _size(folder / part) for name, part in _PARTS.items()},
        "model": made.model.name,
        "dimension": made.model.dimension,
        "passage_words": made.splitting.length,
        "format": made.format,
    }


def _size(path: Path) -> int:
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    # A write-ahead log beside the catalog is part of it.
    return sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*"))
