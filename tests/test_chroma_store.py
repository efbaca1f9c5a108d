from __future__ import annotations

import os
import signal
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from talksearch.indexer.errors import BadIndexError, DamagedStoreError
from talksearch.indexer.stores import catalog
from talksearch.indexer.stores.chroma import collection as passages
from talksearch.indexer.stores.chroma import store, writer
from talksearch.indexer.stores.chroma.client import open_store
from talksearch.indexer.worker import WorkerProcess, start_worker

IDS = ["a", "b", "c"]
NUMBERS = np.arange(1, 4)
VECTORS = np.eye(3, 4, dtype=np.float32)
ROWS = [{"text": f"text {at}", "talk_id": "talk", "start_s": float(at)} for at in range(3)]


@pytest.mark.parametrize("waiting", [3, 100_000])
def test_what_is_put_is_in_the_store_in_this_process_or_another(tmp_path: Path, waiting: int) -> None:
    with writer.writer(tmp_path, waiting, {}) as put:
        put(NUMBERS[:2], IDS[:2], VECTORS[:2], ROWS[:2])
        put(NUMBERS[2:], IDS[2:], VECTORS[2:], ROWS[2:])
    client, collection = open_store(tmp_path)
    with closing(client):
        assert {id_: vector.tolist() for id_, vector in passages.read(collection, IDS).items()} == dict(
            zip(IDS, VECTORS.tolist(), strict=True)
        )
        assert collection.get("b")["metadatas"] == [{"talk_id": "talk", "start_s": 1.0}]
        assert passages.nearest(collection, VECTORS[2], 1)[0][0] == "c"


def started_early() -> Future[WorkerProcess | None]:
    early: Future[WorkerProcess | None] = Future()
    early.set_result(start_worker(writer._serve))
    return early


def test_a_process_that_was_started_early_takes_passages_out_and_puts_others_in(tmp_path: Path) -> None:
    with writer.writer(tmp_path, 3, {}) as put:
        put(NUMBERS[:2], IDS[:2], VECTORS[:2], ROWS[:2])
    with writer.writer(tmp_path, 1, {0: 1}, {1: "a"}, started_early()) as put:
        assert put(NUMBERS[2:], IDS[2:], VECTORS[2:], ROWS[2:]) == {0: 2}
    with writer.writer(tmp_path, 0, {0: 1}, {2: "b"}, started_early()):
        pass
    client, collection = open_store(tmp_path)
    with closing(client):
        assert list(passages.all_ids(collection)) == ["c"]


def test_no_process_is_started_early_for_nothing_or_where_chromadb_is_imported() -> None:
    for wanted in (False, True):
        with writer.early_process(wanted=wanted) as early:
            assert early is None


def test_a_store_that_a_process_cannot_open_is_told_though_nothing_is_put(tmp_path: Path) -> None:
    with writer.writer(tmp_path, 3, {}) as put:
        put(NUMBERS, IDS, VECTORS, ROWS)
    os.truncate(tmp_path / "chroma" / "chroma.sqlite3", 3_000)
    with (
        pytest.raises(DamagedStoreError, match="cannot be used"),
        writer.writer(tmp_path, 0, {}, {2: "b"}, started_early()),
    ):
        pass


def test_what_chroma_refuses_is_told_and_more_can_be_put(tmp_path: Path) -> None:
    with writer.writer(tmp_path, 100_000, {}) as put:
        put(NUMBERS[:1], IDS[:1], VECTORS[:1], ROWS[:1])
        with pytest.raises(BadIndexError, match="dimension"):
            put(NUMBERS[1:2], IDS[1:2], np.ones((1, 7), np.float32), ROWS[1:2])
        put(NUMBERS[2:], IDS[2:], VECTORS[2:], ROWS[2:])
    client, collection = open_store(tmp_path)
    with closing(client):
        assert sorted(passages.all_ids(collection)) == ["a", "c"]


def test_a_process_that_ends_is_told_and_what_it_had_put_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[WorkerProcess] = []

    def noted(*given: Any) -> WorkerProcess | None:
        process = start_worker(*given)
        assert process
        started.append(process)
        return process

    monkeypatch.setattr(writer, "start_worker", noted)
    with writer.writer(tmp_path, 100_000, {}) as put:
        put(NUMBERS[:1], IDS[:1], VECTORS[:1], ROWS[:1])
        assert started[0].process.pid
        os.kill(started[0].process.pid, signal.SIGKILL)
        with pytest.raises(BadIndexError, match="ended"):
            put(NUMBERS[1:], IDS[1:], VECTORS[1:], ROWS[1:])
    assert not started[0].process.is_alive()
    client, collection = open_store(tmp_path)
    with closing(client):
        assert list(passages.all_ids(collection)) == ["a"]


