"""Tokens, sound labels, word counts and widths of plain text."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from itertools import chain

from .stretches import stretches

_SPACE = re.compile(r"[ \t\r\n\f\v]+")
_OTHER_SPACE = re.compile(r"[\x1c-\x1f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")
"""What `str.split` takes for a space as well."""
_SOLID = re.compile(r"[^ \t\r\n\f\v]")
_BRACKETED = re.compile(r"\[[^\[\]]*\]|\([^()]*\)")


def tokens_of(text: str) -> list[str]:
    """Return what stands between spaces and line breaks. A no-break space is none: in damaged text it is half a letter.

    >>> tokens_of(" a b\u00a0c\\n")
    ['a', 'b\\xa0c']
    """
    if (text.isascii() and text.isprintable()) or not _OTHER_SPACE.search(text):
        return text.split()
    return [token for token in _SPACE.split(text) if token]


def has_tokens(text: str) -> bool:
    """Say whether `tokens_of` returns any.

    >>> has_tokens(" a"), has_tokens(" \\n")
    (True, False)
    """
    return _SOLID.search(text) is not None


def shared_tokens_of(text: str) -> list[str]:
    """Return what `tokens_of` does, equal ones as one and the same text: those of a talk take an eighth of the memory.

    >>> first, _, again = shared_tokens_of("so it so")
    >>> first is again
    True
    """
    held: dict[str, str] = {}
    return [held.setdefault(token, token) for token in tokens_in(text)]


def tokens_in(text: str) -> Iterator[str]:
    """Yield what `tokens_of` returns, and never hold all tokens of a long text."""
    return chain.from_iterable(map(tokens_of, stretches(text)))


def single_spaced(text: str) -> str:
    """Return the tokens of a text with one space between them.

    >>> single_spaced(" so  it\\n")
    'so it'
    """
    return " ".join(filter(None, (" ".join(tokens_of(stretch)) for stretch in stretches(text))))


def is_sound(text: str) -> bool:
    """Say whether a line holds nothing but sound labels.

    >>> [is_sound(text) for text in ("&gt;&gt; [music]", "[applause] Thanks", "♪ [Music] ♪")]
    [True, False, True]
    """
    tokens = tokens_of(_BRACKETED.sub(" ", html.unescape(text)))
    return bool(text.strip()) and not any(c.isalnum() for token in tokens for c in token)


def count_words(text: str) -> int:
    """Count the words in a text: what stands between spaces, speaker marks (`>>`) apart.

    >>> count_words("&gt;&gt; Well, 3 of them")
    4
    """
    plain = html.unescape(text)
    if ">" not in plain:
        return sum(len(tokens_of(stretch)) for stretch in stretches(plain))
    return sum(token.strip(">") != "" for token in tokens_in(plain))


def width_of(text: str) -> int:
    """Return how many columns a text takes: wide East Asian characters count two, entities as what they stand for."""
    plain = html.unescape(text)
    return len(plain) if plain.isascii() else sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in plain)
