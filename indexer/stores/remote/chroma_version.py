"""One state of a store in a Chroma service, open for reading."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import log
from typing import Any

import numpy as np

from talksearch.indexer.arrays import Floats
from talksearch.indexer.errors import StoreError

from .chroma_calls import Collection, all_of, errors_told
from .chroma_records import BATCH, WORDS, blobs, holding, passing, sparse_query, stored_passage
from .engine import Corpus, FoundPassage, PassageFilter, StoredTalk, StoreFiles, TalkFacts, TermCount, first_of_each
from .store_statistics import MOST_BYTES, add_up, inflate, unpack_corpus, unpack_terms

_TERMS_LOOKED_FOR = 12
"""Terms of a query that are looked for where the service cannot rank words: the rarest."""


@dataclass(frozen=True, slots=True)
class WriterState:
    """The newest state that a writer made known."""

    source: int
    state: int
    talks: int
    dimension: int
    is_replaced: bool = False
    """Whether another writer took its place: it has no talks, and no statistics either."""


@dataclass(frozen=True, slots=True, eq=False)
class WriterPart:
    """What one writer put, in one state."""

    writer: WriterState
    passages: Collection
    talks: Collection
    _whole: dict[str, bytes] = field(default_factory=dict)

    def whole(self) -> dict[str, bytes]:
        """Return what belongs to no single talk, by name; read once."""
        if not self._whole:
            of_state = holding(self.writer.state, kind="whole")
            found = all_of(self.talks, of_state, ["documents", "metadatas"], MOST_BYTES)
            self._whole.update(blobs(found["documents"], found["metadatas"]))
            if not {"corpus", "terms"} <= self._whole.keys():  # the state was cleared away meanwhile
                self._whole.clear()
                raise StoreError("A state of the store is not there any more.", "Ask again.")
        return self._whole


@dataclass(frozen=True, slots=True, eq=False)
class ChromaVersion:
    """One state of the store. It may be read until a writer has made two more known."""

    address: str
    name: str
    parts: tuple[WriterPart, ...]
    """What each writer put, most talks first."""
    ranks_words: bool
    """Whether the service ranks words."""
    known: Collection
    """What tells the newest state of each writer."""
    _counts: dict[str, int] = field(default_factory=dict)
    """In how many passages each term is said; read once."""

    def files(self) -> StoreFiles:
        """Return the files of the writer that has put most."""
        with errors_told(self.address):
            whole = self.parts[0].whole()
            return StoreFiles(
                {
                    name.removeprefix("file:"): inflate(content)
                    for name, content in whole.items()
                    if name.startswith("file:")
                }
            )

    def corpus(self) -> Corpus:
        """Return the statistics of all passages."""
        with errors_told(self.address):
            return add_up([unpack_corpus(part.whole()["corpus"]) for part in self.parts])

    def term_counts(self) -> Iterator[TermCount]:
        """Yield how often each term is said."""
        with errors_told(self.address):
            for part in self.parts:
                yield from unpack_terms(part.whole()["terms"])

    def facts(self) -> list[TalkFacts]:
        """Return the facts of all talks."""
        with errors_told(self.address):
            facts = [
                _facts(content)
                for part in self.parts
                for content in _blobs_of(part, holding(part.writer.state, kind="facts")).values()
            ]
            self._require_held()
            return first_of_each(facts, lambda one: one.id)

    def revisions(self, talk_ids: Sequence[str]) -> dict[str, str]:
        """Return the revision of each of some talks, by id."""
        found: dict[str, str] = {}
        with errors_told(self.address):
            for part in self.parts:
                where = {"$and": [*holding(part.writer.state, kind="facts")["$and"], {"name": {"$in": list(talk_ids)}}]}
                for metadata in all_of(part.talks, where, ["metadatas"])["metadatas"]:
                    found.setdefault(metadata["name"], metadata["revision"])
            self._require_held()
        return found

    def nearest(self, vector: Floats, wanted: PassageFilter, count: int) -> list[FoundPassage]:
        """Return the passages that are nearest to a normalised vector, best first."""
        found: list[FoundPassage] = []
        with errors_told(self.address):
            for part in self.parts:
                answer = part.passages.query(
                    query_embeddings=[vector],
                    n_results=min(count, BATCH),
                    where=passing(part.writer.state, wanted, embedded=True),
                    include=["metadatas", "distances"],
                )
                for metadata, distance in zip(answer["metadatas"][0], answer["distances"][0], strict=True):
                    found.append(FoundPassage(metadata["talk"], metadata["passage"], 1.0 - distance))
            self._require_held()
        return sorted(found, key=lambda one: -one.score)[:count]

    def saying(self, terms: Sequence[str], wanted: PassageFilter, count: int) -> list[FoundPassage]:
        """Return the passages that say most of some terms: by BM25, or where it does not rank words, of the rarest."""
        with errors_told(self.address):
            weights = self._weights(terms)
            if not weights:
                return []
            look = self._by_sparse_vectors if self.ranks_words else self._by_parts_of_documents
            found = [hit for part in self.parts for hit in look(part, weights, wanted, count)]
            self._require_held()
        return sorted(found, key=lambda one: (-one.score, one.passage_id))[:count]

    def talks(self, talk_ids: Sequence[str]) -> list[StoredTalk]:
        """Return talks whole; ids that are not there are left out."""
        with errors_told(self.address):
            talks = [talk for part in self.parts for talk in _stored_talks(part, talk_ids)]
            self._require_held()
            return first_of_each(talks, lambda talk: talk.facts.id)

    def _require_held(self) -> None:
        """Raise StoreError where what held in this state may be gone by now, so that nothing is left out in silence."""
        held = {part.writer.source: part.writer.state for part in self.parts}
        for newest in all_of(self.known, None, ["metadatas"])["metadatas"]:
            if newest["state"] > held.get(newest["source"], newest["state"]) + 1:
                raise StoreError(f"The store {self.address} has changed meanwhile.", "Ask again.")

    def _weights(self, terms: Sequence[str]) -> dict[str, float]:
        """Return the idf of those terms that are said. Of terms in a row, that of the rarest."""
        if not self._counts:
            for count in self.term_counts():
                self._counts[count.term] = self._counts.get(count.term, 0) + count.passages
        total = sum(part.writer.talks for part in self.parts) * 100 + max(self._counts.values(), default=0)
        weights = {}
        for term in terms:
            if fewest := min((self._counts.get(word, 0) for word in term.split()), default=0):
                weights[term] = log(1 + total / fewest)
        return weights

    def _by_sparse_vectors(
        self, part: WriterPart, weights: Mapping[str, float], wanted: PassageFilter, count: int
    ) -> Iterator[FoundPassage]:
        from chromadb import Knn, Search

        most = min(count, BATCH)
        rank = Knn(query=sparse_query(weights), key=WORDS, limit=most)
        where = passing(part.writer.state, wanted, embedded=False)
        search = Search(where=where, rank=rank, limit=most, select=["talk", "passage", "#score"])
        for row in part.passages.search(search).rows()[0]:
            # A score is a distance, and the lower the better: minus the product of both vectors, and 1 more.
            yield FoundPassage(row["metadata"]["talk"], row["metadata"]["passage"], 1.0 - float(row["score"]))

    def _by_parts_of_documents(
        self, part: WriterPart, weights: Mapping[str, float], wanted: PassageFilter, count: int
    ) -> Iterator[FoundPassage]:
        rarest = sorted(weights, key=lambda term: (-weights[term], term))[:_TERMS_LOOKED_FOR]
        where = passing(part.writer.state, wanted, embedded=False)
        scores: dict[str, float] = {}
        metadata_of: dict[str, dict[str, Any]] = {}
        for looked_for in ([rarest[:2]] if len(rarest) > 1 else []) + [[term] for term in rarest]:
            conditions = [{"$contains": f" {term} "} for term in looked_for]
            found = part.passages.get(
                where=where,
                where_document=conditions[0] if len(conditions) == 1 else {"$and": conditions},
                limit=BATCH,
                include=["metadatas", "documents"],
            )
            for record_id, metadata, document in zip(found["ids"], found["metadatas"], found["documents"], strict=True):
                metadata_of[record_id] = metadata
                scores[record_id] = sum(weight for term, weight in weights.items() if f" {term} " in document)
        for record_id in sorted(scores, key=lambda one: (-scores[one], one))[:count]:
            metadata = metadata_of[record_id]
            yield FoundPassage(metadata["talk"], metadata["passage"], scores[record_id])


def _blobs_of(part: WriterPart, where: Any) -> dict[str, bytes]:
    """Return what the records of one writer hold that pass a filter, by name."""
    found = all_of(part.talks, where, ["documents", "metadatas"])
    return blobs(found["documents"], found["metadatas"])


def _stored_talks(part: WriterPart, talk_ids: Sequence[str]) -> Iterator[StoredTalk]:
    state = part.writer.state
    for talk_id in talk_ids:  # one at a time: a talk has hundreds of records
        found = all_of(part.talks, holding(state, name=talk_id), ["documents", "metadatas"], MOST_BYTES)
        of_kind = {
            kind: blobs(
                [text for text, own in zip(found["documents"], found["metadatas"], strict=True) if own["kind"] == kind],
                [own for own in found["metadatas"] if own["kind"] == kind],
            ).get(talk_id)
            for kind in ("facts", "rows")
        }
        if of_kind["facts"] is None or of_kind["rows"] is None:
            continue
        said = all_of(part.passages, holding(state, talk=talk_id), ["documents", "metadatas", "embeddings"])
        order = sorted(range(len(said["ids"])), key=lambda at: said["metadatas"][at]["number"])
        metadatas = [said["metadatas"][at] for at in order]
        vectors = np.array([said["embeddings"][at] for at in order], np.float32).reshape(-1, part.writer.dimension)
        vectors[[not metadata["embedded"] for metadata in metadatas]] = np.nan
        yield StoredTalk(
            _facts(of_kind["facts"]),
            part.writer.source,
            found["metadatas"][0]["revision"],
            of_kind["rows"],
            tuple(
                stored_passage(said["documents"][at], metadata) for at, metadata in zip(order, metadatas, strict=True)
            ),
            vectors,
        )


def _facts(content: bytes) -> TalkFacts:
    """Return the facts of a talk from JSON that anybody may have written. Raises StoreError where they are none."""
    try:
        values = json.loads(content)
        return TalkFacts(**{**values, "speakers": tuple(values["speakers"])})
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise StoreError("The facts of a talk in the store are damaged.", "Put its index there again.") from error
