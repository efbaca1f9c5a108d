"""Checking an index and mending it: whatever is broken by hand here is named, and put right where it can be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fakes import CountingEncoder

from talksearch.indexer import build, catalog, recipe, storing, vectors
from talksearch.indexer.doctor import examine
from talksearch.indexer.errors import BadIndexError
from talksearch.search import engine
from talksearch.search.query import Query


@pytest.fixture
def index(tmp_path: Path) -> Path:
    archive = tmp_path / "talks"
    archive.mkdir()
    for name, line in (("ships", "the ship keeps its own time"), ("bees", "every bee knows the rain")):
        (archive / f"{name}.txt").write_text(f"[0:00] {line}\n[0:10] and so on\n", encoding="utf-8")
    build.index(tmp_path / "index", [archive], encoder=CountingEncoder())
    (tmp_path / "index" / "encoder").mkdir(exist_ok=True)
    return tmp_path / "index"


def mended(index: Path) -> list[str]:
    return [finding.what for finding in examine(index) if finding.mended]


def first(index: Path, query: str) -> str:
    return engine.search(engine.open_index(index, encoder=CountingEncoder()), Query(query)).hits[0].source


def test_a_sound_index_is_left_alone(index: Path) -> None:
    before = {path.name: path.read_bytes() for path in index.glob("vectors.bin")}
    assert examine(index) == []
    assert {path.name: path.read_bytes() for path in index.glob("vectors.bin")} == before


def test_lost_words_come_back(index: Path) -> None:
    db = catalog.open_catalog(index, write=True)
    db.execute("DELETE FROM words WHERE rowid = 1")
    db.execute("INSERT INTO words (rowid, terms) VALUES (99, 'nobody')")
    assert examine(index, mend=False)[0].what.startswith("1 passages had no words")
    assert len(mended(index)) == 1
    assert examine(index) == []
    assert engine.search(engine.open_index(index), Query("ship", mode="lexical")).hits


def test_a_lost_copy_is_made_from_chroma(index: Path) -> None:
    (index / "vectors.bin").unlink()
    assert mended(index) == ["The copy of the vectors lacked 4 of them."]
    assert examine(index) == []
    assert first(index, "ship") == "ships.txt"


def test_strangers_in_chroma_go(index: Path) -> None:
    with storing.opened(index) as (_, collection):
        collection.upsert(ids=["nobody"], embeddings=[np.ones(8) / np.sqrt(8)], documents=["?"])
    assert mended(index) == ["Chroma holds 1 passages that the catalog does not know."]
    assert examine(index) == []


@pytest.mark.parametrize("where", ["chroma", "copy"])
def test_a_wrong_vector_is_made_again(index: Path, where: str) -> None:
    made = recipe.read(index)
    assert made is not None
    copy = vectors.read(index, made.model.dimension)
    if where == "copy":
        rows = np.array(copy.rows)
        rows[0] = 0.5
        vectors.write_anew(index, made.model.dimension, copy.numbers, rows, np.arange(len(rows)))
    else:
        db = catalog.open_catalog(index)
        id_ = db.execute("SELECT id FROM passages WHERE number = ?", (int(copy.numbers[0]),)).fetchone()[0]
        with storing.opened(index) as (_, collection):
            collection.delete(ids=[id_])
    found = examine(index)
    assert "1 passages wait for their vectors." in [one.what for one in found]
    build.index(index, [], encoder=CountingEncoder())
    assert examine(index) == []


def test_files_that_are_gone_are_named(index: Path) -> None:
    (index.parent / "talks" / "bees.txt").unlink()
    (only,) = examine(index)
    assert not only.mended
    assert "1 of 2 talks" in only.what
    assert "bees.txt" in only.what


def test_no_index_and_a_damaged_one_say_what_to_do(tmp_path: Path, index: Path) -> None:
    with pytest.raises(BadIndexError, match="There is no index"):
        examine(tmp_path / "nothing")
    path = index / catalog.FILE_NAME
    data = bytearray(path.read_bytes())
    data[8192 : 8192 + 4096] = b"\xff" * 4096
    path.write_bytes(bytes(data))
    with pytest.raises(BadIndexError) as caught:
        examine(index)
    assert "--rebuild" in caught.value.hint
