"""Ranking by meaning and words together, and the lists of passages that hold a word."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import numpy as np
import pytest

from talksearch.search.ranking.fusion import (
    SIDE_BY_SIDE,
    TALK,
    WORDS_WEIGHT,
    Signals,
    fuse,
    hybrid_scores,
    lexical_scores,
)
from talksearch.search.ranking.layout import PassageLayout, make_layout, read_layout
from talksearch.search.ranking.postings import cooccurrences, idf, postings
from talksearch.search.ranking.similarity import Similarities
from talksearch.search.ranking.term_weight import QueryPostings, term_weight

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
