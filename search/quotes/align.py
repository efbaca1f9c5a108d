"""Putting a quote on what was said at the least cost.

Edit distance over words with a free beginning and end in what was said (Sellers 1980), and part of the credit for words
that are alike. Stretches are aligned many at a time.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from talksearch.indexer.arrays import Ints
from talksearch.search.hit import EditOp
from talksearch.search.ranking.term_variants import TermVariants, heard_in

from .units import DIGITS, Unit

Costs = npt.NDArray[np.float32]

ENOUGH = 0.6
"""How much of a quote must be right, where it has more words than are asked for exactly."""

_LEFT_OUT = 0.8
"""What it costs, times the word's weight, when a word of the quote is not said; less than 1, so that a quote begins and
ends with words that are said."""

_ADDED = 0.4
"""What it costs when a word is said that the quote leaves out."""

_SWAPPED = 0.5
"""What it costs when two words beside each other are said the other way round."""

_INFLECTED, _NUMBER, _MISHEARD, _ALIKE = 0.9, 0.9, 0.8, 0.8
"""Credit for another form of a word, a number written out, a known mishearing, and (times the likeness) for letters."""

_LETTERS = 0.6
"""Share of letters that two words must have in common to be taken for alike."""

_SHORTEST = 4
"""Letters of the shortest words that can be alike."""

_AT_ONCE = 40
"""Stretches that are aligned at once."""

_FAR = np.float32(1e6)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Words of a talk in a row."""

    talk: int
    text: str
    units: tuple[Unit, ...]
    times: tuple[tuple[int, int, int], ...]
    """Of each unit: the cue's number, when it begins and ends."""


@dataclass(frozen=True, slots=True)
class Found:
    """Where in a stretch a quote is said, and how."""

    stretch: Stretch
    first: int
    last: int
    """Units of the stretch, both ends included."""
    score: float
    """1 where it is said word for word."""
    pairs: tuple[tuple[EditOp, tuple[int, ...], tuple[int, ...]], ...]
    """The steps of the alignment in order: (what became of some words, units of the quote, units of the stretch)."""


@dataclass(frozen=True, slots=True)
class Tables:
    """The costs of putting a quote of n words on stretches; c of them, the longest of m words."""

    change: Costs
    """Of saying one word for another (n, c, m)."""
    split: Costs | None
    """Of saying two words for one, by the second of those said (n, c, m); None where this is not looked at."""
    join: Costs | None
    """Of saying one word for two, by the second of those asked (n, c, m)."""
    least: npt.NDArray[np.float64]
    """Of the best way to say the first i words so that it ends with the j-th word of a stretch (n + 1, c, m + 1)."""


def tables_of(
    asked: Sequence[Unit],
    weights: Costs,
    said: Sequence[Sequence[str]],
    said_terms: Sequence[Sequence[str]],
    heard: Sequence[Mapping[str, str]],
    *,
    joining: bool,
) -> Tables:
    """Align a quote with stretches, all at once. `heard` says for each which terms stand for one that was asked."""
    n, m = len(asked), max(map(len, said), default=0)
    vocabulary: defaultdict[str, int] = defaultdict(itertools.count().__next__)
    at = np.full((len(said), m), -1, np.int64)
    for row, words in enumerate(said):
        at[row, : len(words)] = [vocabulary[word] for word in words]
    term_of: dict[str, str] = {}
    for words, stems in zip(said, said_terms, strict=True):
        term_of.update(zip(words, stems, strict=True))
    credit = np.zeros((n, len(vocabulary) + 1), np.float32)  # the last column is that of no word
    if vocabulary:
        credit[:, :-1] = _credit(asked, list(vocabulary), [term_of[word] for word in vocabulary], sounds=joining)
    change = (weights[:, None] * (1 - credit))[:, at]
    for row, names in enumerate(heard):
        for column, term in enumerate(said_terms[row] if names else ()):
            meant = names.get(term)
            for i, one in enumerate(asked if meant else ()):
                if one.term == meant:
                    change[i, row, column] = min(change[i, row, column], weights[i] * (1 - _MISHEARD))
    split = join = None
    if joining and m:
        pairs: defaultdict[str, int] = defaultdict(itertools.count(1).__next__)
        pair_at = np.zeros_like(at)
        for row, words in enumerate(said):
            pair_at[row, 1 : len(words)] = [pairs[one + other] for one, other in pairwise(words)]
        split = np.where(pair_at == 0, _FAR, 0).astype(np.float32)[None].repeat(n, 0)
        if pairs:
            worth = np.zeros((n, len(pairs) + 1), np.float32)
            worth[:, 1:] = _joint([unit.plain for unit in asked], list(pairs))
            split += np.where(worth > 0, weights[:, None] * (1 - worth), _FAR)[:, pair_at]
        join = np.full((n, *at.shape), _FAR, np.float32)
        if n > 1:
            worth = _joint([one.plain + other.plain for one, other in pairwise(asked)], [*vocabulary, ""])
            worth[:, -1] = 0
            both = (weights[1:] + weights[:-1])[:, None]
            join[1:] = np.where(worth > 0, both * (1 - worth), _FAR)[:, at]
    return Tables(change, split, join, _least(asked, weights, change, split, join, at, vocabulary))


