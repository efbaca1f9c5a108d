from __future__ import annotations

import json
import sqlite3
import threading
from pathlib import Path

import numpy as np
import pytest
from fakes import CountingEncoder

from talksearch.indexer import build, catalog, recipe, scan, store, vectors
from talksearch.indexer.build import Report
from talksearch.indexer.errors import BadIndexError, LockedError, TalksearchError
from talksearch.indexer.lock import writing
from talksearch.indexer.records import Talk


def vtt(*lines: str, start: int = 0) -> str:
    cues = [f"00:00:{start + at:02}.000 --> 00:00:{start + at:02}.900\n{line}\n" for at, line in enumerate(lines)]
    return "WEBVTT\n\n" + "\n".join(cues)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    folder = tmp_path / "talks"
    (folder / "sub").mkdir(parents=True)
    (folder / "ships.vtt").write_text(vtt("the ship keeps its own time", "and the ship comes home"))
    (folder / "sub" / "bees.vtt").write_text(vtt("every bee knows the rain", "said the bee"))
    return folder


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return tmp_path / "index"


def run(index: Path, *paths: Path, rebuild: bool = False) -> tuple[Report, CountingEncoder]:
    encoder = CountingEncoder()
    return build.index(index, paths, encoder=encoder, rebuild=rebuild), encoder


def sources(index: Path) -> list[str]:
    return sorted(talk.source for talk in catalog.read_talks(catalog.open_catalog(index)))


def stored(index: Path) -> dict[str, list[float]]:
    client, collection = store.open_store(index)
    found = collection.get(include=["embeddings", "documents", "metadatas"])
    client.close()
    return dict(zip(found["ids"], np.asarray(found["embeddings"], float).round(5).tolist(), strict=True))


def test_a_new_archive_is_indexed(archive: Path, index: Path) -> None:
    report, encoder = run(index, archive)
    assert (len(report.added), report.kept, report.replaced, report.dropped) == (2, [], [], [])
    assert sources(index) == ["ships.vtt", "sub/bees.vtt"]
    assert len(encoder.seen) == report.embedded == 2


def test_an_unchanged_archive_embeds_nothing(archive: Path, index: Path) -> None:
    run(index, archive)
    before = stored(index)
    report, encoder = run(index, archive)
    assert (len(report.kept), report.added, report.replaced, report.embedded) == (2, [], [], 0)
    assert encoder.seen == []
    assert stored(index) == before


def test_a_touched_file_with_the_same_content_embeds_nothing(archive: Path, index: Path) -> None:
    run(index, archive)
    (archive / "ships.vtt").touch()
    report, encoder = run(index, archive)
    assert (len(report.kept), encoder.seen) == (2, [])


def test_a_changed_file_replaces_its_talk_and_embeds_what_is_new(archive: Path, index: Path) -> None:
    run(index, archive)
    (archive / "ships.vtt").write_text(vtt("the ship sings a song"))
    report, encoder = run(index, archive)
    assert (len(report.replaced), len(report.kept)) == (1, 1)
    assert encoder.seen == ["the ship sings a song"]
    assert len(stored(index)) == 2


def test_a_new_title_costs_no_embedding_but_reaches_the_store(archive: Path, index: Path) -> None:
    run(index, archive)
    (archive / "ships.info.json").write_text(json.dumps({"title": "Slow Ships", "id": "x"}))
    report, encoder = run(index, archive)
    assert (len(report.replaced), encoder.seen) == (1, [])
    client, collection = store.open_store(index)
    titles = {row["title"] for row in collection.get(include=["metadatas"])["metadatas"]}
    client.close()
    assert "Slow Ships" in titles


def test_a_vanished_file_drops_its_talk_everywhere(archive: Path, index: Path) -> None:
    run(index, archive)
    (archive / "ships.vtt").unlink()
    report, _ = run(index, archive)
    assert len(report.dropped) == 1
    assert sources(index) == ["sub/bees.vtt"]
    assert len(stored(index)) == 1


