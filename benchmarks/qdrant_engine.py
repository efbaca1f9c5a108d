"""Candidates from Qdrant's engine in this process, to hold LanceDB against: `pip install qdrant-edge-py`.

    python benchmarks/scale.py --store qdrant:///tmp/scale --sizes 100000
    python benchmarks/candidates.py --index INDEX --store qdrant:///tmp/candidates

It has what finding needs and no more: no filters, no states, no lease, and talks stay where they are. Vectors have an
HNSW graph as Qdrant makes it unless told otherwise, over a byte a component, with as many kept in sight as in our
store in LanceDB; words are a sparse vector of BM25's weights, to which Qdrant gives how rare each term is (IDF).
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, count, islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from talksearch.indexer.arrays import Floats
from talksearch.indexer.stores.remote.engine import Corpus, FoundPassage, PassageFilter, StoredTalk
from talksearch.indexer.stores.remote.lance_upkeep import FEWEST_LOOKED_AT, LOOKED_AT

K1, B, USUAL_LENGTH = 1.2, 0.75, 60
"""Of BM25, and how many terms a passage usually has."""
AT_ONCE = 1_000
"""Passages that are put together."""


class QdrantEngine:
    """A folder that Qdrant's engine keeps."""

    def __init__(self, address: str, dimension: int) -> None:
        self.address, self.folder, self.dimension = address, Path(urlsplit(address).path), dimension

    def write(self, _: int, put: Iterable[StoredTalk], __: object, corpus: Corpus, *___: object) -> None:
        """Put passages, and make what finds them."""
        import qdrant_edge as qdrant

        self.folder.mkdir(parents=True)
        vector = qdrant.EdgeVectorParams(self.dimension, qdrant.Distance.Dot)
        words = qdrant.EdgeSparseVectorParams(modifier=qdrant.Modifier.Idf)
        bytes_of = qdrant.ScalarQuantizationConfig(qdrant.ScalarType.Int8, quantile=1.0, always_ram=True)
        shard = qdrant.EdgeShard.create(
            str(self.folder),
            qdrant.EdgeConfig(vectors={"v": vector}, sparse_vectors={"w": words}, quantization_config=bytes_of),
        )
        points, numbers = chain.from_iterable(map(points_of, put)), count()
        while some := [qdrant.Point(next(numbers), *point) for point in islice(points, AT_ONCE)]:
            shard.update(qdrant.UpdateOperation.upsert_points(some))
        while shard.optimize():
            pass
        shard.flush()
        shard.close()
        self.corpus = corpus

    def open(self) -> QdrantVersion:
        """Open what was put."""
        import qdrant_edge as qdrant

        return QdrantVersion(qdrant.EdgeShard.load(str(self.folder)), self.corpus)


class QdrantVersion:
    """What was put, open for reading."""

    def __init__(self, shard: Any, corpus: Corpus) -> None:
        self._shard, self._corpus = shard, corpus

    def corpus(self) -> Corpus:
        """Return the statistics that were put."""
        return self._corpus

    def nearest(self, vector: Floats, wanted: PassageFilter, count: int) -> list[FoundPassage]:
        """Return the passages that are nearest to a vector, best first."""
        import qdrant_edge as qdrant

        looked_at = qdrant.SearchParams(hnsw_ef=max(LOOKED_AT * count, FEWEST_LOOKED_AT))
        return self._found(qdrant.Query.Nearest(vector.tolist(), "v"), looked_at, wanted, count)

    def saying(self, terms: Sequence[str], wanted: PassageFilter, count: int) -> list[FoundPassage]:
        """Return the passages that say most of some terms, best first."""
        import qdrant_edge as qdrant

        numbers = sorted({number_of(term) for term in terms})
        words = qdrant.SparseVector(numbers, [1.0] * len(numbers))
        return self._found(qdrant.Query.Nearest(words, "w"), None, wanted, count)

    def _found(self, query: object, params: object, wanted: PassageFilter, count: int) -> list[FoundPassage]:
        import qdrant_edge as qdrant

        if wanted != PassageFilter():
            raise NotImplementedError
        request = qdrant.QueryRequest(limit=count, query=query, params=params, with_payload=True)
        return [
            FoundPassage(point.payload["talk"], point.payload["id"], point.score)
            for point in self._shard.query(request)
        ]


def points_of(talk: StoredTalk) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
    """Yield both vectors and the names of each passage of a talk that has a vector."""
    import qdrant_edge as qdrant

    for passage, vector in zip(talk.passages, talk.vectors, strict=True):
        terms = passage.terms.split()
        long = K1 * (1 - B + B * len(terms) / USUAL_LENGTH)
        weights: dict[int, float] = {}
        for term, said in Counter(terms).items():
            weights[number_of(term)] = said * (K1 + 1) / (said + long)
        words = qdrant.SparseVector(list(weights), list(weights.values()))
        yield {"v": vector.tolist(), "w": words}, {"talk": talk.facts.id, "id": passage.id}


def number_of(term: str) -> int:
    """Return the dimension of a term in sparse vectors: a number of 32 bits."""
    return zlib.crc32(term.encode())
