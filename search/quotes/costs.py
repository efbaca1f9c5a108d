"""What an alignment costs: of a quote's words, which ones a stretch says, nearly says, joins, splits, leaves out.

Edit distance over units with a free beginning and end in what was said (Sellers 1980), and part of the credit for words
that are alike. Stretches are compared many at a time.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from talksearch.indexer.arrays import Ints

from .quote import Weights
from .units import DIGITS, Unit

Costs = npt.NDArray[np.float32]
"""Costs, as shares of what a word of full weight counts."""

Credits = npt.NDArray[np.float32]
"""How much of the credit for a word of the quote a spoken one gets: 1 for the word itself, 0 for something else."""

OMITTED = 0.8
"""What it costs, times the word's weight, when a word of the quote is not said; less than 1, so that an alignment
begins and ends with words that are said."""

INSERTED = 0.4
"""What it costs when a word is said that the quote leaves out."""

SWAPPED = 0.5
"""What it costs when two words beside each other are said the other way round."""

_INFLECTED_CREDIT = 0.9
"""Credit for another form of a word."""

_NUMBER_CREDIT = 0.9
"""Credit for a number that is written out, or the other way round."""

_MISHEARD_CREDIT = 0.8
"""Credit for what is known to stand for a misheard word."""

_ALIKE_CREDIT = 0.8
"""Credit, times the similarity, for a word of like letters or sound."""

_ALIKE = 0.6
"""The similarity in letters or sound (0 to 1) from which two words count as alike."""

_MAYBE_ALIKE = 0.5
"""The similarity in letters from which two words are compared by their sound."""

_JOINED_ALIKE = 0.75
"""The similarity in letters from which two words written as one, or one as two, count as alike."""

_SHORTEST = 4
"""Letters of the shortest words that can be alike."""

_SHORTEST_JOINED = 6
"""Letters of the shortest words that can be alike when they are written as one or as two."""

_IMPOSSIBLE = np.float32(1e6)
"""The cost of what cannot be."""


class SpokenWords(NamedTuple):
    """What a stretch or a passage says."""

    words: Sequence[str]
    """Normalized."""
    terms: Sequence[str]
    """The term of each word."""
    meanings: Mapping[str, str]
    """Which terms stand for a term of the quote there: {as it stands: the quote's term}."""


@dataclass(frozen=True, slots=True, eq=False)
class CostTables:
    """The costs of putting a quote of n units on s stretches, the longest of m words."""

    change: Costs
    """Of saying one word for another (n, s, m)."""
    split: Costs | None
    """Of saying two words for one, by the second of those said (n, s, m); None where this is not looked at."""
    join: Costs | None
    """Of saying one word for two, by the second of those of the quote (n, s, m)."""
    least: npt.NDArray[np.float64]
    """Of the best way to say the first i units so that it ends with the j-th word of a stretch (n + 1, s, m + 1)."""


def cost_tables(
    units: Sequence[Unit], weights: Weights, stretches: Sequence[SpokenWords], *, joining: bool
) -> CostTables:
    """Align a quote with stretches, all at once.

    Args:
        units: the units of the quote (n).
        weights: how much each counts (n,).
        stretches: what is said.
        joining: also compare words by their sound, and words written as one with words written as two.
    """
    vocabulary: defaultdict[str, int] = defaultdict(itertools.count().__next__)
    word_ids = np.full((len(stretches), max((len(stretch.words) for stretch in stretches), default=0)), -1, np.int64)
    for row, stretch in enumerate(stretches):
        word_ids[row, : len(stretch.words)] = [vocabulary[word] for word in stretch.words]
    change = _change_costs(units, weights, stretches, word_ids, vocabulary, sounds=joining)
    split = join = None
    if joining and word_ids.shape[1]:
        split = _split_costs(units, weights, stretches, word_ids)
        join = _join_costs(units, weights, word_ids, vocabulary)
    return CostTables(change, split, join, _least_costs(units, weights, (change, split, join), word_ids, vocabulary))


def _change_costs(
    units: Sequence[Unit],
    weights: Weights,
    stretches: Sequence[SpokenWords],
    word_ids: Ints,
    vocabulary: Mapping[str, int],
    *,
    sounds: bool,
) -> Costs:
    """Return the costs of saying one word for another (n, s, m).

    Args:
        units: the units of the quote (n).
        weights: how much each counts (n,).
        stretches: what is said (s).
        word_ids: the number of each word of each stretch, -1 behind the end of the stretch (s, m).
        vocabulary: the number of each spoken word.
        sounds: also compare words by their sound.
    """
    term_of: dict[str, str] = {}
    for stretch in stretches:
        term_of.update(zip(stretch.words, stretch.terms, strict=True))
    credit = np.zeros((len(units), len(vocabulary) + 1), np.float32)  # the last column is that of no word
    if vocabulary:
        credit[:, :-1] = _word_credit(units, list(vocabulary), [term_of[word] for word in vocabulary], sounds=sounds)
    costs: Costs = (weights[:, None] * (1 - credit))[:, word_ids]
    for row, stretch in enumerate(stretches):
        for column, term in enumerate(stretch.terms if stretch.meanings else ()):
            meant = stretch.meanings.get(term)
            for i, unit in enumerate(units if meant else ()):
                if unit.term == meant:
                    costs[i, row, column] = min(costs[i, row, column], weights[i] * (1 - _MISHEARD_CREDIT))
    return costs


def _split_costs(units: Sequence[Unit], weights: Weights, stretches: Sequence[SpokenWords], word_ids: Ints) -> Costs:
    """Return the costs of saying two words for one, by the second of those said (n, s, m)."""
    pairs: defaultdict[str, int] = defaultdict(itertools.count(1).__next__)
    pair_ids = np.zeros_like(word_ids)
    for row, stretch in enumerate(stretches):
        pair_ids[row, 1 : len(stretch.words)] = [pairs[first + second] for first, second in pairwise(stretch.words)]
    costs: Costs = np.where(pair_ids == 0, _IMPOSSIBLE, 0).astype(np.float32)[None].repeat(len(units), 0)
    if pairs:
        credit = np.zeros((len(units), len(pairs) + 1), np.float32)
        credit[:, 1:] = _joined_credit([unit.normalized for unit in units], list(pairs))
        costs += np.where(credit > 0, weights[:, None] * (1 - credit), _IMPOSSIBLE)[:, pair_ids]
    return costs


def _join_costs(units: Sequence[Unit], weights: Weights, word_ids: Ints, vocabulary: Mapping[str, int]) -> Costs:
    """Return the costs of saying one word for two, by the second of those of the quote (n, s, m)."""
    costs: Costs = np.full((len(units), *word_ids.shape), _IMPOSSIBLE, np.float32)
    if len(units) > 1:
        pairs = [first.normalized + second.normalized for first, second in pairwise(units)]
        credit = _joined_credit(pairs, [*vocabulary, ""])
        credit[:, -1] = 0
        weight_of_both = (weights[1:] + weights[:-1])[:, None]
        costs[1:] = np.where(credit > 0, weight_of_both * (1 - credit), _IMPOSSIBLE)[:, word_ids]
    return costs


def _least_costs(
    units: Sequence[Unit],
    weights: Weights,
    costs: tuple[Costs, Costs | None, Costs | None],
    word_ids: Ints,
    vocabulary: Mapping[str, int],
) -> npt.NDArray[np.float64]:
    """Return the costs of the best way to say the first units so that it ends with a word (n + 1, s, m + 1).

    Args:
        units: the units of the quote (n).
        weights: how much each counts (n,).
        costs: of saying one word for another, two for one, and one for two, each (n, s, m).
        word_ids: the number of each word of each stretch, -1 behind the end of the stretch (s, m).
        vocabulary: the number of each spoken word.
    """
    change, split, join = costs
    stretches, length = word_ids.shape
    least = np.zeros((len(units) + 1, stretches, length + 1))
    inserted = INSERTED * np.arange(length + 1)
    quote_ids = [vocabulary.get(unit.normalized, -2) for unit in units]
    for i in range(1, len(units) + 1):
        row = least[i - 1] + OMITTED * weights[i - 1]
        row[:, 1:] = np.minimum(row[:, 1:], least[i - 1][:, :-1] + change[i - 1])
        if split is not None:
            row[:, 2:] = np.minimum(row[:, 2:], least[i - 1][:, :-2] + split[i - 1][:, 1:])
        if i > 1:
            if join is not None:
                row[:, 1:] = np.minimum(row[:, 1:], least[i - 2][:, :-1] + join[i - 1])
            swapped = (word_ids[:, 1:] == quote_ids[i - 2]) & (word_ids[:, :-1] == quote_ids[i - 1])
            row[:, 2:] = np.minimum(row[:, 2:], np.where(swapped, least[i - 2][:, :-2] + SWAPPED, _IMPOSSIBLE))
        # Words that are only said: the least over all places before, in one pass.
        least[i] = np.minimum.accumulate(row - inserted, axis=1) + inserted
    return least


def _word_credit(units: Sequence[Unit], words: Sequence[str], terms: Sequence[str], *, sounds: bool) -> Credits:
    """Return how much of the credit for each unit each spoken word gets (n, words).

    Args:
        units: the units of the quote (n).
        words: the spoken words.
        terms: the term of each.
        sounds: also compare words by their sound.
    """
    wanted = [unit.normalized for unit in units]
    credit = _letter_similarity(wanted, words, _MAYBE_ALIKE if sounds else _ALIKE)
    credit *= _are_long(words, _SHORTEST)[None, :] & _are_long(wanted, _SHORTEST)[:, None]
    if sounds:
        from talksearch.indexer.text.phonetics import alike  # imported late: exact quotes do without it

        for i, j in np.argwhere((credit > 0) & (credit < 1)).tolist():
            credit[i, j] = max(credit[i, j], alike(wanted[i], words[j]))
    credit = np.where(credit >= _ALIKE, credit * _ALIKE_CREDIT, 0).astype(np.float32)
    column_of = {word: j for j, word in enumerate(words)}
    columns_of_term: dict[str, list[int]] = {}
    for j, term in enumerate(terms):
        columns_of_term.setdefault(term, []).append(j)
    for i, unit in enumerate(units):
        credit[i, columns_of_term.get(unit.term, [])] = _INFLECTED_CREDIT
        digits = DIGITS.get(unit.normalized)
        for other in [digits] if digits else _written_out(unit.normalized):
            if other in column_of:
                credit[i, column_of[other]] = _NUMBER_CREDIT
        if unit.normalized in column_of:
            credit[i, column_of[unit.normalized]] = 1.0
    return credit


def _joined_credit(wanted: Sequence[str], words: Sequence[str]) -> Credits:
    """Return the credit for words that were written as one or as two: "block chain", "twenty-one" and "21".

    Of the words of the quote and the spoken ones, the ones are joined already (wanted, words).
    """
    credit = _letter_similarity(wanted, words, _JOINED_ALIKE)
    credit *= _are_long(wanted, _SHORTEST_JOINED)[:, None]
    credit = np.where(credit == 1, _INFLECTED_CREDIT, credit * _ALIKE_CREDIT).astype(np.float32)
    column_of = {word: j for j, word in enumerate(words)}
    for i, word in enumerate(wanted):
        for other in [word, DIGITS.get(word, "")]:
            if len(word) > 1 and other in column_of:
                credit[i, column_of[other]] = _INFLECTED_CREDIT
        if word.isdigit():
            for other in _written_out(word):
                if other in column_of:
                    credit[i, column_of[other]] = _NUMBER_CREDIT
    return credit


def _written_out(digits: str) -> list[str]:
    """Return how a number is written out; nothing where the text is no such number."""
    return [word for word, number in DIGITS.items() if number == digits]


def _are_long(words: Sequence[str], letters: int) -> npt.NDArray[np.bool_]:
    return np.array([len(word) for word in words]) >= letters


def _letter_similarity(wanted: Sequence[str], words: Sequence[str], least: float) -> Credits:
    """Return the similarity in letters of words, 0 where it is below `least` (wanted, words)."""
    similarity = process.cdist(
        wanted, words, scorer=Levenshtein.normalized_similarity, score_cutoff=least, dtype=np.float32
    )
    return np.asarray(similarity, np.float32)
