"""The grade of a hit: calibrated on null queries, and never lowered by what speaks for the hit."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from talksearch.search.grade import (
    COEFFICIENTS,
    NULL_QUERIES,
    Evidence,
    calibrate,
    evidence,
    features,
    grade,
    kind_of,
)
from talksearch.search.postings import make

NOWHERE = np.empty(0, np.int64)
COUNT = 400
LAYOUT = make(np.arange(COUNT), np.arange(COUNT) // 20, NOWHERE)
EMPTY = Evidence(*[math.nan] * 7)


def vectors(count: int, seed: int = 0, dimension: int = 32) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


ROWS, NULLS = vectors(COUNT), vectors(200, 1)
USUAL = calibrate(ROWS, NULLS)


def at(*places: int) -> np.ndarray:
    return np.array(places, np.int64)


def found(query: np.ndarray, said: list[np.ndarray]) -> Evidence:
    cosines = ROWS @ query
    return evidence(LAYOUT, int(cosines.argmax()), said, cosines, USUAL)


def test_there_is_nothing_to_calibrate_on_one_passage_or_without_null_queries() -> None:
    assert calibrate(ROWS[:1], NULLS) is None
    assert calibrate(ROWS, NULLS[:0]) is None


def test_a_null_query_is_usual_and_a_passage_asked_for_itself_is_not() -> None:
    usual = [found(null, []).nearest for null in vectors(200, 2)]
    assert abs(float(np.median(usual))) < 0.4
    assert found(ROWS[7], []).nearest > max(usual)


def test_answered_null_queries_do_not_move_the_spread() -> None:
    answered = NULLS.copy()
    answered[:20] = ROWS[:20]
    calibration = calibrate(ROWS, answered)
    assert USUAL is not None
    assert calibration is not None
    assert calibration.cosine_spread == pytest.approx(USUAL.cosine_spread, rel=0.3)


def test_the_scale_of_a_model_does_not_matter() -> None:
    # Another model whose cosines all lie in a narrow band high up, as those of many models do.
    narrow = np.hstack([0.4 * ROWS, np.full((COUNT, 1), math.sqrt(1 - 0.16), np.float32)]).astype(np.float32)
    asked = np.hstack([0.4 * NULLS, np.full((len(NULLS), 1), math.sqrt(1 - 0.16), np.float32)]).astype(np.float32)
    calibration = calibrate(narrow, asked)
    for query, wide in zip(asked[:9], NULLS[:9], strict=True):
        cosines = narrow @ query
        there = evidence(LAYOUT, int(cosines.argmax()), [], cosines, calibration)
        assert grade(there).probability == pytest.approx(grade(found(wide, [])).probability, abs=0.01)


def test_fewer_passages_are_expected_to_lie_less_near() -> None:
    within = np.arange(COUNT) < 40
    some = []
    for null in vectors(200, 3):
        cosines = ROWS @ null
        first = int(np.where(within, cosines, -2).argmax())
        some.append(evidence(LAYOUT, first, [], cosines, USUAL, within).nearest)
    assert abs(float(np.median(some))) < 0.6


def test_words_are_weighed_by_surprise_and_looked_for_in_the_hit_beside_it_and_in_its_talk() -> None:
    one = evidence(LAYOUT, 5, [at(5), at(6), at(15), at(25)], None, None)
    assert (one.inside, one.around, one.talk) == pytest.approx((0.25, 0.5, 0.75))
    rare, common = at(5), np.arange(0, COUNT, 2)
    assert evidence(LAYOUT, 5, [rare, common], None, None).inside > 0.8
    assert evidence(LAYOUT, 19, [at(20)], None, None).around == 0  # the next talk is not beside
    assert evidence(LAYOUT, 5, [NOWHERE], None, None).talk == 0


def test_passages_without_a_vector_are_passed_over() -> None:
    cosines = ROWS @ ROWS[7]
    cosines[100:] = np.nan
    one = evidence(LAYOUT, 100, [], cosines, USUAL)
    assert one.meaning == one.nearest > 0


def test_what_there_is_to_go_by() -> None:
    assert kind_of(found(ROWS[7], [at(7)])) == "both"
    assert kind_of(found(ROWS[7], [])) == "meaning"
    assert kind_of(evidence(LAYOUT, 7, [at(7)], ROWS @ ROWS[7], None)) == "words"
    assert kind_of(EMPTY) is None
    assert grade(EMPTY).word == "weak"


def test_a_passage_asked_for_itself_is_strong_and_one_common_word_is_not_even_fair() -> None:
    assert grade(found(ROWS[7], [at(7), at(7)])).word == "strong"
    half = np.arange(0, COUNT, 2)
    for null in NULLS:
        assert grade(found(null, [half, NOWHERE])).word == "weak"
    assert grade(evidence(LAYOUT, 0, [half, NOWHERE], None, None)).word == "weak"


def test_nothing_that_speaks_for_a_hit_lowers_its_grade() -> None:
    middle = Evidence(1.0, 1.0, 0.5, 0.5, 0.5, 0.0, 0.0)
    for name in Evidence.__slots__:
        assert grade(replace(middle, **{name: 0.9 + getattr(middle, name)})).probability > grade(middle).probability


def test_there_is_a_coefficient_for_every_feature() -> None:
    for kind, numbers in COEFFICIENTS.items():
        assert len(features(Evidence(1.0, 1.0, 0.5, 0.5, 0.5, 0.0, 0.0), kind)) == len(numbers)


def test_null_queries_are_many_short_and_each_there_once() -> None:
    assert len(NULL_QUERIES) == len(set(NULL_QUERIES)) > 150
    assert all(0 < len(query.split()) < 8 for query in NULL_QUERIES)
    known = ("sourdough", "bicycle", "premier league")  # what the benchmark grades must not be what it is calibrated on
    assert not any(word in query.lower() for query in NULL_QUERIES for word in known)
