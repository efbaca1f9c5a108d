"""How good a hit is, as a plain word that means the same in every index and with every model.

A score says which passage is best, not whether it is any good: something is always nearest. Two things tell the
difference: how near the hit is compared with what the same index gives to queries that have nothing to do with it
(`indexer.stores.calibration`), and how much of what the query's words tell is said there. Only such standardised
quantities count; no raw cosine does, since each model has its own scale. The coefficients are fitted by
benchmarks/grade.py, on first hits. All candidates are graded, and shown in the order of their grades (`order`); among
hundreds some have evidence by chance, so that those behind the best by score need a little more (`BEHIND`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from talksearch.indexer.arrays import Ints
from talksearch.indexer.stores.calibration import FEWEST, Calibration
from talksearch.search.hit import GradeWord, Hit
from talksearch.search.query import Mode
from talksearch.search.ranking.encoded_query import EncodedQuery, query_postings
from talksearch.search.ranking.fusion import Candidate
from talksearch.search.ranking.languages import is_foreign
from talksearch.search.ranking.layout import PassageLayout
from talksearch.search.ranking.passage_table import Mask, PassageTable
from talksearch.search.ranking.postings import only_in_tracks
from talksearch.search.ranking.rank import Ranking
from talksearch.search.ranking.term_weight import QueryPostings

Kind = Literal["both", "meaning", "words"]
"""What evidence there is of a hit: meaning and words, or one of them alone."""

WEAK, STRONG = 0.2, 0.9
"""Probabilities below which a hit is weak, and from which on it is strong. They are for as many queries with an answer
as without; of those that people put to their own archive more have one. Where four of five do, 0.2 are even odds."""

COEFFICIENTS: dict[Kind, tuple[float, ...]] = {
    "both": (-4.641, 0.872, 2.032, 2.655),
    "meaning": (-5.634, 1.470),
    "words": (-4.255, 4.251, 3.284),
}
"""The coefficients of the logistic model for each kind of evidence, in the order of `features`. They were printed by
benchmarks/grade.py --fit."""

ACROSS = (-3.283, 1.255)
"""The same for the meaning of a hit in another language than the query, by a model that was made for several languages.
It puts an answer in another language less near than null queries in English make one expect, so less nearness tells as
much. Fitted as "meaning" is, on the first hits of `nyu_languages` against those of the same queries in four other
sources and those of null queries in twelve languages; then ln 2 was taken off, so that a false alarm weighs twice."""

BEHIND = 0.4
"""What the log-odds of a candidate lose that is clearly behind the best one: more than `_CLEARLY` in score; of nearer
ones they lose a part. Right answers are first hits more often than others, and the model is fitted on first hits."""

_CLEARLY: dict[Mode, float] = {"hybrid": 1.0, "lexical": 3.3}
"""A standard deviation, in the points of a mode's scores: of a lexical one it takes 3.3 nats of idf, as
`ranking.fusion` weighs them. Where only meaning counts, the evidence is the score."""

NOTHING_GOOD = "Nothing in the archive answers this well; these are the nearest passages."

UNGRADED = "Hits have no grade, because what they are graded by is missing. Measure it: talksearch doctor"

VERDICT_HITS = 3
"""How many of the first hits the verdict looks at: nothing good was found where all of them are weak."""

_MOST_LOG_ODDS = 30.0

_OUTGROWN = 2
"""How many times more, or fewer, vectors an index may have than when it was calibrated."""


class Grade(NamedTuple):
    """How good a hit is. A tuple, because a query makes hundreds of them."""

    word: GradeWord
    probability: float
    """That the hit answers, where as many queries have a right first hit as have no answer in the archive."""


Grader = Callable[[Sequence[Candidate], Sequence[int]], list[Grade]]
"""Grades candidates, given the number of the passage that each leads to; the first is the best by score."""

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TermEvidence:
    """What the words of a query tell in an index. Postings are places of passages, rising."""

    postings: Sequence[Ints]
    """The passages that hold each term."""
    weights: Sequence[float]
    """How much each term tells."""
    pairs: Sequence[tuple[float, Ints]]
    """For terms that follow each other in the query: what the less telling one tells, and the passages that say both
    together."""
    max_idf: float
    """What a word tells that a single passage says: about ln(passages)."""
    variant_postings: Sequence[Ints] = ()
    """The passages that hold a term only as captions misheard it, inside a compound, or in a track of their talk."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for a hit. NaN: not known, because no vector or no word was compared."""

    meaning: float
    """Cosine of the hit above that of the nearest passage to unanswered queries, in deviations of a query's cosines."""
    coverage: float
    """The share of the query's idf that is said in the hit or right beside it, 0 to 1."""
    surplus: float
    """The idf of what is said in or beside the hit, that of words side by side counted once more, as a share of
    ln(passages), less 1. Above 0, no passage would hold all that by chance, if words fell independently."""
    by_variant: bool = False
    """Some of that is said only as captions misheard it, where the model sees another word, inside a compound, or in a
    track in another language, of which the model saw nothing."""
    is_foreign: bool = False
    """It is said in another language than the query is in, so that words which are not said tell nothing."""
    knows_languages: bool = False
    """The model that compared them was made to compare texts in different languages."""


