from __future__ import annotations

import json
import re
import sqlite3
import threading
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from fakes import CountingEncoder, WordEncoder

from talksearch.indexer.arrays import Floats
from talksearch.indexer.encoders import token_codes
from talksearch.indexer.encoders.base import QueryEncoding
from talksearch.indexer.errors import BadIndexError, QueryError
from talksearch.indexer.pipeline import run
from talksearch.indexer.stores import catalog, pace
from talksearch.indexer.stores.chroma import collection as passages
from talksearch.indexer.stores.chroma.client import open_store
from talksearch.search import engine, reader
from talksearch.search.answer import Answer
from talksearch.search.query import Filters, Query, first_day, last_day
from talksearch.search.ranking.filters import find_talk
from talksearch.search.ranking.lexical import query_terms
from talksearch.search.reader import IndexReader, open_reader
from talksearch.search.results.passage_view import PassageView, view_passage

TALKS = {
    "ships": {"channel": "Harbour", "upload_date": "20240506"},
    "bees": {"channel": "Apiary", "upload_date": "20230101", "language": "en-GB"},
    "相對論": {"language": "zh-Hant"},
}
LINES = {
    "ships": ["the ship keeps its own time", "and the ship comes home late"],
    "bees": ["every bee knows when rain is near", "said the bee"],
    "相對論": ["光速不變是相對論的基礎", "時間會變慢"],
}


@pytest.fixture
def index(tmp_path: Path) -> IndexReader:
    archive = tmp_path / "talks"
    archive.mkdir()
    for name, info in TALKS.items():
        cues = "".join(f"00:{at:02}:00.000 --> 00:{at:02}:05.000\n{line}\n\n" for at, line in enumerate(LINES[name], 1))
        (archive / f"{name}.vtt").write_text(f"WEBVTT\n\n{cues}", encoding="utf-8")
        (archive / f"{name}.info.json").write_text(json.dumps({"title": name.title(), **info}), encoding="utf-8")
    run.build_index(tmp_path / "index", [archive], encoder=CountingEncoder())
    return open_reader(tmp_path / "index", encoder=CountingEncoder())


def titles(answer: Answer) -> list[str]:
    return [hit.title for hit in answer.hits]


def ask(index: IndexReader, text: str, **options: object) -> Answer:
    return engine.search(index, Query(text, **options))  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", ["hybrid", "semantic", "lexical"])
def test_the_passage_that_says_it_comes_first(index: IndexReader, mode: str) -> None:
    assert titles(ask(index, "ship", mode=mode))[0] == "Ships"


@pytest.mark.parametrize("filters", [Filters(), Filters(channel="Harbour")])
def test_what_is_read_while_the_vector_is_waited_for_changes_nothing(
    index: IndexReader, monkeypatch: pytest.MonkeyPatch, filters: Filters
) -> None:
    looked: list[int] = []
    enough = Event()
    waits = CountingEncoder()

    def noted(*given: Any) -> PassageView:
        looked.append(given[-1])
        enough.set()
        return view_passage(*given)

    class Slow(CountingEncoder):
        def encode_query(self, text: str) -> Floats:
            assert enough.wait(10), "nothing was read meanwhile"
            return waits.encode_query(text)

    query = Query("the ship comes home", filters=filters, heat=True)
    expected = engine.search(index, query)
    monkeypatch.setattr(engine, "view_passage", noted)
    assert engine.search(open_reader(index.folder, encoder=Slow()), query) == expected
    assert len(looked) == len(set(looked)), "each passage is read once"
    assert len(looked) <= len(expected.hits) + 2


def test_a_semantic_score_is_the_cosine(index: IndexReader) -> None:
    encoder = CountingEncoder()
    hit = ask(index, "ship time", mode="semantic").hits[0]
    assert hit.score == pytest.approx(
        float(encoder.encode_query("ship time") @ encoder.encode_query(hit.text)), abs=1e-6
    )


def test_meaning_finds_what_shares_no_word_and_words_do_not(index: IndexReader) -> None:
    assert ask(index, "bees", mode="lexical").terms == ("bee",)
    assert titles(ask(index, "unheard", mode="lexical")) == []
    assert len(titles(ask(index, "unheard", mode="semantic"))) == 3


