"""Fusion: similarity of meaning and evidence of words are put into one ranking of every passage.

The figures behind each choice and constant are in docs/quality.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from talksearch.indexer.arrays import Ints

from .layout import PassageLayout
from .passage_table import Mask
from .similarity import Similarities
from .term_weight import QueryPostings

Array = npt.NDArray[np.floating[Any]]
"""Scores are float32, as vectors are. What rounding takes is far less than what tells passages apart, and half the
memory is read."""

WORDS_WEIGHT = 0.3
"""What a unit of idf in the words counts beside one standard deviation of meaning."""

REACH = 2
"""How many passages away from where a word is said it still counts."""

SIDE_BY_SIDE = 2.0
"""What two words of the query count more when they are said together, as a share of the rarer one's idf."""

TALK = 0.5
"""What a word counts that the whole talk speaks of, as a share of what it counts in the passage."""

THROUGHOUT = 0.7
"""What a unit of a whole talk's evidence (`talk_evidence`) counts, beside one standard deviation of meaning."""

_FAINT = 12.0
"""How far below the best score a passage may lie to count as evidence for its talk: e to the -12 is nothing."""

_SATURATION, _LENGTH = 1.2, 0.75
"""BM25's k1 and b (Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009)."""

_SAMPLE = 4_096
"""About how many values of a large array are sampled to guess its highest."""


class Candidate(NamedTuple):
    """A passage that may become a hit. A tuple, because a query makes hundreds of them and reads few."""

    number: int
    score: float
    meaning: float | None = None
    """Cosine to the query; None where no vector was compared."""
    words: float | None = None
    """Its lexical score; None where no word of the query stands in or around it."""
    talk: float | None = None
    """What the whole of its talk adds to the score; None where that was not computed."""
    tokens: float | None = None
    """How much nearer to the query it comes token by token than the other best candidates, in their standard
    deviations; None where it was not among those that were compared."""


@dataclass(frozen=True, slots=True, eq=False)
class AvoidedText:
    """What says that passages hold a text to avoid, and how much that counts against them."""

    meaning: Similarities | None
    words: Array
    """Lexical scores (n,)."""
    share: float
    """The share of its score that is taken off."""


@dataclass(frozen=True, slots=True, eq=False)
class Signals:
    """What passages are scored by: all passages of an index, or those that a ranking compares."""

    meaning: Similarities | None
    """How near they are in meaning; None where only words count."""
    words: Array
    """Lexical scores (n,)."""
    avoided: AvoidedText | None = None

    def estimates(self) -> list[tuple[Similarities, float]]:
        """Return the similarities that are estimates, each with the weight of a cosine in the score."""
        weighted = [(self.meaning, 1.0), (self.avoided.meaning, self.avoided.share) if self.avoided else (None, 0.0)]
        return [
            (similarities, share / similarities.deviation)
            for similarities, share in weighted
            if similarities is not None and similarities.errors is not None
        ]


def lexical_scores(
    layout: PassageLayout, postings: QueryPostings, talk_weight: float = TALK, mean_talk_size: float | None = None
) -> Array:
    """Return what the words of a query say for every passage (n,); 0 where none of them is said.

    A term counts what it tells (`term_weight`: its idf) once in every passage that holds it and in those up to `REACH`
    away: people name a thing once and then say "it". Saying it again adds nothing, so that a passage which holds all
    the words beats one that repeats a single one. Two words said together count more. A talk that has a term in many
    passages is a talk about it, and lifts all its passages: BM25 with talks for documents and passages for words.

    Args:
        layout: the layout of all passages.
        postings: where the terms are said, and how much each tells.
        talk_weight: what a word counts that the whole talk speaks of, as a share of what it counts in the passage.
        mean_talk_size: how many passages a talk has in the mean; None for the mean of the layout.
    """
    count = len(layout.numbers)
    scores = np.zeros(count, np.float32)
    if not count:
        return scores
    talk_scores = np.zeros(len(layout.sizes))
    length_norms = _SATURATION * (1 - _LENGTH + _LENGTH * layout.sizes / (mean_talk_size or layout.sizes.mean()))
    for places, term in zip(postings.terms, postings.weights, strict=True):
        if not len(places):
            continue
        scores[_within_reach(layout, places)] += term.passage
        frequencies = np.bincount(layout.talks[places], minlength=len(talk_scores)).astype(float)
        talk_scores += term.talk * frequencies * (_SATURATION + 1) / (frequencies + length_norms)
    weights = [term.passage for term in postings.weights]
    for neighbours, places in zip(pairwise(weights), postings.cooccurrences, strict=False):
        scores[places] += SIDE_BY_SIDE * min(neighbours)
    if talk_weight:
        # Passages of a talk lie side by side.
        scores += np.repeat((talk_weight * talk_scores).astype(np.float32), layout.sizes.astype(np.int64))
    return scores


