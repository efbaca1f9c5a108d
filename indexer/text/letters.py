"""Letters as they are compared: small, of plain width, without accents, and with plain letters for those with a stroke.

Unicode takes the accent off "é" but leaves "ł" and "ø" whole, because their stroke is no mark of its own. People who
have no key for such a letter type the one it is made of, so that one stands for it here.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_PLAIN = str.maketrans(
    {
        **dict(
            zip(
                "łøđıħŧŋðɖɗƌɓƀƃƙɨɉʉɵƥƭɽɍƶȥɠǥɦɲɇƈȼɫɬſɔɛəǝ",
                "lodihtndddd" + "bbbkijuoptrrzzgghnecclls" + "oeaa",
                strict=True,
            )
        ),
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
        "ß": "ss",
        "ʼ": "'",
        "ʻ": "'",
    }
)
"""Small letters that Unicode does not take apart, as Lucene's ASCIIFoldingFilter writes them; and the two apostrophes
that Unicode counts as letters."""


def unaccented(word: str) -> str:
    """Return a word in small letters of plain width, without accents; figures of every script become 0 to 9.

    >>> unaccented("Jérôme"), unaccented("\\uff21\\uff22"), unaccented("Łódź"), unaccented("Sørensen"), unaccented("१२")
    ('jerome', 'ab', 'lodz', 'sorensen', '12')
    """
    # Accents go first: a capital with a small iota below would become two letters.
    plain = unicodedata.normalize("NFKD", word)
    if not plain.isascii():
        plain = "".join(character for character in plain if not unicodedata.combining(character))
    plain = plain.casefold().translate(_PLAIN)
    if plain.isascii():
        return plain
    return unicodedata.normalize("NFKC", "".join(map(_plain_figure, plain)))


@lru_cache(maxsize=50_000)
def folded(text: str) -> str:
    """Return a text as names are compared: `unaccented`, with one space between its words.

    >>> folded(" JOÃO  Conceição") == folded("joao conceicao")
    True
    """
    return " ".join(unaccented(text).split())


def _plain_figure(character: str) -> str:
    return str(unicodedata.decimal(character)) if character.isdecimal() else character
