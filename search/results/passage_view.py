"""A passage as a query looks at it: its text, its cues, and where in it the query's words are said."""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from talksearch.indexer.records import Cue, Timing
from talksearch.indexer.stores import catalog_talks
from talksearch.indexer.stores.tracks import track_cues, tracks_of
from talksearch.indexer.text.letters import holds_name
from talksearch.indexer.text.terms import Marks, marks_among, matched_terms
from talksearch.search.ranking import late_interaction
from talksearch.search.ranking.late_interaction import TokenScorer
from talksearch.search.ranking.term_variants import TermVariants, meanings_in

from .jump import Spoken, known_start, pinpoint, sentence_start, spoken, stretches

_ENOUGH_IN_TRACK = 0.3
"""The share of what the query's terms tell that a track must say, in two cues in a row: words of one language are
spelt as others of another."""

Spans = tuple[tuple[int, int], ...]
"""Characters of a text, as (start, end), rising and apart from each other."""

_PASSAGE = (
    "SELECT p.id, p.start_ms, p.end_ms, p.text, p.speakers, t.id, t.title, t.source, t.path, t.youtube_id, t.url,"
    " t.channel, t.speaker, t.language, t.date, t.timing, t.margin_ms, t.number, p.first_cue, p.last_cue"
    " FROM passages p JOIN talks t ON t.number = p.talk WHERE p.number = ?"
)
"""Reads a `PassageRow`, whose fields stand in the same order."""


_SPEAKER_AT = (
    "SELECT speaker FROM cues WHERE talk = ? AND number BETWEEN ? AND ? AND start_ms <= ?"
    " ORDER BY start_ms DESC, number DESC LIMIT 1"
)
_SPEAKERS = "SELECT speaker FROM cues WHERE talk = ? AND number BETWEEN ? AND ? AND speaker IS NOT NULL ORDER BY number"


class PassageRow(NamedTuple):
    """A passage and its talk, as the catalog holds them. Times in milliseconds."""

    passage_id: str
    start_ms: int
    end_ms: int
    text: str
    speakers: str
    """Who is named as speaking in the passage: a JSON list."""
    talk_id: str
    title: str
    source: str
    path: str
    youtube_id: str | None
    url: str | None
    channel: str | None
    speaker: str | None
    """Who gives the talk."""
    language: str | None
    date: str | None
    timing: Timing
    margin_ms: int
    talk_number: int
    first_cue: int
    last_cue: int
    """The last cue is part of the passage."""


@dataclass(frozen=True, slots=True)
class PassageView:
    """What a passage shows of a query, wherever it is ranked."""

    row: PassageRow
    weights: Mapping[str, float]
    """How much each term of the query tells, and each term that stands for one in this talk."""
    matches: Spans
    """The characters of the passage's text that such terms stand for."""
    answer_ms: int | None
    """Where to open the passage; None where it says no such term."""


def read_passage(db: sqlite3.Connection, number: int) -> PassageRow:
    """Read the passage with a number, which must be in the catalog."""
    return PassageRow._make(db.execute(_PASSAGE, (number,)).fetchone())


def view_passage(
    db: sqlite3.Connection, variants: Mapping[str, TermVariants], term_weights: Mapping[str, float], number: int
) -> PassageView:
    """Read a passage and find the query's terms in it.

    Args:
        db: The catalog.
        variants: How else the terms of the query may have been written down.
        term_weights: How much each term of the query tells.
        number: The passage's number.
    """
    row = read_passage(db, number)
    standing_in = meanings_in(variants, row.talk_number, row.text)
    weights = {**term_weights, **{other: term_weights[term] for other, term in standing_in.items()}}
    words = row.text.split(" ")
    matched = matched_terms(words, weights)
    if not matched:
        return PassageView(row, weights, (), None)
    matches = merged(marks_among(words, matched, weights))
    return PassageView(row, weights, matches, locate_answer(db, row, weights, matched))


def merged(marks: Iterable[tuple[int, int]]) -> Spans:
    """Return marks in order, those that overlap or touch as one.

    The terms of a script without spaces are pairs of characters, which share one with the next.

    >>> merged([(2, 4), (0, 2), (1, 3), (6, 7)])
    ((0, 4), (6, 7))
    """
    spans: list[tuple[int, int]] = []
    for start, end in sorted(marks):
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        elif start < end:
            spans.append((start, end))
    return tuple(spans)


def speaker_at(db: sqlite3.Connection, row: PassageRow, at_ms: int) -> str | None:
    """Return who speaks at a millisecond of a passage, None where nobody is named there.

    Where several cues go on at once, it is who began last.
    """
    if row.speakers == "[]":
        return None
    found = db.execute(_SPEAKER_AT, (row.talk_number, row.first_cue, row.last_cue, at_ms)).fetchone()
    return None if found is None or found[0] is None else str(found[0])


def speakers_between(db: sqlite3.Connection, talk_number: int, first_cue: int, last_cue: int) -> str | None:
    """Return who is named as speaking in some cues, last one included: each once, in order, with commas between."""
    rows = db.execute(_SPEAKERS, (talk_number, first_cue, last_cue))
    return ", ".join(dict.fromkeys(speaker for (speaker,) in rows)) or None


