"""What was said word for word, across cue and passage borders, also where captions misheard it or memory changed it.

Three steps, each over fewer words: passages that hold terms of the quote, and neighbours of it side by side, are
counted in the word index; the terms of the best few hundred are aligned with the quote; the cues of what is left are
read, and aligned word by word. An alignment puts the whole quote on any stretch of a talk at the least cost (Sellers
1980, edit distance with a free beginning and end in the text), with part of the credit for words that are alike.
"""

from __future__ import annotations

import itertools
import json
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from talksearch.indexer.records import Cue, Word
from talksearch.indexer.split import words_with_times
from talksearch.indexer.vectors import Ints
from talksearch.indexer.words import is_unspaced, spans, terms, unaccented

from .heard import Also, also, heard_in
from .postings import surprise

Costs = npt.NDArray[np.float32]

Op = Literal["same", "changed", "asked", "said", "swapped"]
"""What became of some words: said as asked; other words instead; only asked; only said; the other way round."""

_ENOUGH = 0.6
"""How much of a quote must be right, where it has more words than are asked for exactly."""

_EXACT = 2.0
"""Quotes of up to so many words are asked for exactly: with one word changed, nothing would be left of them."""

_COMMON = 0.6
"""What a word counts that stands nearly everywhere; others count 1. Memory keeps the telling words."""

_LEFT_OUT = 0.8
"""What it costs, times the word's weight, when a word of the quote is not said; less than 1, so that a quote begins and
ends with words that are said."""

_ADDED = 0.4
"""What it costs when a word is said that the quote leaves out."""

_SWAPPED = 0.5
"""What it costs when two words beside each other are said the other way round."""

_INFLECTED, _NUMBER, _MISHEARD, _ALIKE = 0.9, 0.9, 0.8, 0.8
"""Credit for another form of a word, a number written out, a known mishearing, and (times the likeness) for letters."""

_LETTERS = 0.6
"""Share of letters that two words must have in common to be taken for alike."""

_SHORTEST = 4
"""Letters of the shortest words that can be alike."""

_CHUNK = 16
"""Terms that are looked for together: so many nearly always lie in one passage or two neighbours."""

_PLACES = 200
"""Places whose terms are aligned with the quote, at the most."""

_WORTH = 0.25
"""The evidence that a place must have for that, as a share of what the best place has, where places are many."""

_MORE = 10
"""Places whose cues are read beyond those asked for, as two passages often hold the same words."""

_TELLING = 4
"""Telling terms that find a quote without the help of two common words in a row."""

_AT_ONCE = 40
"""Stretches that are aligned at once."""

_UNSEEN = 1.0
"""How many words of a place may turn out to be right that do not look so by their terms."""

_FAR = np.float32(1e6)


@dataclass(frozen=True, slots=True)
class Difference:
    """A stretch of a quote: the words as they were asked for, and as they were said."""

    op: Op
    asked: str
    said: str


@dataclass(frozen=True, slots=True)
class Quoted:
    """Where a quote was said."""

    talk: int
    """The talk's number in the catalog."""
    first_cue: int
    last_cue: int
    """Both ends included."""
    start_ms: int
    """When the first word of the quote begins."""
    end_ms: int
    text: str
    """The words as they were said."""
    score: float
    """1 where it was said word for word; less with each difference."""
    difference: tuple[Difference, ...]
    """The whole quote in order."""
    passages: tuple[int, ...]
    """The numbers of the passages it lies in, first those that hold all of it."""


@dataclass(frozen=True, slots=True)
class _Unit:
    """A word, or one character of a script without spaces, and where it stands in its text."""

    plain: str
    term: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Words of a talk in a row."""

    talk: int
    text: str
    units: tuple[_Unit, ...]
    times: tuple[tuple[int, int, int], ...]
    """Of each unit: the cue's number, when it begins and ends."""


@dataclass(frozen=True, slots=True)
class _Found:
    stretch: _Stretch
    first: int
    last: int
    score: float
    pairs: tuple[tuple[Op, tuple[int, ...], tuple[int, ...]], ...]


