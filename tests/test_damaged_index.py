"""What is damaged in an index is left out of answers, and a note says so: never a traceback, never another answer."""

from __future__ import annotations

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
from talksearch.indexer.errors import DamagedStoreError
from talksearch.indexer.pipeline import run
from talksearch.search import engine
from talksearch.search.answer import Answer
from talksearch.search.query import Query
from talksearch.search.reader import open_reader

LINES = {
    "ships": ("the ship keeps its own time", "rain falls on a ship without a bridge", "code and bread on board"),
    "bees": (
        "each bee keeps its own time",
        "no ship has ever met a bee on the bridge",
        "their song is of bread and rain",
    ),
}
SHIPS = "(SELECT number FROM talks WHERE source = 'ships.txt')"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound")
    (folder / "talks").mkdir()
    for name in LINES:
        text = "".join(f"[{number // 2}:{number % 2 * 30:02}] {LINES[name][number % 3]}\n" for number in range(60))
        (folder / "talks" / f"{name}.txt").write_text(text, encoding="utf-8")
    run.build_index(folder / "index", [folder / "talks"], encoder=CountingEncoder())
    return folder / "index"


@pytest.fixture
def damage(sound: Path, tmp_path: Path) -> Callable[..., Path]:
    """Plant damage by SQL in a copy of the sound index."""

    def plant(*statements: str) -> Path:
        index = tmp_path / "index"
        shutil.copytree(sound, index)
        with closing(sqlite3.connect(layout.CATALOG.within(index), isolation_level=None)) as db:
            for statement in statements:
                db.execute(statement)
        return index

    return plant


def ask(index: Path, text: str = "ship time", mode: str = "hybrid") -> Answer:
    with open_reader(index, encoder=CountingEncoder()) as reader:
        return engine.search(reader, Query(text, mode=mode, k=100, timeline=True))  # type: ignore[arg-type]


def sources(answer: Answer) -> set[str]:
    return {hit.source for hit in answer.hits}


@pytest.mark.parametrize("mode", ["hybrid", "lexical", "semantic", "quote"])
@pytest.mark.parametrize(
    "statement",
    [
        f"DELETE FROM talks WHERE number = {SHIPS}",
        f"UPDATE talks SET title = 'Bananas' WHERE number = {SHIPS}",
        f"UPDATE talks SET title = x'ff00' WHERE number = {SHIPS}",
        f"UPDATE cues SET text = text || '.' WHERE talk = {SHIPS}",
        f"UPDATE cues SET words = '[[' WHERE talk = {SHIPS}",
        f"DELETE FROM cues WHERE talk = {SHIPS}",
        f"UPDATE passages SET text = 'bananas' WHERE talk = {SHIPS}",
        f"UPDATE passages SET text = x'ff00' WHERE talk = {SHIPS}",
        f"UPDATE passages SET speakers = '[' WHERE talk = {SHIPS}",
        f"UPDATE passages SET start_ms = 2000000000, first_cue = 2000000000 WHERE talk = {SHIPS}",
        f"DELETE FROM passages WHERE talk = {SHIPS}",
    ],
)
def test_the_others_are_found_and_a_note_tells(damage: Callable[..., Path], statement: str, mode: str) -> None:
    text = "keeps its own time" if mode == "quote" else "ship time"
    answer = ask(damage(statement), text, mode)
    assert sources(answer) == {"bees.txt"}
    assert "left out, because what the index holds of them is damaged" in answer.note
    assert "talksearch doctor" in answer.note


def test_a_sound_index_has_no_such_note(sound: Path) -> None:
    answer = ask(sound)
    assert sources(answer) == {"bees.txt", "ships.txt"}
    assert "damaged" not in answer.note


def test_only_what_is_damaged_is_left_out(damage: Callable[..., Path]) -> None:
    first = f"(SELECT min(number) FROM passages WHERE field = 'speech' AND talk = {SHIPS})"
    index = damage(f"UPDATE passages SET end_ms = end_ms + 1 WHERE number = {first}")
    answer = ask(index, mode="semantic")
    assert answer.note.startswith("1 passage is left out")
    assert sources(answer) == {"bees.txt", "ships.txt"}


