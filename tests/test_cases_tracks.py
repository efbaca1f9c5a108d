"""The cases of `../shared/cases` about tracks, sidecars, segments, chapters, and files that cannot be read now."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from conftest import SHARED
from fakes import CountingEncoder

from talksearch.indexer.pipeline.report import Report
from talksearch.indexer.pipeline.run import build_index
from talksearch.indexer.records import Cue, Talk
from talksearch.indexer.stores import catalog, catalog_talks

CASES = SHARED / "cases"
pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not CASES.is_dir(), reason="the cases in ../shared are not here"),
]


def index(tmp_path: Path, name: str) -> tuple[Report, list[tuple[Talk, list[Cue]]]]:
    folder = tmp_path / Path(name).name
    shutil.copytree(CASES / name, folder, dirs_exist_ok=True)
    report = build_index(tmp_path / "index", [folder], encoder=CountingEncoder(), processes=1)
    db = catalog.open_catalog(tmp_path / "index")
    talks = [(talk, list(catalog_talks.read_cues(db, talk.id))) for talk in catalog_talks.read_talks(db)]
    db.close()
    return report, talks


@pytest.mark.parametrize("name", ["lang-tags/a", "lang-tags/b", "lang-tags/e"])
def test_one_talk_with_its_tracks(name: str, tmp_path: Path) -> None:
    report, ((talk, cues),) = index(tmp_path, name)
    others = [*report.duplicates, *report.tracks]
    assert (talk.title, len(cues), len(others), report.skipped) == ("Inspector", 3, 1, [])
    assert len(report.tracks) == (name != "lang-tags/a")  # which has English twice
    assert talk.language in ("en", "de")


def test_names_meet_in_any_form(tmp_path: Path) -> None:
    _, talks = index(tmp_path, "nfc-nfd")
    found = {talk.title: talk for talk, _ in talks}
    assert set(found) == {"Vom Klopfen und Hören", "Müller erzählt"}
    talk = found["Vom Klopfen und Hören"]
    assert (talk.channel, talk.date, talk.url) == ("Flusswerkstatt", "2024-03-12", "https://example.org/bp-1")


def test_names_meet_in_any_case(tmp_path: Path) -> None:
    _, ((talk, _),) = index(tmp_path, "upper")
    assert (talk.title, talk.duration_ms, talk.language) == ("The barge", 5000, "en")


def test_a_congress_recording(tmp_path: Path) -> None:
    report, ((talk, cues),) = index(tmp_path, "ccc-names")
    assert (talk.title, len(cues), len(report.tracks)) == ("How bridges are made", 3, 1)
    assert talk.url is not None
    assert talk.url.endswith("_hd.mp4")


def test_segments_of_a_playlist(tmp_path: Path) -> None:
    _, ((talk, cues),) = index(tmp_path, "hls-folder")
    assert talk.source == "subs/prog_index.m3u8"
    assert len({cue.text for cue in cues}) == len(cues) == 5


def test_chapters_are_the_talks(tmp_path: Path) -> None:
    report, ((talk, cues),) = index(tmp_path, "vtt-notes/talk")
    assert [chapter.title for chapter in talk.chapters] == ["Welcome", "The flood of 1953", "Questions"]
    assert len(cues) == 1
    assert [Path(skipped.path).name for skipped in report.skipped] == ["chapters.vtt"]


def test_data_and_chats_are_left_out_with_the_reason(tmp_path: Path) -> None:
    report, talks = index(tmp_path, "meeting-text/chat")
    assert talks == []
    assert "chat" in report.skipped[0].reason
    report, talks = index(tmp_path / "notes", "vtt-notes")
    assert "metadata-track.vtt" in {Path(skipped.path).name for skipped in report.skipped}
    report, talks = index(tmp_path / "json", "json-services")
    assert "chapters.json" in {Path(skipped.path).name for skipped in report.skipped}


@pytest.mark.parametrize("kind", ["unreadable", "empty", "icloud", "link"])
def test_a_talk_stays_while_its_file_cannot_be_read(kind: str, tmp_path: Path) -> None:
    archive, disk = tmp_path / "talks", tmp_path / "disk"
    archive.mkdir()
    disk.mkdir()
    for folder, text in ((archive, "The tide turns."), (disk, "The boats leave.")):
        (folder / f"{folder.name}.vtt").write_text(f"WEBVTT\n\n00:01.000 --> 00:04.000\n{text}\n")
    (archive / "linked").symlink_to(disk)
    build_index(tmp_path / "index", [archive], encoder=CountingEncoder(), processes=1)
    file = archive / "talks.vtt"
    if kind == "unreadable":
        file.unlink()
        file.symlink_to("/proc/self/mem")
    elif kind == "empty":
        file.write_bytes(b"")
    elif kind == "icloud":
        file.rename(archive / ".talks.vtt.icloud")
    else:
        disk.rename(tmp_path / "unplugged")
    encoder = CountingEncoder()
    report = build_index(tmp_path / "index", [archive], encoder=encoder, processes=1)
    assert (report.dropped, len(report.held), len(report.kept), encoder.seen) == ([], 1, 2, [])


@pytest.mark.parametrize("name", ["stacked", "twin"])
def test_two_languages_in_one_file_are_said(name: str, tmp_path: Path) -> None:
    _, talks = index(tmp_path, "bilingual")
    (found,) = [(talk, cues) for talk, cues in talks if talk.source == f"{name}.srt"]
    talk, cues = found
    text = " ".join(cue.text for cue in cues)
    assert "第二座桥是石造的" in text
    assert "It burned in one night." in text
    assert any("two languages" in note for note in talk.receipt.uncertain)
