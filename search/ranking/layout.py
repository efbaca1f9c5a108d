"""Where the passages of an index lie: their talks, notes and neighbours."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from talksearch.indexer.arrays import Ints


@dataclass(frozen=True, slots=True)
class PassageLayout:
    """All passages of an index, those of a talk side by side in the order they were numbered, which is that of time.

    A place is a position in these arrays. In a talk that was changed and indexed again, new passages stand behind those
    that were kept; that only blurs who is whose neighbour.
    """

    numbers: Ints
    """Passage numbers (n,)."""
    talks: Ints
    """The talk of each, counted from 0 (n,); never decreases."""
    places_of: Ints
    """The place of each number, -1 where a number is of no passage (highest number + 1,)."""
    notes: npt.NDArray[np.bool_]
    """Which of them are notes: written about the talk, not said in it (n,)."""
    talk_numbers: Ints
    """The number of each talk in the catalog (talks,)."""
    sizes: npt.NDArray[np.float64]
    """How many passages each talk has (talks,)."""
    beside: npt.NDArray[np.bool_]
    """Whether each passage and the next are said one after the other in one talk (n - 1,)."""

    def places(self, numbers: Ints) -> Ints:
        """Return the places of passage numbers; what is not in the index is left out."""
        found: Ints = self.places_of[numbers[numbers < len(self.places_of)]]
        return found[found >= 0]


def read_layout(db: sqlite3.Connection) -> PassageLayout:
    """Read where every passage lies, handed over by SQLite as one text, which is quicker than row by row."""
    row = db.execute(
        "SELECT group_concat(number), group_concat(talk) FROM"
        " (SELECT number, talk FROM passages INDEXED BY passages_of_talk ORDER BY talk, number)"
    ).fetchone()
    numbers, talks = _integers(row[0]), _integers(row[1])
    notes = db.execute("SELECT group_concat(number) FROM passages WHERE field != 'speech'").fetchone()[0]
    talk_numbers, talk_of = np.unique(talks, return_inverse=True)
    return make_layout(numbers, talk_of.astype(np.int64), _integers(notes), talk_numbers)


def make_layout(numbers: Ints, talks: Ints, notes: Ints, talk_numbers: Ints | None = None) -> PassageLayout:
    """Return the layout of passages that are given in the order of their places; `notes` are numbers.

    Without `talk_numbers` talks are numbered as they are counted.
    """
    places_of = np.full(int(numbers.max(initial=-1)) + 1, -1, np.int64)
    places_of[numbers] = np.arange(len(numbers))
    written = np.zeros(len(numbers), bool)
    written[places_of[notes]] = True
    sizes = np.bincount(talks).astype(float)
    beside = (talks[1:] == talks[:-1]) & ~written[1:] & ~written[:-1]
    if talk_numbers is None:
        talk_numbers = np.arange(len(sizes))
    return PassageLayout(numbers, talks, places_of, written, talk_numbers, sizes, beside)


def _integers(text: str | None) -> Ints:
    return np.array(text.split(",") if text else [], np.int64)
