"""Putting what is near in meaning and what is said in words into one ranking of every passage.

The figures behind each choice and constant are in docs/quality.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from talksearch.indexer.vectors import Floats, Ints

from .postings import Layout, surprise

Array = npt.NDArray[np.float64]

WORDS_WEIGHT = 0.25
"""What a natural unit of surprise in the words counts beside one standard deviation of meaning."""

SIDE_BY_SIDE = 0.6
"""What two words of the query count more when they are said together, as a share of the rarer one."""

TALK = 1.2
"""What a word counts that the whole talk speaks of, as a share of what it counts in the passage."""

_SATURATION, _LENGTH = 1.2, 0.75
"""BM25's k1 and b (Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009)."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that may be a hit."""

    number: int
    score: float
    meaning: float | None = None
    """Cosine to the query; None where no vector was compared."""
    words: float | None = None
    """What the words say for it; None where no word of the query stands in or around it."""


def score_words(
    layout: Layout, said: Sequence[Ints], pairs: Sequence[tuple[int, int, Ints]], talk: float = TALK
) -> Array:
    """Return what the words of a query say for every passage (n,); 0 where none of them is said.

    `said` holds, for each term, the places of the passages that hold it; `pairs` holds (a term's position in `said`,
    the next term's, the places where they stand together).

    A term counts its surprise once in every passage that holds it and in the passages next to those: people name a
    thing once and then say "it". Saying it again adds nothing, so that a passage which holds all the words beats one
    that repeats a single one. Two words said together count more. A talk that has a term in many passages is a talk
    about it, and lifts all its passages (`talk` says how much): BM25 with talks for documents and passages for words.
    """
    count = len(layout.numbers)
    score = np.zeros(count)
    if not count:
        return score
    lengths = np.bincount(layout.talks).astype(float)
    same = (layout.talks[1:] == layout.talks[:-1]) & ~layout.notes[1:] & ~layout.notes[:-1]
    worth = [surprise(count, len(places)) for places in said]
    for places, value in zip(said, worth, strict=True):
        here = np.zeros(count, bool)
        here[places] = True
        around = here.copy()
        around[1:] |= here[:-1] & same
        around[:-1] |= here[1:] & same
        score += value * around
        times = np.bincount(layout.talks[places], minlength=len(lengths)).astype(float)
        holds = int((times > 0).sum())
        room = _SATURATION * (1 - _LENGTH + _LENGTH * lengths / lengths.mean())
        about = surprise(len(lengths), holds) * times * (_SATURATION + 1) / (times + room)
        score += talk * about[layout.talks]
    for one, other, places in pairs:
        score[places] += SIDE_BY_SIDE * min(worth[one], worth[other])
    return score


def fuse(
    meaning: Floats | None,
    words: Array,
    within: npt.NDArray[np.bool_] | None,
    count: int,
    less: Array | None = None,
) -> tuple[Ints, Array]:
    """Rank every passage: (places of the `count` best, best first, and the scores of all (n,)).

    `less` (n,) is taken off the scores.

    `meaning` are cosines (n,), NaN where a passage has no vector yet; such a passage counts as of average meaning.
    Cosines are put on the scale of their deviations over the whole index: how many bits a point of cosine is worth
    differs from model to model and from query to query, how unusual it is does not.
    """
    score = WORDS_WEIGHT * words
    if meaning is not None and not np.isnan(meaning).all():
        usual, spread = float(np.nanmean(meaning)), float(np.nanstd(meaning)) or 1.0
        score = score + np.nan_to_num((meaning.astype(float) - usual) / spread)
    if less is not None:
        score = score - less
    eligible = np.flatnonzero(within) if within is not None else np.arange(len(score))
    some = eligible
    if len(eligible) > count:
        some = eligible[np.argpartition(-score[eligible], count - 1)[:count]]
    return some[np.lexsort((some, -score[some]))], score
