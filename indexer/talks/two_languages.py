"""Two languages in one file: stacked in the rows of each cue, or in cues of their own at the same times.

Nothing is changed: all words stay where they are, so that a search in either language finds them. The receipt says it,
since a talk has one language.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from talksearch.indexer.records import Cue
from talksearch.indexer.text.languages import detect_language

_LOOKED_AT = 400
"""Cues from the beginning; what is so in them is so in all."""
_FEWEST = 3
_SHARE = 0.6
"""Of the cues that hold both languages; some hold a name or a sound alone."""
_NEAR_MS = 150
_FEWEST_WORDS = 60
"""In each language, where both have the same letters: the most frequent words tell them apart."""
_FREQUENT = 15
_MOST_SHARED = 0.2
"""Of the most frequent words. Rows of one language share half of them; two languages hardly any."""
_CERTAIN = 0.999
"""How sure the detector must be of both of two short texts."""
_TAG = re.compile(r"<[^<>]{0,80}>|\{\\[^{}]{0,80}\}")
_WORD = re.compile(r"[^\W\d_]+")
_SCRIPTS = {
    "CJK": "Chinese", "HIRAGANA": "Japanese", "KATAKANA": "Japanese", "HANGUL": "Korean", "LATIN": "Latin",
    "CYRILLIC": "Cyrillic", "GREEK": "Greek", "ARABIC": "Arabic", "HEBREW": "Hebrew", "DEVANAGARI": "Devanagari",
    "THAI": "Thai", "BENGALI": "Bengali", "TAMIL": "Tamil", "ARMENIAN": "Armenian", "GEORGIAN": "Georgian",
}  # fmt: skip


def note_of_two_languages(cues: Sequence[Cue]) -> str | None:
    """Say that a file holds two languages at once, as its reader found its cues; None where it does not."""
    cues = cues[:_LOOKED_AT]
    if len(cues) < _FEWEST:
        return None
    for where, pairs in (("rows", _rows(cues)), ("cues", _twins(cues))):
        if len(pairs) < max(_FEWEST, _SHARE * len(cues) / (2 if where == "cues" else 1)):
            continue
        scripts = Counter((_script(first), _script(second)) for first, second in pairs)
        (pair, count), *_ = scripts.most_common(1)
        if pair[0] != pair[1] and "" not in pair and count >= _SHARE * len(pairs):
            return (
                f"The file holds two languages at once, in {pair[0]} and in {pair[1]} letters, in {where} of the same"
                " times. Both were kept, and are found."
            )
        if _have_other_words([first for first, _ in pairs], [second for _, second in pairs]):
            return (
                f"The file seems to hold two languages at once, in {where} of the same times. Both were kept, and are"
                " found."
            )
    return None


def _rows(cues: Sequence[Cue]) -> list[tuple[str, str]]:
    """Return the two rows of each cue that has two; of four, the halves."""
    found = []
    for cue in cues:
        rows = [row for row in _TAG.sub("", cue.text).split("\n") if row.strip()]
        if len(rows) in (2, 4):
            half = len(rows) // 2
            found.append((" ".join(rows[:half]), " ".join(rows[half:])))
    return found


def _twins(cues: Sequence[Cue]) -> list[tuple[str, str]]:
    """Return the texts of cues that have the same times, in whatever order the file has its languages."""
    by_time: dict[tuple[int, int], list[str]] = {}
    for cue in cues:
        by_time.setdefault((round(cue.start_ms / _NEAR_MS), round(cue.end_ms / _NEAR_MS)), []).append(cue.text)
    return [(texts[0], texts[1]) for texts in by_time.values() if len(texts) == 2]


def _script(text: str) -> str:
    """Return the script that most letters of a text have; empty where it has none."""
    if text.isascii():
        return "Latin" if any(map(str.isalpha, text)) else ""
    counts = Counter(_script_of(char) for char in text if char.isalpha())
    if counts["Japanese"]:
        counts["Japanese"] += counts.pop("Chinese", 0)
    counts.pop("", None)
    return counts.most_common(1)[0][0] if counts else ""


@lru_cache(maxsize=20_000)
def _script_of(char: str) -> str:
    return _SCRIPTS.get(unicodedata.name(char, "").partition(" ")[0], "")


def _are_told_apart(firsts: Sequence[str], seconds: Sequence[str]) -> bool:
    """Say whether two short texts are in two languages, each of which is sure."""
    found = [detect_language(texts) for texts in (firsts, seconds)]
    languages = {one.language for one in found if one and one.language and one.certainty >= _CERTAIN}
    return len(languages) == 2


def _have_other_words(firsts: Sequence[str], seconds: Sequence[str]) -> bool:
    """Say whether two texts of the same letters are in two languages: they share hardly any frequent words."""
    counts = [Counter(_WORD.findall(" ".join(texts).lower())) for texts in (firsts, seconds)]
    if min(sum(count.values()) for count in counts) < _FEWEST_WORDS:
        return _are_told_apart(firsts, seconds)
    first, second = ({word for word, _ in count.most_common(_FREQUENT)} for count in counts)
    return len(first & second) <= _MOST_SHARED * _FREQUENT
