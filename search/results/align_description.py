"""Which passage a sentence of a description speaks of, if any.

A description mostly follows the order of its talk. Its sentences are therefore aligned together: the alignment with the
highest sum of evidence over all of them wins, where going back costs. docs/quality.md has the figures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from talksearch.indexer.arrays import Floats
from talksearch.indexer.text.terms import terms
from talksearch.search.ranking.postings import idf

_WORDS_WEIGHT = 0.5
"""What a nat of idf in shared words counts beside one standard deviation of meaning within the talk."""

_MIN_EVIDENCE = 5.0
"""How far above the talk's median passage the evidence must be. Sentences in a language that the model does not know
reach 3 in the median."""

_BACK_COST = 3.0
"""What it costs to speak of something that was said before what the previous sentence speaks of."""

_COMMON_SHARE = 0.2
"""Words in a larger share of the talk's passages do not tell them apart."""

_Array = npt.NDArray[np.float64]

TermLookup = Callable[[str], npt.NDArray[np.bool_]]
"""Says which of a talk's passages hold a term (n,)."""


def align_description(
    sentences: Sequence[str],
    sentence_vectors: Floats,
    holds: TermLookup,
    passage_vectors: Floats,
    fair_cosine: float,
) -> list[int | None]:
    """Return, for each sentence of a description, the position of the passage it speaks of, or None.

    Args:
        sentences: The sentences of one description in order (m,).
        sentence_vectors: Their normalised vectors (m, dimension).
        holds: Says which of the talk's passages hold a term (n,).
        passage_vectors: The normalised vectors of the talk's passages in order (n, dimension).
        fair_cosine: The cosine from which meaning alone may align a sentence; below it, sentence and passage must share
            a word.
    """
    if not sentences or not len(passage_vectors):
        return [None] * len(sentences)
    cosines = sentence_vectors.astype(float) @ passage_vectors.astype(float).T
    words = _shared_words(sentences, holds, len(passage_vectors))
    spread = cosines.std(axis=1, keepdims=True)
    meaning = (cosines - cosines.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1.0)
    evidence = meaning + _WORDS_WEIGHT * words
    evidence -= np.median(evidence, axis=1, keepdims=True)
    evidence[(words == 0) & (cosines < fair_cosine)] = -np.inf
    return _best_path(evidence - _MIN_EVIDENCE)


def _shared_words(sentences: Sequence[str], holds: TermLookup, count: int) -> _Array:
    """Return the idf of the words that each sentence (row) shares with each passage (column).

    A word in the passage before or after counts half.
    """
    score = np.zeros((len(sentences), count))
    for row, sentence in enumerate(sentences):
        for term in set(terms(sentence)):
            here = holds(term)
            frequency = int(here.sum())
            if not 0 < frequency <= max(1, _COMMON_SHARE * count):
                continue
            around = here.copy()
            around[1:] |= here[:-1]
            around[:-1] |= here[1:]
            score[row] += idf(count, frequency) * (here * 0.5 + around * 0.5)
    return score


def _best_path(gain: _Array) -> list[int | None]:
    """Return the passage of each sentence, or None, so that the gains less the cost of going back sum up highest.

    `gain` has a row for each sentence and a column for each passage.

    >>> _best_path(np.array([[1.0, 4.0, -1.0], [5.0, -1.0, 4.0], [-1.0, -1.0, -1.0]]))
    [1, 2, None]
    """
    count = gain.shape[1]
    # State k: the last sentence that was aligned belongs to passage k - 1; state 0: none was aligned yet.
    best = np.zeros(count + 1)
    best[1:] = -np.inf
    predecessors: list[npt.NDArray[np.int64]] = []
    for row in gain:
        onward = np.maximum.accumulate(best)
        onward_state = np.maximum.accumulate(np.where(best == onward, np.arange(count + 1), 0))
        back, back_state = float(best.max()) - _BACK_COST, int(best.argmax())
        before = np.where(onward[1:] >= back, onward[1:], back)
        before_state = np.where(onward[1:] >= back, onward_state[1:], back_state)
        aligned = before + row
        better = aligned > best[1:]
        predecessors.append(np.where(better, before_state, -1))
        best = best.copy()
        best[1:] = np.where(better, aligned, best[1:])
    path: list[int | None] = [None] * len(gain)
    state = int(best.argmax())
    for sentence in range(len(gain) - 1, -1, -1):
        if state > 0 and predecessors[sentence][state - 1] >= 0:
            path[sentence] = state - 1
            state = int(predecessors[sentence][state - 1])
    return path
