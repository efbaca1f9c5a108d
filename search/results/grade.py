"""How good a hit is, as a plain word that means the same in every index and with every model.

A score says which passage is best, not whether it is any good: something is always nearest. What tells the two apart is
how near the hit is compared with what the same index gives to queries that have nothing to do with it
(`indexer.stores.calibration`), and how much of what the query's words tell is said there. Only such standardised
quantities count; no raw cosine does, since each model has its own scale. The coefficients are fitted by
benchmarks/grade.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from talksearch.indexer.arrays import Ints
from talksearch.indexer.stores.calibration import FEWEST, Calibration
from talksearch.search.hit import GradeWord, Hit
from talksearch.search.query import Mode
from talksearch.search.ranking.fusion import Candidate
from talksearch.search.ranking.layout import PassageLayout
from talksearch.search.ranking.passage_table import PassageTable
from talksearch.search.ranking.postings import idf
from talksearch.search.ranking.rank import EncodedQuery, Ranking, where_said

WEAK, STRONG = 0.2, 0.9
"""Probabilities below which a hit is weak, and from which on it is strong. They are for as many queries with an answer
as without; of those that people put to their own archive more have one. Where four of five do, 0.2 are even odds."""

NOTHING_GOOD = "Nothing in the archive answers this well; these are the nearest passages."

UNGRADED = "Hits have no grade, because what they are graded by is missing or damaged. Measure it: talksearch doctor"

LOOKED_AT = 3
"""Hits of which at least one must be better than weak, or else nothing good was found."""


@dataclass(frozen=True, slots=True)
class Grade:
    """How good a hit is."""

    word: GradeWord
    probability: float
    """That the hit answers, where as many queries have a right first hit as have no answer in the archive."""


@dataclass(frozen=True, slots=True)
class TermEvidence:
    """What the words of a query tell in an index."""

    said: Sequence[Ints]
    """The places of the passages that hold each term, rising."""
    weight: Sequence[float]
    """The surprise of each term."""
    pairs: Sequence[tuple[float, Ints]]
    """For terms that follow each other: the surprise of the less rare one, and the places where both stand together."""
    usual: float
    """The surprise of a word that a single passage says: ln(passages)."""
    otherwise: Sequence[Ints] = ()
    """The places of the passages that hold a term only as captions misheard it, or inside a compound, rising."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for a hit. NaN: not known, because no vector or no word was compared."""

    meaning: float
    """Cosine of the hit above that of the nearest passage to unanswered queries, in deviations of a query's cosines."""
    around: float
    """Share of the query's surprise that is said in the hit or right beside it, 0 to 1."""
    chance: float
    """Surprise said in or beside the hit, that of words side by side counted once more, as a share of ln(passages),
    less 1: above 0, no passage would hold by chance all that this one does, if words fell independently."""
    otherwise: bool = False
    """Some of that is said only as captions misheard it, where the model sees another word, or inside a compound."""


def grader(
    ranking: Ranking, mode: Mode, asked: EncodedQuery, calibration: Calibration | None
) -> Callable[[Candidate, int], Grade] | None:
    """Return what grades a candidate that led to the passage with a number, by what it was found by.

    None where there are too few passages to tell what is usual, and where meaning counts and the index is not
    calibrated, or was when it was another altogether. A filter makes no hit better: each is held against what the whole
    index gives.
    """
    table = ranking.table()
    if len(table.rows) < FEWEST or (mode != "lexical" and not (calibration and fits(calibration, table))):
        return None
    said = None if mode == "semantic" else ranking.said or where_said(table, asked)
    words = term_evidence(table.layout, *said, said_otherwise(table, asked, said[0])) if said else None

    def graded(candidate: Candidate, number: int) -> Grade:
        meaning = math.nan if candidate.meaning is None else candidate.meaning
        places = [table.place(candidate.number), table.place(number)]
        return grade(evidence(table.layout, places, words, meaning, calibration))

    return graded


def lacking(mode: Mode, calibration: Calibration | None, table: PassageTable) -> str:
    """Return a sentence where hits could be graded if only the index were calibrated; else an empty one."""
    if mode == "lexical" or calibration is not None or np.count_nonzero(table.rows >= 0) < FEWEST:
        return ""
    return UNGRADED


def fits(calibration: Calibration, table: PassageTable) -> bool:
    """Say whether an index was calibrated when it was about as large as it is now.

    The usual nearest cosine moves slowly, with about the root of the logarithm of the number of passages.
    """
    now = int(np.count_nonzero(table.rows >= 0))
    return calibration.passages <= _OUTGROWN * now and now <= _OUTGROWN * calibration.passages


_OUTGROWN = 2


