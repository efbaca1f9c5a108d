"""Readers of an index that changes under them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from fakes import CountingEncoder
from tiny import make_index, write_talk

from talksearch.cli.main import cli
from talksearch.indexer.errors import BadIndexError
from talksearch.indexer.pipeline.run import build_index
from talksearch.indexer.stores import catalog_talks, soundness, vectors
from talksearch.search import current
from talksearch.search.current import current_index
from talksearch.search.reader import IndexReader


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return make_index(tmp_path)


def titles(reader: IndexReader) -> list[str]:
    return sorted(talk.title for talk in catalog_talks.read_talks(reader.db))


@pytest.mark.parametrize("rebuild", [False, True])
@pytest.mark.parametrize("fails", [False, True])
def test_what_changes_while_it_is_read_is_read_once_more(index: Path, rebuild: bool, fails: bool) -> None:
    """Else an answer could be made of two states, or of the catalog of one index and the vectors of another."""
    asked: list[list[str]] = []

    def work(reader: IndexReader) -> list[str]:
        asked.append(titles(reader))
        if len(asked) == 1:
            write_talk(index.parent / "talks", "songs", ["a song of bread", "the song of the code"])
            build_index(index, [], encoder=CountingEncoder(), rebuild=rebuild)
            if fails:
                raise sqlite3.DatabaseError("database disk image is malformed")
        return asked[-1]

    with current_index(index) as opened:
        assert opened.ask(work) == ["Bees", "Bridges", "Ships", "Songs"]
    assert len(asked) == 2


def test_what_fails_though_nothing_changed_is_told_at_once(index: Path) -> None:
    asked = 0

    def work(_: IndexReader) -> None:
        nonlocal asked
        asked += 1
        raise sqlite3.DatabaseError("database disk image is malformed")

    with current_index(index) as opened, pytest.raises(BadIndexError, match="malformed"):
        opened.ask(work)
    assert asked == 1


def test_an_index_that_never_holds_still_is_answered_from_all_the_same(index: Path) -> None:
    asked = 0

    def work(reader: IndexReader) -> int:
        nonlocal asked
        asked += 1
        (reader.folder / "columns.bin").write_bytes(b"x" * asked)
        return asked

    with current_index(index) as opened:
        assert opened.ask(work) == current._ATTEMPTS


def test_the_encoder_that_was_loaded_serves_the_changed_index(index: Path) -> None:
    encoder = CountingEncoder()
    with current_index(index) as opened:
        opened.ask(lambda reader: setattr(reader, "_encoder", encoder))
        build_index(index, [], encoder=CountingEncoder(), rebuild=True)
        assert opened.ask(lambda reader: reader.encoder()) is encoder


@pytest.mark.parametrize("once", [False, True])
def test_vectors_that_are_open_stay_as_they_are_when_others_take_their_place(tmp_path: Path, once: bool) -> None:
    numbers = np.arange(1, 9)
    vectors.append(tmp_path, numbers, np.eye(8, dtype=np.float32))
    copy = vectors.read(tmp_path, 8, once=once)
    assert vectors.compact(tmp_path, 8, [8]) == 7
    assert copy.take(copy.find(np.array([3, 8]))).tolist() == np.eye(8)[[2, 7]].tolist()
    assert vectors.read(tmp_path, 8, once=once).numbers.tolist() == [8]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("talks",), "Ships"),
        (("show", "ships"), "Ships"),
        (("export", "ships", "--format", "srt"), "the ship"),
        (("export", "--format", "m3u"), "Ships"),
    ],
)
def test_a_command_reads_the_catalog_as_it_was_when_it_began(
    index: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], said: str
) -> None:
    """Else it finds a talk, and then misses the half of it."""
    talk_sizes, check_talk = catalog_talks.talk_sizes, soundness.check_talk

    def leave() -> None:
        monkeypatch.undo()
        for file in (index.parent / "talks").glob("ships*"):
            file.unlink()
        build_index(index, [], encoder=CountingEncoder())

    monkeypatch.setattr(catalog_talks, "talk_sizes", lambda db: (talk_sizes(db), leave())[0])
    monkeypatch.setattr(soundness, "check_talk", lambda *arguments: (check_talk(*arguments), leave())[0])
    result = CliRunner().invoke(cli, [*command, "--index", str(index)])
    assert (result.exit_code, result.stderr) == (0, "")
    assert said in result.stdout
    assert "Ships" not in CliRunner().invoke(cli, ["talks", "--index", str(index)]).stdout
