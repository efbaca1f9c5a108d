from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from conftest import DATA
from fakes import CountingEncoder
from test_further_tracks import ENGLISH, GERMAN, vtt
from tiny import make_index, write_talk

from talksearch.indexer.errors import DamagedStoreError
from talksearch.indexer.pipeline.run import build_index
from talksearch.indexer.stores import catalog, seals, soundness
from talksearch.indexer.stores.talk_rows import put_stored, read_rows

TABLES = ("cues", "tracks", "track_cues", "heard", "odd", "files")


def all_rows(db: sqlite3.Connection) -> dict[str, list[Any]]:
    rows = {table: db.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3").fetchall() for table in (*TABLES, "talks")}
    rows["words"] = db.execute("SELECT id, c0, c1 FROM words_content ORDER BY id").fetchall()
    columns = ", ".join(seals.SEALED["passages"])
    rows["passages"] = db.execute(f"SELECT {columns}, seal FROM passages ORDER BY number").fetchall()
    return rows


def copied(db: sqlite3.Connection, folder: Path) -> sqlite3.Connection:
    """Put each talk of a catalog into a new one."""
    into = catalog.open_catalog(folder, write=True)
    for (number,) in db.execute("SELECT number FROM talks ORDER BY number").fetchall():
        with catalog.transaction(into):
            put_stored(into, read_rows(db, number))
    return into


def test_all_rows_of_real_shapes_come_back_with_their_seals(tmp_path: Path) -> None:
    """In a new catalog the numbers are the same as well, as talks and passages are put in the order of theirs."""
    for name, lines in {"harbour.en-orig.vtt": ENGLISH, "harbour.de.vtt": GERMAN}.items():
        (tmp_path / name).write_text(vtt(lines))
    build_index(tmp_path / "index", [DATA / "rolling", DATA / "text", tmp_path], encoder=CountingEncoder())
    with catalog.open_snapshot(tmp_path / "index") as db, closing(copied(db, tmp_path)) as into:
        before, after = all_rows(db), all_rows(into)
        files = [row for row in before.pop("files") if row[5]]  # those that gave no talk belong to none
        assert after.pop("files") == files
        assert after == before
        assert all(before.values()), "a table that no talk has rows in shows nothing"


def test_a_talk_gets_numbers_and_seals_of_its_new_catalog(tmp_path: Path) -> None:
    index = make_index(tmp_path)
    write_talk(tmp_path / "others", "ferries", ["a ferry knows the rain", "and the ferry comes home"])
    build_index(tmp_path / "other", [tmp_path / "others"], encoder=CountingEncoder())
    with closing(catalog.open_catalog(index, write=True)) as into, catalog.open_snapshot(tmp_path / "other") as db:
        with catalog.transaction(into):
            put_stored(into, read_rows(db, 1))
        assert soundness.note(into) == ""
        (number,) = into.execute("SELECT number FROM talks WHERE path LIKE '%ferries.vtt'").fetchone()
        assert number == 4
        talk = read_rows(into, number)
        assert talk == read_rows(db, 1)
        assert soundness.hold(into, [passage.id for passage in talk.rows.passages], [talk.rows.talk_id], TABLES[:-1])


def test_terms_that_the_word_index_lacks_are_made_again(tmp_path: Path) -> None:
    index = make_index(tmp_path)
    with closing(catalog.open_catalog(index, write=True)) as db:
        whole = read_rows(db, 1)
        db.execute("DELETE FROM words WHERE rowid = 1")
        assert read_rows(db, 1) == whole


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE cues SET text = 'what nobody said' WHERE talk = 1 AND number = 0",
        "DELETE FROM passages WHERE number = 1",
        "UPDATE talks SET title = 'another' WHERE number = 1",
    ],
)
def test_a_damaged_talk_is_not_copied(tmp_path: Path, damage: str) -> None:
    index = make_index(tmp_path)
    with closing(catalog.open_catalog(index, write=True)) as db:
        db.execute(damage)
        with pytest.raises(DamagedStoreError):
            read_rows(db, 1)
        read_rows(db, 2)


def test_a_talk_that_is_not_there_is_told(tmp_path: Path) -> None:
    index = make_index(tmp_path)
    with catalog.open_snapshot(index) as db, pytest.raises(LookupError):
        read_rows(db, 9)
