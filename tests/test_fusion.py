"""Ranking by meaning and words together, and the lists of passages that hold a word."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talksearch.search.ranking.fusion import (
    REACH,
    SIDE_BY_SIDE,
    TALK,
    THROUGHOUT,
    WORDS_WEIGHT,
    AvoidedText,
    Signals,
    contenders,
    exact_scores,
    fuse,
    highest_positions,
    hybrid_scores,
    kth_highest,
    lexical_scores,
    talk_evidence,
    top_k,
    usual_words,
)
from talksearch.search.ranking.layout import PassageLayout, make_layout, read_layout
from talksearch.search.ranking.postings import cooccurrences, idf, postings
from talksearch.search.ranking.similarity import Similarities
from talksearch.search.ranking.term_weight import QueryPostings, TermWeight, term_weight

# Two talks: passages 10 to 13, and 20 to 21.
NOWHERE = np.empty(0, np.int64)
LAYOUT = make_layout(np.array([10, 11, 12, 13, 20, 21]), np.array([0, 0, 0, 0, 1, 1]), NOWHERE)


def known(cosines: Sequence[float]) -> Similarities:
    """Exact cosines, NaN where a passage has no vector."""
    given = np.array(cosines, np.float32)
    mean, deviation = float(np.nanmean(given)), float(np.nanstd(given))
    return Similarities(
        np.where(np.isnan(given), np.float32(mean), given), None, mean, deviation or 1.0, lambda at: given[at]
    )


def places(*at: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(at, np.int64)


def said(
    terms: Sequence[np.ndarray], together: Sequence[np.ndarray] = (), layout: PassageLayout = LAYOUT
) -> QueryPostings:
    return QueryPostings(terms, together, [term_weight(layout, None, places, NOWHERE) for places in terms])


def test_words_that_nobody_says_count_nothing() -> None:
    assert lexical_scores(LAYOUT, said([])).tolist() == [0] * 6
    assert lexical_scores(LAYOUT, said([NOWHERE])).tolist() == [0] * 6


def test_a_word_counts_where_it_is_said_and_up_to_two_passages_away_but_not_in_the_next_talk() -> None:
    score = lexical_scores(LAYOUT, said([places(3)]))
    talk = score[0]
    assert talk > 0  # the talk as a whole speaks of it
    assert (score - talk)[1] == pytest.approx(idf(6, 1))
    assert score[1] == score[2] == score[3]
    assert score[4:].tolist() == [0, 0]


def test_what_the_talk_counts_is_bm25_over_talks() -> None:
    room = 1.2 * (0.25 + 0.75 * 4 / 3)
    expected = TALK * idf(2, 1) * 1 * 2.2 / (1 + room)
    assert lexical_scores(LAYOUT, said([places(3)]))[0] == pytest.approx(expected)


def test_a_rare_word_counts_more_than_a_common_one() -> None:
    rare, common = lexical_scores(LAYOUT, said([places(0)])), lexical_scores(LAYOUT, said([places(0, 1, 2, 3, 4, 5)]))
    assert rare[0] > common[0] > 0


def test_two_words_beat_one() -> None:
    score = lexical_scores(LAYOUT, said([places(0, 3), places(0)]))
    assert score[0] > score[3] > 0


def test_words_said_together_count_more() -> None:
    apart = lexical_scores(LAYOUT, said([places(0, 3), places(0, 3)]))
    together = lexical_scores(LAYOUT, said([places(0, 3), places(0, 3)], [places(3)]))
    assert (together - apart).tolist() == pytest.approx([0, 0, 0, SIDE_BY_SIDE * idf(6, 2), 0, 0])


def test_meaning_counts_in_deviations_and_words_beside_it() -> None:
    cosines = np.array([0.1, 0.3, 0.5, 0.3, 0.1, 0.5])
    words = np.array([0, 0, 0, 0, 8.0, 0])
    signals = Signals(known(cosines), words)
    best, score = fuse(signals, None, 6), hybrid_scores(signals)
    assert score[2] == pytest.approx(0.2 / cosines.std())
    assert score[4] == pytest.approx(-0.2 / cosines.std() + WORDS_WEIGHT * 8)
    assert sorted(best) == list(range(6))
    assert score[best].tolist() == sorted(score, reverse=True)


def test_a_passage_without_a_vector_is_found_by_its_words() -> None:
    signals = Signals(known([0.1, np.nan, 0.3, 0.2, np.nan, 0.2]), np.array([0, 20.0, 0, 0, 0, 0]))
    assert fuse(signals, None, 1).tolist() == [1]
    assert hybrid_scores(signals)[4] == 0


@pytest.mark.parametrize(
    "meaning", [None, Similarities(np.zeros(6), None, 0.0, 1.0, lambda at: np.full(len(at), np.nan))]
)
def test_without_any_vector_words_alone_rank(meaning: Similarities | None) -> None:
    best = fuse(Signals(meaning, np.array([0, 1.0, 3, 2, 0, 0])), None, 3)
    assert best.tolist() == [2, 3, 1]


def test_only_what_the_filters_allow_is_ranked() -> None:
    allowed = np.array([False, True, True, False, False, False])
    signals = Signals(known(np.linspace(1, 0, 6)), np.zeros(6))
    assert fuse(signals, allowed, 5).tolist() == [1, 2]
    assert fuse(signals, np.zeros(6, bool), 5).tolist() == []


def test_equal_scores_keep_the_order_of_the_archive() -> None:
    assert fuse(Signals(known([1.0] * 6), np.zeros(6)), None, 6).tolist() == [0, 1, 2, 3, 4, 5]


def test_an_empty_index_gives_nothing() -> None:
    empty = make_layout(NOWHERE, NOWHERE, NOWHERE)
    assert lexical_scores(empty, said([NOWHERE], layout=empty)).tolist() == []
    assert fuse(Signals(None, np.empty(0)), None, 5).tolist() == []
    assert empty.places(places(1, 2)).tolist() == []


def test_numbers_become_places_and_strangers_are_left_out() -> None:
    mixed = make_layout(np.array([30, 7, 12]), np.array([0, 0, 1]), NOWHERE)
    assert mixed.places(places(7, 8, 12, 30, 99, 1)).tolist() == [1, 2, 0]


def test_what_the_catalog_says() -> None:
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE passages (number INTEGER PRIMARY KEY, talk INTEGER, field TEXT NOT NULL DEFAULT 'speech')")
    db.execute("CREATE INDEX passages_of_talk ON passages (talk)")
    db.execute("CREATE VIRTUAL TABLE words USING fts5(terms)")
    assert read_layout(db).numbers.tolist() == []
    db.executemany("INSERT INTO passages (number, talk) VALUES (?, ?)", [(1, 8), (2, 3), (4, 8), (5, 3)])
    db.executemany(
        "INSERT INTO words (rowid, terms) VALUES (?, ?)",
        [(1, "block size limit"), (2, "size of block"), (4, "block has no such size"), (5, "weight")],
    )
    found = read_layout(db)
    assert (found.numbers.tolist(), found.talks.tolist()) == ([2, 5, 1, 4], [0, 0, 1, 1])
    assert found.places(postings(db, "block")).tolist() == [2, 0, 3]
    assert cooccurrences(db, "block", "size").tolist() == [1, 2]
    assert postings(db, "nothing").tolist() == []


# The words of a query, exactly

SMALL = make_layout(np.array([1, 2, 3, 4, 5, 6, 7]), np.array([0, 0, 0, 0, 0, 1, 1]), np.array([1]))
"""Talks of five passages and of two; the first passage is a note."""


def weighed(*weights: tuple[float, float]) -> list[TermWeight]:
    return [TermWeight(of_passage, of_talk, 9.0) for of_passage, of_talk in weights]


def test_a_word_reaches_two_passages_and_none_across_a_note_or_into_another_talk() -> None:
    def reached(place: int) -> list[float]:
        asked = QueryPostings([places(place)], [], weighed((1, 0)))
        return lexical_scores(SMALL, asked, talk_weight=0).tolist()

    assert reached(0) == [1, 0, 0, 0, 0, 0, 0]
    assert reached(1) == [0, 1, 1, 1, 0, 0, 0]
    assert reached(2) == [0, 1, 1, 1, 1, 0, 0]
    assert reached(4) == [0, 0, 1, 1, 1, 0, 0]
    assert reached(5) == [0, 0, 0, 0, 0, 1, 1]


def test_terms_add_up_and_what_nobody_says_takes_nothing_from_the_others() -> None:
    terms = [places(1), NOWHERE, places(4), places(4)]
    asked = QueryPostings(terms, [NOWHERE, NOWHERE, places(4)], weighed((1, 0), (50, 50), (10, 0), (4, 0)))
    scores = lexical_scores(SMALL, asked, talk_weight=0)
    assert scores.tolist() == [0, 1, 15, 15, 14 + 2 * 4, 0, 0]
    assert scores.dtype == np.float32


def test_a_talk_is_long_or_short_beside_the_mean_that_is_given() -> None:
    """BM25 of the talk: of the layout talks have 3.5 passages in the mean, of the whole store they may have another."""
    asked = QueryPostings([places(5)], [], weighed((0, 3)))
    for told, mean in ((None, 3.5), (2.0, 2.0), (20.0, 20.0)):
        scores = lexical_scores(SMALL, asked, talk_weight=1, mean_talk_size=told)
        expected = 3 * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 2 / mean))
        assert scores.tolist() == pytest.approx([0] * 5 + [expected] * 2)


def test_what_is_said_together_counts_by_the_rarer_of_the_two_that_follow_each_other() -> None:
    terms = [places(0)] * 3
    asked = QueryPostings(terms, [places(5), places(6)], weighed((7, 0), (2, 0), (3, 0)))
    assert lexical_scores(SMALL, asked, talk_weight=0).tolist()[5:] == [2 * 2, 2 * 2]
    more = QueryPostings(terms, [places(5), places(6)], weighed((2, 0), (5, 0), (3, 0)))
    assert lexical_scores(SMALL, more, talk_weight=0).tolist()[5:] == [2 * 2, 2 * 3]


def test_what_talks_count_is_bm25_of_both_terms_by_the_length_of_each_talk() -> None:
    asked = QueryPostings([places(1, 3, 5), places(2)], [NOWHERE], weighed((0, 2), (0, 5)))
    long, short = (1.2 * (0.25 + 0.75 * size / 3.5) for size in (5, 2))
    first = 2 * 2 * 2.2 / (2 + long) + 5 * 2.2 / (1 + long)
    second = 2 * 2.2 / (1 + short)
    expected = [0.5 * first] * 5 + [0.5 * second] * 2
    assert lexical_scores(SMALL, asked).tolist() == pytest.approx(expected)
    assert lexical_scores(SMALL, asked, talk_weight=3).tolist() == pytest.approx([6 * score for score in expected])


# The evidence of whole talks


def test_the_evidence_of_a_talk_is_the_log_of_the_sum_of_its_exponentials() -> None:
    scores = np.array([3.0, 1.0, 2.0, -20.0, 0.5], np.float32)
    first = math.log(1 + math.exp(-2) + math.exp(-1))
    expected = [first] * 3 + [-12.0] + [-2.5]
    assert talk_evidence(np.array([3, 1, 1]), scores).tolist() == pytest.approx(expected, abs=1e-6)
    assert scores.tolist() == [3.0, 1.0, 2.0, -20.0, 0.5]
    assert talk_evidence(places(), np.empty(0, np.float32)).tolist() == []


def test_what_lies_twelve_below_the_best_is_no_evidence_however_often_it_stands() -> None:
    scores = np.array([0.0] + [-12.0] * 1000 + [-11.9] * 100, np.float32)
    evidence = talk_evidence(np.array([1, 1000, 100]), scores)
    assert evidence[1] == pytest.approx(-12.0)
    assert evidence[-1] == pytest.approx(-11.9 + math.log(100), abs=1e-4)


def test_the_weights_are_those_that_were_measured() -> None:
    """docs/quality.md has the figures; whoever changes one measures again."""
    assert (WORDS_WEIGHT, REACH, SIDE_BY_SIDE, TALK, THROUGHOUT) == (0.3, 2, 2.0, 0.5, 0.7)


# Estimated cosines and what is avoided


def estimated(
    exact: npt.NDArray[np.float32], off: npt.NDArray[np.float32], errors: npt.NDArray[np.float32], deviation: float
) -> Similarities:
    """Cosines that are off by some of what their errors allow."""
    return Similarities(exact + off * errors, errors.copy(), 0.125, deviation, lambda at: exact[at])


def test_what_is_avoided_takes_its_share_off_and_never_adds() -> None:
    words = np.array([1.0, 2.0, 3.0], np.float32)
    avoided = AvoidedText(known([0.0, 0.5, 1.0]), np.array([0.0, 0.0, 10.0], np.float32), 0.5)
    signals = Signals(known([0.5, 0.0, 1.0]), words, avoided)
    deviation = np.std([0.0, 0.5, 1.0])
    expected = [0.3, 0.6 - 0.5 / deviation, 0.9 + 0.5 / deviation - 0.5 * (0.5 / deviation + 3.0)]
    assert hybrid_scores(signals).tolist() == pytest.approx(expected, abs=1e-6)
    assert exact_scores(signals, places(2, 0)).tolist() == pytest.approx([expected[2], expected[0]], abs=1e-6)


def test_words_alone_may_be_avoided() -> None:
    signals = Signals(None, np.array([2.0, 2.0]), AvoidedText(None, np.array([4.0, 0.0]), 0.25))
    assert hybrid_scores(signals).tolist() == pytest.approx([0.6 - 0.25 * 1.2, 0.6])
    assert exact_scores(signals, places(0, 1)).tolist() == pytest.approx([0.6 - 0.25 * 1.2, 0.6])
    assert signals.estimates() == []


def test_estimates_have_the_weight_of_a_cosine_in_the_score() -> None:
    rows = np.zeros(2, np.float32)
    own, other = estimated(rows, rows, rows, 0.25), estimated(rows, rows, rows, 0.5)
    words = np.zeros(2, np.float32)
    assert Signals(own, words).estimates() == [(own, 4.0)]
    assert Signals(own, words, AvoidedText(other, words, 0.75)).estimates() == [(own, 4.0), (other, 1.5)]
    assert Signals(known([0, 1]), words, AvoidedText(other, words, 0.75)).estimates() == [(other, 1.5)]
    assert Signals(None, words).estimates() == []


def random_signals(seed: int, count: int, avoided: bool) -> Signals:
    random = np.random.default_rng(seed)

    def some() -> Similarities:
        # Multiples of 1/64: sums are exact, so that the bounds of the oracle are too.
        exact = (random.integers(-32, 33, count) / 64).astype(np.float32)
        errors = (random.integers(1, 9, count) / 64).astype(np.float32)
        return estimated(exact, random.integers(-1, 2, count).astype(np.float32), errors, 0.25)

    words = np.zeros(count, np.float32)
    return Signals(some(), words, AvoidedText(some(), words, 0.5) if avoided else None)


@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(1, 40), st.booleans(), st.booleans())
@settings(deadline=None)
def test_what_is_compared_exactly_is_what_may_be_among_the_best_and_nothing_else(
    seed: int, wanted: int, count: int, avoid: bool, filtered: bool
) -> None:
    """Contenders: "left out only where even the highest score that they may have is too low"."""
    signals = random_signals(seed, count, avoid)
    allowed = np.random.default_rng(seed).random(count) < 0.7 if filtered else None
    scores = hybrid_scores(signals)
    bounds = 4 * signals.meaning.errors + (2 * signals.avoided.meaning.errors if avoid else 0)
    open_to = np.flatnonzero(allowed) if allowed is not None else np.arange(count)
    expected = open_to
    if len(open_to) > wanted:
        least = np.sort((scores - bounds)[open_to])[-wanted]
        expected = open_to[(scores + bounds)[open_to] >= least]
    found = contenders(scores, signals, allowed, wanted)
    assert found.tolist() == expected.tolist()
    best = fuse(signals, allowed, wanted)
    exact = dict(zip(open_to.tolist(), exact_scores(signals, open_to).tolist(), strict=True))
    assert best.tolist() == sorted(exact, key=lambda at: (-exact[at], at))[:wanted]


def test_a_passage_that_may_just_reach_the_best_is_compared_and_one_that_just_may_not_is_left_out() -> None:
    cosines, errors = np.array([0.5, 0.25, 0.125], np.float32), np.full(3, 0.125, np.float32)
    signals = Signals(estimated(cosines, np.zeros(3, np.float32), errors, 1.0), np.zeros(3, np.float32))
    assert contenders(hybrid_scores(signals), signals, None, 1).tolist() == [0, 1]
    wide = Signals(estimated(cosines, np.zeros(3, np.float32), errors, 0.0625), np.zeros(3, np.float32))
    assert contenders(hybrid_scores(wide), wide, None, 1).tolist() == [0, 1]


@pytest.mark.parametrize("size", [0, 1, 5, 200, 5_000, 9_000, 40_000])
@pytest.mark.parametrize("kinds", [3, 10**9])
def test_the_best_by_partition_are_the_best_by_sorting(size: int, kinds: int) -> None:
    random = np.random.default_rng(size + kinds)
    values = random.integers(0, kinds, size).astype(np.float64)
    by_rank = sorted(range(size), key=lambda at: (-values[at], at))
    for count in (1, 2, 5, 100, 3_000):
        assert top_k(values, count).tolist() == by_rank[:count]
        if size <= count:
            assert highest_positions(values, count).tolist() == list(range(size))
        else:
            assert kth_highest(values, count) == values[by_rank[count - 1]]
            assert (
                highest_positions(values, count).tolist()
                == np.flatnonzero(values >= values[by_rank[count - 1]]).tolist()
            )


def test_the_best_are_found_where_a_sample_of_all_misses_them() -> None:
    """Every tenth value is low, and those are all that the sample sees; or all that is high is what it sees."""
    values = np.arange(50_000.0)
    values[:: 50_000 // 4_096] = -1
    assert kth_highest(values, 50) == np.sort(values)[-50]
    assert kth_highest(-values, 50) == np.sort(-values)[-50]
    few = np.zeros(50_000)
    few[:: 50_000 // 4_096] = np.arange(1, 4168)
    assert kth_highest(few, 3_000) == np.sort(few)[-3_000]
    assert kth_highest(few, 75) == np.sort(few)[-75]  # as many lie above what the sample says as are wanted


def test_a_passage_may_be_added_to_a_query_without_another_losing_by_it() -> None:
    """Scores do not depend on each other: more evidence for one passage never makes it worse, nor another better."""
    words = np.zeros(6, np.float32)
    more = words.copy()
    more[3] = 5
    rise = hybrid_scores(Signals(known(np.linspace(1, 0, 6)), more)) - hybrid_scores(
        Signals(known(np.linspace(1, 0, 6)), words)
    )
    assert rise.tolist() == pytest.approx([0, 0, 0, WORDS_WEIGHT * 5, 0, 0])


def test_what_words_usually_give_is_the_sum_over_terms_that_stand_by_chance() -> None:
    rare = TermWeight(math.log(50), math.log(4), 0.0)  # in 2 % of the passages and a quarter of the talks
    often = TermWeight(math.log(2), math.log(2), 0.0)
    # 0.8 passages of such a talk hold the rare one, 10 the other; it counts in the two passages around as well.
    given = [
        (math.log(50), 1 - 0.98**5),
        (0.5 * math.log(4) * 0.8 * 2.2 / (0.8 + 1.2), 0.25),
        (math.log(2), 1 - 0.5**5),
        (0.5 * math.log(2) * 10 * 2.2 / (10 + 1.2), 0.5),
    ]
    mean = sum(score * share for score, share in given)
    variance = sum(score**2 * share * (1 - share) for score, share in given)
    assert usual_words(QueryPostings([], [], [rare, often]), 0.5, 10.0) == pytest.approx((mean, variance))
    assert usual_words(QueryPostings([], [], []), 0.5, 10.0) == (0.0, 0.0)
