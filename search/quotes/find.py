"""Finding quotes: what was said word for word, also across cues and passages, misheard, or changed by memory.

Three steps, each over fewer words: passages that hold terms of the quote, and neighbours of it side by side, are
counted in the word index; the terms of the best few hundred are aligned with the quote; the cues of what is left are
read, and aligned word by word. An alignment puts the whole quote on any stretch of a talk at the least cost (Sellers
1980, edit distance with a free beginning and end in the text), with part of the credit for words that are alike.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from itertools import groupby

import numpy as np

from talksearch.indexer.arrays import Ints
from talksearch.search.hit import Difference, QuoteMatch

from .align import Alignment, align
from .candidates import find_candidates, verbatim_passages
from .quote import Quote, chunks_of, parse_quote
from .stretches import UnitTime, read_stretches
from .units import units_of

_MORE = 10
"""How many candidates are read beyond the number that was asked for, as two passages often hold the same words."""


def find_quotes(db: sqlite3.Connection, text: str, allowed: Ints | None, count: int) -> list[QuoteMatch]:
    """Find where something was said, best first; an empty list where nothing of the kind was said.

    Punctuation and case make no difference. A quote of one or two words must be said as it stands; a longer one may
    differ in some words, which the score and the differences tell. Of stretches of a talk that overlap only the best is
    returned.

    Args:
        db: the catalog.
        text: the quote.
        allowed: the numbers of the passages that are allowed, sorted (`ranking.filters`); None allows all.
        count: how many places are wanted at most.
    """
    quote = parse_quote(db, text)
    if quote is None or count < 1:
        return []
    kept = count + _MORE
    spans = find_candidates(db, quote, allowed, kept)
    alignments: list[Alignment] = []
    # An exact quote may stand in thousands of places: no more are read than it takes.
    step = kept if quote.exact else len(spans)
    for start in range(0, len(spans), max(step, 1)):
        stretches = read_stretches(db, spans[start : start + step], len(quote.units))
        alignments = _without_overlaps([*alignments, *align(quote, stretches)])
        if quote.exact and len(alignments) >= count:
            break
    return _matches(db, quote, alignments, allowed, count)


def saying_surely(db: sqlite3.Connection, text: str, allowed: Ints | None) -> Ints:
    """Return passages that say a quote as it stands, as far as one look at them tells; rising.

    Only quotes in ASCII that fit a passage are looked for. Other passages may say them as well, across a border or with
    accents, and longer ones nearly: `find_quotes` tells.
    """
    units = tuple(units_of(text))
    chunks = chunks_of(text, units)
    if not units or not text.isascii() or len(chunks) != 1 or len(chunks[0].runs) != 1:
        return np.empty(0, np.int64)
    return verbatim_passages(db, chunks[0], allowed)


def _without_overlaps(alignments: Iterable[Alignment]) -> list[Alignment]:
    """Return alignments, best first; where two of a talk overlap, only the better one."""
    by_talk: dict[int, list[Alignment]] = {}
    best = []
    for alignment in sorted(alignments, key=_order):
        others = by_talk.setdefault(alignment.stretch.talk, [])
        if not any(alignment.overlaps(other) for other in others):
            others.append(alignment)
            best.append(alignment)
    return best


def _order(alignment: Alignment) -> tuple[float, int, tuple[int, int, int]]:
    """Return what alignments are sorted by: the best first, equal ones as they are said."""
    stretch = alignment.stretch
    return -round(alignment.score, 6), stretch.talk, stretch.times[alignment.first]


def _matches(
    db: sqlite3.Connection, quote: Quote, alignments: Iterable[Alignment], allowed: Ints | None, count: int
) -> list[QuoteMatch]:
    """Return where the quote was said.

    Args:
        db: the catalog.
        quote: the quote.
        alignments: how it was said, best first.
        allowed: the numbers of the passages that are allowed, sorted; None allows all.
        count: how many matches are wanted at most.
    """
    matches: list[QuoteMatch] = []
    for alignment in alignments:
        stretch = alignment.stretch
        first, last = stretch.times[alignment.first], stretch.times[alignment.last]
        passages = _passages_saying(db, stretch.talk, first, last)
        if allowed is not None and not np.isin(passages, allowed).any():
            continue
        matches.append(
            QuoteMatch(
                talk=stretch.talk,
                first_cue=first.cue,
                last_cue=last.cue,
                start_ms=first.start_ms,
                end_ms=max(first.start_ms, last.end_ms),
                text=stretch.text_between(alignment.first, alignment.last),
                score=round(alignment.score, 6),
                difference=_difference(quote, alignment),
                passages=passages,
            )
        )
        if len(matches) == count:
            break
    return matches


def _passages_saying(db: sqlite3.Connection, talk: int, first: UnitTime, last: UnitTime) -> tuple[int, ...]:
    """Return the numbers of the passages that a quote lies in, those that hold all of it first.

    Cues may overlap: the quote's last word may begin before its first one, in a cue that began later. Where no passage
    is said at these times, those that hold the cues have it; there is always one.
    """
    begin_ms, end_ms = sorted((first.start_ms, last.start_ms))
    by_cue = "SELECT number FROM passages WHERE talk = ? AND field = 'speech' AND first_cue <= ? AND last_cue >= ?"
    cues = (talk, max(first.cue, last.cue), min(first.cue, last.cue))
    order = " ORDER BY start_ms > ? OR end_ms < ?, start_ms, number"
    within = (first.start_ms, last.end_ms)
    rows = db.execute(
        f"{by_cue} AND start_ms <= ? AND end_ms > ?{order}", (*cues, end_ms, begin_ms, *within)
    ).fetchall()
    if not rows:
        rows = db.execute(by_cue + order, (*cues, *within)).fetchall()
    return tuple(number for (number,) in rows)


def _difference(quote: Quote, alignment: Alignment) -> tuple[Difference, ...]:
    """Return the steps of an alignment as pieces of text, steps of a kind in a row together."""
    pieces = []
    for op, steps in groupby(alignment.steps, key=lambda step: step.op):
        run = list(steps)
        wanted = [position for step in run for position in step.quote]
        spoken = [position for step in run for position in step.spoken]
        pieces.append(
            Difference(
                op,
                quote.text_between(wanted[0], wanted[-1]) if wanted else "",
                alignment.stretch.text_between(spoken[0], spoken[-1]) if spoken else "",
            )
        )
    return tuple(pieces)