def test_a_vanished_folder_drops_nothing(archive: Path, index: Path) -> None:
    run(index, archive)
    archive.rename(archive.with_name("elsewhere"))
    with pytest.raises(TalksearchError, match="not there"):
        run(index, archive)
    assert len(sources(index)) == 2


def test_another_path_is_added_and_a_part_is_refreshed_alone(archive: Path, index: Path, tmp_path: Path) -> None:
    run(index, archive)
    other = tmp_path / "more"
    other.mkdir()
    (other / "bread.vtt").write_text(vtt("bread and code"))
    run(index, other)
    assert sources(index) == ["bread.vtt", "ships.vtt", "sub/bees.vtt"]
    (archive / "sub" / "song.vtt").write_text(vtt("a song of rain"))
    report, _ = run(index, archive / "sub")
    assert (len(report.added), len(report.dropped)) == (1, 0)
    assert sources(index) == ["bread.vtt", "ships.vtt", "sub/bees.vtt", "sub/song.vtt"]


def test_two_paths_may_each_hold_a_file_of_the_same_name(tmp_path: Path, index: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "talk.vtt").write_text(vtt(f"time in place {name}"))
        run(index, tmp_path / name)
    run(index, tmp_path / "one", tmp_path / "two")
    talks = list(catalog.read_talks(catalog.open_catalog(index)))
    assert [talk.source for talk in talks] == ["talk.vtt", "talk.vtt"]
    assert len({talk.id for talk in talks}) == 2


def test_one_talk_in_two_shapes_is_one_talk_from_the_better_file(archive: Path, index: Path) -> None:
    (archive / "ships.txt").write_text("the ship keeps its own time and the ship comes home")
    report, _ = run(index, archive)
    assert sources(index) == ["ships.vtt", "sub/bees.vtt"]
    assert [Path(copy.path).name for copy in report.copies] == ["ships.txt"]
    # When the better file goes, the other speaks for the talk.
    (archive / "ships.vtt").unlink()
    run(index, archive)
    assert sources(index) == ["ships.txt", "sub/bees.vtt"]


def test_a_bad_file_is_a_line_in_the_report_and_the_next_best_file_speaks(archive: Path, index: Path) -> None:
    (archive / "ships.vtt").write_text("WEBVTT\n\nnothing here\n")
    (archive / "ships.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nthe ship in time\n")
    (archive / "empty.vtt").write_bytes(b"")
    report, _ = run(index, archive)
    assert sources(index) == ["ships.srt", "sub/bees.vtt"]
    assert {Path(skipped.path).name for skipped in report.skipped} == {"ships.vtt", "empty.vtt"}
    again, _ = run(index, archive)
    assert {Path(skipped.path).name for skipped in again.skipped} == {"ships.vtt", "empty.vtt"}


def test_a_name_that_is_not_utf8_is_reported(archive: Path, index: Path) -> None:
    (archive / "caf\udce9.vtt").write_text(vtt("rain"))
    report, _ = run(index, archive)
    assert [skipped.reason for skipped in report.skipped] == ["Its name is not valid UTF-8; rename it."]
    assert len(report.added) == 2


def test_the_copy_holds_what_chroma_holds_and_is_mended_from_it(archive: Path, index: Path) -> None:
    run(index, archive)

    def copied() -> dict[str, list[float]]:
        copy = vectors.read(index, 8)
        names = dict(catalog.open_catalog(index).execute("SELECT number, id FROM passages"))
        rows = copy.rows.astype(float).round(5).tolist()
        return {names[number]: row for number, row in zip(copy.numbers.tolist(), rows, strict=True)}

    assert copied() == stored(index)
    (index / vectors.FILE_NAME).unlink()
    _, encoder = run(index, archive)
    assert encoder.seen == []
    assert copied() == stored(index)


