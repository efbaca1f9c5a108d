"""How likely a letter is after the letters before it, script by script.

The statistics lie beside this file as `<script>.xz`; `benchmarks/mojibake_model.py` makes them and says from what.
They are read only once damage is found, and only for the scripts that the damage may hold. Every log probability is a
natural logarithm.
"""

from __future__ import annotations

import lzma
import math
import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

LOG_STEP = 0.1
"""The step in which the files store log probabilities."""

ZERO = 0x30
"""The code of the character that stands for a log probability of 0 in the files. The next code is one step below."""

UNSEEN = -16.0
"""The log probability of a letter that the statistics of its script have never seen."""

_SCRIPT_RANGES = (
    (0x0041, 0x024F, "latn"),
    (0x0300, 0x036F, "latn"),
    (0x0370, 0x03FF, "grek"),
    (0x0400, 0x052F, "cyrl"),
    (0x0591, 0x05F4, "hebr"),
    (0x0600, 0x06FF, "arab"),
    (0x0750, 0x077F, "arab"),
    (0x0900, 0x097F, "deva"),
    (0x0E00, 0x0E7F, "thai"),
    (0x1E00, 0x1EFF, "latn"),
    (0x1F00, 0x1FFF, "grek"),
    (0x3040, 0x30FF, "jpan"),
    (0x3400, 0x4DBF, "hani"),
    (0x4E00, 0x9FFF, "hani"),
    (0xAC00, 0xD7A3, "kore"),
    (0xF900, 0xFAFF, "hani"),
    (0xFB50, 0xFDFF, "arab"),
    (0xFE70, 0xFEFE, "arab"),
)
"""Blocks of Unicode, each with the name of the statistics that hold its letters."""

_NARROW = {code: chr(code - 0xFEE0) for first, last in ((0xFF10, 0xFF1A), (0xFF21, 0xFF3B), (0xFF41, 0xFF5B))
           for code in range(first, last)}  # fmt: skip
"""The ASCII form of full-width digits and letters."""

_SPACES = re.compile(r"\s+")
_DIGITS = re.compile("[0-9]+")
_LATIN_WORD = re.compile("[a-z]+")

_UNACCENTED_WORD = re.compile(r"(?<![^\s\"'(*-])[a-z]+(?![^\s.,;:!?\"')*-])")
"""A word without accents that stands between spaces or punctuation."""

_UNKNOWN_WORD = -11.0
"""The log share of a word that is not among a language's common words, and the lowest that a common word counts."""

_UNKNOWN_LETTER = -13.0
"""The log share of an accented letter that a language does not have."""

_LANGUAGE_LEAD = 4.0
"""How far the likeliest language must lead the second, in nats."""

_LEAST_BIAS = -5.0
"""The lowest log ratio by which a language speaks against an accented letter."""

_MOST_SCORES = 50_000
"""How many scores a model keeps, so that one damaged book after another does not fill the memory."""


@lru_cache(maxsize=65_536)
def script(char: str) -> str:
    """The script whose statistics hold a letter; empty for signs, digits, spaces and scripts without statistics.

    >>> [script(char) for char in "é與カ9。"]
    ['latn', 'hani', 'jpan', '', '']
    """
    code = ord(char)
    for first, last, name in _SCRIPT_RANGES:
        if first <= code <= last:
            return name if unicodedata.category(char)[0] in "LM" else ""
    return ""


@lru_cache(maxsize=20_000)
def lowercase(text: str) -> str:
    """Text in small letters of the same length: `İ`, which would become two characters, stays.

    >>> lowercase("İZMİR"), lowercase("ÉTÉ")
    ('İzmİr', 'été')
    """
    small = text.lower()
    if len(small) == len(text):
        return small
    return "".join(char if len(char.lower()) > 1 else char.lower() for char in text)


def normalize(text: str, latin: bool) -> str:
    """Text as the statistics see it: small letters, `0` for each number and, unless `latin`, `a` for each Latin word.

    >>> normalize("Claude 4 與 AI", latin=False)
    'a 0 與 a'
    """
    text = _DIGITS.sub("0", _SPACES.sub(" ", lowercase(text.translate(_NARROW))))
    return text if latin else _LATIN_WORD.sub("a", text)


LogProbabilities = dict[str, float]
"""Log values by the n-gram or context to which they belong."""


