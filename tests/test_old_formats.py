"""Indexes that earlier versions made: each says what to do, and one command brings it to the present format whole.

`benchmarks/trust/old_indexes.py` made them, with the code of the last commit of each format.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from talksearch.cli.main import cli
from talksearch.indexer import doctor, layout
from talksearch.indexer.errors import BadIndexError
from talksearch.indexer.stores import catalog, catalog_talks, recipe
from talksearch.search.index import open_index

FIXTURES = Path(__file__).parent / "old_formats"
OLD = ("4", "5", "6")
"""Formats that are built anew; the one after them is brought up to date in place."""


def old_index(tmp_path: Path, number: str) -> Path:
    """An index of a format, and the transcripts that it was made of."""
    for name in ("talks", "away"):
        shutil.copytree(FIXTURES / name, tmp_path / name)
    index = tmp_path / "index"
    index.mkdir()
    sql = (FIXTURES / number / "catalog.sql").read_text(encoding="utf-8").replace("{ARCHIVE}", str(tmp_path))
    with closing(sqlite3.connect(layout.CATALOG.within(index))) as db:
        db.executescript(sql)
        db.execute("PRAGMA journal_mode = WAL")
    shutil.copy(FIXTURES / number / "recipe.json", index)
    return index


def talksearch(*args: str) -> Result:
    return CliRunner().invoke(cli, args)


def talks_in(index: Path) -> list[str]:
    with closing(catalog.open_catalog(index)) as db:
        return sorted(talk.title for talk in catalog_talks.read_talks(db))


@pytest.mark.parametrize("number", [*OLD, "7"])
@pytest.mark.parametrize("command", ["search loom", "stats", "talks", "show kiln", "doctor", "doctor --check"])
def test_every_command_names_the_one_that_helps(tmp_path: Path, number: str, command: str) -> None:
    index = old_index(tmp_path, number)
    if number == "7" and command == "doctor":
        return  # which brings it up to date itself
    result = talksearch(*command.split(), "--index", str(index))
    assert result.exit_code == 1
    assert f"has format {number}, and this version of talksearch reads format {recipe.FORMAT}" in result.stderr
    wanted = f"talksearch index --index {index}" + (" --rebuild" if number in OLD else "")
    assert result.stderr.rstrip().endswith(wanted)


@pytest.mark.parametrize("number", [*OLD, "7"])
def test_that_command_brings_talks_paths_and_model_along(tmp_path: Path, number: str) -> None:
    index = old_index(tmp_path, number)
    shutil.rmtree(tmp_path / "away")  # a disk that is not there now: its talk is nowhere but in the old index
    result = talksearch("index", *(["--rebuild"] if number in OLD else []), "--index", str(index))
    assert result.exit_code == 0, result.output
    assert talks_in(index) == ["anvil", "kiln", "loom"]
    made = recipe.read(index)
    assert made is not None
    assert (made.model.query_prompt, made.model.passage_prompt) == ("query: ", "passage: ")
    findings = doctor.examine(index, mend=False)
    assert len(findings) == 1, findings
    assert findings[0].what.startswith("The files of 1 of 3 talks are not there")
    with open_index(index) as opened:
        assert opened.search("what does a cracked anvil sound like").hits[0].title == "anvil"
        assert sorted(opened.stats()["paths"]) == [str(tmp_path / "away"), str(tmp_path / "talks")]  # type: ignore[arg-type, type-var]


def test_a_rebuild_that_is_killed_leaves_the_old_index_as_it_was(tmp_path: Path) -> None:
    index = old_index(tmp_path, "5")
    before = layout.CATALOG.within(index).read_bytes()
    killed = (
        "import os; from pathlib import Path; from talksearch.indexer.pipeline import run\n"
        "run.carry_over = lambda *_: os._exit(9)\n"
        f"run.build_index(Path({str(index)!r}), rebuild=True)\n"
    )
    assert subprocess.run([sys.executable, "-c", killed], env={**os.environ}, check=False).returncode == 9
    assert layout.rebuilt(index).exists()
    assert layout.CATALOG.within(index).read_bytes() == before
    assert recipe.format_of(index) == 5
    assert talksearch("index", "--rebuild", "--index", str(index)).exit_code == 0
    assert talks_in(index) == ["anvil", "kiln", "loom"]
    assert not layout.rebuilt(index).exists()


def test_an_index_of_a_later_version_is_not_called_old(tmp_path: Path) -> None:
    index = old_index(tmp_path, "7")
    file = layout.RECIPE.within(index)
    file.write_text(file.read_text(encoding="utf-8").replace('"format": 7', '"format": 99'), encoding="utf-8")
    with pytest.raises(BadIndexError) as error:
        open_index(index)
    assert error.value.hint.startswith("Use the version that made it")


def test_a_rebuild_that_cannot_know_its_paths_asks_for_them(tmp_path: Path) -> None:
    index = old_index(tmp_path, "6")
    layout.CATALOG.within(index).write_bytes(b"no catalog" * 500)
    result = talksearch("index", "--rebuild", "--index", str(index))
    assert result.exit_code == 1
    assert "Which PATHs the index" in result.stderr
    assert talksearch("index", str(tmp_path / "talks"), "--rebuild", "--index", str(index)).exit_code == 0
    assert talks_in(index) == ["kiln", "loom"]
    made = recipe.read(index)
    assert made is not None
    assert made.model.query_prompt == "query: "
