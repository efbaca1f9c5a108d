"""Quotes as rows of words: what a word of a quote and one that was said are compared by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from talksearch.indexer.text.terms import is_unspaced, spans, unaccented

COMMON = 0.6
"""What a word counts that stands nearly everywhere; others count 1. Memory keeps the telling words."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A word, or one character of a script without spaces, and where it stands in its text."""

    plain: str
    term: str
    start: int
    end: int


def units_of(text: str) -> Iterator[Unit]:
    """Yield the words of a text as they are compared; of scripts without spaces each character is one.

    >>> [unit.plain for unit in units_of("It's 相对论!")]
    ['its', '相', '对', '论']
    """
    behind = -1
    for term in spans(text):
        if not is_unspaced(term.text[0]):
            plain = _plain(text[term.start : term.end])
            if plain:
                yield Unit(plain, term.text, term.start, term.end)
            continue
        one_by_one = term.end - term.start == len(term.text)
        for at, character in enumerate(term.text):
            start = term.start + at if one_by_one else term.start
            if not one_by_one or start > behind:
                yield Unit(character, character, start, start + 1 if one_by_one else term.end)
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
DIGITS = {word: str(number) for number, word in enumerate(_SMALL)}
DIGITS |= {ten: str(10 * at) for at, ten in enumerate(_TENS, 2)}
DIGITS |= {ten + one: str(10 * at + of) for at, ten in enumerate(_TENS, 2) for of, one in enumerate(_SMALL[1:10], 1)}
"""English numbers up to 99 as captions write them out, those of two words joined."""
