"""Writing the catalog: talks with their cues, passages and words, and what is remembered of files.

A talk is turned into rows (`rows_of`) where it was read, which may be in another process, so that the one process that
writes only writes. Call all of it inside a `catalog.transaction`.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import NamedTuple

from talksearch.indexer.records import Cue, Field, Passage, Talk, Track
from talksearch.indexer.text.terms import terms_joined

from .catalog import FileRow, files, last_passage_number, placeholders
from .catalog_names import delete_names
from .catalog_talks import TalkRow, talk_number
from .seals import SEALED, holds_sql, seal, seal_sql, seal_talk
from .tracks import drop_tracks, put_tracks

_PASSAGE = SEALED["passages"][2:]
"""The columns of a passage behind its talk and its number: the first fields of `PassageInsert`."""

_encode = json.JSONEncoder(ensure_ascii=False).encode
"""Turns a value into JSON. `json.dumps` would make an encoder for every passage and every cue."""


class CueInsert(NamedTuple):
    """A row of `cues` without its talk."""

    number: int
    """Counted from 0 in the talk."""
    start_ms: int
    end_ms: int
    text: str
    speaker: str | None
    turn: bool
    words: str | None
    """JSON: [word, milliseconds] of each; None where single words have no times."""
    seal: int
    """Of these values and the talk's id (`seals`)."""


class PassageInsert(NamedTuple):
    """A row of `passages` without its number and its talk, and the row of `words` that belongs to it."""

    id: str
    start_ms: int
    end_ms: int
    first_cue: int
    last_cue: int
    text: str
    speakers: str
    """JSON: names."""
    digest: bytes
    """`text_digest` of the text."""
    field: Field
    terms: str
    """The terms of the text with spaces between, for the word index."""
    track_terms: str
    """Those of what the talk's further tracks say meanwhile."""


@dataclass(frozen=True, slots=True)
class TalkRows:
    """A talk as the rows that `put_rows` writes."""

    talk: TalkRow
    cues: list[CueInsert]
    passages: list[PassageInsert]
    tracks: tuple[Track, ...] = ()

    @property
    def talk_id(self) -> str:
        """The id of the talk."""
        return self.talk.id


def rows_of(
    talk: Talk, passages: Sequence[Passage], tracks: Sequence[Track] = (), meanwhile: Sequence[str] = ()
) -> TalkRows:
    """Turn a talk and its passages into rows.

    Args:
        talk: the talk.
        passages: its passages and notes.
        tracks: its further tracks.
        meanwhile: what these say while each of the passages is said (`passages.track_words`); empty without tracks.
    """
    return TalkRows(
        _talk_row(talk),
        [_cue_row(talk.id, number, cue) for number, cue in enumerate(talk.cues)],
        [
            PassageInsert(
                id=passage.id,
                start_ms=passage.start_ms,
                end_ms=passage.end_ms,
                first_cue=passage.first_cue,
                last_cue=passage.last_cue,
                text=passage.text,
                speakers=_encode(passage.speakers),
                digest=text_digest(passage.text),
                field=passage.field,
                terms=terms_joined(passage.text),
                track_terms=terms_joined(said) if said else "",
            )
            for passage, said in zip(passages, meanwhile or [""] * len(passages), strict=True)
        ],
        tuple(tracks),
    )