def find_quotes(db: sqlite3.Connection, text: str, within: Ints | None, count: int) -> list[Quoted]:
    """Find where something was said, best first.

    Punctuation and case make no difference. A quote of one or two words must be said as it stands; a longer one may
    differ in some words, which the score and the differences tell. Of stretches of a talk that overlap only the best is
    returned. `within` holds the numbers of the passages that are allowed, sorted (`candidates.allowed`); None allows
    all. Returns an empty list where nothing of the kind was said.
    """
    asked = tuple(_units(text))
    if not asked or count < 1:
        return []
    ways = also(db, text, tuple(dict.fromkeys(terms(text))), compounds=False)  # a quote is of whole words
    common = _common(db, [unit.term for unit in asked])
    size = sum(0.5 if is_unspaced(unit.plain[0]) else 1.0 for unit in asked)
    exact = size <= _EXACT
    weights = np.array([_COMMON if unit.term in common else 1.0 for unit in asked], np.float32)
    keep = count + _MORE
    chunks = _chunks(text)
    plain = [unit.plain for unit in asked] if len(chunks) == 1 else []
    ways = {} if exact else ways
    places = list(
        dict.fromkeys(
            place for chunk in chunks for place in _places(db, chunk, plain, ways, common, within, keep, exact)
        )
    )
    found: list[_Found] = []
    # What is asked for exactly may stand in thousands of places: no more are read than it takes.
    step = keep if exact else len(places)
    for at in range(0, len(places), max(step, 1)):
        stretches = _stretches(db, places[at : at + step], len(asked))
        found = _apart([*found, *_align(asked, weights, stretches, ways, 1.0 if exact else _ENOUGH)])
        if exact and len(found) >= count:
            break
    return _report(db, text, asked, found, within, count)


# --- words ----------------------------------------------------------------------------------------------------------


def _units(text: str) -> Iterator[_Unit]:
    """Yield the words of a text as they are compared; of scripts without spaces each character is one.

    >>> [unit.plain for unit in _units("It's 相对论!")]
    ['its', '相', '对', '论']
    """
    behind = -1
    for term in spans(text):
        if not is_unspaced(term.text[0]):
            plain = _plain(text[term.start : term.end])
            if plain:
                yield _Unit(plain, term.text, term.start, term.end)
            continue
        one_by_one = term.end - term.start == len(term.text)
        for at, character in enumerate(term.text):
            start = term.start + at if one_by_one else term.start
            if not one_by_one or start > behind:
                yield _Unit(character, character, start, start + 1 if one_by_one else term.end)
                behind = start


@lru_cache(maxsize=200_000)
def _plain(word: str) -> str:
    """A word in small letters, without accents and apostrophes, not stemmed."""
    return unaccented(word.replace("'", "").replace("’", ""))


_SMALL = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_DIGITS = {word: str(number) for number, word in enumerate(_SMALL)}
_DIGITS |= {ten: str(10 * at) for at, ten in enumerate(_TENS, 2)}
_DIGITS |= {ten + one: str(10 * at + of) for at, ten in enumerate(_TENS, 2) for of, one in enumerate(_SMALL[1:10], 1)}
"""English numbers up to 99 as captions write them out, those of two words joined."""


def _common(db: sqlite3.Connection, asked: Sequence[str]) -> frozenset[str]:
    rows = db.execute("SELECT term FROM common WHERE term IN (SELECT value FROM json_each(?))", (json.dumps(asked),))
    return frozenset(row[0] for row in rows)


# --- places: which passages may hold it ------------------------------------------------------------------------------

Place = tuple[int, int]
"""A passage, or two that follow each other: (number of the first, of the last)."""


def _chunks(text: str) -> list[tuple[tuple[str, ...], ...]]:
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


