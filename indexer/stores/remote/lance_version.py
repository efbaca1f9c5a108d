"""One state of a store in LanceDB, open for reading."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeVar

import numpy as np

from talksearch.indexer.arrays import Floats
from talksearch.indexer.errors import StoreError

from .engine import Corpus, FoundPassage, PassageFilter, StoredTalk, StoreFiles, TalkFacts, TermCount, first_of_each
from .lance_calls import LanceLocation, Table, errors_told
from .lance_commits import Commit, StateSummary, read_whole
from .lance_rows import FACTS, facts_of, is_one_of, passages_of, passing
from .lance_upkeep import FEWEST_LOOKED_AT, LOOKED_AT, graphs
from .store_statistics import add_up, unpack_corpus, unpack_terms

_T = TypeVar("_T")

_MANY = 10_000_000
"""More rows than are ever asked for: without a limit, LanceDB gives ten."""

_IDS_AT_ONCE = 500
"""Ids in one condition."""

_AT_ONCE = 8
"""Writers whose tables are asked at the same time."""


@dataclass(frozen=True, slots=True, eq=False)
class WriterPart:
    """What one writer put, in one state."""

    commit: Commit
    passages: Table
    talks: Table


@dataclass(frozen=True, slots=True, eq=False)
class LanceVersion:
    """A state of a store. Safe to share between threads."""

    name: str
    place: LanceLocation
    parts: tuple[WriterPart, ...]
    """That of the writer that has put most first."""
    commits: Table

    def files(self) -> StoreFiles:
        """Return the files of the writer that has put most."""
        with errors_told(self.place):
            return self._whole(self.parts[0]).files

    def corpus(self) -> Corpus:
        """Return the statistics of all its passages."""
        with errors_told(self.place):
            return add_up([unpack_corpus(self._whole(part).corpus) for part in self.parts])

    def term_counts(self) -> Iterable[TermCount]:
        """Yield how often each term is said."""
        for part in self.parts:
            with errors_told(self.place):
                packed = self._whole(part).terms
            yield from unpack_terms(packed)

    def facts(self) -> Sequence[TalkFacts]:
        """Return the facts of all talks."""

        def ask(part: WriterPart) -> list[TalkFacts]:
            return [facts_of(row) for row in part.talks.search().select(FACTS).limit(_MANY).to_arrow().to_pylist()]

        return first_of_each(chain.from_iterable(self._of_each(ask)), lambda facts: facts.id)

    def revisions(self, talk_ids: Sequence[str]) -> Mapping[str, str]:
        """Return the revision of some talks, by id; ids that are not there are left out."""

        def ask(part: WriterPart) -> list[tuple[str, str]]:
            rows = _rows_of(part.talks, "id", talk_ids, ["id", "revision"])
            return [(row["id"], row["revision"]) for row in rows]

        return dict(first_of_each(chain.from_iterable(self._of_each(ask)), lambda row: row[0]))

    def nearest(self, vector: Floats, wanted: PassageFilter, count: int) -> list[FoundPassage]:
        """Return the passages that are nearest to a normalised vector, best first."""
        dimension = self.parts[0].commit.dimension
        if vector.shape != (dimension,):
            raise StoreError(
                f"A query has {len(vector)} dimensions, and the vectors of the store {self.place.url} {dimension}.",
                "Ask with the model of the store.",
            )

        def ask(part: WriterPart) -> list[FoundPassage]:
            query = part.passages.search(vector.astype(np.float32), vector_column_name="vector").distance_type("dot")
            if part.commit.trained:
                query = query.nprobes(graphs(part.commit.trained)).ef(max(LOOKED_AT * count, FEWEST_LOOKED_AT))
            return [
                FoundPassage(row["talk"], row["id"], 1.0 - row["_distance"])
                for row in _passing(query, wanted)
                .select(["talk", "id", "_distance"])
                .limit(count)
                .to_arrow()
                .to_pylist()
            ]

        return self._best(ask, count)

    def saying(self, terms: Sequence[str], wanted: PassageFilter, count: int) -> list[FoundPassage]:
        """Return the passages that say most of some terms by BM25, best first."""
        from lancedb import query as queries

        if not terms:
            return []
        match: Any = queries.MatchQuery  # it has defaults that its types do not tell

        def ask(part: WriterPart) -> list[FoundPassage]:
            query = part.passages.search(match(" ".join(terms), "terms"), query_type="fts")
            return [
                FoundPassage(row["talk"], row["id"], row["_score"])
                for row in _passing(query, wanted).select(["talk", "id", "_score"]).limit(count).to_arrow().to_pylist()
            ]

        return self._best(ask, count)

    def talks(self, talk_ids: Sequence[str]) -> list[StoredTalk]:
        """Return talks whole, in any order; ids that are not there are left out."""

        def ask(part: WriterPart) -> list[StoredTalk]:
            found = []
            for ids in _batches(list(dict.fromkeys(talk_ids)), _IDS_AT_ONCE):
                rows = part.talks.search().where(is_one_of("id", ids)).limit(_MANY).to_arrow().to_pylist()
                if not rows:
                    continue
                there = [row["id"] for row in rows]
                held = part.passages.search().where(is_one_of("talk", there)).limit(_MANY).to_arrow()
                passages = passages_of(held, part.commit.dimension)
                nothing = (), np.empty((0, part.commit.dimension), np.float32)
                found += [
                    StoredTalk(
                        facts_of(row),
                        part.commit.source,
                        row["revision"],
                        row["rows"],
                        *passages.get(row["id"], nothing),
                    )
                    for row in rows
                ]
            return found

        return first_of_each(chain.from_iterable(self._of_each(ask)), lambda talk: talk.facts.id)

    def _whole(self, part: WriterPart) -> StateSummary:
        return read_whole(self.commits, part.commit)

    def _best(self, ask: Callable[[WriterPart], list[FoundPassage]], count: int) -> list[FoundPassage]:
        found = [*chain.from_iterable(self._of_each(ask))]
        return sorted(found, key=lambda one: -one.score)[:count]

    def _of_each(self, ask: Callable[[WriterPart], _T]) -> list[_T]:
        """Ask all parts that hold a talk."""
        asked = [part for part in self.parts if part.commit.talk_count]
        with errors_told(self.place):
            if len(asked) < 2:
                return [ask(part) for part in asked]
            with ThreadPoolExecutor(min(_AT_ONCE, len(asked)), "talksearch-store") as threads:
                return list(threads.map(ask, asked))


def _passing(query: Any, wanted: PassageFilter) -> Any:
    condition = passing(wanted)
    return query if condition is None else query.where(condition, prefilter=True)


def _rows_of(table: Table, column: str, ids: Sequence[str], columns: list[str]) -> list[dict[str, Any]]:
    """Return the rows in which a column has one of some values."""
    rows: list[dict[str, Any]] = []
    for batch in _batches(list(dict.fromkeys(ids)), _IDS_AT_ONCE):
        rows += table.search().where(is_one_of(column, batch)).select(columns).limit(_MANY).to_arrow().to_pylist()
    return rows


def _batches(ids: Sequence[str], size: int) -> Iterable[Sequence[str]]:
    return (ids[first : first + size] for first in range(0, len(ids), size))
