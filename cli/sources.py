"""What a command asks: an index on this machine, or a store on others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from talksearch.search.current import CurrentIndex, current_index

from .terminal import warn

if TYPE_CHECKING:
    from talksearch.search.remote.current_store import CurrentStore


def open_store(store_url: str, *, once: bool = False) -> CurrentStore:
    """Return a store that is opened by its first question. Raises StoreError where the URL names none.

    Args:
        store_url: Where it is.
        once: Hardly more than one question is asked.
    """
    # A search of an index must not wait for these.
    from talksearch.indexer.stores.remote.address import open_engine
    from talksearch.search.remote.current_store import CurrentStore

    return CurrentStore(open_engine(store_url), warn=warn, once=once)


def open_source(folder: Path, store_url: str | None, *, once: bool = False) -> CurrentIndex | CurrentStore:
    """Return the index in a folder, or a store where one is named, opened by its first question.

    Args:
        folder: The folder of the index.
        store_url: Where the store is; None for the index.
        once: Hardly more than one question is asked.
    """
    return current_index(folder, warn=warn, once=once) if store_url is None else open_store(store_url, once=once)