def _least(
    asked: Sequence[Unit],
    weights: Costs,
    change: Costs,
    split: Costs | None,
    join: Costs | None,
    at: Ints,
    vocabulary: Mapping[str, int],
) -> npt.NDArray[np.float64]:
    n, (c, m) = len(asked), at.shape
    least = np.zeros((n + 1, c, m + 1))
    added = _ADDED * np.arange(m + 1)
    wanted = [vocabulary.get(unit.plain, -2) for unit in asked]
    for i in range(1, n + 1):
        row = least[i - 1] + _LEFT_OUT * weights[i - 1]
        row[:, 1:] = np.minimum(row[:, 1:], least[i - 1][:, :-1] + change[i - 1])
        if split is not None:
            row[:, 2:] = np.minimum(row[:, 2:], least[i - 1][:, :-2] + split[i - 1][:, 1:])
        if i > 1:
            if join is not None:
                row[:, 1:] = np.minimum(row[:, 1:], least[i - 2][:, :-1] + join[i - 1])
            crossed = (at[:, 1:] == wanted[i - 2]) & (at[:, :-1] == wanted[i - 1])
            row[:, 2:] = np.minimum(row[:, 2:], np.where(crossed, least[i - 2][:, :-2] + _SWAPPED, _FAR))
        # Words that are only said: the least over all places before, in one pass.
        least[i] = np.minimum.accumulate(row - added, axis=1) + added
    return least


def _credit(asked: Sequence[Unit], words: Sequence[str], terms_of: Sequence[str], *, sounds: bool) -> Costs:
    """Return how much of an asked word each said word is worth (n, words): 1 for itself, 0 for something else."""
    plain = [unit.plain for unit in asked]
    worth = np.asarray(_likeness(plain, words, 0.5 if sounds else _LETTERS), np.float32)
    long = np.array([len(word) for word in words]) >= _SHORTEST
    worth *= long[None, :] & (np.array([len(word) for word in plain]) >= _SHORTEST)[:, None]
    if sounds:
        from talksearch.indexer.text.phonetics import alike  # only where words are compared, as in `heard`

        for i, j in np.argwhere((worth > 0) & (worth < 1)).tolist():
            worth[i, j] = max(worth[i, j], alike(plain[i], words[j]))
    worth = np.where(worth >= _LETTERS, worth * _ALIKE, 0).astype(np.float32)
    by_word = {word: j for j, word in enumerate(words)}
    by_term: dict[str, list[int]] = {}
    for j, term in enumerate(terms_of):
        by_term.setdefault(term, []).append(j)
    for i, unit in enumerate(asked):
        worth[i, by_term.get(unit.term, [])] = _INFLECTED
        digits = DIGITS.get(unit.plain)
        for other in [digits] if digits else [word for word, number in DIGITS.items() if number == unit.plain]:
            if other in by_word:
                worth[i, by_word[other]] = _NUMBER
        if unit.plain in by_word:
            worth[i, by_word[unit.plain]] = 1.0
    return worth


def _joint(asked: Sequence[str], said: Sequence[str]) -> Costs:
    """Return the credit for words that were written as one or as two: "block chain", "twenty-one" and "21"."""
    worth = np.asarray(_likeness(asked, said, 0.75), np.float32)
    worth *= (np.array([len(word) for word in asked]) >= _SHORTEST + 2)[:, None]
    worth = np.where(worth == 1, _INFLECTED, worth * _ALIKE).astype(np.float32)
    place = {word: j for j, word in enumerate(said)}
    for i, word in enumerate(asked):
        for other in [word, DIGITS.get(word, "")]:
            if len(word) > 1 and other in place:
                worth[i, place[other]] = _INFLECTED
        if word.isdigit():
            for other, number in DIGITS.items():
                if number == word and other in place:
                    worth[i, place[other]] = _NUMBER
    return worth


