"""What other languages write onto a word: particles of Korean behind it, prefixes of Hebrew before it.

The word index has such words whole, because a rule that cuts them off would cut up other words too. A query looks in
the index instead, which of the forms are said there: nothing is found that nobody wrote.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from itertools import product

from .vocabulary import beginning_with, said_among

MOST = 200
"""How many forms of one word are looked for at most."""

_HANGUL = re.compile("[\uac00-\ud7a3]+")
_HEBREW = re.compile("[\u05d0-\u05ea]+")

_PARTICLES = re.compile(
    "(?:들)?(?:이|가|을|를|은|는|의|도|이나|이란|란|이라는|라는|이라고|라고|이라도|라도|이며|이고|입니다|이다|이에요|예요|인데|이죠|이면|라면|이지만|이니까|이라서|라서"
    "|인|이었.*|였.*|(?:에게서|에게|에서|에|께서|께|한테서|한테|으로써|로써|으로서|로서|으로|로|와|과|하고|이랑|랑|만|까지|부터|마저|조차"
    "|밖에|보다|처럼|같이|만큼|대로)(?:는|은|도|만|의|요|이|을|가)?)?"
)
"""Particles behind a Korean noun, with the plural before and a second one behind, and the forms of "to be"."""

_BEHIND_CONSONANT = ("을", "은", "이", "과", "으로", "이랑", "이나", "이란", "이라", "이며", "이고", "이다", "이에요")
_BEHIND_VOWEL = ("를", "는", "가", "와", "랑", "란", "라는", "라고", "라도", "예요", "였")
"""Particles that have another form behind the other kind of sound: where one stands behind the wrong sound, it is part
of the word, as in "마을", village."""

_BEHIND_ONE_SYLLABLE = ("을", "를", "은", "에서", "으로", "에게")
"""Particles that are taken off a word of which a single syllable is left; others are as often part of such a word."""

_PREFIX = re.compile("ו?(?:לכש|כש|מש|ש)?[בכלמ]?ה?")
"""Hebrew's one-letter words for and, that, in, as, to, from, the, in the order in which they stand before a word."""

_PREFIXES = tuple(
    "".join(parts)
    for parts in product(("", "ו"), ("", "ש", "כש", "לכש", "מש"), ("", "ב", "כ", "ל", "מ"), ("", "ה"))
    if any(parts)
)

_SAFE_PREFIX = re.compile("[והבל]+")
"""Prefixes of words with two letters; the others make too many other words of them, as "מים", water, of "ים", sea."""

_SHORTEST_HEBREW = 3
"""Letters that are left of a Hebrew word when a prefix is taken off; shorter words are too often something else."""


def forms_of(db: sqlite3.Connection, term: str) -> list[str]:
    """Return the other forms of a Korean or Hebrew word that passages hold; nothing for words of other scripts."""
    if term.isascii():
        return []
    if _HANGUL.fullmatch(term):
        return list(_korean_forms(db, term))[:MOST]
    if _HEBREW.fullmatch(term):
        return _hebrew_forms(db, term)
    return []


def _korean_forms(db: sqlite3.Connection, term: str) -> Iterator[str]:
    """Yield the forms of a noun by its particles, of the word as it stands and of what is left without its particle."""
    for stem in filter(None, (term, _without_particle(term))):
        for form in beginning_with(db, stem):
            if form != term and (form == stem or _is_particle(stem, form[len(stem) :])):
                yield form


def _without_particle(term: str) -> str | None:
    """Return what is left of a word when its particles are taken off; None where it has none.

    >>> [_without_particle(word) for word in ("골목에는", "두부를", "고양이를", "책을", "마을", "회의")]
    ['골목', '두부', '고양이', '책', None, None]
    """
    for cut in (*range(2, len(term)), 1):  # the longest ending counts: "에는" and not "는"
        stem, ending = term[:cut], term[cut:]
        if _is_particle(stem, ending) and (cut > 1 or ending in _BEHIND_ONE_SYLLABLE):
            return stem
    return None


def _is_particle(stem: str, ending: str) -> bool:
    """Say whether an ending is one or more particles that may stand behind a stem."""
    if not ending or not _PARTICLES.fullmatch(ending):
        return False
    closed = (ord(stem[-1]) - 0xAC00) % 28 != 0  # a syllable's code tells its last consonant
    wrong = _BEHIND_VOWEL if closed else _BEHIND_CONSONANT
    return not ending.startswith(wrong) or (len(ending) > 1 and ending.startswith("이"))  # "이다" stands behind both


def _hebrew_forms(db: sqlite3.Connection, term: str) -> list[str]:
    """Return a word with the prefixes with which it is said, and the word that is left without its own."""
    rests = [
        term[length:]
        for length in range(1, min(5, len(term) - _SHORTEST_HEBREW + 1))
        if _PREFIX.fullmatch(term[:length])
    ]
    # What is left is a word where somebody says it, at least with an article, or where an article was taken off.
    said = set(said_among(db, [*rests, *("ה" + rest for rest in rests)]))
    rests = [rest for rest in rests if {rest, "ה" + rest} & said - {term} or term == "ה" + rest]
    candidates = rests + [
        prefix + word
        for word in (term, *rests)
        for prefix in _PREFIXES
        if len(word) >= _SHORTEST_HEBREW or _SAFE_PREFIX.fullmatch(prefix)
    ]
    return [form for form in said_among(db, candidates) if form != term][:MOST]
