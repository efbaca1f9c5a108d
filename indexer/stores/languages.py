"""Which languages an archive is in, and whether the model of its index knows them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from talksearch.indexer.settings import DEFAULT_MODEL, MULTILINGUAL_MODEL
from talksearch.indexer.text.language_codes import language_code

KNOWN_TO_DEFAULT = "en"
"""The one language that the default model was made for. What other models know, nobody here can say."""
_SHARE_THAT_MATTERS = 0.05
"""The share of what is said that must be in other languages before another model is worth its time."""
_COUNTS = (
    "SELECT t.language, count(DISTINCT t.number), count(p.number) FROM talks t"
    " LEFT JOIN passages p ON p.talk = t.number AND p.field = 'speech' GROUP BY t.language"
)


@dataclass(frozen=True, slots=True)
class LanguageCount:
    """How much of an archive is in one language."""

    language: str | None
    """A code of ISO 639, without a region; None for talks of which nobody knows it."""
    talks: int
    passages: int


def count_languages(db: sqlite3.Connection) -> tuple[LanguageCount, ...]:
    """Return the languages of an archive, those with most talks first, what is not known last."""
    found: dict[str | None, tuple[int, int]] = {}
    for tag, talks, passages in db.execute(_COUNTS):
        code = language_code(tag) if tag else None
        before = found.get(code, (0, 0))
        found[code] = before[0] + talks, before[1] + passages
    counts = [LanguageCount(code, *numbers) for code, numbers in found.items()]
    return tuple(sorted(counts, key=lambda one: (one.language is None, -one.talks, one.language or "")))


def is_foreign_to(model: str, counts: Sequence[LanguageCount]) -> bool:
    """Say whether so much is said in languages which a model surely does not know that another one is worth its time.

    >>> is_foreign_to("all-MiniLM-L6-v2", [LanguageCount("en", 9, 90), LanguageCount("de", 1, 10)])
    True
    >>> is_foreign_to("multilingual", [LanguageCount("de", 1, 10)])
    False
    """
    if model != DEFAULT_MODEL:
        return False
    foreign = sum(one.passages for one in counts if one.language not in (None, KNOWN_TO_DEFAULT))
    return foreign > 0 and foreign >= _SHARE_THAT_MATTERS * sum(one.passages for one in counts)


def knows_languages(model: str) -> bool:
    """Say whether a model was surely made to compare texts in different languages.

    >>> knows_languages("multilingual"), knows_languages("all-MiniLM-L6-v2")
    (True, False)
    """
    return model == MULTILINGUAL_MODEL