def _likeness(one: Sequence[str], other: Sequence[str], least: float) -> Costs:
    found: Costs = process.cdist(
        one, other, scorer=Levenshtein.normalized_similarity, score_cutoff=least, dtype=np.float32
    )
    return found


def align(
    asked: Sequence[Unit],
    weights: Costs,
    stretches: Sequence[Stretch],
    ways: Mapping[str, TermVariants],
    enough: float,
) -> list[Found]:
    """Return where in stretches the quote is said well enough; what overlaps only once."""
    found: list[Found] = []
    total = float(weights.sum())
    ordered = sorted((stretch for stretch in stretches if stretch.units), key=lambda stretch: len(stretch.units))
    at = 0
    while at < len(ordered):
        # Long quotes make long stretches: as many at once as memory allows.
        size = max(1, min(_AT_ONCE, 4_000_000 // (len(asked) * len(ordered[at].units))))
        group = ordered[at : at + size]
        at += size
        heard = [heard_in(ways, stretch.talk) if ways else {} for stretch in group]
        plain = [[unit.plain for unit in stretch.units] for stretch in group]
        stems = [[unit.term for unit in stretch.units] for stretch in group]
        tables = tables_of(asked, weights, plain, stems, heard, joining=enough < 1)
        for row, stretch in enumerate(group):
            ends = tables.least[-1, row, : len(stretch.units) + 1]
            taken: list[range] = []
            for end in np.argsort(ends, kind="stable").tolist():
                if ends[end] > total * (1 - enough) + 1e-3:
                    break
                if any(end - 1 in one for one in taken):
                    continue
                pairs, cost = _way(asked, weights, stretch.units, tables, row, end)
                used = [j for _, _, js in pairs for j in js]
                score = 1 - cost / total
                if not used or score < enough - 1e-6:
                    continue
                if any(one.start <= used[-1] and used[0] < one.stop for one in taken):
                    continue
                taken.append(range(used[0], used[-1] + 1))
                found.append(Found(stretch, used[0], used[-1], score, pairs))
    return found


def _way(
    asked: Sequence[Unit], weights: Costs, said: Sequence[Unit], tables: Tables, row: int, end: int
) -> tuple[tuple[tuple[EditOp, tuple[int, ...], tuple[int, ...]], ...], float]:
    """Go back along the best alignment that ends before the word `end`: (its steps in order, its cost)."""
    least = tables.least[:, row]
    i, j = len(asked), end
    steps: list[tuple[EditOp, tuple[int, ...], tuple[int, ...]]] = []
    cost = 0.0

    def comes(price: float, from_i: int, from_j: int) -> bool:
        return from_i >= 0 and from_j >= 0 and bool(abs(least[from_i, from_j] + price - least[i, j]) < 1e-4)

    while i > 0:
        price = float(tables.change[i - 1, row, j - 1]) if j > 0 else 0.0
        if j > 0 and comes(price, i - 1, j - 1):
            same = asked[i - 1].plain == said[j - 1].plain
            steps.append(("same" if same else "changed", (i - 1,), (j - 1,)))
            price, i, j = 0.0 if same else price, i - 1, j - 1
        elif i > 1 and j > 1 and _crossed(asked, said, i, j) and comes(_SWAPPED, i - 2, j - 2):
            steps.append(("swapped", (i - 2, i - 1), (j - 2, j - 1)))
            price, i, j = _SWAPPED, i - 2, j - 2
        elif tables.split is not None and j > 1 and comes(float(tables.split[i - 1, row, j - 1]), i - 1, j - 2):
            steps.append(("changed", (i - 1,), (j - 2, j - 1)))
            price, i, j = float(tables.split[i - 1, row, j - 1]), i - 1, j - 2
        elif tables.join is not None and i > 1 and j > 0 and comes(float(tables.join[i - 1, row, j - 1]), i - 2, j - 1):
            steps.append(("changed", (i - 2, i - 1), (j - 1,)))
            price, i, j = float(tables.join[i - 1, row, j - 1]), i - 2, j - 1
        elif comes(price := _LEFT_OUT * float(weights[i - 1]), i - 1, j):
            steps.append(("asked", (i - 1,), ()))
            i -= 1
        else:
            steps.append(("said", (), (j - 1,)))
            price, j = _ADDED, j - 1
        cost += price
    return tuple(reversed(steps)), cost


def _crossed(asked: Sequence[Unit], said: Sequence[Unit], i: int, j: int) -> bool:
    return asked[i - 1].plain == said[j - 2].plain and asked[i - 2].plain == said[j - 1].plain
