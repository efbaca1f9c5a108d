"""The faults that `benchmarks/trust/faults.py` plants: every table and file has some, and a dozen are tried."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from talksearch.indexer import layout
from talksearch.indexer.encoders import onnx_encoder
from talksearch.indexer.stores.seals import SEALED

TRUST = Path(__file__).parents[1] / "benchmarks" / "trust"
MODULES = ("fault_list", "fault_rows", "fault", "hash_encoder", "small_index", "trial")

TRIED = (
    "catalog.sqlite3 gone",
    "catalog.sqlite3 stale",
    "recipe.json flipped",
    "vectors.bin cut",
    "columns.bin: a value of positions is 2147483648",
    "topics.json another's",
    "chroma: a text changed",
    "a talk's title changed",
    "a passage's talk another",
    "a file's talk another",
    "words gone",
    "common has one more",
    "a track gone",
)
"""One of each kind; the benchmark tries all of them."""

ASKED = (
    ("search", "moving clock", "--mode", "lexical", "-k", "40", "--format", "jsonl"),
    ("search", "Willkommen im Hafen", "--beside", "de", "--format", "jsonl"),
    ("search", "clock", "--talk", "Phy5N1ght4b", "--format", "jsonl"),
    ("stats", "--format", "jsonl"),
    ("show", "Phy5N1ght4b"),
)


@pytest.fixture(scope="module")
def modules() -> Iterator[None]:
    """Let the modules that plant faults, which lie among the benchmarks, be imported."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(TRUST))
        yield
    for module in MODULES:
        sys.modules.pop(module, None)


@pytest.fixture(scope="module")
def names(modules: None) -> list[str]:
    """The names of all faults."""
    from fault_list import FAULTS  # type: ignore[import-not-found]

    return [fault.name for fault in FAULTS]


@pytest.fixture(scope="module")
def try_fault(modules: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Any]]:
    """Try a fault by its name, in a copy of an index of a few talks, with an encoder that takes no time."""
    import fault  # type: ignore[import-not-found]
    import fault_list
    import hash_encoder  # type: ignore[import-not-found]
    import small_index  # type: ignore[import-not-found]
    import trial  # type: ignore[import-not-found]

    folder = tmp_path_factory.mktemp("faults")
    index = folder / "index"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TALKSEARCH_CONFIG", str(folder / "config.toml"))
        patch.setenv("TALKSEARCH_NO_SERVER", "1")
        patch.setattr(onnx_encoder, "load", lambda _, card, **__: hash_encoder.HashEncoder(card))
        # It would find that the model gives other vectors.
        patch.setattr(import_module("talksearch.indexer.doctor.examine"), "check_encoder", lambda *_: [])
        patch.setattr(trial, "_COMMANDS", ASKED)
        patch.setattr(trial, "_PAGES", ("/map",))
        indexes = small_index.make_indexes(folder / "indexes", ("json3", "rolling", "text"))
        sound, held = trial.prepare(indexes, folder)
        faults = {planted.name: planted for planted in fault_list.FAULTS}

        def act(name: str) -> Any:
            shutil.rmtree(index, ignore_errors=True)
            shutil.copytree(indexes.sound, index)
            case = fault.Case(index, indexes, folder / "home")
            return trial.try_fault(faults[name], case, sound, held, lambda _: None)

        yield act


def test_they_are_many_and_each_has_a_name_of_its_own(names: list[str]) -> None:
    assert len(names) == len(set(names)) >= 200


def test_every_file_that_is_kept_is_damaged_in_some_way(names: list[str]) -> None:
    passing = {entry.name for entry in layout.ENTRIES if entry.passing} - {layout.OVERVIEW.name}
    kept = [entry.name for entry in layout.ENTRIES if entry.name not in passing and entry != layout.CHROMA_DAMAGED]
    assert [name for name in kept if not any(fault.startswith(name) for fault in names)] == []


def test_every_table_is_damaged_in_some_way() -> None:
    rows = (TRUST / "fault_rows.py").read_text(encoding="utf-8")
    assert [table for table in sorted(SEALED) if f"{table} " not in rows and f'"{table}"' not in rows] == []


@pytest.mark.parametrize("name", TRIED)
def test_a_fault_is_told_by_a_search_found_by_the_doctor_and_mended(try_fault: Callable[[str], Any], name: str) -> None:
    trial = try_fault(name)
    assert trial.is_right, trial
