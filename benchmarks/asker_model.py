"""Make `search/asker.xz`, the letter statistics that tell which language a query is in.

    python benchmarks/asker_model.py

They are counted from the word lists of the package wordfreq (CC BY-SA 4.0, Robyn Speer 2022), of which nothing but
common words and shares of letters is kept. For each writing system that several languages share, the file has how
often a letter stands behind the one or two before it, language by language, and how often its common words occur.
"""

from __future__ import annotations

import lzma
import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

import wordfreq

from talksearch.indexer.text.han import SIMPLIFIED
from talksearch.search.asker import GROUPS, STEP, WORD, ZERO

OUT = Path(__file__).parents[1] / "search" / "asker.xz"
LISTED = 40_000
"""Words of each list that count. Further down stand names and what is foreign."""
POWER = 0.75
"""What shares of words are raised to: queries are about things, which running text names less often than it says
"the"."""
COMMON = 600
"""Words of each language that are kept whole."""
SMOOTHING = 20e-6
"""How much, of all letters, the shorter context counts as beside the longer one."""
LEAST = {"latin": 3e-5, "cyrillic": 3e-5, "arabic": 3e-5, "han": 6e-5}
"""The share of all letters, in one language at least, from which on a pair or three letters have a line."""
FLOOR = 1e-6
"""The share of a letter that a language never has."""
TRADITIONAL = 0.3
"""The share of Chinese queries that are in traditional characters."""
LONGEST = {"latin": 3, "cyrillic": 3, "arabic": 3, "han": 2}
"""Letters of a context with the one behind it."""
LISTS = {"hr": "sh", "no": "nb", "sr": "sh"}
"""The word lists of languages that wordfreq calls otherwise."""
_LATIN_SERBIAN = ("dž lj nj a b v g d đ e ž z i j k l m n o p r s t ć u f h c č š", "џљњабвгдђежзијклмнопрстћуфхцчш")
_TRADITIONAL_FORMS = {simple: chr(code) for code, simple in reversed(SIMPLIFIED.items())}


def word_shares(language: str) -> dict[str, float]:
    """Return the words of a language, as `asker.WORD` finds them, by their share of all."""
    shares: Counter[str] = Counter()
    listed = wordfreq.get_frequency_dict(LISTS.get(language, language), "best")
    for text, share in list(listed.items())[:LISTED]:
        for word in WORD.findall(text):
            shares[word] += share  # type: ignore[assignment]
    if language == "sr":
        return _in_cyrillic(shares)
    if language == "zh":
        return _in_both_spellings(shares)
    return dict(shares)


def _in_cyrillic(shares: Counter[str]) -> dict[str, float]:
    letters, forms = _LATIN_SERBIAN
    found: dict[str, float] = {}
    for word, share in shares.items():
        for letter, form in zip(letters.split(), forms, strict=True):
            word = word.replace(letter, form)
        if not any(character.isascii() for character in word):
            found[word] = share
    return found


def _in_both_spellings(shares: Counter[str]) -> dict[str, float]:
    found: Counter[str] = Counter()
    for word, share in shares.items():
        found[word] += share * (1 - TRADITIONAL)  # type: ignore[assignment]
        found["".join(_TRADITIONAL_FORMS.get(c, c) for c in word)] += share * TRADITIONAL  # type: ignore[assignment]
    return dict(found)


class Letters:
    """How often a letter of a language stands behind others."""

    def __init__(self, shares: dict[str, float], longest: int) -> None:
        """Count words between spaces."""
        self.counts: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for word, share in shares.items():
            text, weight = f" {word} ", share**POWER
            for end in range(1, len(text)):
                for length in range(longest):
                    if end - length >= 0:
                        self.counts[text[end - length : end]][text[end]] += weight
        self.totals = {context: sum(letters.values()) for context, letters in self.counts.items()}
        self.all = self.totals[""]

    def share(self, context: str, letter: str) -> float:
        """Return how often a letter stands behind a context, by shorter contexts where this one is rare."""
        counted = self.counts.get(context, {}).get(letter, 0.0)
        if not context:
            return max(counted / self.all, FLOOR)
        smoothing = SMOOTHING * self.all
        shorter = self.share(context[1:], letter)
        return (counted + smoothing * shorter) / (self.totals.get(context, 0.0) + smoothing)


def _code(share: float) -> str:
    """Return the character that stands for a share; the last one for less than a hundred-thousandth, and for none."""
    return chr(ZERO + min(round(-math.log(share) / STEP), 78)) if share else "~"


def section(name: str, languages: Iterable[str]) -> list[str]:
    """Return the lines of a writing system: its languages; words with shares; letters behind others with shares."""
    words = {language: word_shares(language) for language in languages}
    letters = {language: Letters(shares, LONGEST[name]) for language, shares in words.items()}
    common: set[str] = set()
    for shares in words.values():
        total = sum(shares.values())
        common.update(sorted(shares, key=lambda word: -shares[word])[:COMMON])
        shares.update({word: share / total for word, share in shares.items()})
    sequences = {
        context + letter
        for counted in letters.values()
        for context, behind in counted.counts.items()
        for letter, weight in behind.items()
        if not context or weight >= LEAST[name] * counted.all
    }
    return [
        " ".join([name, *words]),
        *sorted(f"{word}{''.join(_code(shares.get(word, 0.0)) for shares in words.values())}" for word in common),
        "",
        *sorted(
            sequence + "".join(_code(counted.share(sequence[:-1], sequence[-1])) for counted in letters.values())
            for sequence in sequences
        ),
        "",
    ]


def main() -> None:
    """Write the file, and say how large it is."""
    lines: list[str] = []
    for name, languages in GROUPS.items():
        lines += section(name, languages)
        print(f"{name}: {len(lines):,} lines so far", flush=True)
    OUT.write_bytes(lzma.compress("\n".join(lines).encode(), preset=9 | lzma.PRESET_EXTREME))
    print(f"{OUT.name}: {OUT.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
