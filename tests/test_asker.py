"""Which language a query is in."""

from __future__ import annotations

import json

import pytest
from conftest import SHARED

from talksearch.indexer.text.language_codes import is_same_language
from talksearch.search.asker import query_language

ENGLISH_AND_MORE = ("en", "de-AT", "fr", "zh-Hans", "ja")


@pytest.mark.parametrize(
    ("query", "language"),
    [
        ("was ist Backpropagation", "de"),
        ("chaînes de Markov", "fr"),
        ("气候变化", "zh"),
        ("卷積神經網路的演化", "zh"),
        ("勾配降下法とは", "ja"),
        ("что такое блокчейн", "ru"),
        ("що таке блокчейн", "uk"),
        ("الانتشار الخلفي", "ar"),
        ("क्रमिक अवरोह", "hi"),
        ("손실함수 <sup>Loss functions</sup>", "ko"),
        ("CNN을 위한 PyTorch", "ko"),
        ("why does the loss explode", "en"),
    ],
)
def test_words_and_letters_tell_the_language(query, language):
    assert query_language(query, ENGLISH_AND_MORE) == language


@pytest.mark.parametrize(
    "query", ["", "42", "LogSoftMax vs SoftMax", "SGD", "EIP-7954", "→ ∂L/∂w", "Schnorr", "GANs GANs GANs"]
)
def test_what_is_in_no_language_stays_open(query):
    assert query_language(query, ENGLISH_AND_MORE) is None


def test_one_letter_of_a_formula_is_no_language():
    assert query_language("what is the β of a portfolio", ["en"]) == "en"


def test_what_the_archive_has_is_likelier():
    assert query_language("sol og vind", ["da"]) == "da"
    assert query_language("sol og vind", ["en"]) is None, "it may be Norwegian as well"


def test_a_language_is_called_as_the_archive_calls_it():
    assert query_language("hva er det som skjer med klimaet", ["en", "nb-NO"]) == "nb"


def test_devanagari_is_left_open_where_the_archive_has_marathi_as_well():
    assert query_language("हवामान बदल", ["hi", "mr"]) is None


def test_languages_that_a_query_does_not_tell_apart_are_one():
    assert is_same_language("hr", "sr-Latn")
    assert not is_same_language("pt", "es")


@pytest.mark.realdata
@pytest.mark.parametrize(("file", "rightly"), [("nyu_languages", 0.75), ("qmsum", 0.9)])
def test_real_queries_are_told_and_hardly_ever_wrongly(file, rightly):
    rows = [json.loads(line) for line in (SHARED / "gold" / f"{file}.jsonl").read_text("utf-8").splitlines()][::7]
    languages = sorted({row["lang"] for row in rows} | {"en"})
    told = [query_language(row["query"], languages) for row in rows]
    right = sum(language == row["lang"] for language, row in zip(told, rows, strict=True))
    wrong = sum(language not in (None, row["lang"]) for language, row in zip(told, rows, strict=True))
    assert right >= rightly * len(rows)
    assert wrong <= 0.02 * len(rows)
