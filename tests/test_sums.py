"""What has no seals is noted altogether: what another program changed in it is told by a search, and by the doctor."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from fakes import CountingEncoder

from talksearch.cli.main import cli
from talksearch.indexer import layout
from talksearch.indexer.doctor import examine
from talksearch.indexer.errors import BadIndexError
from talksearch.indexer.pipeline.run import build_index, remove_talks
from talksearch.indexer.stores import catalog, seals, sums
from talksearch.search import engine
from talksearch.search.query import Query
from talksearch.search.reader import open_reader

ENGLISH = "WEBVTT\n\n00:01.000 --> 00:04.000\nEvery bee knows the rain.\n\n00:05.000 --> 00:09.000\nAnd so on.\n"
GERMAN = "WEBVTT\n\n00:01.000 --> 00:04.000\nJede Biene kennt den Regen.\n\n00:05.000 --> 00:09.000\nUnd so fort.\n"
TOLD = "The index of words is not as it was written"
A_PASSAGE = "(SELECT min(number) FROM passages)"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index with a talk that has a track in another language and a misheard name, and one without."""
    folder = tmp_path_factory.mktemp("built")
    (folder / "talks").mkdir()
    (folder / "talks" / "bees.en.vtt").write_text(ENGLISH, encoding="utf-8")
    (folder / "talks" / "bees.de.vtt").write_text(GERMAN, encoding="utf-8")
    (folder / "talks" / "ships.txt").write_text("[0:00] the ship keeps its time\n[0:10] and so on\n", encoding="utf-8")
    build_index(folder / "index", [folder / "talks"], encoder=CountingEncoder(), processes=1)
    with closing(catalog.open_catalog(folder / "index", write=True)) as db:
        number, id_ = db.execute("SELECT talk, (SELECT id FROM talks WHERE number = talk) FROM tracks").fetchone()
        db.execute("INSERT INTO heard VALUES (?, 'be', 'bee', 0, ?)", (number, seals.seal(id_, "be", "bee", 0)))
        values = ("R", "rain", "rain", 1)
        db.execute("INSERT INTO odd VALUES (?, ?, ?, ?, ?, ?)", (number, *values, seals.seal(id_, *values)))
        seals.seal_talk(db, number)
        sums.note(db, anew=True)
    return folder / "index"


@pytest.fixture
def change(built: Path, tmp_path: Path) -> Callable[..., Path]:
    """Change a copy of the index by SQL, as another program does."""

    def act(*statements: str) -> Path:
        shutil.copytree(built.parent, tmp_path / "copy")
        index = tmp_path / "copy" / "index"
        with closing(sqlite3.connect(layout.CATALOG.within(index), isolation_level=None)) as db:
            for statement in statements:
                db.execute(statement)
        return index

    return act


def note_of(index: Path, text: str = "bee rain") -> str:
    with open_reader(index, encoder=CountingEncoder()) as reader:
        return engine.search(reader, Query(text)).note


def found(index: Path, *, mend: bool = False) -> list[str]:
    return [finding.what for finding in examine(index, mend=mend, encoder=CountingEncoder())]


def noted(index: Path) -> list[tuple[object, ...]]:
    with closing(catalog.open_catalog(index)) as db:
        return db.execute("SELECT name, changes, sum FROM sums ORDER BY name").fetchall()


CHANGES = [
    f"DELETE FROM words WHERE rowid = {A_PASSAGE}",
    f"UPDATE words SET terms = 'bananas' WHERE rowid = {A_PASSAGE}",
    "UPDATE words SET track_terms = ''",
    "INSERT INTO words (rowid, terms, track_terms) VALUES (90001, 'bee rain', '')",
    "INSERT INTO common (term) VALUES ('rain')",
    "DELETE FROM heard",
    "DELETE FROM odd",
    "DELETE FROM tracks",
    "DELETE FROM track_cues WHERE number = 1",
]


@pytest.mark.parametrize("statement", CHANGES)
def test_a_search_tells_what_another_program_changed_and_the_doctor_finds_it(
    change: Callable[..., Path], statement: str
) -> None:
    index = change(statement)
    assert TOLD in note_of(index)
    assert found(index)


