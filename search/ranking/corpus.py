"""Statistics of a whole store, by which passages are ranked where a table holds only some of its talks.

What a term tells, which cosine is usual and how long talks are is told of all passages, wherever they lie. Without
these, a table tells it of itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from talksearch.indexer.arrays import Floats
from talksearch.indexer.stores.remote.engine import Corpus, LanguageCount, TermCount

from .postings import idf
from .term_weight import TermWeight

Doubles = npt.NDArray[np.float64]


class TermHolding(NamedTuple):
    """In how many passages and talks a term stands. After a share of both was taken, these are no whole numbers."""

    passages: float
    talks: float


class CosineMoments(NamedTuple):
    """How near all passages of a store are to a vector."""

    mean: float
    """The mean of their cosines."""
    deviation: float
    """Their standard deviation; 1 where they do not differ."""


@dataclass(frozen=True, slots=True, eq=False)
class CorpusStatistics:
    """What all passages of a store are like, of which a table holds some."""

    languages: Mapping[str, LanguageCount]
    """How much there is in each language, the one of most passages first. What is in no known language counts as in
    that one."""
    vectors: int
    """How many passages have a vector."""
    mean: Doubles
    """The mean of these vectors (dimension,)."""
    second: Doubles
    """The mean of their outer products (dimension, dimension)."""
    count_term: Callable[[str], Iterable[TermCount]]
    """Returns how often a term is said, in each language."""

    @property
    def passages(self) -> int:
        """How many passages there are."""
        return sum(count.passages for count in self.languages.values())

    @property
    def talks(self) -> int:
        """How many talks there are."""
        return sum(count.talks for count in self.languages.values())

    @property
    def mean_talk_size(self) -> float:
        """How many passages a talk has in the mean; 1 where there is none."""
        return self.passages / self.talks if self.talks else 1.0

    def moments(self, vector: Floats) -> CosineMoments:
        """Return how near all passages are to a normalised vector (dimension,)."""
        if not self.vectors:
            return CosineMoments(0.0, 1.0)
        exact = vector.astype(np.float64)
        mean = float(self.mean @ exact)
        return CosineMoments(mean, max(float(exact @ self.second @ exact) - mean * mean, 0.0) ** 0.5 or 1.0)

    def holding(self, terms: Sequence[str], share: float = 1.0) -> dict[str, TermHolding]:
        """Return how much holds any of some terms, by language; languages in which nothing does are left out.

        Args:
            terms: The terms. What holds two of them is counted twice.
            share: What is left of these counts where each passage is counted once.
        """
        usual = next(iter(self.languages), "")
        found: dict[str, TermHolding] = {}
        for term in terms:
            for count in self.count_term(term):
                language = count.language if count.language in self.languages else usual
                before = found.get(language, TermHolding(0, 0))
                found[language] = TermHolding(before.passages + count.passages, before.talks + count.talks)
        return {
            language: TermHolding(
                min(held.passages * share, self.languages[language].passages),
                min(held.talks * share, self.languages[language].talks),
            )
            for language, held in found.items()
            if held.passages and language in self.languages
        }

    def term_weight(self, holding: Mapping[str, TermHolding]) -> TermWeight:
        """Return how much a term tells that so much holds, among what is said in the same language.

        See `term_weight`: it is the mean over the passages that hold it.
        """
        if not holding:
            return _among(LanguageCount("", self.talks, self.passages), TermHolding(0, 0))
        weights = [_among(self.languages[language], held) for language, held in holding.items()]
        counts = [held.passages for held in holding.values()]
        return TermWeight(*np.average(weights, axis=0, weights=counts).tolist())


def statistics_of(corpus: Corpus, count_term: Callable[[str], Iterable[TermCount]]) -> CorpusStatistics:
    """Return what ranking needs of the statistics of a store.

    Args:
        corpus: What the store tells of all its passages.
        count_term: Returns how often a term is said, in each language.
    """
    known = sorted((count for count in corpus.languages if count.language), key=_by_size)
    unknown = [count for count in corpus.languages if not count.language]
    usual = known[0] if known else LanguageCount("", 0, 0)
    usual = LanguageCount(
        usual.language,
        usual.talks + sum(count.talks for count in unknown),
        usual.passages + sum(count.passages for count in unknown),
    )
    vectors = max(corpus.vectors, 1)
    return CorpusStatistics(
        {count.language: count for count in (usual, *known[1:])},
        corpus.vectors,
        np.asarray(corpus.vector_sum, np.float64) / vectors,
        np.asarray(corpus.product_sum, np.float64) / vectors,
        count_term,
    )


def _by_size(count: LanguageCount) -> tuple[int, str]:
    return -count.passages, count.language  # where as many are in two, every reader takes the same


def _among(whole: LanguageCount, held: TermHolding) -> TermWeight:
    return TermWeight(idf(whole.passages, held.passages), idf(whole.talks, held.talks), math.log(whole.passages + 1))
