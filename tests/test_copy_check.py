"""Vectors of another catalog, or damaged ones, are never taken for those of the passages that are there."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from fakes import CountingEncoder

from talksearch.indexer import layout
from talksearch.indexer.doctor import examine
from talksearch.indexer.encoders import token_codes
from talksearch.indexer.pipeline import run
from talksearch.indexer.stores import catalog, copy_check, vectors
from talksearch.search import Query, engine
from talksearch.search.reader import open_reader

_WORDS = ("ship ship harbour", "bee bee hive", "dough dough oven", "kite kite wind")


def make(folder: Path, words: tuple[str, ...]) -> Path:
    """Index talks of some words each."""
    talks = folder / "talks"
    talks.mkdir(parents=True)
    for number, text in enumerate(words):
        (talks / f"talk-{number}.srt").write_text(f"1\n00:00:00,000 --> 00:00:09,000\n{text}\n", encoding="utf-8")
    run.build_index(folder / "index", [talks], encoder=CountingEncoder())
    return folder / "index"


def note(index: Path) -> str:
    with open_reader(index, encoder=CountingEncoder()) as reader:
        return engine.search(reader, Query("ship")).note


def assert_own_vectors(index: Path) -> None:
    """Each passage has the vector of its own text."""
    copy = vectors.read(index, CountingEncoder().card.dimension)
    with closing(catalog.open_catalog(index)) as db:
        rows = db.execute("SELECT number, text FROM passages ORDER BY number").fetchall()
    found = copy.find(np.array([number for number, _ in rows]))
    expected = CountingEncoder().encode_passages([text for _, text in rows])
    assert np.allclose(copy.rows[found], expected, atol=1e-5)


@pytest.mark.parametrize("damage", [lambda file: file.unlink(), lambda file: file.write_bytes(b"")])
def test_an_index_that_lost_its_catalog_gives_no_passage_the_vector_of_another(tmp_path: Path, damage: object) -> None:
    index = make(tmp_path, _WORDS)
    damage(layout.CATALOG.within(index))  # type: ignore[operator]
    (tmp_path / "talks" / "talk-0.srt").unlink()  # the others get other numbers
    run.build_index(index, [tmp_path / "talks"], encoder=CountingEncoder())
    assert_own_vectors(index)
    assert examine(index, encoder=CountingEncoder()) == []


def test_another_catalog_is_told_and_gets_its_own_vectors(tmp_path: Path) -> None:
    index, other = make(tmp_path / "one", _WORDS), make(tmp_path / "other", tuple(reversed(_WORDS)))
    shutil.copy(layout.CATALOG.within(other), layout.CATALOG.within(index))
    assert "or another one" in note(index)
    run.build_index(index, [], encoder=CountingEncoder())
    assert_own_vectors(index)
    assert examine(index, encoder=CountingEncoder()) == []
    assert note(index) == note(other)


def test_a_catalog_put_back_to_an_earlier_state_is_told(tmp_path: Path) -> None:
    index = make(tmp_path, _WORDS)
    shutil.copy(layout.CATALOG.within(index), tmp_path / "earlier")
    (tmp_path / "talks" / "late.srt").write_text("1\n00:00:00,000 --> 00:00:09,000\nowl owl\n", encoding="utf-8")
    run.build_index(index, [], encoder=CountingEncoder())
    shutil.copy(tmp_path / "earlier", layout.CATALOG.within(index))
    assert "The catalog is older than the rest of the index" in note(index)
    run.build_index(index, [], encoder=CountingEncoder())
    assert_own_vectors(index)
    assert examine(index, encoder=CountingEncoder()) == []


def test_a_flipped_bit_of_a_vector_is_told_and_mended(tmp_path: Path) -> None:
    index = make(tmp_path, _WORDS)
    file = layout.VECTORS.within(index)
    content = bytearray(file.read_bytes())
    content[20] ^= 1  # the lowest bits of a component: no comparison with Chroma shows it
    file.write_bytes(content)
    assert "The vectors of 8 of 8 passages are lost" in note(index)
    (found,) = examine(index, encoder=CountingEncoder())
    assert found.what == "The copy of the vectors was not as it was written."
    assert found.mended
    assert_own_vectors(index)
    with closing(catalog.open_catalog(index)) as db:
        assert copy_check.may_be_read(index, db, thorough=True)


def test_directions_that_are_gone_or_damaged_are_not_noted_as_right(tmp_path: Path) -> None:
    index = make(tmp_path, _WORDS)
    token_codes.write(index, np.eye(8, dtype=np.float32))
    file = layout.DIRECTIONS.within(index)
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with closing(catalog.open_catalog(index)) as db:
        copy_check.note(index, db)
        assert token_codes.read(index) is None
        file.unlink()
        copy_check.note(index, db)
