"""Units of comparison: the words of a quote, or of what was said, in the form in which the two are compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from talksearch.indexer.text.letters import unaccented
from talksearch.indexer.text.terms import is_unspaced, spans

_UP_TO_NINETEEN = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")

DIGITS = {
    **{word: str(number) for number, word in enumerate(_UP_TO_NINETEEN)},
    **{ten: str(10 * tens) for tens, ten in enumerate(_TENS, 2)},
    **{
        ten + one: str(10 * tens + ones)
        for tens, ten in enumerate(_TENS, 2)
        for ones, one in enumerate(_UP_TO_NINETEEN[1:10], 1)
    },
}
"""The digits of English numbers up to 99, by how captions write them out; those of two words are joined."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A word, or one character of a script without spaces, and where it stands in its text."""

    normalized: str
    """In small letters, without accents and apostrophes, not stemmed."""
    term: str
    """The term of the word index that it is, which is stemmed."""
    start: int
    end: int
    """Characters of the text: the first, and the one behind the last."""


def units_of(text: str) -> Iterator[Unit]:
    """Yield the units of a text.

    >>> [unit.normalized for unit in units_of("It's 相对论!")]
    ['its', '相', '对', '论']
    """
    last_start = -1
    for term in spans(text):
        if not is_unspaced(term.text[0]):
            normalized = _normalize(text[term.start : term.end])
            if normalized:
                yield Unit(normalized, term.text, term.start, term.end)
            continue
        # Unless each character of the term is one of the text, all of them stand for the same piece of it.
        one_to_one = term.end - term.start == len(term.text)
        for offset, character in enumerate(term.text):
            start = term.start + offset if one_to_one else term.start
            if not one_to_one or start > last_start:
                yield Unit(character, character, start, start + 1 if one_to_one else term.end)
                last_start = start


@lru_cache(maxsize=200_000)
def _normalize(word: str) -> str:
    return unaccented(word.replace("'", "").replace("’", ""))
