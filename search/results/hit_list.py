"""The hits of an answer as they are found, and what they rule out for the candidates that come after them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import NamedTuple

from talksearch.indexer.arrays import Floats
from talksearch.indexer.text.terms import terms
from talksearch.search.hit import Copy, Hit
from talksearch.search.links import jump_to, link

from .passage_view import PassageRow

_SAME_MEANING, _SAME_WORDS = 0.93, 0.7
"""The cosine and the share of common terms (Jaccard) from which on two passages say the same: a talk uploaded twice, a
clip of it, the words that open every episode."""


class _Original(NamedTuple):
    """What a hit is compared by with later passages of other talks."""

    talk: int
    vector: Floats | None
    text: str


class HitList:
    """The hits so far, best first, with what they take up. Talks are counted as in `PassageLayout`."""

    def __init__(self, per_talk: int | None) -> None:
        self.hits: list[Hit] = []
        self.talks: list[int] = []
        """The talk of each hit."""
        self.held_back: Counter[int] = Counter()
        """How many hits of each talk `per_talk` keeps from being shown."""
        self._per_talk = per_talk
        self._taken: dict[int, list[tuple[int, int]]] = {}
        """Stretches of each talk that are shown or held back, as (start, end) in milliseconds."""
        self._originals: list[_Original] = []

    def __len__(self) -> int:
        return len(self.hits)

    def exclude(self, talk: int, start_ms: int, end_ms: int) -> None:
        """Let no hit come from a stretch of a talk."""
        self._taken.setdefault(talk, []).append((start_ms, end_ms))

    def claim(self, talk: int, start_ms: int, end_ms: int) -> bool:
        """Claim a stretch of a talk for a hit, and say whether there may be one.

        There is none where a better hit covers the stretch, and where the talk has as many hits as it may have.
        """
        if any(start_ms < end and start < end_ms for start, end in self._taken.get(talk, ())):
            return False
        self.exclude(talk, start_ms, end_ms)
        if self._per_talk is not None and self.talks.count(talk) >= self._per_talk:
            self.held_back[talk] += 1
            return False
        return True

    def fold(self, talk: int, vector: Floats | None, row: PassageRow) -> bool:
        """Say whether a passage says what a hit of another talk says; if so, that hit names it from now on.

        A passage that is not folded must be added as the next hit: later passages are compared with it.
        """
        for position, original in enumerate(self._originals):
            if original.talk != talk and _says_the_same(vector, row.text, original):
                hit = self.hits[position]
                self.hits[position] = replace(hit, copies=(*hit.copies, _copy(row)))
                return True
        self._originals.append(_Original(talk, vector, row.text))
        return False

    def add(self, hit: Hit, talk: int) -> None:
        """Add the next hit."""
        self.hits.append(hit)
        self.talks.append(talk)


def _says_the_same(vector: Floats | None, text: str, original: _Original) -> bool:
    # The vectors come first: they differ for nearly all passages, and are quicker to compare than words.
    if vector is None or original.vector is None or float(vector @ original.vector) < _SAME_MEANING:
        return False
    text_terms, original_terms = set(terms(text)), set(terms(original.text))
    return len(text_terms & original_terms) >= _SAME_WORDS * len(text_terms | original_terms)


def _copy(row: PassageRow) -> Copy:
    jump_ms = jump_to(row.start_ms, row.timing, row.margin_ms)
    return Copy(row.talk_id, row.title, jump_ms, link(row.url, row.path, jump_ms), row.timing, row.margin_ms)
