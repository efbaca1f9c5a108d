from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fakes import CountingEncoder
from tiny import make_index, write_talk

from talksearch.cli.server import index_pool as resident_module
from talksearch.cli.server.index_pool import BusyError, IndexPool
from talksearch.indexer.errors import BadIndexError, QueryError
from talksearch.indexer.pipeline import run
from talksearch.search import engine
from talksearch.search import reader as index_module
from talksearch.search.query import Query
from talksearch.search.reader import IndexReader, open_reader


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return make_index(tmp_path)


@pytest.fixture
def resident(index: Path) -> Iterator[IndexPool]:
    one = IndexPool(index, encoder=CountingEncoder(), workers=2)
    yield one
    one.close()


def titles(resident: IndexPool, text: str) -> list[str]:
    answer = resident.submit(lambda index: engine.search(index, Query(text))).result()
    return [hit.title for hit in answer.hits]


def test_it_answers_as_the_engine_does(resident: IndexPool, index: Path) -> None:
    resident.warm()
    alone = engine.search(open_reader(index, encoder=CountingEncoder()), Query("ship time"))
    assert resident.submit(lambda index: engine.search(index, Query("ship time"))).result() == alone


def test_a_new_talk_is_found_and_a_removed_one_is_not(resident: IndexPool, index: Path) -> None:
    assert titles(resident, "bread")[:1] != ["Loaf"]
    write_talk(index.parent / "talks", "loaf", ["bread and bread and bread"])
    run.build_index(index, (), encoder=CountingEncoder())
    for _ in range(4):  # both workers
        assert titles(resident, "bread")[0] == "Loaf"
    found = resident.submit(lambda index: engine.search(index, Query("bread"))).result().hits[0]
    run.remove_talks(index, [found.talk_id])
    for _ in range(4):
        assert "Loaf" not in titles(resident, "bread")


def test_a_rebuilt_index_is_taken_up(resident: IndexPool, index: Path) -> None:
    assert "Ships" in titles(resident, "ship")
    (index.parent / "talks" / "ships.vtt").unlink()
    run.build_index(index, (), rebuild=True, encoder=CountingEncoder())
    for _ in range(4):
        assert "Ships" not in titles(resident, "ship")


def test_an_index_that_goes_is_missed_and_one_that_comes_is_found(resident: IndexPool, index: Path) -> None:
    assert titles(resident, "ship")[0] == "Ships"
    index.rename(index.with_name("away"))
    for _ in range(3):
        with pytest.raises(BadIndexError, match="no index"):
            titles(resident, "ship")
    index.with_name("away").rename(index)
    for _ in range(3):
        assert titles(resident, "ship")[0] == "Ships"


def test_searching_while_talks_come_and_go_never_fails(resident: IndexPool, index: Path) -> None:
    done = threading.Event()

    def ask() -> set[str]:
        first = set()
        while not done.is_set():
            first.add(titles(resident, "bridge song")[0])
        return first

    with ThreadPoolExecutor() as clients:
        asking = [clients.submit(ask) for _ in range(3)]
        try:
            for number in range(4):
                write_talk(index.parent / "talks", "come", [f"rain and code {number}", "time time"] * (number + 1))
                run.build_index(index, (), encoder=CountingEncoder())
                (index.parent / "talks" / "come.vtt").unlink()
                run.build_index(index, (), encoder=CountingEncoder())
        finally:
            done.set()
        assert [future.result() for future in asking] == [{"Bridges"}] * 3


def test_eight_clients_get_their_own_answers(resident: IndexPool) -> None:
    said = {"ship": "Ships", "bee": "Bees", "bridge": "Bridges", "late": "Ships"}

    def ask(word: str) -> set[str]:
        return {titles(resident, word)[0] for _ in range(10)}

    with ThreadPoolExecutor(8) as clients:
        assert list(clients.map(ask, [*said, *said])) == [{title} for title in [*said.values(), *said.values()]]


def test_who_comes_first_is_served_first(index: Path) -> None:
    order: list[int] = []
    hold = threading.Event()
    one = IndexPool(index, encoder=CountingEncoder(), workers=1)
    futures = [one.submit(lambda _: hold.wait())]
    futures += [one.submit(lambda _, number=number: order.append(number)) for number in range(20)]  # type: ignore[misc]
    hold.set()
    for future in futures:
        future.result()
    one.close()
    assert order == list(range(20))


def test_too_long_a_line_turns_the_next_away(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resident_module, "_WAITING", 2)
    hold = threading.Event()
    one = IndexPool(index, encoder=CountingEncoder(), workers=1)
    futures = [one.submit(lambda _: hold.wait()) for _ in range(3)]
    with pytest.raises(BusyError):
        one.submit(lambda _: None)
    hold.set()
    assert all(future.result() for future in futures)
    assert titles(one, "bee")[0] == "Bees"
    one.close()


def test_it_is_opened_once_a_worker_and_again_only_when_it_changed(
    resident: IndexPool, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[object] = []
    before = resident_module.open_reader

    def open_reader(*args: Any, **options: Any) -> IndexReader:
        opened.append(None)
        return before(*args, **options)

    monkeypatch.setattr(resident_module, "open_reader", open_reader)
    resident.warm()
    for _ in range(5):
        with pytest.raises(QueryError):
            titles(resident, " ")
        assert titles(resident, "ship")
    assert len(opened) == 2
    run.build_index(index, (), encoder=CountingEncoder())  # nothing to do
    write_talk(index.parent / "talks", "loaf", ["bread"])
    run.build_index(index, (), encoder=CountingEncoder())
    resident.warm()
    assert len(opened) == 4


def test_the_encoder_is_loaded_once(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[object] = []

    def load(*_: object) -> CountingEncoder:
        loaded.append(None)
        return CountingEncoder()

    monkeypatch.setattr(index_module, "_load_encoder", load)
    one = IndexPool(index, workers=3)
    one.warm()
    assert titles(one, "bee")[0] == "Bees"
    assert len(loaded) == 1
    one.close()


def test_a_copy_in_the_place_of_an_index_is_noticed(resident: IndexPool, index: Path, tmp_path: Path) -> None:
    assert titles(resident, "ship")[0] == "Ships"
    other = tmp_path / "other"
    other.mkdir()
    write_talk(other / "talks", "solo", ["ship ship ship"])
    run.build_index(other / "index", [other / "talks"], encoder=CountingEncoder())
    shutil.rmtree(index)
    (other / "index").rename(index)
    assert titles(resident, "ship") == ["Solo"]
