"""Notes as hits: which passage of the talk a title, a chapter or a sentence of the description leads to."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from talksearch.indexer.records import Field
from talksearch.indexer.vectors import Ints, Vectors
from talksearch.indexer.words import terms

from .fuse import Candidate
from .tie import tie

_BOILERPLATE = 3
"""Talks whose descriptions hold the same sentence, from which on it is about none of them."""

_MEANT = 0.4
"""The cosine from which a passage that shares no word with the query still answers it."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a candidate leads to."""

    number: int
    """The passage that is said there."""
    note: tuple[Field, str] | None = None
    start_ms: int | None = None
    """Where to open it, when that is known better than from the query's words."""
    terms: tuple[str, ...] = ()
    """The words that show where in the passage it is, instead of the query's."""


def notes_of(db: sqlite3.Connection, fields: Sequence[Field]) -> Ints:
    """Return the numbers of all notes that stand in some fields."""
    if not fields:
        return np.empty(0, np.int64)
    marks = ", ".join("?" * len(fields))
    rows = db.execute(
        f"SELECT number FROM passages WHERE field != 'speech' AND field IN ({marks})",  # noqa: S608 - only marks
        tuple(fields),
    ).fetchall()
    return np.fromiter((row[0] for row in rows), np.int64, len(rows))


def resolve(
    db: sqlite3.Connection,
    vectors: Vectors,
    candidates: Sequence[Candidate],
    asked: Sequence[str],
    leave_out: Sequence[Field],
) -> Callable[[Candidate], Found | None]:
    """Return what says where a candidate leads to; None where it leads nowhere.

    A passage leads to itself, a chapter to its start. A sentence of the description leads to the passage that it speaks
    of, where there is one (`tie`). Otherwise a note leads to the best candidate of its talk that answers the query: by
    one of its terms (`asked`) or by meaning. If there is none, it leads to the beginning of the talk.
    """
    numbers = [candidate.number for candidate in candidates]
    marks = ", ".join("?" * len(numbers))
    # By the index of notes alone: reading the rows of all candidates would take longer than ranking them.
    among = f"FROM passages INDEXED BY passages_of_notes WHERE field != 'speech' AND number IN ({marks})"
    notes = {row[0] for row in db.execute(f"SELECT number {among}", numbers)} if numbers else set()
    said: dict[int, list[Candidate]] = {}
    tied: dict[int, dict[int, int | None]] = {}

    def in_talk(talk: int) -> list[Candidate]:
        if talk not in said:
            own = {row[0] for row in db.execute("SELECT number FROM passages WHERE talk = ?", (talk,))} - notes
            said[talk] = [candidate for candidate in candidates if candidate.number in own]
        return said[talk]

    def found(candidate: Candidate) -> Found | None:
        if candidate.number not in notes:
            return Found(candidate.number)
        row = db.execute(_NOTE, (candidate.number,)).fetchone()
        if row is None or row[1] in leave_out:
            return None
        talk, field, text, start_ms, digest = row
        note = (field, text)
        if field == "chapter":
            number = _said_at(db, talk, start_ms)
            return None if number is None else Found(number, note, start_ms)
        if field == "description":
            if db.execute(_TALKS_WITH, (digest,)).fetchone()[0] >= _BOILERPLATE:
                return None
            if talk not in tied:
                tied[talk] = _ties(db, vectors, talk)
            number = tied[talk].get(candidate.number)
            if number is not None:
                return Found(number, note, None, tuple(dict.fromkeys(terms(text))))
        for other in in_talk(talk):
            if (other.meaning or 0.0) >= _MEANT or _holds(db, other.number, asked):
                return Found(other.number, note)
        number = _said_at(db, talk, 0)
        return None if number is None else Found(number, note, 0)

    return found


_NOTE = "SELECT talk, field, text, start_ms, digest FROM passages WHERE number = ?"
_TALKS_WITH = "SELECT count(DISTINCT talk) FROM passages WHERE digest = ?"


def _holds(db: sqlite3.Connection, number: int, asked: Sequence[str]) -> bool:
    if not asked:
        return False
    match = " OR ".join(f'"{term}"' for term in asked)
    return db.execute("SELECT 1 FROM words WHERE rowid = ? AND words MATCH ?", (number, match)).fetchone() is not None


def _said_at(db: sqlite3.Connection, talk: int, start_ms: int) -> int | None:
    """Return the passage that is said at a time, or the next one; the last where the talk ends before."""
    rows = "SELECT number FROM passages WHERE talk = ? AND field = 'speech'"
    row = db.execute(f"{rows} AND end_ms > ? ORDER BY start_ms, number LIMIT 1", (talk, start_ms)).fetchone()
    row = row or db.execute(f"{rows} ORDER BY start_ms DESC, number DESC LIMIT 1", (talk,)).fetchone()
    return int(row[0]) if row else None


def _ties(db: sqlite3.Connection, vectors: Vectors, talk: int) -> dict[int, int | None]:
    """Return, for every sentence of a talk's description, the number of the passage it speaks of."""
    rows = db.execute("SELECT number, field, text FROM passages WHERE talk = ? ORDER BY number", (talk,)).fetchall()
    at = vectors.find(np.array([row[0] for row in rows], np.int64))
    # What has no vector yet can be neither compared nor tied.
    notes = [
        (row, place) for row, place in zip(rows, at.tolist(), strict=True) if row[1] == "description" and place >= 0
    ]
    passages = [(row, place) for row, place in zip(rows, at.tolist(), strict=True) if row[1] == "speech" and place >= 0]
    chosen = tie(
        [row[2] for row, _ in notes],
        np.asarray(vectors.rows[[place for _, place in notes]]),
        [row[2] for row, _ in passages],
        np.asarray(vectors.rows[[place for _, place in passages]]),
    )
    return {
        note[0]: None if number is None else passages[number][0][0]
        for (note, _), number in zip(notes, chosen, strict=True)
    }
