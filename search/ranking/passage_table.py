"""The passages of an index as ranking sees them: where they lie, who holds a word, how near each is in meaning.

All of it comes from the columns (`indexer.stores.columns`), which answer in milliseconds, or, where those are
missing or older than the catalog, from the catalog and the vectors themselves, which say the same and take longer.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from talksearch.indexer.arrays import Floats, Ints
from talksearch.indexer.records import Field
from talksearch.indexer.stores.columns import reader as columns
from talksearch.indexer.stores.columns.reader import FIELDS, Columns
from talksearch.indexer.stores.vectors import Vectors

from .layout import PassageLayout, make_layout, read_layout
from .postings import NEAR, cooccurrences, idf, notes_of, postings

FEW = 5_000
"""Vectors up to which the exact product with all of them takes a millisecond."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class SpeechSpan:
    """What is said in one talk, in the order of passages."""

    places: Ints
    """(n,), rising."""
    starts: Ints
    ends: Ints
    """In milliseconds (n,)."""

    def at(self, start_ms: int) -> int | None:
        """Return the place of what is said at a time, or next; the last where the talk ends before, None in silence."""
        if not len(self.places):
            return None
        later = np.flatnonzero(self.ends > start_ms)
        if len(later):
            return int(self.places[later[self.starts[later].argmin()]])
        return int(self.places[len(self.starts) - 1 - self.starts[::-1].argmax()])


@dataclass(frozen=True, slots=True, eq=False)
class PassageTable:
    """All passages of one state of an index. A place is a position in its arrays.

    It belongs to the thread that its connection belongs to; the arrays may be shared.
    """

    layout: PassageLayout
    rows: Ints
    """The row of each passage in `vectors`, -1 where it has none (n,)."""
    vectors: Vectors
    columns: Columns | None
    """None where they are missing or of another state."""
    db: sqlite3.Connection
    tied: dict[int, dict[int, int | None]] = field(default_factory=dict)
    """For talks that were asked for before: the passage that each sentence of the description speaks of (`notes`)."""
    held: dict[str, int] = field(default_factory=dict)
    """For terms that were asked for before: how many passages hold them."""

    def place(self, number: int) -> int:
        """Return the place of a passage number, -1 where it is of no passage."""
        return int(self.layout.places_of[number]) if number < len(self.layout.places_of) else -1

    def speech_in(self, talk: int) -> SpeechSpan:
        """Return what is said in a talk, as `layout` counts them."""
        first, last = np.searchsorted(self.layout.talks, (talk, talk + 1)).tolist()
        places = first + np.flatnonzero(~self.layout.notes[first:last])
        if self.columns:
            starts, ends = self.columns.starts[places], self.columns.ends[places]
            return SpeechSpan(places, starts.astype(np.int64), ends.astype(np.int64))
        rows = self.db.execute(
            "SELECT start_ms, end_ms FROM passages WHERE talk = ? AND field = 'speech' ORDER BY number",
            (int(self.layout.talk_numbers[talk]),),
        ).fetchall()
        times = np.array(rows, np.int64).reshape(-1, 2)
        return SpeechSpan(places, times[:, 0], times[:, 1])

    def times(self, place: int) -> tuple[int, int]:
        """Return when a passage begins and ends, in milliseconds."""
        if self.columns:
            return int(self.columns.starts[place]), int(self.columns.ends[place])
        number = int(self.layout.numbers[place])
        start, end = self.db.execute("SELECT start_ms, end_ms FROM passages WHERE number = ?", (number,)).fetchone()
        return int(start), int(end)

    def vector(self, place: int) -> Floats | None:
        """Return the vector of a passage (dimension,), None where it has none."""
        row = self.rows[place : place + 1]
        return self.vectors.take(row)[0] if row[0] >= 0 else None

    def postings(self, term: str) -> Ints:
        """Return the places of the passages that hold a term, or terms in a row with spaces between."""
        if self.columns:
            return self.columns.postings(term)
        return self.layout.places(postings(self.db, term))

    def postings_in(self, talk: int, term: str) -> Mask:
        """Return which passages of a talk, as `layout` counts them, hold a term. Other talks are not looked at."""
        first, last = np.searchsorted(self.layout.talks, (talk, talk + 1)).tolist()
        found = np.zeros(last - first, bool)
        if self.columns:
            stands = self.columns.positions_of(term)
            begin, end = np.searchsorted(stands, np.array((first, last), stands.dtype) << self.columns.shift)
            found[(stands[begin:end] >> self.columns.shift).astype(np.int64) - first] = True
        else:
            held = self.postings(term)
            found[held[(held >= first) & (held < last)] - first] = True
        return found

    def cooccurrences(self, one: str, other: str) -> Ints:
        """Return the places of the passages that say two terms side by side, or nearly."""
        if self.columns:
            return self.columns.cooccurrences(one, other, NEAR)
        return self.layout.places(cooccurrences(self.db, one, other))

    def term_weights(self, terms: Iterable[str]) -> dict[str, float]:
        """Return how much each of some terms tells."""
        found: dict[str, float] = {}
        for term in terms:
            held = self.held.get(term, 0) or len(self.postings(term))
            if held:  # what nobody says is not kept: there is no end to it
                self.held[term] = held
            found[term] = idf(len(self.rows), held)
        return found

    def in_talk(self, places: Ints, number: int) -> Ints:
        """Return those of some places that lie in the talk with a number."""
        found: Ints = places[self.layout.talk_numbers[self.layout.talks[places]] == number]
        return found

    def spoken_by(self, name: str) -> Mask:
        """Return which passages somebody speaks in whose name holds `name`, whatever the case (n,)."""
        wanted = name.casefold()
        if self.columns:
            matching = np.array([wanted in who.casefold() for who in self.columns.speakers], bool)
            found: Mask = matching[self.columns.voices]
            return found
        rows = self.db.execute("SELECT number, speakers FROM passages WHERE speakers != '[]'")
        numbers = np.fromiter((number for number, who in rows if wanted in who.casefold()), np.int64)
        found = np.zeros(len(self.rows), bool)
        found[self.layout.places(numbers)] = True
        return found

    def silent(self, fields: Sequence[Field]) -> Mask | None:
        """Return which passages are notes of some fields (n,); None where there are no such fields."""
        if not fields:
            return None
        if self.columns:
            kinds = [FIELDS.index(name) for name in fields if name != "speech"]
            found: Mask = np.isin(self.columns.fields, np.array(kinds, np.uint8))
            return found
        found = np.zeros(len(self.rows), bool)
        found[self.layout.places(notes_of(self.db, fields))] = True
        return found


def read_passage_table(folder: Path, db: sqlite3.Connection, copy: Vectors) -> PassageTable:
    """Return the passages of the state that `db` shows, inside a transaction that only reads."""
    found = columns.read(folder, db)
    if found is None or found.codes.shape[1] != copy.rows.shape[1]:
        lie = read_layout(db)
        return PassageTable(lie, copy.find(lie.numbers), copy, None, db)
    numbers = found.numbers.astype(np.int64)
    lie = make_layout(numbers, found.talks.astype(np.int64), numbers[found.fields != 0], found.talk_numbers)
    return PassageTable(lie, found.rows.astype(np.int64), copy, found, db)
