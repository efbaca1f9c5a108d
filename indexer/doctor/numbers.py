"""Numbers of talks and passages: none is given twice, and none leaves that stays."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from talksearch.indexer.stores import catalog, vectors

from .findings import Finding, finding


def check_numbers(folder: Path, db: sqlite3.Connection, dimension: int, *, mend: bool) -> list[Finding]:
    """Check that the next number is above every one that was given, and that no passage that is there is leaving."""
    findings = []
    highest = {
        "talks": db.execute("SELECT max(number) FROM talks").fetchone()[0] or 0,
        "passages": max(
            db.execute("SELECT max(number) FROM passages").fetchone()[0] or 0,
            db.execute("SELECT max(number) FROM leaving").fetchone()[0] or 0,
        ),
    }
    given = dict(db.execute("SELECT name, seq FROM sqlite_sequence"))
    low = {table: number for table, number in highest.items() if number > (given.get(table) or 0)}
    if low:
        if mend:
            with catalog.transaction(db):
                db.executemany("DELETE FROM sqlite_sequence WHERE name = ?", ((table,) for table in low))
                db.executemany("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", low.items())
            # Higher numbers may have been given to passages that are gone: nothing of them may be taken for the next's.
            alive = [number for (number,) in db.execute("SELECT number FROM passages ORDER BY number")]
            vectors.compact(folder, dimension, alive)
        findings.append(finding("Numbers that were given to talks or passages would have been given again.", mend))
    staying = [
        number
        for (number,) in db.execute(
            "SELECT number FROM leaving WHERE id IN (SELECT id FROM passages)"
            " AND number IN (SELECT number FROM passages)"
        )
    ]
    if staying:
        if mend:
            db.executemany("DELETE FROM leaving WHERE number = ?", ((number,) for number in staying))
        findings.append(finding(f"{len(staying)} passages were noted as leaving that are there.", mend))
    return findings
