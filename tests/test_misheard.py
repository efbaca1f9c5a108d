"""Names that captions mishear: which words stand for them, and that searches find them both ways."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes import CountingEncoder

from talksearch.indexer.passages.misheard import misheard
from talksearch.indexer.pipeline import run
from talksearch.indexer.records import Cue, Talk
from talksearch.indexer.stores import catalog, catalog_writer
from talksearch.search import engine
from talksearch.search.query import Query
from talksearch.search.ranking.term_variants import expand_terms
from talksearch.search.reader import IndexReader, open_reader


def heard(title: str, said: str, language: str | None = "en", description: str = "") -> set[tuple[str, str]]:
    cues = tuple(Cue(at * 1000, at * 1000 + 900, line) for at, line in enumerate(said.split("\n")))
    found, _ = misheard(Talk("t", "t.vtt", title, cues, language=language, description=description))
    return {(one.heard, one.meant) for one in found}


# Title, what is said, what stands for what (as terms of the word index).
HEARD = [
    ("David Kehr (Schaeffler) on parts", "what sheffler is doing", {("sheffler", "schaeffler")}),
    ("Claude 4 and what comes next", "we dive into cloud 4 today", {("cloud 4", "claud")}),
    ("Claude 4 and what comes next", "cloud 4 is out\nso cloud 4 runs", {("cloud 4", "claud"), ("cloud", "claud")}),
    ("A talk by Marc Theermann", "welcome mark tierman", {("mark tierman", "marc"), ("mark tierman", "theermann")}),
    (  # three letters are enough beside another word
        "Thom Marchand on bees",
        "tom marchend is here",
        {("tom marchend", "marchand"), ("marchend", "marchand")},
    ),
    ("NextGear Ventures", "here is next gear again", {("next gear", "nextgear")}),
    ("Jérôme Monceaux", "please welcome jerome", set()),  # accents never counted
]

# Healthy talks: nothing stands for anything.
PLAIN = [
    ("Claude 4", "the cloud is where data lives", ""),  # once, and without the number
    ("Humanoid robots at work", "a roboticist builds robots", ""),
    ("BIP324 explained", "before bip322 there was none", ""),
    ("Revolution in Linz", "the resolution has smaller lines", ""),
    ("The Harrow Bridge", "the arrow is near the ridge", ""),
    ("everything in small letters about sheffler", "schaeffler was here", ""),
    ("Claude Marchand on bees", "claude marclana is here", ""),  # the one as written, the other hardly like it
    ("Claude 4", "claud 4 is out", ""),  # found by the same term as it is
    ("Schaeffler", "what sh\u0435ffler does", ""),  # a Cyrillic letter among Latin ones
    ("Bees", "the bees and the trees", "Follow https://sheffler.example.org for more"),
]


@pytest.mark.parametrize(("title", "said", "expected"), HEARD)
def test_what_sounds_like_a_name_stands_for_it(title: str, said: str, expected: set[tuple[str, str]]) -> None:
    assert {pair for pair in heard(title, said) if pair[0] != "tierman"} == expected


@pytest.mark.parametrize(("title", "said", "description"), PLAIN)
def test_ordinary_words_stand_for_themselves(title: str, said: str, description: str) -> None:
    assert heard(title, said, description=description) == set()


def test_a_language_without_word_list_is_left_alone() -> None:
    assert heard("Schaeffler", "what sheffler does", language="tlh") == set()
    assert heard("Schaeffler", "what sheffler does", language=None) == {("sheffler", "schaeffler")}


@pytest.fixture
def index(tmp_path: Path) -> IndexReader:
    archive = tmp_path / "talks"
    archive.mkdir()
    talks = {
        "parts": ("David Kehr (Schaeffler) on parts", ["hello and good morning", "this is what sheffler does all day"]),
        "model": ("Claude 4 arrives", ["today we speak of cloud 4", "and cloud 4 writes code", "the cloud is new"]),
        "weather": ("Weather", ["every cloud brings rain", "and the cloud goes by", "bye"]),
        "labs": ("Labs", ["the people of enthropic are here", "they like it"]),
        "money": ("Money", ["somebody paid anthropic a lot", "so they say"]),
    }
    for name, (title, lines) in talks.items():
        cues = "".join(
            f"00:{at:02}:00.000 --> 00:{at:02}:05.000\n{line} and so on it goes with many more words\n\n"
            for at, line in enumerate(lines)
        )
        (archive / f"{name}.vtt").write_text(f"WEBVTT\n\n{cues}", encoding="utf-8")
        (archive / f"{name}.info.json").write_text(json.dumps({"title": title, "language": "en"}), encoding="utf-8")
    run.build_index(tmp_path / "index", [archive], encoder=CountingEncoder())
    return open_reader(tmp_path / "index", encoder=CountingEncoder())


def sources(index: IndexReader, text: str, **options: object) -> list[str]:
    return [hit.source for hit in engine.search(index, Query(text, **options)).hits]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("Schaeffler", "parts"),
        ("sheffler", "parts"),
        ("Claude", "model"),
        ("Claude 4", "model"),
        ("cloud rain", "weather"),
    ],
)
def test_the_talk_is_found_by_either_spelling(index: IndexReader, query: str, first: str) -> None:
    assert sources(index, query)[0] == f"{first}.vtt"


@pytest.mark.parametrize("query", ["Anthropic", "Enthropic", "anthropick"])
def test_odd_words_that_sound_the_same_are_found_together(index: IndexReader, query: str) -> None:
    assert set(sources(index, query, mode="lexical")) == {"labs.vtt", "money.vtt"}


def test_what_is_shown_is_what_was_written_and_the_heard_words_are_marked(index: IndexReader) -> None:
    hit = engine.search(index, Query("Schaeffler", leave_out=("title",))).hits[0]
    assert "sheffler" in hit.text
    assert "schaeffler" not in hit.text.lower()
    assert [hit.text[start:end] for start, end in hit.matches] == ["sheffler"]


def test_an_ordinary_word_stands_for_a_name_in_its_own_talk_only(index: IndexReader) -> None:
    ways = expand_terms(index.db, "Claude", ["claud"], index.compounds)["claud"]
    model = index.db.execute("SELECT number FROM talks WHERE source = 'model.vtt'").fetchone()[0]
    assert {talk for _, talk in ways.phrases} == {model}
    assert ways.terms == ()
    assert expand_terms(index.db, "cloud", ["cloud"], index.compounds) == {}  # who asks for clouds means clouds


def test_a_talk_that_goes_takes_its_names_along(index: IndexReader) -> None:
    db = catalog.open_catalog(index.folder, write=True)
    for (talk_id,) in db.execute("SELECT id FROM talks").fetchall():
        catalog_writer.drop_talk(db, talk_id)
    assert db.execute("SELECT (SELECT count(*) FROM heard), (SELECT count(*) FROM odd)").fetchone() == (0, 0)