@dataclass(slots=True)
class LetterNgrams:
    """An n-gram model of letters with backoff. The n-grams that begin with a letter are unpacked on first use."""

    lines: dict[str, str]
    """The packed fields of each letter's line: n-grams by length, then contexts by length."""
    order: int
    """The length of the longest n-gram."""
    scores: LogProbabilities
    """The results of earlier calls of `score`, by context and letter in one string."""
    unpacked: dict[str, tuple[LogProbabilities, LogProbabilities]]
    """By first letter: log probabilities of n-grams, and log backoff weights of contexts."""

    def __contains__(self, letter: str) -> bool:
        return letter in self.lines

    def unpack(self, first: str) -> tuple[LogProbabilities, LogProbabilities]:
        """(log probability of the last letter of each n-gram, log backoff weight of each context) that begin so."""
        fields = self.lines.get(first, "").split("\t")
        ngrams: LogProbabilities = {}
        backoffs: LogProbabilities = {}
        for index, field in enumerate(fields):
            table, length = (ngrams, index + 1) if index < self.order else (backoffs, index - self.order + 1)
            for i in range(0, len(field), length):
                table[first + field[i : i + length - 1]] = (ZERO - ord(field[i + length - 1])) * LOG_STEP
        self.unpacked[first] = ngrams, backoffs
        return ngrams, backoffs

    def score(self, context: str, letter: str) -> float:
        """Log probability of a letter after a context of any length; both are normalized text."""
        context = context[-(self.order - 1) :]
        key = context + letter
        score = self.scores.get(key)
        if score is None:
            if len(self.scores) > _MOST_SCORES:
                self.scores.clear()
            score = self.scores[key] = self._score(context, letter)
        return score

    def _score(self, context: str, letter: str) -> float:
        backoff_sum = 0.0
        unpacked = self.unpacked
        while context:
            ngrams, backoffs = unpacked.get(context[0]) or self.unpack(context[0])
            score = ngrams.get(context + letter)
            if score is not None:
                return score + backoff_sum
            backoff_sum += backoffs.get(context, 0.0)
            context = context[1:]
        alone = self.lines.get(letter, "")[:1]  # the first field of a line is the letter's own
        return ((ZERO - ord(alone)) * LOG_STEP if alone > "\t" else UNSEEN) + backoff_sum


def read_rows(name: str) -> list[str]:
    """The lines of one statistics file; `benchmarks/mojibake_model.py` says what is in them."""
    data = files(__package__).joinpath(f"{name}.xz").read_bytes()
    return lzma.decompress(data).decode("utf-8").split("\n")


@cache
def load_ngrams(name: str) -> LetterNgrams:
    """The model of one script, which is read once a process."""
    rows = read_rows(name)[:-1]
    return LetterNgrams({row[0]: row[2:] for row in rows}, (rows[0].count("\t") + 1) // 2, {}, {})


@cache
def chinese_variants() -> tuple[dict[str, str], dict[str, float]]:
    """(simplified character of each traditional one, log shares of traditional forms).

    A log share tells how often a simplified character is written in one traditional form. Its key is the simplified
    character followed by the traditional one.
    """
    *rows, pairs = read_rows("spelling")
    shares = {pairs[i : i + 2]: (ZERO - ord(pairs[i + 2])) * LOG_STEP for i in range(0, len(pairs), 3)}
    return {row[0]: row.split("\t")[2][0] for row in rows if len(row.split("\t")[2]) > 1}, shares


@cache
def _latin_languages() -> dict[str, tuple[dict[str, float], dict[str, float]]]:
    """For each language in Latin script: (log shares of common words, log shares of accented letters)."""
    languages = {}
    for row in read_rows("languages"):
        name, words, letters = row.split("\t")
        common = {word[:-1]: (ZERO - ord(word[-1])) * LOG_STEP for word in words.split(" ")}
        shares = {letters[i]: (ZERO - ord(letters[i + 1])) * LOG_STEP for i in range(0, len(letters), 2)}
        languages[name] = common, shares
    return languages


def latin_language(text: str) -> str:
    """The language of text in Latin script, by its common words without accents; empty where they do not decide.

    >>> latin_language("die Kinder und der Hund spielen in dem Garten mit dem Ball"), latin_language("Oslo")
    ('de', '')
    """
    words = _UNACCENTED_WORD.findall(text.lower())
    scores = sorted(
        (sum(max(common.get(word, _UNKNOWN_WORD), _UNKNOWN_WORD) for word in words), name)
        for name, (common, _) in _latin_languages().items()
    )
    return scores[-1][1] if scores[-1][0] > scores[-2][0] + _LANGUAGE_LEAD else ""


@lru_cache(maxsize=20_000)
def letter_bias(language: str, letter: str) -> float:
    """How much likelier an accented letter is in one language than in all together, as the logarithm of the ratio."""
    if not language:
        return 0.0
    tables = _latin_languages()
    everywhere = sum(math.exp(letters.get(letter, _UNKNOWN_LETTER)) for _, letters in tables.values()) / len(tables)
    return max(_LEAST_BIAS, tables[language][1].get(letter, _UNKNOWN_LETTER) - math.log(everywhere))
