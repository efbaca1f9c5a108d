"""Putting what is near in meaning and what is said in words into one ranking of every passage.

The figures behind each choice and constant are in docs/quality.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from talksearch.indexer.arrays import Ints

from .layout import PassageLayout
from .postings import idf
from .similarity import Similarities

Array = npt.NDArray[np.floating[Any]]
"""Scores are float32, as vectors are: what is rounded away is far less than what tells passages apart, and half the
memory is gone through."""

WORDS_WEIGHT = 0.3
"""What a natural unit of surprise in the words counts beside one standard deviation of meaning."""

REACH = 2
"""Passages away from which a word still counts."""

SIDE_BY_SIDE = 2.0
"""What two words of the query count more when they are said together, as a share of the rarer one."""

TALK = 0.5
"""What a word counts that the whole talk speaks of, as a share of what it counts in the passage."""

THROUGHOUT = 0.7
"""What a natural unit of evidence counts that a whole talk gives (`talk_evidence`), beside one standard deviation of
meaning."""

_FAINT = 12.0
"""How far below the best score a passage may lie to count as evidence for its talk: e to the -12 is nothing."""

_SATURATION, _LENGTH = 1.2, 0.75
"""BM25's k1 and b (Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009)."""


class Candidate(NamedTuple):
    """A passage that may be a hit. A tuple, because a query makes hundreds and looks at few."""

    number: int
    score: float
    meaning: float | None = None
    """Cosine to the query; None where no vector was compared."""
    words: float | None = None
    """What the words say for it; None where no word of the query stands in or around it."""
    talk: float | None = None
    """What the whole of its talk says for it; None where that was not asked."""
    tokens: float | None = None
    """How much nearer to the query it comes token by token than the other best candidates, in their deviations; None
    where it was not among those that were compared."""


def lexical_scores(
    layout: PassageLayout, said: Sequence[Ints], pairs: Sequence[tuple[int, int, Ints]], talk: float = TALK
) -> Array:
    """Return what the words of a query say for every passage (n,); 0 where none of them is said.

    `said` holds, for each term, the places of the passages that hold it; `pairs` holds (a term's position in `said`,
    the next term's, the places where they stand together).

    A term counts its surprise once in every passage that holds it and in those up to `REACH` away: people name a thing
    once and then say "it". Saying it again adds nothing, so that a passage which holds all the words beats one
    that repeats a single one. Two words said together count more. A talk that has a term in many passages is a talk
    about it, and lifts all its passages (`talk` says how much): BM25 with talks for documents and passages for words.
    """
    count = len(layout.numbers)
    score = np.zeros(count, np.float32)
    if not count:
        return score
    about = np.zeros(len(layout.sizes))
    room = _SATURATION * (1 - _LENGTH + _LENGTH * layout.sizes / layout.sizes.mean())
    worth = [idf(count, len(places)) for places in said]
    for places, value in zip(said, worth, strict=True):
        if not len(places):
            continue
        here = np.zeros(count, bool)
        here[places] = True
        around = here
        for _ in range(REACH):
            nearer, around = around, around.copy()
            around[1:] |= nearer[:-1] & layout.beside
            around[:-1] |= nearer[1:] & layout.beside
        score[np.flatnonzero(around)] += value
        times = np.bincount(layout.talks[places], minlength=len(about)).astype(float)
        holds = int(np.count_nonzero(times))
        about += idf(len(about), holds) * times * (_SATURATION + 1) / (times + room)
    for one, other, places in pairs:
        score[places] += SIDE_BY_SIDE * min(worth[one], worth[other])
    if talk:
        # Passages of a talk lie side by side.
        score += np.repeat((talk * about).astype(np.float32), layout.sizes.astype(np.int64))
    return score


def settle_best(score: Array, meaning: Similarities | None, words: Array, less: AvoidedText | None) -> None:
    """Make the best scores exact, in place: those that decide what the whole of a talk says."""
    best = np.flatnonzero(score >= highest(score, _SETTLED)) if len(score) > _SETTLED else np.arange(len(score))
    score[best] = exact_scores(meaning, words, less, best)


_SETTLED = 200
"""How many scores that is; what rounding changes of what those behind add to their talk is next to nothing."""


def talk_evidence(sizes: Ints, score: Array) -> Array:
    """Return what the whole of its talk says for every passage (n,), given how many passages each talk has (talks,) and
    the scores of all (n,), those of a talk side by side.

    The logarithm of the sum of exp(score) over the passages of its talk, where a talk that has nothing but the best
    passage of all has 0. So a talk that comes back to what was asked, or speaks around it for long, lifts all its
    passages, though no single one may say much.
    """
    if not len(score):
        return score
    below = score - score.max()
    counts = below > -_FAINT
    np.exp(below, out=below)
    below *= counts
    sums = np.add.reduceat(below, np.cumsum(sizes) - sizes)
    return np.repeat(np.log(np.maximum(sums, np.float32(math.exp(-_FAINT)))), sizes)