def test_a_sound_index_is_told_as_sound(built: Path) -> None:
    assert len(noted(built)) == len(sums.ALL)
    assert TOLD not in note_of(built)
    with closing(catalog.open_catalog(built)) as db:
        assert sums.differing(db, sums.ALL) == []


def test_a_run_that_changes_nothing_writes_none(change: Callable[..., Path]) -> None:
    index = change()
    before = noted(index)
    build_index(index, [], encoder=CountingEncoder())
    assert noted(index) == before


def test_a_run_does_not_take_damage_of_the_word_index_for_right(change: Callable[..., Path]) -> None:
    index = change(f"DELETE FROM words WHERE rowid = {A_PASSAGE}")
    (index.parent / "talks" / "birds.txt").write_text("[0:00] birds sing in the rain\n", encoding="utf-8")
    build_index(index, [], encoder=CountingEncoder())
    assert TOLD in note_of(index)
    remove_talks(index, ["nobody"])
    assert TOLD in note_of(index)
    found(index, mend=True)
    assert TOLD not in note_of(index)
    assert found(index) == []


def test_stop_terms_and_rows_of_tracks_are_right_again_after_the_run_that_makes_them(
    change: Callable[..., Path],
) -> None:
    index = change("DELETE FROM tracks", "INSERT INTO common (term) VALUES ('rain')")
    found(index, mend=True)
    build_index(index, [], encoder=CountingEncoder())
    assert TOLD not in note_of(index)
    assert found(index) == []


def test_a_state_of_which_nothing_was_noted_is_trusted(change: Callable[..., Path]) -> None:
    """A run that was killed has changed the passages and noted nothing."""
    assert TOLD not in note_of(change("PRAGMA user_version = 77"))


def test_an_index_without_the_table_is_read_and_gets_it(change: Callable[..., Path]) -> None:
    index = change("DROP TABLE sums")
    assert TOLD not in note_of(index)
    build_index(index, [], encoder=CountingEncoder())
    assert len(noted(index)) == len(sums.ALL)


def test_sums_that_are_gone_or_changed_are_noted_anew_by_the_doctor(change: Callable[..., Path]) -> None:
    index = change("DELETE FROM sums WHERE name = 'words'", "UPDATE sums SET sum = 5 WHERE name = 'common'")
    assert len(found(index)) == 1
    found(index, mend=True)
    assert found(index) == []


def test_lists_tell_that_times_of_passages_changed(change: Callable[..., Path]) -> None:
    index = change(f"UPDATE passages SET end_ms = end_ms + 60000 WHERE number = {A_PASSAGE}")
    for command in ("talks", "stats"):
        result = CliRunner().invoke(cli, [command, "--index", str(index)])
        assert (result.exit_code, "talksearch doctor" in result.stderr) == (0, True), command


def test_a_quote_whose_words_are_lost_in_the_word_index_is_told(change: Callable[..., Path]) -> None:
    index = change("UPDATE words_data SET block = zeroblob(length(block)) WHERE id > 10")
    assert TOLD in note_of(index, '"every bee knows the rain"')


def test_a_recipe_that_is_not_the_catalogs_is_a_sentence(change: Callable[..., Path]) -> None:
    index = change()
    file = layout.RECIPE.within(index)
    values = json.loads(file.read_text(encoding="utf-8"))
    values["model"]["dimension"] += 1
    file.write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(BadIndexError, match="another model in its recipe"):
        note_of(index)
    assert found(index, mend=True) == ["The recipe of the index was missing, damaged or another one."]
    assert TOLD not in note_of(index)


def test_looking_writes_nothing_into_the_chroma_store(change: Callable[..., Path]) -> None:
    def files() -> dict[Path, tuple[bytes, int]]:
        return {
            file: (file.read_bytes(), file.stat().st_mtime_ns)
            for file in layout.CHROMA.within(index).rglob("*")
            if file.is_file()
        }

    index = change()
    before = files()
    assert found(index) == []
    assert files() == before