def test_a_hit_without_the_words_is_opened_and_marked_where_it_is_nearest_in_meaning(tmp_path: Path) -> None:
    class Foreign(WordEncoder):
        """Knows what a word of another language means."""

        def encode_query_by_token(self, text: str) -> QueryEncoding:
            asked = super().encode_query_by_token(text.replace("Schiff", "ship"))
            return replace(asked, spans=tuple(match.span() for match in re.finditer(r"\S+", text)))

    lines = [f"{number} there is nothing of interest in this" for number in ("one", "two", "three", "four", "five")]
    lines.append("then the ship comes home")
    cues = "".join(f"00:00:{5 * at:02}.000 --> 00:00:{5 * at + 5:02}.000\n{line}\n\n" for at, line in enumerate(lines))
    (tmp_path / "talk.vtt").write_text(f"WEBVTT\n\n{cues}", encoding="utf-8")
    (tmp_path / "index").mkdir()
    token_codes.write(tmp_path / "index", np.eye(8, dtype=np.float32))
    run.build_index(tmp_path / "index", [tmp_path], encoder=WordEncoder())
    index = open_reader(tmp_path / "index", encoder=Foreign())
    hit = engine.search(index, Query("Schiff")).hits[0]
    (marked,) = [hit.text[start:end] for start, end in hit.matches]
    assert "ship" in marked
    assert len(marked) < len(hit.text) / 2
    assert 15_000 <= hit.jump_ms <= 25_000


def test_scripts_without_spaces_are_found_by_words(index: IndexReader) -> None:
    assert titles(ask(index, "相對論", mode="lexical")) == ["相對論"]
    assert titles(ask(index, "時間", mode="lexical")) == ["相對論"]
    assert titles(ask(index, "間時", mode="lexical")) == []


def test_the_copy_ranks_as_chroma_itself_does(index: IndexReader) -> None:
    query = CountingEncoder().encode_query("rain bee time")
    client, collection = open_store(index.folder)
    nearest = passages.nearest(collection, query, 6)
    client.close()
    hits = ask(index, "rain bee time", mode="semantic", k=3, leave_out=("title",)).hits
    said = {row[0] for row in index.db.execute("SELECT id FROM passages WHERE field = 'speech'")}
    nearest = [(id_, score) for id_, score in nearest if id_ in said]
    assert [hit.passage_id for hit in hits] == [id_ for id_, _ in nearest]
    assert [hit.score for hit in hits] == pytest.approx([score for _, score in nearest], abs=1e-5)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(channel="harb"), {"Ships"}),
        (Filters(language="en"), {"Bees", "Ships"}),  # of one the sidecar says it, of the other its words do
        (Filters(language="en-gb"), {"Bees"}),
        (Filters(language="zh"), {"相對論"}),
        (Filters(after="2024-01-01"), {"Ships"}),
        (Filters(before="2023-12-31"), {"Bees"}),
        (Filters(after="2023-01-01", before="2024-05-06"), {"Ships", "Bees"}),
        (Filters(talks=("ships",)), {"Ships"}),
        (Filters(talks=("ships.vtt", "bees")), {"Ships", "Bees"}),
        (Filters(channel="100%"), set()),
        (Filters(speaker="nobody"), set()),
    ],
)
@pytest.mark.parametrize("mode", ["hybrid", "semantic", "lexical"])
def test_filters(index: IndexReader, filters: Filters, expected: set[str], mode: str) -> None:
    found = set(titles(ask(index, "ship bee 時間", filters=filters, mode=mode)))
    assert found == expected


def test_a_talk_that_is_not_there_is_an_error(index: IndexReader) -> None:
    with pytest.raises(QueryError, match="no talk"):
        ask(index, "ship", filters=Filters(talks=("nope",)))


def test_an_empty_query_is_an_error(index: IndexReader) -> None:
    with pytest.raises(QueryError):
        ask(index, "  ")


@pytest.mark.parametrize(
    "text", ['"', "AND", "a OR", "NEAR(", "*", "ship*", "-", "col:x", "\x00", "☃", "(((", "'; DROP TABLE talks"]
)
def test_no_query_is_taken_for_syntax(index: IndexReader, text: str) -> None:
    for mode in ("hybrid", "lexical"):
        ask(index, text, mode=mode)


def test_matches_stand_where_they_say(index: IndexReader) -> None:
    hit = ask(index, "ships", mode="lexical").hits[0]
    assert [hit.text[start:end] for start, end in hit.matches] == ["ship", "ship"]


def test_overlapping_passages_are_one_hit_and_per_talk_holds(tmp_path: Path) -> None:
    archive = tmp_path / "long"
    archive.mkdir()
    words = " ".join("ship" if at % 15 == 0 else f"word{at}" for at in range(300))
    (archive / "long.srt").write_text(f"1\n00:00:00,000 --> 00:05:00,000\n{words}\n")
    run.build_index(tmp_path / "index", [archive], encoder=CountingEncoder())
    opened = open_reader(tmp_path / "index", encoder=CountingEncoder())
    hits = ask(opened, "ship").hits
    ordered = sorted((hit.start_ms, hit.end_ms) for hit in hits)
    assert len(hits) > 1
    assert all(one[1] <= other[0] for one, other in pairwise(ordered))
    assert len(ask(opened, "ship", per_talk=1).hits) == 1


