"""An answer counts its talks by what can be filtered, says which filter emptied it, and what it is like."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import CountingEncoder
from tiny import write_talk

from talksearch.indexer.errors import QueryError
from talksearch.indexer.pipeline.run import build_index
from talksearch.search import engine
from talksearch.search.answer import Answer
from talksearch.search.facets import MOST_VALUES, Facet, FacetValue, count_values
from talksearch.search.options import make_query
from talksearch.search.query import Filters, Query
from talksearch.search.ranking.passage_table import read_passage_table
from talksearch.search.reader import IndexReader, open_reader

TALKS = {
    "ships": (
        ["the ship leaves", "no ship returns"],
        {"channel": "Harbour", "language": "en", "upload_date": "20200101"},
    ),
    "sails": (["a ship has a sail"], {"channel": "Harbour", "language": "en-GB", "upload_date": "20210605"}),
    "schiff": (["das ship ist alt"], {"channel": "Hafen", "language": "de", "upload_date": "20210607"}),
    "bees": (["every bee knows"], {"channel": "Garden", "language": "en", "upload_date": "20210609"}),
}
SPEAKERS = "WEBVTT\n\n00:01.000 --> 00:05.000\n<v Ana>the ship\n\n05:01.000 --> 05:05.000\n<v Ben>and the bee\n"
PLAIN = "The ship was seen by nobody at all. It came home in the rain."


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("facets")
    for name, (lines, about) in TALKS.items():
        write_talk(folder / "talks", name, lines, **about)
    (folder / "talks" / "voices.vtt").write_text(SPEAKERS, encoding="utf-8")
    (folder / "talks" / "plain.txt").write_text(PLAIN, encoding="utf-8")
    build_index(folder / "index", [folder / "talks"], encoder=CountingEncoder())
    return folder / "index"


@pytest.fixture(scope="module")
def index(archive: Path) -> IndexReader:
    return open_reader(archive, encoder=CountingEncoder())


def ask(index: IndexReader, text: str, mode: str = "lexical", **filters: object) -> Answer:
    return engine.search(index, make_query_with_facets(text, mode, **filters))


def make_query_with_facets(text: str, mode: str, **filters: object) -> Query:
    return Query(text, mode=mode, filters=Filters(**filters), facets=True)  # type: ignore[arg-type]


def told(answer: Answer, facet: str) -> dict[str, int]:
    assert answer.facets is not None
    return {one.value: one.talks for one in getattr(answer.facets, facet).values}


def titles(answer: Answer) -> set[str]:
    return {hit.title for hit in answer.hits}


@pytest.mark.parametrize(
    ("timing", "found"), [("exact", {"Ships", "Sails", "Schiff", "voices"}), ("estimated", {"plain"})]
)
@pytest.mark.parametrize("mode", ["hybrid", "lexical", "quote"])
def test_a_filter_by_timing_leaves_talks_of_that_timing(
    index: IndexReader, mode: str, timing: str, found: set[str]
) -> None:
    assert titles(ask(index, "ship", mode, timing=timing)) >= found
    assert {hit.timing for hit in ask(index, "ship", mode, timing=timing).hits} == {timing}


def test_a_timing_that_there_is_not_is_refused() -> None:
    assert make_query("ship", timing="exact").filters.timing == "exact"
    with pytest.raises(QueryError, match="timing is 'about'"):
        make_query("ship", timing="about")


@pytest.mark.parametrize("mode", ["lexical", "quote"])
def test_an_answer_counts_its_talks(index: IndexReader, mode: str) -> None:
    answer = ask(index, "ship", mode)
    assert titles(answer) == {"Ships", "Sails", "Schiff", "voices", "plain"}
    assert told(answer, "channel") == {"Harbour": 2, "Hafen": 1}
    assert told(answer, "language")["en"] >= 2  # with en-GB, which the filter `en` lets through
    assert told(answer, "language")["en-GB"] == told(answer, "language")["de"] == 1
    assert told(answer, "year") == {"2021": 2, "2020": 1}
    assert told(answer, "timing") == {"exact": 4, "estimated": 1}
    assert told(answer, "speaker") == {"Ana": 1, "Ben": 1}  # both speak in the passage


@pytest.mark.parametrize("mode", ["lexical", "quote"])
def test_a_filter_does_not_narrow_its_own_facet_but_all_others(index: IndexReader, mode: str) -> None:
    answer = ask(index, "ship", mode, channel="Hafen")
    assert titles(answer) == {"Schiff"}
    assert told(answer, "channel") == {"Harbour": 2, "Hafen": 1}
    assert told(answer, "language") == {"de": 1}
    assert told(answer, "year") == {"2021": 1}
    answer = ask(index, "ship", mode, after="2021-01-01", before="2021-12-31", channel="Harbour")
    assert told(answer, "year") == {"2021": 1, "2020": 1}
    assert told(answer, "channel") == {"Harbour": 1, "Hafen": 1}


def test_an_answer_that_a_filter_emptied_still_tells_what_else_there_is(index: IndexReader) -> None:
    answer = ask(index, "bee", channel="Harbour")
    assert answer.hits == ()
    assert answer.emptied == ("channel",)
    assert told(answer, "channel") == {"Garden": 1}
    assert told(answer, "language") == {}


def test_facets_are_the_same_where_the_columns_are_missing(index: IndexReader, archive: Path, tmp_path: Path) -> None:
    table = index.table()
    bare = read_passage_table(tmp_path, index.db, index.vectors)
    assert table.columns is not None
    assert bare.columns is None
    assert bare.speakers_at(bare.layout.places(bare.layout.numbers)) == table.speakers_at(
        table.layout.places(table.layout.numbers)
    )
    assert sorted(bare.speakers_of_talks()) == sorted(table.speakers_of_talks()) != []


def test_an_answer_has_facets_only_where_the_query_asks_for_them(index: IndexReader) -> None:
    answer = engine.search(index, Query("ship", mode="lexical"))
    assert answer.facets is None
    assert answer.to_dict().keys() == {"hits", "note"}
    known = ask(index, "ship").to_dict()
    assert known["facets"]["timing"] == {
        "values": [{"value": "exact", "talks": 4}, {"value": "estimated", "talks": 1}], "more": 0,
    }  # fmt: skip


@pytest.mark.parametrize("mode", ["hybrid", "semantic"])
def test_the_talks_of_all_hits_count(index: IndexReader, mode: str) -> None:
    answer = ask(index, "ship", mode)
    assert sum(told(answer, "timing").values()) >= len({hit.talk_id for hit in answer.hits}) > 3


def test_an_emptied_answer_names_filters_by_their_public_names(index: IndexReader) -> None:
    assert ask(index, "bee", talks=("ships",), language="en").emptied == ("talk",)
    assert ask(index, "ship", speaker="Nobody", channel="Nowhere").emptied == ("speaker", "channel")
    assert ask(index, "bee", channel="Garden", timing="estimated").emptied == ("timing",)
    assert ask(index, "zzzyx", channel="Garden").emptied == ()
    answer = ask(index, "ship", speaker="Ana", channel="Harbour")
    assert answer.emptied == ("speaker", "channel")  # either of them may be dropped
    assert "without one of them there is something" in answer.note
    assert answer.to_dict()["emptied"] == ["speaker", "channel"]


def test_similar_says_like_what_and_keeps_filters(index: IndexReader) -> None:
    (talk_id,) = {hit.talk_id for hit in ask(index, "alt").hits}
    answer = engine.similar(index, Query("", filters=Filters(channel="Harbour"), facets=True), talk_id, 61_000)
    assert answer.like is not None
    assert (answer.like.talk_id, answer.like.title, answer.like.start_ms) == (talk_id, "Schiff", 60_000)
    assert answer.like.text == "das ship ist alt"
    assert titles(answer) == {"Ships", "Sails"}
    assert answer.to_dict()["like"] == {
        "talk_id": talk_id, "title": "Schiff", "start_s": 60.0, "end_s": 65.0, "text": "das ship ist alt",
    }  # fmt: skip


def test_what_does_not_fit_is_counted() -> None:
    facet = count_values((talk, f"name {talk:03}") for talk in range(MOST_VALUES + 7))
    assert (len(facet.values), facet.more) == (MOST_VALUES, 7)
    assert facet.values[0] == FacetValue("name 000", 1)
    assert count_values([]) == Facet()
