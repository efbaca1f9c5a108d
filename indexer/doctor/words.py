"""The word index: that each passage has its own words in it, and nobody else has any.

Words are made of the text of a passage and of what the tracks of its talk say meanwhile. They are never made of a text
that does not hold: the words that are there were made while it held, and stay until the talk is read again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

from talksearch.indexer import layout
from talksearch.indexer.stores import catalog, catalog_writer, schema, seals, stop_terms
from talksearch.indexer.stores.columns import update as columns
from talksearch.indexer.stores.tracks import terms_meanwhile
from talksearch.indexer.text.terms import terms_joined

from .findings import Finding, finding

_CHECK = "INSERT INTO words (words) VALUES ('integrity-check')"
"""Has FTS5 compare its lists with the words that it keeps of each passage (sqlite.org/fts5.html, 6.4)."""

_VERSION = "INSERT OR REPLACE INTO words_config VALUES ('version', 4)"
"""Without the version of its format FTS5 does not open its table, not even to drop it."""


_MOST_FOUND = 50
"""Passages that are looked for by each term."""


class _Words(NamedTuple):
    """What the word index should hold of a passage."""

    number: int
    terms: str
    track_terms: str


def check_words(folder: Path, db: sqlite3.Connection, *, mend: bool) -> list[Finding]:
    """Check the words of every passage whose text holds, the lists that are made of them, and the stop terms."""
    sound = _is_sound(folder, db, mend) and _are_found(db)
    wrong = list(_wrong(db)) if can_be_read(db) else None
    left_over = _left_over(db) if wrong is not None else []
    findings: list[Finding] = []
    if wrong is None or not sound:
        if mend:
            _make_anew(folder, db)
        findings.append(finding("The word index was damaged, and is made again from the texts.", mend))
    elif wrong or left_over:
        if mend:
            with catalog.transaction(db):
                db.executemany("DELETE FROM words WHERE rowid = ?", ((number,) for number in left_over))
                db.executemany("DELETE FROM words WHERE rowid = ?", ((words.number,) for words in wrong))
                db.executemany("INSERT INTO words (rowid, terms, track_terms) VALUES (?, ?, ?)", wrong)
                catalog_writer.mark_changed(db)
            columns.forget(folder)  # they take the words of a passage for final
        findings.append(
            finding(
                f"{len(wrong)} passages had other words in the word index than in their texts, or none, and"
                f" {len(left_over)} entries had no passage.",
                mend,
            )
        )
    if (mend or not findings) and _has_other_stop_terms(db):
        if mend:
            db.execute("DELETE FROM derived WHERE name = 'common'")
            stop_terms.update_stop_terms(db)
        if not findings:  # else they are others because of that
            findings.append(finding("The terms that many passages hold were not those that a search leaves out.", mend))
    return findings


def _is_sound(folder: Path, db: sqlite3.Connection, mend: bool) -> bool:
    """Say whether the lists of the word index are those of the words that it keeps.

    FTS5 checks that by a statement that writes, though it writes nothing: so it is undone, and left out where nothing
    can be written.
    """
    try:
        if mend:
            db.execute(_CHECK)
            return True
        path = layout.CATALOG.within(folder)
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)) as other:
            other.execute("BEGIN")
            other.execute(_CHECK)
            other.execute("ROLLBACK")
    except sqlite3.DatabaseError as error:
        unwritable = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_BUSY)
        return catalog.primary_code(error) in unwritable
    return True


def _are_found(db: sqlite3.Connection) -> bool:
    """Say whether each term is found where its list says: the pages of the lists have an index that nothing checks."""
    try:
        stop_terms.open_vocabulary(db)
        for term, documents in db.execute("SELECT term, doc FROM vocabulary").fetchall():
            quoted = '"' + term.replace('"', '""') + '"'
            most = min(documents, _MOST_FOUND)
            rows = db.execute("SELECT 1 FROM words WHERE words MATCH ? LIMIT ?", (quoted, most)).fetchall()
            if len(rows) < most:
                return False
    except sqlite3.DatabaseError:
        return False
    return True


def can_be_read(db: sqlite3.Connection) -> bool:
    """Say whether SQLite can open the word index."""
    try:
        db.execute("SELECT count(*) FROM words_content w JOIN words ON words.rowid = w.id").fetchone()
    except sqlite3.DatabaseError:
        return False
    return True


def _wrong(db: sqlite3.Connection) -> Iterator[_Words]:
    """Yield what the words of the passages should be that have others."""
    held = {number: (terms, track_terms) for number, terms, track_terms in db.execute("SELECT * FROM words_content")}
    for words in _should_be(db):
        if held.get(words.number) != words[1:]:
            yield words


def _should_be(db: sqlite3.Connection) -> Iterator[_Words]:
    """Yield what the words of each passage should be whose text, and whose talk's tracks, hold."""
    unknown = {
        talk
        for table in ("tracks", "track_cues")
        for (talk,) in db.execute(f"SELECT talk FROM {table} WHERE NOT {seals.holds_sql(table)}")  # noqa: S608
    }
    unknown |= {
        talk
        for (talk,) in db.execute(
            "SELECT number FROM talks t WHERE track_count != (SELECT count(*) FROM tracks WHERE talk = t.number)"
            " OR track_cue_count != (SELECT count(*) FROM track_cues WHERE talk = t.number)"
        )
    }
    with_tracks = {talk for (talk,) in db.execute("SELECT DISTINCT talk FROM tracks")}
    passages = db.execute(
        f"SELECT p.number, p.talk, p.text FROM passages p WHERE {seals.holds_sql('passages', 'p')} ORDER BY p.talk"  # noqa: S608
    )
    talk_before, meanwhile = None, {}
    for number, talk, text in passages:
        if talk in unknown:
            continue
        if talk != talk_before:
            talk_before, meanwhile = talk, terms_meanwhile(db, talk) if talk in with_tracks else {}
        yield _Words(number, terms_joined(text), meanwhile.get(number, ""))


def _left_over(db: sqlite3.Connection) -> list[int]:
    rows = db.execute("SELECT id FROM words_content WHERE id NOT IN (SELECT number FROM passages)")
    return [number for (number,) in rows]


def _make_anew(folder: Path, db: sqlite3.Connection) -> None:
    """Make the word index from the texts; of passages whose text does not hold, from the words that are there."""
    kept = {}
    with suppress(sqlite3.DatabaseError):
        kept = {
            number: (terms, track_terms) for number, terms, track_terms in db.execute("SELECT * FROM words_content")
        }
    with catalog.transaction(db):
        passages = [number for (number,) in db.execute("SELECT number FROM passages")]
        should_be = {words.number: words for words in _should_be(db)}
        rows = [
            should_be.get(number) or _Words(number, *kept[number])
            for number in passages
            if number in should_be or number in kept
        ]
        db.execute(_VERSION)
        db.execute("DROP TABLE words")
        db.execute(schema.statements()["words"])
        db.executemany("INSERT INTO words (rowid, terms, track_terms) VALUES (?, ?, ?)", rows)
        catalog_writer.mark_changed(db)
    columns.forget(folder)


def _has_other_stop_terms(db: sqlite3.Connection) -> bool:
    there = {term for (term,) in db.execute("SELECT CAST(term AS BLOB) FROM common")}
    return there != {term.encode() for term in stop_terms.find_stop_terms(db)}
