"""Where along a talk a query lives: one number for each fortieth of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from talksearch.search.ranking.passage_table import PassageTable
from talksearch.search.ranking.rank import Ranking

BINS = 40


def heat(table: PassageTable, talks: Sequence[int], ranking: Ranking) -> list[tuple[float, ...]]:
    """Return how much each fortieth of some talks (as `Layout` counts them) has to do with the query, from 0 to 1.

    1 is the best passage of the whole answer, so that talks can be compared; 0 is what any may score by chance.
    """
    best = float(ranking.scores(np.array([ranking.candidates[0].number]))[0]) if ranking.candidates else ranking.usual
    strips = np.zeros((len(talks), BINS))
    said = [table.speech_in(talk) for talk in talks]
    if best > ranking.usual and any(len(one.places) for one in said):
        scores = ranking.scores(table.layout.numbers[np.concatenate([one.places for one in said])])
        scores = np.clip((scores - ranking.usual) / (best - ranking.usual), 0.0, 1.0)
        starts = np.concatenate([one.starts for one in said])
        ends = np.concatenate([one.ends for one in said])
        counts = [len(one.places) for one in said]
        lengths = np.repeat([max(1, int(one.ends.max(initial=0))) for one in said], counts)
        first = np.minimum(starts * BINS // lengths, BINS - 1)
        last = np.minimum(np.maximum(ends - 1, starts) * BINS // lengths, BINS - 1)
        strip = np.repeat(np.arange(len(talks)), counts)
        for further in range(int((last - first).max()) + 1):
            there = first + further <= last
            np.maximum.at(strips, (strip[there], first[there] + further), scores[there])
    return [tuple(strip) for strip in strips.round(3).tolist()]
