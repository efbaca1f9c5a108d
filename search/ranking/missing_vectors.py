"""Missing vectors: how near a passage probably is to a query that has no vector yet, and what not knowing it is worth.

Meaning goes along with words: with those of the query that are said in and around a passage, which add to its score,
and with how often it says them itself (BM25). And the cosines of one query are alike along a talk: its passages have
the subject in common, those near each other what is being said, and two in a row the words in which they overlap. So
the cosine of a passage without a vector is estimated (best linear prediction, "kriging" with a constant mean for each
talk) from its words, and from what the nearest embedded passages before and behind it, and all of its talk, are nearer
than their own words say. Before there is any vector, words count for what they usually say of meaning.

To have no vector is neither a merit nor a fault. Relevance grows with e to the score, as in `fusion.talk_evidence`, so
that the mean of the relevance that an unknown cosine may stand for is more than the relevance of the mean cosine. By
how much, the embedded passages tell: estimated by their words, they must sum up to what they do. docs/quality.md has
the figures, benchmarks/partly.py prints them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from talksearch.indexer.arrays import Floats, Ints

from .encoded_query import EncodedQuery
from .fusion import Array
from .layout import PassageLayout
from .lexical import bm25_search
from .passage_table import Mask, PassageTable
from .similarity import Similarities
from .term_variants import variant_terms

_SLOPES = np.array([0.09, 0.16])
"""By how many deviations passages are usually nearer to a query for each point of the score of its words, and for each
point of BM25."""

_SLOPES_DIFFER = np.array([0.08, 0.13])
"""The standard deviations of both from query to query."""

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
class WordScores:
    """What the words of a query say for passages, and so for how near they are to it."""

    scores: Array
    """What they say in and around each: `fusion.lexical_scores` (n,)."""
    own: Array | None
    """BM25 of each by itself (n,); None where every passage has its vector."""

    def at(self, places: Ints | None) -> WordScores:
        """Return what they say for the passages at some places; None for all."""
        if places is None:
            return self
        return WordScores(self.scores[places], None if self.own is None else self.own[places])

    def columns(self) -> Floats:
        """Return both as the columns of a table (n, 2). `own` must be known."""
        assert self.own is not None
        return np.stack([self.scores, self.own], axis=1)

    def nearness(self) -> Array:
        """Return how much nearer passages usually are for their words, in deviations of cosines (n,)."""
        usual: Array = (self.columns() @ _SLOPES).astype(np.float32)
        return usual


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


def own_words(table: PassageTable, query: EncodedQuery, excluded: Mask | None) -> Array | None:
    """Return the BM25 of every passage by itself (n,); None where every passage has its vector.

    `excluded` passages (n,) hold no words.
    """
    if not (table.vector_rows < 0).any():
        return None
    scores = np.zeros(len(table.vector_rows), np.float32)
    found = bm25_search(table.db, [*query.terms, *variant_terms(query.variants)], None, -1)
    places = table.places(np.array([number for number, _ in found], np.int64))
    scores[places[places >= 0]] = np.array([score for _, score in found], np.float32)[places >= 0]
    if excluded is not None:
        scores[excluded] = 0
    return scores


def estimate(meaning: Similarities, words: WordScores, weight: float, gaps: MissingVectors) -> None:
    """Give the missing cosines, in place, the values by which their passages count.

    Args:
        meaning: the cosines (n,), those of embedded passages compared.
        words: what the words of the query say for each passage; `own` must be known.
        weight: what a unit of their scores counts, beside a standard deviation of meaning.
        gaps: the passages without a vector.
    """
    deviations = (meaning.cosines[gaps.embedded] - np.float32(meaning.mean)) / np.float32(meaning.deviation)
    columns = words.columns()
    slopes, start = _line(columns[gaps.embedded], deviations)
    by_words = (columns @ slopes + start).astype(np.float32)
    rest = np.zeros(len(meaning.cosines), np.float32)
    """How much nearer each embedded passage is than its words say, in deviations."""
    rest[gaps.embedded] = deviations - by_words[gaps.embedded]
    counts = np.bincount(gaps.talks[gaps.embedded], minlength=len(gaps.talk_weights))
    sums = np.bincount(gaps.talks, weights=rest, minlength=len(gaps.talk_weights))
    of_talks = (gaps.talk_weights * sums / np.maximum(counts, 1)).astype(np.float32)
    of_talk = of_talks[gaps.talks[gaps.missing]]
    expected = by_words[gaps.missing] + of_talk
    expected += gaps.weights[0] * (rest[gaps.before] - of_talk) + gaps.weights[1] * (rest[gaps.behind] - of_talk)
    if len(gaps.embedded):
        scores = weight * words.scores[gaps.embedded]
        expected += _worth_of_not_knowing(scores, deviations, rest[gaps.embedded]) * (1 - gaps.known)
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


def _line(words: Floats, deviations: Floats) -> tuple[Floats, float]:
    """Return the line by which meaning goes along with words: its slopes (2,) and where it starts.

    It is what embedded passages show for this query, weighed against what is usual: Bayesian linear regression with a
    normal prior (Bishop, Pattern Recognition and Machine Learning, 2006, 3.3). Words that go against meaning take
    nothing away.

    Args:
        words: what words say for each embedded passage (embedded, 2).
        deviations: how near it is (embedded,).
    """
    if not len(deviations):
        return _SLOPES, 0.0
    mean, middle = words.mean(axis=0, dtype=np.float64), float(deviations.mean(dtype=np.float64))
    spread = words - mean
    prior = np.diag(_SLOPES_DIFFER**-2)
    shown = spread.T @ (deviations - middle) / _ALIKE
    slopes: Floats = np.maximum(np.linalg.solve(spread.T @ spread / _ALIKE + prior, shown + prior @ _SLOPES), 0)
    return slopes, middle - float(mean @ slopes)
