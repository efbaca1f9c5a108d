"""The doctor on the rows of a catalog: every fault is found, none is spread, and the next run makes all of it right."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from fakes import WordEncoder

from talksearch.indexer import layout
from talksearch.indexer.doctor import Finding, examine
from talksearch.indexer.encoders import token_codes
from talksearch.indexer.pipeline.run import build_index
from talksearch.indexer.stores import catalog, seals

ENGLISH = ("Every bee knows the rain.", "The ship keeps its own time.", "Bread and code need Estevado.", "And so on.")
GERMAN = ("Jede Biene kennt den Regen.", "Das Schiff hat seine Zeit.", "Brot und Code brauchen Regen.", "Und so fort.")

FAULTS = {
    "a talk's row gone": "DELETE FROM talks WHERE number = 1",
    "a talk's title": "UPDATE talks SET title = 'Bananas' WHERE number = 1",
    "a talk's id": "UPDATE talks SET id = 'another' WHERE number = 1",
    "a talk's path": "UPDATE talks SET path = '/nowhere/else.vtt' WHERE number = 1",
    "a talk's receipt": "UPDATE talks SET receipt = '[]' WHERE number = 1",
    "a talk's chapters": "UPDATE talks SET chapters = '[[0' WHERE number = 1",
    "a talk's title no UTF-8": "UPDATE talks SET title = CAST(x'ff00fe' AS TEXT) WHERE number = 1",
    "two talks exchanged": "UPDATE talks SET number = number + 100; UPDATE talks SET number = 103 - number",
    "a talk twice": "INSERT INTO talks SELECT 99, id || '2', path, source, title, format, timing, margin_ms, origin,"
    " youtube_id, url, channel, speaker, language, date, duration_ms, description, chapters, receipt, cue_count,"
    " track_count, track_cue_count, passage_count, heard_count, odd_count, seal FROM talks WHERE number = 1",
    "a cue gone": "DELETE FROM cues WHERE talk = 1 AND number = 1",
    "all cues gone": "DELETE FROM cues WHERE talk = 1",
    "a cue's text": "UPDATE cues SET text = text || ' bananas' WHERE talk = 1 AND number = 1",
    "a cue's text no UTF-8": "UPDATE cues SET text = CAST(x'ff00fe' AS TEXT) WHERE talk = 1 AND number = 1",
    "a cue's time": "UPDATE cues SET start_ms = start_ms + 1 WHERE talk = 1 AND number = 1",
    "a cue's words": "UPDATE cues SET words = '[[' WHERE talk = 1 AND number = 1",
    "a cue of another talk": "UPDATE cues SET talk = 2, number = 9000 WHERE talk = 1 AND number = 1",
    "cues of no talk": "UPDATE cues SET talk = 99 WHERE talk = 1",
    "a track gone": "DELETE FROM tracks",
    "a track's language": "UPDATE tracks SET language = 'fr'",
    "a track's cue gone": "DELETE FROM track_cues WHERE number = 1",
    "a track's cue": "UPDATE track_cues SET text = 'Bananen' WHERE number = 1",
    "a passage gone": "DELETE FROM passages WHERE number = 1",
    "a passage gone with its words": "DELETE FROM passages WHERE number = 1; DELETE FROM words WHERE rowid = 1",
    "all passages of a talk gone": "DELETE FROM passages WHERE talk = 1",
    "a passage's text": "UPDATE passages SET text = text || ' bananas' WHERE number = 1",
    "a passage's text another's": "UPDATE passages SET text = (SELECT text FROM passages WHERE number = 3)"
    " WHERE number = 1",
    "a passage's text no UTF-8": "UPDATE passages SET text = CAST(x'ff00fe' AS TEXT) WHERE number = 1",
    "a passage's times": "UPDATE passages SET start_ms = 600000, end_ms = 700000 WHERE number = 1",
    "a passage's cues": "UPDATE passages SET first_cue = 900000, last_cue = 900001 WHERE number = 1",
    "a passage's id": "UPDATE passages SET id = 'another' WHERE number = 1",
    "a passage's digest": "UPDATE passages SET digest = zeroblob(16) WHERE number = 1",
    "a passage's speakers": "UPDATE passages SET speakers = '[\"No' WHERE number = 1",
    "a passage's field": "UPDATE passages SET field = 'bananas' WHERE number = 1",
    "a passage's number": "UPDATE passages SET number = 77 WHERE number = 1",
    "a passage of another talk": "UPDATE passages SET talk = 2 WHERE number = 1",
    "a passage of no talk": "UPDATE passages SET talk = 99 WHERE number = 1",
    "two passages exchanged": "UPDATE passages SET number = 91 WHERE number = 1; UPDATE passages SET number = 1 WHERE"
    " number = 2; UPDATE passages SET number = 2 WHERE number = 91",
    "embedded is 7": "UPDATE passages SET embedded = 7 WHERE number = 1",
    "embedded is 0": "UPDATE passages SET embedded = 0 WHERE number = 1",
    "tokens gone": "DELETE FROM tokens WHERE number = 1",
    "all tokens gone": "DELETE FROM tokens",
    "tokens changed": "UPDATE tokens SET codes = zeroblob(length(codes)) WHERE number = 1",
    "tokens another's": "UPDATE tokens SET codes = (SELECT codes FROM tokens WHERE number = 3) WHERE number = 1",
    "tokens of no passage": "UPDATE tokens SET number = 99 WHERE number = 1",
    "words gone": "DELETE FROM words WHERE rowid = 1",
    "words another's": "UPDATE words SET terms = (SELECT terms FROM words WHERE rowid = 3) WHERE rowid = 1",
    "words of tracks gone": "UPDATE words SET track_terms = ''",
    "words of no passage": "INSERT INTO words (rowid, terms, track_terms) VALUES (99, 'banana', '')",
    "lists of words zeroed": "UPDATE words_data SET block = zeroblob(length(block)) WHERE id > 10",
    "lists of words gone": "DELETE FROM words_data WHERE id > 10",
    "lengths of words gone": "DELETE FROM words_docsize WHERE id = 1",
    "content of words changed": "UPDATE words_content SET c0 = 'banana' WHERE id = 1",
    "settings of words gone": "DELETE FROM words_config",
    "common has one more": "INSERT OR IGNORE INTO common (term) VALUES ('banana')",
    "common no UTF-8": "INSERT INTO common (term) VALUES (CAST(x'ff00fe' AS TEXT))",
    "a rare word gone": "DELETE FROM odd",
    "a rare word changed": "UPDATE odd SET term = 'bananas'",
    "a misheard name too many": "INSERT INTO heard VALUES (1, 'be', 'bee', 0, 0)",
    "rare words of no talk": "UPDATE odd SET talk = talk + 98",
    "a file's row gone": "DELETE FROM files WHERE talk_id = (SELECT id FROM talks WHERE number = 1)",
    "all files' rows gone": "DELETE FROM files",
    "a file's digest": "UPDATE files SET digest = 'bananas' WHERE path LIKE '%bees.en%'",
    "a file's identity": "UPDATE files SET identity = '{' WHERE path LIKE '%bees.en%'",
    "files of another talk": "UPDATE files SET talk_id = (SELECT id FROM talks WHERE number = 2)",
    "files of no talk": "UPDATE files SET talk_id = 'bananas' WHERE path LIKE '%bees%'",
    "a file of nowhere": "INSERT INTO files VALUES ('/nowhere/x.vtt', 'x.vtt', '', '', NULL, NULL, '', 0)",
    "roots gone": "DELETE FROM roots",
    "another root": "UPDATE roots SET path = '/nowhere'",
    "numbers lowered": "UPDATE sqlite_sequence SET seq = 1",
    "numbers forgotten": "DELETE FROM sqlite_sequence",
    "who stays is leaving": "INSERT INTO leaving SELECT number, id FROM passages WHERE number = 1",
    "an index gone": "DROP INDEX passages_of_talk",
    "a table gone": "DROP TABLE odd",
    "the files' table gone": "DROP TABLE files",
    "the words' table gone": "DROP TABLE words",
    "a table of the words gone": "DROP TABLE words_docsize",
}

_NUMBERS = ("number", "talk", "seal", "stamp")
"""Columns that may differ between two indexes of the same talks."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two talks, one with a track in another language, and codes of tokens."""
    folder = tmp_path_factory.mktemp("built")
    (folder / "talks").mkdir()
    for name, lines in (("bees.en", ENGLISH), ("bees.de", GERMAN), ("ships.en", ENGLISH[::-1])):
        cues = (f"00:{at * 5:02}.000 --> 00:{at * 5 + 4:02}.000\n<v Ada>{line}\n" for at, line in enumerate(lines))
        (folder / "talks" / f"{name}.vtt").write_text("WEBVTT\n\n" + "\n".join(cues), encoding="utf-8")
    (folder / "index").mkdir()
    token_codes.write(folder / "index", np.eye(8, dtype=np.float32))
    build_index(folder / "index", [folder / "talks"], encoder=WordEncoder(), processes=1)
    assert look(folder / "index") == []
    assert all(held(folder / "index")[table] for table in ("odd", "tracks", "tokens"))
    return folder / "index"


