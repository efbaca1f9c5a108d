"""Which passage a sentence of a description speaks of, if any.

A description mostly follows the order of its talk, so its sentences are tied together: the best sum of evidence over
all of them, where going back costs. docs/quality.md has the figures.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from talksearch.indexer.arrays import Floats
from talksearch.indexer.text.terms import terms

_WORDS_WEIGHT = 0.5
"""What a natural unit of surprise in shared words counts beside one standard deviation of meaning within the talk."""

_LEAST = 5.0
"""How far above the talk's median passage the evidence must be. Sentences in a language that the model does not know
reach 3 in the median."""

_BACK = 3.0
"""What it costs to speak of something that was said before what the sentence before speaks of."""

_COMMON = 0.2
"""Words in a larger share of the talk's passages do not tell them apart."""

_NEAR = 0.4
"""The cosine from which meaning alone may tie a sentence; below it, they must share a word."""

_Array = npt.NDArray[np.float64]


Holds = Callable[[str], npt.NDArray[np.bool_]]
"""Says which of a talk's passages hold a term (n,)."""


def align_description(notes: Sequence[str], note_vectors: Floats, holds: Holds, vectors: Floats) -> list[int | None]:
    """Return, for each sentence of one description in order, the position of the passage it speaks of, or None.

    `note_vectors` (m, dimension) and `vectors` (n, dimension) of the talk's passages in order are normalised.
    """
    if not notes or not len(vectors):
        return [None] * len(notes)
    cosines = note_vectors.astype(float) @ vectors.astype(float).T
    words = _shared_words(notes, holds, len(vectors))
    spread = cosines.std(axis=1, keepdims=True)
    meaning = (cosines - cosines.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1.0)
    evidence = meaning + _WORDS_WEIGHT * words
    evidence -= np.median(evidence, axis=1, keepdims=True)
    evidence[(words == 0) & (cosines < _NEAR)] = -np.inf
    return _in_order(evidence - _LEAST)


def holds_of(passages: Sequence[str]) -> Holds:
    """Return what says which of some texts hold a term.

    >>> holds_of(["a ship", "two ships at sea"])("ship").tolist()
    [True, True]
    """
    held = [set(terms(passage)) for passage in passages]
    return lambda term: np.array([term in one for one in held], bool)


def _shared_words(notes: Sequence[str], holds: Holds, count: int) -> _Array:
    """What the words that a note (row) and a passage (column) share tell, those next door counting half."""
    score = np.zeros((len(notes), count))
    for row, note in enumerate(notes):
        for term in set(terms(note)):
            here = holds(term)
            frequency = int(here.sum())
            if not 0 < frequency <= max(1, _COMMON * count):
                continue
            around = here.copy()
            around[1:] |= here[:-1]
            around[:-1] |= here[1:]
            rarity = math.log(1 + (count - frequency + 0.5) / (frequency + 0.5))
            score[row] += rarity * (here * 0.5 + around * 0.5)
    return score


def _in_order(gain: _Array) -> list[int | None]:
    """Return the passage of each note, or None, so that the sum of gains less the price of going back is highest.

    >>> _in_order(np.array([[1.0, 4.0, -1.0], [5.0, -1.0, 4.0], [-1.0, -1.0, -1.0]]))
    [1, 2, None]
    """
    count = gain.shape[1]
    # State k: the last tied note belongs to passage k - 1; 0: none was tied yet.
    best = np.zeros(count + 1)
    best[1:] = -np.inf
    came: list[npt.NDArray[np.int64]] = []
    for row in gain:
        ahead = np.maximum.accumulate(best)
        where = np.maximum.accumulate(np.where(best == ahead, np.arange(count + 1), 0))
        high, top = float(best.max()) - _BACK, int(best.argmax())
        start = np.where(ahead[1:] >= high, ahead[1:], high)
        source = np.where(ahead[1:] >= high, where[1:], top)
        tied = start + row
        better = tied > best[1:]
        came.append(np.where(better, source, -1))
        best = best.copy()
        best[1:] = np.where(better, tied, best[1:])
    chosen: list[int | None] = [None] * len(gain)
    state = int(best.argmax())
    for at in range(len(gain) - 1, -1, -1):
        if state > 0 and came[at][state - 1] >= 0:
            chosen[at] = state - 1
            state = int(came[at][state - 1])
    return chosen
