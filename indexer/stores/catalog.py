"""The catalog: one SQLite file that holds talks, cues, passages and their words. It decides what is in the index.

A talk is put, replaced or dropped in one transaction, so a reader sees all of it or nothing. Vectors arrive later and
elsewhere (`store`, `vectors`); `passages.embedded` says which passages have theirs.

Numbers of talks and passages are never used twice, so that whatever lies outside the catalog under an old number cannot
be taken for something new.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from talksearch.indexer.errors import BadIndexError
from talksearch.indexer.records import Chapter, Cue, Passage, Receipt, Step, Talk, Word
from talksearch.indexer.text.terms import terms_joined

if TYPE_CHECKING:  # a search must not wait for the word lists
    from talksearch.indexer.records import Mishearing, RareWord

FILE_NAME = "catalog.sqlite3"

_SCHEMA = """
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
-- What each token of an embedded passage means (`tokens.encode`), where the encoder knows.
CREATE TABLE tokens (number INTEGER PRIMARY KEY, codes BLOB NOT NULL);
-- The terms of each passage under its number; `words.terms` made them, so the tokenizer only cuts at the spaces.
CREATE VIRTUAL TABLE words USING fts5(terms, tokenize="unicode61 remove_diacritics 0 categories 'L* N* M* Co'");
CREATE TABLE common (term TEXT PRIMARY KEY) WITHOUT ROWID;
-- Words of a talk that stand for a name they sound like; odd words of the archive by their sound (`misheard`).
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


@dataclass(frozen=True, slots=True)
class FileRow:
    """What the catalog remembers of a file."""

    path: str
    source: str
    stamp: str
    """Sizes and modification times of the file and what lies beside it."""
    digest: str
    """A hash of their contents."""
    identity: str | None
    talk_id: str | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Counts:
    """What an index holds."""

    talks: int
    passages: int
    embedded: int
    cues: int
    speech_ms: int


def open_catalog(folder: Path, *, write: bool = False) -> sqlite3.Connection:
    """Open the catalog in an index folder; with `write` make it where there is none.

    Raises BadIndexError when there is none to read, the file is damaged, or may not be read or written.
    """
    path = folder / FILE_NAME
    if not write and not path.exists():
        raise BadIndexError(f"There is no index in {folder}.", "Make one: talksearch index PATH")
    try:
        if not write:
            return _open_to_read(path)
        db = _connect(path, "mode=rwc")
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'talks'").fetchone():
                db.executescript(_SCHEMA)
        except sqlite3.Error:
            db.close()
            raise
        return db
    except sqlite3.Error as error:
        damaged = kind_of(error) in (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
        raise BadIndexError(
            f"The catalog {path} cannot be {'read' if damaged or not write else 'written'}: {error}.",
            "Build the index again: talksearch index PATH --rebuild"
            if damaged
            else "See who may read and write the index's folder, or copy it to where it can be written.",
        ) from error


def kind_of(error: sqlite3.Error) -> int:
    """Return what kind of error it is: the rest of SQLite's number is detail."""
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)) & 0xFF


def _open_to_read(path: Path) -> sqlite3.Connection:
    """Open the catalog for reading, also where nothing can be written beside it: on a share, in a snapshot.

    SQLite reads a catalog in WAL mode only with an index of its log beside it, which it makes where there is none, and
    which a folder that cannot be written refuses. Without a log there is nothing to be indexed: then the catalog is
    opened as a file that nobody changes (sqlite.org/wal.html, "Read-Only Databases").
    """
    try:
        return _readable(_connect(path, "mode=ro"))
    except sqlite3.Error as error:
        log = path.with_name(f"{path.name}-wal")
        refused = kind_of(error) in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
        if not refused or (log.exists() and log.stat().st_size):
            raise
    return _readable(_connect(path, "mode=ro&immutable=1"))


def _readable(db: sqlite3.Connection) -> sqlite3.Connection:
    try:
        db.execute("SELECT 1 FROM talks LIMIT 1")
    except sqlite3.Error:
        db.close()
        raise
    return db