@dataclass(frozen=True, slots=True, eq=False)
class EvidenceTable:
    """What speaks for several hits: the fields of `Evidence` as arrays (n,)."""

    meaning: Values
    coverage: Values
    surplus: Values
    by_variant: Mask
    is_foreign: Mask
    knows_languages: bool


def grader(
    ranking: Ranking,
    mode: Mode,
    encoded: EncodedQuery,
    calibration: Calibration | None,
    *,
    knows_languages: bool = False,
) -> Grader | None:
    """Return what grades candidates by what they were found by.

    None where there are too few passages to tell what is usual, and where meaning counts and the index is not
    calibrated, or was when it had another size. A filter makes no hit better: each is compared with what the whole
    index gives.

    Args:
        ranking: The ranking that the candidates come from.
        mode: How it was made.
        encoded: The query.
        calibration: What the index gives to queries that have nothing to do with it; None where that is not known.
        knows_languages: Whether the model was made to compare texts in different languages.
    """
    table = ranking.table
    if table.passage_count < FEWEST or (mode != "lexical" and not (calibration and fits(calibration, table))):
        return None
    words: TermEvidence | None = None
    is_foreign_possible = knows_languages  # and by meaning alone only where the model knows other languages
    if mode != "semantic":
        postings = ranking.postings or query_postings(table, encoded)
        words = term_evidence(postings, variant_postings(table, encoded, postings.terms))
        # Where the talks have all of its words, these tell whatever they tell.
        is_foreign_possible = not all(map(len, postings.terms))
    language = encoded.language() if encoded.language is not None and is_foreign_possible else None

    def grade_candidates(candidates: Sequence[Candidate], numbers: Sequence[int]) -> list[Grade]:
        if not candidates:
            return []
        own = np.array([candidate.number for candidate in candidates], np.int64)
        places = np.column_stack([table.places(own), table.places(np.array(numbers, np.int64))])
        cosines = np.array([candidate.meaning for candidate in candidates], np.float64)  # None is NaN
        behind = candidates[0].score - np.array([candidate.score for candidate in candidates])
        foreign = is_foreign(table, places[:, 0], language)
        odds = log_odds(evidence_table(table.layout, places, words, cosines, calibration, foreign, knows_languages))
        return grades(odds - BEHIND * (behind / _CLEARLY[mode]).clip(0, 1) if mode in _CLEARLY else odds)

    return grade_candidates


def fair_cosine(calibration: Calibration | None) -> float:
    """Return the cosine from which on a passage is not weak by meaning alone; infinite where that is not known.

    No cosine says so for every model: those of some lie between 0 and .8, those of others between .7 and .9.
    """
    if calibration is None:
        return math.inf
    intercept, slope = COEFFICIENTS["meaning"]
    return calibration.cosine + calibration.deviation * (math.log(WEAK / (1 - WEAK)) - intercept) / slope


def ungraded_note(mode: Mode, calibration: Calibration | None, table: PassageTable) -> str:
    """Return a sentence where hits could be graded if only the index were calibrated; else an empty one."""
    if mode == "lexical" or calibration is not None or table.vector_count < FEWEST:
        return ""
    return UNGRADED


def fits(calibration: Calibration, table: PassageTable) -> bool:
    """Say whether an index was calibrated when it was about as large as it is now.

    The usual nearest cosine moves slowly, with about the root of the logarithm of the number of passages.
    """
    passages = table.vector_count
    return calibration.passages <= _OUTGROWN * passages and passages <= _OUTGROWN * calibration.passages


def verdict(hits: Sequence[Hit]) -> str:
    """Return a sentence where no hit is any good; empty where one is, or where that is not known."""
    return NOTHING_GOOD if hits and all(hit.grade == "weak" for hit in hits[:VERDICT_HITS]) else ""


