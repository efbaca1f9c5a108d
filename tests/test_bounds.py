"""What a file, a talk or a query holds at most: what is beyond is told in a sentence, and takes no time."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from talksearch.indexer.errors import QueryError, UnreadableError
from talksearch.indexer.mojibake import RepairBudget, repair_text
from talksearch.indexer.mojibake.codepages import damage
from talksearch.indexer.readers.bounds import LONGEST_WORD, MOST_IN_A_ROW, bounded
from talksearch.indexer.talks import read
from talksearch.indexer.talks.read import read_talk
from talksearch.indexer.talks.replay import replay
from talksearch.search.options import make_query

BEYOND = "999:99:99.999"
DAY_MS = 24 * 3_600_000
SAID = "The ship keeps its own time, and every bee knows when rain is near."


@pytest.mark.parametrize("length", [1, MOST_IN_A_ROW - 1, MOST_IN_A_ROW, MOST_IN_A_ROW + 1, 1_000, 50_000])
@pytest.mark.parametrize("before", ["", "x", "x y" * 66, "x" + " y" * 199])
def test_a_run_of_one_character_is_shortened_wherever_it_begins(length: int, before: str) -> None:
    within = bounded(f"{before}{'[' * length}and on")
    assert within.text == f"{before}{'[' * min(length, MOST_IN_A_ROW)}and on"
    assert bool(within.notes) == (length > MOST_IN_A_ROW)
    assert bounded(within.text).text == within.text


def test_a_word_without_end_is_shortened_and_ordinary_text_stays() -> None:
    within = bounded(f"before {'QUJD' * 10_000} behind")
    assert within.text == f"before {('QUJD' * 10_000)[:LONGEST_WORD]} behind"
    assert within.notes == ("A word of 40,000 characters was left out but for its first 2,000.",)
    for text in (SAID * 1_000, "长岸论坛" * 5_000, json.dumps([{"text": SAID, "start": n} for n in range(1_000)])):
        assert bounded(text).text is text


ENDLESS = {
    "brackets": "[",
    "braces": "{",
    "parentheses": "(",
    "blanks": " ",
    "lines": "\n",
    "dashes": "-",
    "digits": "9",
    "base64": "QUJDREVG",
    "comments": "<!--",
    "emphasis": "**a ",
    "links": "[a",
    "entities": "&amp;amp;",
    "elements": "<script>",
    "sounds": "[Music] so ",
    "notes": "♪ so ",
}


@pytest.mark.parametrize("piece", ENDLESS.values(), ids=ENDLESS)
@pytest.mark.parametrize("form", ["vtt", "json"])
def test_what_never_ends_takes_no_time(tmp_path: Path, form: str, piece: str) -> None:
    text = f"so {piece * (60_000 // len(piece))} on"
    path = tmp_path / f"a.{form}"
    if form == "vtt":
        path.write_text(f"WEBVTT\n\n00:00:01.000 --> 00:00:09.000\n{text}\n\n00:00:10.000 --> 00:00:12.000\n{SAID}\n")
    else:
        path.write_text(
            json.dumps([{"text": text, "start": 0, "duration": 9}, {"text": SAID, "start": 9, "duration": 5}])
        )
    started = time.process_time()
    talk = read_talk(path)
    assert SAID.split(",")[0] in " ".join(cue.text for cue in talk.cues)
    assert time.process_time() - started < 5  # it was minutes, for many of these
    assert replay(path.read_bytes(), path.name, talk.receipt) == talk.cues


_DEEP = 20_000
_PAGE = "".join(f"<p><b>Ana</b> [00:00:0{n}] {SAID}</p>" for n in range(1, 6))
_GROWING = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
_TTML = '<tt xmlns="http://www.w3.org/ns/ttml"><body>{}<p begin="1s" end="3s">{}</p>{}</body></tt>'
NESTED = {
    "a.ttml": _TTML.format("<div>" * _DEEP, SAID, "</div>" * _DEEP),
    "b.ttml": f'<!DOCTYPE x [<!ENTITY a0 "ha">{_GROWING}]>{_TTML.format("", "&a11;", "")}',
    "c.ttml": f'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>{_TTML.format("", "&e;", "")}',
    "a.srv3": '<timedtext format="3"><body>' + '<p t="1" d="9">' * _DEEP + f"{SAID}{'</p>' * _DEEP}</body></timedtext>",
    "a.html": f"<html><body>{'<div><p>' * _DEEP}{_PAGE}</body></html>",
    "b.html": f"<html><body>{_PAGE}{'<b>' * _DEEP}{'<i>' * _DEEP}x</body></html>",
    "a.smi": f"<SAMI><BODY>{'<SYNC Start=1000><P>' * _DEEP}{SAID}<SYNC Start=9000><P>x</BODY></SAMI>",
    "a.json": "[" * _DEEP + "]" * _DEEP,
    "b.json": '{"segments":' * _DEEP + "[]" + "}" * _DEEP,
    "c.json": json.dumps([{"text": SAID, "start": 1, "duration": 2}])[:-2]
    + ',"x":'
    + '{"a":[' * 400
    + "]}" * 400
    + "}]",
    "a.jsonl": f'{{"start":1,"end":2,"text":"{SAID}","x":{"[" * _DEEP}{"]" * _DEEP}}}\n' * 2,
    "a.vtt": f"WEBVTT\n\n00:01.000 --> 00:03.000\n{'<i>' * _DEEP}{SAID}{'</i>' * _DEEP}\n",
}
"""Files in which something is opened without end, or grows without bound where it is resolved."""


_TOLD = {
    "a.ttml": "nested too deeply", "b.ttml": "declares entities", "c.ttml": "declares entities",
    "a.srv3": "nested too deeply", "b.json": "nested too deeply", "a.json": "no kind of transcript",
    "a.html": "HTML without a transcript", "b.html": "HTML without a transcript",
}  # fmt: skip
"""Why those of them are refused that are."""


@pytest.mark.parametrize("name", NESTED)
def test_what_is_nested_without_end_is_read_or_refused_in_a_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(NESTED[name])
    started = time.process_time()
    if name in _TOLD:
        with pytest.raises(UnreadableError, match=_TOLD[name]):
            read_talk(tmp_path / name)
    else:
        assert "The ship" in " ".join(cue.text for cue in read_talk(tmp_path / name).cues)
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.info.json", '{"title":"Ships","x":' + "[" * _DEEP + "]" * _DEEP + "}"),
        ("a.nfo", f"<episodedetails><title>Ships</title>{'<x>' * _DEEP}{'</x>' * _DEEP}</episodedetails>"),
        ("a.nfo", f'<!DOCTYPE x [<!ENTITY a0 "ha">{_GROWING}]><episodedetails><title>&a11;</title></episodedetails>'),
        ("feed.xml", f"<rss><channel><item><title>a</title>{'<x>' * _DEEP}{'</x>' * _DEEP}</item></channel></rss>"),
        ("a.psc", f'<psc:chapters xmlns:psc="p">{"<x>" * _DEEP}{"</x>" * _DEEP}</psc:chapters>'),
        ("a.chapters.json", '{"chapters":' + "[" * _DEEP + "]" * _DEEP + "}"),
    ],
)
def test_what_is_nested_without_end_beside_a_talk_ends_no_run(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "a.srt").write_text(f"1\n00:00:01,000 --> 00:00:03,000\n{SAID}\n")
    (tmp_path / name).write_text(text)
    started = time.process_time()
    assert read_talk(tmp_path / "a.srt").cues
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.vtt", "WEBVTT\n\n00:01.000 --> 00:09.000\n"
            f"so <{BEYOND}>it {BEYOND} --> {BEYOND} on\n\n00:09.000 --> {BEYOND}\nand\n"),
        ("a.txt", f"[00:01] hello\n[{BEYOND}] there\n[00:09] friend\n"),
        ("a.json", json.dumps([{"text": SAID, "start": n, "duration": 3} for n in (10**400, 5, 9)])),
        ("b.json", '[{"text":"a","start":1e308,"duration":NaN},{"text":"so","start":5},{"text":"on","start":8}]'),
    ],
)  # fmt: skip
def test_times_that_no_talk_has_end_no_run(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    talk = read_talk(tmp_path / name)
    assert all(0 <= cue.start_ms <= cue.end_ms < DAY_MS for cue in talk.cues)
    assert all(0 <= word.start_ms < DAY_MS for cue in talk.cues for word in cue.words)


def test_what_is_written_about_a_talk_has_bounds_and_the_receipt_says_so(tmp_path: Path) -> None:
    chapters = "".join(f"{n // 60}:{n % 60:02} Part {n}\n" for n in range(5))
    (tmp_path / "a.txt").write_text(f"Title: {'long ' * 1_000}\nURL: https://a.example/1\nContent: {SAID}\n")
    (tmp_path / "a.description").write_text(f"{chapters}{SAID * 2_000}")
    talk = read_talk(tmp_path / "a.txt")
    assert len(talk.title) <= 1_000
    assert len(talk.description) <= 50_000
    told = " ".join(talk.receipt.uncertain)
    assert "The title has 4,999 characters; those behind the first 1,000 were left out." in told
    assert "The description has" in told


def test_a_file_that_would_not_fit_memory_is_told_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "LARGEST_BYTES", 1_000_000)
    (tmp_path / "a.txt").write_text("so " * 700_000)
    with pytest.raises(UnreadableError) as told:
        read_talk(tmp_path / "a.txt")
    assert told.value.message == "The file has 2 MB; a transcript has at most 1."
    assert told.value.hint


def test_json_may_have_more_bytes_and_what_has_millions_of_values_or_words_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "LARGEST_BYTES", 1_000)
    segments = [{"start": n, "end": n + 1, "text": SAID} for n in range(40)]
    (tmp_path / "a.json").write_text(json.dumps({"segments": segments}))
    assert len(read_talk(tmp_path / "a.json").cues) == 40
    monkeypatch.setattr(read, "_LONG", 100)
    monkeypatch.setattr(read, "MOST_PIECES", 60)
    (tmp_path / "a.txt").write_text("so " * 61)
    for name, said in (("a.json", "159 values"), ("a.txt", "61 words and lines")):
        with pytest.raises(UnreadableError) as told:
            read_talk(tmp_path / name)
        assert told.value.message == f"The file has {said}; a transcript has at most 60."
        assert told.value.hint


def test_a_repair_that_would_take_too_long_leaves_the_text_as_it_was() -> None:
    misread = damage("Über den Brücken, naïve Cafés. " * 10, "windows-1252")
    assert repair_text(misread).text.startswith("Über den Brücken")
    given_up = repair_text(misread, RepairBudget(100))
    assert given_up.text == misread
    assert given_up.gave_up
    assert not given_up.edits


def test_where_words_would_take_too_long_letters_decide() -> None:
    written = "医生建议他少吃盐，多运动，每天保证八小时睡眠。"
    misread = damage(written, "windows-1253")
    words = RepairBudget(most_on_words=1)
    by_letters = repair_text(misread, RepairBudget(whole=words))
    assert not words.spend_on_words(0)
    assert not by_letters.gave_up
    assert repair_text(misread).text == written
    assert sum(char != other for char, other in zip(by_letters.text, written, strict=True)) == 1


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("bees " * 1_500, {}, "The query has 1,500 words."),
        (" ".join(f'"w{n}"' for n in range(20)), {}, "The query has 20 quotations."),
        (f'"{"a b " * 300}"', {}, "A quotation has 600 words."),
        ("长" * 400, {"mode": "quote"}, "A quotation has 400 words."),
        ("bees", {"talks": ["x"] * 2_000}, "The search names 2,000 talks."),
        ("bees", {"speaker": "x" * 20_000}, "Speaker has 20,000 characters."),
    ],
)
def test_a_query_without_end_is_refused_in_a_sentence(text: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(QueryError) as told:
        make_query(text, **options)
    assert told.value.message == message
    assert told.value.hint


@pytest.mark.parametrize(
    "line", ["A" + "\t" * 300 + "x", "*" * 400 + "Ana:** x [0:06]", "A" + " " * 138 + "1", "[0:01" + "*" * 300]
)
def test_a_line_that_is_drawn_takes_no_time(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.txt").write_text(f"[0:01] {SAID * 20}\n\n" + f"{line}\n\n" * 3 + f"[0:09] {SAID * 20}\n")
    started = time.process_time()
    assert read_talk(tmp_path / "a.txt").cues
    assert time.process_time() - started < 5  # it was minutes
