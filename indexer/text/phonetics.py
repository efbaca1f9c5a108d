"""How much two words look and sound alike. Light enough for a search to use."""

from __future__ import annotations

import re
from functools import lru_cache

import jellyfish

from .letters import unaccented

LOOKS = 0.5
"""How much of their letters two words must share to be compared by sound at all."""


@lru_cache(maxsize=100_000)
def sound(word: str) -> str:
    """Return how a word sounds, roughly: its Metaphone (Philips 1990), all first vowels alike.

    >>> sound("Anthropic") == sound("enthropic"), sound("Dario") == sound("daario")
    (True, True)
    """
    metaphone = jellyfish.metaphone(plain(word)).replace(" ", "")
    return re.sub("^[AEIOU]", "A", metaphone)


def alike(one: str, other: str) -> float:
    """Return how much two words look and sound alike, from 0 to 1.

    >>> alike("sheffler", "schaeffler") > 0.72 > alike("smaller", "schuller")
    True
    """
    one, other = plain(one), plain(other)
    if abs(len(one) - len(other)) > max(2, max(len(one), len(other)) // 3):
        return 0.0
    looks = looks_alike(one, other)
    if looks < LOOKS:
        return 0.0
    return (looks + _similarity(sound(one), sound(other))) / 2


def looks_alike(one: str, other: str) -> float:
    """Return the share of letters that two words have in common: 1 less the normalised edit distance."""
    return _similarity(plain(one), plain(other))


def _similarity(one: str, other: str) -> float:
    from rapidfuzz.distance import Levenshtein  # most searches meet no word that sounds like one of theirs

    return float(Levenshtein.normalized_similarity(one, other))


@lru_cache(maxsize=100_000)
def plain(word: str) -> str:
    """A word in small letters, without accents and apostrophes."""
    return "".join(character for character in unaccented(word) if character.isalnum())
