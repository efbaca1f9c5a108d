"""What stands beside a hit in the language of who asks, and what is said of the languages of an archive."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fakes import CountingEncoder
from test_hit_list import PLAIN, ask, write
from test_pages import page_at
from tiny import serving, short_runtime_folder

from talksearch.cli.assistants.hit_page import hit_page
from talksearch.cli.export.registry import export, format_named
from talksearch.cli.export.selection import select_hits
from talksearch.cli.main import cli
from talksearch.cli.render.hits import hits_csv, hits_jsonl, hits_markdown, hits_text
from talksearch.cli.render.reports import languages_text
from talksearch.cli.web import templating
from talksearch.cli.web.addresses import PageAddress
from talksearch.cli.web.answers_view import by_talk
from talksearch.indexer.pipeline.run import build_index
from talksearch.indexer.records import Cue, Track
from talksearch.indexer.settings import DEFAULT_MODEL, MULTILINGUAL_MODEL
from talksearch.indexer.stores import catalog, seals
from talksearch.indexer.stores.languages import LanguageCount, count_languages
from talksearch.indexer.stores.tracks import put_tracks
from talksearch.search.hit import Beside
from talksearch.search.index import open_index
from talksearch.search.query import Query
from talksearch.search.reader import IndexReader, open_reader
from talksearch.search.results.beside import foreign_query_note

LINES = ["The ship is late again.", "A song about the bee.", "The bridge is made of code."]
GERMAN = ("Das Schiff kommt wieder zu spät.", "Ein Lied <b>von der Biene</b>.", "Die Brücke ist aus Code.")
HEBREW = ("הספינה שוב מאחרת.", "שיר על הדבורה.", "הגשר עשוי מקוד.")


def cues(texts: tuple[str, ...]) -> tuple[Cue, ...]:
    return tuple(Cue(at * 5000 + 300, at * 5000 + 4800, text) for at, text in enumerate(texts))


@pytest.fixture
def index(tmp_path: Path) -> IndexReader:
    encoder = CountingEncoder()
    write(tmp_path / "talks", "harbour", LINES)
    info = tmp_path / "talks" / "harbour.info.json"
    info.write_text(json.dumps({**json.loads(info.read_text("utf-8")), "language": "en"}), encoding="utf-8")
    build_index(tmp_path / "index", [tmp_path / "talks"], encoder=encoder)
    reader = open_reader(tmp_path / "index", encoder=encoder)
    (number,) = reader.db.execute("SELECT number FROM talks").fetchone()
    tracks = [
        Track(1, "de-AT", "translated", "harbour.de.vtt", cues(GERMAN)),
        Track(2, "he", "human", "harbour.he.vtt", cues(HEBREW)),
    ]
    change(reader, lambda db: put_tracks(db, number, tracks))
    return reader


def change(index: IndexReader, work: Callable[[sqlite3.Connection], object]) -> None:
    """Change the catalog beside a reader, as an indexing run does."""
    db = catalog.open_catalog(index.folder, write=True)
    with catalog.transaction(db):
        work(db)
        seals.seal_all(db)
    db.close()


def beside(index: IndexReader, text: str, **options: Any) -> Beside | None:
    return ask(index, text, mode="lexical", **options).hits[0].beside


def test_a_query_in_another_language_gets_the_track_in_it(index: IndexReader) -> None:
    found = beside(index, "wo ist das ship")
    assert found is not None
    assert (found.language, found.origin) == ("de-AT", "translated")
    assert found.text == " ".join(GERMAN)
    assert (found.start_ms, found.end_ms) == (300, 14_800)


def test_only_what_is_said_at_the_time_of_the_hit_stands_beside_it(index: IndexReader) -> None:
    change(index, lambda db: db.execute("UPDATE passages SET start_ms = 5000, end_ms = 10000"))
    found = beside(index, "ship", beside="de")
    assert found is not None
    assert found.text == GERMAN[1]


def test_a_query_in_the_language_of_the_talk_needs_nothing_beside(index: IndexReader) -> None:
    assert beside(index, "where is the ship that was late") is None
    assert beside(index, "ship", beside="English") is None
    assert beside(index, "ship", reads=("en-GB", "de")) is None


def test_the_language_can_be_named_and_a_query_goes_before_what_is_read(index: IndexReader) -> None:
    def language(text: str, **options: Any) -> str | None:
        found = beside(index, text, **options)
        return found and found.language

    assert language("ship", beside="Hebrew") == "he"
    assert language("wo ist das ship", beside="he") == "he"
    assert language("ship", reads=("fr", "he", "en")) == "he"
    assert language("wo ist das ship", reads=("he",)) == "de-AT"
    assert language("ship", beside="French") is None
    assert language("ship") is None


def test_an_index_without_tracks_has_nothing_beside(index: IndexReader) -> None:
    change(index, lambda db: db.execute("DELETE FROM tracks"))
    assert beside(index, "wo ist das ship") is None


def test_every_format_shows_it_safely(index: IndexReader) -> None:
    answer = ask(index, "wo ist das ship", mode="lexical")
    (hit,) = answer.hits
    assert json.loads(hits_jsonl([hit]))["beside"] == {
        "language": "de-AT",
        "text": " ".join(GERMAN),
        "start_s": 0.3,
        "end_s": 14.8,
        "origin": "translated",
    }
    assert "[German (Austria), translated by a machine] Das Schiff" in hits_text([hit], PLAIN)
    assert '"{""language"": ""de-AT""' in hits_csv([hit])
    assert "German \\(Austria\\), translated by a machine:" in hits_markdown([hit])
    assert "<b>" not in hits_markdown([hit])
    assert '<blockquote lang="de-AT" dir="auto">' in hit._repr_html_()
    assert "<b>von" not in hit._repr_html_()
    told = hit_page(index.db, answer, 0, 1)
    assert '"beside":{"language":"de-AT","by":"translated","text":"Das Schiff' in told
    selection = select_hits(index.db, "ship", answer.hits)
    for name in ("html", "json", "sqlite"):
        form = format_named(name)
        assert form is not None
        content = export(form, selection).content
        assert "Das Schiff" in (content if isinstance(content, str) else content.decode("utf-8", "replace"))


def test_a_page_says_which_language_it_is_and_writes_hebrew_from_the_right(index: IndexReader) -> None:
    answer = ask(index, "ship", mode="lexical", beside="he")
    (talk,) = by_talk(PageAddress("/", {"q": ["ship"]}), answer, {})
    show = templating._JINJA.get_template("hit.html").module.hit_row
    page = str(show(talk.hits[0], "", 1))
    assert '<blockquote class="said beside" dir="auto" lang="he"><p>הספינה' in page
    assert '<footer dir="ltr" lang="en">Hebrew</footer>' in page
    assert 'lang="en"><p>' in page
    assert "translated" not in page


def test_a_browser_says_what_its_user_reads_and_the_api_asks_for_no_more_than_is_said(index: IndexReader) -> None:
    with short_runtime_folder(), serving(index.folder) as served:
        hebrew = page_at(served, "/?q=ship", accept_language="he-IL, he;q=0.9, en;q=0.8")
        assert 'dir="auto" lang="he"><p>הספינה' in hebrew
        assert "beside" not in page_at(served, "/?q=ship", accept_language="en, he;q=0.5")
        assert "Das Schiff" in page_at(served, "/?q=ship&beside=German", accept_language="he")
        (hit,) = json.loads(page_at(served, "/api/search?q=ship&beside=de"))["hits"]
        assert hit["beside"]["language"] == "de-AT"
        assert json.loads(page_at(served, "/api/search?q=ship", accept_language="he"))["hits"][0]["beside"] is None


def test_a_setting_names_the_language_and_an_option_goes_before_it(
    index: IndexReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    def printed(*arguments: str) -> str:
        result = CliRunner().invoke(
            cli, ["search", "ship", "--mode", "lexical", "--index", str(index.folder), *arguments]
        )
        assert result.exit_code == 0, result.output
        return result.stdout

    assert "Das Schiff" not in printed()
    monkeypatch.setenv("TALKSEARCH_BESIDE", "de")
    assert "[German (Austria), translated by a machine] Das Schiff" in printed()
    assert "[Hebrew] הספינה" in printed("--beside", "Hebrew")


def test_a_search_in_python_takes_it(index: IndexReader) -> None:
    with open_index(index.folder) as opened:
        hits = opened.search(Query("ship", mode="lexical", beside="German")).hits
    assert hits[0].beside is not None
    assert hits[0].beside.language == "de-AT"


# ------------------------------------------------------------------------------------------------ languages of archives


def test_languages_are_counted_without_their_regions(index: IndexReader) -> None:
    assert [(one.language, one.talks) for one in count_languages(index.db)] == [("en", 1)]
    change(index, lambda db: db.execute("UPDATE talks SET language = NULL"))
    assert [(one.language, one.talks) for one in count_languages(index.db)] == [(None, 1)]


ENGLISH = LanguageCount("en", 540, 100_000)
UNKNOWN = LanguageCount(None, 4, 90)


def test_an_english_archive_is_told_nothing() -> None:
    assert languages_text([ENGLISH, UNKNOWN], DEFAULT_MODEL) == ""
    assert languages_text([], DEFAULT_MODEL) == ""


def test_an_archive_in_several_languages_is_told_which_model_serves_it() -> None:
    told = languages_text([ENGLISH, LanguageCount("de", 60, 12_000), UNKNOWN], DEFAULT_MODEL)
    assert told.startswith("Languages: English 540 talks, German 60, not known 4.\n")
    assert "--model multilingual" in told


def test_few_talks_in_another_language_are_counted_and_nothing_is_advised() -> None:
    told = languages_text([ENGLISH, LanguageCount("de", 2, 200)], DEFAULT_MODEL)
    assert told == "Languages: English 540 talks, German 2.\n"


@pytest.mark.parametrize("model", [MULTILINGUAL_MODEL, "/models/own"])
def test_nothing_is_advised_where_the_model_may_know_the_languages(model: str) -> None:
    assert "--model" not in languages_text([LanguageCount("de", 60, 12_000), ENGLISH], model)


def test_the_answer_says_once_that_the_model_knows_no_german(index: IndexReader) -> None:
    def note(text: str, model: str = DEFAULT_MODEL, **options: Any) -> str:
        return foreign_query_note(index.db, Query(text, **options), model)

    assert note("was ist die Kettenregel").startswith("The query seems to be in German, and the model of this index")
    assert note("what is the chain rule") == note("Schnorr") == ""
    assert note("was ist die Kettenregel", MULTILINGUAL_MODEL) == ""
    assert note("was ist die Kettenregel", mode="lexical") == ""
