"""Indexes that were built apart and are merged give what one gives that was built at once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from fakes import CountingEncoder, WordEncoder
from test_further_tracks import ENGLISH, GERMAN, vtt
from tiny import TALKS, write_talk

from talksearch.cli.main import cli
from talksearch.indexer import build_index, doctor, layout, merge_indexes
from talksearch.indexer.arrays import Floats
from talksearch.indexer.encoders import token_codes
from talksearch.indexer.errors import BadIndexError, LockedError, UsageError
from talksearch.indexer.pipeline.report import Progress
from talksearch.indexer.stores import catalog, recipe, seals, vectors
from talksearch.indexer.stores.lock import index_write_lock
from talksearch.search import engine
from talksearch.search.query import Query
from talksearch.search.reader import open_reader

OTHERS = {
    "ferries": ["a ferry knows the rain", "and the ferry comes home late"],
    "bread": ["bread wants time and the rain wants bread", "the song of bread"],
}
QUERIES = ("time", "bee rain", "the bridge", '"comes home late"', "bread song", "vessel", "Leuchtturm")


@pytest.fixture
def archives(tmp_path: Path) -> list[Path]:
    """Two folders of talks, one of them with a talk in two languages."""
    for folder, talks in (("one", TALKS), ("two", OTHERS)):
        for name, lines in talks.items():
            write_talk(tmp_path / folder, name, lines)
    for name, lines in {"harbour.en-orig.vtt": ENGLISH, "harbour.de.vtt": GERMAN}.items():
        (tmp_path / "two" / name).write_text(vtt(lines))
    return [tmp_path / "one", tmp_path / "two"]


@pytest.fixture
def parts(archives: list[Path], tmp_path: Path) -> list[Path]:
    return [built(tmp_path / f"index-{archive.name}", archive) for archive in archives]


def built(folder: Path, *archives: Path) -> Path:
    build_index(folder, archives, encoder=CountingEncoder())
    return folder


def held(folder: Path) -> dict[str, Any]:
    """Return all that an index holds but what differs from one catalog to another by its nature."""
    with catalog.open_snapshot(folder) as db:
        rows = {
            table: sorted(db.execute(f"SELECT * FROM {table}"), key=repr)
            for table in ("talks", "cues", "tracks", "track_cues", "heard", "odd", "tokens", "common", "leaving")
        }
        columns = ", ".join((*seals.SEALED["passages"], "embedded", "seal"))
        rows["passages"] = db.execute(f"SELECT {columns} FROM passages ORDER BY number").fetchall()
        rows["words"] = db.execute("SELECT id, c0, c1 FROM words_content ORDER BY id").fetchall()
        rows["files"] = list(catalog.files(db).values())
        rows["roots"] = catalog.roots(db)
        known = recipe.read(folder)
        assert known
        copy = vectors.read(folder, known.model.dimension)
        numbers = np.array([row[1] for row in rows["passages"]], np.int64)
        rows["vectors"] = copy.rows[copy.find(numbers)].tolist()
    return rows


def answers(folder: Path) -> list[Any]:
    """Return the hits to all queries, with their scores and where they open."""
    with open_reader(folder, encoder=CountingEncoder()) as index:
        return [
            [
                (hit.talk_id, hit.start_ms, hit.jump_ms, round(hit.score, 6), hit.grade)
                for hit in engine.search(index, Query(text, 20)).hits
            ]
            for text in QUERIES
        ]


def found_by_doctor(folder: Path) -> list[str]:
    """Return what the doctor finds; that nobody has the model of tests is known."""
    return [one.what for one in doctor.examine(folder, mend=False) if "counting" not in one.what]


def test_merged_indexes_are_the_one_that_is_built_at_once(
    parts: list[Path], archives: list[Path], tmp_path: Path
) -> None:
    report = merge_indexes(parts, tmp_path / "merged")
    assert (len(report.added), report.embedded, report.kept) == (6, 0, [])
    together = built(tmp_path / "together", *archives)
    assert held(tmp_path / "merged") == held(together)
    assert answers(tmp_path / "merged") == answers(together)
    assert found_by_doctor(tmp_path / "merged") == []


def test_merging_again_changes_nothing(parts: list[Path], tmp_path: Path) -> None:
    merge_indexes(parts, tmp_path / "merged")
    before = held(tmp_path / "merged")
    report = merge_indexes(parts, tmp_path / "merged")
    assert (report.added, report.replaced, len(report.kept), report.notes) == ([], [], 6, [])
    assert held(tmp_path / "merged") == before


def test_an_index_is_put_beside_what_is_there(parts: list[Path], tmp_path: Path) -> None:
    merge_indexes(parts, tmp_path / "merged")
    report = merge_indexes(parts[1:], parts[0])
    assert (len(report.added), len(report.kept)) == (3, 3)
    assert answers(parts[0]) == answers(tmp_path / "merged")
    assert found_by_doctor(parts[0]) == []


def test_a_talk_that_two_indexes_hold_comes_in_once(parts: list[Path], archives: list[Path], tmp_path: Path) -> None:
    both = built(tmp_path / "both", *archives)
    report = merge_indexes([parts[0], both, parts[1]], tmp_path / "merged")
    assert (len(report.added), report.duplicates, report.notes) == (6, [], ["14 vectors were taken along."])
    assert held(tmp_path / "merged")["talks"] == held(both)["talks"]


def test_of_one_file_the_state_that_was_read_later_comes_in(parts: list[Path], archives: list[Path]) -> None:
    later = archives[0] / "bees.vtt"
    write_talk(archives[0], "bees", ["no bee sings in the rain any more"])
    os.utime(later, ns=(later.stat().st_atime_ns, later.stat().st_mtime_ns + 10**9))
    newer = built(parts[0].with_name("newer"), archives[0])
    for order in ([parts[0], newer], [newer, parts[0]]):
        merged = parts[0].with_name(f"merged-{order[0].name}")
        report = merge_indexes(order, merged)
        assert report.notes[0] == f"{later} was read in two states; the later one, of {newer}, was taken."
        assert held(merged)["passages"] == held(newer)["passages"] if order[0] == newer else True
        with catalog.open_snapshot(merged) as db:
            assert db.execute("SELECT count(*) FROM cues WHERE text LIKE '%sings%'").fetchone() == (1,)
            assert db.execute("SELECT count(*) FROM talks").fetchone() == (3,)
    report = merge_indexes([newer], parts[0])
    assert (len(report.replaced), len(report.kept)) == (1, 2)
    assert found_by_doctor(parts[0]) == []


def test_of_two_files_of_one_video_the_better_one_comes_in(tmp_path: Path) -> None:
    for folder, name, lines in (("one", "talk.en.vtt", ENGLISH[:4]), ("two", "talk.en-orig.vtt", ENGLISH)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{name[:4]} [DTcRLlMv4_o]{name[4:]}").write_text(vtt(lines))
    parts = [built(tmp_path / f"index-{name}", tmp_path / name) for name in ("one", "two")]
    together = held(built(tmp_path / "together", tmp_path / "one", tmp_path / "two"))
    for order in (parts, parts[::-1]):  # the files that the winner has
        merged = tmp_path / f"merged-{order[0].name}"
        report = merge_indexes(order, merged)
        assert [talk[1:3] for talk in held(merged)["talks"]] == [talk[1:3] for talk in together["talks"]]
        (copy,) = report.duplicates
        assert copy.reason.startswith("the talk DTcRLlMv4_o was read from")
        assert held(merged)["files"] == together["files"]


def test_two_talks_of_one_name_are_told_apart_by_their_files(archives: list[Path], tmp_path: Path) -> None:
    write_talk(archives[1], "bees", ["other bees, and other rain", "and bread for the other bees"])
    parts = [built(tmp_path / f"index-{archive.name}", archive) for archive in archives]
    merge_indexes(parts, tmp_path / "merged")
    together = built(tmp_path / "together", *archives)
    assert held(tmp_path / "merged") == held(together)
    assert answers(tmp_path / "merged") == answers(together)
    assert merge_indexes(parts, tmp_path / "merged").added == []


def test_the_merged_index_is_kept_up_to_date_where_the_files_are(
    parts: list[Path], archives: list[Path], tmp_path: Path
) -> None:
    merge_indexes(parts, tmp_path / "merged")
    encoder = CountingEncoder()
    report = build_index(tmp_path / "merged", encoder=encoder)
    assert (len(report.kept), report.added, report.dropped, encoder.seen) == (6, [], [], [])
    (archives[0] / "ships.vtt").unlink()
    write_talk(archives[1], "owls", ["an owl in the rain"])
    archives[1].rename(tmp_path / "away")
    report = build_index(tmp_path / "merged", encoder=encoder)
    assert [talk.rpartition("-")[0] for talk in report.dropped] == ["ships"]
    assert len(report.held) == 4, "talks whose folder is away stay, with both tracks of one"
    (tmp_path / "away").rename(archives[1])
    report = build_index(tmp_path / "merged", encoder=encoder)
    assert [talk.rpartition("-")[0] for talk in report.added] == ["owls"]
    assert found_by_doctor(tmp_path / "merged") == []


def interruptions(parts: list[Path], into: Path) -> Iterator[int]:
    """Yield after each run that was ended a little later than the one before, until one goes through."""
    for told in range(1, 100):
        count = 0

        def tell(_: Progress, last: int = told) -> None:
            nonlocal count
            count += 1
            if count == last:
                raise KeyboardInterrupt

        try:
            merge_indexes(parts, into, tell=tell)
        except KeyboardInterrupt:
            yield told
        else:
            return


def test_a_merge_that_is_ended_goes_on(parts: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("talksearch.indexer.pipeline.carry_vectors._WINDOW", 4)
    merge_indexes(parts, tmp_path / "undisturbed")
    ended = list(interruptions(parts, tmp_path / "merged"))
    assert len(ended) >= 4
    assert held(tmp_path / "merged") == held(tmp_path / "undisturbed")
    assert found_by_doctor(tmp_path / "merged") == []


def test_what_has_no_vector_yet_waits_for_one(parts: list[Path], tmp_path: Path) -> None:
    with closing(catalog.open_catalog(parts[0], write=True)) as db:
        db.execute("UPDATE passages SET embedded = 0 WHERE number <= 2")
    layout.VECTORS.within(parts[0]).unlink()
    report = merge_indexes(parts, tmp_path / "merged")
    assert report.notes[-1] == "6 passages have no vector yet. To embed them: talksearch index"
    encoder = CountingEncoder()
    build_index(tmp_path / "merged", encoder=encoder)
    assert len(encoder.seen) == 6
    assert found_by_doctor(tmp_path / "merged") == []
    with closing(catalog.open_catalog(parts[1], write=True)) as db:
        assert db.execute("SELECT count(*) FROM passages WHERE embedded").fetchone() == (8,)


def test_a_damaged_talk_is_left_out_and_told(parts: list[Path], tmp_path: Path) -> None:
    with closing(catalog.open_catalog(parts[0], write=True)) as db:
        db.execute("UPDATE cues SET text = 'what nobody said' WHERE talk = 1 AND number = 0")
    report = merge_indexes(parts, tmp_path / "merged")
    assert len(report.added) == 5
    (damaged,) = report.skipped
    assert damaged.path.endswith("bees.vtt")
    assert damaged.reason.endswith("is damaged. It was not taken along.")
    assert found_by_doctor(tmp_path / "merged") == []


AXES = np.eye(8, dtype=np.float32)


def built_along(directions: Floats, folder: Path, *archives: Path) -> Path:
    folder.mkdir()
    token_codes.write(folder, directions)
    build_index(folder, archives, encoder=WordEncoder())
    return folder


def test_codes_of_tokens_come_along(archives: list[Path], tmp_path: Path) -> None:
    parts = [built_along(AXES, tmp_path / f"of-{archive.name}", archive) for archive in archives]
    merge_indexes(parts, tmp_path / "merged")
    together = built_along(AXES, tmp_path / "together", *archives)
    assert held(tmp_path / "merged")["tokens"] == held(together)["tokens"]
    assert len(held(together)["tokens"]) == 14
    assert found_by_doctor(tmp_path / "merged") == []


def test_codes_along_other_directions_are_left_out_and_made_again(archives: list[Path], tmp_path: Path) -> None:
    parts = [built_along(AXES, tmp_path / "a", archives[0])]
    parts.append(built_along(np.roll(AXES, 1, axis=0), tmp_path / "b", archives[1]))
    report = merge_indexes(parts, tmp_path / "merged")
    assert report.notes[1].startswith("8 of them came without the codes of their tokens")
    assert held(tmp_path / "merged")["tokens"] == held(parts[0])["tokens"]
    encoder = WordEncoder()
    doctor.examine(tmp_path / "merged", mend=True)
    build_index(tmp_path / "merged", encoder=encoder)
    assert len(encoder.seen) == 8
    together = built_along(AXES, tmp_path / "together", *archives)
    codes = [sorted(row[1] for row in held(index)["tokens"]) for index in (tmp_path / "merged", together)]
    assert codes[0] == codes[1]
    assert found_by_doctor(tmp_path / "merged") == []


def test_what_cannot_be_merged_is_refused_with_a_sentence_and_nothing_is_made(
    parts: list[Path], archives: list[Path], tmp_path: Path
) -> None:
    build_index(tmp_path / "other", [archives[0]], encoder=CountingEncoder("another"))
    prompted = CountingEncoder()
    prompted.card = prompted.card.__class__("counting", "", 8, 200, "query: ")
    build_index(tmp_path / "prompted", [archives[0]], encoder=prompted)
    for part, said in (
        ("other", "with the model 'another', and .* with 'counting'"),
        ("prompted", "with other prompts"),
        ("nowhere", "There is no index in"),
    ):
        with pytest.raises(BadIndexError, match=said):
            merge_indexes([parts[0], tmp_path / part], tmp_path / "merged")
        with pytest.raises(BadIndexError, match=said.replace("'another', and .* with 'counting'", "")):
            merge_indexes([tmp_path / part], parts[0])
    old = layout.RECIPE.within(tmp_path / "other")
    old.write_text(old.read_text().replace(f'"format": {recipe.FORMAT}', f'"format": {recipe.FORMAT_BEFORE}'))
    with pytest.raises(BadIndexError) as error:
        merge_indexes([parts[0], tmp_path / "other"], tmp_path / "merged")
    assert error.value.hint == f"Bring it up to date, in seconds: talksearch index --index {tmp_path / 'other'}"
    with pytest.raises(UsageError):
        merge_indexes(parts, parts[0])
    with index_write_lock(parts[0]), pytest.raises(LockedError):
        merge_indexes(parts[1:], parts[0])
    assert not (tmp_path / "merged").exists()
    assert not (tmp_path / "nowhere").exists()


def test_the_command_prints_what_index_prints(parts: list[Path], tmp_path: Path) -> None:
    run = CliRunner().invoke(cli, ["merge", *map(str, parts), "--into", str(tmp_path / "merged")])
    assert run.exit_code == 0
    assert run.stdout.startswith("6 talks in the index: 6 added, 0 replaced, 0 kept, 0 dropped.\n")
    assert "0 embedded in this run" in run.stdout
    assert run.stdout.endswith("\n14 vectors were taken along.\n")
    assert layout.OVERVIEW.within(tmp_path / "merged").exists()
    run = CliRunner().invoke(cli, ["merge", str(parts[0]), "--into", str(parts[0])])
    assert (run.exit_code, "Name another one." in run.stderr) == (2, True)
    run = CliRunner().invoke(cli, ["merge", str(tmp_path / "nowhere"), "--into", str(parts[0])])
    assert run.exit_code == 1