def _connect(path: Path, options: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?{options}", uri=True, isolation_level=None, timeout=30)


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Do all of it or nothing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


@contextmanager
def snapshot(db: sqlite3.Connection) -> Iterator[None]:
    """Read one state of the catalog, whatever is written meanwhile."""
    db.execute("BEGIN")
    try:
        yield
    finally:
        db.execute("COMMIT")


# ---------------------------------------------------------------------------------------------------------- writing


@dataclass(frozen=True, slots=True)
class TalkRows:
    """A talk as the rows that `put_rows` writes: made where the talk was read, so that the one writer only writes."""

    talk_id: str
    values: dict[str, object]
    """Columns of `talks`, all but the path."""
    cues: list[tuple[object, ...]]
    """Columns of `cues`, all but the talk."""
    passages: list[tuple[object, ...]]
    """(id, start_ms, end_ms, first_cue, last_cue, text, speakers, digest, field, terms)."""


def rows_of(talk: Talk, passages: Sequence[Passage]) -> TalkRows:
    """Turn a talk and its passages into rows."""
    return TalkRows(
        talk.id,
        _talk_row(talk),
        [
            (at, cue.start_ms, cue.end_ms, cue.text, cue.speaker, cue.turn, _words_json(cue))
            for at, cue in enumerate(talk.cues)
        ],
        [
            (
                one.id, one.start_ms, one.end_ms, one.first_cue, one.last_cue, one.text,
                _encode(one.speakers), text_digest(one.text), one.field,
                terms_joined(one.text),
            )
            for one in passages
        ],
    )  # fmt: skip


def put_talk(db: sqlite3.Connection, path: str, talk: Talk, passages: Sequence[Passage]) -> dict[str, int]:
    """Put a talk in the place of the one with its id: `put_rows` of its `rows_of`."""
    return put_rows(db, path, rows_of(talk, passages))


def put_rows(db: sqlite3.Connection, path: str, rows: TalkRows) -> dict[str, int]:
    """Put a talk in the place of the one with its id, if any; call inside a transaction.

    A passage that was there before, word for word at the same time, keeps its number and its vector. Returns the ids
    and numbers of the passages that are gone.
    """
    old = db.execute("SELECT number FROM talks WHERE id = ?", (rows.talk_id,)).fetchone()
    row = {"path": path, **rows.values}
    columns = ", ".join(row)
    if old:
        number = int(old[0])
        marks = ", ".join(f"{column} = ?" for column in row)
        db.execute(f"UPDATE talks SET {marks} WHERE number = ?", (*row.values(), number))  # noqa: S608 - our own names
        db.execute("DELETE FROM cues WHERE talk = ?", (number,))
    else:
        marks = ", ".join("?" * len(row))
        cursor = db.execute(f"INSERT INTO talks ({columns}) VALUES ({marks})", tuple(row.values()))  # noqa: S608
        number = int(cursor.lastrowid or 0)
    db.executemany("INSERT INTO cues VALUES (?, ?, ?, ?, ?, ?, ?, ?)", ((number, *cue) for cue in rows.cues))
    had = dict(db.execute("SELECT id, number FROM passages WHERE talk = ?", (number,))) if old else {}
    gone = {id_: had[id_] for id_ in had.keys() - {passage[0] for passage in rows.passages}}
    _delete_passages(db, list(gone.values()))
    mark_changed(db)
    db.executemany(
        # Its vector is known, but what the store says of it may have changed: it is put there again.
        "UPDATE passages SET end_ms = ?, first_cue = ?, last_cue = ?, speakers = ?, embedded = 0 WHERE number = ?",
        ((*(one[at] for at in (2, 3, 4, 6)), had[one[0]]) for one in rows.passages if one[0] in had),
    )
    # AUTOINCREMENT, by hand, so that passages and their words are two statements and not two a passage.
    last = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'passages'").fetchone()
    new = list(enumerate((one for one in rows.passages if one[0] not in had), (last[0] if last else 0) + 1))
    db.executemany(
        "INSERT INTO passages"
        " (number, id, talk, start_ms, end_ms, first_cue, last_cue, text, speakers, digest, field)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        ((at, one[0], number, *one[1:-1]) for at, one in new),
    )
    db.executemany("INSERT INTO words (rowid, terms) VALUES (?, ?)", ((at, one[-1]) for at, one in new))
    return gone


def put_names(db: sqlite3.Connection, talk_id: str, heard: Iterable[Mishearing], odd: Iterable[RareWord]) -> None:
    """Remember the misheard names and the odd words of a talk; call inside a transaction."""
    number = db.execute("SELECT number FROM talks WHERE id = ?", (talk_id,)).fetchone()[0]
    _forget_names(db, number)
    db.executemany(
        "INSERT OR IGNORE INTO heard VALUES (?, ?, ?, ?)",
        ((number, name.heard, name.meant, name.strange) for name in heard),
    )
    db.executemany(
        "INSERT INTO odd VALUES (?, ?, ?, ?, ?)", ((number, one.sound, one.word, one.term, one.strange) for one in odd)
    )


def _forget_names(db: sqlite3.Connection, number: int) -> None:
    db.execute("DELETE FROM heard WHERE talk = ?", (number,))
    db.execute("DELETE FROM odd WHERE talk = ?", (number,))


def drop_talk(db: sqlite3.Connection, talk_id: str) -> dict[str, int]:
    """Take a talk out; call inside a transaction. Returns the ids and numbers of its passages."""
    row = db.execute("SELECT number FROM talks WHERE id = ?", (talk_id,)).fetchone()
    if row is None:
        return {}
    had = dict(db.execute("SELECT id, number FROM passages WHERE talk = ?", row))
    _delete_passages(db, list(had.values()))
    db.execute("DELETE FROM cues WHERE talk = ?", row)
    _forget_names(db, row[0])
    db.execute("DELETE FROM talks WHERE number = ?", row)
    mark_changed(db)
    return had


def put_files(db: sqlite3.Connection, rows: Iterable[FileRow]) -> None:
    """Remember files, in the place of what was remembered under the same path."""
    db.executemany(
        "INSERT OR REPLACE INTO files (path, source, stamp, digest, identity, talk_id, note)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        ((row.path, row.source, row.stamp, row.digest, row.identity, row.talk_id, row.note) for row in rows),
    )


def forget_files(db: sqlite3.Connection, paths: Iterable[str]) -> None:
    """Forget files that are gone."""
    db.executemany("DELETE FROM files WHERE path = ?", ((path,) for path in paths))


def put_embedded(db: sqlite3.Connection, numbers: Sequence[int], codes: Sequence[bytes | None]) -> None:
    """Note that passages have their vectors, and what their tokens mean, where that is known.

    Call inside a transaction.
    """
    db.executemany("UPDATE passages SET embedded = 1 WHERE number = ?", ((number,) for number in numbers))
    known = ((number, meant) for number, meant in zip(numbers, codes, strict=True) if meant is not None)
    db.executemany("INSERT OR REPLACE INTO tokens VALUES (?, ?)", known)


def update_stop_terms(db: sqlite3.Connection, share: float = 0.1) -> None:
    """Note the terms that stand in more than `share` of the passages.

    A query of several terms leaves them out: they find nearly everything and tell nothing, in whatever language.
    """
    passages = db.execute("SELECT count(*) FROM passages").fetchone()[0]
    with transaction(db):
        db.execute("DELETE FROM common")
        db.execute("CREATE VIRTUAL TABLE IF NOT EXISTS temp.vocabulary USING fts5vocab(main, words, row)")
        db.execute("INSERT INTO common SELECT term FROM vocabulary WHERE doc > ?", (max(share * passages, 20),))


def text_digest(text: str) -> bytes:
    """Return a short hash that stands for a passage's text, to find a vector made for the same words before."""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def has_embedded(db: sqlite3.Connection) -> bool:
    """Say whether any passage has a vector."""
    return db.execute("SELECT 1 FROM passages WHERE embedded LIMIT 1").fetchone() is not None


def mark_changed(db: sqlite3.Connection) -> None:
    """Note that passages or their words changed, so that what was derived from them is known to be old."""
    before = db.execute("PRAGMA user_version").fetchone()[0]
    db.execute(f"PRAGMA user_version = {(before + 1) % 2**31}")


# ---------------------------------------------------------------------------------------------------------- reading


def version(db: sqlite3.Connection) -> tuple[int, int]:
    """Return what tells one state of the passages from another: how often they changed, and the highest number."""
    last = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'passages'").fetchone()
    return db.execute("PRAGMA user_version").fetchone()[0], last[0] if last else 0


def roots(db: sqlite3.Connection) -> list[str]:
    """Return the PATHs that were indexed, as absolute paths."""
    return [row[0] for row in db.execute("SELECT path FROM roots ORDER BY path")]


def files(db: sqlite3.Connection) -> dict[str, FileRow]:
    """Return what is remembered of every file, by its path."""
    rows = db.execute("SELECT path, source, stamp, digest, identity, talk_id, note FROM files ORDER BY path")
    return {row[0]: FileRow(*row) for row in rows}


def talk_paths(db: sqlite3.Connection) -> dict[str, str]:
    """Return the path of the transcript behind each talk, by talk id."""
    return dict(db.execute("SELECT id, path FROM talks"))


def read_talk(db: sqlite3.Connection, talk_id: str, *, cues: bool = True) -> Talk | None:
    """Return a talk as it was put, without its cues where they are not needed."""
    row = db.execute(f"SELECT number, {', '.join(_TALK_COLUMNS)} FROM talks WHERE id = ?", (talk_id,)).fetchone()  # noqa: S608
    return _talk(db, row, cues=cues) if row else None


def read_talks(db: sqlite3.Connection) -> Iterator[Talk]:
    """Yield every talk without its cues, by title."""
    rows = db.execute(f"SELECT number, {', '.join(_TALK_COLUMNS)} FROM talks ORDER BY title, id").fetchall()  # noqa: S608
    return (_talk(db, row, cues=False) for row in rows)


def talk_sizes(db: sqlite3.Connection) -> dict[str, tuple[int, int]]:
    """Return (how many passages, when the last one ends in milliseconds) of each talk, by talk id."""
    rows = db.execute(
        "SELECT t.id, count(*), max(p.end_ms) FROM passages p JOIN talks t ON t.number = p.talk"
        " WHERE p.field = 'speech' GROUP BY t.id"
    )
    return {id_: (count, end_ms) for id_, count, end_ms in rows}


def read_cues(db: sqlite3.Connection, talk_id: str, first: int = 0, last: int | None = None) -> tuple[Cue, ...]:
    """Return the cues of a talk from `first` to `last`, both included."""
    rows = db.execute(
        "SELECT start_ms, end_ms, text, speaker, turn, words FROM cues"
        " WHERE talk = (SELECT number FROM talks WHERE id = ?) AND number BETWEEN ? AND ? ORDER BY number",
        (talk_id, first, 2**62 if last is None else last),
    )
    return tuple(
        Cue(start, end, text, speaker, bool(turn), tuple(Word(*word) for word in json.loads(words)) if words else ())
        for start, end, text, speaker, turn, words in rows
    )


def read_tokens(db: sqlite3.Connection, numbers: Sequence[int]) -> dict[int, bytes]:
    """Return what the tokens of some passages mean, by passage number; those of which it is not known are left out."""
    wanted = json.dumps(list(numbers))
    return dict(
        db.execute("SELECT number, codes FROM tokens WHERE number IN (SELECT value FROM json_each(?))", (wanted,))
    )


def counts(db: sqlite3.Connection) -> Counts:
    """Count what the index holds."""
    passages, embedded = db.execute("SELECT count(*), total(embedded) FROM passages WHERE field = 'speech'").fetchone()
    talks, cues = (db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("talks", "cues"))  # noqa: S608
    speech = db.execute("SELECT total(last) FROM (SELECT max(end_ms) AS last FROM passages GROUP BY talk)").fetchone()[
        0
    ]
    return Counts(talks, passages, int(embedded), cues, int(speech))


_TALK_COLUMNS = (
    "id", "source", "title", "format", "timing", "margin_ms", "origin", "youtube_id", "url", "channel", "speaker",
    "language", "date", "duration_ms", "description", "chapters", "receipt",
)  # fmt: skip


# `json.dumps` would make an encoder for every passage and every cue.
_encode = json.JSONEncoder(ensure_ascii=False).encode


def _talk_row(talk: Talk) -> dict[str, object]:
    row: dict[str, object] = {name: getattr(talk, name) for name in _TALK_COLUMNS}
    row["chapters"] = _encode([[chapter.start_ms, chapter.title] for chapter in talk.chapters])
    row["receipt"] = _encode(asdict(talk.receipt))
    return row


def _talk(db: sqlite3.Connection, row: Sequence[object], *, cues: bool) -> Talk:
    values = dict(zip(_TALK_COLUMNS, row[1:], strict=True))
    receipt = json.loads(str(values.pop("receipt")))
    chapters = json.loads(str(values.pop("chapters")))
    return Talk(
        **values,  # type: ignore[arg-type]  # the columns are the fields
        cues=read_cues(db, str(values["id"])) if cues else (),
        chapters=tuple(Chapter(start_ms, title) for start_ms, title in chapters),
        receipt=Receipt(
            receipt["words_before"],
            receipt["words_after"],
            tuple(Step(**step) for step in receipt["steps"]),
            tuple(receipt["uncertain"]),
        ),
    )


def _words_json(cue: Cue) -> str | None:
    return _encode([[word.text, word.start_ms] for word in cue.words]) if cue.words else None


def _delete_passages(db: sqlite3.Connection, numbers: Sequence[int]) -> None:
    db.executemany("DELETE FROM words WHERE rowid = ?", ((number,) for number in numbers))
    db.executemany("DELETE FROM passages WHERE number = ?", ((number,) for number in numbers))
    db.executemany("DELETE FROM tokens WHERE number = ?", ((number,) for number in numbers))
