"""A talk stays in the index while its file cannot be read, and leaves it when the file is truly gone."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes import CountingEncoder

from talksearch.cli.render.reports import report_text
from talksearch.indexer.doctor import examine
from talksearch.indexer.errors import DiskError, TalksearchError
from talksearch.indexer.pipeline.report import Report
from talksearch.indexer.pipeline.run import build_index, remove_talks
from talksearch.indexer.stores import catalog, catalog_talks
from talksearch.indexer.talks.reach import lacks_content, out_of_reach
from talksearch.indexer.talks.walk import Root

SHIP = "WEBVTT\n\n00:01.000 --> 00:04.000\nThe ship keeps its own time.\n"
BEE = "WEBVTT\n\n00:01.000 --> 00:04.000\nEvery bee knows the rain.\n"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    folder = tmp_path / "talks"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "ships.vtt").write_text(SHIP)
    (folder / "bees.vtt").write_text(BEE)
    return folder


def run(folder: Path, *paths: Path, rebuild: bool = False) -> tuple[Report, list[str]]:
    encoder = CountingEncoder()
    report = build_index(folder, paths, encoder=encoder, processes=1, rebuild=rebuild)
    return report, encoder.seen


def said(folder: Path) -> list[str]:
    db = catalog.open_catalog(folder)
    found = sorted(cue.text for talk in catalog_talks.read_talks(db) for cue in catalog_talks.read_cues(db, talk.id))
    db.close()
    return found


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def blank(path: Path) -> None:
    path.write_bytes("\ufeff\r\n \t\n".encode())


def zeros(path: Path) -> None:
    path.write_bytes(bytes(len(path.read_bytes())))


def half_zeros(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:30] + bytes(4096))


def refused(path: Path) -> None:
    path.unlink()
    path.symlink_to("/proc/self/mem")


def dead_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/nowhere/at/all.vtt")


def icloud(path: Path) -> None:
    path.rename(path.with_name(f".{path.name}.icloud"))


def nextcloud(path: Path) -> None:
    path.rename(path.with_name(f"{path.name}.nextcloud"))


def large_file_storage(path: Path) -> None:
    path.write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 4711\n")


def header_alone(path: Path) -> None:
    path.write_text("WEBVTT\n")


def sign_in_page(path: Path) -> None:
    path.write_text("<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Please sign in.</body></html>\n")


def binary(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 8)


def folder_in_its_place(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    "damage",
    [
        emptied,
        blank,
        zeros,
        half_zeros,
        pytest.param(refused, marks=pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="Linux alone")),
        dead_link,
        icloud,
        nextcloud,
        large_file_storage,
        header_alone,
        sign_in_page,
        binary,
        folder_in_its_place,
    ],
)
def test_a_talk_stays_while_its_file_cannot_be_read(
    damage: Callable[[Path], None], archive: Path, tmp_path: Path
) -> None:
    index, file = tmp_path / "index", archive / "sub" / "ships.vtt"
    run(index, archive)
    before = said(index)
    damage(file)
    report, seen = run(index, archive)
    assert (report.dropped, report.replaced, report.added, seen) == ([], [], [], [])
    assert said(index) == before
    (held,) = report.held
    assert held.path == str(file)
    text = report_text(report, 2, 2, 2)
    assert str(file) in text
    assert f"talksearch remove {held.talk_id}" in text
    # It is back, with the same words.
    if file.is_dir() and not file.is_symlink():
        file.rmdir()
    file.unlink(missing_ok=True)
    file.write_text(SHIP)
    again, seen = run(index, archive)
    assert (len(again.kept), again.held, again.dropped, seen) == (2, [], [], [])
    # And taken out, it does not come back while it cannot be read.
    for stub in (".ships.vtt.icloud", "ships.vtt.nextcloud"):
        file.with_name(stub).unlink(missing_ok=True)
    damage(file)
    assert remove_talks(index, held.talk_id) == [held.talk_id]
    report, _ = run(index, archive)
    assert (report.held, len(report.kept)) == ([], 1)


def test_a_file_that_is_gone_takes_its_talk_with_it(archive: Path, tmp_path: Path) -> None:
    run(tmp_path / "index", archive)
    shutil.rmtree(archive / "sub")
    report, _ = run(tmp_path / "index", archive)
    assert (len(report.dropped), report.held) == (1, [])
    (archive / "bees.vtt").unlink()
    report, _ = run(tmp_path / "index", archive)
    assert (len(report.dropped), report.held, said(tmp_path / "index")) == (1, [], [])


def test_a_file_that_never_gave_a_talk_is_skipped_as_ever(archive: Path, tmp_path: Path) -> None:
    (archive / "new.vtt").write_bytes(b"")
    report, _ = run(tmp_path / "index", archive)
    assert report.held == []
    assert [Path(skipped.path).name for skipped in report.skipped] == ["new.vtt"]


def test_talks_under_a_link_that_leads_nowhere_stay(archive: Path, tmp_path: Path) -> None:
    index, disk = tmp_path / "index", tmp_path / "disk"
    disk.mkdir()
    (disk / "rain.vtt").write_text(SHIP.replace("ship", "rain"))
    (archive / "on the disk.mov").symlink_to(disk)  # a name that no transcript has
    run(index, archive)
    before = said(index)
    disk.rename(tmp_path / "unplugged")
    (archive / "new.vtt").write_text(BEE.replace("bee", "song"))
    report, _ = run(index, archive)
    assert (report.dropped, len(report.added), len(report.held)) == ([], 1, 1)
    assert "leads nowhere" in report.held[0].reason
    assert set(before) < set(said(index))
    (tmp_path / "unplugged").rename(disk)
    report, seen = run(index, archive)
    assert (report.held, len(report.kept), seen) == ([], 4 - 0, [])


def test_talks_in_a_folder_that_cannot_be_entered_stay(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = tmp_path / "index"
    run(index, archive)
    iterdir = Path.iterdir

    def listed(path: Path) -> object:
        if path.name == "sub":
            raise PermissionError(13, "Permission denied")
        return iterdir(path)

    monkeypatch.setattr(Path, "iterdir", listed)
    report, seen = run(index, archive)
    assert (report.dropped, len(report.held), seen) == ([], 1, [])
    assert "Permission denied" in report.held[0].reason


def test_the_talks_of_a_path_that_is_not_there_stay_and_the_others_are_looked_at(archive: Path, tmp_path: Path) -> None:
    index, other = tmp_path / "index", tmp_path / "more"
    other.mkdir()
    (other / "moon.vtt").write_text(SHIP.replace("ship", "moon"))
    run(index, archive, other)
    other.rename(tmp_path / "unplugged")
    (archive / "bees.vtt").write_text(BEE.replace("rain", "bread"))
    report, _ = run(index)
    assert (report.dropped, len(report.replaced), len(report.held)) == ([], 1, 1)
    assert f"talksearch remove {other}" in report_text(report, 3, 3, 3)
    assert len(said(index)) == 3
    with pytest.raises(TalksearchError, match="is not there"):  # nothing at all can be looked at
        run(index, other)
    assert len(said(index)) == 3
    assert len(remove_talks(index, [], [other])) == 1


def test_where_one_file_of_a_talk_cannot_be_read_no_other_speaks_in_its_place(archive: Path, tmp_path: Path) -> None:
    index = tmp_path / "index"
    (archive / "sub" / "ships.de.vtt").write_text(SHIP.replace("The ship keeps", "Das Schiff hat"))
    (archive / "sub" / "ships.info.json").write_text(json.dumps({"title": "Slow ships", "language": "en"}))
    run(index, archive)
    before = said(index)
    emptied(archive / "sub" / "ships.vtt")
    (archive / "sub" / "ships.de.vtt").write_text(SHIP.replace("The ship keeps", "Das Schiff kennt"))
    report, seen = run(index, archive)
    assert (report.dropped, report.replaced, seen, said(index)) == ([], [], [], before)
    (archive / "sub" / "ships.vtt").write_text(SHIP.replace("time", "bread"))
    report, _ = run(index, archive)
    assert (report.held, len(report.replaced), report.dropped) == ([], 1, [])
    assert said(index) != before


@pytest.mark.parametrize("damage", [emptied, refused, icloud])
def test_what_a_sidecar_said_stays_while_it_cannot_be_read(
    damage: Callable[[Path], None], archive: Path, tmp_path: Path
) -> None:
    index, sidecar = tmp_path / "index", archive / "bees.info.json"
    sidecar.write_text(json.dumps({"title": "On bees", "upload_date": "20240312"}))
    run(index, archive)
    damage(sidecar)
    report, seen = run(index, archive)
    assert (len(report.held), report.replaced, seen) == (1, [], [])
    titles = {talk.title for talk in catalog_talks.read_talks(catalog.open_catalog(index))}
    assert "On bees" in titles


def test_a_file_that_fails_between_looking_and_reading_costs_nothing(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = tmp_path / "index"
    run(index, archive)
    before = said(index)
    file = archive / "bees.vtt"
    file.write_text(BEE.replace("rain", "song"))
    from talksearch.indexer.pipeline import group_files

    with monkeypatch.context() as patched:
        patched.setattr(group_files, "talk_of", lambda *given: os.close(-1))
        with pytest.raises(DiskError, match="Bad file descriptor"):
            run(index, archive)
    with monkeypatch.context() as patched:
        patched.setattr("talksearch.indexer.talks.opened_file.ScannedFiles.take", lambda *_: None)
        reads: list[Path] = []
        whole = Path.read_bytes

        def once(path: Path) -> bytes:
            if path == file:
                reads.append(path)
                if len(reads) > 1:
                    raise OSError(5, "Input/output error")
            return whole(path)

        patched.setattr(Path, "read_bytes", once)
        report, seen = run(index, archive)
    assert (report.dropped, [held.path for held in report.held], seen) == ([], [str(file)], [])
    assert said(index) == before
    report, _ = run(index, archive)
    assert len(report.replaced) == 1


def test_a_rebuild_takes_along_what_cannot_be_read_now(archive: Path, tmp_path: Path) -> None:
    index, other = tmp_path / "index", tmp_path / "more"
    other.mkdir()
    (other / "moon.vtt").write_text(SHIP.replace("ship", "moon"))
    run(index, archive, other)
    before = said(index)
    emptied(archive / "bees.vtt")
    icloud(archive / "sub" / "ships.vtt")
    (archive / "new.vtt").write_text(BEE.replace("bee", "song"))
    other.rename(tmp_path / "unplugged")
    report, seen = run(index, rebuild=True)
    assert set(said(index)) == {*before, "Every song knows the rain."}
    assert (len(report.added), len(report.held), len(report.kept), len(seen) > 3) == (1, 2, 3, True)
    assert report.skipped == []
    assert f"talksearch remove {other}" in report.notes[-1]
    (archive / "bees.vtt").write_text(BEE)
    (tmp_path / "unplugged").rename(other)
    (archive / "sub" / ".ships.vtt.icloud").rename(archive / "sub" / "ships.vtt")
    report, seen = run(index)
    assert (report.held, len(report.kept), report.dropped, seen) == ([], 4, [], [])


def test_a_rebuild_leaves_out_what_is_gone(archive: Path, tmp_path: Path) -> None:
    index = tmp_path / "index"
    run(index, archive)
    (archive / "bees.vtt").unlink()
    report, _ = run(index, rebuild=True)
    assert (len(report.added), report.held, len(said(index))) == (1, [], 1)


def test_doctor_says_the_same(archive: Path, tmp_path: Path) -> None:
    index = tmp_path / "index"
    run(index, archive)
    emptied(archive / "bees.vtt")
    icloud(archive / "sub" / "ships.vtt")
    run(index, archive)
    found = [f"{one.what} {one.advice}" for one in examine(index, encoder=CountingEncoder())]
    assert any("cannot be read now" in one and "bees.vtt" in one for one in found)
    assert any("not there" in one and "ships.vtt" in one for one in found)
    assert all("talksearch remove TALK" in one for one in found)


@pytest.mark.parametrize(
    ("data", "lacking"),
    [
        (b"", True),
        (b"\xef\xbb\xbf", True),
        (b"\xff\xfe\x00\x00", True),
        (b"WEBVTT", False),
        ("WEBVTT\n\n".encode("utf-32"), False),
        (("word " * 400).encode("utf-16"), False),
        (b"WEBVTT" + bytes(100), False),
        (b"/annex/objects/SHA256E-s120--ab.vtt\n", True),
        (b"version https://git-lfs.github.com/spec/v1 is what a pointer begins with. " * 40, False),
    ],
)
def test_what_lacks_content(data: bytes, lacking: bool) -> None:
    assert (lacks_content(data) is not None) == lacking


def test_of_absent_files_only_those_out_of_reach_are_named(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    (tmp_path / ".a.vtt.icloud").touch()
    paths = [str(tmp_path / name) for name in ("a.vtt", "b.vtt", "open/c.vtt", "gone/d.vtt", "link/e/f.vtt")]
    assert {Path(path).name for path in out_of_reach(paths, Root(tmp_path))} == {"a.vtt", "f.vtt"}
