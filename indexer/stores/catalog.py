"""The catalog: one SQLite file that holds talks, cues, passages and their words. It decides what is in the index.

This module opens it and reads what concerns all of it, `catalog_talks` reads talks, and `catalog_writer` changes it. A
talk is put, replaced or dropped in one transaction, so a reader sees all of it or nothing. Vectors arrive later and
elsewhere (`chroma`, `vectors`); `passages.embedded` says which passages have theirs.

Numbers of talks and passages are never used twice, so that whatever lies outside the catalog under an old number cannot
be taken for something new.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from talksearch.indexer import disk, layout
from talksearch.indexer.errors import BadIndexError, DamagedStoreError

from . import recipe, schema, seals, soundness

_DAMAGE = frozenset((sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB))
"""Codes of SQLite's errors that mean that a file is no catalog, or a damaged one."""

_NOTHING_WRITTEN = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
"""Codes of its errors where what it needs beside the catalog cannot be made."""

_OPENINGS = 5
"""How often the catalog is opened where another index takes its place each time."""


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


# ---------------------------------------------------------------------------------------------------------- opening


def open_catalog(folder: Path, *, write: bool = False, any_format: bool = False) -> sqlite3.Connection:
    """Open the catalog in an index folder; with `write` make it where there is none.

    `any_format` also opens one to read that this version can only build anew: its talks and PATHs are where they were.

    Raises BadIndexError when there is none to read, it is of another format, the file is damaged, or may not be read or
    written.
    """
    path = layout.CATALOG.within(folder)
    if not write and not path.exists():
        raise BadIndexError(f"There is no index in {folder}.", "Make one: talksearch index PATH")
    if path.exists() and not path.is_file():  # SQLite would wait at a pipe for ever
        raise BadIndexError(f"The catalog {path} is not a file.", "Move it away, and build the index again.")
    if not write and not any_format:
        recipe.check_format(folder)
    try:
        if not write:
            return _open_in_one_index(path)
        db = _connect(path, "mode=rwc")
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'talks'").fetchone():
                # All of it or nothing: a run may be ended here as well.
                db.executescript(f"BEGIN IMMEDIATE;{schema.new_catalog()};COMMIT;")
        except sqlite3.Error:
            db.close()
            raise
        return db
    except sqlite3.Error as error:
        if primary_code(error) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
            raise disk.refusal(path, error) or error from error
        damaged = means_damage(error)
        raise BadIndexError(
            f"The catalog {path} cannot be {'read' if damaged or not write else 'written'}: {error}.",
            "Build the index again: talksearch index PATH --rebuild"
            if damaged
            else "See who may read and write the index's folder, or copy it to where it can be written.",
        ) from error


def primary_code(error: sqlite3.Error) -> int:
    """Return the code of an error without the detail that SQLite adds in its higher bits."""
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)) & 0xFF


def means_damage(error: sqlite3.Error) -> bool:
    """Say whether an error means that a file is no catalog, or a damaged one, and not that it cannot be had now."""
    return primary_code(error) in _DAMAGE


def as_bad_index(error: sqlite3.Error) -> BadIndexError | None:
    """Return what a statement met in a catalog as what the user is told; None where it does not mean damage."""
    if not means_damage(error):
        return None
    return DamagedStoreError(f"The catalog of the index is damaged ({error}).", soundness.MEND)


def _open_in_one_index(path: Path) -> sqlite3.Connection:
    """Open the catalog for reading; again, where a rebuild put another index in its place meanwhile.

    SQLite opens the catalog, its log and the log's index one after the other, by their names. Of two indexes they do
    not fit each other, and it finds the catalog malformed, or empty where all of it was still in the log.
    """
    for _ in range(_OPENINGS):
        before = _file_of(path)
        try:
            db = _open_to_read(path)
        except (sqlite3.Error, BadIndexError):
            if _file_of(path) == before:
                raise
            continue
        if _file_of(path) == before:
            return db
        db.close()
    return _open_to_read(path)


def _file_of(path: Path) -> tuple[int, int]:
    """Return which file a name leads to now; that of none where it leads to none."""
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_dev, status.st_ino


def _open_to_read(path: Path) -> sqlite3.Connection:
    """Open the catalog for reading, also where nothing can be written beside it: on a share, a full disk.

    SQLite reads a catalog in WAL mode only with an index of its log beside it, which it makes where there is none, and
    which such a folder refuses. Without a log there is nothing to be indexed: then the catalog is opened as a file that
    nobody changes (sqlite.org/wal.html, "Read-Only Databases"). That it changes after all shows by that index.
    """
    try:
        return _readable(path, "mode=ro")
    except sqlite3.Error as error:
        log = layout.CATALOG_LOG.within(path.parent)
        if primary_code(error) not in _NOTHING_WRITTEN or (log.exists() and log.stat().st_size):
            raise
    return _readable(path, "mode=ro&immutable=1")


