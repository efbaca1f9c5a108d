"""Faults in the rows of the catalog: gone, changed, moved, doubled, of nobody, in every table."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace

from fault import Case, Fault

from talksearch.indexer import layout

_TALK, _NEXT = "Phy5N1ght4b", "-Harr0wBr1x"
_NOWHERE = 90_001
_TRACKED = "talk = (SELECT talk FROM tracks LIMIT 1)"
_FILE = f"talk_id = '{_TALK}'"
_LAST_CUE = "(SELECT max(number) FROM cues WHERE talk = TALK)"
_SHAPE = "json_object('a', 1)"
_INDEX_OF = "sql = replace(sql, 'passages ({})', 'passages ({})') WHERE name = 'passages_of_talk'"


def _sql(name: str, *statements: str) -> Fault:
    """Return a fault that SQL plants, in which TALK, NEXT and PASSAGE stand for numbers."""

    def plant(case: Case) -> None:
        with closing(sqlite3.connect(layout.CATALOG.within(case.index))) as db:
            talk, following = (
                db.execute("SELECT number FROM talks WHERE id = ?", (talk_id,)).fetchone()[0]
                for talk_id in (_TALK, _NEXT)
            )
            (passage,) = db.execute(
                "SELECT min(number) + 1 FROM passages WHERE talk = ? AND field = 'speech'", (talk,)
            ).fetchone()
            for statement in statements:
                for word, number in (("TALK", talk), ("NEXT", following), ("PASSAGE", passage)):
                    statement = statement.replace(word, str(number))
                db.execute(statement)
            db.commit()

    return Fault(name, plant)


def _talk(name: str, change: str) -> Fault:
    return _sql(f"a talk's {name}", f"UPDATE talks SET {change} WHERE number = TALK")


def _cue(name: str, change: str) -> Fault:
    return _sql(f"a cue's {name}", f"UPDATE cues SET {change} WHERE talk = TALK AND number = 3")


def _passage(name: str, change: str) -> Fault:
    return _sql(f"a passage's {name}", f"UPDATE passages SET {change} WHERE number = PASSAGE")


def _tokens(name: str, codes: str) -> Fault:
    return _sql(f"tokens {name}", f"UPDATE tokens SET codes = {codes} WHERE number = PASSAGE")


def _words(name: str, change: str) -> Fault:
    return _sql(f"words {name}", f"UPDATE words SET {change} WHERE rowid = PASSAGE")


def _file(name: str, change: str) -> Fault:
    return _sql(f"a file's {name}", f"UPDATE files SET {change} WHERE {_FILE}")


def _again(name: str, table: str, which: str, change: str) -> Fault:
    """Return a fault by which a row is there once more, changed."""
    return _sql(
        name,
        f"CREATE TEMP TABLE one AS SELECT * FROM {table} WHERE {which} LIMIT 1",
        f"UPDATE one SET {change}",
        f"INSERT INTO {table} SELECT * FROM one",
    )


def _exchanged(name: str, table: str, key: str, first: str, second: str, which: str = "1") -> Fault:
    """Return a fault by which two rows have each other's keys."""
    changes = ((first, "-1"), (second, first), ("-1", second))
    return _sql(name, *(f"UPDATE {table} SET {key} = {new} WHERE {key} = {old} AND {which}" for old, new in changes))


