"""The tables of the catalog, in SQL."""

from __future__ import annotations

import secrets
import sqlite3
from contextlib import closing

from . import seals

TABLES = """
CREATE TABLE roots (path TEXT PRIMARY KEY) WITHOUT ROWID;
-- Every file that was looked at, whether it became a talk or not.
CREATE TABLE files (
    path TEXT PRIMARY KEY, source TEXT NOT NULL, stamp TEXT NOT NULL, digest TEXT NOT NULL,
    identity TEXT,  -- JSON; NULL for what is no transcript
    talk_id TEXT,   -- the talk it gave, or the talk it is another copy of
    note TEXT NOT NULL DEFAULT ''  -- why it gave no talk
) WITHOUT ROWID;
CREATE TABLE talks (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, path TEXT NOT NULL, source TEXT NOT NULL,
    title TEXT NOT NULL, format TEXT NOT NULL, timing TEXT NOT NULL, margin_ms INTEGER NOT NULL, origin TEXT NOT NULL,
    youtube_id TEXT, url TEXT, channel TEXT, speaker TEXT, language TEXT, date TEXT, duration_ms INTEGER,
    description TEXT NOT NULL, chapters TEXT NOT NULL, receipt TEXT NOT NULL
);
CREATE TABLE cues (
    talk INTEGER NOT NULL, number INTEGER NOT NULL, start_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL,
    text TEXT NOT NULL, speaker TEXT, turn INTEGER NOT NULL, words TEXT, PRIMARY KEY (talk, number)
) WITHOUT ROWID;
-- What is said in other languages (`records.Track`), by the talk's clock.
CREATE TABLE tracks (
    talk INTEGER NOT NULL, number INTEGER NOT NULL, language TEXT NOT NULL, origin TEXT NOT NULL, source TEXT NOT NULL,
    PRIMARY KEY (talk, number)
) WITHOUT ROWID;
CREATE TABLE track_cues (
    talk INTEGER NOT NULL, track INTEGER NOT NULL, number INTEGER NOT NULL, start_ms INTEGER NOT NULL,
    end_ms INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (talk, track, number)
) WITHOUT ROWID;
CREATE TABLE passages (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, talk INTEGER NOT NULL, start_ms INTEGER NOT NULL,
    end_ms INTEGER NOT NULL, first_cue INTEGER NOT NULL, last_cue INTEGER NOT NULL, text TEXT NOT NULL,
    speakers TEXT NOT NULL, digest BLOB NOT NULL, embedded INTEGER NOT NULL DEFAULT 0,
    field TEXT NOT NULL DEFAULT 'speech'
);
CREATE INDEX passages_of_talk ON passages (talk);
CREATE INDEX passages_of_notes ON passages (number) WHERE field != 'speech';
CREATE INDEX passages_pending ON passages (number) WHERE NOT embedded;
CREATE INDEX passages_digest ON passages (digest);
-- The codes of the tokens of an embedded passage (`encoders.token_codes`), where its encoder gives tokens vectors.
CREATE TABLE tokens (number INTEGER PRIMARY KEY, codes BLOB NOT NULL);
-- The terms of each passage under its number, and those of what its talk's tracks say meanwhile; `text.terms` made
-- them, so the tokenizer only cuts at the spaces.
CREATE VIRTUAL TABLE words USING fts5(
    terms, track_terms, tokenize="unicode61 remove_diacritics 0 categories 'L* N* M* Co'"
);
CREATE TABLE common (term TEXT PRIMARY KEY) WITHOUT ROWID;
-- Words of a talk that stand for a name they sound like; its rare words by their sound (`passages.misheard`).
CREATE TABLE heard (
    talk INTEGER NOT NULL, heard TEXT NOT NULL, meant TEXT NOT NULL, strange INTEGER NOT NULL,
    PRIMARY KEY (meant, talk, heard)
) WITHOUT ROWID;
CREATE INDEX heard_strange ON heard (heard) WHERE strange;
CREATE INDEX heard_of_talk ON heard (talk);
CREATE TABLE odd (
    talk INTEGER NOT NULL, sound TEXT NOT NULL, word TEXT NOT NULL, term TEXT NOT NULL, strange INTEGER NOT NULL,
    PRIMARY KEY (sound, word, talk)
) WITHOUT ROWID;
CREATE INDEX odd_of_talk ON odd (talk);
"""

SUMS = (
    "CREATE TABLE IF NOT EXISTS sums (name TEXT PRIMARY KEY, changes INTEGER NOT NULL, sum INTEGER NOT NULL)"
    " WITHOUT ROWID"
)
"""Makes the table of `sums`: what some tables hold altogether, after how many changes."""

NEW_IN_THIS_FORMAT = (
    # Passages that are no longer in the index, until the Chroma store knows it.
    "CREATE TABLE leaving (number INTEGER PRIMARY KEY, id TEXT NOT NULL)",
    # What of the catalog is made of its passages, and after how many of their changes (`PRAGMA user_version`).
    "CREATE TABLE derived (name TEXT PRIMARY KEY, changes INTEGER NOT NULL) WITHOUT ROWID",
    SUMS,
    # `recipe.json` once more, to mend it by.
    "CREATE TABLE recipe (text TEXT PRIMARY KEY) WITHOUT ROWID",
    # How many rows of other tables belong to a talk, so that it is noticed where one is gone.
    *(f"ALTER TABLE talks ADD COLUMN {count} INTEGER NOT NULL DEFAULT 0" for count in seals.COUNTS),
    *(f"ALTER TABLE {table} ADD COLUMN seal INTEGER NOT NULL DEFAULT 0" for table in seals.SEALED),
)
"""Statements that make a catalog of the format before one of the present format; a new catalog is made by them too."""


def new_catalog() -> str:
    """Return the statements that make a catalog, with a number by which it is told from others (`state.identity`)."""
    return f"{TABLES}{';'.join(NEW_IN_THIS_FORMAT)};PRAGMA application_id = {secrets.randbits(30) + 1}"


def statements() -> dict[str, str]:
    """Return the statements that make the tables and indexes of a catalog, by their names, in order.

    The tables in which SQLite keeps the word index are among them: they are made with it, and can be missing alone.
    """
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript(f"{TABLES}{';'.join(NEW_IN_THIS_FORMAT)};")
        return dict(db.execute("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite%' ORDER BY rowid"))
