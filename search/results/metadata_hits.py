"""Notes as hits: which passage of the talk a title, a chapter or a sentence of the description leads to."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from talksearch.indexer.arrays import Ints
from talksearch.indexer.records import Field
from talksearch.indexer.text.terms import terms
from talksearch.search.ranking.fusion import Candidate
from talksearch.search.ranking.passage_table import Mask, PassageTable

from .align_description import align_description

_BOILERPLATE = 3
"""Talks whose descriptions hold the same sentence, from which on it is about none of them."""

_MEANT = 0.4
"""The cosine from which a passage that shares no word with the query still answers it."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a candidate leads to."""

    number: int
    """The passage that is said there."""
    note: tuple[Field, str] | None = None
    start_ms: int | None = None
    """Where to open it, when that is known better than from the query's words."""
    terms: tuple[str, ...] = ()
    """The words that show where in the passage it is, instead of the query's."""


def resolve(
    db: sqlite3.Connection,
    table: PassageTable,
    candidates: Sequence[Candidate],
    asked: Sequence[str],
    leave_out: Sequence[Field],
) -> Callable[[Candidate], Found | None]:
    """Return what says where a candidate leads to; None where it leads nowhere.

    A passage leads to itself, a chapter to its start. A sentence of the description leads to the passage that it speaks
    of, where there is one (`align_description`). Otherwise a note leads to the best candidate of its talk that answers
    the query: by one of its terms (`asked`) or by meaning. If there is none, it leads to the beginning of the talk.
    """

    @cache
    def said() -> tuple[dict[int, Candidate], Ints, set[int]]:
        """What candidates say: by place, best first; their places; those that hold a term."""
        by_place = {table.place(candidate.number): candidate for candidate in candidates}
        every = np.array([place for place in by_place if place >= 0], np.int64)
        every = every[~table.layout.notes[every]]
        held = [np.intersect1d(table.postings(term), every, assume_unique=True) for term in asked]
        return by_place, every, {place for some in held for place in some.tolist()}

    def found(candidate: Candidate) -> Found | None:
        place = table.place(candidate.number)
        if place < 0:
            return None
        if not table.layout.notes[place]:
            return Found(candidate.number)
        field, text, start_ms, digest = db.execute(_NOTE, (candidate.number,)).fetchone()
        if field in leave_out:
            return None
        note = (field, text)
        talk = int(table.layout.talks[place])
        if field == "chapter":
            return _found(table, talk, start_ms, note)
        if field == "description":
            if db.execute(_TALKS_WITH, (digest,)).fetchone()[0] >= _BOILERPLATE:
                return None
            if talk not in table.tied:
                table.tied[talk] = _ties(db, table, talk)
            number = table.tied[talk].get(candidate.number)
            if number is not None:
                return Found(number, note, None, tuple(dict.fromkeys(terms(text))))
        by_place, every, holding = said()
        for other in every[table.layout.talks[every] == talk].tolist():
            if other in holding or (by_place[other].meaning or 0.0) >= _MEANT:
                return Found(by_place[other].number, note)
        return _found(table, talk, 0, note)

    return found


_NOTE = "SELECT field, text, start_ms, digest FROM passages WHERE number = ?"
_TALKS_WITH = "SELECT count(DISTINCT talk) FROM passages WHERE digest = ?"


def _found(table: PassageTable, talk: int, start_ms: int, note: tuple[Field, str]) -> Found | None:
    place = table.speech_in(talk).at(start_ms)
    return None if place is None else Found(int(table.layout.numbers[place]), note, start_ms)


def _ties(db: sqlite3.Connection, table: PassageTable, talk: int) -> dict[int, int | None]:
    """Return, for every sentence of a talk's description, the number of the passage it speaks of."""
    rows = db.execute(
        "SELECT number, text FROM passages WHERE talk = ? AND field = 'description' ORDER BY number",
        (int(table.layout.talk_numbers[talk]),),
    ).fetchall()
    # What has no vector yet can be neither compared nor tied.
    notes = [(row, at) for row in rows if (at := table.rows[table.place(row[0])]) >= 0]
    places = table.speech_in(talk).places
    places = places[table.rows[places] >= 0]
    if not notes or not len(places):
        return {}

    first = int(np.searchsorted(table.layout.talks, talk))

    @cache
    def holds(term: str) -> Mask:
        found: Mask = table.postings_in(talk, term)[places - first]
        return found

    chosen = align_description(
        [row[1] for row, _ in notes],
        table.vectors.take(np.array([at for _, at in notes])),
        holds,
        table.vectors.take(table.rows[places]),
    )
    return {
        row[0]: None if at is None else int(table.layout.numbers[places[at]])
        for (row, _), at in zip(notes, chosen, strict=True)
    }
