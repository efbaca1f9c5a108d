"""What lies in an index is what the layout lists, and a file is replaced whole or not at all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fakes import CountingEncoder

from talksearch.indexer import layout
from talksearch.indexer.pipeline import run

ROOT = Path(__file__).parents[1]


def test_the_page_about_it_lists_what_the_layout_lists() -> None:
    rows = re.findall(
        r"^\| `(.+?)` \| (.+?) \| (.+?) \|$", (ROOT / "docs" / "index.md").read_text().split("\n## ")[0], re.M
    )
    assert rows == [
        (entry.name + "/" * entry.is_folder, entry.holds, entry.made_from or "—") for entry in layout.ENTRIES
    ]


def test_an_index_holds_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "talks").mkdir()
    (tmp_path / "talks" / "a.txt").write_text("so it goes on and on. " * 400)
    folder = tmp_path / "index"
    run.build_index(folder, [tmp_path / "talks"], encoder=CountingEncoder())
    known = {entry.name: entry.is_folder for entry in layout.ENTRIES}
    there = {path.name: path.is_dir() for path in folder.iterdir()}
    assert there.items() <= known.items()
    assert {"catalog.sqlite3", "vectors.bin", "columns.bin", "recipe.json", "chroma"} <= there.keys()


def test_a_file_is_replaced_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with path.open() as opened:
        with layout.replace_file(path) as fresh:
            fresh.write_text("new")
            assert path.read_text() == "old"
        assert (path.read_text(), opened.read()) == ("new", "old")
    assert list(tmp_path.iterdir()) == [path]


def test_what_fails_or_gives_up_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def fail_half_way() -> None:
        with layout.replace_file(path) as fresh:
            fresh.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    with layout.replace_file(path) as fresh:
        fresh.write_text("no better")
        fresh.unlink()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