@pytest.fixture
def index(built: Path, tmp_path: Path) -> Path:
    shutil.copytree(built, tmp_path / "index")
    return tmp_path / "index"


def look(index: Path) -> list[Finding]:
    return examine(index, mend=False, encoder=WordEncoder())


def damage(index: Path, statements: str) -> None:
    with closing(sqlite3.connect(layout.CATALOG.within(index), isolation_level=None)) as db:
        db.executescript(statements)


def held(index: Path) -> dict[str, set[str]]:
    """Return what a catalog holds, with ids in the place of numbers."""
    with closing(catalog.open_catalog(index)) as db:
        rows: dict[str, set[str]] = {}
        talks = dict(db.execute("SELECT number, id FROM talks"))
        passages = dict(db.execute("SELECT number, id FROM passages"))
        for table in (*seals.SEALED, "common", "leaving"):
            names = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
            rows[table] = {
                repr(
                    [
                        talks.get(value)
                        if name == "talk"
                        else passages.get(value)
                        if (table, name) == ("tokens", "number")
                        else value
                        for name, value in zip(names, row, strict=True)
                        if name == "talk"
                        or (table, name) in (("tokens", "number"), ("cues", "number"))
                        or name not in _NUMBERS
                    ]
                )
                for row in db.execute(f"SELECT * FROM {table}")
            }
        words = db.execute("SELECT rowid, terms, track_terms FROM words")
        rows["words"] = {repr((passages.get(number), *terms)) for number, *terms in words}
        db.execute("CREATE VIRTUAL TABLE temp.every USING fts5vocab('main', 'words', 'instance')")
        postings = db.execute("SELECT term, doc, col, offset FROM temp.every")
        rows["postings"] = {repr((term, passages.get(number), *place)) for term, number, *place in postings}
        rows["schema"] = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
    return rows


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_and_mended_by_the_doctor_and_the_next_run(index: Path, fault: str) -> None:
    before = held(index)
    damage(index, FAULTS[fault])
    found = look(index)
    assert found, "called sound"
    assert not any(finding.mended for finding in found)
    first = examine(index, encoder=WordEncoder())
    again = examine(index, encoder=WordEncoder())
    assert not [finding for finding in again if finding.mended], "something is mended twice"
    assert all("talksearch index" in finding.advice for finding in again)
    report = build_index(index, [], encoder=WordEncoder(), processes=1)
    assert report.dropped in ([], ["another"]) or fault == "a talk twice"
    assert look(index) == [], [finding.what for finding in (*found, *first)]
    after = held(index)
    assert {table for table in before if before[table] != after[table]} == set()


