"""The talk that a name means, had in the catalog of a reader whose talks are those of a store."""

from __future__ import annotations

from talksearch.indexer.errors import QueryError

from .moments import split_moment
from .reader import IndexReader


def gather_named(reader: IndexReader, name: str) -> None:
    """Fetch the talk that a name, or a moment of it, means. In an index of this machine, all talks are there.

    Raises QueryError where it means none or several in the store, and StoreError where that does not answer.
    """
    if reader.store is None:
        return
    without_moment, _ = split_moment(name)
    try:
        reader.store.gather_talk(reader, name)
    except QueryError:
        if without_moment == name:
            raise
        reader.store.gather_talk(reader, without_moment)
