"""Every shape a transcript comes in, whole and damaged, and what is no transcript."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.readers import decode, read, sniff, timed_text
from talksearch.indexer.readers.cue_times import RawCue, mend
from talksearch.indexer.records import Chapter, Transcript, Word
from talksearch.indexer.talks.read import read_talk
from talksearch.indexer.talks.receipt import changes
from talksearch.indexer.talks.replay import replay

SHARED = Path(__file__).parent / ".." / ".." / "shared"
CUES = [(1000, 2500, "Hello there."), (2500, 4000, "Time flies.")]

VTT = (
    "WEBVTT\n\n00:01.000 --> 00:02.500 align:start position:0%\nHello there.\n\n00:02.500 --> 00:04.000\nTime flies.\n"
)
SRT = "1\n00:00:01,000 --> 00:00:02,500\nHello there.\n\n2\n00:00:02,500 --> 00:00:04,000\nTime flies.\n"
SBV = "0:00:01.000,0:00:02.500\nHello there.\n\n0:00:02.500,0:00:04.000\nTime flies.\n"
TSV = "start\tend\ttext\n1000\t2500\tHello there.\n2500\t4000\tTime flies.\n"
WHISPER = {"text": "", "language": "en", "segments": [
    {"start": 1.0, "end": 2.5, "text": " Hello there."}, {"start": 2.5, "end": 4.0, "text": " Time flies."},
]}  # fmt: skip
WHISPER_CPP = {"result": {"language": "en"}, "transcription": [
    {"offsets": {"from": 1000, "to": 2500}, "text": " Hello there."},
    {"offsets": {"from": 2500, "to": 4000}, "text": " Time flies."},
]}  # fmt: skip
API = [{"text": "Hello there.", "start": 1.0, "duration": 1.5}, {"text": "Time flies.", "start": 2.5, "duration": 1.5}]
JSON3 = {"wireMagic": "pb3", "events": [
    {"tStartMs": 0, "dDurationMs": 9000, "id": 1},
    {"tStartMs": 1000, "dDurationMs": 1500, "segs": [{"utf8": "Hello there."}]},
    {"tStartMs": 2500, "dDurationMs": 1500, "segs": [{"utf8": "Time flies."}]},
]}  # fmt: skip
PRINTED = "[00:00:01.000 --> 00:00:02.500]   Hello there.\n[00:00:02.500 --> 00:00:04.000]   Time flies.\n"


def spoken(found: Transcript) -> list[tuple[int, int, str]]:
    return [(cue.start_ms, cue.end_ms, cue.text) for cue in found.cues if cue.text.strip()]


@pytest.mark.parametrize(
    ("form", "name", "content"),
    [
        ("vtt", "talk.vtt", VTT),
        ("vtt", "talk.txt", VTT),
        ("vtt", "talk.vtt", VTT.replace("WEBVTT\n\n", "")),
        ("vtt", "talk.vtt", VTT.replace("WEBVTT\n", "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000\n")),
        ("vtt", "talk.vtt", VTT.replace("00:01.000", "NOTE a note\nof two lines\n\n000:00:01.000")),
        (
            "vtt",
            "talk.vtt",
            VTT.replace("WEBVTT\n\n", "WEBVTT - title\n\nSTYLE\n::cue { color: red }\n\nREGION\nid:a\n\n"),
        ),
        ("vtt", "talk.vtt", VTT.replace("00:02.500 --> 00:04", "the second\n00:00:02.500 --> 00:00:04")),
        ("vtt", "talk.vtt", VTT.replace("\n\n00:02.500 -->", "\n00:02.500 -->")),
        ("vtt", "talk.vtt", VTT.replace("00:04.000", "00:03.60")),
        ("srt", "talk.srt", SRT),
        ("srt", "talk", SRT),
        ("srt", "talk.srt", SRT.replace("1\n", "").replace("2\n", "")),
        ("srt", "talk.srt", SRT.replace("\n\n2\n", "\n2\n")),
        ("srt", "talk.srt", SRT.replace("2\n00", "7\n00").replace(" --> ", "-->")),
        ("srt", "talk.srt", SRT.replace(",000", ":000").replace("00:04:000", "00:04,000")),
        ("sbv", "talk.sbv", SBV),
        ("tsv", "talk.tsv", TSV),
        ("tsv", "talk.tsv", TSV.partition("\n")[2]),
        ("whisper-json", "talk.json", json.dumps(WHISPER)),
        ("whisper-json", "talk.json", json.dumps(WHISPER_CPP)),
        ("ytapi", "talk.json", json.dumps(API, indent=1)),
        ("ytapi", "talk.json", json.dumps({"snippets": API})),
        ("json3", "talk.json3", json.dumps(JSON3)),
        ("text", "talk.txt", PRINTED),
        ("markdown", "talk.md", PRINTED),
    ],
)
def test_every_shape_gives_the_same_cues(form: str, name: str, content: str) -> None:
    assert sniff(content, name) == form
    found = read(content, name)
    ends = [min(end, 3600) if "03.60" in content else end for _, end, _ in CUES]
    assert spoken(found) == [(start, end, text) for (start, _, text), end in zip(CUES, ends, strict=True)]
    assert found.format == form
    assert found.timed


@pytest.mark.parametrize(
    "content",
    [
        "0:01\nHello there.\n0:03\nTime flies.\n1:00:01\nThe end.\n",
        "[00:01] Hello there.\n[00:03] Time flies.\n[1:00:01] The end.\n",
        "(0:01) Hello there.\n\n(0:03) Time\nflies.\n\n(1:00:01) The end.\n",
        "**[00:00:01]** Hello there.\n\n**[00:00:03]** Time flies.\n\n**[01:00:01]** The end.\n",
        "- 00:01 - Hello there.\n- 00:03 - Time flies.\n- 1:00:01 - The end.\n",
        "00:00:01.000 Hello there.\n00:00:03.000 Time flies.\n01:00:01.000 The end.\n",
        "[0:01](https://youtu.be/DTcRLlMv4_o?t=1) Hello there.\n[0:03](https://youtu.be/DTcRLlMv4_o?t=3) Time flies.\n"
        "[1:00:01](https://youtu.be/DTcRLlMv4_o?t=3601) The end.\n",
        "[0:01]Hello there.\n[0:03]Time flies.\n[1:00:01]The end.\n",
    ],
)
def test_times_at_the_beginning_of_lines(content: str) -> None:
    found = read(content, "talk.md")
    assert [(cue.start_ms, " ".join(cue.text.split())) for cue in found.cues] == [
        (1000, "Hello there."),
        (3000, "Time flies."),
        (3_601_000, "The end."),
    ]
    assert found.cues[1].end_ms < 60_000, "two words do not last an hour"
    assert found.url == ("https://www.youtube.com/watch?v=DTcRLlMv4_o" if "youtu.be" in content else None)


def test_a_name_stands_before_its_time() -> None:
    found = read("Ann Lee  0:03  \nSo welcome.\n\nBob Ray (0:10):\nThanks a lot.\n\nAnn Lee  0:12\nYes.\n", "talk.txt")
    assert [(cue.start_ms, cue.speaker, cue.text) for cue in found.cues] == [
        (3000, "Ann Lee", "So welcome."),
        (10_000, "Bob Ray", "Thanks a lot."),
        (12_000, "Ann Lee", "Yes."),
    ]


def test_markdown_carries_metadata_and_chapters() -> None:
    text = (
        "---\ntitle: 'On time'\nspeaker: Ann Lee\ndate: 2024-05-01\nurl: https://youtu.be/DTcRLlMv4_o\n---\n\n"
        "## Begin\n[0:00] One *two*.\n\n## [0:30] Middle\nThree.\n\n## End\n[1:00] Four.\n"
    )
    found = read(text, "talk.md")
    assert (found.title, found.speaker, found.date, found.url) == (
        "On time", "Ann Lee", "2024-05-01", "https://youtu.be/DTcRLlMv4_o",
    )  # fmt: skip
    assert found.chapters == (Chapter(30_000, "Middle"), Chapter(60_000, "End"))
    assert [cue.text for cue in found.cues] == ["One two.", "Three.", "Four."]


@pytest.mark.parametrize(
    ("value", "speaker"), [("Ana Ruiz # host", "Ana Ruiz"), ("'Ana # Ruiz'", "Ana # Ruiz"), ("Ana#Ruiz", "Ana#Ruiz")]
)
def test_a_comment_in_front_matter_is_no_value(value: str, speaker: str) -> None:
    front = timed_text.Front()
    assert timed_text.read_front_matter(["---", f"speaker: {value}", "---"], front) == 3
    assert front.values == {"speaker": speaker}


def test_word_times_are_kept() -> None:
    whisper: dict[str, Any] = {"segments": [{"start": 1, "end": 2, "text": " Hello un-known", "words": [
        {"word": " Hello", "start": 1.1, "end": 1.2}, {"word": " un", "start": 1.3}, {"word": "-known", "start": 1.4},
    ]}]}  # fmt: skip
    assert read(json.dumps(whisper), "a.json").cues[0].words == (Word("Hello", 1100), Word("un-known", 1300))
    whisperx: dict[str, Any] = {"segments": [{"start": 1, "end": 2, "text": "In 2024", "speaker": "S1", "words": [
        {"word": "In", "start": 1.1}, {"word": "2024"},
    ]}]}  # fmt: skip
    cue = read(json.dumps(whisperx), "a.json").cues[0]
    assert (cue.words, cue.speaker) == ((Word("In", 1100), Word("2024", 1100)), "S1")
    json3: dict[str, Any] = {"events": [
        {"tStartMs": 160, "dDurationMs": 5000, "wWinId": 1, "segs": [
            {"utf8": "hello", "acAsrConf": 0}, {"utf8": " world", "tOffsetMs": 320}]},
        {"tStartMs": 1500, "aAppend": 1, "segs": [{"utf8": "\n"}]},
        {"tStartMs": 1510, "dDurationMs": 2000, "segs": [{"utf8": "again"}]},
    ]}  # fmt: skip
    found = read(json.dumps(json3), "a.json3")
    assert found.origin == "automatic"
    assert [(cue.start_ms, cue.end_ms, cue.words) for cue in found.cues] == [
        (160, 1510, (Word("hello", 160), Word("world", 480))),
        (1510, 3510, ()),
    ]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.vtt", b"", "empty"),
        ("a.vtt", b"\xef\xbb\xbf\r\n", "empty"),
        ("a.vtt", b"WEBVTT\n", "no cues"),
        ("a.vtt", b"WEBVTT\n\nNOTE nothing\n", "no cues"),
        ("a.vtt", b"WEBVTT\n\n00:01.000 --> 00:02.000\n\n", "no cues"),
        ("a.srt", b"just words, no times", "no cues"),
        ("a.txt", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "binary"),
        ("a.txt", bytes(range(1, 256)) * 4, "binary"),
        ("a.txt", b"So we" + bytes(15) + b"begin.", "binary"),
        ("a.txt", "我们在这里讨论。\n".encode("utf-16-le"), "binary"),
        ("a.vtt", b"WEBVTT\n\n100:00:01.000 --> 100:00:02.000\nHello\n", "Line 3 is timed 100:00:02"),
        ("a.info.json", b'{"title": "x", "formats": []}', "metadata"),
        ("a.json", b'{"a": 1}', "no kind of transcript"),
        ("a.json", b'{"segments": [', "broken at line 1"),
        ("a.json", b"[" * 100_000, "nested"),
        ("a.jsonl", b'{"a": 1}\n{"a": 2}\n', "one a line"),
        ("a.html", b"<!DOCTYPE html><p>Hello", "HTML"),
        ("a.xml", b"<?xml version='1.0'?><tt>", "no cues"),
        ("a.csv", b"a,b\n1,2\n", ".csv"),
        ("a.py", b"import os\nprint(os)\n", ".py"),
        ("a.json3", b'{"events": []}', "no cues"),
        ("LICENSE", b"Permission is hereby granted", "no times"),
        ("requirements.txt", b"numpy\nscipy\npandas\n", "no times"),
        ("a.txt", b"1 2 3 4 5\n6 7 8 9 0\n", "no words"),
    ],
)
def test_what_is_no_transcript_is_refused_with_a_reason(name: str, content: bytes, said: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        read(decode(content)[0], name)
    assert said in caught.value.message


_WRITTEN = "WEBVTT\n\n00:01.000 --> 00:02.000\nThe café opens.\n\n"


@pytest.mark.parametrize(
    ("data", "zeros"),
    [
        (_WRITTEN.encode() + bytes(4_096), 4_096),
        (_WRITTEN.encode() + bytes(1), 1),
        (_WRITTEN.encode("utf-8-sig") + bytes(7), 7),
        (_WRITTEN.encode("cp1252") + bytes(512), 512),
        (_WRITTEN.replace("\n\n", "\n\n" + "\0" * 512).encode(), 1_024),
    ],
    ids=["a block", "one", "with a mark", "windows-1252", "two blocks inside"],
)
def test_what_was_written_of_a_file_whose_rest_is_zeros_is_read(data: bytes, zeros: int, tmp_path: Path) -> None:
    for name, content in (("whole", _WRITTEN.encode()), ("cut", data)):
        (tmp_path / f"{name}.vtt").write_bytes(content)
    whole, cut = (read_talk(tmp_path / f"{name}.vtt") for name in ("whole", "cut"))
    assert cut.cues == whole.cues
    assert replay(data, "cut.vtt", cut.receipt) == cut.cues
    assert any(f"{zeros:,} zero byte" in note for note in cut.receipt.uncertain)
    assert any("zeros" in step.detail for step in changes(cut.receipt))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"a\r\nb\rc\n", "a\nb\nc\n"),
        ("café".encode("utf-8-sig"), "café"),
        ("café 时间".encode("utf-16"), "café 时间"),
        ("café".encode("utf-32"), "café"),
        ("caf\u00e9 is here\n".encode("utf-16-le"), "café is here\n"),
        ("“café” – naïve".encode("cp1252"), "“café” – naïve"),
        ("你好\n".encode() + b"caf\xe9\n", "你好\ncafé\n"),
        ("добрый день, говорим о времени".encode("cp1251"), "добрый день, говорим о времени"),
        ("добрый день, говорим о времени".encode("koi8-r"), "добрый день, говорим о времени"),
        ("大家好，今天我们来谈谈时间".encode("gb2312"), "大家好，今天我们来谈谈时间"),
        ("大家好，今天我們來談談時間".encode("big5"), "大家好，今天我們來談談時間"),
        ("今日は時間について話します".encode("shift_jis"), "今日は時間について話します"),
        ("오늘은 시간에 대해 이야기합니다".encode("euc_kr"), "오늘은 시간에 대해 이야기합니다"),
        ("ok 你好 ".encode() + b"\xe4\xbd bad", "ok 你好 \ufffd bad"),
        (b"\xe2\x80 broken quote", "\ufffd broken quote"),
    ],
)
def test_bytes_become_text(data: bytes, text: str) -> None:
    found, steps, notes = decode(data)
    assert found == text
    assert bool(notes) is not (data.isascii() or data[:2] in (b"\xef\xbb", b"\xff\xfe"))
    assert all(step.name == "decode" for step in steps)


def test_a_cue_with_a_whole_talk_in_it_is_read_as_untimed() -> None:
    words = "This is a sentence of the talk. " * 300
    found = read(f"WEBVTT\n\n00:00:00.000 --> 00:00:02.000\n{words}\n", "talk.vtt")
    assert not found.timed
    assert len(found.cues) == 300
    assert " ".join(cue.text for cue in found.cues).split() == words.split()
    assert "line 3" in found.uncertain[0]


def test_an_arrow_in_what_is_said_costs_no_words() -> None:
    found = read(
        "WEBVTT\n\n00:01.000 --> 00:04.000\nThe map\nA --> B\nis onto.\n\n00:04.000 --> 00:05.000\nYes.\n", "a.vtt"
    )
    assert spoken(found) == [(1000, 4000, "The map\nA --> B\nis onto."), (4000, 5000, "Yes.")]


def test_an_end_that_means_nothing_is_mended() -> None:
    found = read("WEBVTT\n\n00:00:01.000 --> 99:59:59.000\nHello there.\n", "talk.vtt")
    assert spoken(found) == [(1000, 2800, "Hello there.")]
    assert found.steps[0].name == "mend-times"


@pytest.mark.parametrize(
    ("starts", "expected"),
    [
        ([0, 10, 20, 30], [0, 10, 20, 30]),
        ([0, 10, 9, 30, 40, 50], [0, 9, 9, 30, 40, 50]),
        ([600, 660, 20, 780, 840, 900], [600, 660, 665, 780, 840, 900]),
        ([5, 1, 4, 2, 3], [1, 2, 3, 4, 5]),
        ([-5, 10], [0, 10]),
        ([0, 10, 200_000, 30, 40, 50, 60, 70, 80, 90, 95], [0, 10, 15, 30, 40, 50, 60, 70, 80, 90, 95]),
    ],
)
def test_times_are_made_to_run_forwards(starts: list[int], expected: list[int]) -> None:
    raw = [RawCue(start * 1000, start * 1000 + 5000, f"cue {start}", i + 1) for i, start in enumerate(starts)]
    mended = mend(raw)
    assert [cue.start_ms // 1000 for cue in mended.cues] == expected
    assert bool(mended.steps) is (starts != expected)


def test_the_same_talk_twice_in_a_file_is_read_once() -> None:
    first = [RawCue(i * 5000, i * 5000 + 5000, f"uh word{i} and word{i + 1} again", i + 1) for i in range(40)]
    second = [RawCue(i * 5000 + 20, i * 5000 + 5000, f"Word{i} and word{i + 1}, again.", i + 90) for i in range(60)]
    mended = mend([*first, *second])
    assert len(mended.cues) == 60
    assert mended.steps[0].name == "drop-track"
    assert "line 90" in mended.uncertain[0]


def test_a_second_recording_is_counted_on() -> None:
    first = [RawCue(i * 5000, i * 5000 + 5000, f"alpha{i} beta{i} gamma{i}", i + 1) for i in range(40)]
    second = [RawCue(i * 5000, i * 5000 + 5000, f"delta{i} omega{i} sigma{i}", i + 90) for i in range(20)]
    mended = mend([*first, *second])
    assert len(mended.cues) == 60
    assert mended.cues[40].start_ms == 200_000
    assert mended.steps[0].name == "join-recordings"


RAW = st.builds(
    RawCue,
    st.integers(-(10**6), 4 * 10**8),
    st.none() | st.integers(-(10**6), 4 * 10**8),
    st.text(max_size=30),
    st.integers(1, 99),
)


@given(st.lists(RAW, max_size=30))
@settings(max_examples=200, deadline=None)
def test_mended_times_never_run_backwards_and_no_cue_is_lost(raw: list[RawCue]) -> None:
    try:
        mended = mend(raw)
    except UnreadableError:
        return
    assert all(a.start_ms <= b.start_ms for a, b in pairwise(mended.cues))
    assert all(0 <= cue.start_ms <= cue.end_ms for cue in mended.cues)
    if mended.timed and not any(step.name == "drop-track" for step in mended.steps):
        assert {cue.text.strip() for cue in mended.cues} == {cue.text.strip() for cue in raw}
        copies = sum(step.detail["cues"] for step in mended.steps if step.name == "drop-copies")
        assert len(mended.cues) + copies == len(raw)


@given(st.binary(max_size=300), st.sampled_from(["a.vtt", "a.srt", "a.json", "a.txt", "a.md", "a.sbv", "a.tsv"]))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_read_or_refused(data: bytes, name: str) -> None:
    reasons: list[str] = []
    for content in (data, b"WEBVTT\n\n00:01.000 --> 00:02.000\n" + data, b"1\n00:00:01,000 --> 00:00:02,000\n" + data):
        try:
            found = read(decode(content)[0], name)
        except UnreadableError as error:
            reasons.append(error.message)
            continue
        assert found.cues
    assert all(reasons)


@pytest.mark.realdata
def test_every_file_of_the_archive_is_recognised() -> None:
    archive = SHARED / "archive"
    files = sorted(path for path in archive.rglob("*") if path.is_file() and not path.name.endswith(".info.json"))
    if not files:
        pytest.skip("the archive of real talks is not here")
    for path in files:
        expected = "vtt" if path.suffix == ".vtt" else "record"
        assert sniff(decode(path.read_bytes())[0], path.name) == expected
