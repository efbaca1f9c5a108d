"""A small index of words that a browser reads without a server: in pieces, each a script that hands over its part.

Scripts and not JSON, because a page that was opened as a file may load scripts beside it, and nothing else. A word lies
in the piece that its first two characters choose, so that words which begin alike are found in one piece.
templates/search.js computes the same terms and the same pieces.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence

PIECES = 251
"""How many pieces there are: a prime, over which beginnings of words spread well."""

_SINGLE = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
"""Scripts without spaces, and Hangul: every character is a term."""
_TERM = re.compile(rf"[{_SINGLE}]|[^\W_{_SINGLE}]+")
_ACCENTS = re.compile("[\u0300-\u036f]")
_PLAIN = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ı": "i"})
"""Letters that Unicode does not take apart, as people write them who have no key for them."""


def terms_of(text: str) -> list[str]:
    """Return the terms of a text: in small letters and without accents, numbers among them.

    >>> terms_of("Café R&D 42, 相對論, Łódź, Straße")
    ['cafe', 'r', 'd', '42', '相', '對', '論', 'lodz', 'strasse']
    """
    return _TERM.findall(_ACCENTS.sub("", unicodedata.normalize("NFKD", text.lower())).translate(_PLAIN))


def piece_of(term: str) -> int:
    """Return the number of the piece in which a term lies.

    >>> piece_of("time") == piece_of("tip"), 0 <= piece_of("a") < PIECES
    (True, True)
    """
    return (ord(term[0]) * 31 + (ord(term[1]) if len(term) > 1 else 0)) % PIECES


class WordIndex:
    """Where each term stands, gathered while paragraphs are added."""

    def __init__(self) -> None:
        self._places: dict[str, list[int]] = {}
        self._count = 0

    def add(self, texts: Sequence[str]) -> int:
        """Add the paragraphs of a talk; returns the number of the first, counted through all talks."""
        first = self._count
        for text in texts:
            for term in set(terms_of(text)):
                self._places.setdefault(term, []).append(self._count)
            self._count += 1
        return first

    def pieces(self) -> Iterator[tuple[int, str]]:
        """Yield the number and the script of each piece that holds anything; places are steps from the one before."""
        pieces: dict[int, dict[str, list[int]]] = {}
        for term, places in sorted(self._places.items()):
            steps = [place - before for place, before in zip(places, [0, *places], strict=False)]
            pieces.setdefault(piece_of(term), {})[term] = steps
        for number, terms in sorted(pieces.items()):
            yield number, script("words", number, terms)


def script(kind: str, number: int, value: object) -> str:
    """Return a script that hands a value over to the page. Nothing in it can end the script early: it is a file."""
    return f"talksearch.{kind}({number},{json.dumps(value, ensure_ascii=False, separators=(',', ':'))});\n"