ROW_FAULTS: tuple[Fault, ...] = (
    _sql("a talk's row gone", "DELETE FROM talks WHERE number = TALK"),
    _talk("title changed", "title = 'Bananas'"),
    _talk("address changed", "url = 'https://www.youtube.com/watch?v=AAAAAAAAAAA'"),
    _talk("path changed", "path = '/nowhere/else.vtt'"),
    _talk("id changed", "id = 'Phy5N1ght4c'"),
    _talk("date changed", "date = '1999-01-01'"),
    _talk("language changed", "language = 'sv'"),
    _talk("timing changed", "timing = 'estimated'"),
    _talk("timing is none", "timing = 'guessed'"),
    _talk("chapters broken", "chapters = '[[0'"),
    _talk("chapters of another shape", f"chapters = {_SHAPE}"),
    _talk("receipt broken", "receipt = '{'"),
    _talk("receipt of another shape", "receipt = '[]'"),
    _talk("title a blob", "title = x'ff00fe'"),
    _exchanged("two talks' numbers exchanged", "talks", "number", "TALK", "NEXT"),
    _again("a talk twice", "talks", "number = TALK", f"number = {_NOWHERE}, id = 'twice'"),
    _sql("a cue gone", "DELETE FROM cues WHERE talk = TALK AND number = 3"),
    _sql("the last cue gone", f"DELETE FROM cues WHERE talk = TALK AND number = {_LAST_CUE}"),
    _sql("a talk's cues gone", "DELETE FROM cues WHERE talk = TALK"),
    _cue("text changed", "text = text || ' bananas'"),
    _cue("time changed", "start_ms = start_ms + 40000, end_ms = end_ms + 40000"),
    _cue("speaker changed", "speaker = 'Nobody'"),
    _cue("words broken", "words = '[[\"a'"),
    _cue("words of another shape", "words = '7'"),
    _cue("talk another", "talk = NEXT, number = 9000"),
    _exchanged("two cues exchanged", "cues", "number", "3", "4", "talk = TALK"),
    _again("a cue twice", "cues", "talk = TALK AND number = 3", f"number = {_LAST_CUE} + 1"),
    _again("a cue of no talk", "cues", "talk = TALK", f"talk = {_NOWHERE}"),
    _sql("a passage gone", "DELETE FROM passages WHERE number = PASSAGE"),
    _sql("a passage gone with all that is its", *(
        f"DELETE FROM {table} WHERE {key} = PASSAGE"
        for table, key in (("passages", "number"), ("words", "rowid"), ("tokens", "number")))),
    _sql("a talk's passages gone", "DELETE FROM passages WHERE talk = TALK"),
    _passage("text changed", "text = text || ' bananas'"),
    _passage("text a blob", "text = x'fffe00'"),
    _passage("text another's", "text = (SELECT text FROM passages AS other WHERE other.number = PASSAGE + 1)"),
    _passage("times changed", "start_ms = start_ms + 600000, end_ms = end_ms + 600000"),
    _passage("cues changed", "first_cue = first_cue + 2"),
    _passage("cues far away", "first_cue = 900000, last_cue = 900002"),
    _passage("id changed", "id = 'another'"),
    _passage("field changed", "field = 'title'"),
    _passage("field is none", "field = 'bananas'"),
    _passage("speakers changed", "speakers = '[\"Nobody\"]'"),
    _passage("speakers broken", "speakers = '[\"No'"),
    _passage("digest changed", "digest = zeroblob(length(digest))"),
    _passage("talk another", "talk = NEXT"),
    _passage("talk not there", f"talk = {_NOWHERE}"),
    _again("a passage twice", "passages", "number = PASSAGE", f"number = {_NOWHERE}, id = 'twice'"),
    _passage("vector said to be missing", "embedded = 0"),
    _passage("vector said to be there 7 times", "embedded = 7"),
    _sql("tokens gone", "DELETE FROM tokens WHERE number = PASSAGE"),
    _sql("all tokens gone", "DELETE FROM tokens"),
    _tokens("changed", "zeroblob(length(codes))"),
    _tokens("cut", "substr(codes, 1, length(codes) - 3)"),
    _tokens("another's", "(SELECT codes FROM tokens AS other WHERE other.number = PASSAGE + 1)"),
    _tokens("a text", "'bananas'"),
    _again("tokens of no passage", "tokens", "number = PASSAGE", f"number = {_NOWHERE}"),
    _sql("words gone", "DELETE FROM words WHERE rowid = PASSAGE"),
    _words("another's", "terms = (SELECT terms FROM words WHERE rowid = PASSAGE + 1)"),
    _words("emptied", "terms = ''"),
    _words("invented", "track_terms = 'bananas'"),
    _sql("words of no passage", f"INSERT INTO words (rowid, terms, track_terms) VALUES ({_NOWHERE}, 'time dilat', '')"),
    _sql("terms of tracks emptied", "UPDATE words SET track_terms = ''"),
    _sql("the inverted lists damaged", "UPDATE words_data SET block = zeroblob(length(block)) WHERE id > 10"),
    _sql("the inverted lists gone", "DELETE FROM words_data WHERE id > 10"),
    _sql("the inverted lists' index gone", "DELETE FROM words_idx"),
    _sql("the lengths of words gone", "DELETE FROM words_docsize WHERE id = PASSAGE"),
    _sql("the content of words changed", "UPDATE words_content SET c0 = 'bananas' WHERE id = PASSAGE"),
    _sql("common emptied", "DELETE FROM common"),
    _sql("common has one more", "INSERT OR IGNORE INTO common (term) VALUES ('dilat')"),
    _sql("heard emptied", "DELETE FROM heard"),
    _sql("heard changed", "UPDATE heard SET meant = 'bananas' WHERE meant = (SELECT min(meant) FROM heard)"),
    _again("heard of no talk", "heard", "1", f"talk = {_NOWHERE}"),
    _sql("odd emptied", "DELETE FROM odd"),
    _sql("odd changed", "UPDATE odd SET term = 'bananas' WHERE word = (SELECT min(word) FROM odd)"),
    _sql("a track gone", "DELETE FROM tracks"),
    _sql("a track's language changed", "UPDATE tracks SET language = 'fr'"),
    _sql("a track's cue gone", f"DELETE FROM track_cues WHERE {_TRACKED} AND number = 2"),
    _sql("a track's cues gone", "DELETE FROM track_cues"),
    _sql("a track's cue changed", f"UPDATE track_cues SET text = 'Bananen' WHERE {_TRACKED} AND number = 2"),
    _sql("a track's cue of no talk", f"UPDATE track_cues SET talk = {_NOWHERE} WHERE number = 2"),
    _sql("a file's row gone", f"DELETE FROM files WHERE {_FILE}"),
    _file("digest changed", "digest = 'bananas'"),
    _file("identity broken", "identity = '{'"),
    _file("talk another", f"talk_id = '{_NEXT}'"),
    _file("talk not there", "talk_id = 'bananas'"),
    _sql("all files' rows gone", "DELETE FROM files"),
    _again("a file of nowhere", "files", "1", "path = '/nowhere/x.vtt'"),
    _sql("roots gone", "DELETE FROM roots"),
    _sql("a root that is not there", "UPDATE roots SET path = '/nowhere'"),
    _sql("numbers lowered", "UPDATE sqlite_sequence SET seq = 5"),
    _sql("numbers forgotten", "DELETE FROM sqlite_sequence"),
    _sql("sums gone", "DELETE FROM sums"),
    _sql("sums changed", "UPDATE sums SET sum = sum + 1"),
    replace(_sql("derived gone", "DELETE FROM derived"), harmless=True),  # the next run makes stop terms anew
    _sql("the recipe's copy gone", "DELETE FROM recipe"),
    _sql("the recipe's copy changed", "UPDATE recipe SET text = '{}'"),
    _sql("somebody leaves who stays",
         "INSERT INTO leaving (number, id) SELECT number, id FROM passages WHERE number = PASSAGE"),
    _sql("an index gone", "DROP INDEX passages_of_talk"),
    _sql("a table gone", "DROP TABLE odd"),
    _sql("the words' table gone", "DROP TABLE words"),
    _sql("the number of changes lowered", "PRAGMA user_version = 1"),
)  # fmt: skip


def _disagree(case: Case) -> None:
    """Make an index of a table disagree with it, as a write that was lost does."""
    for statements in (
        ("PRAGMA writable_schema = ON", f"UPDATE sqlite_master SET {_INDEX_OF.format('talk', 'number')}"),
        ("UPDATE passages SET talk = 3 WHERE number = (SELECT max(number) FROM passages)",),
        ("PRAGMA writable_schema = ON", f"UPDATE sqlite_master SET {_INDEX_OF.format('number', 'talk')}"),
    ):
        with closing(sqlite3.connect(layout.CATALOG.within(case.index))) as db:
            for statement in statements:
                db.execute(statement)
            db.commit()


INDEX_FAULT = Fault("an index differs from its table", _disagree)
