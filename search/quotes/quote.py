"""The quote that is looked for: its units, how much each counts, and the terms that find it in the word index."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from talksearch.indexer.text.terms import is_unspaced, terms
from talksearch.search.ranking.term_variants import TermVariants, expand_terms

from .units import Unit, units_of

Weights = npt.NDArray[np.float32]
"""How much each unit of a quote counts (units,)."""

ENOUGH = 0.6
"""How much of a quote must be right, where it has more words than are asked for exactly."""

_STOP_WEIGHT = 0.6
"""What a stop term counts, which stands nearly everywhere; others count 1. Memory keeps the telling words."""

_EXACT_LENGTH = 2.0
"""Quotes of up to this many words are asked for exactly: with one word changed, nothing would be left of them."""

_CHUNK = 16
"""How many terms are looked for together: so many nearly always lie in one passage or two neighbours."""


class Chunk(NamedTuple):
    """Terms of a quote that are looked for together."""

    runs: tuple[tuple[str, ...], ...]
    """The terms, in runs that have no other term between."""
    words: tuple[str, ...]
    """The normalized words of the quote, where these terms are all of it in one chunk; else empty."""

    @property
    def terms(self) -> list[str]:
        """The terms of all runs."""
        return [term for run in self.runs for term in run]


@dataclass(frozen=True, slots=True, eq=False)
class Quote:
    """What is looked for."""

    text: str
    units: tuple[Unit, ...]
    weights: Weights
    chunks: tuple[Chunk, ...]
    stop_terms: frozenset[str]
    """Terms of it that stand nearly everywhere."""
    variants: Mapping[str, TermVariants]
    """How else its terms may have been written down; empty where it is asked for exactly."""
    exact: bool
    """It must be said as it stands."""

    @property
    def enough(self) -> float:
        """How much of it must be right, from 0 to 1."""
        return 1.0 if self.exact else ENOUGH

    def text_between(self, first: int, last: int) -> str:
        """Return the text of some units in a row, both ends included."""
        return self.text[self.units[first].start : self.units[last].end]


def parse_quote(db: sqlite3.Connection, text: str) -> Quote | None:
    """Return the quote that a text is; None where it has no words."""
    units = tuple(units_of(text))
    if not units:
        return None
    exact = not is_long(text)
    stop_terms = _stop_terms(db, [unit.term for unit in units])
    # Compounds are no variants: a quote is of whole words.
    variants = {} if exact else expand_terms(db, text, tuple(dict.fromkeys(terms(text))), None)
    return Quote(
        text,
        units,
        weights_of([unit.term for unit in units], stop_terms),
        tuple(chunks_of(text, units)),
        stop_terms,
        variants,
        exact,
    )


def is_long(text: str) -> bool:
    """Say whether a quote has so many words that some may be said otherwise."""
    return sum(0.5 if is_unspaced(unit.normalized[0]) else 1.0 for unit in units_of(text)) > _EXACT_LENGTH


def weights_of(terms: Sequence[str], stop_terms: frozenset[str]) -> Weights:
    """Return how much each of some terms counts in a quote (terms,)."""
    return np.array([_STOP_WEIGHT if term in stop_terms else 1.0 for term in terms], np.float32)


def chunks_of(text: str, units: Sequence[Unit]) -> list[Chunk]:
    """Return the terms to look for; of a long quote its beginning, middle and end apart.

    A single character of a script without spaces is no term of the index where it stands between others, so it ends a
    run, unless there is nothing else.
    """
    every = terms(text)
    usable = [len(term) > 1 or not is_unspaced(term) for term in every]
    if any(usable):
        runs_of_chunks = [
            tuple(
                tuple(term for term, _ in run)
                for use, run in groupby(
                    zip(every[start : start + _CHUNK], usable[start : start + _CHUNK], strict=True),
                    key=lambda pair: pair[1],
                )
                if use
            )
            for start in _chunk_starts(len(every))
        ]
    else:
        runs_of_chunks = [tuple((term,) for term in every)]
    runs_of_chunks = [runs for runs in runs_of_chunks if runs]
    words = tuple(unit.normalized for unit in units) if len(runs_of_chunks) == 1 else ()
    return [Chunk(runs, words) for runs in runs_of_chunks]


def _chunk_starts(count: int) -> list[int]:
    if count > 2 * _CHUNK:
        return [0, (count - _CHUNK) // 2, count - _CHUNK]
    if count > _CHUNK:
        return [0, count - _CHUNK]
    return [0]


def _stop_terms(db: sqlite3.Connection, terms: Sequence[str]) -> frozenset[str]:
    rows = db.execute("SELECT term FROM common WHERE term IN (SELECT value FROM json_each(?))", (json.dumps(terms),))
    return frozenset(term for (term,) in rows)
