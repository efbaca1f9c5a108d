"""The further tracks of a talk in the catalog: what is said in it, in other languages than its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from talksearch.indexer.records import Cue, Track
from talksearch.indexer.text.lines import join_lines


def tracks_of(db: sqlite3.Connection, talk_number: int) -> list[Track]:
    """Return the further tracks of the talk with a number, without their cues, the best first."""
    rows = db.execute(
        "SELECT number, language, origin, source FROM tracks WHERE talk = ? ORDER BY number", (talk_number,)
    )
    return [Track(*row) for row in rows]


def track_cues(db: sqlite3.Connection, talk_number: int, track_number: int, start_ms: int, end_ms: int) -> list[Cue]:
    """Return the cues of a track that lie in a stretch of the talk for at least half of their time, in order.

    Args:
        db: the catalog.
        talk_number: the number of the talk.
        track_number: which of its tracks.
        start_ms: where the stretch begins.
        end_ms: where it ends.
    """
    rows = db.execute(
        "SELECT start_ms, end_ms, text FROM track_cues WHERE talk = ? AND track = ? AND start_ms <= ? AND end_ms >= ?"
        " AND 2 * (min(end_ms, ?) - max(start_ms, ?)) >= end_ms - start_ms ORDER BY number",
        (talk_number, track_number, end_ms, start_ms, end_ms, start_ms),
    )
    return [Cue(*row) for row in rows]


def track_text(db: sqlite3.Connection, talk_number: int, track_number: int, start_ms: int, end_ms: int) -> str:
    """Return what a track says in a stretch of the talk, as `track_cues` tells; empty where it says nothing."""
    return join_lines(cue.text for cue in track_cues(db, talk_number, track_number, start_ms, end_ms))


def put_tracks(db: sqlite3.Connection, talk_number: int, tracks: Sequence[Track]) -> None:
    """Put the further tracks of a talk in the place of those it had. Call it inside a `catalog.transaction`."""
    drop_tracks(db, talk_number)
    db.executemany(
        "INSERT INTO tracks VALUES (?, ?, ?, ?, ?)",
        ((talk_number, track.number, track.language, track.origin, track.source) for track in tracks),
    )
    db.executemany(
        "INSERT INTO track_cues VALUES (?, ?, ?, ?, ?, ?)",
        (
            (talk_number, track.number, number, cue.start_ms, cue.end_ms, cue.text)
            for track in tracks
            for number, cue in enumerate(track.cues)
        ),
    )


def drop_tracks(db: sqlite3.Connection, talk_number: int) -> None:
    """Take all further tracks of a talk out. Call it inside a `catalog.transaction`."""
    db.execute("DELETE FROM tracks WHERE talk = ?", (talk_number,))
    db.execute("DELETE FROM track_cues WHERE talk = ?", (talk_number,))