def test_words_of_no_passage_lead_nowhere(damage: Callable[..., Path]) -> None:
    index = damage("INSERT INTO words (rowid, terms, track_terms) VALUES (90001, 'ship time', '')")
    for mode in ("hybrid", "lexical", "quote"):
        assert sources(ask(index, mode=mode)) <= {"bees.txt", "ships.txt"}


def test_a_mended_index_is_whole_again_for_a_reader_that_stays_open(damage: Callable[..., Path]) -> None:
    index = damage(f"UPDATE passages SET end_ms = end_ms + 1 WHERE talk = {SHIPS}")
    with open_reader(index, encoder=CountingEncoder()) as reader:
        assert "left out" in engine.search(reader, Query("ship")).note
        with closing(sqlite3.connect(layout.CATALOG.within(index))) as db:
            db.execute(f"UPDATE passages SET end_ms = end_ms - 1 WHERE talk = {SHIPS}")
            db.commit()
        answer = engine.search(reader, Query("ship", k=100))
    assert "left out" not in answer.note
    assert sources(answer) == {"bees.txt", "ships.txt"}


def test_damaged_columns_are_done_without(damage: Callable[..., Path]) -> None:
    index = damage()
    usual = ask(index)
    file = layout.COLUMNS.within(index)
    whole = file.read_bytes()
    start = len(whole) // 3
    file.write_bytes(whole[:start] + b"\xff" * (len(whole) - start))
    answer = ask(index)
    assert [hit.passage_id for hit in answer.hits] == [hit.passage_id for hit in usual.hits]


@pytest.mark.parametrize("command", ["show ships.txt", "export ships.txt --format vtt", "show ships.txt --receipt"])
@pytest.mark.parametrize("column", ["receipt = '{'", "chapters = '{}'", "title = x'ff'"])
def test_a_damaged_talk_is_a_sentence(damage: Callable[..., Path], command: str, column: str) -> None:
    index = damage(f"UPDATE talks SET {column} WHERE number = {SHIPS}")
    result = CliRunner().invoke(cli, [*command.split(), "--index", str(index)])
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert "is damaged" in result.stderr
    assert "talksearch doctor" in result.stderr


@pytest.mark.parametrize("command", ["talks", "stats", "export --format sqlite -o OUT"])
def test_lists_leave_out_a_damaged_talk_and_say_so(damage: Callable[..., Path], command: str) -> None:
    index = damage(f"UPDATE talks SET title = 'Bananas' WHERE number = {SHIPS}")
    command = command.replace("OUT", str(index.with_name("talks.db")))
    result = CliRunner().invoke(cli, [*command.split(), "--index", str(index)])
    assert result.exit_code == 0, result.output
    assert "Bananas" not in result.stdout
    assert "The index is damaged, and this is not all that it should hold." in result.stderr


def test_a_catalog_damaged_in_the_middle_is_a_sentence(damage: Callable[..., Path]) -> None:
    index = damage("PRAGMA wal_checkpoint(TRUNCATE)")
    file = layout.CATALOG.within(index)
    with closing(sqlite3.connect(file)) as db:
        pages = [row[0] for row in db.execute("SELECT rootpage FROM sqlite_master WHERE name IN ('cues', 'passages')")]
        (size,) = db.execute("PRAGMA page_size").fetchone()
    content = bytearray(file.read_bytes())
    for page in pages:
        content[(page - 1) * size : page * size] = bytes(size)
    file.write_bytes(content)
    for command in ("search ship --mode lexical", "show ships.txt", "talks", "stats", "export ships.txt --format vtt"):
        result = CliRunner().invoke(cli, [*command.split(), "--index", str(index)])
        assert isinstance(result.exception, SystemExit), (command, result.exception)
        assert result.exit_code == 1
        assert "damaged" in result.stderr
    with open_reader(index) as reader, pytest.raises(DamagedStoreError):
        engine.search(reader, Query("ship", mode="lexical"))
