"""Words in every script are found, and compounds by their parts, in an archive of several languages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes import CountingEncoder

from talksearch.indexer.pipeline import run
from talksearch.search import engine
from talksearch.search.query import Query
from talksearch.search.ranking import compounds
from talksearch.search.ranking.term_variants import expand_terms
from talksearch.search.reader import IndexReader, open_reader

TALKS = {
    "schiff": ("de-AT", ["die Donaudampfschifffahrt begann im Mai", "das Leben ist gut", "mit Signatur und Dampf"]),
    "zeit": (
        "de",
        ["Einstein fand die Relativitätstheorie", "diese Theorie der Transformation", "Freundschaft"],
    ),
    "apart": (
        "de",
        ["unser Quanten Rechner steht im Keller", "jeder Rechner braucht ein Kernreaktorgebäude"],
    ),
    "kitab": ("ar", ["قرأت الكتاب في المدرسة", "والعلم نور"]),
    "shijian": ("zh", ["今天我们讨论相对论和时间", "光的速度"]),
    "jikan": ("ja", ["今日は量子力学の話です", "ありがとうございました"]),
    "vremya": ("ru", ["мы говорим об относительности", "новая книга о пространстве"]),
    "english": ("en", ["the information in this formation", "a watershed and a transformer", "waterways freeze"]),
}


def make(folder: Path, talks: dict[str, tuple[str, list[str]]]) -> IndexReader:
    archive = folder / "talks"
    archive.mkdir()
    for name, (language, lines) in talks.items():
        cues = "".join(f"00:{at:02}:00.000 --> 00:{at:02}:05.000\n{line}\n\n" for at, line in enumerate(lines))
        (archive / f"{name}.vtt").write_text(f"WEBVTT\n\n{cues}", encoding="utf-8")
        (archive / f"{name}.info.json").write_text(json.dumps({"title": name, "language": language}), encoding="utf-8")
    run.build_index(folder / "index", [archive], encoder=CountingEncoder())
    return open_reader(folder / "index", encoder=CountingEncoder())


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> IndexReader:
    return make(tmp_path_factory.mktemp("mixed"), TALKS)


FINDS = [
    ("Schifffahrt", "schiff"),
    ("Relativität", "zeit"),
    ("Quantenrechner", "apart"),
    ("Kernreaktor", "apart"),
    ("كتاب", "kitab"),
    ("علم", "kitab"),
    ("相对论", "shijian"),
    ("量子力学", "jikan"),
    ("относительность", "vremya"),
    ("книги", "vremya"),
    ("formation", "english"),
]

# Words of the archive's language that only look like a part.
FINDS_NOT = [
    ("Natur", "schiff"),  # Signatur
    ("Freund", "zeit"),  # Freundschaft is derived, not compound
    ("water", "english"),  # no talk in English has compounds
    ("fahrt im Leben Schifffahrten", "english"),
    ("كلاب", "kitab"),
]


def found(index: IndexReader, text: str, mode: str) -> list[str]:
    return [hit.source for hit in engine.search(index, Query(text, mode=mode)).hits]  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", ["lexical", "hybrid"])
@pytest.mark.parametrize(("query", "talk"), FINDS)
def test_the_talk_comes_first(index: IndexReader, query: str, talk: str, mode: str) -> None:
    assert found(index, query, mode)[0] == f"{talk}.vtt"


@pytest.mark.parametrize(("query", "talk"), FINDS_NOT)
def test_the_talk_does_not_hold_the_word(index: IndexReader, query: str, talk: str) -> None:
    assert f"{talk}.vtt" not in found(index, query, "lexical")


def test_the_compound_is_marked(index: IndexReader) -> None:
    hit = engine.search(index, Query("Schifffahrt", mode="lexical")).hits[0]
    assert [hit.text[start:end] for start, end in hit.matches] == ["Donaudampfschifffahrt"]


def test_a_compound_that_nobody_says_is_marked_where_its_parts_are_said(index: IndexReader) -> None:
    hit = engine.search(index, Query("Quantenrechner", mode="lexical")).hits[0]
    assert {"Quanten", "Rechner"} <= {hit.text[start:end] for start, end in hit.matches}


def test_an_archive_without_such_languages_asks_once(tmp_path: Path) -> None:
    index = make(tmp_path, {"english": TALKS["english"], "kitab": TALKS["kitab"]})
    assert expand_terms(index.db, "formation", ["format"], index.compounds) == {}
    asked: list[str] = []
    index.db.set_trace_callback(asked.append)
    assert index.compounds.compounds_of(index.db, "water") == []
    index.db.set_trace_callback(None)
    assert not [statement for statement in asked if "talks" in statement or "vocabulary" in statement]


def test_at_most_so_many_compounds_are_looked_for(index: IndexReader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compounds, "MOST", 0)
    monkeypatch.setattr(compounds, "_mostly_in", lambda *_: True)
    assert len(index.compounds.compounds_of(index.db, "schifffahrt")) <= 1
