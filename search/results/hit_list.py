"""The hits of an answer as they are found, and what they rule out for the candidates that come after them."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from talksearch.indexer.arrays import Floats
from talksearch.search.hit import Copy, Hit, Place
from talksearch.search.links import jump_to, link

from .passage_view import PassageRow, PassageView
from .repeats import answers, is_said_again, marked_words, may_say_the_same, repeats_itself, says_the_same


class Found(NamedTuple):
    """A passage that a candidate led to."""

    talk: int
    """Its talk."""
    place: int
    """Its place in the layout."""
    vector: Floats | None
    view: Callable[[], PassageView]
    """Returns what it shows, which is read when it is asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class _Original:
    """What later passages are compared with: a passage that is a hit, one that says the same, or a copy of one."""

    found: Found
    position: int
    """Of the hit."""
    is_copy: bool

    def said(self) -> tuple[Floats | None, str]:
        """Return its vector and its text."""
        return self.found.vector, self.found.view().row.text


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
        self._answers_of: dict[int, frozenset[tuple[str, ...]]] = {}
        """The sentences of originals that answer, by place, as far as they were asked for."""

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

    def fold_repeat(self, found: Found, *, by_answer: bool = True) -> bool:
        """Say whether a passage says what a hit of its talk, or a copy in its talk, says; if so, that one counts it.

        `by_answer`: also where only the sentences with the query's words are the same.
        """
        same_talk = [original for original in self._originals if original.found.talk == found.talk]
        near = [original for original in same_talk if may_say_the_same(found.vector, original.found.vector)]
        if not near and not (by_answer and same_talk):
            return False
        view = found.view()
        text = view.row.text
        again = next((original for original in near if is_said_again(found.vector, text, *original.said())), None)
        if again is None and by_answer and view.matches:
            again = self._answered_by(view, same_talk)
        if again is None:
            return False
        self._count(again, view)
        if again not in near:  # what says the same as this one does is said again as well
            self._originals.append(_Original(found, again.position, again.is_copy))
        return True

    def fold_copy(self, found: Found) -> bool:
        """Say whether a passage says what a hit of another talk says; if so, that hit names it from now on.

        A passage that is not folded must be added as the next hit: later passages are compared with it.
        """
        row = found.view().row
        for original in self._originals:
            is_other = original.found.talk != found.talk and not original.is_copy
            if is_other and says_the_same(found.vector, row.text, *original.said()):
                position = original.position
                hit = self.hits[position]
                self.hits[position] = replace(hit, copies=(*hit.copies, _copy(row)))
                self._originals.append(_Original(found, position, is_copy=True))
                return True
        self._originals.append(_Original(found, len(self.hits), is_copy=False))
        return False

    def places_of_talks(self) -> dict[int, list[int]]:
        """Return the places of the passages that others are compared with, by talk."""
        places: dict[int, list[int]] = {}
        for original in self._originals:
            places.setdefault(original.found.talk, []).append(original.found.place)
        return places

    def talks_that_repeat_themselves(self) -> set[int]:
        """Return the talks of which a passage in the list says the query's words again and again."""
        return {original.found.talk for original in self._originals if repeats_itself(original.found.view())}

    def add(self, hit: Hit, talk: int) -> None:
        """Add the next hit."""
        self.hits.append(hit)
        self.talks.append(talk)

    def _answered_by(self, view: PassageView, originals: Sequence[_Original]) -> _Original | None:
        """Return the original that says all the sentences of a passage in which the query's words are said."""
        marked = marked_words(view)  # which is quick, and tells most apart
        originals = [original for original in originals if marked <= marked_words(original.found.view())]
        said = answers(self._db, view) if originals else frozenset()
        return next((original for original in originals if said and said <= self._answers(original)), None)

    def _answers(self, original: _Original) -> frozenset[tuple[str, ...]]:
        """Return the sentences of an original in which the query's words are said."""
        place = original.found.place
        if place not in self._answers_of:
            view = original.found.view()
            self._answers_of[place] = answers(self._db, view) if view.matches else frozenset()
        return self._answers_of[place]

    def _count(self, original: _Original, view: PassageView) -> None:
        """Count a place where a hit, or its copy in another talk, is said again."""
        hit = self.hits[original.position]
        if original.is_copy:
            talk_id = view.row.talk_id
            copies = tuple(
                replace(copy, more_places=copy.more_places + 1) if copy.talk_id == talk_id else copy
                for copy in hit.copies
            )
            self.hits[original.position] = replace(hit, copies=copies)
        else:
            start_ms = view.row.start_ms if view.answer_ms is None else view.answer_ms
            also_at = (*hit.also_at, place_of(view.row, start_ms))
            self.hits[original.position] = replace(hit, also_at=also_at)


def place_of(row: PassageRow, start_ms: int) -> Place:
    """Return the place of a talk that begins at a millisecond."""
    jump_ms = jump_to(start_ms, row.timing, row.margin_ms)
    return Place(jump_ms, link(row.url, row.path, jump_ms))


def _copy(row: PassageRow) -> Copy:
    place = place_of(row, row.start_ms)
    return Copy(row.talk_id, row.title, place.jump_ms, place.url, row.timing, row.margin_ms)
