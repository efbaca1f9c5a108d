"""The codes of tokens: that every embedded passage has its own, where the index has any, and what they mean."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from talksearch.indexer.encoders import token_codes
from talksearch.indexer.stores import catalog, catalog_writer, copy_check, seals

from .findings import Finding, finding, finding_for_index


def check_tokens(folder: Path, db: sqlite3.Connection, *, mend: bool) -> list[Finding]:
    """Check the codes of tokens; passages whose codes are not their own are marked to be embedded again."""
    damaged = [
        number
        for (number,) in db.execute(f"SELECT number FROM tokens WHERE NOT {seals.holds_sql('tokens')}")  # noqa: S608
    ]
    left_over = [
        number
        for (number,) in db.execute("SELECT number FROM tokens WHERE number NOT IN (SELECT number FROM passages)")
    ]
    lacking = []
    if token_codes.read(folder) is not None:
        rows = db.execute(
            "SELECT number FROM passages WHERE embedded AND number NOT IN (SELECT number FROM tokens) ORDER BY number"
        )
        lacking = [number for (number,) in rows]
    again = sorted({*damaged, *lacking} - set(left_over))
    if mend and (again or left_over):
        with catalog.transaction(db):
            db.executemany("DELETE FROM tokens WHERE number = ?", ((number,) for number in {*damaged, *left_over}))
            # The model gives them vectors again, which are not to the bit those that lie under the old numbers.
            catalog_writer.renumber(db, again)
    findings = []
    if again:
        findings.append(
            finding_for_index(f"The codes of the tokens of {len(again)} passages are damaged, or gone.", mend)
        )
    if left_over:
        findings.append(finding(f"{len(left_over)} codes of tokens had no passage.", mend))
    return [*findings, *_check_directions(folder, db)]


def _check_directions(folder: Path, db: sqlite3.Connection) -> list[Finding]:
    """Check that the codes can be read: without the directions of which they are signs they mean nothing."""
    is_there = token_codes.read(folder) is not None and not copy_check.has_directions_of_another(folder, db)
    if is_there or not db.execute("SELECT 1 FROM tokens LIMIT 1").fetchone():
        return []
    return [
        Finding(
            "The directions along which tokens are compared are missing, damaged or of another index, and"
            " cannot be had again from what was encoded with them: the best passages are not compared with a query"
            " token by token.",
            False,
            "Make all of it again: talksearch index --rebuild",
        )
    ]