def _places(
    db: sqlite3.Connection,
    chunk: tuple[tuple[str, ...], ...],
    plain: Sequence[str],
    ways: Mapping[str, Also],
    common: frozenset[str],
    within: Ints | None,
    keep: int,
    exact: bool,
) -> list[Place]:
    """Return the places that may hold the terms, best first; of a quote that is asked for exactly all of them.

    `plain` holds the words of the quote where the terms are all of it.
    """
    silent = _numbers(db.execute("SELECT group_concat(number) FROM passages WHERE field != 'speech'").fetchone()[0])
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
        weight = surprise(passages, len(numbers)) if len(numbers) else 0.0
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
    db: sqlite3.Connection, chunk: tuple[tuple[str, ...], ...], ways: Mapping[str, Also], common: frozenset[str]
) -> Iterator[Ints]:
    """Yield the passages that hold each telling term in whatever way it is written, and each two terms in a row."""
    every = dict.fromkeys(term for run in chunk for term in run)
    telling = [term for term in every if term not in common]
    for term in telling or (every if max(map(len, chunk)) == 1 else []):
        way = ways.get(term, Also())
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


def _verbatim(db: sqlite3.Connection, numbers: Sequence[int], plain: Sequence[str], enough: int) -> list[int]:
    """Leave out the passages that hold the terms in a row but other forms of the words, as far as one look can tell.

    Stops when `enough` are found that surely hold the words.
    """
    if not plain:
        return list(numbers)
    words = ["['’]?".join(map(re.escape, word)) for word in plain]
    gap = r"[\W_]*" if any(is_unspaced(word[0]) for word in plain) else r"[\W_]+"
    look = re.compile(gap.join(words), re.IGNORECASE)
    kept: list[int] = []
    sure = 0
    for at in range(0, len(numbers), 1_000):
        rows = db.execute(
            "SELECT number, text FROM passages WHERE number IN (SELECT value FROM json_each(?))",
            (json.dumps(numbers[at : at + 1_000]),),
        )
        for number, text in rows.fetchall():
            if look.search(text):
                kept.append(number)
                sure += 1
            elif not text.isascii():  # accents may be written or not; such texts are looked at later, with care
                kept.append(number)
        if sure >= enough:
            break
    return kept


