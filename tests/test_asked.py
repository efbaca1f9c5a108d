"""The talks that were asked for lately get their vectors first, and no index that has all vectors is written to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from fakes import CountingEncoder
from tiny import write_talk

from talksearch.cli.pool.index_pool import IndexPool
from talksearch.indexer import layout
from talksearch.indexer.errors import TalksearchError
from talksearch.indexer.pipeline import embed_pending
from talksearch.indexer.pipeline.embed_order import embedding_order, windows
from talksearch.indexer.pipeline.run import build_index
from talksearch.indexer.stores import asked, catalog
from talksearch.search import engine
from talksearch.search.evaluation import measure
from talksearch.search.query import Query
from talksearch.search.reader import open_reader

SAID = ("one", "two", "three", "four", "five", "six", "seven")


def test_the_last_talk_asked_for_stands_first_and_each_once(tmp_path: Path) -> None:
    assert asked.read(tmp_path) == []
    asked.note(tmp_path, [3, 1])
    asked.note(tmp_path, [2, 3])
    assert asked.read(tmp_path) == [2, 3, 1]
    asked.note(tmp_path, [])
    assert layout.ASKED.within(tmp_path).read_bytes() == b"3 1\n2 3\n", "an answer without hits leaves nothing"
    asked.forget(tmp_path)
    asked.forget(tmp_path)
    assert asked.read(tmp_path) == []


def test_what_is_noted_stays_small(tmp_path: Path) -> None:
    for number in range(5_000):
        asked.note(tmp_path, [number, number + 1])
    assert asked.read(tmp_path)[0] == 4_999
    assert len(asked.read(tmp_path)) <= 100
    assert layout.ASKED.within(tmp_path).stat().st_size <= 8_192


@pytest.mark.parametrize(
    ("content", "talks"),
    [
        (b"", []),
        (b"\0\xff\n7\n", [7]),
        (b"1 2\n3 x\n-4\n" + b"9" * 40 + b"\n5 6\n7 8", [5, 6, 1, 2]),
        (b"no line at all" * 100_000, []),
    ],
)
def test_of_a_damaged_file_whole_lines_count(tmp_path: Path, content: bytes, talks: list[int]) -> None:
    layout.ASKED.within(tmp_path).write_bytes(content)
    assert asked.read(tmp_path) == talks


def test_two_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    if not (other := os.fork()):
        for number in range(300):
            asked.note(tmp_path, [number])
        os._exit(0)
    for number in range(300):
        asked.note(tmp_path, [1_000 + number])
    os.waitpid(other, 0)
    lines = layout.ASKED.within(tmp_path).read_bytes().split()
    assert sorted(map(int, lines)) == [*range(300), *range(1_000, 1_300)]


def test_nothing_is_appended_to_what_a_link_leads_to(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    layout.ASKED.within(tmp_path).symlink_to(tmp_path / "mine")
    asked.note(tmp_path, [1])
    assert (tmp_path / "mine").read_text() == "mine"


def test_where_nothing_can_be_written_nothing_is_noted(tmp_path: Path) -> None:
    asked.note(tmp_path / "gone", [1])
    layout.ASKED.within(tmp_path).mkdir()
    asked.note(tmp_path, [1])
    asked.forget(tmp_path)
    assert asked.read(tmp_path) == []


class Ending(CountingEncoder):
    """One that gives up behind some texts, as a run that is interrupted."""

    def encode_passages(self, texts):  # type: ignore[no-untyped-def]
        if len(self.seen) >= 4:
            raise TalksearchError("Enough.", "")
        return super().encode_passages(texts)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An index of three talks, most of whose passages wait for vectors."""
    monkeypatch.setattr(embed_pending, "WINDOW", 4)
    for name, word in (("ships", "ship"), ("bees", "bee"), ("bridges", "bridge")):
        write_talk(tmp_path / "talks", name, [f"{number} {word} and so on and on " * 8 for number in SAID])
    with pytest.raises(TalksearchError, match="Enough"):
        build_index(tmp_path / "index", [tmp_path / "talks"], encoder=Ending())
    return tmp_path / "index"


def talk_number(folder: Path, title: str) -> int:
    with closing(catalog.open_catalog(folder)) as db:
        return int(db.execute("SELECT number FROM talks WHERE title = ?", (title,)).fetchone()[0])


def test_a_search_notes_the_talks_of_its_first_hits_while_passages_wait(folder: Path) -> None:
    with open_reader(folder, encoder=CountingEncoder()) as index:
        hits = engine.search(index, Query("bee", mode="lexical")).hits
    assert hits
    assert asked.read(folder) == [talk_number(folder, "Bees")]


def test_a_measurement_and_a_server_that_warms_up_ask_for_nothing(folder: Path) -> None:
    with open_reader(folder, encoder=CountingEncoder()) as index:
        measure.run_queries(index, [measure.GoldQuery("1", "bee", "bees.vtt", ((0, 1),))])
    pool = IndexPool(folder, encoder=CountingEncoder(), workers=1)
    pool.warm()
    pool.close()
    assert not layout.ASKED.within(folder).exists()


def test_a_run_that_goes_on_begins_with_them_and_forgets_them_at_its_end(folder: Path) -> None:
    asked.note(folder, [talk_number(folder, "Bees")])
    encoder = CountingEncoder()
    build_index(folder, [folder.parent / "talks"], encoder=encoder)
    about_bees = ["bee" in text for text in encoder.seen]
    first = about_bees.index(False)
    assert not any(about_bees[first + 4 :]), "a window is filled up with others"
    assert first >= 4
    assert not layout.ASKED.within(folder).exists()


def test_a_complete_index_notes_nothing(folder: Path) -> None:
    build_index(folder, [folder.parent / "talks"], encoder=CountingEncoder())
    with open_reader(folder, encoder=CountingEncoder()) as index:
        assert engine.search(index, Query("bee")).hits
    assert not layout.ASKED.within(folder).exists()


def test_what_is_left_of_an_older_run_goes_when_nothing_waits(folder: Path) -> None:
    build_index(folder, [folder.parent / "talks"], encoder=CountingEncoder())
    asked.note(folder, [1])
    build_index(folder, [folder.parent / "talks"], encoder=CountingEncoder())
    assert not layout.ASKED.within(folder).exists()


def test_a_search_of_an_index_that_cannot_be_written_is_answered(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> int:
        raise PermissionError

    monkeypatch.setattr(os, "open", refused)
    with open_reader(folder, encoder=CountingEncoder()) as index:
        assert engine.search(index, Query("bee", mode="lexical")).hits
    assert asked.read(folder) == []


def test_what_is_asked_during_a_run_counts_from_the_next_window_on(folder: Path) -> None:
    bees = talk_number(folder, "Bees")
    with closing(catalog.open_catalog(folder)) as db:
        talk_of = dict(db.execute("SELECT number, talk FROM passages"))
        waiting = {number for (number,) in db.execute("SELECT number FROM passages WHERE NOT embedded")}
        lately: list[int] = []
        order: Iterator[np.ndarray] = windows(db, 4, lambda: lately)  # type: ignore[type-arg]
        first = next(order).tolist()
        lately.append(bees)
        second = next(order).tolist()
        rest = [number for window in order for number in window.tolist()]
        coarse = embedding_order(db).tolist()
    assert sorted([*first, *second, *rest]) == sorted(waiting)
    assert first == sorted([number for number in coarse if number in waiting][:4])
    assert [talk_of[number] for number in second] == [bees] * 4
    of_bees = [number for number in coarse if number in waiting - {*first} and talk_of[number] == bees]
    assert second == sorted(of_bees[:4]), "from coarse to fine as well"
