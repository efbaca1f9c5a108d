"""Columns made from those of the run before are the ones that would be made from nothing."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import put_talk
from hypothesis import given, settings
from hypothesis import strategies as st

from talksearch.indexer import layout
from talksearch.indexer.encoders import checksums
from talksearch.indexer.records import Passage, Receipt, Talk
from talksearch.indexer.stores import catalog, catalog_writer, vectors
from talksearch.indexer.stores.columns import merge as columns_merge
from talksearch.indexer.stores.columns import reader, update

DIMENSION = 8
WORDS = ["ship", "bridge", "bread", "rain", "code", "song", "光速", "1⁄2", "time", "bee", "of", "the", "a", "and"]
RARE = [f"rare{number}" for number in range(200)]


def passage(drawn: random.Random, talk: str, at: int) -> Passage:
    longest = drawn.choice((0, 1, 12, 12, 12, 12, 12, 12, 150))
    words = drawn.choices(WORDS, k=longest) + drawn.choices(RARE, k=min(longest, 2))
    who = drawn.choice(((), ("Ann",), ("Bob", "Ann"), (f"Somebody {drawn.randrange(40)}",)))
    field = drawn.choice(("speech", "speech", "title", "chapter", "another"))
    text = " ".join(words)
    return Passage(
        f"{talk}-{at}-{drawn.randrange(10**9)}", talk, at * 1000, at * 1000 + 900, at, at, text, who, field  # type: ignore[arg-type]
    )  # fmt: skip


def put(db: sqlite3.Connection, id_: str, passages: list[Passage]) -> None:
    talk = Talk(id_, f"{id_}.vtt", id_, (), "vtt", "exact", 0, "human", receipt=Receipt(0, 0))
    with catalog.transaction(db):
        put_talk(db, f"/{id_}.vtt", talk, passages)


def embed(folder: Path, db: sqlite3.Connection, share: float, drawn: random.Random) -> None:
    """Give some of the passages that have no vector one, as embedding does."""
    numbers = np.array([row[0] for row in db.execute("SELECT number FROM passages ORDER BY number")], np.int64)
    lacking = numbers[vectors.read(folder, DIMENSION).find(numbers) < 0]
    lacking = lacking[[drawn.random() < share for _ in lacking]]
    if len(lacking):
        rows = np.random.default_rng(int(lacking[0])).normal(size=(len(lacking), DIMENSION)).astype(np.float32)
        vectors.append(folder, lacking, rows / np.linalg.norm(rows, axis=1, keepdims=True))


class Archive:
    """An index of made-up talks that changes by chance."""

    def __init__(self, folder: Path, seed: int) -> None:
        folder.mkdir(parents=True)
        self.folder, self.drawn = folder, random.Random(seed)
        self.db = catalog.open_catalog(folder, write=True)
        self.talks: dict[str, list[Passage]] = {}
        for _ in range(14):
            self.add()
        embed(folder, self.db, 1.0, self.drawn)
        assert update.write(folder, self.db, DIMENSION)

    def add(self) -> None:
        talk = f"talk{self.drawn.randrange(10**9)}"
        self.talks[talk] = [passage(self.drawn, talk, at) for at in range(self.drawn.randrange(1, 12))]
        put(self.db, talk, self.talks[talk])

    def change(self) -> None:
        """Read a talk anew: some passages are other ones, of some only times and speakers."""
        talk = self.drawn.choice(list(self.talks))
        for at, old in enumerate(self.talks[talk]):
            how = self.drawn.randrange(4)
            if how == 0:
                self.talks[talk][at] = passage(self.drawn, talk, at)
            elif how == 1:
                self.talks[talk][at] = replace(old, end_ms=old.end_ms + 7, speakers=(f"New {at}",))
        put(self.db, talk, self.talks[talk])

    def again(self) -> None:
        """Read a talk anew that says the same, to other times."""
        talk = self.drawn.choice(list(self.talks))
        self.talks[talk] = [replace(old, end_ms=old.end_ms + 3) for old in self.talks[talk]]
        put(self.db, talk, self.talks[talk])

    def drop(self) -> None:
        talk = self.drawn.choice(list(self.talks))
        del self.talks[talk]
        with catalog.transaction(self.db):
            catalog_writer.drop_talk(self.db, talk)

    def shrink(self) -> None:
        """Write the vectors anew, without the dead ones."""
        old = vectors.read(self.folder, DIMENSION)
        alive = [row[0] for row in self.db.execute("SELECT number FROM passages")]
        kept = np.flatnonzero(np.isin(old.numbers, alive))
        vectors.write_anew(self.folder, DIMENSION, old.numbers[kept], old.rows, kept)

    def assert_as_from_nothing(self) -> None:
        assert update.check(self.folder, self.db, DIMENSION, mend=False)


@pytest.fixture
def merged(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each file was made from the one before."""
    said: list[bool] = []
    merge = columns_merge.merge

    def spied(*given: object) -> bool:
        said.append(merge(*given))  # type: ignore[arg-type]
        return said[-1]

    monkeypatch.setattr(columns_merge, "merge", spied)
    return said


STEPS: dict[str, Callable[[Archive], None]] = {
    "add": Archive.add,
    "change": Archive.change,
    "again": Archive.again,
    "drop": Archive.drop,
}


