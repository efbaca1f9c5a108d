"""Several indexes that are asked at once give the answers of the one that is merged of them."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fakes import CountingEncoder
from test_merge import OTHERS, answers, built, held
from tiny import TALKS, write_talk

from talksearch.cli import several
from talksearch.cli.main import cli
from talksearch.indexer import build_index, layout, merge_indexes, remove_talks
from talksearch.indexer.errors import BadIndexError, DiskError
from talksearch.indexer.pipeline import merged_copy as copies
from talksearch.indexer.pipeline.merged_copy import is_current, merged_copy
from talksearch.indexer.stores import catalog, topics
from talksearch.search import Query, open_index


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TALKSEARCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "merged"


@pytest.fixture
def parts(tmp_path: Path, cache: Path) -> list[Path]:
    del cache  # so that no copy is made in the cache of all tests
    for folder, talks in (("one", TALKS), ("two", OTHERS)):
        for name, lines in talks.items():
            write_talk(tmp_path / folder, name, lines)
    return [built(tmp_path / f"index-{name}", tmp_path / name) for name in ("one", "two")]


def copy_of(parts: list[Path]) -> tuple[Path, list[str]]:
    notes: list[str] = []
    return merged_copy(parts, note=notes.append), notes


def asked(parts: list[Path], *arguments: str) -> Result:
    given = [argument for part in parts for argument in ("--index", str(part))]
    return CliRunner().invoke(cli, [*given, *arguments])


def test_the_copy_holds_what_the_merged_index_holds_but_chroma(parts: list[Path], tmp_path: Path) -> None:
    copy, notes = copy_of(parts)
    merge_indexes(parts, tmp_path / "merged")
    assert held(copy) == held(tmp_path / "merged")
    assert answers(copy) == answers(tmp_path / "merged")
    assert not layout.CHROMA.within(copy).exists()
    assert notes == ["Merging 2 indexes into a copy in the cache, which is done once …"]
    assert copy_of(parts) == (copy, [])
    assert copy.stat().st_mode & 0o777 == 0o700


def test_what_changes_in_a_part_changes_in_the_copy(parts: list[Path], tmp_path: Path) -> None:
    copy, _ = copy_of(parts)
    write_talk(tmp_path / "one", "owls", ["an owl in the rain"])
    write_talk(tmp_path / "one", "bees", ["no bee sings in the rain", "no bee at all"])
    (tmp_path / "one" / "ships.vtt").unlink()
    build_index(parts[0], encoder=CountingEncoder())
    assert not is_current(parts)
    again, notes = copy_of(parts)
    assert (again, notes) == (copy, ["Bringing the copy of 2 indexes up to date …"])
    merge_indexes(parts, tmp_path / "merged")
    with catalog.open_snapshot(copy) as one, catalog.open_snapshot(tmp_path / "merged") as other:
        ids = "SELECT id, text, embedded FROM passages ORDER BY id"
        assert one.execute(ids).fetchall() == other.execute(ids).fetchall()
    # Of passages with equal scores, the one that came first stands first.
    assert list(map(sorted, answers(copy))) == list(map(sorted, answers(tmp_path / "merged")))
    remove_talks(parts[1], [talk[1] for talk in held(parts[1])["talks"]])
    copy_of(parts)
    with catalog.open_snapshot(copy) as db:
        assert db.execute("SELECT count(*) FROM talks").fetchone() == (3,)


def test_an_ended_or_damaged_copy_is_made_again(parts: list[Path]) -> None:
    copy, _ = copy_of(parts)
    expected = held(copy)

    def stop(_: Any) -> None:
        raise KeyboardInterrupt

    (copy.parent / "parts.json").unlink()
    layout.CATALOG.within(copy).write_bytes(b"no catalog")
    for log in copy.glob("catalog.sqlite3-*"):
        log.unlink()
    with pytest.raises(KeyboardInterrupt):
        merged_copy(parts, note=lambda _: None, tell=stop)
    again, _ = copy_of(parts)
    assert (again, held(again)) == (copy, expected)


def test_processes_that_need_a_copy_at_once_make_it_once(parts: list[Path]) -> None:
    notes: list[str] = []
    threads = [threading.Thread(target=merged_copy, args=(parts,), kwargs={"note": notes.append}) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(note.startswith("Merging") for note in notes) == 1
    waiting = "Another process is merging these indexes; this one waits for it."
    assert {note for note in notes if not note.startswith("Merging")} <= {waiting}


def test_copies_that_nobody_asks_are_deleted(parts: list[Path], cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "_KEPT", 2)
    first, _ = copy_of(parts)
    os.utime(first.parent / "parts.json", (1, 1))
    second, _ = copy_of(parts[::-1])
    assert first.exists(), "two may stay"
    third, _ = copy_of([parts[0], parts[1], built(parts[0].with_name("third"), parts[0].parent / "one")])
    assert [one.exists() for one in (first, second, third)] == [False, True, True]
    assert len(list(cache.iterdir())) == 2


def test_what_cannot_be_merged_or_written_is_told(
    parts: list[Path], tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadIndexError, match="There is no index in"):
        copy_of([*parts, tmp_path / "nowhere"])
    build_index(tmp_path / "other", [tmp_path / "one"], encoder=CountingEncoder("another"))
    with pytest.raises(BadIndexError, match="with the model 'another'"):
        copy_of([*parts, tmp_path / "other"])
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TALKSEARCH_CACHE", str(tmp_path / "file"))
    with pytest.raises(DiskError) as error:
        copy_of(parts)
    assert "talksearch merge" in error.value.hint


# --- the command line -------------------------------------------------------------------------------------------------


def test_several_indexes_are_asked_as_one_by_every_command_that_reads(parts: list[Path], tmp_path: Path) -> None:
    merge_indexes(parts, tmp_path / "merged")
    for command in (
        ["rain", "--mode", "lexical", "--format", "jsonl"],
        ["search", "comes home late", "--mode", "quote"],
        ["talks"],
        ["show", "bread"],
        ["export", "--query", "rain", "--mode", "lexical", "--format", "m3u"],
    ):
        one = asked([tmp_path / "merged"], *command)
        both = asked(parts, *command)
        assert (both.exit_code, both.stdout) == (0, one.stdout), command
        assert both.stdout
    facts = json.loads(asked(parts, "stats", "--format", "jsonl").stdout)
    assert facts["talks"] == 5


def test_commands_that_write_work_with_one_index(parts: list[Path]) -> None:
    for command in (["index"], ["remove", "bees"], ["doctor"], ["sync"]):
        run = asked(parts, *command)
        assert run.exit_code == 2
        assert f"{command[0]} works with one index, and --index was given 2 times." in run.stderr


def test_a_hint_names_all_indexes_or_says_that_one_is_to_be_chosen(parts: list[Path], tmp_path: Path) -> None:
    run = asked([parts[0], tmp_path / "nowhere"], "rain")
    assert run.exit_code == 1
    assert "There is no index in" in run.stderr
    assert "talksearch index --index DIR PATH" in run.stderr
    run = asked(parts, "show", "nothing-of-the-kind")
    assert f"--index {parts[0]} --index {parts[1]}" in run.stderr


def test_one_index_that_is_given_twice_is_one(parts: list[Path], cache: Path) -> None:
    run = asked([parts[0], parts[0]], "rain", "--mode", "lexical")
    assert run.exit_code == 0
    assert not cache.exists()


@pytest.mark.parametrize("named", [True, False])
def test_several_are_served_as_one(parts: list[Path], monkeypatch: pytest.MonkeyPatch, named: bool) -> None:
    served: list[Path] = []
    monkeypatch.setattr("talksearch.cli.server.serve.serve", lambda folder, *_, **__: served.append(folder))
    monkeypatch.setattr("talksearch.cli.options.keep_current", lambda folders: served.extend(folders))
    given = list(map(str, parts)) if named else ["--index", str(parts[0]), "--index", str(parts[1])]
    run = CliRunner().invoke(cli, ["serve", *given])
    assert run.exit_code == 0, run.output
    assert served == [*parts, copy_of(parts)[0]]


def test_what_goes_on_follows_what_changes(parts: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(several, "_LOOKED_AT_S", 0.05)
    copy = several.one_folder(parts)
    assert copy
    several.keep_current(parts)
    write_talk(tmp_path / "one", "owls", ["an owl in the rain"])
    build_index(parts[0], encoder=CountingEncoder())

    def count() -> int:
        with catalog.open_snapshot(copy) as db:
            return int(db.execute("SELECT count(*) FROM talks").fetchone()[0])

    wait_for(lambda: count() == 6)


def test_what_goes_on_outlives_a_fault_and_maps_what_another_process_merged(
    parts: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(several, "_LOOKED_AT_S", 0.05)
    copy = several.one_folder(parts)
    assert copy
    real, faults = copies.map_topics, [sqlite3.OperationalError("database is locked"), OSError("no such thing")]

    def map_topics(folders: list[Path]) -> None:
        if faults:
            raise faults.pop()
        real(folders)

    monkeypatch.setattr(copies, "map_topics", map_topics)
    monkeypatch.setattr(copies, "is_current", lambda _: True)  # another process is always quicker
    several.keep_current(parts)

    def is_mapped() -> bool:
        with catalog.open_snapshot(copy) as db:
            return topics.is_current(copy, db)

    wait_for(is_mapped)
    write_talk(tmp_path / "one", "owls", ["an owl in the rain"])
    build_index(parts[0], encoder=CountingEncoder())
    several.one_folder(parts)  # as a question on the command line does
    wait_for(is_mapped)
    assert "database is locked" in capsys.readouterr().err


def wait_for(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.05)


# --- from Python ------------------------------------------------------------------------------------------------------


def test_a_program_opens_several_and_finds_what_changes_in_them(parts: list[Path], tmp_path: Path) -> None:
    with open_index(parts) as index:
        assert len(index.talks()) == 5
        write_talk(tmp_path / "one", "owls", ["an owl in the rain"])
        build_index(parts[0], encoder=CountingEncoder())
        assert len(index.talks()) == 6
        assert {hit.title for hit in index.search(Query("owl", mode="lexical")).hits} == {"Owls"}
    with open_index(parts[:1]) as one:
        assert (one.folder, len(one.talks())) == (parts[0], 4)
