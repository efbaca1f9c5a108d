"""Missing vectors: how near a passage probably is to a query that has no vector yet, and what not knowing it is worth.

The cosines of one query are alike along a talk: its passages have the subject in common, those near each other what is
being said, and two in a row the words in which they overlap. So the cosine of a passage without a vector is estimated
(best linear prediction, "kriging" with a constant mean for each talk) from the words of the query, which go along with
meaning, and from what the nearest embedded passages before and behind it, and all of its talk, are nearer than their
own words say.

To have no vector is neither a merit nor a fault. Relevance grows with e to the score, as in `fusion.talk_evidence`, so
that the mean of the relevance that an unknown cosine may stand for is more than the relevance of the mean cosine. By
how much, the embedded passages tell: estimated by their words, they must sum up to what they do. docs/quality.md has
the figures, benchmarks/partly.py prints them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from talksearch.indexer.arrays import Floats, Ints

from .fusion import Array
from .layout import PassageLayout
from .similarity import Similarities

_TALK = 0.24
"""The share of the variance of a query's cosines that all passages of a talk have in common."""

_STRETCH, _FADING = 0.20, 0.94
"""The share that passages have in common for what is being said meanwhile, and how much of that is left in the next."""

_FARTHEST = 200
"""From so many passages away on, they have no more in common than their talk."""

_OVERLAP = 0.20
"""The share that a passage has in common with the next for the words in which they overlap."""

_ALIKE = 2.0
"""How many passages of a talk tell as much of it as one that is independent would, because they are alike."""


@dataclass(frozen=True, slots=True, eq=False)
class MissingVectors:
    """Passages without a vector, and how much their embedded neighbours tell of each. Positions count among the
    passages that are ranked.
    """

    embedded: Ints
    """The positions of the passages that have a vector, rising (embedded,)."""
    missing: Ints
    """The positions of those that have none, rising (m,)."""
    before: Ints
    """The position of the embedded passage next before each of them in its talk; any where there is none (m,)."""
    behind: Ints
    """That of the one next behind it (m,)."""
    weights: Floats
    """What the two count (2, m); 0 where there is none."""
    talks: Ints
    """The talk of each passage that is ranked, counted from 0 (n,)."""
    talk_weights: Floats
    """What the mean of the embedded passages of each talk counts (talks,)."""
    known: Floats
    """The share of the variance of each missing cosine that all this accounts for, 0 to 1 (m,)."""


def find_gaps(layout: PassageLayout, vector_rows: Ints, places: Ints | None) -> MissingVectors | None:
    """Return the gaps among the passages at some places, which are those of whole talks; None where none is missing.

    Args:
        layout: the layout of all passages.
        vector_rows: the row of each passage's vector, -1 where it has none (n,).
        places: the places that are ranked, rising; None for all.
    """
    has_vector = (vector_rows if places is None else vector_rows[places]) >= 0
    if has_vector.all():
        return None
    talks = layout.talks if places is None else layout.talks[places]
    notes = layout.notes if places is None else layout.notes[places]
    missing = np.flatnonzero(~has_vector)
    speaks = has_vector & ~notes
    spoken = np.flatnonzero(speaks)
    counts = np.bincount(talks[spoken], minlength=len(layout.sizes))
    talk_weights = (_TALK * counts / (_TALK * counts + _ALIKE * (1 - _TALK))).astype(np.float32)
    known = _TALK * talk_weights[talks[missing]]
    if not len(spoken):
        nowhere = np.zeros(len(missing), np.int64)
        no_weights = np.zeros((2, len(missing)), np.float32)
        embedded = np.flatnonzero(has_vector)
        return MissingVectors(embedded, missing, nowhere, nowhere, no_weights, talks, talk_weights, known)
    following = np.searchsorted(spoken, missing)
    neighbours = spoken[np.stack([np.maximum(following - 1, 0), np.minimum(following, len(spoken) - 1)])]
    are_there = np.stack([following > 0, following < len(spoken)])
    are_there &= (talks[neighbours] == talks[missing]) & ~notes[missing]
    apart = np.abs(neighbours - missing)
    # Beside what the talk has in common: how much each neighbour tells, less what the two say of each other.
    own = np.where(are_there, _likeness(apart), 0.0)
    mutual = np.where(are_there.all(axis=0), _likeness(apart.sum(axis=0)), 0.0)
    weights = (own - mutual * own[::-1]) / (1 - mutual**2)
    known = known + (1 - _TALK) * (weights * own).sum(axis=0)
    return MissingVectors(
        np.flatnonzero(has_vector),
        missing,
        neighbours[0],
        neighbours[1],
        weights.astype(np.float32),
        talks,
        talk_weights,
        known.astype(np.float32),
    )


