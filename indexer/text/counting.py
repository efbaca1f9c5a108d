"""Words as the balance of a talk counts them: the same way in a file, in a cue and in an index.

A word is a run of letters and figures; an apostrophe does not end it, and in scripts that write no spaces every
character is one. Nothing here knows formats, lines or cues, so that nothing that a reader gets wrong can be wrong here
in the same way.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

import numpy as np

from .stretches import stretches
from .terms import is_unspaced

_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});", re.IGNORECASE)
_APOSTROPHES = "'’ʼ"
_MARKS = ("Mn", "Mc", "Me")
"""Categories of characters that belong to the letter before them."""
_UNSEEN = ("Cf", "Cc")
"""Categories of characters that nobody sees: soft hyphens, joiners, direction marks."""

_MOST_OF_ONE = 200
"""Tokens for each different one; talks have about ten, and the longest of them fewer than a hundred."""


class _Translation(dict[int, str]):
    """What stands for a character where words are told apart by spaces; each is looked up once."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        category = unicodedata.category(character)
        if character in _APOSTROPHES:
            written = ""
        elif is_unspaced(character):
            written = f" {character} "
        elif character.isalnum() or category in _MARKS:
            written = character
        elif character.isspace() or category not in _UNSEEN:
            written = " "
        else:
            written = ""
        self[code] = written
        return written


_TRANSLATION = _Translation()
_ASCII = bytes(ord(_TRANSLATION[code] or "\x00") for code in range(128)) + bytes(range(128, 256))
"""The same for text in ASCII, where nearly all of an archive is: a table that takes a twentieth of the time. What is
left out becomes NUL, which is deleted."""
_SPACE = ord(" ")
_SHORT = 1_000
"""Characters of a text whose words are made faster than an array of it."""
_DELETED = bytes(code for code in range(128) if not _TRANSLATION[code])


def words_in(text: str) -> list[str]:
    """Return the words of a text, in order.

    >>> words_in("It's a well-known 3.5-metre weir &amp; 光だ")
    ['Its', 'a', 'well', 'known', '3', '5', 'metre', 'weir', 'amp', '光', 'だ']
    """
    return _spaced(text).split()


def _spaced(text: str) -> str:
    """Return a text with nothing but its words and spaces between them."""
    if text.isascii():
        return text.encode("ascii").translate(_ASCII, _DELETED).decode("ascii")
    return text.translate(_TRANSLATION)


def count_words(text: str) -> int:
    """Count the words of a text.

    >>> count_words("We can't stop."), count_words("")
    (3, 0)
    """
    if len(text) < _SHORT or not text.isascii():
        return len(words_in(text))
    # Of a whole file only the number is wanted: counting where words begin takes a tenth of the time of making them.
    in_word = np.frombuffer(text.encode("ascii").translate(_ASCII, _DELETED), np.uint8) != _SPACE
    return int(np.count_nonzero(in_word[1:] & ~in_word[:-1])) + bool(in_word[:1].any())


def bag_of(text: str) -> Counter[str]:
    """Return how often each word stands in a text.

    >>> bag_of("no, no and no")["no"]
    3
    """
    bag: Counter[str] = Counter()
    for stretch in stretches(_spaced(text)):
        bag.update(stretch.split())
    return bag


def without_entities(text: str) -> str:
    """Resolve the entities of HTML in a text, also those that were escaped twice.

    >>> without_entities("R&amp;D &amp;gt;&amp;gt; AT&T")
    'R&D >> AT&T'
    """
    return resolve_entities(text)[0]


def resolve_entities(text: str) -> tuple[str, int]:
    """Resolve entities that end in a semicolon, and return how many there were.

    Without the semicolon `&copy` may be anything: "AT&T" and "R&D" are no entities.

    >>> resolve_entities("R&amp;D &amp;gt; AT&T")
    ('R&D > AT&T', 3)
    """
    count = 0
    for _ in range(3):  # they may be escaped twice
        if "&" not in text:
            break
        resolved, entities = _ENTITY.subn(lambda match: html.unescape(match[0]), text)
        if resolved == text:
            break
        count += entities
        text = resolved
    return text, count


def is_monotonous(tokens: Sequence[str]) -> bool:
    """Say whether a text says the same few words on and on, as speech of its length never does.

    >>> is_monotonous(["no"] * 1_000), is_monotonous(["no"] * 50)
    (True, False)
    """
    return len(tokens) > _MOST_OF_ONE * len(set(tokens))
