"""Talks and hits as an SQLite database: tables that refer to each other, full text, and views to read.

docs/export.md documents the schema. Times are seconds. It opens well in Datasette (https://datasette.io), which shows
titles where a talk is referred to, and a box to search where a table has full text.
"""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import closing

from talksearch.cli.render.receipts import receipt_json
from talksearch.indexer.records import Cue, Talk
from talksearch.search.hit import Hit
from talksearch.search.links import jump_to, link_at

from .selection import Selection, Written

_VERSION = 1
"""`PRAGMA user_version`: rises when a column is renamed or goes. New ones do not change it."""

_SCHEMA = """
CREATE TABLE talks (
    talk_id TEXT PRIMARY KEY, title TEXT NOT NULL, speaker TEXT, channel TEXT, date TEXT, language TEXT, url TEXT,
    duration_s REAL, timing TEXT NOT NULL, margin_s REAL NOT NULL, origin TEXT NOT NULL, format TEXT NOT NULL,
    source TEXT NOT NULL, youtube_id TEXT, description TEXT NOT NULL, receipt TEXT NOT NULL
);
CREATE TABLE cues (
    id INTEGER PRIMARY KEY, talk_id TEXT NOT NULL REFERENCES talks (talk_id), start_s REAL NOT NULL,
    end_s REAL NOT NULL, speaker TEXT, text TEXT NOT NULL, url TEXT
);
CREATE TABLE chapters (
    id INTEGER PRIMARY KEY, talk_id TEXT NOT NULL REFERENCES talks (talk_id), start_s REAL NOT NULL,
    title TEXT NOT NULL, url TEXT
);
CREATE VIRTUAL TABLE cues_fts USING fts5 (
    text, speaker, content="cues", content_rowid="id", tokenize="unicode61 remove_diacritics 2"
);  -- Datasette knows a table's full text by the double quotes around its name.
"""

_HITS = """
CREATE TABLE hits (
    rank INTEGER PRIMARY KEY, query TEXT NOT NULL, talk_id TEXT NOT NULL REFERENCES talks (talk_id),
    cue_id INTEGER REFERENCES cues (id), score REAL NOT NULL, grade TEXT, start_s REAL NOT NULL, end_s REAL NOT NULL,
    jump_s REAL NOT NULL, timing TEXT NOT NULL, margin_s REAL NOT NULL, said_by TEXT, text TEXT NOT NULL,
    url TEXT NOT NULL, beside_language TEXT, beside_text TEXT
);
"""

_HIT_KEYS = (
    "rank", "query", "talk_id", "cue_id", "score", "grade", "start_s", "end_s", "jump_s", "timing", "margin_s",
    "said_by", "text", "url", "beside_language", "beside_text",
)  # fmt: skip
"""The columns of `hits`: keys of the command contract, two more, and what stands in its `beside`."""

_FINISH = """
INSERT INTO cues_fts (cues_fts) VALUES ('rebuild');
INSERT INTO cues_fts (cues_fts) VALUES ('optimize');
CREATE INDEX cues_of_talk ON cues (talk_id, start_s);
CREATE INDEX chapters_of_talk ON chapters (talk_id, start_s);
-- The full text follows when somebody corrects a cue (sqlite.org/fts5.html, "External Content Tables").
CREATE TRIGGER cue_added AFTER INSERT ON cues BEGIN
    INSERT INTO cues_fts (rowid, text, speaker) VALUES (new.id, new.text, new.speaker);
END;
CREATE TRIGGER cue_removed AFTER DELETE ON cues BEGIN
    INSERT INTO cues_fts (cues_fts, rowid, text, speaker) VALUES ('delete', old.id, old.text, old.speaker);
END;
CREATE TRIGGER cue_changed AFTER UPDATE ON cues BEGIN
    INSERT INTO cues_fts (cues_fts, rowid, text, speaker) VALUES ('delete', old.id, old.text, old.speaker);
    INSERT INTO cues_fts (rowid, text, speaker) VALUES (new.id, new.text, new.speaker);
END;
CREATE VIEW lines AS
    SELECT cues.id, talks.title, talks.date,
        iif(talks.timing = 'estimated', '~', '')
            || printf('%d:%02d:%02d', cues.start_s / 3600, cues.start_s / 60 % 60, cues.start_s % 60) AS time,
        coalesce(cues.speaker, talks.speaker) AS speaker, cues.text, cues.url, cues.talk_id
    FROM cues JOIN talks USING (talk_id);
ANALYZE;
"""


