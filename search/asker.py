"""Which language a query is in, told by its letters and words; where they do not tell it, it stays open.

Queries are short, so the writing system tells first: a kana is Japanese. Among languages that share one, each word is
as likely as a language writes it: by the common words, and by which letter stands behind which (naive Bayes over words,
letters by an interpolated trigram model). Two things keep names and terms of a field from deciding anything alone: a
query in any language may have English words for things, and any word may be a name, which is as likely everywhere.

The statistics lie beside this file in `asker.xz`; `benchmarks/asker_model.py` makes them, and `benchmarks/asker.py`
prints how often they are right. They are read when the first query asks for them: the detector for talks
(`indexer.text.languages`) takes most of a second to load, and is made for many words.
"""

from __future__ import annotations

import lzma
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from talksearch.indexer.arrays import Floats
from talksearch.indexer.text.language_codes import is_same_language, language_code

GROUPS = {
    "latin": [
        "en", "fr", "de", "es", "pt", "it", "nl", "ca", "pl", "cs", "sk", "sl", "hr", "hu", "ro", "tr", "vi", "sv",
        "da", "no", "fi", "is", "lt", "lv", "id", "ms", "fil",
    ],
    "cyrillic": ["ru", "uk", "bg", "mk", "sr"],
    "arabic": ["ar", "fa", "ur"],
    "han": ["zh", "ja"],
}  # fmt: skip
"""The languages of each writing system that several share."""
_ALONE = {
    "hebrew": "he", "greek": "el", "hangul": "ko", "thai": "th", "bengali": "bn", "tamil": "ta", "telugu": "te",
    "kannada": "kn", "malayalam": "ml", "gujarati": "gu", "gurmukhi": "pa", "sinhala": "si", "georgian": "ka",
    "armenian": "hy", "khmer": "km", "lao": "lo", "myanmar": "my", "kana": "ja", "devanagari": "hi",
}  # fmt: skip
"""Writing systems that tell a language alone, or nearly: Hindi is meant by Devanagari unless the archive has others."""
_OTHERS = {"devanagari": ("mr", "ne", "sa"), "hebrew": ("yi",), "bengali": ("as",)}
"""Other languages of such a writing system. An archive that has one of them leaves open what is asked."""
_RANGES = {
    "latin": "A-Za-zªºÀ-ÖØ-öø-ɏḀ-ỿ", "cyrillic": "Ѐ-ԯ", "arabic": "؀-ۿݐ-ݿࢠ-ࣿﭐ-﷿ﹰ-ﻼ", "han": "々㐀-䶿一-鿿\uf900-\ufaff",
    "kana": "ぁ-ヺー-ヿｦ-ﾟ", "hebrew": "֐-׿", "greek": "Ͱ-Ͽἀ-῿", "hangul": "ᄀ-ᇿㄱ-ㆎ가-힣", "thai": "฀-๿",
    "devanagari": "ऀ-ॿ", "bengali": "ঀ-৿", "gurmukhi": "਀-੿", "gujarati": "઀-૿", "tamil": "஀-௿", "telugu": "ఀ-౿",
    "kannada": "ಀ-೿", "malayalam": "ഀ-ൿ", "sinhala": "඀-෿", "lao": "຀-໿", "myanmar": "က-႟", "georgian": "Ⴀ-ჿ",
    "armenian": "԰-֏", "khmer": "ក-៿",
}  # fmt: skip
WORD = re.compile(r"(?:(?![\d_])[\w\u064b-\u0652])+")
"""A word, as the statistics count them: letters only."""
STEP = 0.15
"""The step in which the file stores logarithms of shares, in nats."""
ZERO = 0x30
"""The code of the character that stands for a share of 1."""
_FUNCTION_WORD = 6.5
"""Logarithm of a share, without its sign, below which an English word is one that other languages never take over:
"the", "with"."""
_LONGEST = 3
"""Letters of a context with the one behind it."""
_SURE = 0.95
"""How likely the best language must be."""
_LIKELIER = 20.0
"""How much likelier than others a language of the archive is, before a word is read: who asks knows the archive."""
_ENGLISH_TERMS = 0.1
"""The share of words for things that queries in other languages have in English."""
_NAMES, _COMMON_NAMES = 0.1, 0.01
"""The share of words that are names, or terms that all languages share; and of those that are common words."""
_FEWEST_OTHERS, _LEAST_OTHERS = 2, 0.1
"""Letters in another writing system than Latin, and their share, from which on that one counts. One letter is a sign in
a formula."""
_LETTERS_A_CHARACTER = {"han": 2, "kana": 2, "hangul": 2}
"""How many letters one of these stands for."""


@dataclass(frozen=True, slots=True)
class _Statistics:
    """How often a writing system's languages have their words, and letters behind letters; logarithms."""

    languages: tuple[str, ...]
    words: dict[str, str]
    """By word, its code in each language."""
    letters: dict[str, str]
    """By letters, the code of the last one behind those before in each language."""

    def letter(self, letters: str) -> str:
        """Return the codes of the last letter behind those before, or behind fewer where there is no line of all."""
        while letters and letters not in self.letters:
            letters = letters[1:]
        return self.letters.get(letters, "")


