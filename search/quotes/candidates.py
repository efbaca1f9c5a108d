"""Where a quote may have been said: which passages, or neighbours of two, the word index gives for its terms."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, pairwise

import numpy as np

from talksearch.indexer.arrays import Ints
from talksearch.indexer.text.terms import is_unspaced, terms
from talksearch.search.ranking.postings import idf
from talksearch.search.ranking.term_variants import TermVariants

from .align import ENOUGH, tables_of
from .units import COMMON, Unit

_CHUNK = 16
"""Terms that are looked for together: so many nearly always lie in one passage or two neighbours."""

_PLACES = 200
"""Places whose terms are aligned with the quote, at the most."""

_WORTH = 0.25
"""The evidence that a place must have for that, as a share of what the best place has, where places are many."""

_TELLING = 4
"""Telling terms that find a quote without the help of two common words in a row."""

_UNSEEN = 1.0
"""How many words of a place may turn out to be right that do not look so by their terms."""

_SILENT = "SELECT group_concat(number) FROM passages WHERE field != 'speech'"

Place = tuple[int, int]
"""A passage, or two that follow each other: (number of the first, of the last)."""


def chunks_of(text: str) -> list[tuple[tuple[str, ...], ...]]:
    """Return the terms to look for, in runs without a gap; of a long quote its beginning, middle and end apart.

    A single character of a script without spaces is no term of the index where it stands between others, so it ends a
    run, unless there is nothing else.
    """
    every = terms(text)
    usable = [len(term) > 1 or not is_unspaced(term) for term in every]
    if not any(usable):
        return [tuple((term,) for term in every)]
    tagged = list(zip(every, usable, strict=True))
    starts = [0]
    if len(every) > 2 * _CHUNK:
        starts = [0, (len(every) - _CHUNK) // 2, len(every) - _CHUNK]
    elif len(every) > _CHUNK:
        starts = [0, len(every) - _CHUNK]
    chunks = []
    for start in starts:
        runs = groupby(tagged[start : start + _CHUNK], key=lambda pair: pair[1])
        chunks.append(tuple(tuple(term for term, _ in run) for use, run in runs if use))
    return [chunk for chunk in chunks if chunk]


def places_of(
    db: sqlite3.Connection,
    chunk: tuple[tuple[str, ...], ...],
    plain: Sequence[str],
    ways: Mapping[str, TermVariants],
    common: frozenset[str],
    within: Ints | None,
    keep: int,
    exact: bool,
) -> list[Place]:
    """Return the places that may hold the terms, best first; of a quote that is asked for exactly all of them.

    `plain` holds the words of the quote where the terms are all of it.
    """
    silent = _numbers(db.execute(_SILENT).fetchone()[0])
    asked = [term for run in chunk for term in run]
    if all(len(term) == 1 and is_unspaced(term) for term in asked):
        rows = "SELECT group_concat(number) FROM passages WHERE instr(text, ?) > 0"
        return [(number, number) for number in _inside(_numbers(db.execute(rows, asked[:1]).fetchone()[0]), within)]
    whole: list[int] = []
    if len(chunk) == 1:
        whole = _inside(_speech(_holding(db, f'"{" ".join(asked)}"'), silent), within)
        if exact:
            whole = _verbatim(db, whole, plain, 5 * keep)
            return [*((number, number) for number in whole), *_parted(db, asked, within)]
        if len(whole) > _PLACES:
            whole = _verbatim(db, whole, plain, _PLACES)
    highest, passages = db.execute("SELECT max(number), count(*) FROM passages").fetchone()
    alone_score = np.zeros(highest + 2, np.float32)
    both_score = np.zeros(highest + 2, np.float32)
    full = 0.0
    for numbers in _features(db, chunk, ways, common):
        weight = idf(passages, len(numbers)) if len(numbers) else 0.0
        full += weight
        has = np.zeros(highest + 2, np.float32)
        has[numbers] = weight
        alone_score += has
        has[:-1] = np.maximum(has[:-1], has[1:])
        both_score += has
    for scores in (alone_score, both_score):
        scores[silent] = 0
    if within is not None:
        inside = np.zeros(highest + 2, bool)
        inside[within[within <= highest]] = True
        alone_score[~inside] = 0
        inside[:-1] |= inside[1:]
        both_score[~inside] = 0
    # Two neighbours count where together they hold more than either of them.
    next_alone = np.append(alone_score[1:], np.float32(0))
    both_score[both_score <= np.maximum(alone_score, next_alone) + 1e-4] = 0
    places: dict[Place, None] = {}
    places |= {(number, number): None for number in whole[:_PLACES]}
    if int((alone_score >= full - 1e-3).sum() + (both_score >= full - 1e-3).sum()) > _PLACES:
        # Words so common that too many neighbours hold them all: those count where the second begins amid the quote.
        places |= {(number - 1, number): None for number in _begun(db, asked).tolist() if both_score[number - 1]}
    scores = np.concatenate([alone_score, both_score])
    worth = _WORTH * float(scores.max())
    best = np.argpartition(-scores, min(_PLACES, len(scores) - 1))[:_PLACES]
    for place, at in enumerate(best[np.argsort(-scores[best], kind="stable")].tolist()):
        if scores[at] > (worth if place >= 2 * keep else 0):
            places[(at, at) if at < len(alone_score) else (at - len(alone_score), at - len(alone_score) + 1)] = None
    return _sift(db, list(places), asked, common, ways, keep)


def _features(
    db: sqlite3.Connection, chunk: tuple[tuple[str, ...], ...], ways: Mapping[str, TermVariants], common: frozenset[str]
) -> Iterator[Ints]:
    """Yield the passages that hold each telling term in whatever way it is written, and each two terms in a row."""
    every = dict.fromkeys(term for run in chunk for term in run)
    telling = [term for term in every if term not in common]
    for term in telling or (every if max(map(len, chunk)) == 1 else []):
        way = ways.get(term, TermVariants())
        # A word heard for a name in one talk stands for it there only; here it may be too many, the alignment will see.
        others = dict.fromkeys([*way.terms, *(phrase for phrase, _ in way.phrases)])
        yield _holding(db, " OR ".join(f'"{one}"' for one in [term, *others]))
    for one, other in dict.fromkeys(pair for run in chunk for pair in pairwise(run)):
        if len(telling) >= _TELLING and one in common and other in common:
            continue  # they stand in thousands of passages and take the longest to find
        yield _holding(db, f'"{one} {other}"')


def _begun(db: sqlite3.Connection, asked: Sequence[str]) -> Ints:
    """Return the passages that begin amid the quote, with two of its terms at the least."""
    phrases = [" ".join(asked[at : at + 3]) for at in range(1, max(2, len(asked) - 1))]
    return _holding(db, " OR ".join(f'^ "{phrase}"' for phrase in phrases))


def _parted(db: sqlite3.Connection, asked: Sequence[str], within: Ints | None) -> Iterator[Place]:
    """Yield where one passage ends with the first of two terms and the next begins with the second.

    Passages overlap, but in what both hold there may be no term: a dash.
    """
    if len(asked) != 2:
        return
    begun = _holding(db, f'^ "{asked[1]}"')
    before = json.dumps((begun - 1).tolist())
    rows = db.execute("SELECT id, c0 FROM words_content WHERE id IN (SELECT value FROM json_each(?))", (before,))
    for number, text in rows.fetchall():
        if text.rsplit(" ", 1)[-1] == asked[0] and len(_inside(np.array([number, number + 1]), within)):
            yield number, number + 1


def surely(db: sqlite3.Connection, asked: Sequence[str], plain: Sequence[str], within: Ints | None) -> Ints:
    """Return the passages in which words stand as they are asked for, with nothing but space and signs between; rising.

    `asked` holds their terms, `plain` the words themselves, in ASCII. Passages with other letters are left out.
    """
    silent = _numbers(db.execute(_SILENT).fetchone()[0])
    numbers = _inside(_speech(_holding(db, f'"{" ".join(asked)}"'), silent), within)
    look = re.compile(rf"(?<![\w'’]){_written(plain, _GAP)}(?![\w'’])", re.IGNORECASE)
    found = [number for number, text in _texts(db, numbers) if text.isascii() and look.search(text)]
    return np.array(sorted(found), np.int64)


def _verbatim(db: sqlite3.Connection, numbers: Sequence[int], plain: Sequence[str], enough: int) -> list[int]:
    """Leave out the passages that hold the terms in a row but other forms of the words, as far as one look can tell.

    Stops when `enough` are found that surely hold the words.
    """
    if not plain:
        return list(numbers)
    gap = r"[\W_]*" if any(is_unspaced(word[0]) for word in plain) else _GAP
    look = re.compile(_written(plain, gap), re.IGNORECASE)
    kept: list[int] = []
    sure = 0
    for at in range(0, len(numbers), 1_000):
        for number, text in _texts(db, numbers[at : at + 1_000]):
            if look.search(text):
                kept.append(number)
                sure += 1
            elif not text.isascii():  # accents may be written or not; such texts are looked at later, with care
                kept.append(number)
        if sure >= enough:
            break
    return kept


_GAP = r"[\W_]+"


def _written(plain: Sequence[str], gap: str) -> str:
    """Return a pattern of words as they may be written, with what a `gap` matches between them."""
    return gap.join("['’]?".join(map(re.escape, word)) for word in plain)


def _texts(db: sqlite3.Connection, numbers: Sequence[int]) -> list[tuple[int, str]]:
    wanted = json.dumps(list(numbers))
    return db.execute(
        "SELECT number, text FROM passages WHERE number IN (SELECT value FROM json_each(?))", (wanted,)
    ).fetchall()


def _sift(
    db: sqlite3.Connection,
    places: Sequence[Place],
    asked: Sequence[str],
    common: frozenset[str],
    ways: Mapping[str, TermVariants],
    keep: int,
) -> list[Place]:
    """Return the places whose terms lie best along those asked for, best first."""
    if len(places) <= keep:
        return list(places)
    wanted = json.dumps(sorted({number for place in places for number in place}))
    # The word index keeps the terms it was given; read as a plain table it gives them ten times quicker.
    rows = db.execute("SELECT id, c0 FROM words_content WHERE id IN (SELECT value FROM json_each(?))", (wanted,))
    held = {number: text.split() for number, text in rows}
    joined = [_joined(held.get(first, []), held.get(last, []) if last > first else []) for first, last in places]
    units = [Unit(term, term, 0, 0) for term in asked]
    weights = np.array([COMMON if term in common else 1.0 for term in asked], np.float32)
    heard = [_heard_anywhere(ways)] * len(joined)
    costs = tables_of(units, weights, joined, joined, heard, joining=False).least[-1].min(axis=1)
    best = np.argsort(costs, kind="stable")[:keep]
    # Joined words and words that sound alike are only seen in the cues: they may turn out better.
    return [places[at] for at in best.tolist() if costs[at] <= (1 - ENOUGH) * weights.sum() + _UNSEEN]


def _heard_anywhere(ways: Mapping[str, TermVariants]) -> dict[str, str]:
    return {
        other: meant
        for meant, way in ways.items()
        for written in [*way.terms, *(phrase for phrase, _ in way.phrases)]
        for other in written.split()
    }


def _joined(one: list[str], other: list[str]) -> list[str]:
    """Return the terms of two passages, those that both hold at the border once.

    >>> _joined("a b c d".split(), "c d e".split())
    ['a', 'b', 'c', 'd', 'e']
    """
    for size in range(min(len(one), len(other)), 0, -1):
        if one[-size:] == other[:size]:
            return one + other[size:]
    return one + other


def _holding(db: sqlite3.Connection, match: str) -> Ints:
    """Return passages as SQLite hands them over quickest where they are many: as one text."""
    row = db.execute("SELECT group_concat(rowid) FROM words WHERE words MATCH ?", (match,)).fetchone()
    return _numbers(row[0])


def _numbers(text: str | None) -> Ints:
    return np.fromstring(text, np.int64, sep=",") if text else np.empty(0, np.int64)


def _speech(numbers: Ints, silent: Ints) -> Ints:
    return numbers[~np.isin(numbers, silent)]


def _inside(numbers: Ints, within: Ints | None) -> list[int]:
    found: list[int] = (numbers if within is None else numbers[np.isin(numbers, within)]).tolist()
    return found