def _sift(
    db: sqlite3.Connection,
    places: Sequence[Place],
    asked: Sequence[str],
    common: frozenset[str],
    ways: Mapping[str, Also],
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
    units = [_Unit(term, term, 0, 0) for term in asked]
    weights = np.array([_COMMON if term in common else 1.0 for term in asked], np.float32)
    heard = [_heard_anywhere(ways)] * len(joined)
    costs = _tables(units, weights, joined, joined, heard, joining=False).least[-1].min(axis=1)
    best = np.argsort(costs, kind="stable")[:keep]
    # Joined words and words that sound alike are only seen in the cues: they may turn out better.
    return [places[at] for at in best.tolist() if costs[at] <= (1 - _ENOUGH) * weights.sum() + _UNSEEN]


def _heard_anywhere(ways: Mapping[str, Also]) -> dict[str, str]:
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


# --- stretches: the words of talks around places ---------------------------------------------------------------------

_Place = tuple[int, int]
"""Where a word stands in a talk: the cue's number, the word's in it."""

_Said = tuple[_Place, str, int, int]
"""A word of a talk: where it stands, itself, when it begins and ends."""


def _stretches(db: sqlite3.Connection, places: Iterable[Place], length: int) -> list[_Stretch]:
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


def _stretch(talk: int, words: Sequence[_Said]) -> _Stretch:
    begins = [0, *itertools.accumulate(len(word) + 1 for _, word, *_ in words)]
    text = " ".join(word for _, word, *_ in words)
    units = tuple(_units(text))
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
    return _Stretch(talk, text, units, tuple(times))


# --- alignment ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Tables:
    """The costs of putting a quote of n words on stretches; c of them, the longest of m words."""

    change: Costs
    """Of saying one word for another (n, c, m)."""
    split: Costs | None
    """Of saying two words for one, by the second of those said (n, c, m); None where this is not looked at."""
    join: Costs | None
    """Of saying one word for two, by the second of those asked (n, c, m)."""
    least: npt.NDArray[np.float64]
    """Of the best way to say the first i words so that it ends with the j-th word of a stretch (n + 1, c, m + 1)."""


def _tables(
    asked: Sequence[_Unit],
    weights: Costs,
    said: Sequence[Sequence[str]],
    said_terms: Sequence[Sequence[str]],
    heard: Sequence[Mapping[str, str]],
    *,
    joining: bool,
) -> _Tables:
    """Align a quote with stretches, all at once. `heard` says for each which terms stand for one that was asked."""
    n, m = len(asked), max(map(len, said), default=0)
    vocabulary: defaultdict[str, int] = defaultdict(itertools.count().__next__)
    at = np.full((len(said), m), -1, np.int64)
    for row, words in enumerate(said):
        at[row, : len(words)] = [vocabulary[word] for word in words]
    term_of: dict[str, str] = {}
    for words, stems in zip(said, said_terms, strict=True):
        term_of.update(zip(words, stems, strict=True))
    credit = np.zeros((n, len(vocabulary) + 1), np.float32)  # the last column is that of no word
    if vocabulary:
        credit[:, :-1] = _credit(asked, list(vocabulary), [term_of[word] for word in vocabulary], sounds=joining)
    change = (weights[:, None] * (1 - credit))[:, at]
    for row, names in enumerate(heard):
        for column, term in enumerate(said_terms[row] if names else ()):
            meant = names.get(term)
            for i, one in enumerate(asked if meant else ()):
                if one.term == meant:
                    change[i, row, column] = min(change[i, row, column], weights[i] * (1 - _MISHEARD))
    split = join = None
    if joining and m:
        pairs: defaultdict[str, int] = defaultdict(itertools.count(1).__next__)
        pair_at = np.zeros_like(at)
        for row, words in enumerate(said):
            pair_at[row, 1 : len(words)] = [pairs[one + other] for one, other in pairwise(words)]
        split = np.where(pair_at == 0, _FAR, 0).astype(np.float32)[None].repeat(n, 0)
        if pairs:
            worth = np.zeros((n, len(pairs) + 1), np.float32)
            worth[:, 1:] = _joint([unit.plain for unit in asked], list(pairs))
            split += np.where(worth > 0, weights[:, None] * (1 - worth), _FAR)[:, pair_at]
        join = np.full((n, *at.shape), _FAR, np.float32)
        if n > 1:
            worth = _joint([one.plain + other.plain for one, other in pairwise(asked)], [*vocabulary, ""])
            worth[:, -1] = 0
            both = (weights[1:] + weights[:-1])[:, None]
            join[1:] = np.where(worth > 0, both * (1 - worth), _FAR)[:, at]
    return _Tables(change, split, join, _least(asked, weights, change, split, join, at, vocabulary))


def _least(
    asked: Sequence[_Unit],
    weights: Costs,
    change: Costs,
    split: Costs | None,
    join: Costs | None,
    at: Ints,
    vocabulary: Mapping[str, int],
) -> npt.NDArray[np.float64]:
    n, (c, m) = len(asked), at.shape
    least = np.zeros((n + 1, c, m + 1))
    added = _ADDED * np.arange(m + 1)
    wanted = [vocabulary.get(unit.plain, -2) for unit in asked]
    for i in range(1, n + 1):
        row = least[i - 1] + _LEFT_OUT * weights[i - 1]
        row[:, 1:] = np.minimum(row[:, 1:], least[i - 1][:, :-1] + change[i - 1])
        if split is not None:
            row[:, 2:] = np.minimum(row[:, 2:], least[i - 1][:, :-2] + split[i - 1][:, 1:])
        if i > 1:
            if join is not None:
                row[:, 1:] = np.minimum(row[:, 1:], least[i - 2][:, :-1] + join[i - 1])
            crossed = (at[:, 1:] == wanted[i - 2]) & (at[:, :-1] == wanted[i - 1])
            row[:, 2:] = np.minimum(row[:, 2:], np.where(crossed, least[i - 2][:, :-2] + _SWAPPED, _FAR))
        # Words that are only said: the least over all places before, in one pass.
        least[i] = np.minimum.accumulate(row - added, axis=1) + added
    return least


def _credit(asked: Sequence[_Unit], words: Sequence[str], terms_of: Sequence[str], *, sounds: bool) -> Costs:
    """Return how much of an asked word each said word is worth (n, words): 1 for itself, 0 for something else."""
    plain = [unit.plain for unit in asked]
    worth = np.asarray(_likeness(plain, words, 0.5 if sounds else _LETTERS), np.float32)
    long = np.array([len(word) for word in words]) >= _SHORTEST
    worth *= long[None, :] & (np.array([len(word) for word in plain]) >= _SHORTEST)[:, None]
    if sounds:
        from talksearch.indexer.likeness import alike  # only where words are compared, as in `heard`

        for i, j in np.argwhere((worth > 0) & (worth < 1)).tolist():
            worth[i, j] = max(worth[i, j], alike(plain[i], words[j]))
    worth = np.where(worth >= _LETTERS, worth * _ALIKE, 0).astype(np.float32)
    by_word = {word: j for j, word in enumerate(words)}
    by_term: dict[str, list[int]] = {}
    for j, term in enumerate(terms_of):
        by_term.setdefault(term, []).append(j)
    for i, unit in enumerate(asked):
        worth[i, by_term.get(unit.term, [])] = _INFLECTED
        digits = _DIGITS.get(unit.plain)
        for other in [digits] if digits else [word for word, number in _DIGITS.items() if number == unit.plain]:
            if other in by_word:
                worth[i, by_word[other]] = _NUMBER
        if unit.plain in by_word:
            worth[i, by_word[unit.plain]] = 1.0
    return worth


def _joint(asked: Sequence[str], said: Sequence[str]) -> Costs:
    """Return the credit for words that were written as one or as two: "block chain", "twenty-one" and "21"."""
    worth = np.asarray(_likeness(asked, said, 0.75), np.float32)
    worth *= (np.array([len(word) for word in asked]) >= _SHORTEST + 2)[:, None]
    worth = np.where(worth == 1, _INFLECTED, worth * _ALIKE).astype(np.float32)
    place = {word: j for j, word in enumerate(said)}
    for i, word in enumerate(asked):
        for other in [word, _DIGITS.get(word, "")]:
            if len(word) > 1 and other in place:
                worth[i, place[other]] = _INFLECTED
        if word.isdigit():
            for other, number in _DIGITS.items():
                if number == word and other in place:
                    worth[i, place[other]] = _NUMBER
    return worth


def _likeness(one: Sequence[str], other: Sequence[str], least: float) -> Costs:
    found: Costs = process.cdist(
        one, other, scorer=Levenshtein.normalized_similarity, score_cutoff=least, dtype=np.float32
    )
    return found


def _align(
    asked: Sequence[_Unit],
    weights: Costs,
    stretches: Sequence[_Stretch],
    ways: Mapping[str, Also],
    enough: float,
) -> list[_Found]:
    """Return where in stretches the quote is said well enough; what overlaps only once."""
    found: list[_Found] = []
    total = float(weights.sum())
    ordered = sorted((stretch for stretch in stretches if stretch.units), key=lambda stretch: len(stretch.units))
    at = 0
    while at < len(ordered):
        # Long quotes make long stretches: as many at once as memory allows.
        size = max(1, min(_AT_ONCE, 4_000_000 // (len(asked) * len(ordered[at].units))))
        group = ordered[at : at + size]
        at += size
        heard = [heard_in(ways, stretch.talk) if ways else {} for stretch in group]
        plain = [[unit.plain for unit in stretch.units] for stretch in group]
        stems = [[unit.term for unit in stretch.units] for stretch in group]
        tables = _tables(asked, weights, plain, stems, heard, joining=enough < 1)
        for row, stretch in enumerate(group):
            ends = tables.least[-1, row, : len(stretch.units) + 1]
            taken: list[range] = []
            for end in np.argsort(ends, kind="stable").tolist():
                if ends[end] > total * (1 - enough) + 1e-3:
                    break
                if any(end - 1 in one for one in taken):
                    continue
                pairs, cost = _way(asked, weights, stretch.units, tables, row, end)
                used = [j for _, _, js in pairs for j in js]
                score = 1 - cost / total
                if not used or score < enough - 1e-6:
                    continue
                if any(one.start <= used[-1] and used[0] < one.stop for one in taken):
                    continue
                taken.append(range(used[0], used[-1] + 1))
                found.append(_Found(stretch, used[0], used[-1], score, pairs))
    return found


def _way(
    asked: Sequence[_Unit], weights: Costs, said: Sequence[_Unit], tables: _Tables, row: int, end: int
) -> tuple[tuple[tuple[Op, tuple[int, ...], tuple[int, ...]], ...], float]:
    """Go back along the best alignment that ends before the word `end`: (its steps in order, its cost)."""
    least = tables.least[:, row]
    i, j = len(asked), end
    steps: list[tuple[Op, tuple[int, ...], tuple[int, ...]]] = []
    cost = 0.0

    def comes(price: float, from_i: int, from_j: int) -> bool:
        return from_i >= 0 and from_j >= 0 and bool(abs(least[from_i, from_j] + price - least[i, j]) < 1e-4)

    while i > 0:
        price = float(tables.change[i - 1, row, j - 1]) if j > 0 else 0.0
        if j > 0 and comes(price, i - 1, j - 1):
            same = asked[i - 1].plain == said[j - 1].plain
            steps.append(("same" if same else "changed", (i - 1,), (j - 1,)))
            price, i, j = 0.0 if same else price, i - 1, j - 1
        elif i > 1 and j > 1 and _crossed(asked, said, i, j) and comes(_SWAPPED, i - 2, j - 2):
            steps.append(("swapped", (i - 2, i - 1), (j - 2, j - 1)))
            price, i, j = _SWAPPED, i - 2, j - 2
        elif tables.split is not None and j > 1 and comes(float(tables.split[i - 1, row, j - 1]), i - 1, j - 2):
            steps.append(("changed", (i - 1,), (j - 2, j - 1)))
            price, i, j = float(tables.split[i - 1, row, j - 1]), i - 1, j - 2
        elif tables.join is not None and i > 1 and j > 0 and comes(float(tables.join[i - 1, row, j - 1]), i - 2, j - 1):
            steps.append(("changed", (i - 2, i - 1), (j - 1,)))
            price, i, j = float(tables.join[i - 1, row, j - 1]), i - 2, j - 1
        elif comes(price := _LEFT_OUT * float(weights[i - 1]), i - 1, j):
            steps.append(("asked", (i - 1,), ()))
            i -= 1
        else:
            steps.append(("said", (), (j - 1,)))
            price, j = _ADDED, j - 1
        cost += price
    return tuple(reversed(steps)), cost


def _crossed(asked: Sequence[_Unit], said: Sequence[_Unit], i: int, j: int) -> bool:
    return asked[i - 1].plain == said[j - 2].plain and asked[i - 2].plain == said[j - 1].plain


# --- results --------------------------------------------------------------------------------------------------------


def _apart(found: Iterable[_Found]) -> list[_Found]:
    """Return what was found, best first; where two of a talk overlap the better one."""
    kept: dict[int, list[_Found]] = {}
    best = []
    for one in sorted(found, key=lambda one: (-round(one.score, 6), one.stretch.talk, one.stretch.times[one.first])):
        others = kept.setdefault(one.stretch.talk, [])
        if not any(_overlap(one, other) for other in others):
            others.append(one)
            best.append(one)
    return best


def _overlap(one: _Found, other: _Found) -> bool:
    if one.stretch is other.stretch:
        return one.first <= other.last and other.first <= one.last
    (a, b), (c, d) = (
        (which.stretch.times[which.first][:2], which.stretch.times[which.last][:2]) for which in (one, other)
    )
    return a <= d and c <= b


def _report(
    db: sqlite3.Connection,
    text: str,
    asked: Sequence[_Unit],
    found: Iterable[_Found],
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


def _difference(text: str, asked: Sequence[_Unit], found: _Found) -> tuple[Difference, ...]:
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