def usual_words(postings: QueryPostings, talk_weight: float, mean_talk_size: float) -> tuple[float, float]:
    """Return the mean and the variance of what `lexical_scores` gives to a passage of the whole store.

    They are those of terms that stand where they stand by chance, each by itself: of a term that a share of the
    passages holds, a passage is within reach with a probability that this share tells (e to the minus idf).

    Args:
        postings: where the terms are said, and how much each tells in the whole store.
        talk_weight: as of `lexical_scores`.
        mean_talk_size: how many passages a talk has in the mean.
    """
    mean = variance = 0.0
    for term in postings.weights:
        share, of_talks = math.exp(-term.passage), math.exp(-term.talk)
        frequency = mean_talk_size * share / of_talks
        by_talk = talk_weight * term.talk * frequency * (_SATURATION + 1) / (frequency + _SATURATION)
        for score, probability in ((term.passage, 1 - (1 - share) ** (2 * REACH + 1)), (by_talk, of_talks)):
            mean += score * probability
            variance += score**2 * probability * (1 - probability)
    return mean, variance


def talk_evidence(sizes: Ints, scores: Array) -> Array:
    """Return what the whole of its talk says for every passage (n,): the log-sum-exp of its talk's scores.

    A talk that has nothing but the best passage of all has 0. A talk that comes back to what was asked, or speaks
    around it for long, lifts all its passages, though no single one may say much.

    Args:
        sizes: how many passages each talk has (talks,).
        scores: the scores of all passages, those of a talk side by side (n,).
    """
    if not len(scores):
        return scores
    below = scores - scores.max()
    counts = below > -_FAINT
    np.exp(below, out=below)
    below *= counts
    sums = np.add.reduceat(below, np.cumsum(sizes) - sizes)
    return np.repeat(np.log(np.maximum(sums, np.float32(math.exp(-_FAINT)))), sizes)


def hybrid_scores(signals: Signals) -> Array:
    """Return the scores of all passages (n,), as exact as their cosines are.

    Cosines are put on the scale of their deviations over the whole index: how much a point of cosine tells differs from
    model to model and from query to query, how unusual it is does not. A passage that has no vector yet counts by the
    cosine that `missing_vectors` estimates.
    """
    scores = _hybrid_scores(signals.meaning, signals.words)
    if (avoided := signals.avoided) is not None:
        scores -= avoided.share * np.maximum(_hybrid_scores(avoided.meaning, avoided.words), 0.0)
    return scores


def exact_scores(signals: Signals, positions: Ints) -> Array:
    """Return the exact scores of the passages at some positions. Their cosines are exact from then on."""
    scores = _exact_scores(signals.meaning, signals.words, positions)
    if (avoided := signals.avoided) is not None:
        scores -= avoided.share * np.maximum(_exact_scores(avoided.meaning, avoided.words, positions), 0.0)
    return scores


def fuse(signals: Signals, allowed: Mask | None, count: int) -> Ints:
    """Return the positions of the `count` best passages by exact scores, best first.

    `allowed` says which passages may be returned (n,); None allows all.
    """
    positions = contenders(hybrid_scores(signals), signals, allowed, count)
    return positions[top_k(exact_scores(signals, positions), count)]