def fuse(
    meaning: Similarities | None,
    words: Array,
    within: npt.NDArray[np.bool_] | None,
    count: int,
    less: AvoidedText | None = None,
) -> tuple[Ints, Array]:
    """Rank every passage: (places of the `count` best, best first, and the scores of all (n,)).

    `less` is taken off the scores. Scores of the best are exact. Where `meaning` is only about right, those of others
    are as well: passages are left out only where even the highest score that they may have is too low.

    Cosines are put on the scale of their deviations over the whole index: how many bits a point of cosine is worth
    differs from model to model and from query to query, how unusual it is does not. A passage that has no vector yet
    counts as of average meaning.
    """
    score = hybrid_scores(meaning, words, less)
    return top_k(score, np.zeros_like(score), meaning, words, less, within, count), score


def top_k(
    score: Array,
    lift: Array,
    meaning: Similarities | None,
    words: Array,
    less: AvoidedText | None,
    within: npt.NDArray[np.bool_] | None,
    count: int,
) -> Ints:
    """Return the places of the `count` best by the sum of `score` and `lift` (n,), best first.

    `score` is that of `hybrid_scores`; where it decides, it is made exact in place.
    """
    lifted = score + lift
    some = _may_be_best(lifted, meaning, less, within, count)
    score[some] = exact_scores(meaning, words, less, some)
    found = score[some] + lift[some]
    if len(some) > count:
        high = np.argpartition(-found, count - 1)[:count]
        some, found = some[high], found[high]
    return some[np.lexsort((some, -found))]


@dataclass(frozen=True, slots=True)
class AvoidedText:
    """What is to be turned away from: its evidence, and the share of its score that is taken off."""

    meaning: Similarities | None
    words: Array
    share: float


def hybrid_scores(meaning: Similarities | None, words: Array, less: AvoidedText | None = None) -> Array:
    """Return the scores of all passages (n,), as exact as the cosines in `meaning` are."""
    score: Array = np.float32(WORDS_WEIGHT) * words
    if meaning is not None:
        above = meaning.cosines - np.float32(meaning.mean)
        above *= np.float32(1 / meaning.deviation)
        score += above
    if less is not None:
        score -= less.share * np.maximum(hybrid_scores(less.meaning, less.words), 0.0)
    return score


def exact_scores(meaning: Similarities | None, words: Array, less: AvoidedText | None, places: Ints) -> Array:
    """Return the exact scores of the passages at some places, whose cosines are exact from then on."""
    score: Array = np.float32(WORDS_WEIGHT) * words[places]
    if meaning is not None:
        score += (meaning.refine(places) - np.float32(meaning.mean)) * np.float32(1 / meaning.deviation)
    if less is not None:
        score -= less.share * np.maximum(exact_scores(less.meaning, less.words, None, places), 0.0)
    return score


def _may_be_best(
    score: Array,
    meaning: Similarities | None,
    less: AvoidedText | None,
    within: npt.NDArray[np.bool_] | None,
    count: int,
) -> Ints:
    """Return the places that may be among the `count` best, in whichever way cosines are off."""
    parts = [(near, share / near.deviation) for near, share in _parts(meaning, less) if near.errors is not None]
    many = len(score) if within is None else int(np.count_nonzero(within))
    if not parts or many <= count:
        return np.arange(len(score)) if within is None else np.flatnonzero(within)
    if within is not None:
        score = np.where(within, score, -np.inf)
    # First as if all were as far off as the worst, which needs no more than comparing; then each by its own.
    most = sum(near.max_error() * share for near, share in parts)
    some = np.flatnonzero(score >= highest(score, count) - 2 * most)
    off = sum(
        (near.error_bounds(some) * share for near, share in parts[1:]), parts[0][0].error_bounds(some) * parts[0][1]
    )
    score = score[some]
    found: Ints = some[score + off >= highest(score - off, count)]
    return found


def _parts(meaning: Similarities | None, less: AvoidedText | None) -> list[tuple[Similarities, float]]:
    """Return what a score is made of that may be off, each with its share."""
    parts = [(meaning, 1.0), (less.meaning if less else None, less.share if less else 0.0)]
    return [(near, share) for near, share in parts if near is not None]


def highest(values: Array, count: int) -> float:
    """Return the value at place `count` from above, 1 for the highest."""
    # Partitioning all values takes a millisecond. What lies above most values of a sample is enough, and if for once it
    # is not, all of them are.
    step = max(1, len(values) // _SAMPLE)
    sample = values[::step]
    at = len(sample) - 2 * count // step - _SAMPLE // 64
    if at > 0:
        high = values[np.flatnonzero(values >= np.partition(sample, at)[at])]
        values = high if len(high) >= count else values
    return float(np.partition(values, len(values) - count)[len(values) - count])


_SAMPLE = 4_096
