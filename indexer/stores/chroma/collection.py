"""Reading and changing one partition of the Chroma store: a collection of passages that `store` has opened."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from talksearch.indexer.arrays import Floats
from talksearch.indexer.errors import BadIndexError

from .describe import METADATA

Collection = Any
"""A `chromadb.Collection`. Its class is not named here, because importing chromadb takes a second."""

COLLECTION = "passages"
"""The collection of the first partition; that of the next one is called `passages-2`."""

_NAME = re.compile(rf"{COLLECTION}(?:-(\d+))?")

_BATCH = 2_000
"""Passages that are handed over at once. Chroma refuses more than 5,461 (chromadb 1.5); fewer keep memory small."""

_IDS_BATCH = 20_000
"""Ids that are asked for at once."""


def collection_name(partition: int) -> str:
    """Return the name of the collection of a partition.

    >>> collection_name(0), collection_name(1)
    ('passages', 'passages-2')
    """
    return f"{COLLECTION}-{partition + 1}" if partition else COLLECTION


def partition_of(name: str) -> int | None:
    """Return the partition of which a name is the collection's; None where it is of none."""
    match = _NAME.fullmatch(name)
    return int(match[1] or 1) - 1 if match else None


def put(
    collection: Collection, ids: Sequence[str], vectors: Floats, rows: Sequence[dict[str, Any]], *, new: bool = False
) -> None:
    """Put passages into a collection.

    Args:
        collection: Where they are put.
        ids: The ids of the passages (n,).
        vectors: Their vectors (n, dimension).
        rows: What `describe` says of them (n,).
        new: None of them is there, which spares Chroma looking for it; what is there after all stays as it is.
    """
    put_batch = collection.add if new else collection.upsert
    # Chroma lets what it has of a passage stay where nothing is said of it, and takes away what is said to be None.
    unsaid: dict[str, None] = {} if new else dict.fromkeys(METADATA)
    for start in range(0, len(ids), _BATCH):
        batch = slice(start, start + _BATCH)
        put_batch(
            ids=list(ids[batch]),
            embeddings=vectors[batch],
            documents=[str(row["text"]) for row in rows[batch]],
            metadatas=[
                {**unsaid, **{key: value for key, value in row.items() if key != "text"}} for row in rows[batch]
            ],
        )


def drop(collection: Collection, ids: Sequence[str]) -> None:
    """Take passages out; ids that are not there do no harm."""
    for start in range(0, len(ids), _BATCH):
        collection.delete(ids=list(ids[start : start + _BATCH]))


def read(collection: Collection, ids: Sequence[str]) -> dict[str, Floats]:
    """Return the vectors of passages by id; ids that are not there are left out."""
    vectors: dict[str, Floats] = {}
    for start in range(0, len(ids), _BATCH):
        batch = collection.get(ids=list(ids[start : start + _BATCH]), include=["embeddings"])
        vectors.update(zip(batch["ids"], np.asarray(batch["embeddings"], dtype=np.float32), strict=True))
    return vectors


def read_descriptions(collection: Collection, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return what Chroma keeps of passages beside their vectors, by id, as `describe` says it."""
    descriptions: dict[str, dict[str, Any]] = {}
    for start in range(0, len(ids), _BATCH):
        batch = collection.get(ids=list(ids[start : start + _BATCH]), include=["documents", "metadatas"])
        for passage_id, text, metadata in zip(batch["ids"], batch["documents"], batch["metadatas"], strict=True):
            descriptions[passage_id] = {"text": text, **(metadata or {})}
    return descriptions


def all_ids(collection: Collection) -> Iterator[str]:
    """Yield the id of every passage in a collection."""
    start = 0
    while ids := collection.get(limit=_IDS_BATCH, offset=start, include=[])["ids"]:
        yield from ids
        start += len(ids)


def nearest(collection: Collection, vector: Floats, count: int) -> list[tuple[str, float]]:
    """Ask Chroma itself for the nearest passages: (id, cosine similarity), best first. Approximate on large stores."""
    if collection.count() == 0:
        return []
    answer = collection.query(query_embeddings=[vector], n_results=count, include=["distances"])
    if not answer["ids"]:
        raise BadIndexError("Chroma gave no answer.", "Build the index again: talksearch index PATH --rebuild")
    return [
        (passage_id, 1.0 - distance)
        for passage_id, distance in zip(answer["ids"][0], answer["distances"][0], strict=True)
    ]
