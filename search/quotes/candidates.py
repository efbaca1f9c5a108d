"""Candidates: the passages, or neighbours of two, that may say a quote, as the word index gives them for its terms."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from talksearch.indexer.arrays import Floats, Ints
from talksearch.indexer.text.terms import is_unspaced, written_forms
from talksearch.search.ranking.layout import parse_numbers
from talksearch.search.ranking.postings import idf
from talksearch.search.ranking.term_variants import TermVariants

from .costs import SpokenWords, cost_tables
from .quote import ENOUGH, Chunk, Quote, weights_of
from .stretches import PassageSpan
from .units import Unit

_MOST = 200
"""How many candidates have their terms aligned with the quote at most."""

_LEAST_EVIDENCE = 0.25
"""The evidence that a candidate must have for that, as a share of what the best one has, where there are many."""

_SURELY_KEPT = 2
"""How many times as many candidates as are kept need no such evidence."""

_EXACT_PASSAGES = 5
"""How many times as many passages as are kept are looked for that hold an exact quote: not all of them will say it."""

_TELLING = 4
"""With this many telling terms, a quote is found without the help of two stop terms in a row."""

_UNSEEN = 1.0
"""How many words of a candidate may turn out to be right that do not look so by their terms."""

_BEGINNING = 3
"""How many terms in a row show that a passage begins amid the quote."""

_ROUNDING = 1e-3
"""By how much a sum of weights may be too low by rounding."""

_TEXTS_AT_ONCE = 1_000
"""How many texts of passages are read at once."""

_GAP = r"[\W_]+"
"""Matches what may stand between two words of a quote."""

_UNSPACED_GAP = r"[\W_]*"
"""Matches what may stand between two words where some are of scripts without spaces."""


class _Matches(NamedTuple):
    """Evidence for a quote, by passage number (highest number + 2,)."""

    alone: Floats
    """For each passage by itself."""
    pairs: Floats
    """For each passage together with the next one; 0 where they hold no more than either of them."""
    full: float
    """What a passage has that holds all of the quote."""


def find_candidates(db: sqlite3.Connection, quote: Quote, allowed: Ints | None, kept: int) -> list[PassageSpan]:
    """Return the passages, or neighbours of two, that may say a quote, best first for each of its chunks.

    Args:
        db: the catalog.
        quote: the quote.
        allowed: the numbers of the passages that are allowed, sorted; None allows all.
        kept: how many are returned for a chunk of a quote that may be said otherwise; for an exact quote all are.
    """
    search = _Search(db, quote, allowed, _notes(db), kept)
    return list(dict.fromkeys(span for chunk in quote.chunks for span in search.candidates(chunk)))


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """The search for the candidates of a quote."""

    db: sqlite3.Connection
    quote: Quote
    allowed: Ints | None
    """The numbers of the passages that are allowed, sorted; None allows all."""
    notes: Ints
    """The numbers of the notes, which say nothing."""
    kept: int
    """How many candidates are returned for a chunk of a quote that may be said otherwise."""

    def candidates(self, chunk: Chunk) -> list[PassageSpan]:
        """Return the passages, or neighbours of two, that may hold a chunk, best first; for an exact quote all."""
        terms = chunk.terms
        if all(len(term) == 1 and is_unspaced(term) for term in terms):
            return self._with_character(terms[0])
        whole: list[int] = []
        if len(chunk.runs) == 1:
            whole = _filtered(_without(_matching(self.db, _phrase(terms)), self.notes), self.allowed)
            if self.quote.exact:
                verbatim = _verbatim(self.db, whole, chunk.words, _EXACT_PASSAGES * self.kept)
                return [*(PassageSpan(number, number) for number in verbatim), *self._across_border(terms)]
            if len(whole) > _MOST:
                whole = _verbatim(self.db, whole, chunk.words, _MOST)
        spans = self._likeliest(self._score(chunk), whole[:_MOST], terms)
        return self._aligned_best(spans, terms)

    def _with_character(self, character: str) -> list[PassageSpan]:
        """Return the passages whose text holds a character that is no term of the word index."""
        written = written_forms(character)
        condition = " OR ".join(["instr(text, ?) > 0"] * len(written))
        statement = f"SELECT group_concat(number) FROM passages WHERE {condition}"  # noqa: S608 - values are bound
        (numbers,) = self.db.execute(statement, written).fetchone()
        return [PassageSpan(number, number) for number in _filtered(parse_numbers(numbers), self.allowed)]

    def _across_border(self, terms: Sequence[str]) -> Iterator[PassageSpan]:
        """Yield where one passage ends with the first of two terms and the next begins with the second.

        Passages overlap, but in what both hold there may be no term: a dash.
        """
        if len(terms) != 2:
            return
        first, second = terms
        previous = _matching(self.db, f'^ "{second}"') - 1
        for number, text in _read_terms(self.db, previous.tolist()):
            if text.rsplit(" ", 1)[-1] == first and len(_filtered(np.array([number, number + 1]), self.allowed)):
                yield PassageSpan(number, number + 1)

    def _score(self, chunk: Chunk) -> _Matches:
        """Return the evidence of every passage for a chunk: the idf of what it holds, summed up."""
        highest, passages = self.db.execute("SELECT coalesce(max(number), 0), count(*) FROM passages").fetchone()
        alone = np.zeros(highest + 2, np.float32)
        pairs = np.zeros(highest + 2, np.float32)
        full = 0.0
        for numbers in self._features(chunk):
            numbers = numbers[numbers <= highest]  # damaged words may be of no passage
            weight = idf(passages, len(numbers)) if len(numbers) else 0.0
            full += weight
            held = np.zeros(highest + 2, np.float32)
            held[numbers] = weight
            alone += held
            held[:-1] = np.maximum(held[:-1], held[1:])
            pairs += held
        for scores in (alone, pairs):
            scores[self.notes] = 0
        if self.allowed is not None:
            allowed = np.zeros(highest + 2, bool)
            allowed[self.allowed[self.allowed <= highest]] = True
            alone[~allowed] = 0
            allowed[:-1] |= allowed[1:]
            pairs[~allowed] = 0
        next_alone = np.append(alone[1:], np.float32(0))
        pairs[pairs <= np.maximum(alone, next_alone) + 1e-4] = 0
        return _Matches(alone, pairs, full)

    def _features(self, chunk: Chunk) -> Iterator[Ints]:
        """Yield the passages that hold each telling term, however it is written, and each two terms in a row."""
        quote = self.quote
        distinct = dict.fromkeys(chunk.terms)
        telling = [term for term in distinct if term not in quote.stop_terms]
        for term in telling or (distinct if max(map(len, chunk.runs)) == 1 else []):
            # What stands for a name in one talk may be found in too many here; the alignment will see.
            others = dict.fromkeys(quote.variants.get(term, TermVariants()).texts())
            yield _matching(self.db, " OR ".join(f'"{text}"' for text in [term, *others]))
        for first, second in dict.fromkeys(pair for run in chunk.runs for pair in pairwise(run)):
            if len(telling) >= _TELLING and first in quote.stop_terms and second in quote.stop_terms:
                continue  # they stand in thousands of passages and take the longest to find
            yield _matching(self.db, _phrase((first, second)))

    def _likeliest(self, matches: _Matches, whole: Sequence[int], terms: Sequence[str]) -> list[PassageSpan]:
        """Return the candidates with the most evidence, those passages first that hold the terms in a row (`whole`)."""
        alone, pairs, full = matches
        spans: dict[PassageSpan, None] = {PassageSpan(number, number): None for number in whole}
        if int((alone >= full - _ROUNDING).sum() + (pairs >= full - _ROUNDING).sum()) > _MOST:
            # The words are so common that too many neighbours hold them all: those count where the second passage
            # begins amid the quote.
            begun = [number for number in self._beginning_amid(terms).tolist() if pairs[number - 1]]
            spans |= {PassageSpan(number - 1, number): None for number in begun}
        scores = np.concatenate([alone, pairs])
        least = _LEAST_EVIDENCE * float(scores.max())
        best = np.argpartition(-scores, min(_MOST, len(scores) - 1))[:_MOST]
        for rank, index in enumerate(best[np.argsort(-scores[best], kind="stable")].tolist()):
            if scores[index] > (least if rank >= _SURELY_KEPT * self.kept else 0):
                number, is_pair = index % len(alone), index >= len(alone)
                spans[PassageSpan(number, number + is_pair)] = None
        return list(spans)

    def _beginning_amid(self, terms: Sequence[str]) -> Ints:
        """Return the passages that begin amid the quote, with two of its terms at the least."""
        starts = range(1, max(2, len(terms) - 1))
        phrases = [terms[start : start + _BEGINNING] for start in starts]
        return _matching(self.db, " OR ".join(f"^ {_phrase(phrase)}" for phrase in phrases))

    def _aligned_best(self, spans: Sequence[PassageSpan], terms: Sequence[str]) -> list[PassageSpan]:
        """Return the candidates whose terms are aligned best with those of the quote, best first."""
        if len(spans) <= self.kept:
            return list(spans)
        held = {
            number: text.split()
            for number, text in _read_terms(self.db, sorted({number for span in spans for number in span}))
        }
        meanings = _meanings_anywhere(self.quote.variants)
        spoken = []
        for first, last in spans:
            joined = _joined(held.get(first, []), held.get(last, []) if last > first else [])
            spoken.append(SpokenWords(joined, joined, meanings))
        units = [Unit(term, term, 0, 0) for term in terms]
        weights = weights_of(terms, self.quote.stop_terms)
        costs = cost_tables(units, weights, spoken, joining=False).least[-1].min(axis=1)
        # Joined words and words that sound alike are only seen in the cues: such candidates may turn out better.
        highest = (1 - ENOUGH) * weights.sum() + _UNSEEN
        best = np.argsort(costs, kind="stable")[: self.kept]
        return [spans[position] for position in best.tolist() if costs[position] <= highest]


def verbatim_passages(db: sqlite3.Connection, chunk: Chunk, allowed: Ints | None) -> Ints:
    """Return the passages in which the words of a chunk stand with nothing but space and signs between; rising.

    The words are in ASCII. Passages with other letters are left out.
    """
    numbers = _filtered(_without(_matching(db, _phrase(chunk.terms)), _notes(db)), allowed)
    pattern = re.compile(rf"(?<![\w'’]){_pattern_of(chunk.words, _GAP)}(?![\w'’])", re.IGNORECASE)
    holding = [number for number, text in _read_texts(db, numbers) if text.isascii() and pattern.search(text)]
    return np.array(sorted(holding), np.int64)


def _verbatim(db: sqlite3.Connection, numbers: Sequence[int], words: Sequence[str], enough: int) -> list[int]:
    """Return passages that hold terms in a row, without those that hold other forms of the words.

    Args:
        db: the catalog.
        numbers: the passages.
        words: the normalized words; without them, all passages are returned.
        enough: with so many passages that surely hold the words, no others are looked at.
    """
    if not words:
        return list(numbers)
    gap = _UNSPACED_GAP if any(is_unspaced(word[0]) for word in words) else _GAP
    pattern = re.compile(_pattern_of(words, gap), re.IGNORECASE)
    kept: list[int] = []
    sure = 0
    for start in range(0, len(numbers), _TEXTS_AT_ONCE):
        for number, text in _read_texts(db, numbers[start : start + _TEXTS_AT_ONCE]):
            if pattern.search(text):
                kept.append(number)
                sure += 1
            elif not text.isascii():  # accents may be written or not; the alignment looks at such texts
                kept.append(number)
        if sure >= enough:
            break
    return kept


def _pattern_of(words: Sequence[str], gap: str) -> str:
    """Return a pattern of words as they may be written, with what a `gap` matches between them."""
    return gap.join("['’]?".join(map(re.escape, word)) for word in words)


def _meanings_anywhere(variants: Mapping[str, TermVariants]) -> dict[str, str]:
    """Return which terms may mean a term of the quote, in whichever talk: {as it stands there: the quote's term}."""
    return {term: meant for meant, others in variants.items() for text in others.texts() for term in text.split()}


def _joined(first: list[str], second: list[str]) -> list[str]:
    """Return the terms of two passages, those that both hold at the border once.

    >>> _joined("a b c d".split(), "c d e".split())
    ['a', 'b', 'c', 'd', 'e']
    """
    for size in range(min(len(first), len(second)), 0, -1):
        if first[-size:] == second[:size]:
            return first + second[size:]
    return first + second


def _phrase(terms: Sequence[str]) -> str:
    """Return the expression of the word index for terms in a row."""
    return f'"{" ".join(terms)}"'


def _matching(db: sqlite3.Connection, expression: str) -> Ints:
    """Return the passages whose own words match an expression of the word index; their talk's tracks quote nobody.

    SQLite hands them over as one text, which is quickest where they are many.
    """
    (numbers,) = db.execute(
        "SELECT group_concat(rowid) FROM words WHERE words MATCH ?", (f"terms : ({expression})",)
    ).fetchone()
    return parse_numbers(numbers)


def _notes(db: sqlite3.Connection) -> Ints:
    (numbers,) = db.execute("SELECT group_concat(number) FROM passages WHERE field != 'speech'").fetchone()
    return parse_numbers(numbers)


def _read_terms(db: sqlite3.Connection, numbers: Sequence[int]) -> list[tuple[int, str]]:
    """Return the terms of passages, with spaces between, as (passage number, terms).

    The word index keeps the terms it was given; read as a plain table, it gives them ten times quicker.
    """
    return db.execute(
        "SELECT id, c0 FROM words_content WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(numbers),)
    ).fetchall()


def _read_texts(db: sqlite3.Connection, numbers: Sequence[int]) -> list[tuple[int, str]]:
    """Return the texts of passages, as (passage number, text)."""
    return db.execute(
        "SELECT number, text FROM passages WHERE number IN (SELECT value FROM json_each(?))", (json.dumps(numbers),)
    ).fetchall()


def _without(numbers: Ints, excluded: Ints) -> Ints:
    return numbers[~np.isin(numbers, excluded)]


def _filtered(numbers: Ints, allowed: Ints | None) -> list[int]:
    """Return those of some passages that are allowed."""
    kept: list[int] = (numbers if allowed is None else numbers[np.isin(numbers, allowed)]).tolist()
    return kept