def put_rows(db: sqlite3.Connection, path: str, rows: TalkRows) -> None:
    """Put a talk in the place of the one with its id, if any.

    A passage that was there before, word for word at the same time, keeps its number and its vector, also where damage
    had made it another talk's. Passages that are gone are noted as leaving: see `catalog.leaving`.
    """
    talk = talk_number(db, rows.talk.id)
    numbers = _numbers_of_ids(db, [passage.id for passage in rows.passages])
    if talk is None:
        talk = _insert_talk(db, path, rows.talk)
    else:
        _update_talk(db, talk, path, rows.talk)
        numbers |= _passage_numbers(db, talk)
    db.execute("DELETE FROM cues WHERE talk = ?", (talk,))  # damage may have left some to a new talk as well
    db.executemany("INSERT INTO cues VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", ((talk, *cue) for cue in rows.cues))
    gone = numbers.keys() - {passage.id for passage in rows.passages}
    _delete_passages(db, [numbers[passage_id] for passage_id in gone])
    mark_changed(db)
    kept = [(numbers[passage.id], passage) for passage in rows.passages if passage.id in numbers]
    _update_passages(db, talk, rows.talk_id, kept)
    _insert_passages(db, talk, rows.talk_id, [passage for passage in rows.passages if passage.id not in numbers])
    put_tracks(db, talk, rows.tracks)
    seal_talk(db, talk)


def put_terms(db: sqlite3.Connection, rows: TalkRows) -> bool:
    """Write anew what the word index holds of the passages that `put_rows` kept, where that is no longer so.

    The tracks of a talk may say other things beside a passage whose text stays. Returns whether that changed for any of
    them: then the columns, which take the words of a passage for final, must not be made from those that are there.
    """
    held = {
        passage_id: (number, in_index, terms, track_terms)
        for passage_id, number, in_index, terms, track_terms in db.execute(
            "SELECT p.id, p.number, w.id, w.c0, w.c1 FROM passages p LEFT JOIN words_content w ON w.id = p.number"
            " WHERE p.talk = (SELECT number FROM talks WHERE id = ?)",
            (rows.talk.id,),
        )
    }
    changed = [
        (number, passage.terms, passage.track_terms)
        for passage in rows.passages
        for number, *in_index in (held[passage.id],)
        if in_index != [number, passage.terms, passage.track_terms]
    ]
    db.executemany("DELETE FROM words WHERE rowid = ?", ((number,) for number, *_ in changed))
    db.executemany("INSERT INTO words (rowid, terms, track_terms) VALUES (?, ?, ?)", changed)
    return bool(changed)


def drop_passages(db: sqlite3.Connection, numbers: Sequence[int]) -> None:
    """Take passages out, with their words and tokens, and note them as leaving."""
    _delete_passages(db, numbers)
    mark_changed(db)


def drop_talk(db: sqlite3.Connection, talk_id: str) -> None:
    """Take a talk out, and note its passages as leaving. Where there is no such talk, nothing is done."""
    talk = talk_number(db, talk_id)
    if talk is None:
        return
    _delete_passages(db, list(_passage_numbers(db, talk).values()))
    db.execute("DELETE FROM cues WHERE talk = ?", (talk,))
    drop_tracks(db, talk)
    delete_names(db, talk)
    db.execute("DELETE FROM talks WHERE number = ?", (talk,))
    mark_changed(db)


def put_files(db: sqlite3.Connection, rows: Iterable[FileRow]) -> None:
    """Remember files, in the place of what was remembered under the same path."""
    values = ((row.path, row.source, row.stamp, row.digest, row.identity, row.talk_id, row.note) for row in rows)
    db.executemany(
        "INSERT OR REPLACE INTO files (path, source, stamp, digest, identity, talk_id, note, seal)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        ((*row, seal(*row)) for row in values),
    )


def put_roots(db: sqlite3.Connection, paths: Iterable[str]) -> None:
    """Remember PATHs that were indexed; one that is remembered already does no harm."""
    db.executemany("INSERT OR REPLACE INTO roots (path, seal) VALUES (?, ?)", ((path, seal(path)) for path in paths))


def read_again(db: sqlite3.Connection, talk_id: str, *, keep: bool) -> None:
    """Let the next indexing run read the files of a talk again, whether they changed or not.

    Args:
        db: The catalog.
        talk_id: The talk.
        keep: Whether they still belong to this talk, until then.
    """
    rows = [row for row in files(db).values() if row.talk_id == talk_id]
    emptied = {"digest": ""} if keep else {"talk_id": None, "note": ""}
    put_files(db, [replace(row, stamp="", **emptied) for row in rows])


