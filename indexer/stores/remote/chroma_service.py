"""A store in Chroma as a service: a server of one's own (`chroma run`), or Chroma Cloud.

Each writer has two collections of its own, one of passages with their vectors and one of everything else, and a record
in the collection `talksearch-writers` that names its newest state: to write that record is what makes a state known.
See `chroma_records` for how states are kept apart.

A server of one's own finds words as parts of documents and ranks them by nothing: passages are then those that hold the
rarest terms. Where the server has the Search API (Cloud and distributed Chroma; a local one answers "not implemented"),
words are sparse vectors and come by BM25. That path is written from Chroma's documentation and tested with answers
written down from it, because nothing here can run it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zlib import compress

from talksearch.indexer import layout
from talksearch.indexer.errors import StoreError

from .chroma_calls import TIMEOUT_S, Collection, all_of, errors_told
from .chroma_records import (
    BATCH,
    FOREVER,
    WORDS,
    ChromaRecord,
    batches,
    blob_records,
    holding,
    packed_facts,
    passage_records,
)
from .chroma_version import ChromaVersion, WriterPart, WriterState
from .engine import Corpus, StoredTalk, StoreFiles, TermCount, version_name
from .silence import require_answer
from .store_statistics import inflate, is_same_recipe, pack_corpus, pack_terms

_WRITERS = "talksearch-writers"


@dataclass(frozen=True, slots=True, eq=False)
class ChromaEngine:
    """A store in a Chroma service. `open_service` makes one."""

    address: str
    client: Any
    """A `chromadb.ClientAPI`."""

    def open(self) -> ChromaVersion:
        """Open its newest state."""
        with errors_told(self.address):
            every = self._writers()
            writers = [writer for writer in every if not writer.is_replaced]
            if not writers:
                raise StoreError(
                    f"There is nothing in the store {self.address}.", f"Put an index there: {self._command()}"
                )
            parts = tuple(
                WriterPart(
                    writer, self._collection(writer.source, "passages"), self._collection(writer.source, "talks")
                )
                for writer in writers
            )
            return ChromaVersion(
                self.address,
                version_name([*((one.source, one.state) for one in every), *((part.talks.id,) for part in parts)]),
                parts,
                _ranks_words(self.client),
                self._known(),
            )

    def revisions(self, source: int) -> Mapping[str, str]:
        """Return the revision of each talk that a writer has put, by id."""
        with errors_told(self.address):
            writer = self._writer(source)
            if writer is None or writer.is_replaced:
                return {}
            found = all_of(self._collection(source, "talks"), holding(writer.state, kind="facts"), ["metadatas"])
            return {metadata["name"]: metadata["revision"] for metadata in found["metadatas"]}

    def ids_of_others(self, sources: Sequence[int]) -> set[str]:
        """Return the ids of the talks that other writers than some have put."""
        with errors_told(self.address):
            others = [one for one in self._writers() if one.source not in sources and not one.is_replaced]
            return self._ids_of_others(others)

    def write(
        self,
        source: int,
        put: Iterable[StoredTalk],
        drop: Sequence[str],
        corpus: Corpus,
        terms: Iterable[TermCount],
        files: StoreFiles,
        replaced: Sequence[int] = (),
    ) -> None:
        """Put talks in the place of those with their ids, drop others, and make it the newest state at once."""
        with errors_told(self.address):
            writers = self._writers()
            self._refuse_another_recipe(writers, source, files)
            held = _state_of(source, writers)
            state = held + 1
            sparse = _ranks_words(self.client)
            passages = self._collection(source, "passages", sparse=sparse)
            talks = self._collection(source, "talks")
            for collection in (passages, talks):
                if any(writer.source == source and writer.is_replaced for writer in writers):
                    _empty(collection)
                _undo_what_was_not_made_known(collection, held)
            own = {source, *replaced}
            others = self._ids_of_others([writer for writer in writers if writer.source not in own])
            given: set[str] = set()
            for talk in put:
                self._refuse_those_of_others({talk.facts.id}, others)
                given.add(talk.facts.id)
                _end(passages, held, state, "talk", talk.facts.id)
                _end(talks, held, state, "name", talk.facts.id)
                _add(passages, passage_records(talk, state, sparse=sparse))
                _add(talks, _talk_records(talk, state))
            for talk_id in drop:
                _end(passages, held, state, "talk", talk_id)
                _end(talks, held, state, "name", talk_id)
            _end(talks, held, state, "kind", "whole")
            _add(talks, _whole_records(corpus, terms, files, state))
            now = self._writers()
            if _state_of(source, now) != held:
                raise StoreError(
                    f"Another process wrote to the store {self.address} for the same index meanwhile.",
                    "Give the same command again: it puts what is missing now.",
                )
            meanwhile = [writer for writer in now if writer.source not in own and writer not in writers]
            self._refuse_those_of_others(given, self._ids_of_others(meanwhile))
            out = [writer for writer in now if writer.source in replaced]
            self._make_known([WriterState(source, state, corpus.talks, len(corpus.vector_sum)), *map(_emptied, out)])
            for collection in (passages, talks):  # readers of the state before go on, those of older ones do not
                collection.delete(where={"until": {"$lte": held}})
            for writer in out:  # who still reads these asks again: their state went up by two
                for kind in ("passages", "talks"):
                    _empty(self._collection(writer.source, kind))

    def _writers(self) -> list[WriterState]:
        records = all_of(self._known(), None, ["metadatas"])
        writers = [
            WriterState(
                int(values["source"]),
                int(values["state"]),
                int(values["talks"]),
                int(values["dimension"]),
                bool(values.get("replaced", False)),
            )
            for values in records["metadatas"]
        ]
        return sorted(writers, key=lambda writer: -writer.talks)

    def _writer(self, source: int) -> WriterState | None:
        return next((writer for writer in self._writers() if writer.source == source), None)

    def _make_known(self, writers: Sequence[WriterState]) -> None:
        """Make states known, of several writers at once."""
        self._known().upsert(
            ids=[str(writer.source) for writer in writers],
            embeddings=[[1.0]] * len(writers),
            metadatas=[
                {
                    "source": writer.source,
                    "state": writer.state,
                    "talks": writer.talks,
                    "dimension": writer.dimension,
                    "replaced": writer.is_replaced,
                }
                for writer in writers
            ],
            documents=[""] * len(writers),
        )

    def _known(self) -> Collection:
        return self.client.get_or_create_collection(_WRITERS, embedding_function=None)

    def _collection(self, source: int, kind: str, *, sparse: bool = False) -> Collection:
        name = f"talksearch-{source}-{kind}"
        if sparse:
            from chromadb import Schema, SparseVectorIndexConfig

            schema = Schema()
            schema.create_index(config=SparseVectorIndexConfig(), key=WORDS)
            return self.client.get_or_create_collection(name, schema=schema, embedding_function=None)
        space = {"hnsw": {"space": "ip"}} if kind == "passages" else None
        return self.client.get_or_create_collection(name, configuration=space, embedding_function=None)

    def _ids_of_others(self, writers: Sequence[WriterState]) -> set[str]:
        return {
            metadata["name"]
            for writer in writers
            for metadata in all_of(
                self._collection(writer.source, "talks"), holding(writer.state, kind="facts"), ["metadatas"]
            )["metadatas"]
        }

    def _refuse_those_of_others(self, given: Set[str], others: Set[str]) -> None:
        """Raise StoreError where another writer has put a talk: each is in a store once."""
        if taken := given & others:
            raise StoreError(
                f"The talk {min(taken)} in the store {self.address} was put there by another index.",
                "Give the same command again: it leaves out what is there by then.",
            )

    def _refuse_another_recipe(self, writers: Sequence[WriterState], source: int, files: StoreFiles) -> None:
        for writer in writers:
            if writer.source == source or writer.is_replaced:
                continue
            part = WriterPart(writer, None, self._collection(writer.source, "talks"))
            theirs = part.whole().get(f"file:{layout.RECIPE.name}")
            if theirs is not None and not is_same_recipe(inflate(theirs), files.by_name[layout.RECIPE.name]):
                raise StoreError(
                    f"What lies in the store {self.address} was made with another model, or split otherwise.",
                    "Use another store, or the same model: talksearch index --rebuild --model MODEL",
                )

    def _command(self) -> str:
        return f"talksearch index PATH --store {self.address}"


def _state_of(source: int, writers: Sequence[WriterState]) -> int:
    """Return the number of the newest state that a writer made known; 0 where there is none."""
    return next((writer.state for writer in writers if writer.source == source), 0)


def _whole_records(corpus: Corpus, terms: Iterable[TermCount], files: StoreFiles, state: int) -> Iterator[ChromaRecord]:
    """Yield the records of what belongs to no single talk in a state."""
    whole = {"corpus": pack_corpus(corpus), "terms": pack_terms(terms)}
    whole |= {f"file:{name}": compress(content) for name, content in files.by_name.items()}
    for name, content in whole.items():
        yield from blob_records("whole", name, str(state), content, state)


def _emptied(writer: WriterState) -> WriterState:
    """Return the state of a writer that was replaced, after which nobody reads on what it put."""
    return WriterState(writer.source, writer.state + (0 if writer.is_replaced else 2), 0, writer.dimension, True)


def open_service(address: str, location: str) -> ChromaEngine:
    """Open a store in a Chroma service.

    Args:
        address: What the store is called in messages.
        location: Where it is: `http://host:port/tenant/database`.

    Raises StoreError where it cannot be reached, or refuses the token.
    """
    parts = urlsplit(location)
    tenant, database = parts.path.strip("/").split("/")
    token = _token()
    import chromadb
    from chromadb.config import Settings

    headers = {"x-chroma-token": token, "Authorization": f"Bearer {token}"} if token else {}
    require_answer(address, location.rsplit("/", 2)[0])  # Chroma would wait for ever
    with errors_told(address):
        client = chromadb.HttpClient(
            host=f"[{parts.hostname}]" if ":" in str(parts.hostname) else str(parts.hostname),
            port=parts.port or 0,
            ssl=parts.scheme == "https",
            headers=headers,
            settings=Settings(anonymized_telemetry=False),
            tenant=tenant,
            database=database,
        )
        # Chroma waits for ever. It has no setting for it, and gives its HTTP client to nobody.
        session = getattr(getattr(client, "_server", None), "_session", None)
        if session is not None:
            session.timeout = TIMEOUT_S
    return ChromaEngine(address, client)


def _token() -> str | None:
    """Return what the environment says to send with each request; None for nothing."""
    if file := os.environ.get("TALKSEARCH_STORE_TOKEN_FILE"):
        try:
            return Path(file).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            raise StoreError(
                f"The token in {file} cannot be read: {error}.", "TALKSEARCH_STORE_TOKEN_FILE names this file."
            ) from error
    return os.environ.get("TALKSEARCH_STORE_TOKEN")


def _add(collection: Collection, records: Iterable[ChromaRecord]) -> None:
    for batch in batches(records):
        collection.upsert(
            ids=[record.id for record in batch],
            embeddings=[record.vector for record in batch],
            documents=[record.document for record in batch],
            metadatas=[record.metadata for record in batch],
        )


def _end(collection: Collection, held: int, state: int, key: str, value: str) -> None:
    """Let what a writer's state holds under a key end with a new state."""
    _change_until(collection, holding(held, **{key: value}), state)


def _empty(collection: Collection) -> None:
    collection.delete(where={"from": {"$gte": 0}})


def _undo_what_was_not_made_known(collection: Collection, held: int) -> None:
    """Take back what a write left that did not come to its end."""
    collection.delete(where={"from": {"$gt": held}})
    _change_until(collection, {"$and": [{"until": {"$gt": held}}, {"until": {"$lt": FOREVER}}]}, FOREVER)


def _change_until(collection: Collection, where: Any, until: int) -> None:
    ids = all_of(collection, where, [])["ids"]
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        collection.update(ids=batch, metadatas=[{"until": until}] * len(batch))


def _talk_records(talk: StoredTalk, state: int) -> Iterator[ChromaRecord]:
    for kind, content in (("facts", packed_facts(talk.facts)), ("rows", talk.rows)):
        yield from blob_records(kind, talk.facts.id, talk.revision, content, state)


def _ranks_words(client: Any) -> bool:
    """Say whether a service has the Search API."""
    from chromadb import Search
    from chromadb.errors import ChromaError

    known = client.get_or_create_collection(_WRITERS, embedding_function=None)
    try:
        known.search(Search(limit=1))
    except ChromaError as error:
        if "not implemented" in str(error).lower():
            return False
        raise
    return True
