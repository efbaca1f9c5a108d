"""Notes as hits: which passage of the talk a title, a chapter or a sentence of the description leads to."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple

import numpy as np

from talksearch.indexer.arrays import Ints
from talksearch.indexer.records import Field
from talksearch.indexer.text.terms import terms
from talksearch.search.ranking.fusion import Candidate
from talksearch.search.ranking.passage_table import Mask, PassageTable

from .align_description import align_description

_BOILERPLATE_TALKS = 3
"""From this many talks on whose descriptions hold the same sentence, it is about none of them."""

_NOTE = "SELECT field, text, start_ms, digest FROM passages WHERE number = ?"
"""Reads a `_NoteRow`."""

_TALKS_WITH_DIGEST = "SELECT count(DISTINCT talk) FROM passages WHERE digest = ?"

_DESCRIPTION = "SELECT number, text FROM passages WHERE talk = ? AND field = 'description' ORDER BY number"
"""Reads the `_Sentence`s of a talk's description."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a candidate leads to."""

    number: int
    """The passage that is said there."""
    note: tuple[Field, str] | None = None
    """The note that led there: its field and its text."""
    start_ms: int | None = None
    """Where to open the passage, when that is known better than from the query's words."""
    terms: tuple[str, ...] = ()
    """The terms that show where in the passage it is, in place of the query's."""


class TargetResolver:
    """Finds where the candidates of a ranking lead.

    A passage leads to itself, a chapter to its start. A sentence of the description leads to the passage that it speaks
    of, where there is one (`align_description`). Any other note leads to the best candidate of its talk that answers
    the query: by one of its terms or by meaning. Where there is none, it leads to the beginning of the talk.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        table: PassageTable,
        candidates: Sequence[Candidate],
        query_terms: Sequence[str],
        left_out: Collection[Field],
        fair_cosine: float,
    ) -> None:
        """Prepare to resolve candidates.

        Args:
            db: The catalog.
            table: The passages as ranking saw them.
            candidates: All candidates of the ranking, best first.
            query_terms: The terms that were looked for.
            left_out: Fields whose notes must not count.
            fair_cosine: The cosine from which on two texts are alike though they share no word
                (`grade.fair_cosine`).
        """
        self._db = db
        self._table = table
        self._candidates = candidates
        self._query_terms = query_terms
        self._left_out = left_out
        self._fair_cosine = fair_cosine

    def are_known(self, candidates: Sequence[Candidate]) -> list[bool]:
        """Say which candidates are still in the index: not so those whose talk left it a moment ago."""
        numbers = np.array([candidate.number for candidate in candidates], np.int64)
        known: list[bool] = (self._table.places(numbers) >= 0).tolist()
        return known

    def resolve(self, candidate: Candidate) -> Target | None:
        """Return where a candidate leads to.

        None where it leads nowhere: for a note that does not count, and for the passage of a talk that left the index
        while its vectors are still about.
        """
        place = self._table.place(candidate.number)
        if place < 0:
            return None
        if not self._table.layout.notes[place]:
            return Target(candidate.number)
        row = _NoteRow._make(self._db.execute(_NOTE, (candidate.number,)).fetchone())
        if row.field in self._left_out:
            return None
        note = (row.field, row.text)
        talk = int(self._table.layout.talks[place])
        if row.field == "chapter":
            return self._said_at(talk, row.start_ms, note)
        if row.field == "description":
            if self._db.execute(_TALKS_WITH_DIGEST, (row.digest,)).fetchone()[0] >= _BOILERPLATE_TALKS:
                return None
            number = self._aligned_passage(talk, candidate.number)
            if number is not None:
                return Target(number, note, None, tuple(dict.fromkeys(terms(row.text))))
        answer = self._speech.best_answer(talk)
        return self._said_at(talk, 0, note) if answer is None else Target(answer.number, note)

    def _said_at(self, talk: int, start_ms: int, note: tuple[Field, str]) -> Target | None:
        """Return the passage that is said in a talk at a time; None where nothing is said in it."""
        place = self._table.speech_in(talk).place_at(start_ms)
        return None if place is None else Target(int(self._table.layout.numbers[place]), note, start_ms)

    def _aligned_passage(self, talk: int, number: int) -> int | None:
        """Return the number of the passage that the sentence of a description with a number speaks of, if any."""
        aligned = self._table.aligned_descriptions
        if talk not in aligned:
            aligned[talk] = _align(self._db, self._table, talk, self._fair_cosine)
        return aligned[talk].get(number)

    @cached_property
    def _speech(self) -> _SpeechCandidates:
        return _SpeechCandidates(self._table, self._candidates, self._query_terms, self._fair_cosine)


class _SpeechCandidates:
    """The candidates that are said in a talk, not written about it."""

    def __init__(
        self, table: PassageTable, candidates: Sequence[Candidate], query_terms: Sequence[str], fair_cosine: float
    ) -> None:
        self._fair_cosine = fair_cosine
        self._by_place = {table.place(candidate.number): candidate for candidate in candidates}
        """Best first."""
        places = np.array([place for place in self._by_place if place >= 0], np.int64)
        self._places: Ints = places[~table.layout.notes[places]]
        self._talks: Ints = table.layout.talks[self._places]
        holding = (np.intersect1d(table.postings(term), self._places, assume_unique=True) for term in query_terms)
        self._holding = {place for places in holding for place in places.tolist()}
        """The places of those that hold a term of the query."""

    def best_answer(self, talk: int) -> Candidate | None:
        """Return the best candidate that is said in a talk and answers the query."""
        for place in self._places[self._talks == talk].tolist():
            candidate = self._by_place[place]
            if place in self._holding or (candidate.meaning is not None and candidate.meaning >= self._fair_cosine):
                return candidate
        return None


class _NoteRow(NamedTuple):
    """A note, as the catalog holds it."""

    field: Field
    text: str
    start_ms: int
    digest: bytes
    """A hash of the text."""


class _Sentence(NamedTuple):
    """A sentence of a description, as the catalog holds it."""

    number: int
    text: str


def _align(db: sqlite3.Connection, table: PassageTable, talk: int, fair_cosine: float) -> dict[int, int | None]:
    """Return, for the number of each sentence of a talk's description, that of the passage it speaks of, or None."""
    talk_number = int(table.layout.talk_numbers[talk])
    sentences = [_Sentence._make(row) for row in db.execute(_DESCRIPTION, (talk_number,))]
    # What has no vector yet cannot be compared.
    sentences = [sentence for sentence in sentences if table.vector_rows[table.place(sentence.number)] >= 0]
    sentence_places = np.array([table.place(sentence.number) for sentence in sentences], np.int64)
    passage_places = table.speech_in(talk).places
    passage_places = passage_places[table.vector_rows[passage_places] >= 0]
    if not sentences or not len(passage_places):
        return {}
    first = int(np.searchsorted(table.layout.talks, talk))

    @cache
    def holds(term: str) -> Mask:
        holding: Mask = table.postings_in(talk, term)[passage_places - first]
        return holding

    positions = align_description(
        [sentence.text for sentence in sentences],
        table.vectors.take(table.vector_rows[sentence_places]),
        holds,
        table.vectors.take(table.vector_rows[passage_places]),
        fair_cosine,
    )
    return {
        sentence.number: None if position is None else int(table.layout.numbers[passage_places[position]])
        for sentence, position in zip(sentences, positions, strict=True)
    }
