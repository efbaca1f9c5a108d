"""Words that a talk writes with a hyphen or a point inside: "e-mail", "GPT-4", "Node.js", so that "email" finds them.

The word index has the parts, each as a term. Here is noted, for each such word of a talk, the term that its letters are
when they are written as one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from talksearch.indexer.records import Mishearing, Talk
from talksearch.indexer.text.terms import terms

LITTLE_WORDS = frozenset(
    re.findall(r"\w+", "am an as at be by do go he hi if in is it me my no of oh ok on or so to up us we")
)
"""English words that abbreviations look like without their points: "U.S." is no "us"."""

_JOINED = re.compile(
    r"(?<![\w.@/])(?:[^\W_]+(?:[-‐‑–&\u200c][^\W_]+)+|[^\W\d_][^\W_]*(?:\.(?!com|org|net|edu|gov)[^\W_]{1,3})+(?![\w.]*\w))"
)
"""Words joined by hyphens, "&" or what keeps letters of Persian apart, and words and letters with points between whose
last parts are short; longer ones are addresses, or sentences without a blank between."""

_SIGN = re.compile(r"[-‐‑–&.\u200c]\w")
"""A sign with something behind it."""

_LONGEST = 30
"""Letters that such a word has at most."""


def joined_words(talk: Talk) -> tuple[Mishearing, ...]:
    """Return the words of a talk, and of what is written about it, that signs join: the parts stand for the whole."""
    texts = [talk.title, talk.description, *(chapter.title for chapter in talk.chapters)]
    found: dict[Mishearing, None] = {}  # an ordered set
    for joined in dict.fromkeys(_written([*texts, *(cue.text for cue in talk.cues)])):
        letters = "".join(character for character in joined if character.isalnum())
        parts, whole = terms(joined), terms(letters)
        if len(parts) > 1 and len(whole) == 1 and whole[0] not in LITTLE_WORDS and not letters.isdigit():
            found[Mishearing(" ".join(parts), whole[0], strange=False)] = None
    return tuple(found)


def _written(texts: Iterable[str]) -> Iterator[str]:
    """Yield what is written with signs inside a word."""
    for word in dict.fromkeys(" ".join(texts).split()):  # a talk says the same few thousand words again and again
        if not word.isalnum() and not word[:-1].isalnum() and _SIGN.search(word):
            yield from (joined for joined in _JOINED.findall(word) if len(joined) <= _LONGEST)