def variant_postings(table: PassageTable, encoded: EncodedQuery, postings: Sequence[Ints]) -> list[Ints]:
    """Return, for each term that has variants, the places of its postings where it stands only as one of them; and for
    each that tracks say in another language, where only they say it.
    """
    in_tracks = [np.sort(table.layout.places(only_in_tracks(table.db, term))) for term in encoded.terms]
    return [
        *(
            np.setdiff1d(places, table.postings(term), assume_unique=True)
            for term, places in zip(encoded.terms, postings, strict=True)
            if term in encoded.variants
        ),
        *(places for places in in_tracks if len(places)),
    ]


def term_evidence(postings: QueryPostings, by_variant: Sequence[Ints] = ()) -> TermEvidence | None:
    """Return what the words of a query tell; None for a query without words.

    A word that nobody says tells the most: it may be all that was asked for.

    Args:
        postings: Where the terms are said, where each is said together with the next one, and how much each tells.
        by_variant: The places where a term stands only as one of its variants (`variant_postings`).
    """
    if not postings.terms:
        return None
    weights = [term.passage for term in postings.weights]
    most = sum(term.most for term in postings.weights) / len(postings.weights)
    pairs = [(min(pair), places) for pair, places in zip(pairwise(weights), postings.cooccurrences, strict=True)]
    return TermEvidence(postings.terms, weights, pairs, most, by_variant)


def evidence(
    layout: PassageLayout,
    places: Sequence[int],
    words: TermEvidence | None,
    cosine: float,
    calibration: Calibration | None,
    *,
    foreign: bool = False,
    knows_languages: bool = False,
) -> Evidence:
    """Return what speaks for a hit, as `evidence_table` does for several.

    Args:
        layout: The layout of all passages.
        places: The places of the hit's passage, and of the note that led there.
        words: What the words of the query tell; None where they do not count.
        cosine: The hit's cosine to the query, NaN where none was compared.
        calibration: What the index gives to queries that have nothing to do with it; None where that is not known.
        foreign: Whether the hit is in another language than the query.
        knows_languages: Whether the model was made to compare texts in different languages.
    """
    table = evidence_table(
        layout,
        np.array([places], np.int64),
        words,
        np.array([cosine]),
        calibration,
        np.array([foreign]),
        knows_languages,
    )
    return _row(table, 0)


def evidence_table(
    layout: PassageLayout,
    places: Ints,
    words: TermEvidence | None,
    cosines: Values,
    calibration: Calibration | None,
    foreign: Mask | None = None,
    knows_languages: bool = False,
) -> EvidenceTable:
    """Return what speaks for hits.

    Args:
        layout: The layout of all passages.
        places: The places of each hit's passage, and of the note that led there (n, places).
        words: What the words of the query tell; None where they do not count.
        cosines: The cosine of each hit to the query, NaN where none was compared (n,).
        calibration: What the index gives to queries that have nothing to do with it; None where that is not known.
        foreign: Which hits are in another language than the query (n,); None where none is.
        knows_languages: Whether the model was made to compare texts in different languages.
    """
    count = len(places)
    foreign = np.zeros(count, bool) if foreign is None else foreign
    coverage, surplus = np.full((2, count), np.nan)
    by_variant = np.zeros(count, bool)
    if words is not None:
        first, last = _neighbourhoods(layout, places)
        alone, together = np.zeros((2, count))
        for weight, held in zip(words.weights, words.postings, strict=True):
            alone[_any_in(held, first, last)] += weight
        for weight, held in words.pairs:
            together[_any_in(held, first, last)] += weight
        coverage = alone / sum(words.weights)
        surplus = (alone + together) / words.max_idf - 1
        for held in words.variant_postings:
            by_variant |= _any_in(held, first, last)
    if calibration is None:
        return EvidenceTable(np.full(count, np.nan), coverage, surplus, np.zeros(count, bool), foreign, knows_languages)
    meaning = (cosines - calibration.cosine) / calibration.deviation
    return EvidenceTable(meaning, coverage, surplus, by_variant & ~np.isnan(meaning), foreign, knows_languages)


def _row(table: EvidenceTable, row: int) -> Evidence:
    """Return what speaks for one of several hits."""
    return Evidence(
        float(table.meaning[row]),
        float(table.coverage[row]),
        float(table.surplus[row]),
        bool(table.by_variant[row]),
        bool(table.is_foreign[row]),
        table.knows_languages,
    )


