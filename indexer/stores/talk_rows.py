"""A talk as the rows of one catalog, to be put into any other: without numbers, which each catalog gives by itself.

What `catalog_writer.rows_of` makes of a talk that was read from its files, this makes of one that lies in a catalog.
Nothing is cut, counted or searched for again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Hashable
from dataclasses import dataclass, replace

from talksearch.indexer.passages.passage_id import passage_id
from talksearch.indexer.records import Mishearing, RareWord
from talksearch.indexer.text.terms import terms_joined

from . import catalog_names, catalog_writer, seals, soundness
from .catalog import FileRow
from .catalog_talks import TalkRow
from .catalog_writer import CueInsert, PassageInsert, TalkRows
from .tracks import read_tracks, terms_meanwhile

_TALK = ", ".join(TalkRow._fields)
_CUE = ", ".join(CueInsert._fields)
_PASSAGE = ", ".join(f"p.{column}" for column in PassageInsert._fields[:-2])
_FILE = "path, source, stamp, digest, identity, talk_id, note"


@dataclass(frozen=True, slots=True)
class CatalogTalk:
    """All that a catalog holds of a talk but its vectors and the codes of its tokens."""

    path: str
    """The file that it was read from."""
    rows: TalkRows
    mishearings: tuple[Mishearing, ...]
    rare_words: tuple[RareWord, ...]
    files: tuple[FileRow, ...]
    """What is remembered of its files: those that it was read from, its tracks, and copies of it."""


def read_rows(db: sqlite3.Connection, talk_number: int, *, words_hold: bool = True) -> CatalogTalk:
    """Return a talk as it lies in a catalog, its passages in the order of their numbers.

    Where the word index lacks a passage, its terms are made of its text again.

    Args:
        db: A catalog of the present format.
        talk_number: The number that the talk has there.
        words_hold: Whether its word index is as it was noted (`sums`); else all terms are made of the texts again.

    Raises:
        LookupError: The catalog has no such talk.
        DamagedStoreError: A row of it does not hold, or one is gone.
    """
    found = db.execute(f"SELECT path, {_TALK} FROM talks WHERE number = ?", (talk_number,)).fetchone()  # noqa: S608
    if found is None:
        raise LookupError(talk_number)
    path, *values = found
    talk = TalkRow(*values)
    soundness.check_talk(db, talk.id, seals.COUNTS.values())
    cues = db.execute(f"SELECT {_CUE} FROM cues WHERE talk = ? ORDER BY number", (talk_number,))  # noqa: S608
    return CatalogTalk(
        path,
        TalkRows(
            talk,
            [CueInsert(*row) for row in cues],
            _passages(db, talk_number, words_hold=words_hold),
            tuple(read_tracks(db, talk_number)),
        ),
        tuple(
            Mishearing(heard, meant, bool(strange))
            for heard, meant, strange in db.execute(
                "SELECT heard, meant, strange FROM heard WHERE talk = ? ORDER BY meant, heard", (talk_number,)
            )
        ),
        tuple(
            RareWord(sound, word, term, bool(strange))
            for sound, word, term, strange in db.execute(
                "SELECT sound, word, term, strange FROM odd WHERE talk = ? ORDER BY sound, word", (talk_number,)
            )
        ),
        tuple(
            FileRow(*row)
            for row in db.execute(
                f"SELECT {_FILE} FROM files WHERE talk_id = ? AND {seals.holds_sql('files')} ORDER BY path",  # noqa: S608
                (talk.id,),
            )
        ),
    )


def renamed(talk: CatalogTalk, talk_id: str) -> CatalogTalk:
    """Return a talk under another id, with the ids and seals that its passages and cues have then."""
    before = talk.rows.talk_id
    if talk_id == before:
        return talk
    return CatalogTalk(
        talk.path,
        TalkRows(
            talk.rows.talk._replace(id=talk_id),
            [cue._replace(seal=seals.seal(talk_id, *cue[:-1])) for cue in talk.rows.cues],
            [
                passage._replace(
                    id=passage_id(talk_id, passage.start_ms, passage.text, passage.field) + _repeat(passage)
                )
                for passage in talk.rows.passages
            ],
            talk.rows.tracks,
        ),
        talk.mishearings,
        talk.rare_words,
        tuple(replace(file, talk_id=talk_id) for file in talk.files),
    )


def _repeat(passage: PassageInsert) -> str:
    """Return what tells a passage from another one with the same words at the same time (`passages.split`)."""
    _, dot, number = passage.id.rpartition(":")[2].partition(".")
    return dot + number


def talk_states(db: sqlite3.Connection) -> dict[str, Hashable]:
    """Return what tells one state of each talk from another, in whichever catalog it lies, by its id.

    It is made of the talk's row and of sums of the seals of its other rows. Files and vectors are no part of it.
    """
    states: dict[int, list[Hashable]] = {}
    ids: dict[int, str] = {}
    columns = ", ".join(("path", *TalkRow._fields, *seals.COUNTS))
    for number, *values in db.execute(f"SELECT number, {columns} FROM talks"):  # noqa: S608 - our own names
        states[number], ids[number] = [tuple(values)], str(values[1])
    passage = ", ".join(f"CAST({column} AS BLOB)" for column in ("id", "end_ms", "first_cue", "last_cue", "speakers"))
    sums = dict.fromkeys(seals.COUNTS.values(), "seal") | {"passages": f"seal_of({passage})"}
    for table, column in sums.items():
        for talk, total in db.execute(f"SELECT talk, sum({column}) FROM {table} GROUP BY talk ORDER BY talk"):  # noqa: S608
            if talk in states:
                states[talk].append((table, total))
    return {ids[number]: tuple(state) for number, state in states.items()}


def put_stored(db: sqlite3.Connection, talk: CatalogTalk) -> bool:
    """Put a talk into a catalog, in the place of the one with its id, if any, and remember its files.

    Call it inside a `catalog.transaction`. Returns what `catalog_writer.put_terms` does.
    """
    catalog_writer.put_rows(db, talk.path, talk.rows)
    have_changed = catalog_writer.put_terms(db, talk.rows)
    catalog_names.put_names(db, talk.rows.talk_id, talk.mishearings, talk.rare_words)
    catalog_writer.put_files(db, talk.files)
    return have_changed


def _passages(db: sqlite3.Connection, talk_number: int, *, words_hold: bool) -> list[PassageInsert]:
    rows = db.execute(
        f"SELECT p.number, {_PASSAGE}, w.c0, w.c1 FROM passages p LEFT JOIN words_content w ON w.id = p.number"  # noqa: S608
        " WHERE p.talk = ? ORDER BY p.number",
        (talk_number,),
    ).fetchall()
    complete = words_hold and not any(None in row[-2:] for row in rows)
    meanwhile = {} if complete else terms_meanwhile(db, talk_number)
    passages = []
    for number, *values in rows:
        passage = PassageInsert(*values)
        if not complete:
            passage = passage._replace(terms=terms_joined(passage.text), track_terms=meanwhile[number])
        passages.append(passage)
    return passages
