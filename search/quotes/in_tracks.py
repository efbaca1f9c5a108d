"""Quotes that nobody said, and that a further track of a talk says word for word: what its translation is quoted by."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from talksearch.indexer.arrays import Ints
from talksearch.indexer.records import Cue, Track
from talksearch.indexer.stores.tracks import track_cues, tracks_of
from talksearch.indexer.text.lines import join_lines
from talksearch.search.hit import Beside
from talksearch.search.ranking.layout import parse_numbers

from .quote import chunks_of
from .units import units_of

_MOST = 1_000
"""How many passages are looked at, of those that are said while a track says the terms of a quote."""

_AROUND_MS = 20_000
"""How far around a passage cues of a track are read: some count with it that are said a little beside it."""

_SAID_MEANWHILE = """
SELECT start_ms FROM cues WHERE talk = ? AND start_ms < ? AND end_ms > ?
ORDER BY max(start_ms, ?) - min(end_ms, ?), start_ms LIMIT 1
"""
"""Reads when the cue begins that is said for most of a stretch."""


@dataclass(frozen=True, slots=True)
class TrackQuote:
    """Where a track of a talk says a quote."""

    passage: int
    """The number of the passage that is said meanwhile."""
    answer_ms: int
    """When the original begins to say it."""
    beside: Beside
    """The cues of the track that hold the quote."""


def find_in_tracks(db: sqlite3.Connection, text: str, allowed: Ints | None) -> list[TrackQuote]:
    """Find where tracks say a quote as it stands, punctuation and case apart, in the order of the talks.

    Args:
        db: the catalog.
        text: the quote.
        allowed: the numbers of the passages that are allowed, sorted; None allows all.
    """
    units = tuple(units_of(text))
    wanted = [unit.normalized for unit in units]
    found: dict[tuple[int, int, int], TrackQuote] = {}
    for passage in _passages(db, [run for chunk in chunks_of(text, units)[:1] for run in chunk.runs], allowed):
        talk, start_ms, end_ms = db.execute(
            "SELECT talk, start_ms, end_ms FROM passages WHERE number = ?", (passage,)
        ).fetchone()
        for track in tracks_of(db, talk):
            cues = track_cues(db, talk, track.number, max(0, start_ms - _AROUND_MS), end_ms + _AROUND_MS)
            for saying in _saying(cues, wanted):
                place = (talk, track.number, saying[0].start_ms)
                if place not in found:  # passages overlap
                    found[place] = _track_quote(db, passage, talk, track, saying)
    return list(found.values())


def _passages(db: sqlite3.Connection, runs: Sequence[Sequence[str]], allowed: Ints | None) -> list[int]:
    """Return the passages that tracks say runs of terms meanwhile, rising."""
    phrases = " AND ".join(f'"{" ".join(run)}"' for run in runs)
    if not phrases:
        return []
    (numbers,) = db.execute(
        "SELECT group_concat(rowid) FROM words WHERE words MATCH ?", (f"track_terms : ({phrases})",)
    ).fetchone()
    passages = parse_numbers(numbers)
    kept: list[int] = (passages if allowed is None else passages[np.isin(passages, allowed)])[:_MOST].tolist()
    return kept


def _saying(cues: Sequence[Cue], wanted: Sequence[str]) -> Iterator[Sequence[Cue]]:
    """Yield the cues in a row that say some words as they stand, one after the other."""
    said = [(unit.normalized, at) for at, cue in enumerate(cues) for unit in units_of(cue.text)]
    words = [word for word, _ in said]
    for first in range(len(words) - len(wanted) + 1):
        if words[first : first + len(wanted)] == wanted:
            yield cues[said[first][1] : said[first + len(wanted) - 1][1] + 1]


def _track_quote(db: sqlite3.Connection, passage: int, talk: int, track: Track, cues: Sequence[Cue]) -> TrackQuote:
    start_ms, end_ms = cues[0].start_ms, cues[-1].end_ms
    row = db.execute(_SAID_MEANWHILE, (talk, cues[0].end_ms, start_ms, start_ms, cues[0].end_ms)).fetchone()
    text = join_lines(cue.text for cue in cues)
    return TrackQuote(
        passage, row[0] if row else start_ms, Beside(track.language, text, start_ms, end_ms, track.origin)
    )
