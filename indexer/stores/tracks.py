"""The further tracks of a talk in the catalog: what is said in it, in other languages than its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace

from talksearch.indexer.passages.track_words import shares_most, words_meanwhile
from talksearch.indexer.records import Cue, Passage, Track
from talksearch.indexer.text.lines import join_lines
from talksearch.indexer.text.terms import terms_joined

from .seals import seal

_NO_LIMIT = 2**62
"""A time that is later than any, in milliseconds."""


def tracks_of(db: sqlite3.Connection, talk_number: int) -> list[Track]:
    """Return the further tracks of the talk with a number, without their cues, the best first."""
    rows = db.execute(
        "SELECT number, language, origin, source FROM tracks WHERE talk = ? ORDER BY number", (talk_number,)
    )
    return [Track(*row) for row in rows]


def read_tracks(db: sqlite3.Connection, talk_number: int) -> list[Track]:
    """Return the further tracks of the talk with a number, with their cues; none where the catalog is of format 6."""
    if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'tracks'").fetchone():
        return []
    return [
        replace(track, cues=tuple(track_cues(db, talk_number, track.number))) for track in tracks_of(db, talk_number)
    ]


def track_cues(
    db: sqlite3.Connection, talk_number: int, track_number: int, start_ms: int = 0, end_ms: int | None = None
) -> list[Cue]:
    """Return what a track says in a stretch of the talk: the cues that share half of their time, or of its, with it.

    Args:
        db: the catalog.
        talk_number: the number of the talk.
        track_number: which of its tracks.
        start_ms: where the stretch begins.
        end_ms: where it ends; None for all cues of the track.
    """
    rows = db.execute(
        "SELECT start_ms, end_ms, text FROM track_cues WHERE talk = ? AND track = ? AND start_ms <= ? AND end_ms >= ?"
        " ORDER BY number",
        (talk_number, track_number, _NO_LIMIT if end_ms is None else end_ms, start_ms),
    )
    return [cue for cue in (Cue(*row) for row in rows) if end_ms is None or shares_most(cue, start_ms, end_ms)]


def track_text(db: sqlite3.Connection, talk_number: int, track_number: int, start_ms: int, end_ms: int) -> str:
    """Return what a track says in a stretch of the talk, as `track_cues` tells; empty where it says nothing."""
    return join_lines(cue.text for cue in track_cues(db, talk_number, track_number, start_ms, end_ms))


def put_tracks(db: sqlite3.Connection, talk_number: int, tracks: Sequence[Track]) -> None:
    """Put the further tracks of a talk in the place of those it had. Call it inside a `catalog.transaction`.

    The talk must be there, and be sealed again afterwards (`seals.seal_talk`).
    """
    drop_tracks(db, talk_number)
    (talk_id,) = db.execute("SELECT id FROM talks WHERE number = ?", (talk_number,)).fetchone()
    heads = ((track.number, track.language, track.origin, track.source) for track in tracks)
    db.executemany(
        "INSERT INTO tracks VALUES (?, ?, ?, ?, ?, ?)",
        ((talk_number, *values, seal(talk_id, *values)) for values in heads),
    )
    cues = (
        (track.number, number, cue.start_ms, cue.end_ms, cue.text)
        for track in tracks
        for number, cue in enumerate(track.cues)
    )
    db.executemany(
        "INSERT INTO track_cues VALUES (?, ?, ?, ?, ?, ?, ?)",
        ((talk_number, *values, seal(talk_id, *values)) for values in cues),
    )


def terms_meanwhile(db: sqlite3.Connection, talk_number: int) -> dict[int, str]:
    """Return the terms of what the tracks of a talk say while each of its passages is said, by passage number."""
    tracks = read_tracks(db, talk_number)
    rows = db.execute(
        "SELECT number, id, start_ms, end_ms, first_cue, last_cue, text, field FROM passages WHERE talk = ?"
        " ORDER BY start_ms, number",
        (talk_number,),
    ).fetchall()
    passages = [
        Passage(id_, "", start_ms, end_ms, first_cue, last_cue, text, field=field)
        for _, id_, start_ms, end_ms, first_cue, last_cue, text, field in rows
    ]
    said = words_meanwhile(passages, tracks)
    return {row[0]: terms_joined(text) for row, text in zip(rows, said, strict=True)}


def track_sources(db: sqlite3.Connection) -> set[tuple[str, str]]:
    """Return (talk id, source) of all further tracks of an index."""
    return set(db.execute("SELECT t.id, k.source FROM tracks k JOIN talks t ON t.number = k.talk"))


def drop_tracks(db: sqlite3.Connection, talk_number: int) -> None:
    """Take all further tracks of a talk out. Call it inside a `catalog.transaction`."""
    db.execute("DELETE FROM tracks WHERE talk = ?", (talk_number,))
    db.execute("DELETE FROM track_cues WHERE talk = ?", (talk_number,))