def _readable(path: Path, options: str) -> sqlite3.Connection:
    db = _connect(path, options)
    try:
        is_begun = db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
        if is_begun:
            db.execute("SELECT 1 FROM talks LIMIT 1")
    except sqlite3.Error:
        db.close()
        raise
    if not is_begun:  # a first run was ended before it had made a table
        db.close()
        raise BadIndexError(f"There is no finished index in {path.parent}.", "Make one: talksearch index PATH")
    return db


def _connect(path: Path, options: str) -> sqlite3.Connection:
    db = sqlite3.connect(f"{path.absolute().as_uri()}?{options}", uri=True, isolation_level=None, timeout=30)
    seals.register(db)
    return db


def flush(folder: Path) -> None:
    """Have on disk what was committed: SQLite waits for that only when it moves the log into the catalog.

    Whoever writes under the number of a passage elsewhere, and has that on disk at once, calls this first. Else a power
    cut might leave there what belongs to a number that the catalog has yet to give, and gives to another passage.
    """
    try:
        with layout.CATALOG_LOG.within(folder).open("rb+") as log:  # it has no locks, which closing it would free
            os.fsync(log.fileno())
    except FileNotFoundError:  # all of it is in the catalog
        pass


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Do all of it or nothing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # where the disk is full, SQLite has rolled back by itself
            db.execute("ROLLBACK")
        raise


@contextmanager
def snapshot(db: sqlite3.Connection) -> Iterator[None]:
    """Read one state of the catalog, whatever is written meanwhile."""
    db.execute("BEGIN")
    try:
        yield
    except BaseException:
        with suppress(sqlite3.Error):  # a damaged catalog, or an error of the disk, may have ended it
            db.execute("COMMIT")
        raise
    if db.in_transaction:
        db.execute("COMMIT")


@contextmanager
def open_snapshot(folder: Path) -> Iterator[sqlite3.Connection]:
    """Open the catalog in an index folder to read one state of it; the errors are those of `open_catalog`."""
    with closing(open_catalog(folder)) as db, snapshot(db):
        yield db


def placeholders(count: int) -> str:
    """Return the marks in a statement for `count` values: `?, ?, ?`."""
    return ", ".join("?" * count)


# ---------------------------------------------------------------------------------------------------------- reading


def version(db: sqlite3.Connection) -> tuple[int, int]:
    """Return what tells one state of the passages from another: how often they changed, and the highest number."""
    changes: int = db.execute("PRAGMA user_version").fetchone()[0]
    return changes, last_passage_number(db)


def last_passage_number(db: sqlite3.Connection) -> int:
    """Return the highest number that a passage ever had, 0 before the first."""
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'passages'").fetchone()
    (highest,) = db.execute("SELECT max(number) FROM passages").fetchone()  # where the sequence is damaged
    return max(int(row[0]) if row else 0, highest or 0)


def leaving(db: sqlite3.Connection) -> dict[int, str]:
    """Return the passages that left the index and may still be in the Chroma store: their ids by their numbers."""
    return dict(db.execute("SELECT number, id FROM leaving ORDER BY number"))


def roots(db: sqlite3.Connection) -> list[str]:
    """Return the PATHs that were indexed, as absolute paths."""
    return [path for (path,) in db.execute("SELECT path FROM roots ORDER BY path")]


def files(db: sqlite3.Connection) -> dict[str, FileRow]:
    """Return what is remembered of every file, by its path."""
    rows = db.execute("SELECT path, source, stamp, digest, identity, talk_id, note FROM files ORDER BY path")
    return {file.path: file for file in (FileRow(*row) for row in rows)}


def read_tokens(db: sqlite3.Connection, numbers: Sequence[int]) -> dict[int, bytes]:
    """Return the codes of the tokens of some passages, by passage number. A passage without codes is left out.

    Raises soundness.RowDamageError where a row does not hold.
    """
    rows = db.execute(
        f"SELECT number, codes, {seals.holds_sql('tokens')} FROM tokens"  # noqa: S608 - our own names
        " WHERE number IN (SELECT value FROM json_each(?))",
        (json.dumps(list(numbers)),),
    )
    return dict(soundness.sound(rows))


def has_embedded(db: sqlite3.Connection) -> bool:
    """Say whether any passage has a vector."""
    return db.execute("SELECT 1 FROM passages WHERE embedded LIMIT 1").fetchone() is not None


def counts(db: sqlite3.Connection) -> Counts:
    """Count what the index holds."""
    speech = "SELECT count(*), total(embedded != 0) FROM passages WHERE field = 'speech'"
    passages, embedded = db.execute(speech).fetchone()
    (talks,) = db.execute("SELECT count(*) FROM talks").fetchone()
    (cues,) = db.execute("SELECT count(*) FROM cues").fetchone()
    return Counts(talks, passages, int(embedded), cues, speech_ms(db))


def speech_ms(db: sqlite3.Connection) -> int:
    """Return until when somebody speaks in each talk, of all talks together."""
    (ms,) = db.execute("SELECT total(last) FROM (SELECT max(end_ms) AS last FROM passages GROUP BY talk)").fetchone()
    return int(ms)
