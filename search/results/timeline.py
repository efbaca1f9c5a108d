"""The heat of a talk as a timeline: stretches that have to do with a query, each with where to jump and what is said.

A talk has up to forty parts, and an answer ten talks, so that all passages are read at once, and of each it is only
looked up where the heaviest words of the query begin. What a hit opens at is worked out with more care (`jump`).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

import numpy as np

from talksearch.indexer.arrays import Ints
from talksearch.indexer.records import Timing
from talksearch.indexer.text.terms import matched_terms
from talksearch.search.hit import TimelinePart
from talksearch.search.links import jump_to
from talksearch.search.ranking.passage_table import PassageTable

from .heat import BINS, Heat

_MOST_CHARACTERS = 90
"""How much of what is said is told."""

_TOGETHER = 15
"""Words in a row that are looked at together: about a sentence."""

_LEAST_TELLING = 0.3
"""Terms that tell less than this share of what the most telling one does are not looked for: they are everywhere."""

_PASSAGES = (
    "SELECT p.number, p.start_ms, p.end_ms, p.text, t.timing, t.margin_ms FROM passages p JOIN talks t"
    " ON t.number = p.talk WHERE p.number IN (SELECT value FROM json_each(?))"
)
"""Reads `_Passage`s."""

_CUES = (
    "SELECT p.number, c.start_ms, c.end_ms, length(c.text) FROM passages p JOIN cues c ON c.talk = p.talk"
    " AND c.number BETWEEN p.first_cue AND p.last_cue WHERE p.number IN (SELECT value FROM json_each(?))"
    " ORDER BY p.number, c.number"
)
"""Reads `_CueLength`s."""


class _CueLength(NamedTuple):
    """A cue of a passage: when it is said, in milliseconds, and how long it is."""

    number: int
    """The passage's."""
    start_ms: int
    end_ms: int
    characters: int


class _Passage(NamedTuple):
    """A passage as the catalog holds it, times in milliseconds."""

    number: int
    start_ms: int
    end_ms: int
    text: str
    timing: Timing
    margin_ms: int


class _Line(NamedTuple):
    """What is said in a passage, from where the query's words begin."""

    jump_ms: int
    text: str


def timelines(
    table: PassageTable, heat: Heat, term_weights: Mapping[str, float], opened: Mapping[int, int]
) -> list[tuple[TimelinePart, ...]]:
    """Return the stretches of some talks that have to do with a query, one list for each talk of `heat`.

    Fortieths in a row that lead to the same second are one stretch.

    Args:
        table: The passages as ranking saw them.
        heat: How much each fortieth has to do with the query, and where that comes from.
        term_weights: How much each term of the query tells.
        opened: Where passages are opened that are hits, in milliseconds, by their number.
    """
    numbers = {place: int(table.layout.numbers[place]) for place in set(heat.places.ravel().tolist()) if place >= 0}
    least = max(term_weights.values(), default=0.0) * _LEAST_TELLING
    telling = {term: weight for term, weight in term_weights.items() if weight >= least}
    places = np.array(sorted(numbers), np.int64)
    # Most passages hold none of the words, and to look them up is quicker than to read through the texts.
    holding = {number for term in telling for number in _numbers(table, places, term)}
    lines = _lines(table.db, numbers.values(), telling, holding)
    found: list[tuple[TimelinePart, ...]] = []
    for levels, places, length_ms in zip(heat.bins(), heat.places.tolist(), heat.lengths_ms.tolist(), strict=True):
        parts: list[TimelinePart] = []
        for position, (level, place) in enumerate(zip(levels, places, strict=True)):
            number = numbers.get(place)
            if number is None or level <= 0:
                continue
            jump_ms = opened.get(number, lines[number].jump_ms)
            start_ms, end_ms = position * length_ms // BINS, (position + 1) * length_ms // BINS
            if parts and parts[-1].end_ms == start_ms and parts[-1].jump_ms == jump_ms:
                parts[-1] = replace(parts[-1], end_ms=end_ms, level=max(level, parts[-1].level))
            else:
                parts.append(TimelinePart(start_ms, end_ms, level, jump_ms, lines[number].text))
        found.append(tuple(parts))
    return found


def _numbers(table: PassageTable, places: Ints, term: str) -> list[int]:
    """Return the numbers of those passages at some places, rising, that hold a term."""
    numbers: list[int] = table.layout.numbers[np.intersect1d(places, table.postings(term), assume_unique=True)].tolist()
    return numbers


def _lines(
    db: sqlite3.Connection, numbers: Iterable[int], term_weights: Mapping[str, float], holding: Collection[int]
) -> dict[int, _Line]:
    """Return where to jump in passages and what is said there, by passage number; `holding` are those with any term."""
    passages = [_Passage._make(row) for row in db.execute(_PASSAGES, (json.dumps(list(numbers)),))]
    offsets = {
        passage.number: _said_at(passage.text, term_weights) if passage.number in holding else 0 for passage in passages
    }
    inside = json.dumps([number for number, offset in offsets.items() if offset])
    cues = groupby(map(_CueLength._make, db.execute(_CUES, (inside,))), key=lambda cue: cue.number)
    cues_of = {number: list(own) for number, own in cues}
    return {
        passage.number: _Line(
            jump_to(
                _start_of_line(passage, offsets[passage.number], cues_of.get(passage.number, ())),
                passage.timing,
                passage.margin_ms,
            ),
            _words_from(passage.text, offsets[passage.number]),
        )
        for passage in passages
    }


def _start_of_line(passage: _Passage, offset: int, cues: Sequence[_CueLength]) -> int:
    """Return when the cue begins, or the passage, in which a character of the passage's text stands.

    Where a passage begins inside a cue, it is guessed by time how many of the cue's characters are left out.
    """
    start_ms = passage.start_ms
    if cues:
        first = cues[0]
        before = max(0, passage.start_ms - first.start_ms) / max(1, first.end_ms - first.start_ms)
        position = offset + int(min(before, 1.0) * first.characters)
        for cue in cues:
            start_ms = max(start_ms, cue.start_ms)
            position -= cue.characters + 1  # and the blank behind it
            if position < 0:
                break
    return start_ms


def _said_at(text: str, term_weights: Mapping[str, float]) -> int:
    """Return at which character of a text the words begin that tell most; 0 where it has none of them.

    >>> _said_at("so a ship, and then a clock on a ship", {"ship": 3.0, "clock": 5.0}), _said_at("so", {"ship": 3.0})
    (5, 0)
    """
    words = text.split(" ")
    matched = matched_terms(words, term_weights)
    best, best_weight = 0, 0.0
    for position in matched:
        near = (matched[other] for other in range(position, position + _TOGETHER) if other in matched)
        weight = sum(term_weights.get(term, 0.0) for term in {mark[0] for marks in near for mark in marks})
        if weight > best_weight:
            best, best_weight = position, weight
    return sum(map(len, words[:best])) + best


def _words_from(text: str, offset: int) -> str:
    """Return the words of a text from a character on, as many as are told; a few before it too where the text ends.

    >>> _words_from("so " * 40 + "long", 120)[-12:], _words_from("so long", 3)
    ('o so so long', 'so long')
    """
    if len(text) - offset < _MOST_CHARACTERS:
        offset = max(0, len(text) - _MOST_CHARACTERS)
        offset += text[offset : offset + _MOST_CHARACTERS // 2].find(" ") + 1 if offset else 0
    told = text[offset : offset + _MOST_CHARACTERS + 1]
    if len(told) > _MOST_CHARACTERS:
        told = told[: told.rfind(" ")] if " " in told.strip() else told[:-1]
    return told.strip()
