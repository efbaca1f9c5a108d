"""Opening Chroma itself. The only module that imports chromadb.

Vectors are normalised and the space is cosine. Chroma is the record of the vectors; `stores.vectors` is a derived copy
for speed. A passage's id in Chroma is its id in the catalog, which decides whether it is in the index.

Chroma holds the graph of a collection in memory from when it is first touched, so that one collection would take more
the larger the archive is. So the store has partitions, each of them a collection: `passages`, `passages-2` and so on.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import chromadb
from chromadb.api.shared_system_client import SharedSystemClient
from chromadb.config import Settings as ChromaSettings
from chromadb.errors import ChromaError as ChromaError  # for `store`, which must not import chromadb itself

from talksearch.indexer import layout

from .collection import collection_name


def open_store(folder: Path, partition: int = 0) -> tuple[Any, Any]:
    """Open a partition of the store in an index folder, made where there is none: (client, collection).

    Close the client after use: it then lets go of the graph.

    Raises ChromaError where it is damaged or cannot be written.
    """
    try:
        client = chromadb.PersistentClient(
            path=str(layout.CHROMA.within(folder)),
            settings=ChromaSettings(anonymized_telemetry=False, allow_reset=False),
        )
    except ChromaError:
        # Chroma keeps the half of a client that it made and would give it out again for the same folder (1.5.9).
        SharedSystemClient.clear_system_cache()
        raise
    try:
        name, metadata = collection_name(partition), {"hnsw:space": "cosine"}
        return client, client.get_or_create_collection(name, metadata=metadata, embedding_function=None)
    except ChromaError:
        client.close()
        raise
