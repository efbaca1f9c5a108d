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

    Both scores are put on one scale: cosines as deviations from their `mean` over the whole index, BM25 as deviations
    from its mean over the candidates, where a passage that holds no word of the query has 0.
    """
    cosines, matches = dict(meaning), dict(words)
    numbers = [*cosines, *(number for number in matches if number not in cosines)]
    scores = np.array([matches.get(number, 0.0) for number in numbers])
    by_words = (scores - scores.mean()) / (scores.std() or 1.0) if len(scores) else scores
    ranked = [
        Candidate(
            number,
            (cosines.get(number, mean) - mean) / deviation + WORDS_WEIGHT * float(said),
            cosines.get(number),
            matches.get(number),
        )
        for number, said in zip(numbers, by_words, strict=True)
    ]
    return sorted(ranked, key=lambda candidate: (-candidate.score, candidate.number))
