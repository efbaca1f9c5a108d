"""How likely a run of Chinese characters is as words, which the three characters before each cannot tell.

`能力不自主性` and `能力与自主性` hold the same common pairs of characters; only the second consists of words that
follow each other. The statistics are word pairs with backoff (Katz 1987) in `words.xz`, which
`benchmarks/mojibake_model.py` makes. Every log probability is a natural logarithm.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from .ngrams import LOG_STEP, ZERO, chinese_variants, read_rows

UNKNOWN = -18.0
"""The log probability of a character that is no known word."""

_IMPOSSIBLE = -1e9
"""A log probability below that of every division into words."""

_ROW = re.compile("^([^\x00-\u02ff]+)(.*)")
"""A word, and what is known of it."""

_FOLLOWER = re.compile("([^\x00-\u02ff]+)([\x30-\u02ff])")
"""A word that follows another, and the character that stands for its log probability."""


@cache
def _rows() -> dict[str, str]:
    """By word: its log probability and, where words are known to follow it, a backoff weight and those words."""
    return dict(match for row in read_rows("words") for match in _ROW.findall(row))


@cache
def _longest_word() -> int:
    return max(map(len, _rows()))


@lru_cache(maxsize=20_000)
def _followers(word: str) -> tuple[float, dict[str, float]]:
    """(log backoff weight of a word, log probabilities of the words that are known to follow it)."""
    row = _rows().get(word, "")
    if len(row) < 2:
        return 0.0, {}
    probabilities = {match[1]: (ZERO - ord(match[2])) * LOG_STEP for match in _FOLLOWER.finditer(row, 2)}
    return (ZERO - ord(row[1])) * LOG_STEP, probabilities


@lru_cache(maxsize=50_000)
def segmentation_log_probability(text: str) -> float:
    """Log probability of a run of Han characters in its likeliest division into words.

    >>> segmentation_log_probability("能力与自主性") > segmentation_log_probability("能力不自主性")
    True
    """
    simplified = chinese_variants()[0]
    text = "".join([simplified.get(char, char) for char in text])
    rows = _rows()
    # By position, then by the word that ends there: the log probability of the likeliest division so far.
    best: list[dict[str, float]] = [{} for _ in range(len(text) + 1)]
    best[0][""] = 0.0
    for start in range(len(text)):
        for length in range(1, min(_longest_word(), len(text) - start) + 1):
            word = text[start : start + length]
            row = rows.get(word)
            if row is None and length > 1:
                continue
            alone = (ZERO - ord(row[0])) * LOG_STEP if row else UNKNOWN
            top = _IMPOSSIBLE
            for previous, score in best[start].items():
                backoff, followers = _followers(previous)
                top = max(top, score + (followers[word] if word in followers else backoff + alone))
            if top > best[start + length].get(word, _IMPOSSIBLE):
                best[start + length][word] = top
    return max(best[-1].values())


def word_log_probability(text: str) -> float | None:
    """Log probability of a word by itself; None where it is no known word."""
    simplified = chinese_variants()[0]
    row = _rows().get("".join([simplified.get(char, char) for char in text]))
    return (ZERO - ord(row[0])) * LOG_STEP if row else None
