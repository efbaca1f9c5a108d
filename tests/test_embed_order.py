"""The order in which passages get their vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fakes import CountingEncoder
from tiny import write_talk

from talksearch.indexer.pipeline import embed_pending
from talksearch.indexer.pipeline.embed_order import embedding_order, rounds
from talksearch.indexer.pipeline.run import build_index
from talksearch.indexer.stores import catalog, vectors

SPOKEN = np.zeros(9, bool)
SAID = ("one", "two", "three", "four", "five", "six", "seven")


def test_each_round_halves_the_gaps_of_the_one_before() -> None:
    found = rounds(np.ones(33, np.int64), np.zeros(33, bool))
    for number, step in enumerate((16, 8, 4, 2, 1), 1):
        assert np.flatnonzero(found <= number).tolist() == list(range(0, 33, step))


def test_every_talk_has_its_first_passage_in_the_first_round_wherever_its_passages_stand() -> None:
    assert rounds(np.array([5, 3, 5, 3, 5, 9, 5, 5, 5]), SPOKEN).tolist() == [1, 1, 5, 5, 4, 1, 5, 3, 5]


def test_notes_come_first_and_do_not_count_as_places_of_the_talk() -> None:
    notes = np.array([True, False, True, False, False])
    assert rounds(np.ones(5, np.int64), notes).tolist() == [0, 1, 0, 5, 4]


def test_no_passage_makes_no_order() -> None:
    assert rounds(np.empty(0, np.int64), np.empty(0, bool)).tolist() == []


def test_an_indexing_run_embeds_in_this_order_and_leaves_nothing_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        lines = [f"{name} {word} time ship bee rain code " * 8 for word in SAID]
        write_talk(tmp_path / "talks", name, lines)
    monkeypatch.setattr(embed_pending, "WINDOW", 3)
    build_index(tmp_path / "index", [tmp_path / "talks"], encoder=CountingEncoder())
    db = catalog.open_catalog(tmp_path / "index")
    order = embedding_order(db)
    stored = vectors.read(tmp_path / "index", 8).numbers
    assert sorted(stored) == sorted(order)
    windows = [order[start : start + 3] for start in range(0, len(order), 3)]
    assert stored.tolist() == [number for window in windows for number in sorted(window.tolist())]
    assert stored.tolist() != sorted(stored), "else the test says nothing"
    assert db.execute("SELECT count(*) FROM passages WHERE NOT embedded").fetchone() == (0,)