def test_what_is_derived_alone_is_mended_by_the_doctor_alone(index: Path) -> None:
    for fault in ("words gone", "lists of words zeroed", "common has one more", "a rare word gone", "an index gone"):
        damage(index, FAULTS[fault])
    assert all(finding.mended for finding in examine(index, encoder=WordEncoder()))
    assert look(index) == []


def test_words_are_never_made_of_a_text_that_does_not_hold(index: Path) -> None:
    before = held(index)
    damage(index, FAULTS["a passage's text"])
    examine(index, encoder=WordEncoder())
    assert held(index)["words"] == before["words"]


def test_a_damaged_talk_whose_transcript_is_gone_stays_and_is_told(index: Path, built: Path, tmp_path: Path) -> None:
    damage(index, "UPDATE files SET path = replace(path, 'talks', 'gone'); UPDATE roots SET path = '/gone'")
    damage(index, "UPDATE talks SET path = replace(path, 'talks', 'gone')")
    with closing(catalog.open_catalog(index, write=True)) as db:
        db.executescript(
            ";".join(f"UPDATE {table} SET seal = {seals.seal_sql(table)}" for table in ("talks", "files", "roots"))
        )
    damage(index, FAULTS["a cue's text"])
    told = [finding for finding in examine(index, encoder=WordEncoder()) if "lacking" in finding.what]
    assert len(told) == 1
    assert "bees.en.vtt" in told[0].what
    with closing(catalog.open_catalog(index)) as db:
        assert db.execute("SELECT count(*) FROM cues").fetchone() == (8,)
