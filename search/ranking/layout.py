"""The layout of an index: which talk each passage belongs to, which passages are notes, and which are neighbours."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from talksearch.indexer.arrays import Ints


@dataclass(frozen=True, slots=True)
class PassageLayout:
    """All passages of an index. Those of a talk lie side by side, in the order of their numbers, which is that of time.

    The place of a passage is its position in these arrays. When a changed talk is indexed again, its new passages stand
    behind those that were kept. This only blurs which passages are neighbours.
    """

    numbers: Ints
    """Passage numbers (n,)."""
    talks: Ints
    """The talk of each passage, counted from 0 (n,); never decreases."""
    places_of: Ints
    """The place of each passage number, -1 where no passage has that number (highest number + 1,)."""
    notes: npt.NDArray[np.bool_]
    """Which passages are notes: written about the talk, not said in it (n,)."""
    talk_numbers: Ints
    """The number of each talk in the catalog (talks,)."""
    sizes: npt.NDArray[np.float64]
    """How many passages each talk has (talks,)."""
    adjacent: npt.NDArray[np.bool_]
    """Whether each passage and the next one are said one after the other in one talk (n - 1,)."""

    def places(self, numbers: Ints) -> Ints:
        """Return the places of passage numbers; numbers that are not in the index are left out."""
        places: Ints = self.places_of[numbers[numbers < len(self.places_of)]]
        return places[places >= 0]


def read_layout(db: sqlite3.Connection) -> PassageLayout:
    """Read the layout from the catalog. SQLite hands each column over as one text, which is quicker than row by row."""
    number_list, talk_list = db.execute(
        "SELECT group_concat(number), group_concat(talk) FROM (SELECT number, talk FROM passages ORDER BY talk, number)"
    ).fetchone()
    (note_list,) = db.execute("SELECT group_concat(number) FROM passages WHERE field != 'speech'").fetchone()
    talk_numbers, talks = np.unique(parse_numbers(talk_list), return_inverse=True)
    return make_layout(parse_numbers(number_list), talks.astype(np.int64), parse_numbers(note_list), talk_numbers)


def make_layout(numbers: Ints, talks: Ints, note_numbers: Ints, talk_numbers: Ints | None = None) -> PassageLayout:
    """Return the layout of passages.

    Args:
        numbers: passage numbers in the order of their places (n,).
        talks: the talk of each passage, counted from 0 (n,).
        note_numbers: the numbers of those passages that are notes (notes,).
        talk_numbers: the number of each talk in the catalog (talks,); without it, talks are numbered as counted.
    """
    places_of = np.full(int(numbers.max(initial=-1)) + 1, -1, np.int64)
    places_of[numbers] = np.arange(len(numbers))
    notes = np.zeros(len(numbers), bool)
    notes[places_of[note_numbers]] = True
    sizes = np.bincount(talks).astype(float)
    adjacent = (talks[1:] == talks[:-1]) & ~notes[1:] & ~notes[:-1]
    if talk_numbers is None:
        talk_numbers = np.arange(len(sizes))
    return PassageLayout(numbers, talks, places_of, notes, talk_numbers, sizes, adjacent)


def parse_numbers(text: str | None) -> Ints:
    """Return the integers of a text with commas between, as SQLite's `group_concat` gives it (None for no rows).

    >>> parse_numbers("3,1,2").tolist(), parse_numbers(None).tolist()
    ([3, 1, 2], [])
    """
    return np.fromstring(text, np.int64, sep=",") if text else np.empty(0, np.int64)
