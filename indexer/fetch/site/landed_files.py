"""Where the files of a talk lie that landed in an earlier run. Imports yt-dlp, through `listing`."""

from __future__ import annotations

import json
import os
from pathlib import Path

from talksearch.indexer.fetch.archive import HIDDEN

from .listing import talk_key

_BESIDE = ".info.json"


def landed_files(folder: Path, key: str, address: str) -> tuple[Path, ...]:
    """Return the files of a talk of a site, wherever in the archive's folder they were moved; its track comes first.

    They are told by the `.info.json` among them. None are found where that was deleted, or cannot be read.

    Args:
        folder: The archive's.
        key: Which talk it is, as `listing.talk_key` has it.
        address: Its own; a list may name a talk by another key.
    """
    for inside, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != HIDDEN)
        for name in sorted(names):
            if name.endswith(_BESIDE) and _is_of(Path(inside, name), key, address):
                stem = name.removesuffix(_BESIDE)
                own = sorted(other for other in names if other.startswith(f"{stem}.") and other != name)
                return tuple(Path(inside, each) for each in (*own, name))
    return ()


def _is_of(beside: Path, key: str, address: str) -> bool:
    try:
        info = json.loads(beside.read_bytes())
        return isinstance(info, dict) and (talk_key(info) == key or info.get("webpage_url") == address)
    except (OSError, ValueError):
        return False
