"""What lies beside a transcript: metadata of untrusted types, and the recording."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talksearch.indexer.records import Chapter
from talksearch.indexer.talks.info_json import SidecarMetadata, from_info
from talksearch.indexer.talks.language_tags import language_of
from talksearch.indexer.talks.recordings import find_recording
from talksearch.indexer.talks.sidecar import find_sidecar, read_sidecar
from talksearch.indexer.talks.track_names import split_name

INFO: dict[str, Any] = {
    "id": "-uJSdfo4z7c",
    "title": " On time ",
    "channel": "A channel",
    "upload_date": "20240229",
    "duration": 61.5,
    "webpage_url": "https://www.youtube.com/watch?v=-uJSdfo4z7c",
    "description": "About it.",
    "language": "en-US",
    "chapters": [{"start_time": 30.0, "title": "Two"}, {"start_time": 0, "title": "One"}],
    "extractor": "youtube",
    "subtitles": {"de": []},
    "automatic_captions": {"en": [], "en-orig": []},
}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("talk.en-orig.vtt", ("talk", "en-orig")),
        ("talk.vtt", ("talk", None)),
        ("meeting.one.vtt", ("meeting.one", None)),
        ("talk.zh-Hans.srt", ("talk", "zh-Hans")),
        ("talk.pt-BR.vtt", ("talk", "pt-BR")),
        ("talk.a.en.vtt", ("talk", "en")),
        ("talk.es-419.json3", ("talk", "es-419")),
        ("talk.en-j3PyPqV-e1s.vtt", ("talk", "en-j3PyPqV-e1s")),
        ("talk.mp4.srt", ("talk", None)),
        ("talk.mp4.en.srt", ("talk", "en")),
        ("v1.2.txt", ("v1.2", None)),
        ("talk.fil.vtt", ("talk", "fil")),
        ("talk.two.vtt", ("talk.two", None)),
        ("talk.final.vtt", ("talk.final", None)),
        ("a.b.c", ("a.b.c", None)),
        ("talk", ("talk", None)),
        (".vtt", (".vtt", None)),
        ("en.vtt", ("en", None)),
    ],
)
def test_parts_of_a_name(name: str, expected: tuple[str, str | None]) -> None:
    found = split_name(name)
    assert (found.stem, found.tag) == expected


def test_languages_are_written_as_bcp_47() -> None:
    tags = ["en-orig", "zh_Hant", "iw", "pt-BR", "en-j3PyPqV-e1s", "zh-Hans-en", None]
    assert [language_of(tag) for tag in tags] == ["en", "zh-Hant", "he", "pt-BR", "en", "zh-Hans", None]


def test_a_sidecar_is_read() -> None:
    assert from_info(INFO) == SidecarMetadata(
        title="On time",
        channel="A channel",
        date="2024-02-29",
        url="https://www.youtube.com/watch?v=-uJSdfo4z7c",
        duration_ms=61_500,
        description="About it.",
        chapters=(Chapter(0, "One"), Chapter(30_000, "Two")),
        language="en-US",
        youtube_id="-uJSdfo4z7c",
        human_tracks=frozenset({"de"}),
        automatic_tracks=frozenset({"en", "en-orig"}),
    )


@pytest.mark.parametrize(
    "name", ["talk.vtt", "talk.en.vtt", "talk.en-orig.srt", "talk.mp4.vtt", "talk.json3", "talk.txt"]
)
def test_a_sidecar_is_found_beside_every_track(tmp_path: Path, name: str) -> None:
    (tmp_path / "talk.info.json").write_text(json.dumps(INFO), encoding="utf-8")
    assert find_sidecar(tmp_path / name) == tmp_path / "talk.info.json"
    metadata = read_sidecar(tmp_path / name)
    assert metadata is not None
    assert metadata.title == "On time"


def test_no_sidecar_is_none(tmp_path: Path) -> None:
    (tmp_path / "other.info.json").write_text("{}", encoding="utf-8")
    assert read_sidecar(tmp_path / "talk.vtt") is None
    assert find_sidecar(tmp_path / "other.info.json") is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "broken JSON"),
        (b"{", "broken JSON"),
        (b"\xff\xfe\x00", "not text"),
        (b"[1]", "no JSON object"),
        (b"[" * 100_000, "nobody can read"),
        (b'{"duration": ' + b"9" * 5000 + b"}", "nobody can read"),
    ],
)
def test_a_broken_sidecar_is_a_sentence(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "talk.info.json").write_bytes(content)
    metadata = read_sidecar(tmp_path / "talk.vtt")
    assert metadata is not None
    assert metadata.problem is not None
    assert said in metadata.problem
    assert metadata.title is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("title", ["x"]),
        ("duration", -1),
        ("duration", "long"),
        ("duration", float("nan")),
        ("duration", 1e30),
        ("upload_date", "20241340"),
        ("upload_date", {}),
        ("chapters", {}),
        ("chapters", [{"title": "x"}]),
        ("chapters", [{"title": "x", "start_time": -5}]),
        ("chapters", [None]),
        ("language", 5),
        ("language", "no such"),
        ("webpage_url", "javascript:alert(1)"),
        ("channel", 3),
        ("description", []),
    ],
)
def test_a_wrong_value_is_left_out_and_named(key: str, value: Any) -> None:
    metadata = from_info({**INFO, key: value})
    assert metadata.problem is not None
    assert metadata.youtube_id == "-uJSdfo4z7c"
    assert metadata.title == ("On time" if key != "title" else None)


def test_ids_of_other_sites_are_no_youtube_ids() -> None:
    assert (
        from_info({"id": "abcdefghijk", "extractor": "vimeo", "webpage_url": "https://vimeo.com/1"}).youtube_id is None
    )
    assert from_info({"id": "abcdefghijk"}).youtube_id is None


@given(
    st.dictionaries(
        st.sampled_from([*INFO, "timestamp"]),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=12),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["title", "start_time", "en"]), inner)
            ),
        ),
    )
)
def test_no_sidecar_raises(info: dict[str, Any]) -> None:
    metadata = from_info(info)
    assert metadata.duration_ms is None or metadata.duration_ms > 0
    assert all(chapter.start_ms >= 0 for chapter in metadata.chapters)


def test_the_recording_beside_a_transcript(tmp_path: Path) -> None:
    for name in ("talk.mp4", "loud.MP3", "talk2.webm"):
        (tmp_path / name).write_bytes(b"")
    assert find_recording(tmp_path / "talk.vtt") == tmp_path / "talk.mp4"
    assert find_recording(tmp_path / "talk.en-orig.vtt") == tmp_path / "talk.mp4"
    assert find_recording(tmp_path / "talk.mp4.srt") == tmp_path / "talk.mp4"
    assert find_recording(tmp_path / "loud.srt") == tmp_path / "loud.MP3"
    assert find_recording(tmp_path / "none.srt") is None


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("talk.nfo", b"<movie><title>On ti", "talk.nfo is cut off: only what stands before the cut was read."),
        ("talk.nfo", b"<", "talk.nfo is broken XML and was not read."),
        ("talk.nfo", b" " * 1_000_001, "talk.nfo has 1,000,001 bytes, more than 1,000,000, and was not read."),
        ("talk.nfo", None, "talk.nfo is a pipe or a device and was not read."),
        ("talk.info.json", None, "talk.info.json is a pipe or a device and was not read."),
        ("talk.description", None, "talk.description is a pipe or a device and was not read."),
        (
            *("talk.description", b"a" * 1_000_001),
            "talk.description has 1,000,001 bytes, more than 1,000,000, and was not read.",
        ),
        ("talk.chapters.json", b'{"chapters": [{"sta', "talk.chapters.json holds no chapters that can be read."),
        ("talk.chapters.json", None, "talk.chapters.json holds no chapters that can be read."),
    ],
)  # fmt: skip
def test_a_file_that_describes_the_talk_and_was_not_read_is_named(
    tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    if content is None:
        os.mkfifo(tmp_path / name)
    else:
        (tmp_path / name).write_bytes(content)
    sidecar = read_sidecar(tmp_path / "talk.en.vtt")
    assert sidecar is not None
    assert sidecar.problem == said


@pytest.mark.parametrize(
    "content", [b"<movie><title>On time</title></movie>\nhttps://example.org/1", b"-+* art *+-", b""]
)
def test_an_nfo_that_is_whole_or_of_another_kind_has_no_problem(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "talk.nfo").write_bytes(content)
    sidecar = read_sidecar(tmp_path / "talk.en.vtt")
    assert sidecar is None or sidecar.problem is None