def verdict(hits: Sequence[Hit]) -> str:
    """Return a sentence where no hit is any good; empty where one is, or where that is not known."""
    return NOTHING_GOOD if hits and all(hit.grade == "weak" for hit in hits[:LOOKED_AT]) else ""


def said_otherwise(table: PassageTable, asked: EncodedQuery, said: Sequence[Ints]) -> list[Ints]:
    """Return, of the places where each term is `said`, those where it does not stand as it was asked for."""
    return [
        np.setdiff1d(places, table.postings(term), assume_unique=True)
        for term, places in zip(asked.terms, said, strict=True)
        if term in asked.variants
    ]


def term_evidence(
    layout: PassageLayout, said: Sequence[Ints], together: Sequence[Ints], otherwise: Sequence[Ints] = ()
) -> TermEvidence | None:
    """Return what words tell that stand at some places, and together with the next one at others; None without words.

    A word that nobody says tells the most: it may be all that was asked for.
    """
    if not said:
        return None
    count = len(layout.numbers)
    worth = [idf(count, len(places)) for places in said]
    pairs = [(min(both), places) for both, places in zip(pairwise(worth), together, strict=True)]
    return TermEvidence(said, worth, pairs, math.log(count + 1), otherwise)


def evidence(
    layout: PassageLayout,
    places: Sequence[int],
    words: TermEvidence | None,
    meaning: float,
    calibration: Calibration | None,
) -> Evidence:
    """Return what speaks for a hit at some places of the layout: its passage, and the note that led there.

    `meaning` is its cosine, NaN where none was compared.
    """
    around = chance = math.nan
    otherwise = False
    if words is not None:
        near = _beside(layout, set(places))
        here = sum(worth for worth, held in zip(words.weight, words.said, strict=True) if _any(held, near))
        linked = sum(worth for worth, held in words.pairs if _any(held, near))
        around = here / sum(words.weight)
        chance = (here + linked) / words.usual - 1
        otherwise = any(_any(held, near) for held in words.otherwise)
    if calibration is None or math.isnan(meaning):
        return Evidence(math.nan, around, chance)
    return Evidence((meaning - calibration.cosine) / calibration.deviation, around, chance, otherwise)


def grade(found: Evidence) -> Grade:
    """Return how good a hit is."""
    kind = kind_of(found)
    if kind is None:
        return Grade("weak", 0.0)
    chance = probability(found, kind, COEFFICIENTS)
    return Grade("strong" if chance >= STRONG else "fair" if chance >= WEAK else "weak", chance)


def probability(found: Evidence, kind: Kind, coefficients: Mapping[Kind, Sequence[float]]) -> float:
    """Return the probability that a hit answers, by one kind of evidence; by words alone where that says more and
    meaning does not know these words.
    """
    kinds: tuple[Kind, ...] = ("both", "words") if kind == "both" and found.otherwise else (kind,)
    odds = max(
        sum(one * other for one, other in zip(coefficients[kind], features(found, kind), strict=True)) for kind in kinds
    )
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))


Kind = Literal["both", "meaning", "words"]


def kind_of(found: Evidence) -> Kind | None:
    """Return what there is to go by; None where there is nothing."""
    meant, told = not math.isnan(found.meaning), not math.isnan(found.around)
    return "both" if meant and told else "meaning" if meant else "words" if told else None


def features(found: Evidence, kind: Kind) -> list[float]:
    """Return what the logistic model weighs, 1 for its intercept first. Bounded, so that no single one decides all."""
    meant, said = _bounded(found.meaning, -3, 7), [found.around, _bounded(found.chance, -1, 2)]
    return [1.0, meant] if kind == "meaning" else [1.0, meant, *said] if kind == "both" else [1.0, *said]


COEFFICIENTS: dict[Kind, tuple[float, ...]] = {
    "both": (-4.641, 0.872, 2.032, 2.655),
    "meaning": (-5.634, 1.470),
    "words": (-4.255, 4.251, 3.284),
}
"""Printed by benchmarks/grade.py --fit."""


def _beside(layout: PassageLayout, places: Iterable[int]) -> list[tuple[int, int]]:
    """Return stretches from what is said right before each place to what is said right after it, as (first, last)."""
    beside = layout.beside
    return [(at - int(at > 0 and beside[at - 1]), at + int(at < len(beside) and beside[at])) for at in places]


def _any(held: Ints, near: Sequence[tuple[int, int]]) -> bool:
    """Say whether any of some rising places lies in any of the stretches."""
    for first, last in near:
        at = int(held.searchsorted(first))
        if at < len(held) and held[at] <= last:
            return True
    return False


def _bounded(value: float, least: float, most: float) -> float:
    return max(least, min(most, value))
