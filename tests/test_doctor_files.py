"""The doctor on the files of an index beside its catalog's rows: the recipe, Chroma's texts, damaged pages."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from fakes import CountingEncoder

from talksearch.indexer import layout
from talksearch.indexer.doctor import Finding, examine
from talksearch.indexer.errors import BadIndexError
from talksearch.indexer.pipeline.run import build_index
from talksearch.indexer.stores import catalog
from talksearch.indexer.stores.chroma import store


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    (folder / "talks" / "inner").mkdir(parents=True)
    for name, line in (("ships", "the ship keeps its own time"), ("inner/bees", "every bee knows the rain")):
        (folder / "talks" / f"{name}.txt").write_text(f"[0:00] {line}\n[0:10] and so on\n", encoding="utf-8")
    build_index(folder / "index", [folder / "talks"], encoder=CountingEncoder(), processes=1)
    return folder / "index"


@pytest.fixture
def index(built: Path, tmp_path: Path) -> Path:
    shutil.copytree(built, tmp_path / "index")
    return tmp_path / "index"


def look(index: Path) -> list[Finding]:
    return examine(index, mend=False, encoder=CountingEncoder())


def change_recipe(index: Path, change: Callable[[dict[str, object]], object]) -> None:
    path = layout.RECIPE.within(index)
    values = json.loads(path.read_text(encoding="utf-8"))
    change(values)
    path.write_text(json.dumps(values), encoding="utf-8")


RECIPES: dict[str, Callable[[Path], object]] = {
    "gone": lambda index: layout.RECIPE.within(index).unlink(),
    "empty": lambda index: layout.RECIPE.within(index).write_bytes(b""),
    "cut": lambda index: layout.RECIPE.within(index).write_bytes(b'{"format": 8, "mod'),
    "no UTF-8": lambda index: layout.RECIPE.within(index).write_bytes(b"\xff\xfe"),
    "another model": lambda index: change_recipe(index, lambda values: values.update(model={"name": "bananas"})),
    "another format": lambda index: change_recipe(index, lambda values: values.update(format=99)),
    "other splitting": lambda index: change_recipe(index, lambda values: values.update(splitting={"length": 1})),
}


@pytest.mark.parametrize("how", RECIPES)
def test_a_damaged_recipe_is_put_back_from_the_catalog(index: Path, how: str) -> None:
    before = layout.RECIPE.within(index).read_bytes()
    RECIPES[how](index)
    assert [finding.mended for finding in look(index)] == [False]
    assert [finding.mended for finding in examine(index, encoder=CountingEncoder())] == [True]
    assert layout.RECIPE.within(index).read_bytes() == before
    assert look(index) == []


def test_an_index_that_lost_its_recipe_is_not_taken_for_a_new_one(index: Path) -> None:
    before = layout.RECIPE.within(index).read_bytes()
    layout.RECIPE.within(index).unlink()
    report = build_index(index, [], encoder=CountingEncoder(), processes=1)
    assert report.embedded == 0
    assert layout.RECIPE.within(index).read_bytes() == before


@pytest.mark.parametrize("what", [{"documents": ["bananas"]}, {"metadatas": [{"title": "Bananas", "more": 1}]}])
def test_what_chroma_says_of_a_passage_is_what_the_catalog_says(index: Path, what: dict[str, list[object]]) -> None:
    with closing(catalog.open_catalog(index)) as db:
        (id_,) = db.execute("SELECT id FROM passages WHERE number = 1").fetchone()
    with store.open_partition(index) as collection:
        before = collection.get(id_, include=["embeddings", "documents", "metadatas"])
        collection.update(ids=[id_], embeddings=before["embeddings"], **what)
    said = "Chroma held another text or other metadata of 1 passages than the catalog."
    assert [finding.what for finding in look(index)] == [said]
    assert [finding.mended for finding in examine(index, encoder=CountingEncoder())] == [True]
    with store.open_partition(index) as collection:
        after = collection.get(id_, include=["embeddings", "documents", "metadatas"])
    assert after["embeddings"].tolist() == before["embeddings"].tolist()
    assert (after["documents"], after["metadatas"]) == (before["documents"], before["metadatas"])
    assert look(index) == []


@pytest.mark.parametrize("table", ["cues", "passages", "words_data", "files"])
def test_a_page_that_is_zeroed_is_a_sentence_with_the_command(index: Path, table: str) -> None:
    path = layout.CATALOG.within(index)
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (size,) = db.execute("PRAGMA page_size").fetchone()
        (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    data = bytearray(path.read_bytes())
    data[(page - 1) * size : page * size] = bytes(size)
    path.write_bytes(bytes(data))
    for mend in (False, True):
        with pytest.raises(BadIndexError) as caught:
            examine(index, mend=mend, encoder=CountingEncoder())
        assert "--rebuild" in caught.value.hint


def test_an_index_that_disagrees_with_its_table_is_made_again(index: Path) -> None:
    changes = ("replace(sql, '(talk)', '(number)')", "replace(sql, '(number)', '(talk)')")
    for statements in (
        f"PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = {changes[0]} WHERE name = 'passages_of_talk'",
        "UPDATE passages SET talk = 3 - talk WHERE number = (SELECT max(number) FROM passages)",
        f"PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = {changes[1]} WHERE name = 'passages_of_talk'",
    ):
        with closing(sqlite3.connect(layout.CATALOG.within(index))) as db:
            db.executescript(statements)
            db.commit()
    said = "Indexes of the catalog disagreed with their tables."
    assert said in [finding.what for finding in look(index)]
    assert said in [finding.what for finding in examine(index, encoder=CountingEncoder()) if finding.mended]
    assert look(index) == []


def test_roots_are_told_by_the_files_under_them(index: Path, built: Path) -> None:
    with closing(catalog.open_catalog(index, write=True)) as db:
        before = catalog.roots(db)
        db.execute("DELETE FROM roots")
    (only,) = examine(index, encoder=CountingEncoder())
    assert str(built.parent / "talks") in only.what
    with closing(catalog.open_catalog(index)) as db:
        assert catalog.roots(db) == before


def test_a_path_that_was_one_file_does_not_become_its_folder(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / f"{name}.txt").write_text(
            "[0:00] the ship keeps its own time\n[0:10] and so on\n", encoding="utf-8"
        )
    build_index(tmp_path / "index", [tmp_path / "one.txt"], encoder=CountingEncoder(), processes=1)
    with closing(catalog.open_catalog(tmp_path / "index", write=True)) as db:
        db.execute("DELETE FROM roots")
        examine(tmp_path / "index", encoder=CountingEncoder())
        assert catalog.roots(db) == [str(tmp_path / "one.txt")]
