"""Talks of a store in a catalog in memory, as many as were fetched lately."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from contextlib import nullcontext

import numpy as np

from talksearch.indexer.arrays import Floats, Ints
from talksearch.indexer.errors import StoreError
from talksearch.indexer.stores import catalog, catalog_writer, schema, seals
from talksearch.indexer.stores.catalog_names import put_names
from talksearch.indexer.stores.remote.engine import StoredTalk, TermCount
from talksearch.indexer.stores.remote.talk_bytes import unpack
from talksearch.indexer.stores.vectors import Vectors
from talksearch.search.ranking.corpus import statistics_of
from talksearch.search.ranking.layout import read_layout
from talksearch.search.ranking.passage_table import PassageTable
from talksearch.search.ranking.vocabulary import let_stand_for

from .version_folder import VersionFolder

_FIRST_ROOM = 4_096
"""Vectors that there is room for at first."""


class HeldTalks:
    """Talks of one version of a store: a catalog in memory, with their vectors beside it.

    It belongs to the thread that made it, because its connection does.
    """

    def __init__(self, kept: VersionFolder, model: str, dimension: int) -> None:
        self.db = sqlite3.connect("file::memory:", uri=True, isolation_level=None)
        seals.register(self.db)
        self.db.executescript(schema.new_catalog())
        self.revisions: dict[str, str] = {}
        """The revision of each talk that is held, by its id."""
        self.damaged: set[str] = set()
        """The ids of talks of this version that are left out, because what the store has of them is damaged."""
        self._model = model
        self._vectors = _GrowingVectors(dimension)
        self._table: PassageTable | None = None
        self._know_whole(kept)

    @property
    def passages(self) -> int:
        """How many passages are held, with those of talks that were dropped."""
        return len(self._vectors)

    def put(self, talks: Iterable[StoredTalk]) -> None:
        """Hold talks, none of which is held yet.

        One of which the store has something damaged is left out, and noted (`damaged`). Raises StoreError where that is
        so of all of them.
        """
        held: dict[str, str] = {}
        problems: dict[str, StoreError] = {}
        with nullcontext() if self.db.in_transaction else catalog.transaction(self.db):
            for talk in sorted(talks, key=lambda talk: talk.facts.id):
                try:
                    self._put(talk)
                    held[talk.facts.id] = talk.revision
                except StoreError as error:
                    problems[talk.facts.id] = error
        if problems and not held:
            raise next(iter(problems.values()))
        self.revisions |= held
        self.damaged |= problems.keys()
        self._table = None

    def _put(self, talk: StoredTalk) -> None:
        unpacked = unpack(talk.rows)
        rows = unpacked.talk.rows
        if rows.talk_id != talk.facts.id or talk.vectors.shape != (len(rows.passages), self._vectors.dimension):
            raise _damaged(talk.facts.id)
        self.db.execute("SAVEPOINT talk")
        try:
            catalog_writer.put_rows(self.db, unpacked.talk.path, rows)
            put_names(self.db, rows.talk_id, unpacked.talk.mishearings, unpacked.talk.rare_words)
        except sqlite3.Error as error:  # rows that cannot stand beside each other
            self.db.execute("ROLLBACK TO talk")
            raise _damaged(talk.facts.id) from error
        finally:
            self.db.execute("RELEASE talk")
        number_of = dict(
            self.db.execute(
                "SELECT p.id, p.number FROM passages p JOIN talks t ON t.number = p.talk WHERE t.id = ?",
                (rows.talk_id,),
            )
        )
        numbers = np.array([number_of[passage.id] for passage in rows.passages], np.int64)
        embedded = np.flatnonzero(np.isfinite(talk.vectors).all(axis=1))
        self._vectors.append(numbers[embedded], talk.vectors[embedded])
        # Codes along other directions say nothing here; their passages are then not compared token by token.
        are_ours = unpacked.directions == self._directions
        codes = [unpacked.codes[position] if are_ours else None for position in embedded.tolist()]
        catalog_writer.put_embedded(self.db, numbers[embedded].tolist(), codes)

    def table(self) -> PassageTable:
        """Return the passages of all talks that are held."""
        if self._table is None:
            layout, copy = read_layout(self.db), self._vectors.copy()
            self._table = PassageTable(layout, copy.find(layout.numbers), copy, None, self.db, self._model, self.corpus)
        return self._table

    def numbers_of(self, talk_ids: Collection[str]) -> Ints:
        """Return the numbers of the passages of some talks, sorted."""
        rows = self.db.execute(
            "SELECT number FROM talks WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(list(talk_ids)),)
        )
        wanted, layout = np.fromiter((number for (number,) in rows), np.int64), self.table().layout
        return np.sort(layout.numbers[np.isin(layout.talk_numbers, wanted)[layout.talks]])

    def follow(self, kept: VersionFolder, revisions: Mapping[str, str]) -> None:
        """Hold the talks of another version: those that it has as they are held.

        Args:
            kept: That version.
            revisions: The revisions that it has of the talks that are held.
        """
        for talk_id in [held for held, revision in self.revisions.items() if revisions.get(held) != revision]:
            catalog_writer.drop_talk(self.db, talk_id)
            del self.revisions[talk_id]
        self.damaged.clear()
        self.db.execute("DROP VIEW temp.vocabulary")
        self.db.execute("DETACH whole")
        self._know_whole(kept)

    def close(self) -> None:
        """Let go of all of them."""
        self.db.close()

    def _know_whole(self, kept: VersionFolder) -> None:
        let_stand_for(self.db, kept.terms)
        self.db.execute("DELETE FROM common")
        self.db.execute("INSERT INTO common SELECT term FROM whole.stop_terms")
        self._directions = kept.directions
        self.corpus = statistics_of(kept.corpus, self._count_term)
        """The statistics of the whole store."""
        self._table = None

    def _count_term(self, term: str) -> list[TermCount]:
        rows = self.db.execute("SELECT term, language, passages, talks FROM whole.terms WHERE term = ?", (term,))
        return [TermCount(*row) for row in rows]


class _GrowingVectors:
    """Vectors by the numbers of their passages, which rise. The array has room for more than there are."""

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self._numbers = np.empty(0, np.int64)
        self._rows = np.empty((_FIRST_ROOM, dimension), np.float32)

    def __len__(self) -> int:
        return len(self._numbers)

    def append(self, numbers: Ints, rows: Floats) -> None:
        """Add the vectors (n, dimension) of some passages (n,)."""
        first, end = len(self._numbers), len(self._numbers) + len(numbers)
        if end > len(self._rows):
            grown = np.empty((2 * end, self.dimension), np.float32)
            grown[:first] = self._rows[:first]
            self._rows = grown
        self._rows[first:end] = rows
        self._numbers = np.concatenate([self._numbers, numbers])

    def copy(self) -> Vectors:
        """Return those that are there now. What is added later does not change them."""
        numbers = self._numbers
        return Vectors(lambda: numbers, self._rows[: len(numbers)])


def _damaged(talk_id: str) -> StoreError:
    return StoreError(f"What the store holds of the talk {talk_id} is damaged.", "Put its index there again.")
