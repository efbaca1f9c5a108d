"""Text as the word index sees it: normalised, stemmed terms, also for scripts that write no spaces.

The same function makes the terms of a passage, of a query and of a highlight, so the three can never disagree.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import Stemmer

from .elision import APOSTROPHES, words_in
from .han import forms, simplified
from .letters import unaccented

# Scripts that run words together: Han, kana, Thai, Lao, Myanmar, Khmer, all without their figures, which are written
# apart like those of other scripts. Hangul writes spaces between words.
_UNSPACED = (
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
    "\u0e00-\u0e4f\u0e5a-\u0ecf\u0eda-\u0eff\u1000-\u103f\u104a-\u108f\u109a-\u109f\u1780-\u17df\u17ea-\u17ff"
    "\U00020000-\U0003ffff"
)
# Vowel signs and points belong to the word they stand in, but Python's \w leaves them out.
_MARKS = (
    "\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed"
    "\u0900-\u0963\u0966-\u0dff"
)
_LETTER = rf"(?:(?![{_UNSPACED}_])[\w{_MARKS}])"
# Inside a word may stand an apostrophe, the marks of Hebrew abbreviations, the point of Catalan's "l·l", and what joins
# the letters of Indian scripts or keeps them apart. In Persian that parts a word from its ending.
_INSIDE = (
    rf"(?:[{APOSTROPHES}]|(?<=[\u05d0-\u05ea])[\"\u05f3\u05f4](?=[\u05d0-\u05ea])|(?<=[lL])[·•](?=[lL])"
    "|(?<=[\u0900-\u0dff])[\u200c\u200d]+(?=[\u0900-\u0dff]))"
)
_TOKEN = re.compile(rf"(?P<run>[{_UNSPACED}]+)|{_LETTER}+(?:{_INSIDE}{_LETTER}+)*")
_SIGNED = re.compile(
    rf"(?<![{_MARKS}\w+#])(?P<letter>[A-Za-z])(?P<sign>[+＋]{{2}}|[#＃♯])(?![A-Za-z+#])"
    rf"|(?<![\w.])(?P<dotnet>\.net)(?!\w)|{_TOKEN.pattern}",
    re.IGNORECASE,
)
"""Words, and names of programming languages whose signs tell them apart: C++, C#, .NET."""
_MAY_BE_SIGNED = re.compile(r"[+＋#＃♯]|^\W*\.net", re.IGNORECASE)
_APOSTROPHE = re.compile(rf"[{APOSTROPHES}]s?$|[{APOSTROPHES}\"\u05f3\u05f4·•\u200c\u200d]")
# Hiragana and katakana are two ways to write the same.
_KATAKANA_OFFSET = 0x60
_HIRAGANA = {code: code - _KATAKANA_OFFSET for code in range(0x30A1, 0x30F7)}
# A query does not say its language, and both sides must agree, so the script of a word decides, and Latin script is
# English. A word with letters that the language does not have (Ukrainian, Persian) has no stemmer here. The letters are
# those of `unaccented` words, which have lost the breve of "й".
_SCRIPTS = tuple(
    (language, re.compile(rf"(?:{letters})+\Z"))
    for language, letters in (
        ("russian", "[а-я]"),
        ("arabic", "[\u0621-\u063a\u0640-\u064a]"),
        ("greek", "[α-ω]"),
        ("hindi", "[\u0900-\u0963]"),
        ("armenian", "[ա-և]"),
        ("tamil", "[\u0b80-\u0bff]"),
    )
)
_KEPT_MARKS = {"russian": "\u0306\u0308", "hindi": "\u094d", "tamil": "\u0bcd"}
"""Marks that belong to a letter or tell endings apart: of "й" and "ё"; the sign for no vowel."""
_ARABIC_LETTERS = str.maketrans("كيىہھ", "کییهه")
"""Letters that look alike and that keyboards of Arabic, Persian and Urdu write differently."""
_HINDI_NASAL = re.compile("\u0901|ङ्(?=[क-घ])|ञ्(?=[च-झ])|ण्(?=[ट-ढ])|न्(?=[त-ध])|म्(?=[प-भ])")
"""What is written for the nasal that the point above a letter stands for as well: "हिन्दी" is "हिंदी"."""
_ARABIC_ARTICLE = re.compile(r"^[وف]?(?:[بك]?ال|لل)(?=.{3})")

Marks = tuple[tuple[str, int, int], ...]
"""Terms, each with the characters it stands for, as (term, start, end)."""

