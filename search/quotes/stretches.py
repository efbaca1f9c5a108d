"""Stretches: what was said in some passages and around them, as rows of units with their times."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from talksearch.indexer.records import Cue, Word
from talksearch.indexer.stores.soundness import RowDamageError
from talksearch.indexer.text.lines import between_lines
from talksearch.indexer.text.terms import is_unspaced
from talksearch.indexer.text.word_times import words_with_times

from .units import Unit, units_of

_EXTRA_WORDS = 4
"""How many words more than the quote has are read before and behind a passage: what was said may be longer."""

_WORDS_PER_CUE = 4
"""About how many words a cue has; where cues have fewer, more of them are read at a second try."""


_SpokenWord = tuple[int, int, str, int, int]
"""A word of a talk: the number of its cue, its position in the cue, its text, its start and end in milliseconds.

A plain tuple, because a quote reads thousands of words, and a NamedTuple takes several times as long to make.
"""


class PassageSpan(NamedTuple):
    """A passage, or two that follow each other."""

    first: int
    """The number of the first passage."""
    last: int
    """The number of the last one, the same where there is one."""


class UnitTime(NamedTuple):
    """When a unit is said."""

    cue: int
    """The number of its cue in the talk."""
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """Words of a talk in a row."""

    talk: int
    """The talk's number in the catalog."""
    text: str
    units: tuple[Unit, ...]
    times: tuple[UnitTime, ...]
    """Of each unit."""

    def text_between(self, first: int, last: int) -> str:
        """Return the text of some units in a row, both ends included."""
        return self.text[self.units[first].start : self.units[last].end]


class _PassageRow(NamedTuple):
    """A passage that is read."""

    talk: int
    first_cue: int
    last_cue: int
    start_ms: int
    end_ms: int


class _CueRow(NamedTuple):
    """A cue, as the catalog holds it."""

    number: int
    start_ms: int
    end_ms: int
    text: str
    words: str | None
    """Word times as JSON."""


def read_stretches(db: sqlite3.Connection, spans: Iterable[PassageSpan], length: int) -> list[Stretch]:
    """Read what is said in passages, and before and behind them as many words as the quote has, and a few more.

    What overlaps is one stretch. `length` is how many words the quote has.
    """
    numbers = {number for span in spans for number in span}
    passages = db.execute(
        "SELECT talk, first_cue, last_cue, start_ms, end_ms FROM passages"
        " WHERE number IN (SELECT value FROM json_each(?)) AND field = 'speech' ORDER BY talk, first_cue, start_ms",
        (json.dumps(sorted(numbers)),),
    ).fetchall()
    margin = length + _EXTRA_WORDS
    talks = _TalkWords(db, margin)
    runs: list[tuple[int, list[_SpokenWord]]] = []
    for passage in map(_PassageRow._make, passages):
        words = _around(talks.read(passage), passage, margin)
        if not words:
            _require_cues(db, passage)
            continue
        if runs:
            talk, run = runs[-1]
            if talk == passage.talk and _place(run[0]) <= _place(words[0]) <= _place(run[-1]):
                end = _place(run[-1])
                run.extend(word for word in words if _place(word) > end)
                continue
        runs.append((passage.talk, words))
    return [_stretch(talk, words) for talk, words in runs]


def _require_cues(db: sqlite3.Connection, passage: _PassageRow) -> None:
    """Raise RowDamageError where cues of a passage are gone."""
    (count,) = db.execute(
        "SELECT count(*) FROM cues WHERE talk = ? AND number BETWEEN ? AND ?",
        (passage.talk, passage.first_cue, passage.last_cue),
    ).fetchone()
    if count != passage.last_cue - passage.first_cue + 1:
        raise RowDamageError


def _place(word: _SpokenWord) -> tuple[int, int]:
    """Return where a word stands in its talk: the number of its cue, and its position in the cue."""
    return word[:2]


def _around(words: Sequence[_SpokenWord], passage: _PassageRow, margin: int) -> list[_SpokenWord]:
    """Return the words of a passage and `margin` words on either side; none where the passage has no words."""
    # Cues may be much longer than passages, which begin and end within them.
    _, first_cue, last_cue, passage_start_ms, passage_end_ms = passage
    inside = [
        position
        for position, (cue, _, _, start_ms, end_ms) in enumerate(words)
        if first_cue <= cue <= last_cue and end_ms >= passage_start_ms and start_ms <= passage_end_ms
    ]
    return list(words[max(0, inside[0] - margin) : inside[-1] + 1 + margin]) if inside else []


class _TalkWords:
    """Reads the words of talks, each cue once."""

    def __init__(self, db: sqlite3.Connection, margin: int) -> None:
        self._db = db
        self._margin = margin
        """How many words are read before and behind a passage."""
        self._words: dict[tuple[int, int], list[_SpokenWord]] = {}
        """What was read, by talk and cue."""

    def read(self, passage: _PassageRow) -> list[_SpokenWord]:
        """Return the words of a passage's cues, and of so many cues on either side as hold `margin` words."""
        talk, first, last, margin = passage.talk, passage.first_cue, passage.last_cue, self._margin
        before: list[_SpokenWord] = []
        inside: list[_SpokenWord] = []
        behind: list[_SpokenWord] = []
        for cues in (2 + margin // _WORDS_PER_CUE, margin):  # a cue may hold one word only; few do
            rows = list(
                map(
                    _CueRow._make,
                    self._db.execute(
                        "SELECT number, start_ms, end_ms, text, words FROM cues WHERE talk = ?"
                        " AND number BETWEEN ? AND ? ORDER BY number",
                        (talk, first - cues, last + cues),
                    ),
                )
            )
            before, behind = [], []
            for row in reversed([row for row in rows if row.number < first]):
                if len(before) >= margin:
                    break
                before = self._of(talk, row) + before
            inside = [word for row in rows if first <= row.number <= last for word in self._of(talk, row)]
            for row in rows:
                if row.number > last and len(behind) < margin:
                    behind += self._of(talk, row)
            if len(before) >= margin and len(behind) >= margin:
                break
        return before + inside + behind

    def _of(self, talk: int, row: _CueRow) -> list[_SpokenWord]:
        words = self._words.get((talk, row.number))
        if words is None:
            known = tuple(Word(*word) for word in json.loads(row.words)) if row.words else ()
            cue = Cue(row.start_ms, row.end_ms, row.text, words=known)
            words = self._words[talk, row.number] = [
                (row.number, position, *word) for position, word in enumerate(words_with_times(cue))
            ]
        return words


def _stretch(talk: int, words: Sequence[_SpokenWord]) -> Stretch:
    begins = [0]
    pieces: list[str] = []
    for (cue, _, word, _, _), following in zip(words, [*words[1:], None], strict=bool(words)):
        is_glued = following is not None and following[0] != cue and not between_lines(word, following[2])
        pieces.append(word if is_glued or following is None else f"{word} ")
        begins.append(begins[-1] + len(pieces[-1]))
    text = "".join(pieces)
    units = tuple(units_of(text))
    times: list[UnitTime] = []
    position = 0
    for unit in units:
        while begins[position + 1] <= unit.start:
            position += 1
        cue, _, word, start_ms, end_ms = words[position]
        if is_unspaced(unit.normalized[0]):  # one character of many in what counts as a word: its time is shared out
            span_ms, begin = end_ms - start_ms, begins[position]
            end_ms = start_ms + span_ms * min(unit.end - begin, len(word)) // len(word)
            start_ms = start_ms + span_ms * (unit.start - begin) // len(word)
        times.append(UnitTime(cue, start_ms, end_ms))
    return Stretch(talk, text, units, tuple(times))
