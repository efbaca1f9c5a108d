"""Make small indexes with the code of earlier formats, as text that tests make them of again.

    python benchmarks/trust/old_indexes.py [FORMAT]...

For each format the last commit that wrote it is put into a temporary folder, and its own command line indexes
`tests/old_formats/talks` and `tests/old_formats/away`, with prompts that are not the model's. Of what it made,
`tests/old_formats/FORMAT` keeps the catalog as SQL and the recipe. Where the transcripts lay, the SQL says `{ARCHIVE}`.
Vectors are left out: the formats before 7 are built anew, and of 7 the passages are kept as if they waited for theirs.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "tests" / "old_formats"
LAST_COMMITS = {4: "19db72b^", 5: "f494a1e^", 6: "3cfb877^", 7: "d4d9b7b^"}
"""The last commit of each format: the one before that which raised it."""

_LEFT_OUT = ("tokens", "words")
"""Tables that are large and follow from others: `words` is filled without its shadow tables, `tokens` stays empty."""


def main() -> None:
    """Make them."""
    wanted = [int(given) for given in sys.argv[1:]] or sorted(LAST_COMMITS)
    for number in wanted:
        with tempfile.TemporaryDirectory() as folder:
            index = make(number, Path(folder))
            kept = FIXTURES / str(number)
            kept.mkdir(exist_ok=True)
            (kept / "recipe.json").write_bytes((index / "recipe.json").read_bytes())
            with closing(sqlite3.connect(index / "catalog.sqlite3")) as db:
                sql = "\n".join(as_sql(db)).replace(str(FIXTURES), "{ARCHIVE}")
            (kept / "catalog.sql").write_text(sql + "\n", encoding="utf-8")
            print(f"format {number}: {len(sql)} bytes of SQL")


def make(number: int, folder: Path) -> Path:
    """Make an index of a format in a folder, with the code that wrote it, and return where it lies."""
    code, index = folder / "code", folder / "index"
    (code / "talksearch").mkdir(parents=True)
    rooms = ("indexer", "search", "cli")
    archive = subprocess.run(
        ["git", "archive", LAST_COMMITS[number], *rooms], cwd=ROOT, check=True, capture_output=True
    )
    subprocess.run(["tar", "-x", "-C", str(code / "talksearch")], input=archive.stdout, check=True)
    command = ["index", str(FIXTURES / "talks"), str(FIXTURES / "away"), "--index", str(index)]
    prompts = ["--query-prompt", "query: ", "--passage-prompt", "passage: "]
    subprocess.run(
        [sys.executable, "-m", "talksearch.cli", *command, *prompts],
        env={**os.environ, "PYTHONPATH": str(code), "TALKSEARCH_CACHE": str(folder / "cache")},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return index


def as_sql(db: sqlite3.Connection) -> Iterator[str]:
    """Yield the statements that make a catalog again, one a line."""
    tables = db.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type DESC, name").fetchall()
    own = [(name, sql) for name, sql in tables if not name.startswith(("words_", "sqlite_"))]
    for _, sql in own:
        yield " ".join(line.split("--")[0].strip() for line in sql.splitlines()) + ";"
    for name, sql in own:
        if sql.upper().startswith("CREATE TABLE") and name not in _LEFT_OUT:
            for row in db.execute(f"SELECT * FROM {name}"):
                yield f"INSERT INTO {name} VALUES ({', '.join(map(_literal, row))});"
    cursor = db.execute("SELECT rowid, * FROM words")
    columns = ", ".join(name for name, *_ in cursor.description)
    for row in cursor:
        yield f"INSERT INTO words ({columns}) VALUES ({', '.join(map(_literal, row))});"
    yield "UPDATE passages SET embedded = 0;"


def _literal(value: object) -> str:
    """Return a value as SQL writes it."""
    match value:
        case None:
            return "NULL"
        case bytes():
            return f"x'{value.hex()}'"
        case str():
            return "'" + value.replace("'", "''") + "'"
        case _:
            return str(value)


if __name__ == "__main__":
    main()
