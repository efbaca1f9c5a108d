"""How likely a letter is after the letters before it, script by script: what mojibake repair decides with.

The statistics lie beside this file as `<script>.xz`; `benchmarks/mojibake_model.py` makes them and says from
what. They are read when damage is found, never before, and only for the scripts that the damage may hold.
"""

from __future__ import annotations

import lzma
import math
import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

STEP = 0.1
"""Log probabilities are stored in steps of this size."""

ZERO = 0x30
"""The letter that stands for a value of 0 in the files; the next one is a step below."""

UNSEEN = -16.0
"""The log probability of a letter that its script's statistics have never seen."""

_RANGES = (
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


@cache
def script(char: str) -> str:
    """The script whose statistics hold a letter; empty for signs, digits, spaces and scripts without statistics.

    >>> [script(c) for c in "é與カ9。"]
    ['latn', 'hani', 'jpan', '', '']
    """
    code = ord(char)
    for first, last, name in _RANGES:
        if first <= code <= last:
            return name if unicodedata.category(char)[0] in "LM" else ""
    return ""


@lru_cache(maxsize=20_000)
def lower(text: str) -> str:
    """Small letters, each in its place (`İ` would become two characters, and stays).

    >>> lower("İZMİR"), lower("ÉTÉ")
    ('İzmİr', 'été')
    """
    small = text.lower()
    return small if len(small) == len(text) else "".join(c if len(c.lower()) > 1 else c.lower() for c in text)


_NARROW = {code: chr(code - 0xFEE0) for first, last in ((0xFF10, 0xFF1A), (0xFF21, 0xFF3B), (0xFF41, 0xFF5B))
           for code in range(first, last)}  # fmt: skip
_SPACES = re.compile(r"\s+")
_DIGITS = re.compile("[0-9]+")
_WORDS = re.compile("[a-z]+")


def normal(text: str, latin: bool) -> str:
    """Text as the statistics see it: small letters, one `0` for a number, one `a` for a Latin word elsewhere.

    >>> normal("Claude 4 與 AI", latin=False)
    'a 0 與 a'
    """
    text = _DIGITS.sub("0", _SPACES.sub(" ", lower(text.translate(_NARROW))))
    return text if latin else _WORDS.sub("a", text)


Records = dict[str, float]


@dataclass(frozen=True, slots=True)
class Model:
    """An n-gram model of letters with backoff. What begins with a letter is unpacked when it is first asked for."""

    lines: dict[str, str]
    """First letter: the fields of its line."""
    order: int
    scores: Records
    """What was asked before: context and letter in one."""
    unpacked: dict[str, tuple[Records, Records]]
    """First letter: n-grams with the log probability of their last letter, and contexts with the log weight of a
    shorter one."""

    def __contains__(self, letter: str) -> bool:
        return letter in self.lines

    def unpack(self, first: str) -> tuple[Records, Records]:
        """The n-grams and contexts that begin with a letter."""
        fields = self.lines.get(first, "").split("\t")
        p: Records = {}
        backoff: Records = {}
        for at, field in enumerate(fields):
            table, n = (p, at + 1) if at < self.order else (backoff, at - self.order + 1)
            for i in range(0, len(field), n):
                table[first + field[i : i + n - 1]] = (ZERO - ord(field[i + n - 1])) * STEP
        self.unpacked[first] = p, backoff
        return p, backoff

    def score(self, context: str, letter: str) -> float:
        """Log probability of a letter after a context (normal text, any length)."""
        context = context[-(self.order - 1) :]
        key = context + letter
        known = self.scores.get(key)
        if known is None:
            if len(self.scores) > 1_000_000:  # one damaged book after another must not fill the memory
                self.scores.clear()
            known = self.scores[key] = self._score(context, letter)
        return known

    def _score(self, context: str, letter: str) -> float:
        cost = 0.0
        unpacked = self.unpacked
        while context:
            p, backoff = unpacked.get(context[0]) or self.unpack(context[0])
            found = p.get(context + letter)
            if found is not None:
                return found + cost
            cost += backoff.get(context, 0.0)
            context = context[1:]
        p, _ = unpacked.get(letter) or self.unpack(letter)
        return p.get(letter, UNSEEN) + cost


def read_rows(name: str) -> list[str]:
    """The lines of one statistics file; `benchmarks/mojibake_model.py` says what is in them."""
    data = files(__package__).joinpath(f"{name}.xz").read_bytes()
    return lzma.decompress(data).decode("utf-8").split("\n")


@cache
def load(name: str) -> Model:
    """The model of one script, read once."""
    rows = read_rows(name)[:-1]
    return Model({row[0]: row[2:] for row in rows}, (rows[0].count("\t") + 1) // 2, {}, {})


@cache
def chinese() -> tuple[dict[str, str], dict[str, float]]:
    """(traditional to simplified, log share of a traditional form among the ways to write a simplified character).

    The second is keyed by the simplified character followed by the traditional one.
    """
    *rows, pairs = read_rows("spelling")
    shares = {pairs[i : i + 2]: (ZERO - ord(pairs[i + 2])) * STEP for i in range(0, len(pairs), 3)}
    return {row[0]: row.split("\t")[2][0] for row in rows if len(row.split("\t")[2]) > 1}, shares


_UNKNOWN_WORD = -11.0
_UNKNOWN_LETTER = -13.0


@cache
def _languages() -> dict[str, tuple[dict[str, float], dict[str, float]]]:
    """For each language in Latin script: common words, and accented letters, with their log shares."""
    found = {}
    for row in read_rows("languages"):
        name, words, letters = row.split("\t")
        common = {word[:-1]: (ZERO - ord(word[-1])) * STEP for word in words.split(" ")}
        found[name] = common, {letters[i]: (ZERO - ord(letters[i + 1])) * STEP for i in range(0, len(letters), 2)}
    return found


_PLAIN = re.compile(r"(?<![^\s\"'(*-])[a-z]+(?![^\s.,;:!?\"')*-])")


def latin_language(text: str) -> str:
    """The language of text in Latin script by its common words without accents; empty where they do not tell.

    >>> latin_language("die Kinder und der Hund spielen in dem Garten mit dem Ball"), latin_language("Oslo")
    ('de', '')
    """
    words = _PLAIN.findall(text.lower())
    scores = sorted(
        (sum(max(common.get(word, _UNKNOWN_WORD), _UNKNOWN_WORD) for word in words), name)
        for name, (common, _) in _languages().items()
    )
    return scores[-1][1] if scores[-1][0] > scores[-2][0] + 4.0 else ""


@lru_cache(maxsize=20_000)
def letter_bias(language: str, letter: str) -> float:
    """How much likelier (log) an accented letter is in one language than in all of them together."""
    if not language:
        return 0.0
    tables = _languages()
    everywhere = sum(math.exp(letters.get(letter, _UNKNOWN_LETTER)) for _, letters in tables.values()) / len(tables)
    return max(-5.0, tables[language][1].get(letter, _UNKNOWN_LETTER) - math.log(everywhere))
