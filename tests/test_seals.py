"""Seals: every row of the catalog holds as it was written, and none that changed by itself."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from fakes import CountingEncoder

from talksearch.indexer import layout
from talksearch.indexer.pipeline.run import build_index, remove_talks
from talksearch.indexer.stores import catalog, recipe, seals

BEES = "WEBVTT\n\n00:01.000 --> 00:04.000\n<v Ada>Every bee knows the rain.\n\n00:05.000 --> 00:09.000\nAnd so on.\n"
GERMAN = "WEBVTT\n\n00:01.000 --> 00:04.000\nJede Biene kennt den Regen.\n\n00:05.000 --> 00:09.000\nUnd so fort.\n"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows in every sealed table: a talk with a track in another language, a misheard name, and tokens."""
    folder = tmp_path_factory.mktemp("built")
    (folder / "talks").mkdir()
    (folder / "talks" / "bees.en.vtt").write_text(BEES, encoding="utf-8")
    (folder / "talks" / "bees.de.vtt").write_text(GERMAN, encoding="utf-8")
    (folder / "talks" / "ships.txt").write_text("[0:00] the ship keeps its time\n[0:10] and so on\n", encoding="utf-8")
    build_index(folder / "index", [folder / "talks"], encoder=CountingEncoder(), processes=1)
    with closing(catalog.open_catalog(folder / "index", write=True)) as db:
        (id_,) = db.execute("SELECT id FROM talks WHERE number = 1").fetchone()
        db.execute("INSERT INTO heard VALUES (1, 'be', 'bee', 0, ?)", (seals.seal(id_, "be", "bee", 0),))
        db.execute("INSERT INTO odd VALUES (1, 'R', 'rain', 'rain', 1, ?)", (seals.seal(id_, "R", "rain", "rain", 1),))
        db.execute("INSERT INTO tokens VALUES (1, x'00ff', ?)", (seals.seal(1, b"\x00\xff"),))
        seals.seal_talk(db, 1)
    return folder / "index"


@pytest.fixture
def index(built: Path, tmp_path: Path) -> Path:
    shutil.copytree(built, tmp_path / "index")
    return tmp_path / "index"


def not_holding(db: sqlite3.Connection) -> dict[str, int]:
    """Return how many rows of each table do not hold, where there are any."""
    counts = {
        table: db.execute(f"SELECT count(*) FROM {table} WHERE NOT {seals.holds_sql(table)}").fetchone()[0]
        for table in seals.SEALED
    }
    return {table: count for table, count in counts.items() if count}


def dump(db: sqlite3.Connection) -> dict[str, list[tuple[object, ...]]]:
    tables = (*seals.SEALED, "common", "leaving", "derived")
    return {table: sorted(db.execute(f"SELECT * FROM {table}"), key=repr) for table in tables}


def test_every_row_is_written_with_its_seal(index: Path) -> None:
    with closing(catalog.open_catalog(index)) as db:
        for table in seals.SEALED:
            assert db.execute(f"SELECT 1 FROM {table}").fetchone(), f"{table} is empty, so nothing is shown"
        assert not_holding(db) == {}
        counts = db.execute(f"SELECT {', '.join(seals.COUNTS)} FROM talks WHERE number = 1").fetchone()
    assert counts[:3] == (2, 1, 2)


def test_every_column_is_sealed_but_what_changes(index: Path) -> None:
    with closing(catalog.open_catalog(index)) as db:
        for table, sealed in seals.SEALED.items():
            columns = {row[1] for row in db.execute(f"PRAGMA table_info({table})")}
            assert columns - set(sealed) == {"seal"} | ({"embedded"} if table == "passages" else set())


@pytest.mark.parametrize(
    ("table", "column"), [(table, column) for table, columns in seals.SEALED.items() for column in columns]
)
def test_a_value_that_changed_by_itself_does_not_hold(index: Path, table: str, column: str) -> None:
    with closing(catalog.open_catalog(index, write=True)) as db:
        before, sealed = db.execute(f"SELECT {column}, seal FROM {table} LIMIT 1").fetchone()
        other = 77 if isinstance(before, int) else f"{before}x" if isinstance(before, str) else b"\xc3("
        db.execute(f"UPDATE {table} SET {column} = CAST(? AS TEXT) WHERE seal = ?", (other, sealed))
        assert not_holding(db).get(table), f"{before!r} became {other!r} and nobody noticed"


def test_a_row_does_not_hold_as_another_talks(index: Path) -> None:
    with closing(catalog.open_catalog(index, write=True)) as db:
        db.execute("UPDATE passages SET talk = 3 - talk")
        db.execute("UPDATE cues SET talk = 3 - talk, number = number + 100")
        db.execute("UPDATE cues SET number = number - 100")
        assert not_holding(db) == {
            table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("cues", "passages")
        }


def test_runs_leave_every_row_sealed(tmp_path: Path) -> None:
    (tmp_path / "talks").mkdir()
    for name, text in (("bees.en.vtt", BEES), ("bees.de.vtt", GERMAN), ("ships.vtt", BEES.replace("bee", "ship"))):
        (tmp_path / "talks" / name).write_text(text, encoding="utf-8")
    build_index(tmp_path / "index", [tmp_path / "talks"], encoder=CountingEncoder(), processes=1)
    (tmp_path / "talks" / "ships.vtt").write_text(BEES.replace("bee", "boat"), encoding="utf-8")
    (tmp_path / "talks" / "bees.de.vtt").unlink()
    build_index(tmp_path / "index", [], encoder=CountingEncoder(), processes=1)
    with closing(catalog.open_catalog(tmp_path / "index")) as db:
        assert not_holding(db) == {}
        assert db.execute("SELECT track_count FROM talks ORDER BY id").fetchall() == [(0,), (0,)]
        (talk_id,) = db.execute("SELECT id FROM talks ORDER BY id").fetchone()
    remove_talks(tmp_path / "index", [talk_id])
    with closing(catalog.open_catalog(tmp_path / "index")) as db:
        assert not_holding(db) == {}
        assert db.execute("SELECT count(*) FROM talks").fetchone() == (1,)


def test_an_index_of_the_format_before_is_sealed_as_a_new_one_is(index: Path) -> None:
    with closing(catalog.open_catalog(index, write=True)) as db:
        before = dump(db)
        db.execute("DROP TABLE leaving")
        db.execute("DROP TABLE derived")
        db.execute("DROP TABLE recipe")
        for table in seals.SEALED.keys() - {"recipe"}:
            db.execute(f"ALTER TABLE {table} DROP COLUMN seal")
        for column in seals.COUNTS:
            db.execute(f"ALTER TABLE talks DROP COLUMN {column}")
    path = layout.RECIPE.within(index)
    path.write_text(path.read_text().replace(f'"format": {recipe.FORMAT}', f'"format": {recipe.FORMAT_BEFORE}'))
    report = build_index(index, [], encoder=CountingEncoder(), processes=1)
    assert (report.embedded, report.added, report.replaced) == (0, [], [])
    with closing(catalog.open_catalog(index)) as db:
        assert dump(db) == before
