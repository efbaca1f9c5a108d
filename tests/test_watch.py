"""`index --watch`: real files come, go and grow, and the index follows."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from time import monotonic, sleep
from urllib.request import urlopen

import pytest
from fakes import CountingEncoder
from tiny import make_index, serving, short_runtime_folder, write_talk

from talksearch.cli import watch
from talksearch.indexer.errors import TalksearchError
from talksearch.indexer.pipeline.report import HeldTalk, Report
from talksearch.indexer.pipeline.run import build_index
from talksearch.indexer.stores import catalog, catalog_talks
from talksearch.indexer.stores.lock import index_write_lock

QUICK = watch.Pace(tick_s=0.05, quiet_s=0.2, longest_s=30, poll_s=0.1)

LONG_S = 60.0
"""After so many seconds what is waited for will not come any more."""


def titles(index: Path) -> list[str]:
    with closing(catalog.open_catalog(index)) as db:
        return [talk.title for talk in catalog_talks.read_talks(db)]


def until(holds: Callable[[], bool], said: list[str]) -> None:
    end = monotonic() + LONG_S
    while not holds():
        assert monotonic() < end, said
        sleep(0.02)


@contextmanager
def watching(
    index: Path, build: Callable[[], Report] | None = None, *, pace: watch.Pace = QUICK, polls: bool | None = None
) -> Iterator[list[str]]:
    """Watch in a thread; yields what it says, and how often it ran as lines that begin with `ran`."""
    said: list[str] = []
    stop = threading.Event()
    build = build or partial(build_index, index, encoder=CountingEncoder())

    def counted() -> Report:
        report = build()
        said.append("ran")
        return report

    first = build_index(index, encoder=CountingEncoder())
    thread = threading.Thread(
        target=watch.watch,
        args=(index, counted, said.append),
        kwargs={"first": first, "stop": stop, "pace": pace, "polls": polls},
    )
    thread.start()
    try:
        until(lambda: "ran" in said or any("Not indexed" in line for line in said), said)
        yield said
    finally:
        stop.set()
        thread.join(LONG_S)
        assert not thread.is_alive()


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return make_index(tmp_path)


def quiet_again(said: list[str]) -> None:
    """Wait until no run has come for several times as long as a change would take."""
    count, since = len(said), monotonic()
    while monotonic() - since < 8 * QUICK.quiet_s:
        if len(said) != count:
            count, since = len(said), monotonic()
        sleep(0.02)


@pytest.mark.parametrize("polls", [None, True], ids=["told by the system", "looked at again and again"])
def test_what_comes_changes_and_goes_is_followed(polls: bool | None, index: Path) -> None:
    talks = index.parent / "talks"
    with watching(index, polls=polls) as said:
        write_talk(talks, "songs", ["a song in the rain"])
        until(lambda: "Songs" in titles(index), said)
        until(lambda: any(line.endswith(" 1 added; 4 talks in the index.") for line in said), said)
        write_talk(talks, "songs", ["another song"], title="Other songs")
        for path in talks.glob("songs*"):  # who looks again and again tells times apart by whole seconds
            os.utime(path, (path.stat().st_atime, path.stat().st_mtime + 10))
        until(lambda: "Other songs" in titles(index), said)
        for path in talks.glob("songs*"):
            path.unlink()
        until(lambda: titles(index) == ["Bees", "Bridges", "Ships"], said)
        until(lambda: any(" 1 dropped; 3 talks" in line for line in said), said)
    assert any("looked at every 0.1 s" in line for line in said) == bool(polls)


def test_a_new_folder_inside_is_watched_too(index: Path) -> None:
    with watching(index) as said:
        inside = index.parent / "talks" / "new"
        inside.mkdir()
        quiet_again(said)
        write_talk(inside, "songs", ["a song in the rain"])
        until(lambda: "Songs" in titles(index), said)


def test_a_file_that_grows_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(watch, "monotonic", lambda: clock[0])
    pace = watch.Pace(quiet_s=2, longest_s=60)
    pending = watch._Pending()
    assert not pending.is_due(pace)
    for _ in range(40):  # a piece in each second and a half, for a minute
        pending.note()
        clock[0] += 1.5
        assert pending.is_due(pace) == (clock[0] - 100 >= 60)
    pending = watch._Pending()
    pending.note()
    clock[0] += 2
    assert pending.is_due(pace)


def test_a_file_that_grew_is_indexed_whole(index: Path) -> None:
    with watching(index) as said:
        with (index.parent / "talks" / "songs.vtt").open("w") as file:
            file.write("WEBVTT\n")
            for minute in range(12):
                file.write(f"\n00:{minute:02}:00.000 --> 00:{minute:02}:05.000\nverse {minute} of a long song\n")
                file.flush()
                sleep(0.05)

        def cues() -> int:
            with closing(catalog.open_catalog(index)) as db:
                ids = [talk.id for talk in catalog_talks.read_talks(db) if talk.id.startswith("songs")]
                return len(catalog_talks.read_cues(db, ids[0])) if ids else 0

        until(lambda: cues() == 12, said)


def test_who_never_stops_writing_puts_a_run_off_only_so_long(index: Path) -> None:
    talks = index.parent / "talks"
    pace = watch.Pace(tick_s=0.05, quiet_s=30, longest_s=0.5)
    with watching(index, pace=pace) as said:
        runs = said.count("ran")
        end = monotonic() + LONG_S
        while said.count("ran") == runs:
            assert monotonic() < end
            (talks / "notes.txt").write_text(f"{monotonic()} a note of the bees")
            sleep(0.02)


def test_what_does_not_count_starts_no_run(index: Path) -> None:
    talks = index.parent / "talks"
    (talks / "ships.mp4").write_bytes(b"0")
    with watching(index) as said:
        quiet_again(said)
        runs = said.count("ran")
        (talks / "film.mp4.part").write_bytes(b"1")
        (talks / "film.vtt.crdownload").write_text("WEBVTT")
        (talks / ".hidden.vtt").write_text("WEBVTT")
        with (talks / "ships.mp4").open("ab") as file:
            file.write(b"more of the same recording")
        quiet_again(said)
        assert said.count("ran") == runs
        (talks / "film.vtt.crdownload").rename(talks / "film.vtt")
        until(lambda: said.count("ran") > runs, said)


def test_the_index_inside_a_path_causes_no_loop(tmp_path: Path) -> None:
    write_talk(tmp_path / "talks", "bees", ["every bee knows"])
    index = tmp_path / "talks" / "index"
    build_index(index, [tmp_path / "talks"], encoder=CountingEncoder())
    with watching(index) as said:
        write_talk(tmp_path / "talks", "ships", ["the ship keeps its own time"])
        until(lambda: len(titles(index)) == 2, said)
        quiet_again(said)
        runs = said.count("ran")
        (index / "lock.holder").write_text("{}")
        quiet_again(said)
        assert said.count("ran") == runs


def test_a_path_that_vanishes_is_told_and_followed_when_it_is_back(index: Path, tmp_path: Path) -> None:
    talks = tmp_path / "talks"
    with watching(index) as said:
        talks.rename(tmp_path / "away")
        until(lambda: f"{talks} is not there. Its talks stay, and it is waited for." in said, said)
        until(lambda: any("Not indexed" in line for line in said), said)
        assert titles(index) == ["Bees", "Bridges", "Ships"]
        write_talk(tmp_path / "away", "songs", ["a song in the rain"])
        (tmp_path / "away").rename(talks)
        until(lambda: f"{talks} is back." in said, said)
        until(lambda: "Songs" in titles(index), said)
        write_talk(talks, "codes", ["code that sings"])
        until(lambda: "Codes" in titles(index), said)


def test_a_single_file_is_followed_though_it_is_replaced(tmp_path: Path) -> None:
    write_talk(tmp_path / "talks", "bees", ["every bee knows"])
    file = tmp_path / "talks" / "bees.vtt"
    build_index(tmp_path / "index", [file], encoder=CountingEncoder())
    with watching(tmp_path / "index") as said:
        fresh = tmp_path / "fresh"
        fresh.write_text(file.read_text().replace("knows", "knows the rain"))
        fresh.replace(file)
        until(lambda: any(" 1 replaced" in line for line in said), said)


def test_a_path_that_another_run_adds_is_watched(index: Path, tmp_path: Path) -> None:
    with watching(index) as said:
        write_talk(tmp_path / "more", "songs", ["a song in the rain"])
        build_index(index, [tmp_path / "more"], encoder=CountingEncoder())
        runs = said.count("ran")
        write_talk(tmp_path / "talks", "codes", ["code that sings"])  # the run that finds out
        until(lambda: said.count("ran") > runs, said)
        quiet_again(said)
        write_talk(tmp_path / "more", "breads", ["bread and rain"])
        until(lambda: "Breads" in titles(index), said)


def test_a_run_waits_for_another_that_writes(index: Path) -> None:
    with watching(index) as said:
        with index_write_lock(index):
            write_talk(index.parent / "talks", "songs", ["a song in the rain"])
            until(lambda: any("This run waits until it is done." in line for line in said), said)
            assert "Songs" not in titles(index)
        until(lambda: "Songs" in titles(index), said)
    assert sum("This run waits" in line for line in said) == 1


def test_a_server_beside_it_answers_with_what_came(index: Path) -> None:
    with short_runtime_folder(), serving(index) as served, watching(index) as said:

        def answers() -> str:
            with urlopen(f"{served.url}api/search?q=song&mode=lexical") as response:
                return str(response.read().decode())

        assert "another song" not in answers()
        write_talk(index.parent / "talks", "songs", ["another song in the rain"])
        until(lambda: "another song in the rain" in answers(), said)


@pytest.mark.parametrize("error", [TalksearchError("The disk is full.", "Make room."), OSError("No space left")])
def test_a_run_that_fails_is_told_and_the_next_one_comes(error: Exception, index: Path) -> None:
    fails = threading.Event()
    fails.set()

    def build() -> Report:
        if fails.is_set():
            raise error
        return build_index(index, encoder=CountingEncoder())

    with watching(index, build) as said:
        assert any("Not indexed: The disk is full. Make room." in line or "No space left" in line for line in said)
        fails.clear()
        write_talk(index.parent / "talks", "songs", ["a song in the rain"])
        until(lambda: "Songs" in titles(index), said)


def test_a_system_that_cannot_watch_is_told_and_files_are_looked_at(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import watchfiles

    real = watchfiles.watch

    def limited(*folders: Path, force_polling: bool | None, **options: object) -> object:
        if not force_polling:
            raise OSError(28, "OS file watch limit reached")
        return real(*folders, force_polling=True, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(watchfiles, "watch", limited)
    with watching(index) as said:
        assert "The folders cannot be watched: [Errno 28] OS file watch limit reached." in said
        assert any("looked at every" in line for line in said)
        write_talk(index.parent / "talks", "songs", ["a song in the rain"])
        until(lambda: "Songs" in titles(index), said)


def test_folders_of_other_machines_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mounts"
    monkeypatch.setattr(watch, "_MOUNTS", mounts)
    there = Path(os.path.realpath(tmp_path))
    mounts.write_text(f"/dev/sda / ext4 rw 0 0\nserver:/talks {there} nfs4 rw 0 0\nbroken\n")
    assert watch._says_nothing(tmp_path)
    assert watch._says_nothing(tmp_path / "inside")
    assert not watch._says_nothing(Path("/"))
    mounts.write_text("/dev/sda / ext4 rw 0 0\n")
    assert not watch._says_nothing(tmp_path)
    mounts.unlink()
    assert not watch._says_nothing(tmp_path)


def test_a_line_says_what_is_different() -> None:
    same = Report(kept=["a"])
    assert watch.summary(same, same) == ""
    held = Report(kept=["a"], held=[HeldTalk("a", "/talks/a.vtt", "Its disk is away.")])
    assert watch.summary(held, same) == "1 stayed, because their files cannot be read now; 1 talk in the index."
    assert watch.summary(held, held) == ""
    assert watch.summary(same, held) == "all files are back; 1 talk in the index."


def test_a_file_that_is_no_transcript_is_told_once(index: Path) -> None:
    talks = index.parent / "talks"
    with watching(index) as said:
        (talks / "odd.vtt").write_bytes(b"\0\1\2" * 100)
        until(lambda: any("skipped" in line for line in said), said)
        write_talk(talks, "songs", ["a song in the rain"])
        until(lambda: any("1 added" in line for line in said), said)
    assert sum("odd.vtt: The file is binary" in line for line in said) == 1


PROGRAM = """
import sys
from functools import partial
from fakes import CountingEncoder
from talksearch.cli.main import cli
from talksearch.indexer.pipeline import run
run.build_index = partial(run.build_index, encoder=CountingEncoder())
cli(sys.argv[1:], prog_name="talksearch")
"""


@pytest.mark.parametrize("ends", [signal.SIGINT, signal.SIGTERM])
def test_the_command_indexes_watches_and_ends_with_0(ends: signal.Signals, tmp_path: Path) -> None:
    talks = tmp_path / "talks"
    write_talk(talks, "bees", ["every bee knows"])
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "index", str(talks), "--watch", "--index", str(tmp_path / "index")],
        cwd=Path(__file__).parent, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        lines: list[str] = []
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            if "Watching for changes" in line:
                write_talk(talks, "ships", ["the ship keeps its own time"])
            if "1 added; 2 talks in the index." in line:
                process.send_signal(ends)
        assert process.wait(LONG_S) == 0, lines
    assert lines[0].startswith("1 talk in the index: 1 added")
    assert lines[-1] == "Stopped."
    assert titles(tmp_path / "index") == ["Bees", "Ships"]
