"""The hits of an answer as they are found, and what they rule out for the candidates that come after them."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from talksearch.indexer.arrays import Floats
from talksearch.search.hit import Copy, Hit, Place
from talksearch.search.links import jump_to, link

from .passage_view import PassageRow, PassageView
from .repeats import answers, is_said_again, may_say_the_same, says_the_same


@dataclass(frozen=True, slots=True)
class _Original:
    """What later passages are compared with: a passage that is a hit, or a copy of one."""

    talk: int
    vector: Floats | None
    view: PassageView
    position: int
    """Of the hit."""
    is_copy: bool

    def said(self) -> tuple[Floats | None, str]:
        """Return its vector and its text."""
        return self.vector, self.view.row.text


class HitList:
    """The hits so far, best first, with what they take up. Talks are counted as in `PassageLayout`."""

    def __init__(self, db: sqlite3.Connection, per_talk: int | None) -> None:
        self.hits: list[Hit] = []
        self.talks: list[int] = []
        """The talk of each hit."""
        self.held_back: Counter[int] = Counter()
        """How many hits of each talk `per_talk` keeps from being shown."""
        self._db = db
        self._per_talk = per_talk
        self._taken: dict[int, list[tuple[int, int]]] = {}
        """Stretches of each talk that are shown or held back, as (start, end) in milliseconds."""
        self._originals: list[_Original] = []
        self._answers_of: dict[str, frozenset[tuple[str, ...]]] = {}
        """The sentences of originals that answer, by passage id, as far as they were asked for."""

    def __len__(self) -> int:
        return len(self.hits)

    def exclude(self, talk: int, start_ms: int, end_ms: int) -> None:
        """Let no hit come from a stretch of a talk."""
        self._taken.setdefault(talk, []).append((start_ms, end_ms))

    def claim(self, talk: int, start_ms: int, end_ms: int) -> bool:
        """Claim a stretch of a talk for a hit, and say whether there may be one: none where a better one covers it."""
        if any(start_ms < end and start < end_ms for start, end in self._taken.get(talk, ())):
            return False
        self.exclude(talk, start_ms, end_ms)
        return True

    def hold_back(self, talk: int) -> bool:
        """Say whether a talk has as many hits as it may have; if so, one more is counted as held back."""
        is_full = self._per_talk is not None and self.talks.count(talk) >= self._per_talk
        self.held_back[talk] += is_full
        return is_full

    def fold_repeat(
        self, talk: int, vector: Floats | None, view: Callable[[], PassageView], *, by_answer: bool = True
    ) -> bool:
        """Say whether a passage says what a hit of its talk, or a copy in its talk, says; if so, that one counts it.

        Args:
            talk: the talk.
            vector: the passage's vector.
            view: returns what the passage shows; it is asked only where the talk has a hit.
            by_answer: also where only the sentences with the query's words are the same.
        """
        same_talk = [original for original in self._originals if original.talk == talk]
        near = [original for original in same_talk if may_say_the_same(vector, original.vector)]
        if not near and not (by_answer and same_talk):
            return False
        found = view()
        again = next((original for original in near if is_said_again(vector, found.row.text, *original.said())), None)
        if again is None and by_answer and found.matches:
            said = answers(self._db, found)
            again = next((original for original in same_talk if said and said <= self._answers(original)), None)
        if again is not None:
            self._count(again, found)
        return again is not None

    def fold_copy(self, talk: int, vector: Floats | None, view: PassageView) -> bool:
        """Say whether a passage says what a hit of another talk says; if so, that hit names it from now on.

        A passage that is not folded must be added as the next hit: later passages are compared with it.
        """
        for original in self._originals:
            is_other = original.talk != talk and not original.is_copy
            if is_other and says_the_same(vector, view.row.text, *original.said()):
                position = original.position
                hit = self.hits[position]
                self.hits[position] = replace(hit, copies=(*hit.copies, _copy(view.row)))
                self._originals.append(_Original(talk, vector, view, position, is_copy=True))
                return True
        self._originals.append(_Original(talk, vector, view, len(self.hits), is_copy=False))
        return False

    def add(self, hit: Hit, talk: int) -> None:
        """Add the next hit."""
        self.hits.append(hit)
        self.talks.append(talk)

    def _answers(self, original: _Original) -> frozenset[tuple[str, ...]]:
        """Return the sentences of an original in which the query's words are said."""
        passage_id = original.view.row.passage_id
        if passage_id not in self._answers_of:
            self._answers_of[passage_id] = answers(self._db, original.view) if original.view.matches else frozenset()
        return self._answers_of[passage_id]

    def _count(self, original: _Original, view: PassageView) -> None:
        """Count a place where a hit, or its copy in another talk, is said again."""
        hit = self.hits[original.position]
        if not original.is_copy:
            start_ms = view.row.start_ms if view.answer_ms is None else view.answer_ms
            hit = replace(hit, also_at=(*hit.also_at, place_of(view.row, start_ms)))
        else:
            talk_id = original.view.row.talk_id
            copies = (
                replace(copy, more_places=copy.more_places + 1) if copy.talk_id == talk_id else copy
                for copy in hit.copies
            )
            hit = replace(hit, copies=tuple(copies))
        self.hits[original.position] = hit


def place_of(row: PassageRow, start_ms: int) -> Place:
    """Return the place of a talk that begins at a millisecond."""
    jump_ms = jump_to(start_ms, row.timing, row.margin_ms)
    return Place(jump_ms, link(row.url, row.path, jump_ms))


def _copy(row: PassageRow) -> Copy:
    place = place_of(row, row.start_ms)
    return Copy(row.talk_id, row.title, place.jump_ms, place.url, row.timing, row.margin_ms)
