"""What was said around places in talks, as rows of words with their times."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Iterable, Sequence

from talksearch.indexer.records import Cue, Word
from talksearch.indexer.text.terms import is_unspaced
from talksearch.indexer.text.word_times import words_with_times

from .align import Stretch
from .candidates import Place
from .units import units_of

_Place = tuple[int, int]
"""Where a word stands in a talk: the cue's number, the word's in it."""

_Said = tuple[_Place, str, int, int]
"""A word of a talk: where it stands, itself, when it begins and ends."""


def read_stretches(db: sqlite3.Connection, places: Iterable[Place], length: int) -> list[Stretch]:
    """Read what is said at places, and before and behind as many words as the quote has and a few more."""
    numbers = json.dumps(sorted({number for place in places for number in place}))
    rows = db.execute(
        "SELECT talk, first_cue, last_cue, start_ms, end_ms FROM passages"
        " WHERE number IN (SELECT value FROM json_each(?)) AND field = 'speech' ORDER BY talk, first_cue, start_ms",
        (numbers,),
    ).fetchall()
    more = length + 4
    runs: list[tuple[int, list[_Said]]] = []
    read: dict[tuple[int, int], list[_Said]] = {}
    for talk, first, last, start_ms, end_ms in rows:
        words = _said(db, talk, first, last, more, read)
        # Cues may be much longer than passages, which begin and end within them.
        inside = [
            at
            for at, (place, _, first_ms, last_ms) in enumerate(words)
            if first <= place[0] <= last and last_ms >= start_ms and first_ms <= end_ms
        ]
        if not inside:
            continue
        words = words[max(0, inside[0] - more) : inside[-1] + 1 + more]
        if runs and runs[-1][0] == talk and runs[-1][1][0][0] <= words[0][0] <= runs[-1][1][-1][0]:
            end = runs[-1][1][-1][0]
            runs[-1][1].extend(word for word in words if word[0] > end)
        else:
            runs.append((talk, words))
    return [_stretch(talk, words) for talk, words in runs]


def _said(
    db: sqlite3.Connection, talk: int, first: int, last: int, more: int, read: dict[tuple[int, int], list[_Said]]
) -> list[_Said]:
    """Return the words of cues and, before and behind them, of so many cues as hold `more` words."""

    def words(row: tuple[int, int, int, str, str | None]) -> list[_Said]:
        number, start_ms, end_ms, text, timed = row
        if (talk, number) not in read:
            known = tuple(Word(*word) for word in json.loads(timed)) if timed else ()
            cue = Cue(start_ms, end_ms, text, words=known)
            read[talk, number] = [((number, at), *word) for at, word in enumerate(words_with_times(cue))]
        return read[talk, number]

    for margin in (2 + more // 4, more):  # a cue may hold one word; few do
        rows = db.execute(
            "SELECT number, start_ms, end_ms, text, words FROM cues WHERE talk = ? AND number BETWEEN ? AND ?"
            " ORDER BY number",
            (talk, first - margin, last + margin),
        ).fetchall()
        before: list[_Said] = []
        for row in reversed([row for row in rows if row[0] < first]):
            if len(before) >= more:
                break
            before = words(row) + before
        inside = [word for row in rows if first <= row[0] <= last for word in words(row)]
        behind: list[_Said] = []
        for row in rows:
            if row[0] > last and len(behind) < more:
                behind += words(row)
        if len(before) >= more and len(behind) >= more:
            break
    return before + inside + behind


def _stretch(talk: int, words: Sequence[_Said]) -> Stretch:
    begins = [0, *itertools.accumulate(len(word) + 1 for _, word, *_ in words)]
    text = " ".join(word for _, word, *_ in words)
    units = tuple(units_of(text))
    times = []
    here = 0
    for unit in units:
        while begins[here + 1] <= unit.start:
            here += 1
        (number, _), word, first_ms, last_ms = words[here]
        if is_unspaced(unit.plain[0]):
            span = last_ms - first_ms
            last_ms = first_ms + span * min(unit.end - begins[here], len(word)) // len(word)
            first_ms = first_ms + span * (unit.start - begins[here]) // len(word)
        times.append((number, first_ms, last_ms))
    return Stretch(talk, text, units, tuple(times))
