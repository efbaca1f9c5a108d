"""Who said it: hits open at the turn that says the query's words or that is asked for, by whatever name."""

from __future__ import annotations

import json

import pytest
from fakes import CountingEncoder

from talksearch.indexer.pipeline.run import build_index
from talksearch.indexer.text.letters import holds_name
from talksearch.search import engine
from talksearch.search.hit import Hit
from talksearch.search.query import Filters, Query, split_quotes
from talksearch.search.reader import IndexReader, open_reader

PANELS = {
    "pier": [
        ("Njoki Mwangi", "Was the tower painted before the pier was built?"),
        ("Þóra Ýrsdóttir", "My uncle painted it, and then the rain came."),
        ("Đurđa Hlavač", "He painted it with lime, since other paint was dear."),
        ("Njoki Mwangi", "And the bell, who rang it in the fog?"),
        ("Jörg Kübler", "Whoever was awake, and nobody was awake for long."),
    ],
    "港口": [
        ("陳國強", "誰修了這座碼頭呢"),
        ("林美華", "漁民冬天修了碼頭"),
        ("陳國強", "木頭是誰付的錢"),
        ("林美華", "一個商人付了木頭的錢"),
    ],
    "부두": [
        ("최 영희", "부두는 누가 고쳤습니까"),
        ("한지민", "어부들이 겨울에 고쳤습니다"),
    ],
}


@pytest.fixture(scope="module")
def panels(tmp_path_factory: pytest.TempPathFactory) -> IndexReader:
    folder = tmp_path_factory.mktemp("panels")
    archive = folder / "talks"
    archive.mkdir()
    for name, turns in PANELS.items():
        cues = "".join(
            f"00:{5 * at:02}.000 --> 00:{5 * at + 5:02}.000\n<v {who}>{said}\n\n"
            for at, (who, said) in enumerate(turns)
        )
        (archive / f"{name}.vtt").write_text(f"WEBVTT\n\n{cues}", encoding="utf-8")
        about = {"title": f"{name} panel", "channel": "海岸電臺" if name == "港口" else "Fjörður, Bær"}
        (archive / f"{name}.info.json").write_text(json.dumps(about), encoding="utf-8")
    build_index(folder / "index", [archive], encoder=CountingEncoder())
    return open_reader(folder / "index", encoder=CountingEncoder())


def first(panels: IndexReader, text: str, mode: str = "lexical", **filters: str) -> Hit:
    return engine.search(panels, Query(text, k=3, mode=mode, filters=Filters(**filters))).hits[0]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("query", "who", "second"),
    [
        ("painted with lime since paint was dear", "Đurđa Hlavač", 10),
        ("painted by an uncle before the rain", "Þóra Ýrsdóttir", 5),
        ("tower painted", "Njoki Mwangi", 0),
        ("商人付了木頭", "林美華", 15),
        ("渔民冬天修了码头", "林美華", 5),
        ("어부 겨울", "한지민", 5),
    ],
)
def test_the_turn_that_says_most_is_opened(panels: IndexReader, query: str, who: str, second: int) -> None:
    hit = first(panels, query)
    assert (hit.said_by, hit.jump_ms) == (who, second * 1_000)


@pytest.mark.parametrize(
    ("query", "who"),
    [
        ("Hlavacs", "Đurđa Hlavač"),
        ("Djurdja Hlavac", "Đurđa Hlavač"),
        ("Thora", "Þóra Ýrsdóttir"),
        ("Kuebler", "Jörg Kübler"),
        ("Joerg Kuebler", "Jörg Kübler"),
        ("Mwangy", "Njoki Mwangi"),
        ("林美華", "林美華"),
        ("林美华", "林美華"),
        ("國強", "陳國強"),
        ("林美華說了什麼", "林美華"),
        ("한지민", "한지민"),
    ],
)
@pytest.mark.parametrize("mode", ["lexical", "hybrid"])
def test_who_is_asked_for_is_heard(panels: IndexReader, query: str, who: str, mode: str) -> None:
    answer = engine.search(panels, Query(query, mode=mode))  # type: ignore[arg-type]
    assert answer.hits[0].said_by == who
    assert f"what {who} says" in answer.note


@pytest.mark.parametrize("query", ["商人", "碼頭", "木頭是誰付的錢", "冬天"])
def test_what_is_said_is_no_name(panels: IndexReader, query: str) -> None:
    assert engine.search(panels, Query(query)).note.find("looked for too") < 0


def test_words_of_one_name_are_told_once(panels: IndexReader) -> None:
    note = engine.search(panels, Query("Djurdja Hlavac")).note
    assert note == "No passage says “Djurdja” or “Hlavac”; looked for too: what Đurđa Hlavač says."


def test_with_a_filter_the_words_of_that_speaker_come_first(panels: IndexReader) -> None:
    assert first(panels, "painted", speaker="hlavac").said_by == "Đurđa Hlavač"
    assert first(panels, "painted", speaker="thora").said_by == "Þóra Ýrsdóttir"
    assert first(panels, "painted").said_by == "Njoki Mwangi"
    # Of who does not say the words, the passage is shown, and who says them there.
    assert first(panels, "lime", speaker="kubler").said_by == "Đurđa Hlavač"


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("Njoki Mwangi", "mwangi njoki"),
        ("Njoki Mwangi", "Mwangi, Njoki"),
        ("Njoki Mwangi", "J. Mwangi".replace("J.", "N")),
        ("Jean-Luc Cariou", "cariou luc"),
        ("陳國強", "陈国强"),
        ("최 영희", "최영희"),
        ("한지민", "한 지민"),
        ("ＮＨＫ教養", "nhk"),
        ("Łucja Æbelø", "aebelo"),
        ("Jörg Kübler", "kuebler"),
        ("Đurđa Hlavač", "djurdja"),
    ],
)
def test_a_name_is_meant(name: str, wanted: str) -> None:
    assert holds_name(name, wanted)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("Njoki Mwangi", "Wanjiku Mwangi"), ("Ana Ruiz", "na iz"), ("Ana Ruiz", ","), ("Ana Ruiz", "%"), ("", "Ana")],
)
def test_another_name_is_meant(name: str, wanted: str) -> None:
    assert not holds_name(name, wanted)


@pytest.mark.parametrize(
    ("filters", "title"),
    [
        ({"speaker": "Mwangi Njoki"}, "pier panel"),
        ({"speaker": "陈国强"}, "港口 panel"),
        ({"speaker": "최영희"}, "부두 panel"),
        ({"channel": "海岸电台"}, "港口 panel"),
    ],
)
def test_filters_take_names_in_any_order_and_script(panels: IndexReader, filters: dict[str, str], title: str) -> None:
    hits = engine.search(panels, Query("painted", filters=Filters(**filters))).hits
    assert {hit.title for hit in hits} == {title}


def test_two_people_are_not_one(panels: IndexReader) -> None:
    assert engine.search(panels, Query("painted", filters=Filters(speaker="Njoki Hlavac"))).hits == ()


@pytest.mark.parametrize(
    ("query", "quoted"),
    [
        ('"ד"ר לוי אמר" היום', ('ד"ר לוי אמר',)),
        ('צה"ל ומנכ"ל', ()),
        ('a 5" pipe and a 6" pipe', ()),
        ("”en gammal bro” och", ("en gammal bro",)),
        ("»en gammel bro« og «un pont»", ("en gammel bro", "un pont")),
    ],
)
def test_what_is_quoted(query: str, quoted: tuple[str, ...]) -> None:
    assert split_quotes(query)[1] == quoted