_known: dict[str, Marks] = {}
"""The terms of words: the same few ten thousand make up nearly all that is said. Not an `lru_cache`, which writes to
memory all over the place whenever it is asked."""
_MOST_KEPT = 131_072
"""Words whose terms are remembered at once."""
_LONGEST_KEPT = 24
"""Letters of the longest word whose terms are remembered. What is longer is a line of a script without spaces, or an
address, and hardly comes again."""


@dataclass(frozen=True, slots=True)
class Term:
    """A term of the word index and the characters of the text it stands for."""

    text: str
    start: int
    end: int


def spans(text: str) -> Iterator[Term]:
    """Yield the terms of a text in order.

    Words are folded (case, width, accents) and stemmed as their script says; a run of a script without spaces yields
    its overlapping pairs of characters, the usual way to search such text without a dictionary.

    >>> [term.text for term in spans("Time dilation's METAPHORS")]
    ['time', 'dilat', 'metaphor']
    >>> [term.text for term in spans("相对论 is 光")]
    ['相对', '对论', 'is', '光']
    >>> [term.text for term in spans("l'église C++ 貓 Łódź")]
    ['eglis', 'cplusplus', '猫', 'lodz']
    """
    return (Term(*mark) for mark in marks(text))


def marks(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield the terms of a text in order as (term, start, end), like `spans`, which is slower."""
    word_start = 0
    for word in text.split(" "):  # no term has a space in it
        for term, start, end in _marks_in(word):
            yield term, word_start + start, word_start + end
        word_start += len(word) + 1


def matched_terms(words: Sequence[str], wanted: Collection[str]) -> dict[int, Marks]:
    """Return which words say any of some terms, by position, with all terms that such a word has. Every hit asks.

    >>> matched_terms(["Time", "dilation's", "METAPHORS"], {"dilat"})
    {1: (('dilat', 0, 10),)}
    """
    matched: dict[int, Marks] = {}
    for position, word_marks in enumerate(map(_marks_in, words)):
        for mark in word_marks:
            if mark[0] in wanted:
                matched[position] = word_marks
                break
    return matched


def marks_among(words: Sequence[str], matched: Mapping[int, Marks], wanted: Collection[str]) -> list[tuple[int, int]]:
    """Return where a text says any of some terms, as (start, end), given its words and which do (`matched_terms`).

    A single character of a script without spaces among the terms is marked alone in the pairs that hold it.

    >>> words = "Time dilation's METAPHORS".split(" ")
    >>> marks_among(words, matched_terms(words, {"dilat"}), {"dilat"})
    [(5, 15)]
    """
    characters = {term for term in wanted if len(term) == 1 and is_unspaced(term)}
    spans_found: list[tuple[int, int]] = []
    word_start = done = 0
    for position, word_marks in matched.items():
        word_start += sum(map(len, words[done:position])) + position - done
        done = position
        for term, start, end in word_marks:
            if term not in wanted:
                continue
            single = characters.intersection(term) if characters and end - start == len(term) else ()
            if single:
                places = [start + offset for offset, character in enumerate(term) if character in single]
                spans_found += [(word_start + place, word_start + place + 1) for place in places]
            else:
                spans_found.append((word_start + start, word_start + end))
    return list(dict.fromkeys(spans_found)) if characters else spans_found


def _marks_in(word: str) -> Marks:
    word_marks = _known.get(word)
    if word_marks is None:
        word_marks = _marks_of(word)
        if len(word) <= _LONGEST_KEPT:
            if len(_known) >= _MOST_KEPT:
                _known.clear()
            _known[word] = word_marks
    return word_marks


def _marks_of(word: str) -> Marks:
    word_marks: list[tuple[str, int, int]] = []
    for match in (_SIGNED if _MAY_BE_SIGNED.search(word) else _TOKEN).finditer(word):
        start, end = match.span()
        if match.lastgroup == "run":
            word_marks += _marks_of_run(match[0], start)
        elif match.lastgroup is not None:  # C++, C#, .NET
            word_marks.append((_signed_name(match), start, end))
        elif match[0].isascii() and match[0].isalnum():  # most words of most archives
            word_marks.append((_fold(match[0]), start, end))
        else:
            parts = words_in(match[0]) if _has_apostrophe(match[0]) else ((0, end - start),)
            for first, behind in parts:
                term = _fold(match[0][first:behind])
                if term:
                    word_marks.append((term, start + first, start + behind))
    return tuple(word_marks)


def _marks_of_run(written: str, start: int) -> Iterator[tuple[str, int, int]]:
    """Yield the pairs of a run of a script without spaces that begins at `start`."""
    run = simplified(unicodedata.normalize("NFKC", written).translate(_HIRAGANA))
    if len(run) != len(written):  # compatibility forms that grow cannot be mapped back pair by pair
        return ((pair, start, start + len(written)) for pair in _pairs(run))
    return ((pair, start + position, start + position + len(pair)) for position, pair in enumerate(_pairs(run)))


def _signed_name(match: re.Match[str]) -> str:
    """Return a word for a name that its signs tell from others: the index holds letters and figures alone."""
    if match["dotnet"]:
        return "dotnet"
    return match["letter"].lower() + ("sharp" if len(match["sign"]) == 1 else "plusplus")


def _has_apostrophe(token: str) -> bool:
    return any(mark in token for mark in APOSTROPHES)


def terms(text: str) -> list[str]:
    """Return the terms of a text without their places."""
    return [mark[0] for word in text.split(" ") for mark in _marks_in(word)]


def terms_joined(text: str) -> str:
    """Return the terms of a text with spaces between, as the word index is given them.

    >>> terms_joined("Time dilation's METAPHORS")
    'time dilat metaphor'
    """
    words = text.split(" ")
    if max(map(len, words)) > _LONGEST_KEPT:
        return " ".join(terms(text))
    return " ".join(filter(None, map(_known_terms, words)))


@lru_cache(maxsize=100_000)
def _known_terms(word: str) -> str:
    return " ".join([mark[0] for mark in _marks_of(word)])


def is_unspaced(character: str) -> bool:
    """Say whether a character belongs to a script that writes no spaces between words.

    >>> is_unspaced("論"), is_unspaced("한"), is_unspaced("x")
    (True, False, False)
    """
    return not character.isascii() and bool(_unspaced().match(character))


def written_forms(character: str) -> list[str]:
    """Return the characters of scripts without spaces that a term has for one: traditional ones, the other kana.

    >>> written_forms("ね"), "貓" in written_forms("猫")
    (['ね', 'ネ'], True)
    """
    katakana = chr(ord(character) + _KATAKANA_OFFSET)
    return [*forms(character), *([katakana] if ord(katakana) in _HIRAGANA else [])]


def has_unspaced(text: str) -> bool:
    """Say whether any character of a text belongs to such a script.

    >>> has_unspaced("die Zeit"), has_unspaced("das 論")
    (False, True)
    """
    return not text.isascii() and bool(_unspaced().search(text))


def _pairs(run: str) -> list[str]:
    return [run[position : position + 2] for position in range(len(run) - 1)] or [run]


@lru_cache(maxsize=200_000)
def _fold(word: str) -> str:
    if word.isascii():  # most words of most archives
        return str(_stemmer("english").stemWord(_APOSTROPHE.sub("", word.lower())))
    folded = _APOSTROPHE.sub("", unaccented(word))
    if folded.isascii():
        return str(_stemmer("english").stemWord(folded))
    for language, letters in _SCRIPTS:
        if letters.match(folded):
            spelled = _spelled_for(language, word, folded)
            stem = str(_stemmer(language).stemWord(spelled))
            if language == "hindi" and len(stem) == 1:  # "कुआं", well, would be the same as "का", of
                return spelled
            return stem.translate(_ARABIC_LETTERS) if language == "arabic" else stem
    return str(_stemmer("english").stemWord(folded.translate(_ARABIC_LETTERS)))


def _spelled_for(language: str, word: str, folded: str) -> str:
    """Return a word as the stemmer of a language wants it: with the marks that its endings are told by."""
    if language in ("greek", "armenian"):
        return folded
    if language == "arabic":
        # The stemmer takes "and" off a bare noun but not off one with an article, and "f" off a noun without one; so
        # nouns lose all that is written before them and the article first, like in Larkey's light stemmer.
        return _ARABIC_ARTICLE.sub("", folded.replace("\u0640", ""))
    keep = _KEPT_MARKS.get(language, "")
    plain = unicodedata.normalize("NFKD", word.casefold())
    plain = "".join(letter for letter in plain if letter in keep or not unicodedata.combining(letter))
    plain = _APOSTROPHE.sub("", unicodedata.normalize("NFC", plain))
    if language == "hindi":
        return _HINDI_NASAL.sub("\u0902", plain)
    return plain.replace("ё", "е") if language == "russian" else plain


@cache
def _stemmer(language: str) -> Stemmer.Stemmer:
    return Stemmer.Stemmer(language)


@cache
def _unspaced() -> re.Pattern[str]:
    return re.compile(f"[{_UNSPACED}]")