def test_an_interrupted_run_goes_on_where_it_stopped(
    archive: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Dying(CountingEncoder):
        def encode_passages(self, texts: object) -> np.ndarray:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build.index(index, [archive], encoder=Dying())
    db = catalog.open_catalog(index)
    assert catalog.counts(db).talks == 2  # their words can be searched
    assert catalog.counts(db).embedded == 0
    report, encoder = run(index, archive)
    assert (len(report.kept), len(encoder.seen)) == (2, 2)
    assert catalog.counts(catalog.open_catalog(index)).embedded == 2


def test_an_interrupted_first_run_loses_nothing_to_the_next_path(archive: Path, index: Path, tmp_path: Path) -> None:
    class Dying(CountingEncoder):
        def encode_passages(self, texts: object) -> np.ndarray:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build.index(index, [archive], encoder=Dying())
    other = tmp_path / "other"
    other.mkdir()
    (other / "bread.vtt").write_text(vtt("bread and code"))
    report, _ = run(index, other)
    assert report.dropped == []
    assert sources(index) == ["bread.vtt", "ships.vtt", "sub/bees.vtt"]


def test_a_defect_in_a_reader_costs_one_file(archive: Path, index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = scan.load_talk

    def failing(path: Path, source: str, data: bytes) -> Talk:
        if path.name == "ships.vtt":
            raise IndexError("list index out of range")
        return whole(path, source, data)

    monkeypatch.setattr(scan, "load_talk", failing)
    report, _ = run(index, archive)
    assert sources(index) == ["sub/bees.vtt"]
    assert "IndexError" in report.skipped[0].reason


def test_rebuilding_mends_a_damaged_index(archive: Path, index: Path) -> None:
    run(index, archive)
    (index / catalog.FILE_NAME).write_bytes(b"damaged" * 1000)
    with pytest.raises(BadIndexError) as error:
        run(index, archive)
    assert "--rebuild" in error.value.hint
    run(index, archive, rebuild=True)
    assert sources(index) == ["ships.vtt", "sub/bees.vtt"]


def test_only_one_writer(archive: Path, index: Path) -> None:
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with writing(index):
            held.set()
            done.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(10)
    with pytest.raises(LockedError, match="process"):
        run(index, archive)
    done.set()
    thread.join()
    run(index, archive)


def test_another_model_is_refused_with_the_command_that_rebuilds(archive: Path, index: Path) -> None:
    run(index, archive)
    with pytest.raises(BadIndexError) as error:
        build.index(index, [archive], model="another", encoder=CountingEncoder())
    assert "--rebuild --model another" in error.value.hint


def test_another_format_is_refused(archive: Path, index: Path) -> None:
    run(index, archive)
    written = json.loads((index / recipe.FILE_NAME).read_text())
    (index / recipe.FILE_NAME).write_text(json.dumps({**written, "format": 999}))
    with pytest.raises(BadIndexError, match="format 999"):
        run(index, archive)


def test_rebuilding_reads_everything_again(archive: Path, index: Path) -> None:
    run(index, archive)
    report, encoder = run(index, rebuild=True)
    assert (len(report.added), len(encoder.seen)) == (2, 2)
    assert sources(index) == ["ships.vtt", "sub/bees.vtt"]
    assert sorted(path.name for path in index.parent.iterdir() if "index" in path.name) == ["index"]


def test_removing_takes_a_talk_out_until_its_folder_is_indexed_again(archive: Path, index: Path) -> None:
    run(index, archive)
    talk = next(catalog.read_talks(catalog.open_catalog(index)))
    assert build.remove(index, [talk.id]) == [talk.id]
    assert len(sources(index)) == 1
    assert len(stored(index)) == 1
    report, _ = run(index, archive)
    assert report.added == [talk.id]


def test_a_reader_sees_a_talk_whole_or_not_at_all(archive: Path, index: Path) -> None:
    run(index, archive)
    reader = catalog.open_catalog(index)
    reader.execute("BEGIN")
    before = reader.execute("SELECT text FROM passages ORDER BY number").fetchall()
    (archive / "ships.vtt").write_text(vtt("the ship sings a song"))
    run(index, archive)
    assert reader.execute("SELECT text FROM passages ORDER BY number").fetchall() == before
    reader.execute("COMMIT")
    assert reader.execute("SELECT text FROM passages ORDER BY number").fetchall() != before
    assert isinstance(reader, sqlite3.Connection)
