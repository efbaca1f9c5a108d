"""The talks of one version of a store as a reader sees them: gathered before each query is answered."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import Future
from functools import partial

import numpy as np

from talksearch.indexer.arrays import Floats, Ints
from talksearch.indexer.encoders.base import QueryEncoding
from talksearch.indexer.stores.recipe import Recipe
from talksearch.indexer.stores.remote.engine import FoundPassage, PassageFilter
from talksearch.search.hit import QuoteMatch
from talksearch.search.query import Filters, Query, split_quotes
from talksearch.search.ranking.filters import passages_by
from talksearch.search.ranking.passage_table import PassageTable
from talksearch.search.reader import IndexReader

from . import asking
from .candidates import FOUND, MOST_TALKS, best_talks, quoted_terms, terms_to_ask
from .held_talks import HeldTalks
from .narrow import NarrowedFilters, TalkFactsFilter
from .version_folder import VersionFolder

_MOST_HELD = 50_000
"""Passages that are held in memory at most, some 320 MB with their cues; then the catalog is begun anew."""

_FOUND_PER_HIT = 4
"""How many are asked for at least for each hit that is wanted: some repeat others."""

_MOST_FETCHED = 200
"""How many talks are fetched at most, where many hits are wanted."""

_MOST_FOUND = 1_000
"""How many passages are asked for at most, where many hits are wanted."""


class StoreTalks:
    """What `reader.StoredTalks` promises, of one version of a store. It belongs to the thread that made it."""

    def __init__(self, address: str, kept: VersionFolder, recipe: Recipe, most_talks: int = MOST_TALKS) -> None:
        self.kept = kept
        self.address = address
        self._recipe = recipe
        self._most_talks = most_talks
        self._facts: TalkFactsFilter | None = None
        self.held = self._new()
        self.gathered: frozenset[str] = frozenset()
        """The ids of the talks that the last query was answered from, or is."""
        self._within: Ints = np.empty(0, np.int64)
        self._is_selection = False
        """Whether there are more talks that may answer."""
        self._damaged = 0
        """How many of these talks are left out."""

    @property
    def note(self) -> str:
        """What the user must know of the talks that were gathered; empty where there is nothing."""
        if not self._damaged:
            return ""
        left_out = "1 talk is" if self._damaged == 1 else f"{self._damaged} talks are"
        return f"{left_out} left out, because what the store holds of it is damaged. Put its index there again."

    @property
    def counted(self) -> int | None:
        """How many talks were gathered; None where these are all that may answer."""
        return len(self.gathered) if self._is_selection else None

    @property
    def has_vectors(self) -> bool:
        """Whether any passage of the store has a vector."""
        return self.kept.corpus.vectors > 0

    @property
    def facts(self) -> TalkFactsFilter:
        """The facts of all talks; they are fetched when this is first asked for."""
        if self._facts is None:
            fetched = asking.start(self.address, lambda: self.kept.facts, asking.LARGE_ANSWER_S)
            self._facts = TalkFactsFilter(fetched())
        return self._facts

    def table(self) -> PassageTable:
        """Return the passages that are held."""
        return self.held.table()

    def languages(self) -> set[str]:
        """Return the languages of the store (ISO 639)."""
        return set(filter(None, self.held.corpus.languages))

    def passes(self, filters: Filters) -> bool:
        """Say whether any talk of the store passes some filters."""
        return bool(self.facts.narrow(filters).talk_ids)

    def allowed(self, filters: Filters) -> Ints:
        """Return the numbers of the passages of the talks that were gathered which pass some filters, sorted."""
        if filters == Filters():
            return self._within
        passing = self.facts.narrow(filters).talk_ids & self.gathered
        numbers = self.held.numbers_of(passing)
        if not filters.speaker:
            return numbers
        table = self.table()
        return np.intersect1d(numbers, table.layout.numbers[passages_by(table, filters.speaker)])

    def in_order(self, quotes: Sequence[QuoteMatch]) -> list[QuoteMatch]:
        """Return quotes, best first, equally good ones in an order that is the same in every reader.

        Talks are numbered here as they were fetched, which differs from reader to reader.
        """
        ids = dict(self.held.db.execute("SELECT number, id FROM talks"))
        return sorted(quotes, key=lambda quote: (-quote.score, ids[quote.talk], quote.start_ms))

    def gather(self, reader: IndexReader, query: Query) -> None:
        """Fetch the talks that may answer a query. Raises StoreError, and QueryError where a filter names no talk."""
        self._make_room(reader)
        narrowed = self._narrowed(query.filters)
        if narrowed is not None and len(narrowed.talk_ids) <= self._most_talks:
            self._hold(narrowed.talk_ids)
            return
        text, quotes = split_quotes(query.text)
        if query.mode == "quote" or quotes == (text,):
            self._find(narrowed, query, None, [quoted_terms(text)])
            return
        vector: Callable[[], Floats] | None = None
        if query.mode != "lexical" and self.has_vectors:
            encoding = reader.encode(text)
            vector = partial(_vector_of, encoding)
        asked: list[str] = []
        unsaid: list[str] = []
        if query.mode != "semantic":
            asked, unsaid = terms_to_ask(reader, text)
        speaking = [talk_id for term in unsaid for talk_id in self.facts.speaking(term)] if unsaid else []
        self._find(narrowed, query, vector, [asked, *map(quoted_terms, quotes)], speaking)

    def gather_like(
        self, query: Query, terms: Sequence[str], vector: Callable[[], Floats] | None, talk_id: str
    ) -> None:
        """Fetch the talks that may hold passages like one.

        Args:
            query: How many are wanted, and of which talks.
            terms: The terms that tell what it is about.
            vector: Returns its vector; None where only words count.
            talk_id: Its own talk.
        """
        narrowed = self._narrowed(query.filters)
        if narrowed is not None and len(narrowed.talk_ids) <= self._most_talks:
            self._hold({*narrowed.talk_ids, talk_id})
        else:
            self._find(narrowed, query, vector, [terms], [talk_id])

    def gather_talk(self, reader: IndexReader, name: str) -> str:
        """Fetch the one talk that a name means, and return its id. Raises QueryError where it means no single one."""
        self._make_room(reader)
        talk_id = self.facts.find(name)
        self._hold([talk_id])
        return talk_id

    def follow(self, kept: VersionFolder) -> None:
        """See another version of the store from now on. Talks of the same revision there are not fetched again."""
        self.close_facts()
        held = list(self.held.revisions)
        revisions = asking.start(self.address, lambda: kept.version.revisions(held))() if held else {}
        self.held.follow(kept, revisions)
        self.kept = kept
        self.gathered, self._within = frozenset(), np.empty(0, np.int64)

    def close(self) -> None:
        """Let go of all that is held."""
        self.close_facts()
        self.held.close()

    def close_facts(self) -> None:
        """Close the facts of the version that was seen so far."""
        if self._facts is not None:
            self._facts.close()
            self._facts = None

    def _new(self) -> HeldTalks:
        return HeldTalks(self.kept, self._recipe.model.name, self._recipe.model.dimension)

    def _make_room(self, reader: IndexReader) -> None:
        """Begin the catalog anew where it holds too much; not while an answer is made of it."""
        if self.held.passages > _MOST_HELD and not self.held.db.in_transaction:
            self.held.close()
            self.held = self._new()
            reader.db = self.held.db

    def _narrowed(self, filters: Filters) -> NarrowedFilters | None:
        return None if filters == Filters() else self.facts.narrow(filters)

    def _find(
        self,
        narrowed: NarrowedFilters | None,
        query: Query,
        vector: Callable[[], Floats] | None,
        terms: Iterable[Sequence[str]],
        others: Iterable[str] = (),
    ) -> None:
        """Fetch the talks of the best candidates.

        Args:
            narrowed: What filters leave of the store; None where there are none.
            query: How many hits are wanted.
            vector: Returns the vector that candidates are near to; None where only words count.
            terms: Terms that candidates say, in lists that are asked for each by itself.
            others: Talks that are fetched as well.
        """
        version, wanted = self.kept.version, PassageFilter() if narrowed is None else narrowed.wanted
        count = min(max(FOUND, _FOUND_PER_HIT * query.k), _MOST_FOUND)
        waiting = [self._start(partial(version.saying, tuple(asked), wanted, count)) for asked in terms if asked]
        if vector is not None:
            waiting.append(self._start(partial(version.nearest, vector(), wanted, count)))
        found = [answer() for answer in waiting]
        if narrowed is not None:
            found = [[one for one in part if one.talk_id in narrowed.talk_ids] for part in found]
        self._hold([*best_talks(found, min(max(self._most_talks, query.k), _MOST_FETCHED)), *others])
        may_answer = self.kept.corpus.talks if narrowed is None else len(narrowed.talk_ids)
        self._is_selection = len(self.gathered) < may_answer

    def _start(self, work: Callable[[], list[FoundPassage]]) -> Callable[[], list[FoundPassage]]:
        return asking.start(self.address, work)

    def _hold(self, talk_ids: Collection[str]) -> None:
        """Hold some talks, and let hits come from these alone."""
        self._damaged, self._is_selection = 0, False
        known = self.held.revisions.keys() | self.held.damaged
        missing = [talk_id for talk_id in dict.fromkeys(talk_ids) if talk_id not in known]
        if missing:
            self.held.put(asking.start(self.address, lambda: self.kept.version.talks(missing))())
        self._damaged = len(self.held.damaged.intersection(talk_ids))
        self.gathered = frozenset(talk_ids)
        self._within = self.held.numbers_of(self.gathered)


def _vector_of(encoding: Future[QueryEncoding]) -> Floats:
    return encoding.result().vector
