"""Ranking the passages of an index for a query, in each mode."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from talksearch.indexer.arrays import Floats, Ints
from talksearch.search.query import Query

from .fusion import (
    TALK,
    THROUGHOUT,
    Array,
    AvoidedText,
    Candidate,
    fuse,
    highest,
    hybrid_scores,
    lexical_scores,
    settle_best,
    talk_evidence,
    top_k,
)
from .late_interaction import QueryTokens
from .lexical import by_words
from .passage_table import FEW, Mask, PassageTable
from .similarity import Similarities, compare, start_compare
from .term_variants import TermVariants, holding_also, other_terms

Scalar = TypeVar("Scalar", bound=np.generic)

_DEPTH = 400
"""Passages looked at for hits. More than are shown, because those that overlap a better one are passed over."""

_AVOID = 0.8
"""What the score for a text to avoid takes off, as a share of itself."""


@dataclass(frozen=True, slots=True)
class Source:
    """What is ranked."""

    db: sqlite3.Connection
    table: Callable[[], PassageTable]
    """Reads the passages when it is first called: a search by words does without."""
    beside: Executor
    """Where queries are encoded and passages compared with them, while words are looked up."""


@dataclass(frozen=True, slots=True)
class EncodedQuery:
    """A text to look for, as words and as a vector."""

    terms: tuple[str, ...]
    variants: Mapping[str, TermVariants] = field(default_factory=dict)
    """How else the terms may have been written down."""
    vector: Callable[[], Floats] | None = None
    """Waits for the vector, which may still be in the making; None where only words count."""
    tokens: Callable[[Mapping[str, float]], QueryTokens | None] | None = None
    """Given how much each term tells, waits for what the query's tokens mean; None where that does not count."""
    query: bool = True
    """It is a query: terms that follow each other belong together, and a talk about them is likely meant. False: it is
    a passage, whose words only say what it is about."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The best passages, and the scores of any others."""

    candidates: Sequence[Candidate]
    """Best first."""
    scores: Callable[[Ints], Array]
    """Scores of passages by number, each by itself, without what the whole of its talk says: exact for candidates, for
    others to about a hundredth of a deviation."""
    usual: float
    """The score from which a passage may have to do with the query: the mean and two deviations, 0 for words."""
    table: Callable[[], PassageTable]
    """The passages as ranking saw them."""
    note: str = ""
    said: tuple[Sequence[Ints], Sequence[Ints]] | None = None
    """Where each term is said, and each together with the next; None where ranking did not look."""


def rank(
    source: Source,
    query: Query,
    asked: EncodedQuery,
    avoided: EncodedQuery | None,
    within: Ints | None,
    meanwhile: Callable[[int], object] | None = None,
) -> Ranking:
    """Rank passages by what is asked, those that say what is to be avoided further down.

    While the vector is waited for, `meanwhile` is called with the numbers of passages that may come out best.
    """
    depth = max(_DEPTH, 4 * query.k)
    if query.mode == "lexical":
        return _lexical(source, asked, avoided, within, depth)
    note = waiting(source.db, source.table())
    if query.mode == "semantic":
        return _semantic(source, asked, avoided, within, depth, note)
    return _hybrid(source, query, asked, avoided, within, depth, note, meanwhile)


def _lexical(
    source: Source, asked: EncodedQuery, avoided: EncodedQuery | None, within: Ints | None, depth: int
) -> Ranking:
    found = by_words(source.db, [*asked.terms, *other_terms(asked.variants)], within, depth)
    if avoided and avoided.terms:
        out = {number for number, _ in by_words(source.db, avoided.terms, None, -1)}
        found = [(number, score) for number, score in found if number not in out]
    known = dict(found)
    return Ranking(
        [Candidate(number, score, words=score) for number, score in found],
        lambda numbers: np.array([known.get(number, 0.0) for number in numbers.tolist()]),
        0.0,
        source.table,
    )


