"""What was said word for word, across cue and passage borders, also where captions misheard it or memory changed it.

Three steps, each over fewer words: passages that hold terms of the quote, and neighbours of it side by side, are
counted in the word index; the terms of the best few hundred are aligned with the quote; the cues of what is left are
read, and aligned word by word. An alignment puts the whole quote on any stretch of a talk at the least cost (Sellers
1980, edit distance with a free beginning and end in the text), with part of the credit for words that are alike.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from itertools import groupby

import numpy as np

from talksearch.indexer.arrays import Ints
from talksearch.indexer.text.terms import is_unspaced, terms
from talksearch.search.hit import Difference, Quoted
from talksearch.search.ranking.term_variants import expand_terms

from .align import ENOUGH, Found, align
from .candidates import chunks_of, places_of, surely
from .stretches import read_stretches
from .units import COMMON, Unit, units_of

_EXACT = 2.0
"""Quotes of up to so many words are asked for exactly: with one word changed, nothing would be left of them."""

_MORE = 10
"""Places whose cues are read beyond those asked for, as two passages often hold the same words."""


def find_quotes(db: sqlite3.Connection, text: str, within: Ints | None, count: int) -> list[Quoted]:
    """Find where something was said, best first.

    Punctuation and case make no difference. A quote of one or two words must be said as it stands; a longer one may
    differ in some words, which the score and the differences tell. Of stretches of a talk that overlap only the best is
    returned. `within` holds the numbers of the passages that are allowed, sorted (`candidates.allowed`); None allows
    all. Returns an empty list where nothing of the kind was said.
    """
    asked = tuple(units_of(text))
    if not asked or count < 1:
        return []
    ways = expand_terms(db, text, tuple(dict.fromkeys(terms(text))), compounds=False)  # a quote is of whole words
    common = _common(db, [unit.term for unit in asked])
    exact = _size(asked) <= _EXACT
    weights = np.array([COMMON if unit.term in common else 1.0 for unit in asked], np.float32)
    keep = count + _MORE
    chunks = chunks_of(text)
    plain = [unit.plain for unit in asked] if len(chunks) == 1 else []
    ways = {} if exact else ways
    places = list(
        dict.fromkeys(
            place for chunk in chunks for place in places_of(db, chunk, plain, ways, common, within, keep, exact)
        )
    )
    found: list[Found] = []
    # What is asked for exactly may stand in thousands of places: no more are read than it takes.
    step = keep if exact else len(places)
    for at in range(0, len(places), max(step, 1)):
        stretches = read_stretches(db, places[at : at + step], len(asked))
        found = _apart([*found, *align(asked, weights, stretches, ways, 1.0 if exact else ENOUGH)])
        if exact and len(found) >= count:
            break
    return _report(db, text, asked, found, within, count)


def saying_surely(db: sqlite3.Connection, text: str, within: Ints | None) -> Ints:
    """Return passages that say a quote as it stands, as far as one look at them tells; rising.

    Only quotes in ASCII that fit a passage are looked for. Other passages may say them as well, across a border or with
    accents, and longer ones nearly: `find_quotes` tells.
    """
    asked = tuple(units_of(text))
    chunks = chunks_of(text)
    if not asked or not text.isascii() or len(chunks) != 1 or len(chunks[0]) != 1:
        return np.empty(0, np.int64)
    return surely(db, chunks[0][0], [unit.plain for unit in asked], within)


def is_long(text: str) -> bool:
    """Say whether a quote has so many words that some may be said otherwise."""
    return _size(tuple(units_of(text))) > _EXACT


def _size(asked: Sequence[Unit]) -> float:
    return sum(0.5 if is_unspaced(unit.plain[0]) else 1.0 for unit in asked)


def _common(db: sqlite3.Connection, asked: Sequence[str]) -> frozenset[str]:
    rows = db.execute("SELECT term FROM common WHERE term IN (SELECT value FROM json_each(?))", (json.dumps(asked),))
    return frozenset(row[0] for row in rows)


def _apart(found: Iterable[Found]) -> list[Found]:
    """Return what was found, best first; where two of a talk overlap the better one."""
    kept: dict[int, list[Found]] = {}
    best = []
    for one in sorted(found, key=lambda one: (-round(one.score, 6), one.stretch.talk, one.stretch.times[one.first])):
        others = kept.setdefault(one.stretch.talk, [])
        if not any(_overlap(one, other) for other in others):
            others.append(one)
            best.append(one)
    return best


def _overlap(one: Found, other: Found) -> bool:
    if one.stretch is other.stretch:
        return one.first <= other.last and other.first <= one.last
    (a, b), (c, d) = (
        (which.stretch.times[which.first][:2], which.stretch.times[which.last][:2]) for which in (one, other)
    )
    return a <= d and c <= b


def _report(
    db: sqlite3.Connection,
    text: str,
    asked: Sequence[Unit],
    found: Iterable[Found],
    within: Ints | None,
    count: int,
) -> list[Quoted]:
    quoted: list[Quoted] = []
    for one in found:
        stretch = one.stretch
        first_cue, start_ms, _ = stretch.times[one.first]
        last_cue, last_ms, end_ms = stretch.times[one.last]
        rows = db.execute(
            "SELECT number FROM passages WHERE talk = ? AND field = 'speech' AND first_cue <= ? AND last_cue >= ?"
            " AND start_ms <= ? AND end_ms > ?"
            " ORDER BY start_ms > ? OR end_ms < ?, start_ms, number",
            (stretch.talk, last_cue, first_cue, last_ms, start_ms, start_ms, end_ms),
        )
        passages = tuple(number for (number,) in rows)
        if within is not None and not np.isin(passages, within).any():
            continue
        quoted.append(
            Quoted(
                talk=stretch.talk,
                first_cue=first_cue,
                last_cue=last_cue,
                start_ms=start_ms,
                end_ms=max(start_ms, end_ms),
                text=stretch.text[stretch.units[one.first].start : stretch.units[one.last].end],
                score=round(one.score, 6),
                difference=_difference(text, asked, one),
                passages=passages,
            )
        )
        if len(quoted) == count:
            break
    return quoted


def _difference(text: str, asked: Sequence[Unit], found: Found) -> tuple[Difference, ...]:
    """Return the steps of an alignment as stretches of words, those of a kind together."""
    stretch = found.stretch
    segments = []
    for op, steps in groupby(found.pairs, key=lambda step: step[0]):
        run = list(steps)
        mine = [i for _, here, _ in run for i in here]
        theirs = [j for _, _, here in run for j in here]
        segments.append(
            Difference(
                op,
                text[asked[mine[0]].start : asked[mine[-1]].end] if mine else "",
                stretch.text[stretch.units[theirs[0]].start : stretch.units[theirs[-1]].end] if theirs else "",
            )
        )
    return tuple(segments)