def forget_files(db: sqlite3.Connection, paths: Iterable[str]) -> None:
    """Forget files that are gone."""
    db.executemany("DELETE FROM files WHERE path = ?", ((path,) for path in paths))


def put_embedded(db: sqlite3.Connection, numbers: Sequence[int], codes: Sequence[bytes | None]) -> None:
    """Note that passages have their vectors, and the codes of their tokens, None where there are none."""
    db.executemany("UPDATE passages SET embedded = 1 WHERE number = ?", ((number,) for number in numbers))
    known = ((number, code) for number, code in zip(numbers, codes, strict=True) if code is not None)
    db.executemany(
        "INSERT OR REPLACE INTO tokens VALUES (?, ?, ?)", ((number, code, seal(number, code)) for number, code in known)
    )


def put_unembedded(db: sqlite3.Connection, numbers: Iterable[int]) -> None:
    """Note that passages have no vectors, so that the next indexing run embeds them."""
    db.executemany("UPDATE passages SET embedded = 0 WHERE number = ?", ((number,) for number in numbers))


def renumber(db: sqlite3.Connection, numbers: Iterable[int]) -> None:
    """Give passages new numbers, and no vectors: whatever lies under the old ones outside the catalog is not theirs.

    Their vectors in the stores are wrong. As soon as this is committed, nobody can take those for right.
    """
    for new, old in enumerate(numbers, last_passage_number(db) + 1):
        db.execute("INSERT OR REPLACE INTO leaving SELECT number, id FROM passages WHERE number = ?", (old,))
        db.execute(
            "INSERT INTO words (rowid, terms, track_terms) SELECT ?, c0, c1 FROM words_content WHERE id = ?", (new, old)
        )
        db.execute("DELETE FROM words WHERE rowid = ?", (old,))
        db.execute("DELETE FROM tokens WHERE number = ?", (old,))
        (holds,) = db.execute(f"SELECT {holds_sql('passages')} FROM passages WHERE number = ?", (old,)).fetchone()  # noqa: S608
        db.execute("UPDATE passages SET number = ?, embedded = 0, seal = 0 WHERE number = ?", (new, old))
        if holds:  # else it is still to be read again
            db.execute(f"UPDATE passages SET seal = {seal_sql('passages')} WHERE number = ?", (new,))  # noqa: S608
        db.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'passages'", (new,))
    mark_changed(db)


def put_all_unembedded(db: sqlite3.Connection) -> None:
    """Note that no passage has its vector in the Chroma store."""
    db.execute("UPDATE passages SET embedded = 0 WHERE embedded")


def forget_leaving(db: sqlite3.Connection) -> None:
    """Note that the Chroma store holds no passage any more that left the index.

    It is to be noted before, or together with, the first new passage that is put there: that may have the id of one
    that left, and must not be taken out again.
    """
    db.execute("DELETE FROM leaving")


def text_digest(text: str) -> bytes:
    """Return a short hash that stands for a passage's text, to find a vector made for the same words before."""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def mark_changed(db: sqlite3.Connection) -> None:
    """Note that passages or their words changed, so that what was derived from them is known to be old."""
    (changes,) = db.execute("PRAGMA user_version").fetchone()
    db.execute(f"PRAGMA user_version = {(changes + 1) % 2**31}")


def _numbers_of_ids(db: sqlite3.Connection, ids: Sequence[str]) -> dict[str, int]:
    """Return the number of each passage that is there, by its id."""
    wanted = json.dumps(list(ids))
    return dict(db.execute("SELECT id, number FROM passages WHERE id IN (SELECT value FROM json_each(?))", (wanted,)))


def _passage_numbers(db: sqlite3.Connection, talk: int) -> dict[str, int]:
    """Return the number of each passage of a talk by its id."""
    return dict(db.execute("SELECT id, number FROM passages WHERE talk = ?", (talk,)))


