"""The seam between talksearch and an engine that holds passages on other machines: its words and its promises.

A store holds talks whole: what a catalog has of a talk, its passages with their vectors, and a few facts to filter by.
A writer is one index; its number (`stores.state.identity`) is the `source` of the talks it put, and it takes out no
talks of others. Everything that one call of `Engine.write` puts is seen at once by whoever opens a `Version` later, or
not at all; a version that is open stays as it is.

An engine finds candidates and nothing more. Ranking, jumps and grades are talksearch's own: they run over the whole
talks that hold candidates, with the statistics of the whole store (`Corpus`). So an engine may find them by approximate
means, and what it calls a score only orders them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from talksearch.indexer.arrays import Floats
from talksearch.indexer.records import Field
from talksearch.indexer.stores.calibration import NullCosines

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TalkFacts:
    """What talks are filtered by before they are fetched, as the catalog has it."""

    id: str
    title: str
    channel: str | None
    speaker: str | None
    language: str | None
    """A BCP 47 tag."""
    date: str | None
    """`YYYY-MM-DD`, or the beginning of it."""
    timing: str
    duration_ms: int | None
    """How long it is; where no metadata say so, until its last cue ends."""
    path: str
    """Where its transcript lies, as the writer saw it."""
    youtube_id: str | None = None
    speakers: tuple[str, ...] = ()
    """Who is named as speaking in its passages, each once."""


class StoredPassage(NamedTuple):
    """What an engine keeps of a passage, to find it by."""

    id: str
    field: Field
    terms: str
    """The terms of its text and of what tracks say meanwhile, with spaces between: `text.terms` made them."""
    speakers: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class StoredTalk:
    """A talk as a store holds it."""

    facts: TalkFacts
    source: int
    """The number of the index that put it."""
    revision: str
    """A digest of everything in it: a talk of the same revision need not be put, or fetched, again."""
    rows: bytes
    """What a catalog holds of it, packed by `talk_bytes`. Passages stand in it in the order of `passages`."""
    passages: tuple[StoredPassage, ...]
    vectors: Floats
    """The normalised vector of each passage (n, dimension), NaN where it has none yet."""


class TermCount(NamedTuple):
    """How often a term is said, in texts of one language."""

    term: str
    language: str
    """The code of the language of the talks (ISO 639), empty where it is not known."""
    passages: int
    """In how many passages."""
    talks: int
    """In how many talks."""


class LanguageCount(NamedTuple):
    """How much there is in one language."""

    language: str
    """As in `TermCount`."""
    talks: int
    passages: int


@dataclass(frozen=True, slots=True, eq=False)
class Corpus:
    """Statistics of all passages of a store, or of what one writer put. Those of several writers are added up."""

    languages: tuple[LanguageCount, ...]
    vectors: int
    """How many passages have a vector."""
    vector_sum: npt.NDArray[np.float64]
    """The sum of these vectors (dimension,), in double precision."""
    product_sum: npt.NDArray[np.float64]
    """The sum of their outer products (dimension, dimension), in double precision: with a query's vector, both give the
    mean and the deviation of the cosines of all passages."""
    nulls: NullCosines | None = None
    """What the null queries have to these vectors, by which grades are told; None where that is not known."""

    @property
    def passages(self) -> int:
        """How many passages there are."""
        return sum(count.passages for count in self.languages)

    @property
    def talks(self) -> int:
        """How many talks there are."""
        return sum(count.talks for count in self.languages)


@dataclass(frozen=True, slots=True)
class StoreFiles:
    """The files of an index that readers need beside talks, by their names in `layout`: the recipe, directions, and
    what grades are told by."""

    by_name: Mapping[str, bytes]


class FoundPassage(NamedTuple):
    """A passage that an engine found."""

    talk_id: str
    passage_id: str
    score: float
    """The higher, the better. Comparable within one answer only."""


@dataclass(frozen=True, slots=True)
class PassageFilter:
    """What may be found. An engine may let more pass, never less: exact filters are applied once more to what is
    fetched. Empty: everything."""

    talk_ids: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    """Tags, exactly as they stand in `TalkFacts.language`; any of them."""
    channels: tuple[str, ...] = ()
    """Exactly as in `TalkFacts.channel`; any of them."""
    after: str | None = None
    """First day, `YYYY-MM-DD`."""
    before: str | None = None
    """Last day."""
    timing: str | None = None


def version_name(states: Iterable[tuple[object, ...]]) -> str:
    """Return what tells one state of a store from all others, also from those of a store that lay there before.

    Args:
        states: what tells the state of each writer. A number that is counted up does not suffice: in a store that was
            deleted and made again it begins anew, and readers would take what they kept of the first one for this one.
    """
    return hashlib.blake2b(repr(list(states)).encode(), digest_size=8).hexdigest()


def first_of_each(values: Iterable[T], key: Callable[[T], str]) -> list[T]:
    """Return the first of values of one key: two writers that put a talk at the very same time both have it."""
    found: dict[str, T] = {}
    for value in values:
        found.setdefault(key(value), value)
    return list(found.values())


class Version(Protocol):
    """One state of a store, open for reading. It stays as it is, whatever is written meanwhile."""

    @property
    def name(self) -> str:
        """Tells one state from another (`version_name`)."""
        ...

    def files(self) -> StoreFiles:
        """Return the files that belong to it; those of the writer that has put most."""
        ...

    def corpus(self) -> Corpus:
        """Return the statistics of all its passages."""
        ...

    def term_counts(self) -> Iterable[TermCount]:
        """Yield how often each term is said. A term may come several times, once for each writer and language."""
        ...

    def facts(self) -> Sequence[TalkFacts]:
        """Return the facts of all talks."""
        ...

    def nearest(self, vector: Floats, wanted: PassageFilter, count: int) -> list[FoundPassage]:
        """Return the passages that are nearest to a normalised vector, best first."""
        ...

    def saying(self, terms: Sequence[str], wanted: PassageFilter, count: int) -> list[FoundPassage]:
        """Return the passages that say most of some terms, or the rarest of them, best first: by BM25 where it can."""
        ...

    def revisions(self, talk_ids: Sequence[str]) -> Mapping[str, str]:
        """Return the revisions of some talks, by id: a reader need not fetch again what it has. Others are left out."""
        ...

    def talks(self, talk_ids: Sequence[str]) -> list[StoredTalk]:
        """Return talks whole, in any order; ids that are not there are left out."""
        ...


class Engine(Protocol):
    """A store. Every error of an engine comes as a `TalksearchError` whose sentence names the store and says what to do
    (`StoreError`)."""

    @property
    def address(self) -> str:
        """Its URL, without anything secret."""
        ...

    def open(self) -> Version:
        """Open its newest state. Raises StoreError where there is none, or it cannot be reached."""
        ...

    def revisions(self, source: int) -> Mapping[str, str]:
        """Return the revision of each talk that a writer has put, by id."""
        ...

    def ids_of_others(self, sources: Sequence[int]) -> set[str]:
        """Return the ids of the talks that other writers than some have put: each talk is in a store once."""
        ...

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
        """Put talks in the place of those with their ids, drop others, and make all of it the newest state, at once.

        Interrupted at any moment, it leaves the state of before, and the next call goes on.

        Args:
            source: who writes. Raises StoreError where a talk's id is another source's, and where another process of
                this source writes at the same time.
            put: new and changed talks, read one after the other.
            drop: the ids of talks that this source no longer has.
            corpus: the statistics of all that this source has now.
            terms: how often each term is said in what this source has now.
            files: what readers need beside talks. Raises StoreError where the recipe is another than that of the store.
            replaced: sources whose place this one takes. All that they put is out in the same state, and then cleared
                away; what a call left of it that was ended, the next one clears.
        """
        ...
