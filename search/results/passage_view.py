"""A passage looked at: its text, its cues, and where in it a query's words are said."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from talksearch.indexer.records import Cue
from talksearch.indexer.stores import catalog
from talksearch.indexer.text.terms import Marks, marks_among, matched_terms
from talksearch.search.ranking import late_interaction
from talksearch.search.ranking.late_interaction import TokenScorer
from talksearch.search.ranking.term_variants import TermVariants, heard_in

from .jump import Spoken, known_start, pinpoint, sentence_start, spoken, stretches


@dataclass(frozen=True, slots=True)
class PassageView:
    """What a passage shows of a query, wherever it is ranked."""

    row: Any
    """What `_PASSAGE` reads."""
    weights: Mapping[str, float]
    """How much each term tells that was asked for, and each that stands for one in this talk."""
    matches: tuple[tuple[int, int], ...]
    """The characters of its text that such terms stand for."""
    answer_ms: int | None
    """Where to open it; None where it says no such term."""


def view_passage(
    db: sqlite3.Connection, ways: Mapping[str, TermVariants], worth: Mapping[str, float], number: int
) -> PassageView:
    """Read the passage with a number. `worth` says how much each term tells that was asked for, `ways` how else it may
    stand.
    """
    row = db.execute(_PASSAGE, (number,)).fetchone()
    weights = {**worth, **{other: worth[term] for other, term in heard_in(ways, row[-3]).items()}}
    words = row[3].split(" ")
    told = matched_terms(words, weights)
    if not told:
        return PassageView(row, weights, (), None)
    return PassageView(row, weights, tuple(marks_among(words, told, weights)), _answer_ms(db, row, weights, told))


_PASSAGE = (
    "SELECT p.id, p.start_ms, p.end_ms, p.text, p.speakers, t.id, t.title, t.source, t.path, t.youtube_id, t.url,"
    " t.channel, t.speaker, t.language, t.date, t.timing, t.margin_ms, t.number, p.first_cue, p.last_cue"
    " FROM passages p JOIN talks t ON t.number = p.talk WHERE p.number = ?"
)


def _answer_ms(
    db: sqlite3.Connection, row: Any, weights: Mapping[str, float], told: Mapping[int, Marks] | None = None
) -> int:
    """Return where in a passage the answer begins: at its start, where none of the words is said in it. `told` is what
    `matched_terms` says of the words of its text, where that is known.
    """
    words, known = _said(db, row)
    at_ms = pinpoint(words, weights, known, told if _are_its_own(words, row) else None)
    return known_start(known, int(row[1])) if at_ms is None else at_ms


def _are_its_own(words: Spoken, row: Any) -> bool:
    """Say whether words that begin in a passage's time are those of its text; not where its edges lie within words."""
    return " ".join(words.texts) == str(row[3])


def _nearest(
    db: sqlite3.Connection, row: Any, by_token: TokenScorer, number: int
) -> tuple[int, tuple[tuple[int, int], ...]] | None:
    """Return where the stretch of a passage begins that is nearest in meaning, and the characters it stands for."""
    words, known = _said(db, row)
    texts = words.texts
    found = (
        late_interaction.nearest(by_token, number, texts, stretches(len(texts))) if _are_its_own(words, row) else None
    )
    if found is None:
        return None
    begin, end = (sum(map(len, texts[:at])) + at for at in found)
    return known_start(known, sentence_start(words, found[0])), ((begin, end - 1),)


def _said(db: sqlite3.Connection, row: Any) -> tuple[Spoken, Sequence[Cue]]:
    """Return the words of a passage, and the cues whose starts are known: none where times are estimated, which are
    spread over the whole talk.
    """
    cues = catalog.read_cues(db, row[5], row[-2], row[-1])
    return spoken(cues, row[1], row[2]), cues if row[15] == "exact" else ()