def grade(evidence: Evidence) -> Grade:
    """Return how good a first hit is."""
    table = EvidenceTable(
        np.array([evidence.meaning]),
        np.array([evidence.coverage]),
        np.array([evidence.surplus]),
        np.array([evidence.by_variant]),
        np.array([evidence.is_foreign]),
        evidence.knows_languages,
    )
    return grades(log_odds(table))[0]


def grades(log_odds: Values) -> list[Grade]:
    """Return the grades that some log-odds stand for."""
    answers = (1 / (1 + np.exp(-log_odds.clip(-_MOST_LOG_ODDS, _MOST_LOG_ODDS)))).tolist()
    return [Grade("strong" if p >= STRONG else "fair" if p >= WEAK else "weak", p) for p in answers]


def log_odds(table: EvidenceTable) -> Values:
    """Return the log-odds that hits answer (n,), each by the kind of evidence that there is of it.

    Of a hit in another language than the query it is meaning that tells, and words only where they say more: a name or
    a technical term is the same in many languages, and none is missed. Where the model knows languages, that meaning is
    weighed by `ACROSS` if this says more.
    """
    both, meaning, words = (
        _weighed(features(table, kind), COEFFICIENTS[kind]) for kind in ("both", "meaning", "words")
    )
    if table.knows_languages:
        across = _weighed(features(table, "meaning"), ACROSS)
        meaning = np.where(table.is_foreign, np.maximum(meaning, across), meaning)
    has_meaning, has_words = ~np.isnan(table.meaning), ~np.isnan(table.coverage)
    both = np.where(table.by_variant, np.maximum(both, words), both)
    both = np.where(table.is_foreign, np.maximum(both, meaning), both)
    by_one = np.where(has_meaning, meaning, np.where(has_words, words, -_MOST_LOG_ODDS))
    odds: Values = np.where(has_meaning & has_words, both, by_one)
    return odds


def probability(evidence: Evidence, kind: Kind, coefficients: Mapping[Kind, Sequence[float]]) -> float:
    """Return the probability that a first hit answers, by one kind of evidence.

    It is that by words alone where this says more and meaning does not know the words, and that by meaning alone where
    this says more and the hit is in another language.
    """
    kinds: list[Kind] = [kind]
    if kind == "both" and evidence.by_variant:
        kinds.append("words")
    if kind == "both" and evidence.is_foreign:
        kinds.append("meaning")
    weights: list[tuple[Kind, Sequence[float]]] = [(kind, coefficients[kind]) for kind in kinds]
    if evidence.is_foreign and evidence.knows_languages and kind != "words":
        weights.append(("meaning", ACROSS))
    odds = max(float(_weighed(features(evidence, kind), numbers)) for kind, numbers in weights)
    return 1 / (1 + math.exp(-max(-_MOST_LOG_ODDS, min(_MOST_LOG_ODDS, odds))))


def kind_of(evidence: Evidence) -> Kind | None:
    """Return what kind of evidence there is; None where there is nothing to go by."""
    has_meaning, has_words = not math.isnan(evidence.meaning), not math.isnan(evidence.coverage)
    return "both" if has_meaning and has_words else "meaning" if has_meaning else "words" if has_words else None


def features(evidence: Evidence | EvidenceTable, kind: Kind) -> list[Any]:
    """Return what the logistic model weighs, 1 for its intercept first. Bounded, so that no single one decides all.

    Of one hit these are numbers, of a table arrays (n,).
    """
    meaning = np.clip(evidence.meaning, -3, 7)
    words = [evidence.coverage, np.clip(evidence.surplus, -1, 2)]
    return [1.0, meaning] if kind == "meaning" else [1.0, meaning, *words] if kind == "both" else [1.0, *words]


def _weighed(values: Sequence[Any], coefficients: Sequence[float]) -> Any:
    return sum(weight * value for weight, value in zip(coefficients, values, strict=True))


def _neighbourhoods(layout: PassageLayout, places: Ints) -> tuple[Ints, Ints]:
    """Return where what is said right before each place begins, and where what is said right after it ends."""
    adjacent = np.concatenate([[False], layout.adjacent, [False]])
    return places - adjacent[places], places + adjacent[places + 1]


def _any_in(postings: Ints, first: Ints, last: Ints) -> npt.NDArray[np.bool_]:
    """Say for which rows any of some rising places lies in any of the stretches (n, stretches)."""
    if not len(postings):
        return np.zeros(len(first), bool)
    positions = postings.searchsorted(first)
    found = postings[np.minimum(positions, len(postings) - 1)]
    inside: npt.NDArray[np.bool_] = (positions < len(postings)) & (found <= last)
    return np.asarray(inside.any(axis=1))
