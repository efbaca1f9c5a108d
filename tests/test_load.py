"""A file to a talk: names, metadata, ids, links, receipts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.records import Chapter, Talk
from talksearch.indexer.talks.identify import identify
from talksearch.indexer.talks.load import TalkMetadata, load_talk
from talksearch.indexer.talks.naming import humanised, slug
from talksearch.indexer.talks.opened_file import open_file

SHARED = Path(__file__).parent / ".." / ".." / "shared"
VTT = "WEBVTT\nLanguage: en\n\n00:01.000 --> 00:02.500\nHello there.\n\n00:02.500 --> 00:04.000\nTime flies.\n"
ROLLING = (
    "WEBVTT\nKind: captions\nLanguage: en\n\n00:00:00.000 --> 00:00:02.990\n \nThis<00:00:00.600><c> program</c>\n\n"
    "00:00:02.990 --> 00:00:03.000\nThis program\n \n\n00:00:03.000 --> 00:00:05.000\nThis program\n"
    "&gt;&gt;<00:00:03.200><c> [music]</c><00:00:03.500><c> ends.</c>\n"
)


def load(folder: Path, name: str, content: str | bytes, **info: Any) -> Talk:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    if info:
        (folder / f"{name.partition('.')[0]}.info.json").write_text(json.dumps(info), encoding="utf-8")
    return load_talk(open_file(path, path.read_bytes()), f"talks/{name}")


def test_a_talk_from_a_plain_file(tmp_path: Path) -> None:
    talk = load(tmp_path, "01_on-time.en.vtt", VTT)
    assert (talk.title, talk.language, talk.format, talk.timing, talk.url) == ("on time", "en", "vtt", "exact", None)
    assert talk.id == slug("01_on-time", "talks/01_on-time.en.vtt")
    assert talk.youtube_id is None
    receipt = talk.receipt
    assert (receipt.words_before, receipt.words_after, receipt.words_folded, receipt.words_lost) == (19, 4, 0, 0)
    assert receipt.words_left_out == {"markup": 12, "metadata": 3}
    assert [(step.name, step.detail) for step in talk.receipt.steps] == [
        ("decode", {"encoding": "utf-8"}),
        ("read", {"reader": "vtt"}),
    ]


def test_a_rolling_track_and_its_receipt(tmp_path: Path) -> None:
    talk = load(tmp_path, "Time [-uJSdfo4z7c].en-orig.vtt", ROLLING)
    assert (talk.id, talk.url) == ("-uJSdfo4z7c", "https://www.youtube.com/watch?v=-uJSdfo4z7c")
    assert (talk.title, talk.origin, talk.language) == ("Time", "automatic", "en")
    assert [(cue.start_ms, cue.end_ms, cue.text, cue.turn) for cue in talk.cues] == [
        (0, 2990, "This program", False),
        (3500, 5000, "ends.", True),
    ]
    receipt = talk.receipt
    assert (receipt.words_before, receipt.words_after, receipt.words_folded, receipt.words_lost) == (55, 3, 4, 0)
    assert receipt.words_left_out == {"markup": 42, "metadata": 5, "sounds": 1}
    assert {step.name for step in talk.receipt.steps} == {
        "decode", "read", "collapse-rolling", "strip-markup", "mark-turns", "drop-sounds",
    }  # fmt: skip


def test_the_sidecar_knows_best(tmp_path: Path) -> None:
    talk = load(
        tmp_path, "a.en.vtt", VTT, title="On time", channel="C", upload_date="20240102", id="DTcRLlMv4_o", duration=9,
        extractor="youtube", webpage_url="https://www.youtube.com/watch?v=DTcRLlMv4_o", description="About\ntime.",
        chapters=[{"start_time": 0, "title": "One"}], language="en", subtitles={"en": []},
    )  # fmt: skip
    assert (talk.id, talk.title, talk.channel, talk.date) == ("DTcRLlMv4_o", "On time", "C", "2024-01-02")
    assert (talk.duration_ms, talk.description, talk.origin) == (9000, "About\ntime.", "human")
    assert talk.chapters == (Chapter(0, "One"),)


def test_an_absurd_sidecar_is_a_sentence_in_the_receipt(tmp_path: Path) -> None:
    talk = load(tmp_path, "a.vtt", VTT, title=["x"], duration="long")
    assert talk.title == "a"
    assert talk.receipt.uncertain == ("a.info.json: duration is no length of time; title is not text.",)


def test_a_recording_beside_its_transcript(tmp_path: Path) -> None:
    (tmp_path / "my talk.mp4").write_bytes(b"")
    talk = load(tmp_path, "my talk.vtt", VTT)
    assert talk.url == (tmp_path / "my talk.mp4").as_uri()


def test_text_without_times_gets_estimates(tmp_path: Path) -> None:
    talk = load(tmp_path, "talk.txt", "Good morning everyone.\nToday we talk about time.\n", duration=60, title="T")
    assert talk.timing == "estimated"
    assert talk.margin_ms > 0
    assert [cue.text for cue in talk.cues] == ["Good morning everyone.", "Today we talk about time."]
    assert all(a.start_ms <= b.start_ms for a, b in pairwise(talk.cues))


def test_times_inside_cues_of_many_minutes_are_estimates(tmp_path: Path) -> None:
    words = "So we went on and on. " * 300
    talk = load(tmp_path, "call.vtt", f"WEBVTT\n\n00:04:00.000 --> 00:24:00.000\n{words}\n")
    assert (talk.timing, talk.cues[0].start_ms, talk.cues[0].end_ms) == ("estimated", 240_000, 1_440_000)
    assert 10_000 < talk.margin_ms < 90_000
    assert "20" in talk.receipt.uncertain[0]


def test_misread_text_is_repaired_with_its_word_times(tmp_path: Path) -> None:
    broken = ROLLING.replace("program", "prográm — “done”").encode().decode("cp1252", errors="replace")
    assert "Ã¡" in broken
    talk = load(tmp_path, "talk.vtt", broken)
    assert "prográm" in talk.cues[0].text
    assert any(step.name == "repair-text" for step in talk.receipt.steps)
    assert talk.cues[0].words[0].text == "This"


def test_spelling_is_not_flattened(tmp_path: Path) -> None:
    line = "“Don’t” ﬁne １２３ … — naïve Ａ"
    talk = load(tmp_path, "talk.vtt", VTT.replace("Time flies.", line))
    assert talk.cues[1].text == line


def test_a_file_of_sounds_only_holds_no_speech(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="no speech"):
        load(tmp_path, "talk.vtt", "WEBVTT\n\n00:01.000 --> 00:02.500\n[Music]\n")


@pytest.mark.parametrize(
    ("stem", "title"),
    [
        ("011-v4jolM-bPpA-Lecture 11： Symmetry ｜ Linz", "Lecture 11: Symmetry | Linz"),
        ("On Time？ [-uJSdfo4z7c]", "On Time?"),
        ("my_first_talk", "my first talk"),
        ("lecture01", "lecture01"),
        ("01 - Opening", "Opening"),
        ("acde_2026-02-12_230", "acde 2026-02-12 230"),
        ("2024", "2024"),
        ("3D printing", "3D printing"),
        ("how-to-index-many-talks", "how to index many talks"),
    ],
)
def test_titles_from_names(stem: str, title: str) -> None:
    assert humanised(stem) == title


def test_slugs_are_short_and_differ_by_place() -> None:
    one, two = slug("A very, very long name of a talk that goes on", "a/x.vtt"), slug("x", "b/x.vtt")
    assert len(one) <= 39
    assert one.startswith("a-very-very-long-name")
    assert slug("x", "a/x.vtt") != two
    assert slug("会议", "a").startswith("会议-")
    assert slug("???", "a").startswith("talk-")


def test_identities_group_the_files_of_a_talk(tmp_path: Path) -> None:
    names = {"a.en.vtt": VTT, "a.en-orig.vtt": ROLLING, "a.txt": "Hello there. Time flies.", "a.de.vtt": VTT}
    info = {"id": "DTcRLlMv4_o", "extractor": "youtube", "language": "en", "subtitles": {"en": []}}
    (tmp_path / "a.info.json").write_text(json.dumps(info), encoding="utf-8")
    found = {name: identify(open_file(tmp_path / name, content.encode())) for name, content in names.items()}
    assert {identity.base for identity in found.values()} == {(tmp_path / "a").as_posix()}
    assert {identity.youtube_id for identity in found.values()} == {"DTcRLlMv4_o"}
    assert [(identity.timed, identity.origin, identity.original) for identity in found.values()] == [
        (True, "human", True),
        (True, "automatic", True),
        (False, "unknown", True),
        (True, "unknown", False),
    ]


def test_identities_of_records_know_whether_there_are_times(tmp_path: Path) -> None:
    head = (
        "Timestamp: 2025\nTitle: T\nURL: https://youtu.be/DTcRLlMv4_o?si=x\nStatus: success\nDuration: 1:00\nContent:\n"
    )
    timed = f"{head}WEBVTT Kind: captions 00:00:01.000 --> 00:00:02.000 Hello 00:00:02.000 --> 00:00:03.000 all"
    for content, expected in ((timed, True), (f"{head}So good morning everyone and welcome", False)):
        identity = identify(open_file(tmp_path / "r.txt", content.encode()))
        assert (identity.format, identity.youtube_id, identity.timed) == ("record", "DTcRLlMv4_o", expected)
        assert load(tmp_path, "r.txt", content).timing == ("exact" if expected else "estimated")


CRAMMED = "WEBVTT\n\n00:00:00.500 --> 00:00:00.510\n" + "So we went on and on. " * 60 + "\n"


@pytest.mark.parametrize(
    ("name", "content", "timed"),
    [
        ("a.vtt", CRAMMED, False),
        ("a.srt", CRAMMED.replace("WEBVTT\n", "1").replace(".5", ",5"), False),
        ("a.vtt", CRAMMED.replace("00:00.510", "02:00.000"), True),
        ("a.vtt", "WEBVTT\n\n" + "00:01.000 --> 00:02.000\nHello there.\n\n" * 4, False),
        ("a.vtt", VTT, True),
        ("a.vtt", ROLLING, True),
    ],
)
def test_whether_there_are_times_is_what_the_reader_finds(tmp_path: Path, name: str, content: str, timed: bool) -> None:
    assert identify(open_file(tmp_path / name, content.encode())).timed is timed
    assert (load(tmp_path, name, content).timing == "exact") is timed


def test_what_others_say_is_asked_for_only_where_something_is_open(tmp_path: Path) -> None:
    def never() -> Iterator[TalkMetadata]:
        raise AssertionError("nothing is open")
        yield

    info = {
        "title": "T", "channel": "C", "creator": "S", "description": "D", "upload_date": "20240102", "duration": 9,
        "webpage_url": "https://example.org/t", "chapters": [{"start_time": 0, "title": "One"}],
    }  # fmt: skip
    load(tmp_path, "a.vtt", VTT, **info)
    data = VTT.encode()
    assert load_talk(open_file(tmp_path / "a.vtt", data), "a.vtt", never()).title == "T"
    others = [TalkMetadata("x.txt", description="of x"), TalkMetadata("y.txt", title="of y", description="of y")]
    talk = load_talk(open_file(tmp_path / "b.vtt", data), "b.vtt", others)
    assert (talk.title, talk.description) == ("of y", "of x")
    assert [(step.field, step.detail) for step in talk.receipt.steps if step.name == "take-from"] == [
        ("description", {"from": "x.txt"}),
        ("title", {"from": "y.txt"}),
    ]


@pytest.mark.realdata
def test_real_talks_are_sound() -> None:
    archive = SHARED / "archive"
    files = sorted(path for path in archive.rglob("*") if path.is_file() and not path.name.endswith(".info.json"))
    if not files:
        pytest.skip("the archive of real talks is not here")
    crammed = [path for path in files if path.name.startswith("tabconf")]
    for path in [*files[::25], *crammed]:
        data = path.read_bytes()
        talk = load_talk(open_file(path, data), path.name)
        identity = identify(open_file(path, data))
        assert (identity.youtube_id, identity.origin, identity.format) == (talk.youtube_id, talk.origin, talk.format)
        assert identity.timed == (not any(step.name == "estimate-times" for step in talk.receipt.steps))
        assert all(a.start_ms <= b.start_ms for a, b in pairwise(talk.cues))
        assert all(cue.start_ms <= cue.end_ms and cue.text for cue in talk.cues)
        assert all(not cue.words or " ".join(word.text for word in cue.words) == cue.text for cue in talk.cues)
        json.dumps([step.detail for step in talk.receipt.steps])
