"""The file of the catalog: its pages, its indexes, and whether all tables are there."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

from talksearch.indexer.errors import BadIndexError
from talksearch.indexer.stores import catalog, schema

from .findings import Finding, finding, some

_OF_AN_INDEX = re.compile(r"row \d+ missing from index|wrong # of entries in index|non-unique entry in index")
"""Problems of an index of a table, which is made of the table."""

_OF_ROWS = re.compile(r"\b(?:NULL|TEXT|NUMERIC|non-\w+) value in |fts5|inverted index", re.IGNORECASE)
"""Problems that show in the seals of rows or in the word index, where they are mended. Newer versions of SQLite look at
the word index too."""


def check_database(folder: Path, db: sqlite3.Connection, *, mend: bool) -> list[Finding]:
    """Check that the catalog's file is whole: every page, every index of a table, every table.

    Raises BadIndexError where more is damaged than can be made again.
    """
    findings: list[Finding] = []
    problems = [problem for problem in _problems(folder, db) if not _OF_ROWS.search(problem)]
    if any(not _OF_AN_INDEX.match(problem) for problem in problems):
        raise damaged(folder, next(problem for problem in problems if not _OF_AN_INDEX.match(problem)))
    if problems:
        if mend:
            try:
                db.execute("REINDEX")
            except sqlite3.IntegrityError as error:  # two rows have what only one may have
                raise damaged(folder, str(error)) from error
        findings.append(finding("Indexes of the catalog disagreed with their tables.", mend))
    missing = _missing(db)
    if missing:
        if mend:
            _make(db, missing)
        names = some(list(missing))
        findings.append(finding(f"Of the catalog's tables and indexes, {len(missing)} were missing: {names}.", mend))
    return findings


def damaged(folder: Path, problem: str) -> BadIndexError:
    """Return what to raise where the catalog itself is damaged."""
    return BadIndexError(
        f"The catalog of {folder} is damaged: {problem}.", "Build it again: talksearch index PATH --rebuild"
    )


def is_complete(db: sqlite3.Connection) -> bool:
    """Say whether every table and every index is there, so that all can be looked at."""
    return not _missing(db)


def _problems(folder: Path, db: sqlite3.Connection) -> list[str]:
    try:
        rows = [str(row[0]) for row in db.execute("PRAGMA integrity_check")]
    except sqlite3.DatabaseError as error:
        if not catalog.means_damage(error):
            raise
        raise damaged(folder, str(error)) from error
    return [row for row in rows if row != "ok"]


def _make(db: sqlite3.Connection, missing: dict[str, str]) -> None:
    with catalog.transaction(db):
        if "words" in missing:  # its own tables are made with it
            for name in schema.statements():
                if name.startswith("words_"):
                    db.execute(f"DROP TABLE IF EXISTS {name}")
        for name, sql in missing.items():
            if not db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (name,)).fetchone():
                db.execute(sql)


def _missing(db: sqlite3.Connection) -> dict[str, str]:
    """Return the statements that make the tables and indexes that are not there, by their names."""
    there = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
    return {name: sql for name, sql in schema.statements().items() if name not in there}
