"""How likely a run of Chinese characters is as words, which the three characters before each cannot tell.

`能力不自主性` and `能力与自主性` hold the same common pairs of characters; only the second is made of words that follow
each other. The statistics are word pairs with backoff (Katz 1987) in `words.xz`, which
`benchmarks/mojibake_model.py` makes.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from .ngrams import STEP, ZERO, chinese, read_rows

UNKNOWN = -18.0
"""Log probability of a character that is no word."""

_ENTRY = re.compile("([^\x00-\u02ff]+)([\x30-\u02ff])")


@cache
def _rows() -> dict[str, str]:
    """Word: its log probability, then, where other words were seen to follow it, a backoff weight and these words."""
    found = {}
    for row in read_rows("words"):
        n = next(i for i, c in enumerate(row) if c < "\u0300")
        found[row[:n]] = row[n:]
    return found


@cache
def _longest() -> int:
    return max(map(len, _rows()))


@lru_cache(maxsize=20_000)
def _after(word: str) -> tuple[float, dict[str, float]]:
    """(log weight of a word by itself after this one, log probabilities of the words known to follow it)."""
    row = _rows().get(word, "")
    if len(row) < 2:
        return 0.0, {}
    return (ZERO - ord(row[1])) * STEP, {m[1]: (ZERO - ord(m[2])) * STEP for m in _ENTRY.finditer(row, 2)}


@lru_cache(maxsize=50_000)
def words_likelihood(text: str) -> float:
    """Log probability of a run of Han characters in its best division into words (natural logarithm).

    >>> words_likelihood("能力与自主性") > words_likelihood("能力不自主性")
    True
    """
    simplify = chinese()[0]
    text = "".join([simplify.get(c, c) for c in text])
    rows = _rows()
    best: list[dict[str, float]] = [{} for _ in range(len(text) + 1)]
    best[0][""] = 0.0
    for i in range(len(text)):
        for n in range(1, min(_longest(), len(text) - i) + 1):
            word = text[i : i + n]
            row = rows.get(word)
            if row is None and n > 1:
                continue
            alone = (ZERO - ord(row[0])) * STEP if row else UNKNOWN
            top = -1e9
            for before, score in best[i].items():
                backoff, known = _after(before)
                total = score + (known[word] if word in known else backoff + alone)
                top = max(top, total)
            if top > best[i + n].get(word, -1e9):
                best[i + n][word] = top
    return max(best[-1].values())


def word_likelihood(text: str) -> float | None:
    """Log probability of a word by itself; None for what is no word known."""
    simplify = chinese()[0]
    row = _rows().get("".join([simplify.get(c, c) for c in text]))
    return (ZERO - ord(row[0])) * STEP if row else None