def contenders(scores: Array, signals: Signals, allowed: Mask | None, count: int) -> Ints:
    """Return the positions that may be among the `count` best, whichever way estimated cosines are off; rising.

    Passages are left out only where even the highest score that they may have is too low.

    Args:
        scores: the scores of all passages as far as they are known, or sums of them and what is known exactly (n,).
        signals: what the scores were made from, which says how far off they may be.
        allowed: which passages may be returned (n,); None allows all.
        count: how many passages are wanted.
    """
    estimates = signals.estimates()
    available = len(scores) if allowed is None else int(np.count_nonzero(allowed))
    if not estimates or available <= count:
        return np.arange(len(scores)) if allowed is None else np.flatnonzero(allowed)
    if allowed is not None:
        scores = np.where(allowed, scores, -np.inf)
    # First as if all were as far off as the worst, which takes one comparison each; then each by its own bound.
    widest = sum(similarities.max_error() * weight for similarities, weight in estimates)
    positions = np.flatnonzero(scores >= kth_highest(scores, count) - 2 * widest)
    bounds = _error_bounds(estimates, positions)
    scores = scores[positions]
    remaining: Ints = positions[scores + bounds >= kth_highest(scores - bounds, count)]
    return remaining


def top_k(scores: Array, count: int) -> Ints:
    """Return the positions of the `count` highest scores, highest first, and of equal ones the earlier first."""
    if len(scores) <= count:
        return np.argsort(-scores, kind="stable")
    lowest = kth_highest(scores, count)
    above, level = np.flatnonzero(scores > lowest), np.flatnonzero(scores == lowest)
    return np.concatenate([above[np.argsort(-scores[above], kind="stable")], level[: count - len(above)]])


def highest_positions(scores: Array, count: int) -> Ints:
    """Return the positions of the `count` highest scores, and of all that equal the last of these; rising."""
    if len(scores) <= count:
        return np.arange(len(scores))
    return np.flatnonzero(scores >= kth_highest(scores, count))


def kth_highest(values: Array, count: int) -> float:
    """Return the value at rank `count` from above, 1 for the highest."""
    # Partitioning all values takes a millisecond. What lies above most values of a sample is enough, and if for once it
    # is not, all of them are partitioned. Where most values are the same, it is likely that one.
    step = len(values) // _SAMPLE
    if step > 1:
        guess = _at_rank(values[::step], 2 * count // step + _SAMPLE // 64)
        above = values[np.flatnonzero(values > guess)]
        if len(above) >= count:
            values = above
        elif np.count_nonzero(values >= guess) >= count:
            return guess
    return _at_rank(values, count)


def _at_rank(values: Array, rank: int) -> float:
    """Return the value at a rank, 1 for the highest; the lowest where there are not so many.

    The values are negated: to partition near the upper end takes numpy fifty times as long where most values are the
    same low one, as lexical scores are.
    """
    position = min(rank, len(values)) - 1
    return -float(np.partition(-values, position)[position])


def _within_reach(layout: PassageLayout, places: Ints) -> Ints:
    """Return the places up to `REACH` passages away from some places, within what is said in one talk."""
    reached = np.zeros(len(layout.numbers), bool)
    reached[places] = True
    for _ in range(REACH):
        nearer, reached = reached, reached.copy()
        reached[1:] |= nearer[:-1] & layout.adjacent
        reached[:-1] |= nearer[1:] & layout.adjacent
    return np.flatnonzero(reached)


def _hybrid_scores(meaning: Similarities | None, words: Array) -> Array:
    scores: Array = np.float32(WORDS_WEIGHT) * words
    if meaning is not None:
        deviations = meaning.cosines - np.float32(meaning.mean)
        deviations *= np.float32(1 / meaning.deviation)
        scores += deviations
    return scores


def _exact_scores(meaning: Similarities | None, words: Array, positions: Ints) -> Array:
    scores: Array = np.float32(WORDS_WEIGHT) * words[positions]
    if meaning is not None:
        scores += (meaning.refine(positions) - np.float32(meaning.mean)) * np.float32(1 / meaning.deviation)
    return scores


def _error_bounds(estimates: Sequence[tuple[Similarities, float]], positions: Ints) -> Array:
    """Return by how much the scores at some positions may be off at most."""
    bounds: Array = sum(
        (similarities.error_bounds(positions) * weight for similarities, weight in estimates[1:]),
        estimates[0][0].error_bounds(positions) * estimates[0][1],
    )
    return bounds