def _semantic(
    source: Source, asked: EncodedQuery, avoided: EncodedQuery | None, within: Ints | None, depth: int, note: str
) -> Ranking:
    assert asked.vector is not None
    vector = asked.vector()
    if avoided and avoided.vector is not None:
        # What both have in common is what was asked for: only what lies aside of it is turned away from.
        away = avoided.vector()
        aside = away - (away @ vector) * vector
        turned = vector - np.float32(_AVOID) * aside
        vector = (turned / (np.linalg.norm(turned) or 1.0)).astype(np.float32)
    table = source.table()
    looked = _look_at(table, within)
    meaning = compare(table, vector, looked.places)
    inside = looked.of(table.rows) >= 0
    if looked.allowed is not None:
        inside &= looked.allowed
    best, _ = fuse(meaning, np.zeros(len(inside), np.float32), inside, depth)
    cosines, numbers = meaning.cosines[best], looked.of(table.layout.numbers)[best]
    order = np.lexsort((numbers, -cosines))
    candidates = [
        Candidate(number, cosine, meaning=cosine)
        for number, cosine in zip(numbers[order].tolist(), cosines[order].tolist(), strict=True)
    ]
    mean, deviation = meaning.mean, meaning.deviation
    if within is not None:
        among = np.flatnonzero(inside)
        own = meaning.cosines[among] if len(among) > FEW else meaning.exact(among)
        mean, deviation = (float(own.mean()), float(own.std()) or 1.0) if len(own) else (0.0, 1.0)
    return Ranking(
        candidates,
        lambda numbers: meaning.cosines[looked.positions(table.layout.places(numbers))],
        mean + 2 * deviation,
        lambda: table,
        note,
    )


