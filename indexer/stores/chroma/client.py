"""The Chroma store: every passage with its vector, its text and its metadata, readable by any other Chroma client.

Vectors are normalised and the space is cosine. Chroma is the record of the vectors; `vectors` holds a derived copy for
speed. A passage's id in Chroma is its id in the catalog, which decides whether it is in the index.

Chroma holds the graph of a collection in memory from when it is first touched, so that one collection would take more
the larger the archive is. A large one is kept in several, `passages`, `passages-2` and so on (`storing.by_part`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import chromadb
import numpy as np
from chromadb.api.shared_system_client import SharedSystemClient
from chromadb.config import Settings as ChromaSettings
from chromadb.errors import ChromaError

from talksearch.indexer.errors import BadIndexError
from talksearch.indexer.stores.layout import FOLDER

COLLECTION = "passages"
"""The collection of the first part; that of the next one is called `passages-2`."""

# Chroma refuses batches above 5,461 (chromadb 1.5); this stays below and keeps memory small.
_BATCH = 2_000


def open_store(folder: Path, part: int = 0) -> tuple[Any, Any]:
    """Open a part of the store in an index folder, made where there is none: (client, collection).

    Close the client after use: it then lets go of the graph.

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
        name = f"{COLLECTION}-{part + 1}" if part else COLLECTION
        made = {"hnsw:space": "cosine"}
        return client, client.get_or_create_collection(name, metadata=made, embedding_function=None)
    except ChromaError:
        client.close()
        raise


def partitions(client: Any) -> list[int]:
    """Return which parts there are."""
    names = (re.fullmatch(rf"{COLLECTION}(?:-(\d+))?", one.name) for one in client.list_collections())
    return sorted(int(name[1] or 1) - 1 for name in names if name)


def put(
    collection: Any, ids: Sequence[str], vectors: np.ndarray, rows: Sequence[dict[str, Any]], *, new: bool = False
) -> None:
    """Put passages with their vectors (n, dimension) and what `storing.describe` says of them.

    `new`: none of them is there, which spares Chroma looking for it; what is there after all stays as it is.
    """
    take = collection.add if new else collection.upsert
    for at in range(0, len(ids), _BATCH):
        part = slice(at, at + _BATCH)
        take(
            ids=list(ids[part]),
            embeddings=vectors[part],
            documents=[str(row["text"]) for row in rows[part]],
            metadatas=[{key: value for key, value in row.items() if key != "text"} for row in rows[part]],
        )


def drop(collection: Any, ids: Sequence[str]) -> None:
    """Take passages out; ids that are not there do no harm."""
    for at in range(0, len(ids), _BATCH):
        collection.delete(ids=list(ids[at : at + _BATCH]))


def read(collection: Any, ids: Sequence[str]) -> dict[str, np.ndarray]:
    """Return the vectors of passages by id; ids that are not there are left out."""
    found: dict[str, np.ndarray] = {}
    for at in range(0, len(ids), _BATCH):
        part = collection.get(ids=list(ids[at : at + _BATCH]), include=["embeddings"])
        found.update(zip(part["ids"], np.asarray(part["embeddings"], dtype=np.float32), strict=True))
    return found


def all_ids(collection: Any) -> Iterator[str]:
    """Yield the id of every passage in the store."""
    at = 0
    while ids := collection.get(limit=_BATCH * 10, offset=at, include=[])["ids"]:
        yield from ids
        at += len(ids)


def nearest(collection: Any, vector: np.ndarray, count: int) -> list[tuple[str, float]]:
    """Ask Chroma itself for the nearest passages: (id, cosine similarity), best first. Approximate on large stores."""
    if collection.count() == 0:
        return []
    answer = collection.query(query_embeddings=[vector], n_results=count, include=["distances"])
    if not answer["ids"]:
        raise BadIndexError("Chroma gave no answer.", "Build the index again: talksearch index PATH --rebuild")
    return [(id_, 1.0 - distance) for id_, distance in zip(answer["ids"][0], answer["distances"][0], strict=True)]
