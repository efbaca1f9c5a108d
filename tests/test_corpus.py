"""Statistics of a whole store: those of its parts add up, and ranking by them is ranking by all passages."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from zlib import compress

import numpy as np
import pytest
from embedded_engine import EmbeddedEngine
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import make_index

from talksearch.indexer.errors import StoreError
from talksearch.indexer.settings import MULTILINGUAL_MODEL
from talksearch.indexer.stores.calibration import Calibration, NullCosines, calibrate, file_of, grown
from talksearch.indexer.stores.remote.engine import Corpus, LanguageCount, TermCount
from talksearch.indexer.stores.remote.store_statistics import add_up, pack_corpus, unpack_corpus, unpack_terms
from talksearch.indexer.stores.vectors import Vectors
from talksearch.search.ranking import vocabulary
from talksearch.search.ranking.corpus import CorpusStatistics, TermHolding, statistics_of
from talksearch.search.ranking.fusion import REACH, TALK, lexical_scores, usual_words
from talksearch.search.ranking.layout import make_layout
from talksearch.search.ranking.lexical import bm25_search
from talksearch.search.ranking.lexical_in_store import bm25_in_store
from talksearch.search.ranking.passage_table import PassageTable
from talksearch.search.ranking.postings import idf
from talksearch.search.ranking.similarity import compare
from talksearch.search.ranking.term_weight import LanguageGroups, QueryPostings, term_weight
from talksearch.search.reader import open_reader

NOWHERE = np.empty(0, np.int64)
PASSAGES = st.lists(
    st.tuples(
        st.integers(0, 4),  # the talk
        st.lists(st.floats(-1, 1, width=32), min_size=3, max_size=3),
        st.sets(st.sampled_from(["bee", "ship", "rain"])),
    ),
    min_size=1,
    max_size=40,
)
"""Passages: the talk of each, what its vector is made of, and its terms."""

LANGUAGES = ("en", "en", "de", "", "en")
"""The languages of the talks that passages are of."""


def language_counts(passages: list[tuple[int, list[float], set[str]]]) -> tuple[LanguageCount, ...]:
    return tuple(
        LanguageCount(
            language,
            len({talk for talk, *_ in passages if LANGUAGES[talk] == language}),
            sum(LANGUAGES[talk] == language for talk, *_ in passages),
        )
        for language in sorted({LANGUAGES[talk] for talk, *_ in passages})
    )


def vectors_of(passages: list[tuple[int, list[float], set[str]]]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    rows = np.array([vector for _, vector, _ in passages], np.float64).reshape(-1, 3) + 0.01
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def corpus_of(passages: list[tuple[int, list[float], set[str]]]) -> Corpus:
    rows = vectors_of(passages)
    return Corpus(language_counts(passages), len(rows), rows.sum(axis=0), rows.T @ rows)


def counts_of(passages: list[tuple[int, list[float], set[str]]], term: str) -> list[TermCount]:
    holding = [(talk, *rest) for talk, *rest in passages if term in rest[1]]
    return [TermCount(term, *count) for count in ((c.language, c.passages, c.talks) for c in language_counts(holding))]


@settings(deadline=None, max_examples=40)
@given(PASSAGES, st.integers(1, 4))
def test_the_statistics_of_parts_add_up_to_those_of_the_whole(
    passages: list[tuple[int, list[float], set[str]]], count: int
) -> None:
    """However talks are shared out to writers, mean and deviation of cosines and the weights of terms are the same."""
    parts = [[passage for passage in passages if passage[0] % count == part] for part in range(count)]
    parts = [part for part in parts if part]

    def count_term(term: str) -> list[TermCount]:
        return [one for part in parts for one in counts_of(part, term)]

    whole = statistics_of(corpus_of(passages), lambda term: counts_of(passages, term))
    added = statistics_of(add_up([corpus_of(part) for part in parts]), count_term)
    assert (added.passages, added.talks, added.vectors) == (whole.passages, whole.talks, whole.vectors)
    vector = np.array([0.6, 0.8, 0.0], np.float32)
    assert added.moments(vector) == pytest.approx(whole.moments(vector), abs=1e-6)
    for term in ("bee", "ship", "rain", "nobody"):
        assert added.term_weight(added.holding([term])) == pytest.approx(whole.term_weight(whole.holding([term])))


@settings(deadline=None, max_examples=40)
@given(PASSAGES)
def test_the_moments_are_those_of_the_cosines_of_all_passages(
    passages: list[tuple[int, list[float], set[str]]],
) -> None:
    vector = np.array([0.6, 0.8, 0.0], np.float32)
    cosines = vectors_of(passages) @ vector.astype(np.float64)
    mean, deviation = statistics_of(corpus_of(passages), lambda _: []).moments(vector)
    assert mean == pytest.approx(cosines.mean(), abs=1e-6)
    if cosines.std() > 1e-3:
        assert deviation == pytest.approx(cosines.std(), abs=1e-5)


@settings(deadline=None, max_examples=40)
@given(PASSAGES)
def test_a_term_tells_what_it_tells_where_all_passages_are_there(
    passages: list[tuple[int, list[float], set[str]]],
) -> None:
    """By the counts of a store as by the postings of a table, in one language and in several."""
    passages = sorted(passages, key=lambda passage: passage[0])
    numbers, talks = np.unique([talk for talk, *_ in passages], return_inverse=True)
    layout = make_layout(np.arange(len(passages)), talks.astype(np.int64), NOWHERE)
    statistics = statistics_of(corpus_of(passages), lambda term: counts_of(passages, term))
    usual = next(iter(statistics.languages))
    codes = [LANGUAGES[number] or usual for number in numbers]
    known = sorted(set(codes))
    groups = LanguageGroups(np.array([known.index(code) for code in codes]), tuple(known), ())
    for term in ("bee", "ship", "rain"):
        places = np.array([at for at, (*_, said) in enumerate(passages) if term in said], np.int64)
        told = term_weight(layout, groups if len(known) > 1 else None, places, NOWHERE)
        assert statistics.term_weight(statistics.holding([term])) == pytest.approx(told)


def of_one_language(passages: int, talks: int, counts: dict[str, tuple[int, int]] | None = None) -> CorpusStatistics:
    def count_term(term: str) -> Iterable[TermCount]:
        return [TermCount(term, "en", *counts[term])] if counts and term in counts else []

    corpus = Corpus((LanguageCount("en", talks, passages),), 0, np.zeros(3), np.zeros((3, 3)))
    return statistics_of(corpus, count_term)


def test_a_term_with_variants_counts_each_passage_once() -> None:
    whole = of_one_language(1_000, 50, {"grosse": (30, 5), "größe": (10, 5)})
    assert whole.holding(["grosse", "größe"], 0.75) == {"en": TermHolding(30.0, 7.5)}
    assert whole.holding(["grosse", "größe"], 100.0) == {"en": TermHolding(1_000, 50)}  # never more than there are


def test_terms_in_a_row_count_as_often_as_the_passages_at_hand_say_them(tmp_path: Path) -> None:
    whole = of_one_language(1_000, 50, {"everi": (400, 9)})
    with open_reader(make_index(tmp_path)) as reader:
        plain = reader.table()
        table = PassageTable(plain.layout, plain.vector_rows, plain.vectors, None, reader.db, corpus=whole)
        places = table.postings("every bee")
        assert table.term_weight("nobody", places, ("every bee",)).passage == idf(1_000, len(places))
        both = table.term_weight("everi", table.postings("everi"), ("bee knows",))
        assert both.passage == idf(1_000, 400)  # the passages that say it in a row say it alone as well


def test_a_term_of_no_known_language_counts_in_the_commonest() -> None:
    corpus = Corpus(
        (LanguageCount("de", 2, 20), LanguageCount("en", 9, 90), LanguageCount("", 1, 10)),
        0,
        np.zeros(3),
        np.zeros((3, 3)),
    )
    whole = statistics_of(corpus, lambda term: [TermCount(term, "", 4, 1), TermCount(term, "en", 6, 2)])
    assert whole.languages["en"] == LanguageCount("en", 10, 100)
    assert whole.holding(["bee"]) == {"en": TermHolding(10.0, 3.0)}


def test_without_vectors_no_cosine_is_usual() -> None:
    assert of_one_language(10, 2).moments(np.ones(3, np.float32)) == (0.0, 1.0)


def test_the_usual_score_of_words_is_about_that_of_passages_which_say_them_by_chance() -> None:
    """1,000 talks of 50 passages, in which three terms stand anywhere."""
    random = np.random.default_rng(5)
    layout = make_layout(np.arange(50_000), np.repeat(np.arange(1_000), 50), NOWHERE)
    terms = [np.sort(random.choice(50_000, count, replace=False)) for count in (50, 500, 2_500)]
    postings = QueryPostings(terms, [NOWHERE] * 2, [term_weight(layout, None, places, NOWHERE) for places in terms])
    scores = lexical_scores(layout, postings)
    mean, variance = usual_words(postings, TALK, 50.0)
    assert mean == pytest.approx(float(scores.mean()), rel=0.25)
    assert variance**0.5 == pytest.approx(float(scores.std()), rel=0.25)
    assert REACH == 2


def test_bm25_in_a_store_is_that_of_sqlite_where_all_passages_are_there(tmp_path: Path) -> None:
    with open_reader(make_index(tmp_path)) as reader:
        plain = reader.table()
        held = {term: len(plain.postings(term)) for term in ("bee", "rain", "ship", "bridge")}
        whole = of_one_language(len(plain.vector_rows), 3, {term: (count, 1) for term, count in held.items()})
        table = PassageTable(plain.layout, plain.vector_rows, plain.vectors, None, reader.db, corpus=whole)
        for wanted in (["bee"], ["rain", "bee"], ["bridge", "ship", "stone in"], []):
            expected = bm25_search(reader.db, wanted, None, 10)
            found = bm25_in_store(table, whole, wanted, None, 10)
            assert [number for number, _ in found] == [number for number, _ in expected]
            assert [score for _, score in found] == pytest.approx([score for _, score in expected], rel=0.05, abs=1e-5)
        assert bm25_in_store(table, whole, ["bee"], NOWHERE, 10) == []


def test_a_connection_that_holds_some_talks_knows_the_terms_of_all(tmp_path: Path) -> None:
    counts = tmp_path / "whole.sqlite3"
    with closing(sqlite3.connect(counts)) as db, db:
        db.execute("CREATE TABLE vocabulary (term TEXT PRIMARY KEY, doc INTEGER) WITHOUT ROWID")
        db.execute("CREATE TABLE terms (term TEXT, language TEXT, passages INTEGER, talks INTEGER)")
        db.executemany("INSERT INTO vocabulary VALUES (?, ?)", [("lagerfeuer", 7), ("elsewher", 2)])
        db.executemany("INSERT INTO terms VALUES (?, ?, ?, 1)", [("lagerfeuer", "de", 6), ("lagerfeuer", "en", 1)])
    with open_reader(make_index(tmp_path)) as reader, closing(sqlite3.connect("file::memory:", uri=True)) as held:
        held.executescript("CREATE VIRTUAL TABLE words USING fts5(terms)")
        held.execute("INSERT INTO words VALUES ('the ship')")
        vocabulary.let_stand_for(held, counts)
        assert vocabulary.stands_for_store(held)
        assert not vocabulary.stands_for_store(reader.db)
        assert vocabulary.is_said(held, "elsewher")  # as no passage here says
        assert vocabulary.is_said(held, "the ship")
        assert not vocabulary.is_said(held, "elsewher lagerfeuer")  # in a row, nobody knows
        assert vocabulary.said_among(held, ["ship", "lagerfeuer"]) == ["lagerfeuer"]
        assert vocabulary.beginning_with(held, "lager") == ["lagerfeuer"]
        assert vocabulary.languages_saying(held, "lagerfeuer") == {"de": 6, "en": 1}
        assert vocabulary.vocabulary_state(held) == (str(counts),)


def test_the_vocabulary_of_an_index_is_its_own(tmp_path: Path) -> None:
    version = EmbeddedEngine(make_index(tmp_path)).open()
    counts = {count.term: count for count in version.term_counts()}
    with open_reader(tmp_path / "index") as reader:
        assert set(counts) == set(vocabulary.between(reader.db, "", "\U0010ffff"))
        table = reader.table()
        assert counts["bee"].passages == len(table.postings("bee"))
        assert idf(len(table.vector_rows), counts["bee"].passages) == pytest.approx(table.term_weights(["bee"])["bee"])


def test_the_calibration_of_a_part_grows_with_the_whole() -> None:
    part = Calibration(0.25, 0.06, 5_000)
    assert grown(part, 5_000) == part
    assert grown(part, 4_000) == part  # what was dropped since says nothing
    larger = grown(part, 50_000)
    assert (larger.passages, larger.deviation) == (50_000, 0.06)
    assert 0.25 < larger.cosine < grown(part, 500_000).cosine < 0.5


def part_of(rows: np.ndarray, nulls: np.ndarray, queries: str | None = "these") -> Corpus:
    exact, of = rows.astype(np.float64), nulls.astype(np.float64)
    cosines = exact @ of.T
    known = (
        NullCosines(queries, cosines.max(axis=0), cosines.sum(axis=0), (cosines**2).sum(axis=0)) if queries else None
    )
    return Corpus((LanguageCount("en", 1, len(rows)),), len(rows), exact.sum(axis=0), exact.T @ exact, known)


def test_what_is_near_without_an_answer_is_told_of_all_writers_as_of_one_index() -> None:
    draw = np.random.default_rng(5)
    rows, nulls = (draw.normal(size=(count, 16)).astype(np.float32) for count in (700, 40))
    rows, nulls = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (rows, nulls))
    parts = [part_of(rows[:60], nulls), part_of(rows[60:660], nulls), part_of(rows[660:], nulls)]
    whole = add_up([unpack_corpus(pack_corpus(part)) for part in parts])
    assert whole.nulls is not None
    expected = calibrate([rows], nulls)
    assert expected is not None
    told = json.loads(file_of(whole.nulls, whole.vectors))
    assert told["cosine"] == pytest.approx(expected.cosine, abs=1e-6)
    assert told["deviation"] == pytest.approx(expected.deviation, abs=1e-6)
    assert (told["passages"], told["nulls"]) == (700, "these")


def test_null_cosines_of_other_queries_or_of_an_earlier_version_are_not_put_together() -> None:
    rows = np.eye(60, dtype=np.float32)
    known, other, without = (part_of(rows, rows[:4], queries) for queries in ("these", "others", None))
    assert add_up([known, other]).nulls is None
    assert add_up([known, without]).nulls is None
    assert add_up([without]).nulls is None
    assert unpack_corpus(pack_corpus(without)).nulls is None
    assert add_up([known, part_of(rows[:3], rows[:4], None)]).nulls is not None, "a few passages say nothing"
    with pytest.raises(StoreError):
        unpack_corpus(pack_corpus(known)[:-8])


@pytest.mark.parametrize(
    "head", ['["9", 2, []]', "[9, 2.0, []]", '[9, 2, [["en", "3", 9]]]', "[9, 2, [7]]", "[" * 99_999]
)
def test_statistics_of_other_kinds_are_damaged(head: str) -> None:
    with pytest.raises(StoreError, match="Something in the store is damaged"):
        unpack_corpus(len(head).to_bytes(4, "little") + head.encode() + bytes(8 * 6))
    for terms in ("[7]", '[["bee", "en", [], 1]]', '[["bee", "en", 1]]', '{"bee": 1}'):
        with pytest.raises(StoreError, match="Something in the store is damaged"):
            list(unpack_terms(compress(terms.encode())))


def test_what_languages_have_to_do_with_nearness_is_told_of_the_whole_store() -> None:
    """A table that holds only the English talks rights its cosines as one that holds the German one too."""
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript(
            "CREATE TABLE talks (number INTEGER, language TEXT);"
            "CREATE TABLE passages (number INTEGER, text TEXT, field TEXT);"
            "INSERT INTO talks VALUES (0, 'en'), (1, 'en-GB'), (2, 'de')"
        )
        rows = np.random.default_rng(3).normal(size=(6, 384)).astype(np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        exact = rows.astype(np.float64)
        corpus = Corpus((LanguageCount("en", 2, 4), LanguageCount("de", 1, 2)), 6, exact.sum(axis=0), exact.T @ exact)

        def table(count: int, whole: CorpusStatistics | None) -> PassageTable:
            numbers = np.arange(count)
            layout = make_layout(numbers, np.repeat(np.arange(count // 2), 2), NOWHERE)
            held = Vectors(lambda: numbers, rows[:count])
            return PassageTable(layout, numbers, held, None, db, MULTILINGUAL_MODEL, whole)

        every = compare(table(6, None), rows[0])
        some = compare(table(4, statistics_of(corpus, lambda _: [])), rows[0])
        assert some.cosines == pytest.approx(every.cosines[:4], abs=1e-5)
        assert some.mean == pytest.approx(every.mean, abs=1e-5)
        assert some.exact(np.arange(4)) == pytest.approx(some.cosines, abs=1e-6)
        alone = statistics_of(replace(corpus, languages=(LanguageCount("en", 2, 4),)), lambda _: [])
        assert compare(table(4, alone), rows[0]).cosines == pytest.approx(rows[:4] @ rows[0], abs=1e-6)
