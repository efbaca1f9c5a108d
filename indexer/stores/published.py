"""Which stores on other machines an index was put into, and as whose: an index that is built anew has another number.

What the index before put there is taken out by that note. It is made before anything is put, and names the numbers of
before until what these put is out, so that none is forgotten where a run is ended.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from talksearch.indexer import disk, layout
from talksearch.indexer.errors import StoreError


def noted_sources(folder: Path, address: str) -> tuple[int, ...]:
    """Return the numbers under which an index was put into a store, the last one last; none where the note is damaged.

    Args:
        folder: The index.
        address: The store's.
    """
    return _read(folder).get(address, ())


def note_sources(folder: Path, address: str, sources: Sequence[int]) -> None:
    """Note under which numbers an index is put into a store, or was. Raises OSError where it cannot be written."""
    noted = _read(folder)
    if noted.get(address) != tuple(sources):
        with layout.replace_file(layout.STORES.within(folder)) as fresh:
            fresh.write_text(json.dumps({**noted, address: sources}, ensure_ascii=False) + "\n", encoding="utf-8")


@contextmanager
def put_by_one(folder: Path) -> Iterator[None]:
    """Let nobody else put an index into stores meanwhile: not every engine can tell two processes of one writer apart.

    Raises StoreError where another process does just now, and DiskError where the folder cannot be written.
    """
    import filelock

    lock = filelock.FileLock(layout.STORES_LOCK.within(folder), timeout=0, mode=0o600)
    with disk.refusals_told(folder):
        try:
            lock.acquire()
        except filelock.Timeout:
            raise StoreError(
                f"Another process is putting the index {folder} into a store.", "Wait until it is through."
            ) from None
    try:
        yield
    finally:
        lock.release()


def take_along(folder: Path, fresh: Path) -> None:
    """Let an index that is built anew know what the one before it noted. Raises OSError where it cannot be written."""
    for address, sources in _read(folder).items():
        note_sources(fresh, address, sources)


def _read(folder: Path) -> dict[str, tuple[int, ...]]:
    try:
        noted = json.loads(layout.STORES.within(folder).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(noted, dict):
        return {}
    # A note of an earlier version names a single number.
    lists = {address: known if isinstance(known, list) else [known] for address, known in noted.items()}
    return {address: tuple(one for one in known if type(one) is int) for address, known in lists.items()}
