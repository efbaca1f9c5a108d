"""The Chroma store: every passage with its vector, its text and its metadata, readable by any other Chroma client.

Vectors are normalised and the space is cosine. Chroma is the record of the vectors; `vectors` holds a derived copy for
speed. A passage's id in Chroma is its id in the catalog, which decides whether it is in the index.

Chroma holds the graph of a collection in memory while it writes to it or asks it. So that this does not grow with the
archive, a large one is kept in several collections, of which one is written to at a time: `passages`, `passages-2` and
so on. Each passage is in one of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import nlargest
from pathlib import Path
from typing import Any

import chromadb
import numpy as np
from chromadb.api.shared_system_client import SharedSystemClient
from chromadb.config import Settings as ChromaSettings
from chromadb.errors import ChromaError

from .errors import BadIndexError
from .storing import FOLDER

COLLECTION = "passages"
"""The first collection."""

FULL = 50_000
"""Passages from which on a collection takes no more: about 500 hours of talks. docs/scale.md has the figures."""

_NAME = re.compile(rf"{COLLECTION}(?:-(\d+))?")

# Chroma refuses batches above 5,461 (chromadb 1.5); this stays below and keeps memory small.
_BATCH = 2_000


@dataclass(frozen=True, slots=True)
class Store:
    """The store of an index, open. Close the client after use."""

    client: Any
    collections: tuple[Any, ...]
    """The last one is written to."""


def open_store(folder: Path) -> Store:
    """Open the store in an index folder, made where there is none.

    Raises ChromaError where it is damaged or cannot be written.
    """
    try:
        client = chromadb.PersistentClient(
            path=str(folder / FOLDER), settings=ChromaSettings(anonymized_telemetry=False, allow_reset=False)
        )
    except ChromaError:
        # Chroma keeps the half of a client that it made and would give it out again for the same folder (1.5.9).
        SharedSystemClient.clear_system_cache()
        raise
    try:
        return Store(client, _collections(client))
    except ChromaError:
        client.close()
        raise


def _collections(client: Any) -> tuple[Any, ...]:
    """Return the collections of passages, one that has room last if there is one."""
    found = [_collection(client, number) for number in _numbers(client) or [1]]
    counts = [one.count() for one in found]
    if counts[-1] >= FULL and min(counts) < FULL // 2:  # talks left the index; to open one for less is not worth it
        found.append(found.pop(counts.index(min(counts))))
    return tuple(found)


def _numbers(client: Any) -> list[int]:
    names = (_NAME.fullmatch(one.name) for one in client.list_collections())
    return sorted(int(name[1] or 1) for name in names if name)


def _collection(client: Any, number: int) -> Any:
    name = COLLECTION if number == 1 else f"{COLLECTION}-{number}"
    return client.get_or_create_collection(name, metadata={"hnsw:space": "cosine"}, embedding_function=None)


def with_room(store: Store, folder: Path) -> Store:
    """Return a store that can be written to: the same one, or, where its collection is full, opened anew.

    A client that is closed lets go of the graphs that it had in memory.
    """
    if store.collections[-1].count() < FULL:
        return store
    store.client.close()
    again = open_store(folder)
    if again.collections[-1].count() < FULL:
        return again
    new = _collection(again.client, max(_numbers(again.client)) + 1)
    return replace(again, collections=(*again.collections, new))


def count(store: Store) -> int:
    """Return how many passages there are."""
    return sum(one.count() for one in store.collections)


def put(
    store: Store, ids: Sequence[str], vectors: np.ndarray, rows: Sequence[dict[str, Any]], *, new: bool = False
) -> None:
    """Put passages with their vectors (n, dimension) and what `storing.describe` says of them.

    `new`: none of them is there, which spares Chroma looking for it; what is there after all stays as it is.
    """
    *others, written = store.collections
    take = written.add if new else written.upsert
    if not new:
        _drop(others, ids)
    for at in range(0, len(ids), _BATCH):
        part = slice(at, at + _BATCH)
        take(
            ids=list(ids[part]),
            embeddings=vectors[part],
            documents=[str(row["text"]) for row in rows[part]],
            metadatas=[{key: value for key, value in row.items() if key != "text"} for row in rows[part]],
        )


def drop(store: Store, ids: Sequence[str]) -> None:
    """Take passages out; ids that are not there do no harm."""
    _drop(store.collections, ids)


def _drop(collections: Sequence[Any], ids: Sequence[str]) -> None:
    for one in collections:
        for at in range(0, len(ids), _BATCH):
            # To delete what is not there would read the graph for nothing.
            if there := one.get(ids=list(ids[at : at + _BATCH]), include=[])["ids"]:
                one.delete(ids=there)


def read(store: Store, ids: Sequence[str]) -> dict[str, np.ndarray]:
    """Return the vectors of passages by id; ids that are not there are left out."""
    found: dict[str, np.ndarray] = {}
    for one in store.collections:
        for at in range(0, len(ids), _BATCH):
            part = one.get(ids=list(ids[at : at + _BATCH]), include=["embeddings"])
            found.update(zip(part["ids"], np.asarray(part["embeddings"], dtype=np.float32), strict=True))
    return found


def all_ids(store: Store) -> Iterator[str]:
    """Yield the id of every passage in the store."""
    for one in store.collections:
        at = 0
        while ids := one.get(limit=_BATCH * 10, offset=at, include=[])["ids"]:
            yield from ids
            at += len(ids)


def nearest(store: Store, vector: np.ndarray, count: int) -> list[tuple[str, float]]:
    """Ask Chroma itself for the nearest passages: (id, cosine similarity), best first. Approximate on large stores."""
    found: list[tuple[str, float]] = []
    for one in store.collections:
        if one.count() == 0:
            continue
        answer = one.query(query_embeddings=[vector], n_results=count, include=["distances"])
        if not answer["ids"]:
            raise BadIndexError("Chroma gave no answer.", "Build the index again: talksearch index PATH --rebuild")
        found += [(id_, 1.0 - far) for id_, far in zip(answer["ids"][0], answer["distances"][0], strict=True)]
    return nlargest(count, found, key=lambda hit: hit[1])
