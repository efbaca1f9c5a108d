"""Where along a talk a query lives: one number for each fortieth of the talk, and the passage that it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from talksearch.indexer.arrays import Ints
from talksearch.search.ranking.passage_table import PassageTable
from talksearch.search.ranking.rank import Ranking

BINS = 40
"""Parts of equal length that a talk is divided into."""


class Heat(NamedTuple):
    """How much each fortieth of some talks has to do with a query."""

    levels: npt.NDArray[np.floating[Any]]
    """From 0 to 1 (talks, BINS)."""
    places: Ints
    """The place of the passage that each level comes from, the earliest of equals; -1 where it is 0 (talks, BINS)."""
    lengths_ms: Ints
    """When each talk ends, in milliseconds (talks,)."""

    def bins(self) -> list[tuple[float, ...]]:
        """Return the levels of each talk as they are told."""
        return [tuple(row) for row in self.levels.round(3).tolist()]


def heat(table: PassageTable, talks: Sequence[int], ranking: Ranking, *, with_places: bool = False) -> Heat:
    """Return how much each fortieth of some talks has to do with the query.

    1 is the best passage of the whole answer, so that talks can be compared; 0 is what any passage may score by chance.

    Args:
        table: The passages as ranking saw them.
        talks: The talks, counted as in the layout (talks,).
        ranking: The ranking of the query.
        with_places: Whether to find out where the levels come from; else all places are -1.
    """
    threshold = ranking.threshold
    best = float(ranking.scores(np.array([ranking.candidates[0].number]))[0]) if ranking.candidates else threshold
    bins = np.zeros((len(talks), BINS))
    places = np.full((len(talks), BINS), -1, np.int64)
    speech = [table.speech_in(talk) for talk in talks]
    ends_of_talks = np.array([max(1, int(span.ends.max(initial=0))) for span in speech], np.int64)
    if best > threshold and any(len(span.places) for span in speech):
        spoken = np.concatenate([span.places for span in speech])
        scores = ranking.scores(table.layout.numbers[spoken])
        scores = np.clip((scores - threshold) / (best - threshold), 0.0, 1.0)
        starts = np.concatenate([span.starts for span in speech])
        ends = np.concatenate([span.ends for span in speech])
        counts = [len(span.places) for span in speech]
        lengths = np.repeat(ends_of_talks, counts)
        first = np.minimum(starts * BINS // lengths, BINS - 1)
        last = np.minimum(np.maximum(ends - 1, starts) * BINS // lengths, BINS - 1)
        rows = np.repeat(np.arange(len(talks)), counts)
        reach = int((last - first).max()) + 1
        for offset in range(reach):
            reaches = first + offset <= last
            np.maximum.at(bins, (rows[reaches], first[reaches] + offset), scores[reaches])
        for offset in range(reach) if with_places else ():
            # Of several values for one element numpy keeps the last: the earliest passage, in reverse.
            reaches = np.flatnonzero((first + offset <= last) & (scores > 0))[::-1]
            cells = rows[reaches], first[reaches] + offset
            is_best = scores[reaches] == bins[cells]
            places[cells[0][is_best], cells[1][is_best]] = spoken[reaches[is_best]]
    return Heat(bins, places, ends_of_talks)
