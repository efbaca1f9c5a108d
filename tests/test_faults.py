"""The faults that `benchmarks/trust/faults.py` plants: of every table and every file of an index there are some."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from talksearch.indexer import layout
from talksearch.indexer.stores.seals import SEALED

TRUST = Path(__file__).parents[1] / "benchmarks" / "trust"


@pytest.fixture(scope="module")
def names() -> list[str]:
    """The names of all faults; the module that lists them lies among the benchmarks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(TRUST))
        from fault_list import FAULTS  # type: ignore[import-not-found]

        found = [fault.name for fault in FAULTS]
    for module in ("fault_list", "fault_rows", "fault", "small_index"):
        sys.modules.pop(module, None)
    return found


def test_they_are_many_and_each_has_a_name_of_its_own(names: list[str]) -> None:
    assert len(names) == len(set(names)) >= 200


def test_every_file_that_is_kept_is_damaged_in_some_way(names: list[str]) -> None:
    passing = {entry.name for entry in layout.ENTRIES if entry.passing} - {layout.OVERVIEW.name}
    kept = [entry.name for entry in layout.ENTRIES if entry.name not in passing and entry != layout.CHROMA_DAMAGED]
    assert [name for name in kept if not any(fault.startswith(name) for fault in names)] == []


def test_every_table_is_damaged_in_some_way() -> None:
    rows = (TRUST / "fault_rows.py").read_text(encoding="utf-8")
    tables = set(SEALED) - {"recipe"}  # a copy of recipe.json, which is damaged as a file
    assert [table for table in sorted(tables) if f"{table} " not in rows and f'"{table}"' not in rows] == []
