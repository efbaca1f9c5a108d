from __future__ import annotations

import os
import signal
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from talksearch.indexer import store, storing
from talksearch.indexer.apart import Apart, start
from talksearch.indexer.errors import BadIndexError

IDS = ["a", "b", "c"]
VECTORS = np.eye(3, 4, dtype=np.float32)
ROWS = [{"text": f"text {at}", "talk_id": "talk", "start_s": float(at)} for at in range(3)]


@pytest.mark.parametrize("waiting", [3, 100_000])
def test_what_is_put_is_in_the_store_in_this_process_or_another(tmp_path: Path, waiting: int) -> None:
    with storing.putting(tmp_path, waiting, 0) as put:
        put(IDS[:2], VECTORS[:2], ROWS[:2])
        put(IDS[2:], VECTORS[2:], ROWS[2:])
    held = store.open_store(tmp_path)
    with closing(held.client):
        assert {id_: vector.tolist() for id_, vector in store.read(held, IDS).items()} == dict(
            zip(IDS, VECTORS.tolist(), strict=True)
        )
        assert held.collections[0].get("b")["metadatas"] == [{"talk_id": "talk", "start_s": 1.0}]
        assert store.nearest(held, VECTORS[2], 1)[0][0] == "c"


def test_what_chroma_refuses_is_told_and_more_can_be_put(tmp_path: Path) -> None:
    with storing.putting(tmp_path, 100_000, 0) as put:
        put(IDS[:1], VECTORS[:1], ROWS[:1])
        with pytest.raises(BadIndexError, match="dimension"):
            put(IDS[1:2], np.ones((1, 7), np.float32), ROWS[1:2])
        put(IDS[2:], VECTORS[2:], ROWS[2:])
    held = store.open_store(tmp_path)
    with closing(held.client):
        assert sorted(store.all_ids(held)) == ["a", "c"]


def test_a_process_that_ends_is_told_and_what_it_had_put_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Apart] = []

    def noted(*given: Any) -> Apart | None:
        apart = start(*given)
        assert apart
        started.append(apart)
        return apart

    monkeypatch.setattr(storing, "start", noted)
    with storing.putting(tmp_path, 100_000, 0) as put:
        put(IDS[:1], VECTORS[:1], ROWS[:1])
        assert started[0].process.pid
        os.kill(started[0].process.pid, signal.SIGKILL)
        with pytest.raises(BadIndexError, match="ended"):
            put(IDS[1:], VECTORS[1:], ROWS[1:])
    assert not started[0].process.is_alive()
    held = store.open_store(tmp_path)
    with closing(held.client):
        assert list(store.all_ids(held)) == ["a"]


def test_where_no_process_can_be_started_this_one_puts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storing, "start", lambda *_: None)
    with storing.putting(tmp_path, 100_000, 0) as put:
        put(IDS, VECTORS, ROWS)
    held = store.open_store(tmp_path)
    with closing(held.client):
        assert sorted(store.all_ids(held)) == IDS


@pytest.mark.parametrize("waiting", [3, 100_000])
def test_what_an_interrupted_run_left_in_the_store_is_put_again(tmp_path: Path, waiting: int) -> None:
    with storing.putting(tmp_path, waiting, 0) as put:
        put(IDS, VECTORS, ROWS)
    with storing.putting(tmp_path, waiting, 1) as put:
        put(IDS[1:], VECTORS[1:], [{**row, "talk_id": "renamed"} for row in ROWS[1:]])
    held = store.open_store(tmp_path)
    with closing(held.client):
        found = held.collections[0].get(IDS)
        assert dict(zip(found["ids"], (row["talk_id"] for row in found["metadatas"]), strict=True)) == {
            "a": "talk",
            "b": "renamed",
            "c": "renamed",
        }


@pytest.mark.parametrize("full", [1, 2, 3])
def test_a_large_store_has_several_collections_and_says_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full: int
) -> None:
    monkeypatch.setattr(store, "FULL", full)
    with storing.putting(tmp_path, 3, 0) as put:
        assert [put(IDS[at : at + 1], VECTORS[at : at + 1], ROWS[at : at + 1]) for at in range(3)] == [1, 2, 3]
    held = store.open_store(tmp_path)
    with closing(held.client):
        counts = [one.count() for one in held.collections]
        assert (max(counts), sum(counts)) == (full, 3)
        assert sorted(store.all_ids(held)) == IDS
        assert sorted(store.read(held, IDS)) == IDS
        for id_, vector in zip(IDS, VECTORS, strict=True):
            assert store.nearest(held, vector, 2)[0] == (id_, pytest.approx(1.0))
        assert len(store.nearest(held, VECTORS[0], 2)) == 2


def test_what_is_put_again_stands_once_in_whichever_collection_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "FULL", 2)
    for there in (0, -1):
        with storing.putting(tmp_path, 3, there) as put:
            for at in range(3):
                assert put(IDS[at : at + 1], VECTORS[at : at + 1], ROWS[at : at + 1]) == (3 if there else at + 1)


def test_room_that_talks_left_is_used_before_a_new_collection_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "FULL", 4)
    many = np.eye(8, dtype=np.float32)
    rows = ROWS[:1] * 8
    with storing.putting(tmp_path, 8, 0) as put:
        put([f"a{at}" for at in range(4)], many[:4], rows[:4])
        put([f"b{at}" for at in range(4)], many[4:], rows[4:])
    with storing.opened(tmp_path) as (_, held):
        store.drop(held, ["a0", "a1", "a2", "nobody"])
    with storing.putting(tmp_path, 8, 5) as put:
        put(["c"], many[:1], rows[:1])
    with storing.opened(tmp_path) as (_, held):
        assert {one.name: sorted(one.get(include=[])["ids"]) for one in held.collections} == {
            "passages": ["a3", "c"],
            "passages-2": ["b0", "b1", "b2", "b3"],
        }


@pytest.mark.parametrize("waiting", [3, 100_000])
def test_a_damaged_store_is_told_in_a_sentence_wherever_it_is_opened(tmp_path: Path, waiting: int) -> None:
    with storing.putting(tmp_path, 3, 0) as put:
        put(IDS, VECTORS, ROWS)
    assert storing.damage(tmp_path) == ""
    os.truncate(tmp_path / "chroma" / "chroma.sqlite3", 3_000)
    assert storing.damage(tmp_path)
    with pytest.raises(BadIndexError, match="talksearch doctor" if waiting > 3 else "cannot be used"):  # noqa: SIM117
        with storing.putting(tmp_path, waiting, 0) as put:
            put(IDS, VECTORS, ROWS)
    aside = storing.put_aside(tmp_path)
    assert aside
    assert (aside / "chroma.sqlite3").exists()
    with storing.putting(tmp_path, 3, 0) as put:  # Chroma does not go on with what it had opened
        put(IDS, VECTORS, ROWS)
    assert storing.damage(tmp_path) == ""


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
    assert storing.is_damaged(storing.unusable(tmp_path, said)) == damaged
