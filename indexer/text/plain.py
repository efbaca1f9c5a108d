"""Tokens, sound labels, word counts and widths of plain text."""

from __future__ import annotations

import html
import re
import unicodedata

_SPACE = re.compile(r"[ \t\r\n\f\v]+")
_BRACKETED = re.compile(r"\[[^\[\]]*\]|\([^()]*\)")


def tokens_of(text: str) -> list[str]:
    """Return what stands between spaces and line breaks. A no-break space is none: in damaged text it is half a letter.

    >>> tokens_of(" a b\u00a0c\\n")
    ['a', 'b\\xa0c']
    """
    if text.isascii() and text.isprintable():
        return text.split()
    return [token for token in _SPACE.split(text) if token]


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
    return sum(token.strip(">") != "" for token in tokens_of(html.unescape(text)))


def width_of(text: str) -> int:
    """Return how many columns a text takes: wide East Asian characters count two, entities as what they stand for."""
    plain = html.unescape(text)
    return len(plain) if plain.isascii() else sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in plain)
