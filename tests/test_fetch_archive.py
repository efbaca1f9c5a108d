"""The folder that talks are brought into: what is done, what was left, and how files land whole."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from datetime import UTC, date, datetime, timedelta
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from talksearch.indexer.errors import LockedError
from talksearch.indexer.fetch.archive import HIDDEN, Archive, open_archive
from talksearch.indexer.fetch.names import safe_name
from talksearch.indexer.fetch.records import FetchError
from talksearch.indexer.talks.walk import Root, files_under


def land(archive: Archive, key: str, *names: str, into: str = "Harbour") -> tuple[Path, ...]:
    with archive.staging() as staged:
        for name in names:
            (staged / name).write_text(name)
        return archive.land(key, staged, into)


def test_files_land_whole_and_are_known_to_the_next_run(tmp_path: Path) -> None:
    with open_archive(tmp_path) as archive:
        files = land(archive, "youtube a", "a.info.json", "a.en.vtt")
    assert [file.read_text() for file in files] == ["a.en.vtt", "a.info.json"]
    with open_archive(tmp_path) as archive:
        assert not archive.is_due("youtube a")
        assert archive.is_due("youtube b")


def test_what_a_killed_run_left_is_cleared_and_never_indexed(tmp_path: Path) -> None:
    with open_archive(tmp_path) as archive:
        land(archive, "youtube a", "a.en.vtt")
    half = tmp_path / HIDDEN / "part" / "x"
    half.mkdir(parents=True)
    (half / "half.vtt").write_text("WEBVTT")
    assert [path.name for path in files_under(Root(tmp_path))] == ["a.en.vtt"]
    with open_archive(tmp_path):
        assert not half.exists()


def test_a_line_that_was_cut_off_is_no_talk_and_spoils_no_other(tmp_path: Path) -> None:
    with open_archive(tmp_path) as archive:
        land(archive, "youtube a", "a.en.vtt")
    with (tmp_path / HIDDEN / "done.txt").open("a") as done:
        done.write("yout")
    with open_archive(tmp_path) as archive:
        assert archive.done == {"youtube a"}
        land(archive, "youtube b", "b.en.vtt")
    with open_archive(tmp_path) as archive:
        assert {"youtube a", "youtube b"} <= archive.done


def test_a_file_that_lies_where_a_talk_lands_is_not_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "Harbour"
    folder.mkdir()
    (folder / "a.en.vtt").write_text("corrected by the user")
    (folder / "b.en.vtt").symlink_to("gone")
    with open_archive(tmp_path) as archive:
        files = land(archive, "youtube a", "a.en.vtt", "a.info.json", "b.en.vtt")
    assert [file.name for file in files] == ["a.en.vtt", "a.info.json", "b.en.vtt"]
    assert (folder / "a.en.vtt").read_text() == "corrected by the user"
    assert (folder / "a.info.json").read_text() == "a.info.json"
    assert (folder / "b.en.vtt").is_symlink()


def test_the_disk_has_the_names_of_files_before_their_talk_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []

    def fsync(file: int) -> None:
        synced.append(Path(f"/proc/self/fd/{file}").readlink().name)

    monkeypatch.setattr(os, "fsync", fsync)
    with open_archive(tmp_path) as archive:
        land(archive, "youtube a", "a.en.vtt")
    assert synced == ["a.en.vtt", "Harbour", tmp_path.name, "done.txt"]


def test_a_folder_that_is_a_link_to_another_disk_takes_talks(tmp_path: Path) -> None:
    other = Path("/dev/shm")
    if not os.access(other, os.W_OK) or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no other disk")
    with tempfile.TemporaryDirectory(dir=other) as far, open_archive(tmp_path) as archive:
        (tmp_path / "Harbour").symlink_to(far)
        land(archive, "youtube a", "a.en.vtt")
        assert [(path.name, path.read_text()) for path in Path(far).iterdir()] == [("a.en.vtt", "a.en.vtt")]


def test_a_file_in_the_place_of_a_folder_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "Harbour").write_text("mine")
    with open_archive(tmp_path) as archive, pytest.raises(FetchError, match="Harbour should be a folder"):
        land(archive, "youtube a", "a.en.vtt")
    assert (tmp_path / "Harbour").read_text() == "mine"


def test_titles_and_keys_with_odd_signs_are_read_as_they_were_written(tmp_path: Path) -> None:
    with open_archive(tmp_path) as archive:
        archive.leave("youtube a", "Private.", "two\u2028lines")
        archive.leave("youtube \ud800", "Private.")
    with open_archive(tmp_path) as archive:
        assert archive.waiting["youtube a"].title == "two\u2028lines"
        assert not archive.is_due("youtube a")
        assert len(archive.waiting) == 2


def test_a_clock_that_was_wrong_puts_no_talk_off_for_years(tmp_path: Path) -> None:
    with open_archive(tmp_path) as archive:
        archive.leave("youtube a", "Private.")
        assert not archive.is_due("youtube a")
        assert archive.is_due("youtube a", now=datetime.now(UTC) - timedelta(days=4000))


def test_a_talk_that_was_left_is_looked_at_again_ever_more_rarely(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    for day in (1, 2, 4):
        with open_archive(tmp_path) as archive:
            archive.leave("youtube a", "It has no captions yet.", "Harbour", date(2026, 1, 2))
        with open_archive(tmp_path) as archive:
            assert not archive.is_due("youtube a", now=now + timedelta(days=day, hours=-2))
            assert archive.is_due("youtube a", now=now + timedelta(days=day))
            assert archive.waiting["youtube a"].published == date(2026, 1, 2)


def test_damaged_lines_of_what_was_left_cost_one_more_look(tmp_path: Path) -> None:
    with open_archive(tmp_path) as archive:
        archive.leave("youtube a", "Private.")
    left = tmp_path / HIDDEN / "left.jsonl"
    left.write_text(left.read_text() + '{"key": "youtube b", "rea')
    with open_archive(tmp_path) as archive:
        assert list(archive.waiting) == ["youtube a"]
        archive.leave("youtube c", "Private.")
    with open_archive(tmp_path) as archive:
        assert list(archive.waiting) == ["youtube a", "youtube c"]


def _hold(folder: Path, held: Event, end: Event) -> None:
    with open_archive(folder):
        held.set()
        end.wait(20)


def test_a_second_run_at_once_is_told_and_changes_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    held, end = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(tmp_path, held, end))
    other.start()
    try:
        assert held.wait(20)
        with pytest.raises(LockedError, match="Another process is bringing talks into"), open_archive(tmp_path):
            pass
    finally:
        end.set()
        other.join()
    with open_archive(tmp_path):
        pass


@pytest.mark.parametrize(
    "title", ["../../../etc/passwd", "-rf", ".hidden", "a\x1b[31mb", "語" * 200, "nul.txt", "", "a\ud800"]
)
def test_no_title_leads_elsewhere_or_is_refused_by_a_disk(tmp_path: Path, title: str) -> None:
    name = safe_name(title, "talk")
    (tmp_path / f"{name}.zh-Hans.info.json").write_text("x")
    assert [path.name for path in tmp_path.iterdir()] == [f"{name}.zh-Hans.info.json"]
    assert not name.startswith((".", "-"))
    assert name.isprintable()
