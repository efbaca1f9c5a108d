"""Mojibake: what is damaged comes back, what is healthy stays, and the repair can be undone."""

from __future__ import annotations

import json
import time
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talksearch.indexer.mojibake import Edit, Repair, repair_text, replay
from talksearch.indexer.mojibake.codepages import CODECS, damage, decoding_table

HERE = Path(__file__).parent
SHARED = HERE / ".." / ".." / "shared"
CASES = json.loads((HERE / "cases" / "mojibake.json").read_text("utf-8"))
TEXTS = json.loads((HERE / ".." / "benchmarks" / "mojibake_texts.json").read_text("utf-8"))
SEED_TITLE = "😱一個人的 300 億台幣公司？Claude 4 創辦人對 AI 未來的驚人預言！網路資安、生物醫學將成熱點"
realdata = [
    pytest.mark.realdata,
    pytest.mark.skipif(not SHARED.exists(), reason="the real talks of ../shared are not here"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["label"])
def test_case(case):
    repair = repair_text(case["original"])
    assert repair.text == case["expected"]
    if case["original"] == case["expected"]:
        assert repair.edits == ()


@pytest.mark.parametrize("language", TEXTS)
def test_healthy_text_in_every_language_is_left_alone(language):
    text = "\n".join(TEXTS[language])
    assert repair_text(text) == Repair(text)
    assert [s for s in TEXTS[language] if repair_text(s).edits] == []


@pytest.mark.parametrize("page", ["windows-1252", "windows-1250", "windows-1254", "mac-roman", "latin-1"])
@pytest.mark.parametrize("language", ["zh-Hant", "ja", "ru", "ar", "fr", "th"])
def test_damaged_text_comes_back(language, page):
    clean = "\n".join(TEXTS[language][:10])
    repair = repair_text(damage(clean, page))
    matched = sum(b.size for b in SequenceMatcher(None, clean, repair.text, autojunk=False).get_matching_blocks())
    assert len(clean) - matched <= 0.03 * sum(c > "\x7f" for c in clean)


@pytest.mark.parametrize("page", ["windows-1252", "windows-1254", "mac-roman"])
@pytest.mark.parametrize("language", ["zh-Hans", "ko", "el", "cs"])
def test_damaging_the_repaired_text_again_gives_the_original(language, page):
    damaged = damage("\n".join(TEXTS[language][:6]), page)
    assert damage(repair_text(damaged).text, page) == damaged


TWICE = [
    "It’s fine, isn’t it?",
    "It’s the café’s tide.",
    "naïve … —",
    "“Yes,” she said – it’s true.",
    "Größe über alles, voilà",
    "Привет мир как дела",
    "你好世界我们",
]


@pytest.mark.parametrize("first", ["latin-1", "windows-1252"])
@pytest.mark.parametrize("last", ["latin-1", "windows-1252"])
@pytest.mark.parametrize("text", TWICE)
def test_two_readings_that_lost_nothing_are_both_undone(text, first, last):
    damaged = damage(damage(text, first, b""), last, b"")
    repair = repair_text(damaged)
    assert repair.text == text
    assert replay(damaged, repair.edits) == text
    assert all(edit.certain for edit in repair.edits)


def test_words_read_once_and_twice_in_one_line():
    twice = damage(damage("isn’t", "latin-1", b""), "windows-1252", b"")
    damaged = f"The {damage('café', 'windows-1252')} {twice} open"
    assert repair_text(damaged).text == "The café isn’t open"


@pytest.mark.parametrize("times", [3, 4])
def test_a_reading_is_not_undone_by_half(times):
    damaged = "It’s the moon, isn’t it?"
    for _ in range(times):
        damaged = damage(damaged, "latin-1", b"")
    mended = repair_text(damaged).text
    assert mended == damaged or not any("\x80" <= c <= "\x9f" for c in mended)


def test_healthy_and_damaged_lines_side_by_side():
    lines = ["Über alles “geht” es gut.", damage("Всё хорошо, спасибо за внимание", "windows-1252"), "Её сёстры — там"]
    assert repair_text("\n".join(lines)).text.split("\n") == [
        "Über alles “geht” es gut.",
        "Всё хорошо, спасибо за внимание",
        "Её сёстры — там",
    ]


def test_lines_of_different_histories():
    first, second = "Мы познакомились двадцать лет назад", "这家餐厅的红烧肉非常好吃"
    text = damage(first, "mac-roman") + "\n" + damage(second, "windows-1252")
    assert repair_text(text).text == f"{first}\n{second}"


def test_twice_over():
    clean = "Спасибо за внимание! Теперь я готов ответить на вопросы."
    once = damage(clean, "windows-1252", b"")
    assert repair_text(damage(once, "windows-1252", b"")).text == clean


def test_edits_say_what_was_done_and_replay():
    text = "Le cafÃ© est ouvert"
    repair = repair_text(text)
    assert repair.edits == (Edit(6, 8, "Ã©", "é", "windows-1252", True, ()),)
    assert replay(text, repair.edits) == repair.text == "Le café est ouvert"
    assert repair.repaired == {"windows-1252": 1}
    assert repair.uncertain == ()


def test_readings_that_stay_close_are_named():
    repair = repair_text(damage("今天很开心 😁 谢谢大家的支持 😁", "windows-1252"))
    faces = [edit for edit in repair.uncertain if edit.before == "ðŸ˜"]
    assert len(faces) == 2
    assert all("😁" in (edit.after, *edit.alternatives) for edit in faces)
    assert all(len(edit.alternatives) >= 1 for edit in faces)


def test_what_is_called_certain_is_right():
    wrong = sure = 0
    for language in ("zh-Hans", "zh-Hant", "ja", "el", "th"):
        clean = "\n".join(TEXTS[language][:12])
        starts, at = {}, 0
        for i, c in enumerate(clean):
            starts[at] = i
            at += len(damage(c, "windows-1252"))
        for edit in repair_text(damage(clean, "windows-1252")).edits:
            if edit.certain:
                expected = clean[starts[edit.start] :][: len(edit.after)]
                wrong += sum(a != b for a, b in zip(expected, edit.after, strict=True))
                sure += len(edit.after)
    assert sure > 1000
    assert wrong <= 0.005 * sure


def test_pages_that_differ_in_what_they_lose_are_told_apart_by_it():
    # ώ (CF 8E) keeps both bytes in windows-1252 and loses one in windows-1254; most letters look the same in both.
    clean = "\n".join(["Καλημέρα σε όλους και καλή εβδομάδα"] * 12 + ["των ανθρώπων και των χωρών"] * 2)
    for page in ("windows-1252", "windows-1254"):
        repair = repair_text(damage(clean, page))
        assert repair.text == clean
        assert set(repair.repaired) == {page}


def test_an_opening_bracket_is_told_by_its_closing_one_anywhere_in_the_line():
    for clean in ("【長岸論壇】潮間帶的科學", "他說：「我們明天早上一起去吧」", "彼は『吾輩は猫である』を読んだ。"):
        assert repair_text(damage(clean, "windows-1252")).text == clean


def test_habits_of_a_text_decide_where_its_words_do_not():
    lines = [
        "雄心与前瞻性",
        "能力与自主性",
        "影响与未来应用",
        "安全与能力并行",
        "人工智能与社会",
        "内存管理与长任务",
        "亮点与即时影响",
    ]
    clean = "\n".join(lines)
    assert repair_text(damage(clean, "windows-1254")).text == clean


def test_damage_drops_what_the_page_lacks_and_the_soft_hyphen():
    assert damage("對 í", "windows-1254") == "å° Ã"
    assert damage("對", "windows-1254", b"") == "å°\x8d"
    assert damage("é", "windows-1252", {0xA9}) == "Ã"


@pytest.mark.parametrize("page", CODECS)
def test_damage_reads_what_python_reads(page):
    clean = "żółć Ωμέγα 你好"
    table = decoding_table(page)
    whole = all(table[b] for b in clean.encode("utf-8"))
    if whole:
        assert damage(clean, page, b"") == clean.encode("utf-8").decode(CODECS[page])


@given(st.text(max_size=80))
@settings(max_examples=150, deadline=None)
def test_edits_cover_the_original_in_order_and_replay(text):
    repair = repair_text(text)
    assert all(text[e.start : e.end] == e.before for e in repair.edits)
    assert all(a.end <= b.start for a, b in zip(repair.edits, repair.edits[1:], strict=False))
    assert replay(text, repair.edits) == repair.text


@given(st.text(alphabet=st.characters(max_codepoint=0x7F)))
def test_ascii_is_never_touched(text):
    assert repair_text(text) == Repair(text)


class TestRealTalks:
    pytestmark = realdata

    @staticmethod
    def seed() -> tuple[str, str]:
        text = next((SHARED / "archive" / "seed").glob("*.txt")).read_text("utf-8")
        cut = text.index("Content:")
        return text[:cut], text[cut:]

    @staticmethod
    @cache
    def repaired_header() -> str:
        header, _ = TestRealTalks.seed()
        return repair_text(header).text

    def test_the_seeds_title_is_exactly_this(self):
        header, content = self.seed()
        repair = repair_text(header + content)
        assert f"Title: {SEED_TITLE}\n" in repair.text
        assert repair.text.endswith(content)
        assert all(edit.end <= len(header) for edit in repair.edits)

    def test_the_seeds_description_reads_as_it_was_written(self):
        text = self.repaired_header()
        for words in (
            "的亮点与即时影响",
            "能力与自主性",
            "低至几美分",
            "安全、能力与“火速之巅”",
            "雄心与前瞻性",
            "影响与未来应用",
        ):
            assert words in text
        assert all(mark.count("“") == mark.count("”") for mark in text.split("\n"))

    def test_the_title_alone_is_repaired_as_well(self):
        header, _ = self.seed()
        title = header.split("Title: ")[1].split("\n")[0]
        assert repair_text(title).text == SEED_TITLE

    def test_corrupting_the_repaired_header_again_gives_the_original(self):
        header, _ = self.seed()
        repaired = self.repaired_header()
        assert damage(repaired, "windows-1254") == header
        assert repaired != header

    def test_no_healthy_archive_file_is_changed(self):
        files = [p for p in (SHARED / "archive").rglob("*") if p.is_file() and "seed" not in p.parts]
        changed = [p.name for p in files if repair_text(p.read_text("utf-8", "replace")).edits]
        assert changed == []

    def test_no_gold_query_is_changed(self):
        changed = []
        for path in (SHARED / "gold").glob("*.jsonl"):
            for line in path.read_text("utf-8").splitlines():
                row = json.loads(line)
                changed += [value for value in row.values() if isinstance(value, str) and repair_text(value).edits]
        assert changed == []

    def test_healthy_text_runs_at_a_megabyte_a_second(self):
        files = sorted((SHARED / "archive" / "rolling").glob("*.vtt"))[:12]
        text = "\n".join(p.read_text("utf-8") for p in files)
        started = time.perf_counter()
        repair_text(text)
        assert len(text.encode("utf-8")) / (time.perf_counter() - started) > 1e6
