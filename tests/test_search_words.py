"""A word is found however it is written: in every language, with filters that do not ask for accents, and by names."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import CountingEncoder

from talksearch.indexer.pipeline import run
from talksearch.indexer.readers import read
from talksearch.indexer.records import Transcript
from talksearch.indexer.restore.clean import RAW, Stage, clean, finished, replay_step
from talksearch.indexer.text.lines import between_lines
from talksearch.indexer.text.terms import terms
from talksearch.search import engine
from talksearch.search.answer import Answer
from talksearch.search.query import Filters, Query
from talksearch.search.ranking import segmentation
from talksearch.search.ranking.characters import with_characters
from talksearch.search.reader import IndexReader, open_reader

TALKS: dict[str, tuple[str, list[str]]] = {
    "french": (
        "fr",
        ["On regardait l'horloge jusqu’à l’aube.", "Le prix d'entrée, qu'elle oubliait. Aujourd'hui non."],
    ),
    "italian": ("it", ["La luce dell'alba sull'acqua.", "Un'isola, quell'estate, senz'altro."]),
    "catalan": ("ca", ["L'illa i l'aigua de la col·lecció."]),
    "turkish": ("tr", ["Ankara'dan İzmir'e giden tren.", "Işık çok güzeldi."]),
    "polish": ("pl", ["Pan Słowik mieszka w Gdyni, obok księgarni Żółty Łabędź."]),
    "danish": ("da", ["Sørens smørrebrød stod på øen."]),
    "german": ("de", ["Herr Bäcker prüft die Höhe der Türme.", "Das neue Haus steht."]),
    "korean": (
        "ko",
        ["부산에서 기차를 탔습니다.", "도서관은 조용했고 책을 읽는 사람들이 많았습니다.", "마을에는 다리가 있습니다."],
    ),
    "hebrew": ("he", ["ביום חמישי נסענו לירושלים.", "והספר שבספרייה היה כחול.", "משה אכל לחם."]),
    "japanese": ("ja", ["夜の庭に犬がいました。", "カメラとレンズの話です。"]),
    "chinese": ("zh-Hant", ["這條魚在海裡。", "電腦與網路的歷史。", "龍"]),
    "thai": ("th", ["ปีพุทธศักราช ๒๕๖๗ มีฝนตกหนัก"]),
    "english": (
        "en",
        [
            "We moved the site to Vue.js and an F# service, and C is gone but C++ stays.",
            "The H-1B rules changed, and a well-known e-book sold 2,500,000 copies.",
            "The U.K. office asked us about Wi-Fi and the A.I. group.",
            "D'Angelo and O'Neill wrote the follow-up.",
        ],
    ),
    "english-2": (
        "en",
        ["Everybody reads an ebook over wifi here.", "Node js is slow, said MP3 players. No poet reads."],
    ),
}


def make(folder: Path, talks: dict[str, tuple[str, list[str]]], **info: str) -> IndexReader:
    archive = folder / "talks"
    archive.mkdir()
    for name, (language, lines) in talks.items():
        cues = "".join(f"00:{at:02}:00.000 --> 00:{at:02}:05.000\n{line}\n\n" for at, line in enumerate(lines))
        stem = name[::-1]  # "french.vtt" would be a track of one talk in many languages
        (archive / f"{stem}.vtt").write_text(f"WEBVTT\n\n{cues}", encoding="utf-8")
        about = {"title": name, "language": language, **info}
        (archive / f"{stem}.info.json").write_text(json.dumps(about), encoding="utf-8")
    run.build_index(folder / "index", [archive], encoder=CountingEncoder())
    return open_reader(folder / "index", encoder=CountingEncoder())


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> IndexReader:
    return make(tmp_path_factory.mktemp("words"), TALKS)


def ask(index: IndexReader, text: str, mode: str = "lexical", **filters: object) -> Answer:
    return engine.search(index, Query(text, mode=mode, filters=Filters(**filters)))  # type: ignore[arg-type]


def found(index: IndexReader, text: str) -> set[str]:
    return {hit.title for hit in ask(index, text).hits}


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("horloge", "french"),
        ("aube", "french"),
        ("l'aube", "french"),
        ("entree", "french"),
        ("jusque", "french"),
        ("aujourd’hui", "french"),
        ("elle", "french"),
        ("alba", "italian"),
        ("acqua", "italian"),
        ("isola", "italian"),
        ("estate", "italian"),
        ("illa", "catalan"),
        ("aigua", "catalan"),
        ("colleccio", "catalan"),
        ("Ankara", "turkish"),
        ("isik", "turkish"),
        ("IŞIK", "turkish"),
        ("Slowik", "polish"),
        ("zolty labedz", "polish"),
        ("ksiegarni", "polish"),
        ("smorrebrod", "danish"),
        ("smoerrebroed", "danish"),
        ("oen", "danish"),
        ("Baecker", "german"),
        ("pruft", "german"),
        ("prueft", "german"),
        ("Hoehe", "german"),
        ("Türme", "german"),
        ("부산", "korean"),
        ("부산은", "korean"),
        ("기차", "korean"),
        ("도서관", "korean"),
        ("사람", "korean"),
        ("마을", "korean"),
        ("다리", "korean"),
        ("책", "korean"),
        ("יום", "hebrew"),
        ("ירושלים", "hebrew"),
        ("ספר", "hebrew"),
        ("הספרייה", "hebrew"),
        ("犬", "japanese"),
        ("庭", "japanese"),
        ("かめら", "japanese"),
        ("ｶﾒﾗ", "japanese"),
        ("鱼", "chinese"),
        ("魚", "chinese"),
        ("海", "chinese"),
        ("龙", "chinese"),
        ("电脑", "chinese"),
        ("网路", "chinese"),
        ("2567", "thai"),
        ("vuejs", "english"),
        ("vue js", "english"),
        ("Vue.js", "english"),
        ("fsharp", "english"),
        ("F sharp", "english"),
        ("C plus plus", "english"),
        ("h1b", "english"),
        ("wellknown", "english"),
        ("2500000", "english"),
        ("2 500 000", "english"),
        ("2.500.000", "english"),
        ("UK", "english"),
        ("AI", "english"),
        ("dangelo", "english"),
        ("Angelo", "english"),
        ("ONeill", "english"),
        ("followup", "english"),
        ("follow up", "english"),
        ("nodejs", "english-2"),
        ("Node.js", "english-2"),
        ("mp 3", "english-2"),
        ("MP-3", "english-2"),
    ],
)
def test_a_word_is_found_however_it_is_written(index: IndexReader, query: str, title: str) -> None:
    assert title in found(index, query)


@pytest.mark.parametrize("query", ["ebook", "e-book", "wifi", "Wi-Fi", "wi-fi"])
def test_both_ways_to_write_it_are_found_by_either(index: IndexReader, query: str) -> None:
    assert found(index, query) >= {"english", "english-2"}


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("hui", "french"),
        ("Neill", "english"),
        ("pot", "english-2"),
        ("שה", "hebrew"),
        ("마", "korean"),
        ("C#", "english"),
        ("nue", "german"),
        ("猫", "japanese"),
        ("kamera", "japanese"),
        ("25", "english"),
        ("us", "english-2"),
    ],
)
def test_what_only_looks_like_it_is_not_found(index: IndexReader, query: str, title: str) -> None:
    assert title not in found(index, query)


def test_poet_is_no_pot_with_an_umlaut(tmp_path: Path) -> None:
    reader = make(tmp_path, {"pots": ("en", ["a pot of tea"]), "tiegel": ("de", ["voll Tee, sagt Frau Knöt"])})
    assert found(reader, "poet") == set()
    assert found(reader, "Knoet") == {"tiegel"}


def test_a_word_that_is_no_word_is_not_cut_at_every_letter(tmp_path: Path) -> None:
    first, second = "ab" * 16, "cd" * 17
    index = make_single(tmp_path / "talks", f"It is {first[:-2]} {second} today, and {first} {second} tomorrow.")
    assert ask(index, first[:-2] + second).hits
    assert not ask(index, first + second).hits


def test_c_with_plus_signs_is_another_language(index: IndexReader) -> None:
    marked = {ask(index, query).hits[0].matches for query in ("C", "C++")}
    assert len(marked) == 2


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("犬", ["犬"]),
        ("かめら", ["カメラ"]),
        ("aube", ["aube"]),
        ("부산", ["부산에서"]),
        ("電腦", ["電腦"]),
        ("vuejs", ["Vue", "js"]),
        ("2500000", ["2", "500", "000"]),
    ],
)
def test_what_is_said_is_marked_and_opened(index: IndexReader, query: str, said: list[str]) -> None:
    hit = ask(index, query).hits[0]
    assert [hit.text[start:end] for start, end in hit.matches] == said


def test_terms_of_a_phrase_are_marked_only_where_they_stand_in_a_row(tmp_path: Path) -> None:
    reader = make(tmp_path, {"gears": ("en", ["gear 4 and a GPT with 4 wheels", "here is GPT-4 itself"])})
    (hit,) = ask(reader, "GPT4").hits
    assert {hit.text[start:end] for start, end in hit.matches} <= {"GPT", "4"}
    other = make_single(tmp_path / "other", "a GPT with 4 wheels")
    assert ask(other, "GPT4").hits == ()


def make_single(folder: Path, line: str) -> IndexReader:
    folder.mkdir()
    return make(folder, {"single": ("en", [line])})


@pytest.mark.parametrize("mode", ["hybrid", "lexical"])
def test_a_character_opens_the_talk_where_it_is_said_and_not_where_its_title_is(tmp_path: Path, mode: str) -> None:
    reader = make(tmp_path, {"犬の話": ("ja", ["こんばんは。", "庭に犬がいました。"])})
    hit = ask(reader, "犬", mode).hits[0]
    assert hit.jump_ms == 60_000


# ------------------------------------------------------------------------------------------------ lines


@pytest.mark.parametrize(
    ("before", "behind", "between"),
    [
        ("今天我們談相", "對論", ""),
        ("ます。", "次は", ""),
        ("カメ", "ラ", ""),
        ("、", "「", ""),
        ("使用", "Python", " "),
        ("Python", "的", " "),
        ("2024", "年", " "),
        ("오늘은", "서울", " "),
        ("วันนี้", "เรา", " "),
        ("so", "long", " "),
        ("晚安,", "歡迎", " "),
        ("", "歡迎", " "),
    ],
)
def test_no_blank_stands_between_lines_of_chinese_and_japanese(before: str, behind: str, between: str) -> None:
    assert between_lines(before, behind) == between


def one_cue(text: str) -> Transcript:
    return read(f"WEBVTT\n\n00:01.000 --> 00:05.000\n{text}\n", "talk.vtt")


def test_words_across_rows_and_cues_are_found_marked_and_quoted(tmp_path: Path) -> None:
    reader = make(tmp_path, {"lines": ("zh-Hant", ["這是一座很老的石\n橋和一條河", "流的歷史，用 Python\n寫成"])})
    text = "這是一座很老的石橋和一條河流的歷史，用 Python 寫成"
    for query, said in (("石橋", "石橋"), ("河流", "河流"), ("历史", "歷史")):
        hit = ask(reader, query).hits[0]
        assert hit.text == text
        assert [hit.text[start:end] for start, end in hit.matches] == [said]
    for quote in ("一條河流的歷史", "石桥和一条河流"):
        hit = ask(reader, quote, "quote").hits[0]
        assert hit.quote is not None
        assert hit.quote.score == 1.0
        assert len(hit.matches) == 1
    wide = engine.search(reader, Query("歷史", mode="lexical", context_ms=60_000)).hits[0]
    assert wide.text == text
    assert [wide.text[start:end] for start, end in wide.matches] == ["歷史"]


# ------------------------------------------------------------------------------------------------ segmenters


def test_pairs_across_two_words_are_left_out_where_a_segmenter_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    words = {"机器学习的基础": ["机器", "学习", "的", "基础"], "黑猫睡": ["黑", "猫", "睡"], "今天天": ["今天"]}
    monkeypatch.setattr(segmentation, "_chinese", lambda: lambda run: words[run])
    assert segmentation.telling_terms("机器学习的基础") == ["机器", "学习", "基础"]
    assert segmentation.telling_terms("黑猫睡") == ["黑猫", "猫睡"]
    assert segmentation.telling_terms("今天天") == ["今天", "天天"]  # a segmenter that loses characters is not heard
    assert segmentation.telling_terms("on 机器学习的基础 !") == ["on", "机器", "学习", "基础"]


def test_without_a_segmenter_every_pair_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_chinese", "_japanese", "_thai"):
        monkeypatch.setattr(segmentation, name, lambda: None)
    assert segmentation.telling_terms("机器学习") == ["机器", "器学", "学习"]
    assert segmentation.telling_terms("猫の話") == ["猫の", "の话"]


@pytest.mark.parametrize(
    ("package", "query", "expected"),
    [
        ("rjieba", "機器學習的基礎", ["机器", "学习", "基础"]),
        ("budoux", "機械学習の基礎", ["机械", "学习", "基础"]),
    ],
)
def test_installed_segmenters_cut_words(package: str, query: str, expected: list[str]) -> None:
    pytest.importorskip(package)
    assert segmentation.telling_terms(query) == expected


# ------------------------------------------------------------------------------------------------ filters and names


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> IndexReader:
    folder = tmp_path_factory.mktemp("voices")
    archive = folder / "talks"
    archive.mkdir()
    lines = [
        ("Inês Gonçalves", "The mill wheel is made of oak"),
        ("Łukasz Øverby", "and the miller pays in flour"),
        ("Inês Gonçalves", "so nobody is ever poor"),
    ]
    cues = "".join(
        f"00:{at:02}:00.000 --> 00:{at:02}:05.000\n<v {who}>{said}\n\n" for at, (who, said) in enumerate(lines)
    )
    (archive / "mill.vtt").write_text(f"WEBVTT\n\n{cues}", encoding="utf-8")
    about = {"title": "Moinho", "channel": "Rádio Açores", "upload_date": "20230405", "language": "pt-BR"}
    (archive / "mill.info.json").write_text(json.dumps(about), encoding="utf-8")
    for name, language, who in (("ship", "de", "Mr Abernathy"), ("late", "zh-TW", "the fishermen")):
        (archive / f"{name}.vtt").write_text(
            f"WEBVTT\n\n00:01.000 --> 00:05.000\nthe ship of {who} comes home {name}\n", encoding="utf-8"
        )
        (archive / f"{name}.info.json").write_text(
            json.dumps({"title": name, "language": language, "upload_date": "20200101"}), encoding="utf-8"
        )
    run.build_index(folder / "index", [archive], encoder=CountingEncoder())
    return open_reader(folder / "index", encoder=CountingEncoder())


@pytest.mark.parametrize(
    ("filters", "titles"),
    [
        ({"speaker": "ines"}, {"Moinho"}),
        ({"speaker": "INÊS"}, {"Moinho"}),
        ({"speaker": "goncalves"}, {"Moinho"}),
        ({"speaker": "Gonc\u0327alves"}, {"Moinho"}),
        ({"speaker": "lukasz"}, {"Moinho"}),
        ({"speaker": "overby"}, {"Moinho"}),
        ({"speaker": "ØVERBY"}, {"Moinho"}),
        ({"channel": "acores"}, {"Moinho"}),
        ({"channel": "RADIO"}, {"Moinho"}),
        ({"language": "pt"}, {"Moinho"}),
        ({"language": "PT_br"}, {"Moinho"}),
        ({"language": "por"}, {"Moinho"}),
        ({"language": "Portuguese"}, {"Moinho"}),
        ({"language": "português"}, {"Moinho"}),
        ({"language": "de"}, {"ship"}),
        ({"language": "ger"}, {"ship"}),
        ({"language": "Deutsch"}, {"ship"}),
        ({"language": "zh"}, {"late"}),
        ({"language": "zh-Hant"}, {"late"}),
        ({"language": "Chinese"}, {"late"}),
        ({"language": "zh-Hans"}, set()),
        ({"language": "d"}, set()),
        ({"speaker": "nes gon"}, {"Moinho"}),
        ({"speaker": "%"}, set()),
    ],
)
def test_filters_are_blind_to_case_and_accents(voices: IndexReader, filters: dict[str, str], titles: set[str]) -> None:
    assert {hit.title for hit in ask(voices, "the mill", "hybrid", **filters).hits} == titles


@pytest.mark.parametrize("mode", ["hybrid", "lexical", "quote"])
def test_an_answer_that_a_filter_emptied_says_which(voices: IndexReader, mode: str) -> None:
    def note(**filters: object) -> str:
        answer = ask(voices, "mill wheel", mode, **filters)
        assert answer.hits == ()
        return answer.note

    assert note(speaker="Nobody") == "Nothing in the index passes the filter speaker “Nobody”."
    assert note(speaker="ines", channel="xyz") == "Nothing in the index passes the filter channel “xyz”."
    assert note(before="1999-01-01", language="tlh") == (
        "Nothing in the index passes the filters language “tlh” and before “1999-01-01”."
    )
    both = "the filters speaker “ines” and language “de”; without one of them" if mode == "hybrid" else "language “de”"
    assert both in note(speaker="ines", language="de")


def test_a_filter_is_named_only_where_it_is_to_blame(voices: IndexReader) -> None:
    assert ask(voices, "mill wheel", language="de").note == (
        "Nothing is found with the filter language “de”; without it there is something."
    )
    assert "filter" not in ask(voices, "zzzyx", language="de").note
    assert ask(voices, "ship", language="de").note == ""


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("Gonsalves", "Inês Gonçalves"),
        ("Goncalvez", "Inês Gonçalves"),
        ("gonçalves", "Inês Gonçalves"),
        ("Lukas", "Łukasz Øverby"),
        ("Overbye", "Łukasz Øverby"),
        ("Abernethy", "“Abernathy”"),
        ("Abbernathy", "“Abernathy”"),
    ],
)
def test_a_name_nearly_right_finds_the_person_and_is_told(voices: IndexReader, query: str, name: str) -> None:
    title = "ship" if name.startswith("“") else "Moinho"
    for mode in ("lexical", "hybrid"):
        answer = ask(voices, query, mode)
        assert title in {hit.title for hit in answer.hits}
        assert name in answer.note
        assert f"“{query}”" in answer.note


@pytest.mark.parametrize("query", ["mill", "ship", "the miller", "xylophone", "overt", "lake"])
def test_other_words_are_no_names(voices: IndexReader, query: str) -> None:
    assert "looked for too" not in ask(voices, query).note


def test_talks_are_named_without_their_accents(tmp_path: Path) -> None:
    reader = make(tmp_path, {"Łódź é"[::-1]: ("pl", ["most"])})
    for name in ("lodz", "LODZ-E", "Łódź é.vtt"):
        assert len(ask(reader, "most", talks=(name,)).hits) == 1


def test_rows_that_are_joined_are_told_and_replay() -> None:
    transcript = one_cue("今日は猫のカ\nメラの話です")
    cues, steps = clean(transcript)
    assert [cue.text for cue in cues] == ["今日は猫のカメラの話です"]
    (step,) = [step for step in steps if step.name == "join-rows"]
    assert step.detail["rows"] == 1
    work = Stage(transcript.cues, transcript.timed, RAW)
    for one in steps:
        work = replay_step(work, one)
    assert finished(work) == cues


@pytest.mark.parametrize(
    "text", ["小明：你好\n小華：再見", "so\nlong", "使用\nPython", "- 你好\n- 再見", "오늘은\n서울에서", "วันนี้\nเรา"]
)
def test_other_rows_are_not_joined(text: str) -> None:
    assert all(step.name != "join-rows" for step in clean(one_cue(text))[1])


def test_passages_like_one_say_which_filter_left_none(voices: IndexReader) -> None:
    (talk,) = voices.db.execute("SELECT id FROM talks WHERE title = 'Moinho'").fetchone()
    answer = engine.similar(voices, Query("", filters=Filters(channel="xyz")), talk, 0)
    assert answer.note == "Nothing in the index passes the filter channel “xyz”."


@pytest.mark.parametrize("character", ["犬", "の", "と", "海"])
def test_the_pairs_of_a_character_are_the_same_with_columns_and_without(index: IndexReader, character: str) -> None:
    table = index.table()
    (term,) = terms(character)
    with_columns = with_characters(table, [term], {})[term].terms
    without = with_characters(replace(table, columns=None), [term], {})[term].terms
    assert sorted(with_columns) == sorted(without) != []
    assert all(term in pair for pair in with_columns)


@pytest.mark.parametrize(
    ("query", "title"), [("Overbye", "Moinho"), ("Abernethy", "ship"), ("Gonsalves Overbye", "Moinho")]
)
def test_who_asks_for_a_person_alone_gets_that_person(voices: IndexReader, query: str, title: str) -> None:
    assert {hit.title for hit in ask(voices, query, "hybrid").hits} == {title}
    assert len(ask(voices, f"{query} ship", "hybrid").hits) > 1
