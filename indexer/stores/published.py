"""Which stores on other machines an index was put into, and as whose: an index that is built anew has another number.

What the index before put there is taken out by that note. It is made before anything is put, so that none is forgotten
where a run is ended.
"""

from __future__ import annotations

import json
from pathlib import Path

from talksearch.indexer import layout


def noted_source(folder: Path, address: str) -> int | None:
    """Return the number under which an index was put into a store; None where it was not, or the note is damaged.

    Args:
        folder: The index.
        address: The store's.
    """
    source = _read(folder).get(address)
    return source if type(source) is int else None


def note_source(folder: Path, address: str, source: int) -> None:
    """Note under which number an index is put into a store. Raises OSError where it cannot be written."""
    noted = _read(folder)
    if noted.get(address) != source:
        with layout.replace_file(layout.STORES.within(folder)) as fresh:
            fresh.write_text(json.dumps({**noted, address: source}, ensure_ascii=False) + "\n", encoding="utf-8")


def take_along(folder: Path, fresh: Path) -> None:
    """Let an index that is built anew know what the one before it noted. Raises OSError where it cannot be written."""
    for address, source in _read(folder).items():
        note_source(fresh, address, source)


def _read(folder: Path) -> dict[str, int]:
    try:
        noted = json.loads(layout.STORES.within(folder).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return noted if isinstance(noted, dict) else {}
