"""The shared cases of words, letters and filters, as their README says what is right."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import SHARED
from fakes import CountingEncoder

from talksearch.indexer.pipeline import run
from talksearch.search import engine
from talksearch.search.answer import Answer
from talksearch.search.query import Filters, Query
from talksearch.search.reader import IndexReader, open_reader

pytestmark = pytest.mark.realdata

CASES = SHARED / "cases"


def opened(folder: Path, case: str) -> IndexReader:
    run.build_index(folder, [CASES / case], encoder=CountingEncoder())
    return open_reader(folder, encoder=CountingEncoder())


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> IndexReader:
    return opened(tmp_path_factory.mktemp("words") / "index", "search-words")


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> IndexReader:
    return opened(tmp_path_factory.mktemp("voices") / "index", "filter-accents")


def ask(index: IndexReader, text: str, **filters: str) -> Answer:
    return engine.search(index, Query(text, mode="lexical", filters=Filters(**filters)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("église", "église"),
        ("eau", "eau"),
        ("inondation", "inondation"),
        ("épicerie", "épicerie"),
        ("서울", "서울에서"),
        ("두부", "두부를"),
        ("질문", "질문이"),
        ("猫", "猫"),
        ("光", "光"),
        ("橋", "橋"),
        ("Lodz", "Łódź"),
        ("Groesse", "Größe"),
        ("גשר", "הגשר"),
        ("nodejs", "Node"),
        ("GPT4", "GPT"),
        ("covid19", "COVID"),
        ("email", "mail"),
        ("1000000", "000"),
        ("C++", "C++"),
        ("相对论", "相對論"),
    ],
)
def test_words_are_found_and_marked(words: IndexReader, query: str, said: str) -> None:
    hits = ask(words, query).hits
    assert hits
    assert said in [hits[0].text[start:end] for start, end in hits[0].matches]


def test_a_cat_is_found_in_both_languages(words: IndexReader) -> None:
    for query in ("猫", "貓"):
        assert {hit.language for hit in ask(words, query).hits} == {"ja", "zh-Hant"}


def test_c_is_found_where_it_stands_alone(words: IndexReader) -> None:
    hit = ask(words, "C").hits[0]
    assert hit.text[hit.matches[0][0] - 6 : hit.matches[0][1]] == "plain C"


@pytest.mark.parametrize(
    "filters",
    [
        {"speaker": "joao"},
        {"speaker": "JOÃO"},
        {"speaker": "conceicao"},
        {"speaker": "lucja"},
        {"channel": "cafe"},
    ],
)
def test_filters_do_not_ask_for_accents(voices: IndexReader, filters: dict[str, str]) -> None:
    assert [hit.title for hit in ask(voices, "windmills", **filters).hits] == ["Café salgado"]


def test_a_filter_that_leaves_nothing_is_named(voices: IndexReader) -> None:
    answer = ask(voices, "windmills", speaker="joao", channel="nowhere")
    assert not answer.hits
    assert "channel “nowhere”" in answer.note
    assert "joao" not in answer.note