def test_where_no_process_can_be_started_this_one_puts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "start_worker", lambda *_: None)
    with writer.writer(tmp_path, 100_000, {}) as put:
        put(NUMBERS, IDS, VECTORS, ROWS)
    client, collection = open_store(tmp_path)
    with closing(client):
        assert sorted(passages.all_ids(collection)) == IDS


@pytest.mark.parametrize("waiting", [3, 100_000])
def test_what_an_interrupted_run_left_in_the_store_is_put_again(tmp_path: Path, waiting: int) -> None:
    with writer.writer(tmp_path, waiting, {}) as put:
        put(NUMBERS, IDS, VECTORS, ROWS)
    with writer.writer(tmp_path, waiting, {0: 1}) as put:
        put(NUMBERS[1:], IDS[1:], VECTORS[1:], [{**row, "talk_id": "renamed"} for row in ROWS[1:]])
    client, collection = open_store(tmp_path)
    with closing(client):
        found = collection.get(IDS)
        assert dict(zip(found["ids"], (row["talk_id"] for row in found["metadatas"]), strict=True)) == {
            "a": "talk",
            "b": "renamed",
            "c": "renamed",
        }


def test_a_large_archive_lies_in_several_collections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "PARTITION", 2)
    with writer.writer(tmp_path, 3, {}) as put:
        assert put(NUMBERS[:1], IDS[:1], VECTORS[:1], ROWS[:1]) == {0: 1}
        assert put(NUMBERS[1:], IDS[1:], VECTORS[1:], ROWS[1:]) == {1: 2}
    with writer.writer(tmp_path, 3, {}) as put:
        assert put(NUMBERS, IDS, VECTORS, ROWS) == {0: 1, 1: 2}, "put again, each in its place"
    assert store.partitions(tmp_path) == [0, 1]
    with store.open_partition(tmp_path) as collection:
        assert (collection.name, list(passages.all_ids(collection))) == ("passages", ["a"])
    with store.open_partition(tmp_path, 1) as collection:
        assert (collection.name, sorted(passages.all_ids(collection))) == ("passages-2", ["b", "c"])
        assert passages.read(collection, ["c"])["c"].tolist() == VECTORS[2].tolist()
    store.drop(tmp_path, {1: "a", 2: "nobody", 3: "c"})
    for part, left in enumerate([[], ["b"]]):
        with store.open_partition(tmp_path, part) as collection:
            assert list(passages.all_ids(collection)) == left


@pytest.mark.parametrize("waiting", [3, 100_000])
def test_a_damaged_store_is_told_in_a_sentence_wherever_it_is_opened(tmp_path: Path, waiting: int) -> None:
    with writer.writer(tmp_path, 3, {}) as put:
        put(NUMBERS, IDS, VECTORS, ROWS)
    assert store.damage(tmp_path) == ""
    os.truncate(tmp_path / "chroma" / "chroma.sqlite3", 3_000)
    assert store.damage(tmp_path)
    with pytest.raises(DamagedStoreError, match="cannot be used"):  # noqa: SIM117
        with writer.writer(tmp_path, waiting, {}) as put:
            put(NUMBERS, IDS, VECTORS, ROWS)
    with closing(catalog.open_catalog(tmp_path, write=True)) as db:
        aside = store.put_aside(tmp_path, db)
    assert aside
    assert (aside / "chroma.sqlite3").exists()
    with writer.writer(tmp_path, 3, {}) as put:  # Chroma does not go on with what it had opened
        put(NUMBERS, IDS, VECTORS, ROWS)
    assert store.damage(tmp_path) == ""


@pytest.mark.parametrize(
    ("said", "damaged"),
    [
        ("error returned from database: (code: 11) database disk image is malformed", True),
        ("error returned from database: (code: 26) file is not a database", True),
        ("error returned from database: (code: 267) database disk image is malformed", True),
        ("Error executing plan: Internal error: Error getting embedding", True),
        ("error returned from database: (code: 5) database is locked", False),
        ("error returned from database: (code: 8) attempt to write a readonly database", False),
        ("error returned from database: (code: 13) database or disk is full", False),
    ],
)
def test_damage_is_told_from_a_store_that_is_in_use(tmp_path: Path, said: str, damaged: bool) -> None:
    assert isinstance(store.unusable(tmp_path, said), DamagedStoreError) == damaged


def test_what_is_not_said_of_a_passage_any_more_is_taken_away(tmp_path: Path) -> None:
    for row in ({**ROWS[0], "language": "en"}, ROWS[0]):
        with writer.writer(tmp_path, 1, {}) as put:
            put(NUMBERS[:1], IDS[:1], VECTORS[:1], [row])
    with store.open_partition(tmp_path) as collection:
        assert "language" not in collection.get(IDS[:1])["metadatas"][0]