_PUT_TALK = "INSERT INTO talks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_PUT_CUE = "INSERT INTO cues VALUES (?, ?, ?, ?, ?, ?, ?)"
_PUT_CHAPTER = "INSERT INTO chapters (talk_id, start_s, title, url) VALUES (?, ?, ?, ?)"
_PUT_HIT = "INSERT INTO hits VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


def database(selection: Selection) -> Written:
    """Return talks as an SQLite database; with hits, these and their whole talks.

    It is made in memory: a file would be left where the export is killed.
    """
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        _fill(db, selection)
        return Written(db.serialize())


def _fill(db: sqlite3.Connection, selection: Selection) -> None:
    """Write the tables. Nobody reads them before they are whole, so nothing has to survive a crash."""
    db.executescript(f"PRAGMA journal_mode = OFF; PRAGMA user_version = {_VERSION};")
    db.executescript(_SCHEMA)
    db.execute("BEGIN")
    cues_so_far = 0
    opened: dict[str, tuple[int, Sequence[Cue]]] = {}
    for talk in selection.talks:
        db.execute(_PUT_TALK, _talk_row(talk))
        db.executemany(_PUT_CUE, _cue_rows(talk, cues_so_far))
        db.executemany(
            _PUT_CHAPTER,
            [
                (talk.id, chapter.start_ms / 1000, chapter.title, _opens(talk, chapter.start_ms))
                for chapter in talk.chapters
            ],
        )
        if selection.hits:
            opened[talk.id] = (cues_so_far, talk.cues)
        cues_so_far += len(talk.cues)
    if selection.kind == "hits":
        db.execute(_HITS)
        rows = [_hit_row(hit, selection.query, *opened[hit.talk_id]) for hit in selection.hits if hit.talk_id in opened]
        db.executemany(_PUT_HIT, rows)
    db.execute("COMMIT")
    db.executescript(_FINISH)


def _talk_row(talk: Talk) -> tuple[object, ...]:
    return (
        talk.id,
        talk.title,
        talk.speaker,
        talk.channel,
        talk.date,
        talk.language,
        talk.url,
        None if talk.duration_ms is None else talk.duration_ms / 1000,
        talk.timing,
        talk.margin_ms / 1000,
        talk.origin,
        talk.format,
        talk.source,
        talk.youtube_id,
        talk.description,
        json.dumps(receipt_json(talk), ensure_ascii=False),
    )


def _cue_rows(talk: Talk, before: int) -> Iterator[tuple[object, ...]]:
    """Yield the rows of a talk's cues, numbered on from those of the talks before."""
    for number, cue in enumerate(talk.cues, before + 1):
        yield (
            number,
            talk.id,
            cue.start_ms / 1000,
            cue.end_ms / 1000,
            cue.speaker,
            cue.text,
            _opens(talk, cue.start_ms),
        )


def _hit_row(hit: Hit, query: str, before: int, cues: Sequence[Cue]) -> tuple[object, ...]:
    """Return the row of a hit, with the number of the cue in which it begins."""
    begun = bisect_right([cue.start_ms for cue in cues], hit.start_ms)
    language, text = (hit.beside.language, hit.beside.text) if hit.beside else (None, None)
    more = {"query": query, "cue_id": before + max(begun, 1) if cues else None}
    row = hit.to_dict() | more | {"beside_language": language, "beside_text": text}
    return tuple(row[key] for key in _HIT_KEYS)


def _opens(talk: Talk, start_ms: int) -> str | None:
    """Return the address that opens a talk at a moment; None where no recording is known."""
    return link_at(talk.url, jump_to(start_ms, talk.timing, talk.margin_ms) / 1000) or None
