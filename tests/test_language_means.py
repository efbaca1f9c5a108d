"""What the languages of passages alone have to do with how near they are."""

from __future__ import annotations

import sqlite3

import numpy as np
import pytest

from talksearch.indexer.settings import MULTILINGUAL_MODEL
from talksearch.indexer.stores.vectors import Vectors
from talksearch.search.ranking.language_means import means_of
from talksearch.search.ranking.layout import make_layout
from talksearch.search.ranking.passage_table import PassageTable
from talksearch.search.ranking.similarity import compare

TALKS = np.repeat(np.arange(4), 2)
NOWHERE = np.empty(0, np.int64)


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


@pytest.fixture
def db() -> sqlite3.Connection:
    made = sqlite3.connect(":memory:")
    made.executescript(
        "CREATE TABLE talks (number INTEGER, language TEXT); CREATE TABLE tracks (talk INTEGER, language TEXT);"
        "CREATE TABLE passages (number INTEGER, text TEXT, field TEXT);"
        "INSERT INTO talks VALUES (0, 'en'), (1, 'en-GB'), (2, 'en'), (3, 'de')"
    )
    return made


def table(db: sqlite3.Connection, rows: np.ndarray, model: str = MULTILINGUAL_MODEL) -> PassageTable:
    numbers = np.arange(len(rows))
    layout = make_layout(numbers, TALKS, NOWHERE)
    return PassageTable(layout, numbers, Vectors(lambda: numbers, rows), None, db, model)


def test_languages_have_means_of_their_own_and_unknown_ones_that_of_all() -> None:
    english, german, klingon, tolkien, norwegian, bokmal = means_of(["en-US", "de", "tlh", "qya", "no", "nb"])
    assert english @ english > english @ german
    assert (klingon == tolkien).all()
    assert (norwegian == bokmal).all()


def test_an_answer_in_another_language_is_nearer_than_anything_in_the_askers_own(db: sqlite3.Connection) -> None:
    english, german = means_of(["en", "de"])
    topics = np.random.default_rng(0).normal(size=(4, len(english))) * 0.012  # less than languages are apart
    rows = unit(
        np.array([english + topics[0]] * 2 + [english + topics[1]] * 2 + [english + topics[2]] * 2 + [german] * 2)
    )
    query = unit(german + topics[1])
    plain, righted = compare(table(db, rows, "another"), query), compare(table(db, rows), query)
    assert int(plain.cosines.argmax()) >= 6  # the German talk, which is about something else
    assert int(righted.cosines.argmax()) in (2, 3)
    assert righted.cosines.mean() == pytest.approx(plain.cosines.mean(), abs=1e-6)
    assert righted.exact(np.arange(8)) == pytest.approx(righted.cosines, abs=1e-6)


def test_in_one_language_cosines_are_what_they_are(db: sqlite3.Connection) -> None:
    db.execute("UPDATE talks SET language = 'de'")
    rows = unit(np.random.default_rng(1).normal(size=(8, 384)))
    assert (compare(table(db, rows), rows[3]).cosines == rows @ rows[3]).all()


def test_a_title_in_other_letters_is_near_for_what_it_says_alone(db: sqlite3.Connection) -> None:
    db.execute("UPDATE talks SET language = 'en'")
    english, chinese = means_of(["en", "zh"])
    topics = np.random.default_rng(0).normal(size=(4, len(english))) * 0.012
    rows = unit(np.array([chinese, *(english + topics[at // 2] for at in range(1, 8))]))
    query = unit(chinese + topics[2])
    assert int(compare(table(db, rows), query).cosines.argmax()) == 0
    db.execute("INSERT INTO passages VALUES (0, '慢船與快鐘', 'title')")
    assert int(compare(table(db, rows), query).cosines.argmax()) in (4, 5)
