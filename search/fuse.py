"""Putting what was found by meaning and what was found by words into one ranking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

WORDS_WEIGHT = 0.33
"""What words count beside meaning. docs/quality.md has the figures behind it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that may be a hit."""

    number: int
    score: float
    meaning: float | None = None
    """Cosine to the query; None where no vector was compared."""
    words: float | None = None
    """BM25; None where no word of the query stands in it."""


def fuse(
    meaning: Sequence[tuple[int, float]], words: Sequence[tuple[int, float]], mean: float, deviation: float
) -> list[Candidate]:
    """Rank the union of both lists of (number, score), best first.

    Both scores are put on one scale: cosines as deviations from the `mean` over the whole index, BM25 as deviations
    from the mean of the passages that hold a word at all, where a passage without any counts as the least of them.
    """
    cosines, matches = dict(meaning), dict(words)
    scores = np.array(list(matches.values()) or [0.0])
    center, spread, least = float(scores.mean()), float(scores.std()) or 1.0, float(scores.min())
    ranked = []
    for number in {**cosines, **matches}:
        by_meaning = (cosines.get(number, mean) - mean) / deviation
        by_words = (matches.get(number, least) - center) / spread if matches else 0.0
        score = by_meaning + WORDS_WEIGHT * by_words
        ranked.append(Candidate(number, score, cosines.get(number), matches.get(number)))
    return sorted(ranked, key=lambda candidate: (-candidate.score, candidate.number))
