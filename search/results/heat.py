"""Where along a talk a query lives: one number for each fortieth of the talk."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from talksearch.search.ranking.passage_table import PassageTable
from talksearch.search.ranking.rank import Ranking

BINS = 40
"""Parts of equal length that a talk is divided into."""


def heat(table: PassageTable, talks: Sequence[int], ranking: Ranking) -> list[tuple[float, ...]]:
    """Return how much each fortieth of some talks has to do with the query, from 0 to 1.

    1 is the best passage of the whole answer, so that talks can be compared; 0 is what any passage may score by chance.

    Args:
        table: The passages as ranking saw them.
        talks: The talks, counted as in the layout (talks,).
        ranking: The ranking of the query.
    """
    threshold = ranking.threshold
    best = float(ranking.scores(np.array([ranking.candidates[0].number]))[0]) if ranking.candidates else threshold
    bins = np.zeros((len(talks), BINS))
    speech = [table.speech_in(talk) for talk in talks]
    if best > threshold and any(len(span.places) for span in speech):
        scores = ranking.scores(table.layout.numbers[np.concatenate([span.places for span in speech])])
        scores = np.clip((scores - threshold) / (best - threshold), 0.0, 1.0)
        starts = np.concatenate([span.starts for span in speech])
        ends = np.concatenate([span.ends for span in speech])
        counts = [len(span.places) for span in speech]
        lengths = np.repeat([max(1, int(span.ends.max(initial=0))) for span in speech], counts)
        first = np.minimum(starts * BINS // lengths, BINS - 1)
        last = np.minimum(np.maximum(ends - 1, starts) * BINS // lengths, BINS - 1)
        rows = np.repeat(np.arange(len(talks)), counts)
        for offset in range(int((last - first).max()) + 1):
            reaches = first + offset <= last
            np.maximum.at(bins, (rows[reaches], first[reaches] + offset), scores[reaches])
    return [tuple(row) for row in bins.round(3).tolist()]