def _hybrid(
    source: Source,
    query: Query,
    asked: EncodedQuery,
    avoided: EncodedQuery | None,
    within: Ints | None,
    depth: int,
    note: str,
    meanwhile: Callable[[int], object] | None,
) -> Ranking:
    table = source.table()
    silent = table.silent(query.leave_out)
    looked = _look_at(table, within)
    comparing = _compare(source, table, asked.vector, looked.places) if asked.vector is not None else None
    every, said = _by_words(table, asked, silent)
    words = looked.of(every)
    turned_from = _by_words(table, avoided, silent)[0] if avoided else None

    def to_take_off(places: Ints | None) -> AvoidedText | None:
        if avoided is None or turned_from is None:
            return None
        words = turned_from if places is None else turned_from[places]
        return AvoidedText(_by_meaning(table, avoided, places), words, _AVOID)

    if comparing is not None and meanwhile is not None:
        _look_ahead(table, comparing.begun.done, looked, words, meanwhile)
    meaning = comparing.result() if comparing is not None else None
    less = to_take_off(looked.places)
    alone = hybrid_scores(meaning, words, less)
    settle_best(alone, meaning, words, less)
    lift = np.float32(THROUGHOUT) * talk_evidence(looked.sizes, alone) if asked.query else np.zeros_like(alone)
    best = top_k(alone, lift, meaning, words, less, looked.allowed, depth)
    if meaning is None:
        best = best[words[best] > 0]  # nothing else speaks for a passage
    places = looked.place(best)
    cosines = np.full(len(best), np.nan)
    if meaning is not None:
        cosines = np.where(table.rows[places] >= 0, meaning.cosines[best], np.nan)
    candidates = [
        Candidate(number, score, None if cosine != cosine else cosine, said or None, talk)
        for number, score, cosine, said, talk in zip(
            table.layout.numbers[places].tolist(),
            (alone[best] + lift[best]).tolist(),
            cosines.tolist(),
            words[best].tolist(),
            lift[best].tolist(),
            strict=True,
        )
    ]
    some = np.arange(0, len(every), max(1, len(every) // _SAMPLE))
    if looked.places is None:
        usual = _unlikely(alone[some])
    else:
        usual = _unlikely(hybrid_scores(_by_meaning(table, asked, some), every[some], to_take_off(some)))
    return Ranking(
        candidates,
        lambda numbers: alone[looked.positions(table.layout.places(numbers))],
        usual,
        lambda: table,
        note,
        said,
    )


_SAMPLE = 4_096
"""Passages of the whole index that tell what score is usual."""


def _by_words(
    table: PassageTable, asked: EncodedQuery, silent: Mask | None
) -> tuple[Array, tuple[list[Ints], list[Ints]]]:
    """Return what words say for every passage (n,), and where they are said (Ranking)."""
    said, together = where_said(table, asked, silent)
    pairs = [(at, at + 1, places) for at, places in enumerate(together)]
    return lexical_scores(table.layout, said, pairs, TALK if asked.query else 0.0), (said, together)


def _by_meaning(table: PassageTable, asked: EncodedQuery, places: Ints | None) -> Similarities | None:
    """Return how near all passages, or those at some places, are in meaning, once the vector is there; None where only
    words count.
    """
    return None if asked.vector is None else compare(table, asked.vector(), places)


@dataclass(frozen=True, slots=True)
class _Comparing:
    """Passages that are compared with a vector in another thread, behind the encoding of it."""

    begun: Future[tuple[Similarities, Callable[[], None]]]
    done: Future[None]

    def result(self) -> Similarities:
        """Help with what is left, and return how near they are."""
        found, fill = self.begun.result()
        fill()
        self.done.result()
        return found


def _compare(source: Source, table: PassageTable, vector: Callable[[], Floats], places: Ints | None) -> _Comparing:
    """Begin to compare all passages, or those at some places, with a vector."""
    begun = source.beside.submit(lambda: start_compare(table, vector(), places))
    return _Comparing(begun, source.beside.submit(lambda: begun.result()[1]()))


def _look_ahead(
    table: PassageTable, done: Callable[[], bool], looked: _Looked, words: Array, meanwhile: Callable[[int], object]
) -> None:
    """Call `meanwhile` with the passages for which words (n,) say most, until something is done."""
    if looked.allowed is not None:
        words = np.where(looked.allowed, words, 0.0)
    best = np.flatnonzero(words)
    if len(best) > _LIKELY:  # of these alone: numpy takes long to find the highest where most are 0
        best = best[words[best] >= highest(words[best], _LIKELY)]
    for place in looked.place(best[np.argsort(-words[best], kind="stable")[:_LIKELY]]).tolist():
        if done():
            return
        if not table.layout.notes[place]:
            meanwhile(int(table.layout.numbers[place]))


_LIKELY = 30
"""Passages that are looked at ahead at most; there is hardly time for so many."""


def where_said(table: PassageTable, asked: EncodedQuery, silent: Mask | None = None) -> tuple[list[Ints], list[Ints]]:
    """Return the places where each term is said, and those where it is said together with the next, if that matters.

    Passages that are `silent` say nothing.
    """

    def heard(places: Ints) -> Ints:
        return places if silent is None else places[~silent[places]]

    said = [heard(holding_also(table, term, asked.variants.get(term))) for term in asked.terms]
    return said, [heard(table.cooccurrences(*both)) for both in pairwise(asked.terms if asked.query else ())]


@dataclass(frozen=True, slots=True)
class _Looked:
    """What a ranking looks at: all passages, or all of the talks of which filters allow any, because a talk is judged
    as a whole. Positions count among these.
    """

    places: Ints | None
    """Their places, rising (n,); None for all."""
    sizes: Ints
    """How many passages each of their talks has (talks,)."""
    allowed: Mask | None
    """Which of them may be hits (n,); None for all."""

    def of(self, values: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
        """Return those of some values of all passages."""
        return values if self.places is None else values[self.places]

    def place(self, at: Ints) -> Ints:
        """Return the places at some positions."""
        return at if self.places is None else self.places[at]

    def positions(self, places: Ints) -> Ints:
        """Return the positions of some places, all of which are looked at."""
        return places if self.places is None else np.searchsorted(self.places, places)


def _look_at(table: PassageTable, within: Ints | None) -> _Looked:
    sizes = table.layout.sizes.astype(np.int64)
    if within is None:
        return _Looked(None, sizes, None)
    inside = np.zeros(len(table.rows), bool)
    inside[table.layout.places(within)] = True
    talks = np.zeros(len(sizes), bool)
    talks[table.layout.talks[inside]] = True
    places = np.flatnonzero(talks[table.layout.talks])
    return _Looked(places, sizes[talks], inside[places])


def _unlikely(scores: Array) -> float:
    """Return the score that is two deviations above the mean: few passages reach it by chance."""
    if not len(scores):
        return 0.0
    return float(scores.mean()) + 2 * float(scores.std())


def waiting(db: sqlite3.Connection, table: PassageTable) -> str:
    """Say how many passages are found by their words only, because they have no vector; empty where none is."""
    count = db.execute("SELECT count(*) FROM passages WHERE NOT embedded").fetchone()[0]
    rows = table.rows
    lost = int(np.count_nonzero(rows < 0)) - count  # the copy of the vectors may be damaged, or deleted
    notes = (
        f"{count} of {len(rows)} passages have no vector yet and are found by their words only." if count else "",
        f"The vectors of {lost} of {len(rows)} passages are lost, and these are found by their words only."
        " Mend it: talksearch doctor" if lost > 0 else "",
    )  # fmt: skip
    return " ".join(filter(None, notes))
