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

from talksearch.cli.pool import index_pool
from talksearch.cli.pool.index_pool import BusyError, IndexPool
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
def pool(index: Path) -> Iterator[IndexPool]:
    pool = IndexPool(index, encoder=CountingEncoder(), workers=2)
    yield pool
    pool.close()


def titles(pool: IndexPool, text: str) -> list[str]:
    answer = pool.submit(lambda index: engine.search(index, Query(text))).result()
    return [hit.title for hit in answer.hits]


def test_it_answers_as_the_engine_does(pool: IndexPool, index: Path) -> None:
    pool.warm()
    alone = engine.search(open_reader(index, encoder=CountingEncoder()), Query("ship time"))
    assert pool.submit(lambda index: engine.search(index, Query("ship time"))).result() == alone


def test_a_new_talk_is_found_and_a_removed_one_is_not(pool: IndexPool, index: Path) -> None:
    assert titles(pool, "bread")[:1] != ["Loaf"]
    write_talk(index.parent / "talks", "loaf", ["bread and bread and bread"])
    run.build_index(index, (), encoder=CountingEncoder())
    for _ in range(4):  # both workers
        assert titles(pool, "bread")[0] == "Loaf"
    found = pool.submit(lambda index: engine.search(index, Query("bread"))).result().hits[0]
    run.remove_talks(index, [found.talk_id])
    for _ in range(4):
        assert "Loaf" not in titles(pool, "bread")


def test_a_rebuilt_index_is_taken_up(pool: IndexPool, index: Path) -> None:
    assert "Ships" in titles(pool, "ship")
    (index.parent / "talks" / "ships.vtt").unlink()
    run.build_index(index, (), rebuild=True, encoder=CountingEncoder())
    for _ in range(4):
        assert "Ships" not in titles(pool, "ship")


def test_an_index_that_goes_is_missed_and_one_that_comes_is_found(pool: IndexPool, index: Path) -> None:
    assert titles(pool, "ship")[0] == "Ships"
    index.rename(index.with_name("away"))
    for _ in range(3):
        with pytest.raises(BadIndexError, match="no index"):
            titles(pool, "ship")
    index.with_name("away").rename(index)
    for _ in range(3):
        assert titles(pool, "ship")[0] == "Ships"


def test_searching_while_talks_come_and_go_never_fails(pool: IndexPool, index: Path) -> None:
    done = threading.Event()

    def ask() -> set[str]:
        first = set()
        while not done.is_set():
            first.add(titles(pool, "bridge song")[0])
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


def test_eight_clients_get_their_own_answers(pool: IndexPool) -> None:
    said = {"ship": "Ships", "bee": "Bees", "bridge": "Bridges", "late": "Ships"}

    def ask(word: str) -> set[str]:
        return {titles(pool, word)[0] for _ in range(10)}

    with ThreadPoolExecutor(8) as clients:
        assert list(clients.map(ask, [*said, *said])) == [{title} for title in [*said.values(), *said.values()]]


def test_who_comes_first_is_served_first(index: Path) -> None:
    order: list[int] = []
    hold = threading.Event()
    pool = IndexPool(index, encoder=CountingEncoder(), workers=1)
    futures = [pool.submit(lambda _: hold.wait())]
    futures += [pool.submit(lambda _, number=number: order.append(number)) for number in range(20)]  # type: ignore[misc]
    hold.set()
    for future in futures:
        future.result()
    pool.close()
    assert order == list(range(20))


def test_too_long_a_line_turns_the_next_away(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_pool, "_WAITING", 2)
    hold = threading.Event()
    pool = IndexPool(index, encoder=CountingEncoder(), workers=1)
    futures = [pool.submit(lambda _: hold.wait()) for _ in range(3)]
    with pytest.raises(BusyError):
        pool.submit(lambda _: None)
    hold.set()
    assert all(future.result() for future in futures)
    assert titles(pool, "bee")[0] == "Bees"
    pool.close()


def test_it_is_opened_once_a_worker_and_again_only_when_it_changed(
    pool: IndexPool, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[object] = []
    before = index_module.open_reader

    def open_reader(*args: Any, **options: Any) -> IndexReader:
        opened.append(None)
        return before(*args, **options)

    monkeypatch.setattr(index_module, "open_reader", open_reader)
    pool.warm()
    for _ in range(5):
        with pytest.raises(QueryError):
            titles(pool, " ")
        assert titles(pool, "ship")
    assert len(opened) == 2
    run.build_index(index, (), encoder=CountingEncoder())  # nothing to do
    write_talk(index.parent / "talks", "loaf", ["bread"])
    run.build_index(index, (), encoder=CountingEncoder())
    pool.warm()
    assert len(opened) == 4


def test_the_encoder_is_loaded_once(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[object] = []

    def load(*_: object) -> CountingEncoder:
        loaded.append(None)
        return CountingEncoder()

    monkeypatch.setattr(index_module, "load_encoder", load)
    pool = IndexPool(index, workers=3)
    pool.warm()
    assert titles(pool, "bee")[0] == "Bees"
    assert len(loaded) == 1
    pool.close()


def test_a_copy_in_the_place_of_an_index_is_noticed(pool: IndexPool, index: Path, tmp_path: Path) -> None:
    assert titles(pool, "ship")[0] == "Ships"
    other = tmp_path / "other"
    other.mkdir()
    write_talk(other / "talks", "solo", ["ship ship ship"])
    run.build_index(other / "index", [other / "talks"], encoder=CountingEncoder())
    shutil.rmtree(index)
    (other / "index").rename(index)
    assert titles(pool, "ship") == ["Solo"]