def test_context_widens_the_text_and_leaves_the_jump(index: IndexReader) -> None:
    plain = ask(index, "bee", filters=Filters(talks=("bees",))).hits[0]
    wide = ask(index, "bee", filters=Filters(talks=("bees",)), context_ms=120_000).hits[0]
    assert plain.text in wide.text
    assert wide.jump_ms == plain.jump_ms
    assert wide.start_ms <= plain.start_ms


def test_the_link_opens_the_transcript_where_no_recording_is_known(index: IndexReader) -> None:
    assert ask(index, "ship").hits[0].url.startswith("file://")


def test_missing_vectors_are_said_not_hidden(index: IndexReader, tmp_path: Path) -> None:
    catalog.open_catalog(tmp_path / "index", write=True).execute("UPDATE passages SET embedded = 0 WHERE number = 1")
    note = (
        "5 of 6 passages have a vector (83 %), and meaning counts for these; the others are judged by their words and"
        " by the passages around them."
    )
    assert ask(index, "ship").note == f"{note} Complete it: talksearch index"
    assert ask(index, "ship", mode="lexical").note == ""
    pace.write(index.folder, 0.01, 1)
    assert ask(index, "ship").note == f"{note} All will have one in about 2 minutes."
    pace.forget(index.folder)
    assert ask(index, "ship").note.endswith("talksearch index")


def test_a_broken_encoder_is_never_a_silent_fall_back_to_words(index: IndexReader, tmp_path: Path) -> None:
    class Broken(CountingEncoder):
        def encode_query(self, text: str) -> np.ndarray:
            raise RuntimeError("no model")

    opened = open_reader(tmp_path / "index", encoder=Broken())
    with pytest.raises(RuntimeError):
        ask(opened, "ship")


def test_before_the_first_vector_words_answer_and_no_model_is_loaded(
    index: IndexReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog.open_catalog(tmp_path / "index", write=True).execute("UPDATE passages SET embedded = 0")
    (tmp_path / "index" / "vectors.bin").unlink()

    def load(*_: object) -> CountingEncoder:
        raise AssertionError("a model was loaded")

    monkeypatch.setattr(reader, "load_encoder", load)
    early = open_reader(tmp_path / "index")
    found = ask(early, "ship", avoid="bee")
    assert titles(found) == ["Ships"]
    assert found.note.startswith("0 of 6 passages have a vector (0 %)")
    meant = ask(early, "ship", mode="semantic")
    assert (meant.hits, meant.note) == ((), found.note)


def test_a_reader_closes_what_it_opened_and_may_be_closed_twice(index: IndexReader) -> None:
    before = threading.active_count()
    with open_reader(index.folder, encoder=CountingEncoder()) as opened:
        assert titles(ask(opened, "ship"))[0] == "Ships"
        assert threading.active_count() == before + 1
    assert threading.active_count() == before
    with pytest.raises(sqlite3.ProgrammingError):
        opened.db.execute("SELECT 1")
    opened.close()


def test_a_state_of_the_index_is_read_once(index: IndexReader) -> None:
    table = index.table()
    assert index.table() is table
    catalog.open_catalog(index.folder, write=True).execute("UPDATE passages SET embedded = 0 WHERE number = 1")
    assert index.table() is not table


def test_no_index_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BadIndexError) as error:
        open_reader(tmp_path / "nothing")
    assert error.value.hint == "Make one: talksearch index PATH"


def test_a_talk_is_found_by_whatever_names_it(index: IndexReader) -> None:
    id_ = find_talk(index.db, "ships.vtt")
    assert find_talk(index.db, id_) == find_talk(index.db, "ships") == id_


def test_common_terms_do_not_decide_unless_alone(index: IndexReader, tmp_path: Path) -> None:
    writer = catalog.open_catalog(tmp_path / "index", write=True)
    writer.execute("INSERT INTO common VALUES ('the')")
    assert query_terms(index.db, "the ship") == ("ship",)
    assert query_terms(index.db, "the") == ("the",)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2024", "2024-01-01", "2024-12-31"),
        ("2023-02", "2023-02-01", "2023-02-28"),
        ("20240506", "2024-05-06", "2024-05-06"),
    ],
)
def test_dates(text: str, first: str, last: str) -> None:
    assert (first_day(text), last_day(text)) == (first, last)


@pytest.mark.parametrize("text", ["yesterday", "2024-13", "2023-02-29", "06-05-2024", ""])
def test_what_is_no_date_is_an_error(text: str) -> None:
    with pytest.raises(QueryError, match="not a date"):
        first_day(text)