def _insert_talk(db: sqlite3.Connection, path: str, row: TalkRow) -> int:
    columns = ("path", *TalkRow._fields)
    cursor = db.execute(
        f"INSERT INTO talks ({', '.join(columns)}) VALUES ({placeholders(len(columns))})",  # noqa: S608 - our own names
        (path, *row),
    )
    return int(cursor.lastrowid or 0)


def _update_talk(db: sqlite3.Connection, talk: int, path: str, row: TalkRow) -> None:
    columns = ("path", *TalkRow._fields)
    db.execute(
        f"UPDATE talks SET {', '.join(f'{column} = ?' for column in columns)} WHERE number = ?",  # noqa: S608
        (path, *row, talk),
    )


def _update_passages(
    db: sqlite3.Connection, talk: int, talk_id: str, passages: Iterable[tuple[int, PassageInsert]]
) -> None:
    """Write anew the passages whose id, and so whose text, stays; given with their numbers."""
    columns = ("number", "talk", *_PASSAGE, "embedded", "seal")
    # Its vector is known, but the metadata in Chroma may have changed: it is put there again.
    db.executemany(
        f"UPDATE passages SET {', '.join(f'{column} = ?{at}' for at, column in enumerate(columns, 1))}"  # noqa: S608
        " WHERE number = ?1",
        (
            (number, talk, *row[: len(_PASSAGE)], 0, seal(talk_id, number, *row[: len(_PASSAGE)]))
            for number, row in passages
        ),
    )


def _insert_passages(db: sqlite3.Connection, talk: int, talk_id: str, passages: Sequence[PassageInsert]) -> None:
    # What AUTOINCREMENT would do is done here, so that passages and words are one statement each and not one a passage.
    numbered = list(enumerate(passages, last_passage_number(db) + 1))
    columns = ("number", "talk", *_PASSAGE, "seal")
    db.executemany(
        f"INSERT INTO passages ({', '.join(columns)}) VALUES ({placeholders(len(columns))})",  # noqa: S608 - our own names
        (
            (number, talk, *row[: len(_PASSAGE)], seal(talk_id, number, *row[: len(_PASSAGE)]))
            for number, row in numbered
        ),
    )
    db.executemany(
        "INSERT INTO words (rowid, terms, track_terms) VALUES (?, ?, ?)",
        ((number, passage.terms, passage.track_terms) for number, passage in numbered),
    )


def _delete_passages(db: sqlite3.Connection, numbers: Sequence[int]) -> None:
    db.executemany(
        "INSERT OR REPLACE INTO leaving SELECT number, id FROM passages WHERE number = ?",
        ((number,) for number in numbers),
    )
    db.executemany("DELETE FROM words WHERE rowid = ?", ((number,) for number in numbers))
    db.executemany("DELETE FROM passages WHERE number = ?", ((number,) for number in numbers))
    db.executemany("DELETE FROM tokens WHERE number = ?", ((number,) for number in numbers))


def _talk_row(talk: Talk) -> TalkRow:
    return TalkRow(
        id=talk.id,
        source=talk.source,
        title=talk.title,
        format=talk.format,
        timing=talk.timing,
        margin_ms=talk.margin_ms,
        origin=talk.origin,
        youtube_id=talk.youtube_id,
        url=talk.url,
        channel=talk.channel,
        speaker=talk.speaker,
        language=talk.language,
        date=talk.date,
        duration_ms=talk.duration_ms,
        description=talk.description,
        chapters=_encode([[chapter.start_ms, chapter.title] for chapter in talk.chapters]),
        receipt=_encode(asdict(talk.receipt)),
    )


def _cue_row(talk_id: str, number: int, cue: Cue) -> CueInsert:
    values = (number, cue.start_ms, cue.end_ms, cue.text, cue.speaker, cue.turn, _words_json(cue))
    return CueInsert(*values, seal(talk_id, *values))


def _words_json(cue: Cue) -> str | None:
    return _encode([[word.text, word.start_ms] for word in cue.words]) if cue.words else None