def estimate(meaning: Similarities, words: Array, weight: float, gaps: MissingVectors) -> None:
    """Give the missing cosines, in place, the values by which their passages count.

    Args:
        meaning: the cosines (n,), those of embedded passages compared.
        words: what the words of the query say for each passage (n,).
        weight: what a unit of that counts in the score, beside a standard deviation of meaning.
        gaps: the passages without a vector.
    """
    if not len(gaps.embedded):
        return
    deviations = (meaning.cosines[gaps.embedded] - np.float32(meaning.mean)) / np.float32(meaning.deviation)
    slope, start = _line(words[gaps.embedded], deviations)
    rest = np.zeros(len(meaning.cosines), np.float32)
    """How much nearer each embedded passage is than its words say, in deviations."""
    rest[gaps.embedded] = deviations - (start + slope * words[gaps.embedded])
    counts = np.bincount(gaps.talks[gaps.embedded], minlength=len(gaps.talk_weights))
    sums = np.bincount(gaps.talks, weights=rest, minlength=len(gaps.talk_weights))
    of_talks = (gaps.talk_weights * sums / np.maximum(counts, 1)).astype(np.float32)
    of_talk = of_talks[gaps.talks[gaps.missing]]
    expected = start + slope * words[gaps.missing] + of_talk
    expected += gaps.weights[0] * (rest[gaps.before] - of_talk) + gaps.weights[1] * (rest[gaps.behind] - of_talk)
    expected += _worth_of_not_knowing(weight * words[gaps.embedded], deviations, rest[gaps.embedded]) * (1 - gaps.known)
    meaning.cosines[gaps.missing] = np.float32(meaning.mean) + np.float32(meaning.deviation) * expected


def _likeness(apart: Ints) -> Floats:
    """Return how alike the cosines of two passages are that lie so many apart, beside what their talk has in common."""
    near: Ints = np.arange(_FARTHEST + 1)
    alike: Floats = ((_STRETCH * _FADING**near + _OVERLAP * (near == 1)) / (1 - _TALK)).astype(np.float32)
    return alike[np.minimum(apart, _FARTHEST)]


def _worth_of_not_knowing(words: Array, deviations: Array, rest: Array) -> np.float32:
    """Return by how much passages count less than they should, in deviations, if they count by what their words say.

    Args:
        words: what words add to the score of each embedded passage (embedded,).
        deviations: what meaning adds (embedded,).
        rest: how much of that their words do not say (embedded,).
    """
    scores = words + deviations
    highest = scores.max()
    relevance, expected = np.exp(scores - highest).sum(), np.exp(scores - rest - highest).sum()
    return np.float32(max(float(np.log(relevance / expected)), 0.0))


def _line(words: Array, deviations: Floats) -> tuple[np.float32, np.float32]:
    """Return (slope, start) of the line by which meaning goes along with words; few passages show hardly any.

    The slope is shrunk by its own uncertainty (James and Stein), so that it fades out where there is little to tell it.
    """
    spread = words - words.mean()
    squares = float(spread @ spread)
    if squares <= 0:
        return np.float32(0), np.float32(deviations.mean())
    slope = float(spread @ deviations) / squares
    slope = max(slope - 1 / (slope * squares), 0.0) if slope > 0 else 0.0
    return np.float32(slope), np.float32(deviations.mean() - slope * words.mean())