@pytest.mark.parametrize("step", STEPS)
def test_one_talk_more_less_or_other(tmp_path: Path, step: str, merged: list[bool]) -> None:
    archive = Archive(tmp_path / "index", 1)
    with closing(archive.db):
        for _ in range(3):
            STEPS[step](archive)
            embed(archive.folder, archive.db, 1.0, archive.drawn)
            assert update.write(archive.folder, archive.db, DIMENSION)
            archive.assert_as_from_nothing()
    assert merged == [True] * 3


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    runs=st.lists(
        st.tuples(
            st.lists(st.sampled_from([*STEPS, "shrink"]), min_size=1, max_size=3), st.sampled_from((0.0, 0.5, 1.0))
        ),
        min_size=1,
        max_size=6,
    ),
)
def test_whatever_happens_in_whatever_order(
    tmp_path_factory: pytest.TempPathFactory, seed: int, runs: list[tuple[list[str], float]]
) -> None:
    """Each run changes talks and gives some of the passages that wait their vectors; then the columns are made."""
    archive = Archive(tmp_path_factory.mktemp("any") / "index", seed)
    with closing(archive.db):
        for steps, share in runs:
            for step in steps:
                if step == "shrink":
                    archive.shrink()
                elif step == "add" or len(archive.talks) > 1:
                    STEPS[step](archive)
            embed(archive.folder, archive.db, share, archive.drawn)
            update.write(archive.folder, archive.db, DIMENSION)
            archive.assert_as_from_nothing()


def test_the_longest_passage_comes_and_goes(tmp_path: Path, merged: list[bool]) -> None:
    """With it the number of bits changes by which a position is shifted."""
    archive = Archive(tmp_path / "index", 6)
    with closing(archive.db):
        shifts = []
        for words in (2_000, 0):
            long = Passage("long-0", "long", 0, 1, 0, 0, " ".join(["ship"] * words))
            put(archive.db, "long", [long] if words else [])
            update.write(archive.folder, archive.db, DIMENSION)
            archive.assert_as_from_nothing()
            made = reader.read(archive.folder, archive.db)
            assert made is not None
            shifts.append(made.shift)
    assert merged == [True, True]
    assert shifts[0] > shifts[1]


def test_blocks_of_positions_join(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, merged: list[bool]) -> None:
    monkeypatch.setattr(columns_merge, "_BLOCK", 7)
    archive = Archive(tmp_path / "index", 2)
    with closing(archive.db):
        for step in (archive.add, archive.drop, archive.change):
            step()
            embed(archive.folder, archive.db, 1.0, archive.drawn)
            update.write(archive.folder, archive.db, DIMENSION)
            archive.assert_as_from_nothing()
    assert all(merged)


def test_what_is_not_changed_is_not_read(tmp_path: Path, merged: list[bool]) -> None:
    """Texts and words of other talks may be gone from the catalog: nothing asks for them."""
    archive = Archive(tmp_path / "index", 3)
    with closing(archive.db):
        before = archive.db.execute("SELECT max(number) FROM passages").fetchone()[0]
        archive.db.execute("UPDATE passages SET speakers = 'not JSON', end_ms = -1")
        archive.db.execute("DELETE FROM words WHERE rowid <= ?", (before,))
        archive.add()
        update.write(archive.folder, archive.db, DIMENSION)
        made = reader.read(archive.folder, archive.db)
        assert made is not None
        assert "not JSON" not in made.speakers
        assert len(made.postings("ship")) > 5
    assert merged == [True]


def _much(archive: Archive) -> None:
    for _ in range(12):
        archive.add()


def _vectors_anew(archive: Archive) -> None:
    archive.drop()
    archive.shrink()


def _last_vector_other(archive: Archive) -> None:
    """Taken out and made again by another model: the same number stands in the same row."""
    old = vectors.read(archive.folder, DIMENSION)
    kept = np.arange(len(old.numbers) - 1)
    vectors.write_anew(archive.folder, DIMENSION, old.numbers[kept], old.rows, kept)
    vectors.append(archive.folder, old.numbers[-1:], -old.rows[-1:])


def _damaged(archive: Archive) -> None:
    """Positions that point behind the last passage."""
    archive.drop()
    path = layout.COLUMNS.within(archive.folder)
    made = reader.map_file(path)
    assert made is not None
    where = path.read_bytes().index(made.columns.positions.tobytes())
    whole = bytearray(path.read_bytes())
    whole[where : where + 4] = b"\xff" * 4
    path.write_bytes(whole)
    checksums.note(archive.folder, path.name)  # else it is not looked at


@pytest.mark.parametrize("happens", [_much, _vectors_anew, _last_vector_other, _damaged])
def test_made_from_nothing_where_that_is_better(
    tmp_path: Path, happens: Callable[[Archive], None], merged: list[bool]
) -> None:
    archive = Archive(tmp_path / "index", 4)
    with closing(archive.db):
        happens(archive)
        assert update.write(archive.folder, archive.db, DIMENSION)
        archive.assert_as_from_nothing()
    assert merged == [False]


def test_means_do_not_drift(tmp_path: Path, merged: list[bool]) -> None:
    """After many changes they are as near to the true ones as after the first."""
    archive = Archive(tmp_path / "index", 5)
    with closing(archive.db):
        for _ in range(60):
            archive.add()
            archive.drop()
            embed(archive.folder, archive.db, 1.0, archive.drawn)
            update.write(archive.folder, archive.db, DIMENSION)
        assert sum(merged) > 40
        made = reader.read(archive.folder, archive.db)
        assert made is not None
        rows = vectors.read(archive.folder, DIMENSION).rows[made.rows].astype(float)
        assert np.abs(made.mean - rows.mean(axis=0)).max() < 1e-14
        assert np.abs(made.second - rows.T @ rows / len(rows)).max() < 1e-14