def query_language(text: str, languages: Collection[str]) -> str | None:
    """Return the language that a query is in; None where its words do not tell it.

    Args:
        text: The query.
        languages: BCP 47 tags of what the archive has. They are likelier, and no others are ruled out by them.

    Returns:
        The code of a language (ISO 639), without a region; of languages that are told apart by no query, the one that
        the archive has.

    >>> query_language("was ist Rückwärtspropagation", ["en", "de"]), query_language("梯度下降", ["en", "zh-Hans"])
    ('de', 'zh')
    >>> query_language("why is the sky blue", ["en"]), query_language("Schnorr", ["en", "de"])
    ('en', None)
    """
    script = _script_of(text)
    if script in _ALONE:
        is_open = any(language_code(tag) in _OTHERS.get(script, ()) for tag in languages)
        return None if is_open else _ALONE[script]
    words = dict.fromkeys(_words(text, script))  # what is said twice is no more certain
    return _as_in(_likeliest(list(words), script, languages), languages) if words else None


def written_language(text: str, language: str) -> str:
    """Return the language that a text about a talk is in, as far as its letters tell.

    Args:
        text: The text, such as a title.
        language: The code of the talk's language, which the text is taken to be in where it has its letters.

    >>> written_language("時間膨脹", "en"), written_language("Time dilation", "zh"), written_language("Zeit", "de")
    ('zh', 'en', 'de')
    """
    script = _script_of(text)
    usual = [own for own, languages in GROUPS.items() if language in languages] or ["latin"]
    if script in usual or _ALONE.get(script) == language:
        return language
    return _ALONE.get(script) or GROUPS[script][0]


def _script_of(text: str) -> str:
    """Return the writing system that tells a query's language: terms and names in any language may be in Latin."""
    weights: dict[str, float] = {}
    for match in _any_script().finditer(text):
        name = match.lastgroup or ""
        weights[name] = weights.get(name, 0.0) + _LETTERS_A_CHARACTER.get(name, 1)
    total, latin = sum(weights.values()), weights.pop("latin", 0.0)
    others = total - latin
    if others < max(_FEWEST_OTHERS, _LEAST_OTHERS * total):
        return "latin"
    if weights.keys() <= {"han", "kana"} and "kana" in weights:
        return "kana"
    return max(weights, key=weights.__getitem__)


@cache
def _any_script() -> re.Pattern[str]:
    """Return what finds letters of any writing system. Making it takes milliseconds, which most searches can spare."""
    return re.compile("|".join(f"(?P<{name}>[{characters}])" for name, characters in _RANGES.items()))


def _words(text: str, script: str) -> Iterator[str]:
    """Yield the words that tell something: in the writing system, and no names of programs, formulas or the like."""
    is_shouted = text.isupper()
    for word in WORD.findall(text):
        first = _any_script().search(word)
        if first is None or first.lastgroup != script:
            continue
        if script == "han":  # no blanks part its words, most of which have two characters
            yield from (word[at : at + 2] for at in range(0, len(word), 2))
        elif is_shouted or word[1:] == word[1:].lower():
            yield word.lower()


def _as_in(language: str | None, languages: Collection[str]) -> str | None:
    """Return a language by the code that an archive has for it."""
    if language is None:
        return None
    codes = [language_code(tag) for tag in languages]
    return language if language in codes else next((c for c in codes if is_same_language(c, language)), language)


def _likeliest(words: list[str], script: str, languages: Collection[str]) -> str | None:
    """Return the language of a writing system that words are in, where one is much likelier than all others."""
    known = _statistics(script)
    is_likelier = [any(is_same_language(tag, one) for tag in languages) for one in known.languages]
    score = np.array(is_likelier) * np.log(_LIKELIER)
    for word in words:
        score = score + _word(known, word)
    likely = np.exp(score - score.max())
    likely /= likely.sum()
    best = known.languages[int(likely.argmax())]
    is_same = [is_same_language(one, best) for one in known.languages]
    return best if likely[is_same].sum() >= _SURE else None


def _word(known: _Statistics, word: str) -> Floats:
    """Return how likely a word is in each language, as logarithms, all of them less by the same."""
    codes = known.words.get(word)
    if codes is None:
        text = f" {word} "
        chain = (known.letter(text[max(0, end - _LONGEST + 1) : end + 1]) for end in range(1, len(text)))
        own = _logarithms("".join(chain)).reshape(-1, len(known.languages)).sum(axis=0)
    else:  # what is counted goes before what its letters suggest: "ist" looks English
        own = _logarithms(codes)
    shares = np.exp(own - own.max())
    names = _NAMES if codes is None else _COMMON_NAMES
    mixed = (1 - names) * shares + names * shares.mean()
    if known.languages[0] == "en" and not (codes and _is_function_word(codes[0])):
        mixed = (1 - _ENGLISH_TERMS) * mixed + _ENGLISH_TERMS * shares[0]
    logarithms: Floats = np.log(mixed)
    return logarithms


def _is_function_word(code: str) -> bool:
    return (ord(code) - ZERO) * STEP < _FUNCTION_WORD


def _logarithms(codes: str) -> Floats:
    return (ZERO - np.frombuffer(codes.encode("ascii"), np.uint8).astype(np.float32)) * STEP


@cache
def _statistics(script: str) -> _Statistics:
    """Read the statistics of a writing system."""
    rows = iter(lzma.decompress(files(__package__).joinpath("asker.xz").read_bytes()).decode("utf-8").split("\n"))
    for row in rows:
        name, *languages = row.split(" ")
        tables: list[dict[str, str]] = []
        for _ in range(2):
            table = {}
            for line in rows:
                if not line:
                    break
                table[line[: -len(languages)]] = line[-len(languages) :]
            tables.append(table)
        if name == script:
            return _Statistics(tuple(languages), *tables)
    raise ValueError(f"There are no statistics of {script!r}.")
