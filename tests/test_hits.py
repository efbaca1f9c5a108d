"""What stands beside a hit: passages like it, copies in other talks, heat, reasons; and what is turned away from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes import CountingEncoder

from talksearch.indexer.errors import QueryError
from talksearch.indexer.pipeline import run
from talksearch.indexer.text.clock import caption_clock
from talksearch.search import engine
from talksearch.search.answer import Answer
from talksearch.search.query import Filters, Query
from talksearch.search.reader import IndexReader, open_reader
from talksearch.search.results.heat import BINS

FILLER = "there was nothing much to say about any of this while the afternoon went by and the room grew darker"
INTRO = (
    "welcome to the song hour, your weekly hour of songs, brought to you by nobody in particular, as ever, my friends"
)


@pytest.fixture
def index(tmp_path: Path) -> IndexReader:
    """Five talks of thirty cues of ten seconds; each cue is a sentence of about twenty words."""
    archive = tmp_path / "talks"
    archive.mkdir()
    said: dict[str, dict[int, str]] = {
        "rain": {2: "rain rain rain on the roof", 14: "the rain came back", 27: "rain at last, and more rain"},
        "bread": {5: "bread and rain go together"},
        "bridge": {5: "the bridge of copper", 20: "a bridge of bread"},
        "first": {0: INTRO},
        "second": {0: INTRO},
    }
    for name, lines in said.items():
        cues = "".join(
            f"00:{at // 6:02}:{at % 6 * 10:02}.000 --> 00:{at // 6:02}:{at % 6 * 10 + 9:02}.000\n"
            f"{f'{lines[at]}, {FILLER}' if at in lines else f'{name} {at} {FILLER}'}.\n\n"
            for at in range(30)
        )
        (archive / f"{name}.vtt").write_text(f"WEBVTT\n\n{cues}", encoding="utf-8")
        (archive / f"{name}.info.json").write_text(json.dumps({"title": name.title()}), encoding="utf-8")
    run.build_index(tmp_path / "index", [archive], encoder=CountingEncoder())
    return open_reader(tmp_path / "index", encoder=CountingEncoder())


def ask(index: IndexReader, text: str, **options: object) -> Answer:
    return engine.search(index, Query(text, **options))  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", ["hybrid", "semantic", "lexical"])
def test_what_is_to_be_avoided_sinks(index: IndexReader, mode: str) -> None:
    plain = [hit.source for hit in ask(index, "rain", mode=mode, k=20).hits]
    turned = [hit.source for hit in ask(index, "rain", mode=mode, avoid="bread", k=20).hits]
    assert "bread.vtt" in plain
    where = turned.index("bread.vtt") if "bread.vtt" in turned else 99
    assert where > plain.index("bread.vtt")
    assert turned[0] == "rain.vtt"


def test_hits_that_the_limit_holds_back_are_counted(index: IndexReader) -> None:
    everything = [hit for hit in ask(index, "rain", mode="lexical", k=20).hits if hit.source == "rain.vtt"]
    limited = ask(index, "rain", mode="lexical", k=20, per_talk=1).hits
    shown = [hit for hit in limited if hit.source == "rain.vtt"]
    assert len(shown) == 1
    assert shown[0].more_in_talk == len(everything) - 1 > 0
    assert all(hit.more_in_talk == 0 for hit in ask(index, "rain", mode="lexical", k=20).hits)


def test_a_long_talk_takes_no_place_of_another_where_each_has_one_hit(tmp_path: Path) -> None:
    archive = tmp_path / "talks"
    archive.mkdir()
    for name, lines in (
        ("long", [f"rain {at} fell and rain {at + 1} came {FILLER} {at}" for at in range(2_000)]),
        ("short", ["we sat below the old tree until the rain was over, and somebody sang of boats and of the sea"]),
    ):
        cues = "".join(
            f"{caption_clock(at * 10_000)} --> {caption_clock(at * 10_000 + 9_000)}\n{line}\n\n"
            for at, line in enumerate(lines)
        )
        (archive / f"{name}.vtt").write_text(f"WEBVTT\n\n{cues}", encoding="utf-8")
    run.build_index(tmp_path / "index", [archive], encoder=CountingEncoder())
    reader = open_reader(tmp_path / "index", encoder=CountingEncoder())
    hits = ask(reader, "rain", mode="lexical", per_talk=1).hits
    assert [hit.source for hit in hits] == ["long.vtt", "short.vtt"]


def test_what_two_talks_say_alike_is_one_hit_that_names_the_other(index: IndexReader) -> None:
    hits = [hit for hit in ask(index, "song", k=30).hits if hit.source in ("first.vtt", "second.vtt")]
    best = hits[0]
    assert [copy.title for copy in best.copies] == ["Second" if best.source == "first.vtt" else "First"]
    assert best.copies[0].url.endswith(".vtt")
    assert best.to_dict()["copies"][0]["jump_s"] == 0.0
    opening = [hit for hit in hits if hit.start_ms == 0]
    assert len(opening) == 1


def test_heat_is_high_where_the_words_are_and_shown_once_a_talk(index: IndexReader) -> None:
    hits = ask(index, "copper bridge", heat=True).hits
    assert hits[0].source == "bridge.vtt"
    strip = hits[0].heat
    assert len(strip) == BINS
    assert max(strip) == 1.0
    assert strip[int(55 / 300 * BINS)] == 1.0  # the copper is said at 0:50 of 5:00
    assert strip[int(250 / 300 * BINS)] < 0.5
    again = [hit for hit in hits[1:] if hit.source == "bridge.vtt"]
    assert all(hit.heat == () for hit in again)
    assert all(hit.heat == () for hit in ask(index, "copper bridge").hits)


@pytest.mark.parametrize("mode", ["hybrid", "semantic", "lexical"])
def test_heat_and_reasons_work_in_every_mode(index: IndexReader, mode: str) -> None:
    hits = ask(index, "rain", mode=mode, heat=True, explain=True).hits
    assert all(0.0 <= value <= 1.0 for hit in hits for value in hit.heat)
    assert any(hit.heat for hit in hits)
    explained = hits[0].to_dict()["explain"]
    assert explained["rank_by_meaning"] == (None if mode == "lexical" else 1)
    assert explained["terms"].keys() == {"rain"}
    assert explained["score"] == hits[0].to_dict()["score"] == pytest.approx(hits[0].score, abs=1e-3)
    assert "explain" not in ask(index, "rain", mode=mode).hits[0].to_dict()


def test_passages_like_a_moment_leave_that_moment_out(index: IndexReader) -> None:
    talk_id = index.db.execute("SELECT id FROM talks WHERE source = 'rain.vtt'").fetchone()[0]
    answer = engine.similar(index, Query("", k=4), talk_id, 20_000)
    assert answer.hits[0].source in ("rain.vtt", "bread.vtt")
    assert "rain" in answer.hits[0].text
    for hit in answer.hits:
        assert hit.talk_id != talk_id or hit.start_ms >= 30_000 or hit.end_ms <= 20_000


def test_similar_turns_away_too(index: IndexReader) -> None:
    talk_id = index.db.execute("SELECT id FROM talks WHERE source = 'rain.vtt'").fetchone()[0]
    plain = [hit.source for hit in engine.similar(index, Query("", k=20), talk_id, 20_000).hits]
    turned = [hit.source for hit in engine.similar(index, Query("", k=20, avoid="bread"), talk_id, 20_000).hits]
    assert "bread.vtt" in plain
    assert "bread.vtt" not in turned or turned.index("bread.vtt") > plain.index("bread.vtt")


def test_nothing_is_like_what_comes_after_the_end(index: IndexReader) -> None:
    talk_id = index.db.execute("SELECT id FROM talks WHERE source = 'rain.vtt'").fetchone()[0]
    with pytest.raises(QueryError, match="says nothing at 4000 s"):
        engine.similar(index, Query(""), talk_id, 4_000_000)


@pytest.mark.parametrize(
    "text",
    [
        '"the bridge of copper"',
        "“The bridge, of copper”",
        "„the bridge of copper“",
        "”the bridge of copper”",
        "»the bridge of copper«",
        "＂the bridge of copper＂",
    ],
)
def test_a_query_in_quotation_marks_is_a_quote(index: IndexReader, text: str) -> None:
    hit = ask(index, text).hits[0]
    assert (hit.source, hit.jump_ms, hit.score) == ("bridge.vtt", 50_000, 1.0)
    assert [hit.text[start:end] for start, end in hit.matches] == ["the bridge of copper"]
    assert hit.to_dict()["quote"]["difference"][0]["op"] == "same"


def test_what_memory_changed_is_shown(index: IndexReader) -> None:
    (hit,) = ask(
        index, "there was hardly much to say about any of this while the morning went by", mode="quote", k=1
    ).hits
    changed = [(one.asked, one.said) for one in hit.quote.difference if one.op == "changed"] if hit.quote else []
    assert changed == [("hardly", "nothing"), ("morning", "afternoon")]
    assert 0.6 < hit.score < 1


def test_a_quote_within_a_query_decides_which_passages_count(index: IndexReader) -> None:
    assert {hit.source for hit in ask(index, 'bread "came back"').hits} == {"rain.vtt"}
    answer = ask(index, 'bread "the violins of Cremona"')
    assert "Nobody says 'the violins of Cremona'" in answer.note
    assert answer.hits


def test_quotes_keep_the_limit_and_the_filters(index: IndexReader) -> None:
    said = "there was nothing much to say about any of this"
    hits = ask(index, said, mode="quote", k=3, per_talk=1).hits
    assert len({hit.talk_id for hit in hits}) == 3
    assert all(hit.more_in_talk > 0 for hit in hits)
    bridge = Query(said, mode="quote", filters=Filters(talks=("bridge.vtt",)))
    assert {hit.source for hit in engine.search(index, bridge).hits} == {"bridge.vtt"}
    assert ask(index, '"nobody ever said these words together"').hits == ()
