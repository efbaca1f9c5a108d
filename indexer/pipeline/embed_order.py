"""The order in which passages get their vectors: from coarse to fine over all talks at once, those asked for first.

While vectors are still being made, a passage without one is judged by the embedded passages next to it
(`search.ranking.missing_vectors`). So each talk first gets a vector here and there, then one in each gap, and so on:
any share of the vectors tells as much of all talks as that share can. Talks that somebody asked for lately
(`stores.asked`) do not wait for the others.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from talksearch.indexer.arrays import Ints

STEP = 16
"""Every so many passages of a talk one is embedded first. A power of two, each half of which is a next round."""


def embedding_order(db: sqlite3.Connection) -> Ints:
    """Return the numbers of all passages of a catalog from coarse to fine.

    Notes come first: they are few, and say what a talk is about.
    """
    numbers: Ints = _from_coarse_to_fine(db)[:, 0]
    return numbers


def windows(db: sqlite3.Connection, size: int, asked: Callable[[], Sequence[int]]) -> Iterator[Ints]:
    """Yield the numbers of the passages that have no vector, in windows in which they are embedded together, rising.

    Args:
        db: the catalog, of which passages that get vectors meanwhile are not asked again.
        size: how many passages a window has.
        asked: returns the numbers of the talks that were asked for lately. It is called before each window, so that
            what is asked during a long run counts as well.
    """
    passages = _from_coarse_to_fine(db)
    numbers, talks = passages[passages[:, 2] == 0, :2].T
    while len(numbers):
        is_asked = np.isin(talks, np.array(asked(), np.int64))
        order = np.concatenate([np.flatnonzero(is_asked), np.flatnonzero(~is_asked)])
        yield np.sort(numbers[order[:size]])
        left = np.sort(order[size:])
        numbers, talks = numbers[left], talks[left]


def rounds(talks: Ints, notes: npt.NDArray[np.bool_]) -> Ints:
    """Return in which round each passage is embedded (n,): notes in round 0, then what is said.

    >>> rounds(np.zeros(17, np.int64), np.zeros(17, bool)).tolist()
    [1, 5, 4, 5, 3, 5, 4, 5, 2, 5, 4, 5, 3, 5, 4, 5, 1]

    Args:
        talks: the talk of each passage, in the order of their numbers (n,).
        notes: which passages are not said in the talk (n,).
    """
    by_talk = np.lexsort((notes, talks))  # a stable sort: what is said stands first in each talk, in order
    starts = np.flatnonzero(np.diff(talks[by_talk], prepend=-1))
    positions = np.empty(len(talks), np.int64)
    positions[by_talk] = np.arange(len(talks)) - np.repeat(starts, np.diff(starts, append=len(talks)))
    found = np.ones(len(talks), np.int64)
    step = STEP
    while step > 1:
        found += positions % step != 0
        step //= 2
    found[notes] = 0
    return found


def _from_coarse_to_fine(db: sqlite3.Connection) -> Ints:
    """Return all passages of a catalog in order: (number, talk, whether it has a vector) of each (n, 3)."""
    rows = db.execute("SELECT number, talk, embedded, field != 'speech' FROM passages ORDER BY number").fetchall()
    passages = np.array(rows, np.int64).reshape(-1, 4)
    numbers, talks, _, notes = passages.T
    order = np.lexsort((numbers, rounds(talks, notes.astype(bool))))
    return passages[order, :3]
