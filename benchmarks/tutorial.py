"""The tutorial script: what most people who want to search their transcripts by meaning write first.

Chunks of 1,000 characters, a sentence-transformers model, a Chroma collection with cosine. It is here to be compared
with: `cold.py` times its `ask`, and as a ranking it is in `quality.py`.

    python benchmarks/tutorial.py MODEL CHROMA COLLECTION QUERY
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

CHUNK = 1_000
"""Characters."""


def chunks(text: str) -> list[str]:
    """Cut a text every 1,000 characters, wherever that falls.

    >>> [len(chunk) for chunk in chunks("x" * 2_500)]
    [1000, 1000, 500]
    """
    return [text[start : start + CHUNK] for start in range(0, len(text), CHUNK)]


def build(talks: Mapping[str, str], model: str, folder: Path, collection: str = "talks") -> int:
    """Embed every talk (its text, by name) and store the chunks. Returns how many there are."""
    import chromadb
    from sentence_transformers import SentenceTransformer

    encoder = SentenceTransformer(model)
    chunks_collection = chromadb.PersistentClient(str(folder)).get_or_create_collection(
        collection, metadata={"hnsw:space": "cosine"}
    )
    count = 0
    for name, text in talks.items():
        pieces = chunks(text)
        if pieces:
            chunks_collection.add(
                ids=[f"{name}:{number}" for number in range(len(pieces))],
                documents=pieces,
                metadatas=[{"talk": name, "chunk": number} for number in range(len(pieces))],
                embeddings=encoder.encode(pieces).tolist(),
            )
        count += len(pieces)
    return count


def ask(query: str, model: str, folder: Path, collection: str = "talks", k: int = 10) -> list[tuple[str, float]]:
    """Return the nearest chunks as (id, cosine), nearest first."""
    import chromadb
    from sentence_transformers import SentenceTransformer

    encoder = SentenceTransformer(model)
    chunks_collection = chromadb.PersistentClient(str(folder)).get_collection(collection)
    result = chunks_collection.query(query_embeddings=[encoder.encode(query).tolist()], n_results=k)
    distances = result["distances"] or [[]]
    return [(id_, 1 - distance) for id_, distance in zip(result["ids"][0], distances[0], strict=True)]


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    for name, score in ask(sys.argv[4], sys.argv[1], Path(sys.argv[2]), sys.argv[3]):
        print(f"{score:.3f} {name}")
