"""Words of Persian, Hindi, other Indian scripts and Korean that people write in more than one way."""

from __future__ import annotations

import pytest
from fakes import CountingEncoder

from talksearch.indexer.pipeline.run import build_index
from talksearch.indexer.text.terms import terms
from talksearch.search import engine
from talksearch.search.query import Query
from talksearch.search.reader import IndexReader, open_reader


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("हिन्दी", "हिंदी"),
        ("चम्पा", "चंपा"),
        ("गङ्गा", "गंगा"),
        ("चाँद", "चांद"),
        ("गाँव", "गांव"),
        ("कुआँ", "कुआं"),
        ("क्\u200dया", "क्या"),
        ("കാഴ്\u200cച", "കാഴ്ച"),
        ("کتاب", "كتاب"),
        ("یک", "يك"),
        ("کہ", "که"),
    ],
)
def test_both_spellings_are_one_term(one: str, other: str) -> None:
    assert terms(one) == terms(other)
    assert len(terms(one)) == 1


@pytest.mark.parametrize(
    ("one", "other"), [("कुआं", "का"), ("कन्या", "कंया"), ("जन्म", "जंम"), ("नदी", "नाद"), ("کتاب", "حساب")]
)
def test_other_words_stay_apart(one: str, other: str) -> None:
    assert terms(one) != terms(other)


LINES = {
    "fa": ["کتاب\u200cهای قدیمی در زیرزمین بودند", "می\u200cخواهم از قنات حرف بزنم", "شنبه گربههایم خوابیدند"],
    "ko": ["인공지능은 커피를 모릅니다", "자율 주행은 아직 멀었습니다", "고등어는 새벽에 팝니다"],
    "de": ["Wir essen heute Brot und Käse"],
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> IndexReader:
    folder = tmp_path_factory.mktemp("scripts")
    archive = folder / "talks"
    archive.mkdir()
    for language, lines in LINES.items():
        cues = "".join(f"00:{5 * at:02}.000 --> 00:{5 * at + 4:02}.000\n{line}\n\n" for at, line in enumerate(lines))
        (archive / f"talk-{language}.{language}.vtt").write_text(f"WEBVTT\n\n{cues}", encoding="utf-8")
    build_index(folder / "index", [archive], encoder=CountingEncoder())
    return open_reader(folder / "index", encoder=CountingEncoder())


@pytest.mark.parametrize(
    ("query", "language", "second"),
    [
        ("کتابهای", "fa", 0),
        ("کتاب\u200cهای", "fa", 0),
        ("کتاب", "fa", 0),
        ("كتاب", "fa", 0),
        ("میخواهم", "fa", 5),
        ("گربه\u200cهایم", "fa", 10),
        ("인공 지능", "ko", 0),
        ("인공지능", "ko", 0),
        ("자율주행", "ko", 5),
        ("자율 주행", "ko", 5),
    ],
)
def test_a_word_is_found_with_and_without_what_parts_it(
    index: IndexReader, query: str, language: str, second: int
) -> None:
    (hit,) = engine.search(index, Query(query, mode="lexical")).hits
    assert (hit.language, hit.jump_ms) == (language, second * 1_000)
    assert hit.matches


@pytest.mark.parametrize("query", ["지능은행", "주행고등어", "کتابدار"])
def test_other_words_are_not_found(index: IndexReader, query: str) -> None:
    assert engine.search(index, Query(query, mode="lexical")).hits == ()
