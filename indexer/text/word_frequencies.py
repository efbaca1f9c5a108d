"""How often people say a word, by language, as wordfreq knows it."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import blake2b

import numpy as np

_LANGUAGES_KEPT = 16
"""Languages whose words are remembered. Each takes up to 4 MB; as wordfreq itself keeps them, for good, it is 50."""


@dataclass(frozen=True, slots=True)
class _Listed:
    """The words of one language."""

    hashes: array[int]
    """Of each word, rising. They have 64 bits, so that a word has that of one of 300,000 others does not happen."""
    levels: array[int]
    """How many hundredths of a factor of ten rarer than every word it is."""


def word_frequency(word: str, language: str) -> float:
    """Return the share that a word has of all that is said in a language; 0 where wordfreq does not know either.

    Args:
        word: in small letters.
        language: as two or three letters.

    >>> 0.01 < word_frequency("the", "en") < 0.1, word_frequency("qqqq", "en"), word_frequency("the", "xx")
    (True, 0.0, 0.0)
    """
    listed = _listed(language)
    hashed = int.from_bytes(_digest(word), "little")
    place = bisect_left(listed.hashes, hashed)
    is_listed = place < len(listed.hashes) and listed.hashes[place] == hashed
    return _share(listed.levels[place]) if is_listed else 0.0


@cache
def known_languages() -> frozenset[str]:
    """Return the languages that wordfreq knows, as two or three letters."""
    import wordfreq  # a run that reads no talk does not wait for it

    return frozenset(wordfreq.available_languages())


@lru_cache(maxsize=_LANGUAGES_KEPT)
def _listed(language: str) -> _Listed:
    import wordfreq  # as above

    if language not in known_languages():
        return _Listed(array("Q"), array("H"))
    same_levels = wordfreq.get_frequency_list(language)
    wordfreq.get_frequency_list.cache_clear()
    hashes = np.frombuffer(b"".join(_digest(word) for words in same_levels for word in words), "<u8")
    levels = np.repeat(np.arange(len(same_levels), dtype=np.uint16), [len(words) for words in same_levels])
    order = np.argsort(hashes, kind="stable")
    return _Listed(array("Q", hashes[order].astype(np.uint64).tobytes()), array("H", levels[order].tobytes()))


def _digest(word: str) -> bytes:
    # Python's own hash of a short word is, in some builds, that of many others.
    return blake2b(word.encode("utf-8", "replace"), digest_size=8).digest()


@cache
def _share(level: int) -> float:
    import wordfreq  # as above

    return float(wordfreq.cB_to_freq(-level))