def locate_answer(
    db: sqlite3.Connection,
    row: PassageRow,
    weights: Mapping[str, float],
    matched: Mapping[int, Marks] | None = None,
) -> int:
    """Return the millisecond at which the answer begins: the passage's start, where none of the terms is said in it.

    Args:
        db: The catalog.
        row: The passage.
        weights: How much each term tells.
        matched: What `matched_terms` returns for the words of the passage's text, where the caller has it.
    """
    words, cues = _read_words(db, row)
    answer_ms = pinpoint(words, weights, cues, matched if not words.glued and _is_whole_text(words, row) else None)
    return known_start(cues, row.start_ms) if answer_ms is None else answer_ms


def locate_turn(
    db: sqlite3.Connection, row: PassageRow, weights: Mapping[str, float], names: Collection[str]
) -> tuple[int, bool] | None:
    """Return where somebody says the query's words in a passage, or begins to speak in it, and whether they are said.

    Args:
        db: The catalog.
        row: The passage.
        weights: How much each term tells.
        names: Names or parts of them: whoever has one of them counts (`holds_name`).

    Returns:
        The millisecond, and whether any of the terms is said by them; None where nobody of that name speaks.
    """
    if row.speakers == "[]":
        return None
    cues = catalog_talks.read_cues(db, row.talk_id, row.first_cue, row.last_cue)
    own = [cue for cue in cues if cue.speaker and any(holds_name(cue.speaker, name) for name in names)]
    words = spoken(own, row.start_ms, row.end_ms)
    if not words.texts:
        return None
    known = own if row.timing == "exact" else ()
    answer_ms = pinpoint(words, weights, known)
    return known_start(known, words.starts[0]) if answer_ms is None else answer_ms, answer_ms is not None


def locate_in_tracks(db: sqlite3.Connection, row: PassageRow, weights: Mapping[str, float]) -> int | None:
    """Return where to open a passage whose talk's further tracks say the query's words meanwhile.

    A translation breaks its lines elsewhere and puts words in another order. So the original is opened where the
    thought begins that is said in the middle of the cue.

    Args:
        db: The catalog.
        row: The passage.
        weights: How much each term tells.

    Returns:
        The millisecond; None where no track says enough of the terms to be what the passage was found by.
    """
    best_weight, at_ms = _ENOUGH_IN_TRACK * sum(weights.values()), -1
    for track in tracks_of(db, row.talk_number):
        meanwhile = track_cues(db, row.talk_number, track.number, row.start_ms, row.end_ms)
        said = [_terms_in(cue, weights) for cue in meanwhile]
        for cue, terms, following in zip(meanwhile, said, [*said[1:], set[str]()], strict=False):
            weight = sum(weights[term] for term in terms | following) if terms else 0.0
            if weight > best_weight:
                best_weight, at_ms = weight, (cue.start_ms + cue.end_ms) // 2
    if at_ms < 0:
        return None
    words, cues = _read_words(db, row)
    if not words.texts:
        return None
    position = max(0, bisect_right(words.starts, at_ms) - 1)
    return known_start(cues, sentence_start(words, position))


def _terms_in(cue: Cue, weights: Mapping[str, float]) -> set[str]:
    matched = matched_terms(cue.text.split(" "), weights)
    return {mark[0] for marks in matched.values() for mark in marks if mark[0] in weights}


def locate_nearest(
    db: sqlite3.Connection, row: PassageRow, scorer: TokenScorer, number: int
) -> tuple[int, Spans] | None:
    """Return where the stretch of a passage begins that is nearest to the query in meaning, and its characters.

    Args:
        db: the catalog.
        row: the passage.
        scorer: compares passages with the query token by token.
        number: the passage's number.

    Returns:
        When the stretch begins, in milliseconds, and its characters in the passage's text; None where the tokens of the
        passage are not known, or are not those of its text.
    """
    words, cues = _read_words(db, row)
    texts = words.texts
    if not _is_whole_text(words, row):
        return None
    nearest = late_interaction.nearest(scorer, number, texts, stretches(len(texts)), words.glued)
    if nearest is None:
        return None
    places = words.places()
    start, end = places[nearest[0]], places[nearest[1] - 1] + len(texts[nearest[1] - 1]) + 1
    return known_start(cues, sentence_start(words, nearest[0])), ((start, end - 1),)


def _is_whole_text(words: Spoken, row: PassageRow) -> bool:
    """Say whether the words that begin in a passage's time are those of its text; not so where its edges cut words."""
    return words.text() == row.text


def _read_words(db: sqlite3.Connection, row: PassageRow) -> tuple[Spoken, Sequence[Cue]]:
    """Return the words of a passage, and the cues whose starts are known exactly.

    Estimated times are spread over the whole talk, so that such a talk has none of these cues.
    """
    cues = catalog_talks.read_cues(db, row.talk_id, row.first_cue, row.last_cue)
    return spoken(cues, row.start_ms, row.end_ms), cues if row.timing == "exact" else ()
