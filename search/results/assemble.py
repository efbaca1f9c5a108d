"""Ranked passages as hits: what a candidate leads to, whether it is skipped, where to jump, and what is told of it."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np

from talksearch.indexer.text.terms import marks_among, matched_terms
from talksearch.search.hit import Hit, QuoteMatch
from talksearch.search.query import Query
from talksearch.search.ranking.late_interaction import TokenScorer
from talksearch.search.ranking.passage_table import PassageTable
from talksearch.search.ranking.rank import Ranking

from .describe import explain, make_hit, widen
from .grade import Grader
from .heat import heat
from .hit_list import Found, HitList, place_of
from .metadata_hits import Target, TargetResolver
from .order import Lead, in_order
from .passage_view import (
    PassageRow,
    PassageView,
    Spans,
    locate_answer,
    locate_in_tracks,
    locate_nearest,
    locate_turn,
    merged,
    read_passage,
    speaker_at,
    speakers_between,
)
from .repeats import SAME_MEANING, quote_is_said_again
from .timeline import timelines

_HELD_BACK = 10**9
"""The position of a hit that a limit keeps from being shown."""


class Origin(NamedTuple):
    """The passage that others like it are looked for, and when it is said, in milliseconds."""

    number: int
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Assembly:
    """Everything that the hits of one query are assembled from."""

    db: sqlite3.Connection
    query: Query
    terms: tuple[str, ...]
    """The terms that were looked for."""
    ranking: Ranking
    view: Callable[[int], PassageView]
    """Returns what the passage with a number shows (`view_passage`)."""
    origin: Origin | None = None
    """What others like it are looked for; it is no hit itself. None for a query."""
    grader: Grader | None = None
    """Grades the candidates; None where hits have no grade."""
    scorer: TokenScorer | None = None
    """Compares passages with the query token by token; None where it is not known what tokens mean."""
    fair_cosine: float = math.inf
    """The cosine from which on a passage is not weak by meaning alone (`grade.fair_cosine`)."""
    named: frozenset[str] = frozenset()
    """Names, or words of names, of those whom the query names: it asks for what they say."""


class _Jump(NamedTuple):
    """Where to jump in a passage."""

    start_ms: int
    matches: Spans
    by_meaning: bool
    """Whether it is the stretch that is nearest in meaning, because the passage says none of the query's words."""


def to_hits(assembly: Assembly) -> list[Hit]:
    """Return the candidates of a ranking as hits, best first.

    A better grade goes before a worse one. Of passages of a talk that overlap, the best one stands for all; passages of
    a talk that say the same are one hit (`Hit.also_at`), and those of several talks are folded under the best one
    (`Hit.copies`). Only candidates that become hits, or nearly, are read from the catalog.
    """
    query, ranking = assembly.query, assembly.ranking
    if not ranking.candidates:
        return []
    table = ranking.table
    resolver = TargetResolver(
        assembly.db, table, ranking.candidates, assembly.terms, query.leave_out, assembly.fair_cosine
    )
    hits = HitList(assembly.db, query.per_talk)
    if assembly.origin:
        hits.exclude(_talk_of(table, assembly.origin.number), assembly.origin.start_ms, assembly.origin.end_ms)
    opened: dict[int, int] = {}
    for lead in in_order(ranking.candidates, resolver, assembly.grader):
        found = _found(assembly, table.place(lead.target.number))
        if not hits.claim(found.talk, *table.times(found.place)):
            continue
        if hits.fold_repeat(found, by_answer=lead.target.note is None):
            continue
        if hits.hold_back(found.talk) or hits.fold_copy(found):
            continue
        view = found.view()
        jump = _place_jump(assembly, table, lead.target, view)
        hit = _describe(assembly, lead, view, jump, rank=len(hits) + 1)
        hits.add(hit, found.talk)
        opened[lead.target.number] = hit.jump_ms
        if len(hits) == query.k:
            break
    _count_further_repeats(assembly, hits)
    return _with_talk_facts(assembly, hits, opened)


def _found(assembly: Assembly, place: int) -> Found:
    """Return the passage at a place."""
    table = assembly.ranking.table
    view = partial(assembly.view, int(table.layout.numbers[place]))
    return Found(int(table.layout.talks[place]), place, table.vector(place), view)


def _count_further_repeats(assembly: Assembly, hits: HitList) -> None:
    """Count what the talks of the hits say again among the candidates that did not come to be looked at.

    Only near-copies are looked for, which vectors tell, but in talks that say the query's words again and again.
    """
    table, candidates = assembly.ranking.table, assembly.ranking.candidates
    numbers = np.array([candidate.number for candidate in candidates], np.int64)
    places = table.places(numbers)
    places = places[places >= 0]
    places = places[~table.layout.notes[places] & (table.vector_rows[places] >= 0)]
    talks = table.layout.talks[places]
    looping = hits.talks_that_repeat_themselves()
    for talk, own in hits.places_of_talks().items():
        own_rows = table.vector_rows[np.array(own)]
        others = places[(talks == talk) & ~np.isin(places, own)]
        if talk not in looping:
            if not len(others) or (own_rows < 0).any():
                continue
            likeness = table.vectors.take(table.vector_rows[others]) @ table.vectors.take(own_rows).T
            others = others[likeness.max(axis=1) >= SAME_MEANING]
        for place in others.tolist():
            if hits.claim(talk, *table.times(place)):
                hits.fold_repeat(_found(assembly, place), by_answer=talk in looping)


def _talk_of(table: PassageTable, number: int) -> int:
    """Return the talk of the passage with a number, counted as in the layout."""
    return int(table.layout.talks[table.place(number)])


def _place_jump(assembly: Assembly, table: PassageTable, target: Target, view: PassageView) -> _Jump:
    """Return where to jump in the passage that a candidate leads to, and which characters to mark.

    A passage that says none of the query's words is opened where a track of its talk says them. Where none does, it is
    opened, and marked, at the stretch that is nearest to the query token by token. A note may know better where its
    passage is to be opened. Where the query asks for somebody, a passage of several turns is opened where that one
    speaks.
    """
    if target.note is None and (start_ms := _own_turn(assembly, view)) is not None:
        return _Jump(start_ms, view.matches, by_meaning=False)
    if not view.matches and target.note is None:
        start_ms = locate_in_tracks(assembly.db, view.row, view.weights)
        if start_ms is not None:
            return _Jump(start_ms, (), by_meaning=False)
    if assembly.scorer and not view.matches and target.note is None:
        nearest = locate_nearest(assembly.db, view.row, assembly.scorer, target.number)
        if nearest:
            return _Jump(*nearest, by_meaning=True)
    if target.start_ms is not None:
        start_ms = target.start_ms
    elif target.terms:
        start_ms = locate_answer(assembly.db, view.row, table.term_weights(target.terms))
    elif view.answer_ms is not None:
        start_ms = view.answer_ms
    else:
        start_ms = locate_answer(assembly.db, view.row, view.weights)
    return _Jump(start_ms, view.matches, by_meaning=False)


def _own_turn(assembly: Assembly, view: PassageView) -> int | None:
    """Return where to open what somebody says whom the query or a filter names; None where that one does not tell.

    The filter lets passages through of which somebody else may say the query's words; those are opened there.
    """
    wanted = assembly.query.filters.speaker
    names = assembly.named or ({wanted} if wanted else frozenset())
    turn = locate_turn(assembly.db, view.row, view.weights, names) if names else None
    return turn[0] if turn and (assembly.named or turn[1]) else None


def _describe(assembly: Assembly, lead: Lead, view: PassageView, jump: _Jump, rank: int) -> Hit:
    """Return the passage that a candidate leads to as a hit, with as much around it and about it as the query asks."""
    query, candidate, grade = assembly.query, lead.candidate, lead.grade
    hit = make_hit(
        view.row,
        rank=rank,
        score=candidate.score,
        answer_ms=jump.start_ms,
        query_id=query.id,
        note=lead.target.note,
        matches=jump.matches,
        mark_kind="near" if jump.by_meaning else "said",
        said_by=speaker_at(assembly.db, view.row, jump.start_ms),
        grade=grade.word if grade else None,
    )
    if query.context_ms:
        hit = widen(assembly.db, hit, query.context_ms)
        hit = replace(hit, matches=_matches_in(hit.text, view, jump))
    if query.explain:
        reasons = explain(assembly.ranking.candidates, candidate, hit, view.weights)
        if grade:
            reasons["grade_probability"] = round(grade.probability, 3)
        hit = replace(hit, explain=reasons)
    return hit


def _matches_in(text: str, view: PassageView, jump: _Jump) -> Spans:
    """Return the characters to mark in the text of a passage with the words around it."""
    if not jump.by_meaning:
        words = text.split(" ")
        return merged(marks_among(words, matched_terms(words, view.weights), view.weights))
    shift = text.find(view.row.text)
    return tuple((start + shift, end + shift) for start, end in jump.matches if shift >= 0)


def _with_talk_facts(assembly: Assembly, hit_list: HitList, opened: Mapping[int, int]) -> list[Hit]:
    """Return the hits with what belongs to a talk as a whole: its heat at the first, what was held back at the last.

    `opened` says where the passages are opened that are hits, in milliseconds, by their number.
    """
    query, table = assembly.query, assembly.ranking.table
    hits = [replace(hit, also_at=tuple(sorted(hit.also_at))) if hit.also_at else hit for hit in hit_list.hits]
    first = {talk: position for position, talk in reversed(list(enumerate(hit_list.talks)))}
    last = {talk: position for position, talk in enumerate(hit_list.talks)}
    for talk, position in last.items():
        if hit_list.held_back[talk]:
            hits[position] = replace(hits[position], more_in_talk=hit_list.held_back[talk])
    if (query.heat or query.timeline) and hits:
        levels = heat(table, list(first), assembly.ranking, with_places=query.timeline)
        for position, bins in zip(first.values(), levels.bins(), strict=True):
            hits[position] = replace(hits[position], heat=bins if query.heat else ())
        if query.timeline:
            weights = table.term_weights(assembly.terms)
            for position, parts in zip(first.values(), timelines(table, levels, weights, opened), strict=True):
                hits[position] = replace(hits[position], timeline=parts)
    return hits


def quote_hits(db: sqlite3.Connection, query: Query, quotes: Sequence[QuoteMatch]) -> list[Hit]:
    """Return stretches in which a quote was said as hits that open at its first word.

    Stretches of a talk in the same passage, or in passages that say the same, are one hit (`Hit.also_at`).
    """
    hits: list[Hit] = []
    places: dict[str, list[tuple[PassageRow, QuoteMatch, int]]] = {}
    """By talk: the places that others are compared with, and the position of the hit; behind all hits, what is held
    back."""
    for quoted in quotes:
        row = read_passage(db, quoted.passages[0])
        same_talk = places.setdefault(row.talk_id, [])
        again = (
            position
            for other, other_quote, position in same_talk
            if quote_is_said_again(row, quoted.text, other, other_quote.text)
        )
        position = next(again, None)
        if position is None:
            is_held_back = query.per_talk is not None and len(same_talk) >= query.per_talk
            position = _HELD_BACK if is_held_back else len(hits)
            if position < query.k or is_held_back:
                same_talk.append((row, quoted, position))
        if position < len(hits):
            also_at = (*hits[position].also_at, place_of(row, quoted.start_ms))
            hits[position] = replace(hits[position], also_at=also_at)
        elif position < query.k:
            hit = make_hit(row, rank=len(hits) + 1, score=quoted.score, answer_ms=quoted.start_ms, query_id=query.id)
            hits.append(_with_quote(db, hit, quoted, query.context_ms))
    last = {hit.talk_id: position for position, hit in enumerate(hits)}
    for talk_id, position in last.items():
        hits[position] = replace(hits[position], more_in_talk=sum(place[2] == _HELD_BACK for place in places[talk_id]))
    return [replace(hit, also_at=tuple(sorted(hit.also_at))) for hit in hits]


def _with_quote(db: sqlite3.Connection, hit: Hit, quoted: QuoteMatch, context_ms: int) -> Hit:
    """Return a hit whose text holds its quote, with the quote marked, and who said it."""
    speaker = speakers_between(db, quoted.talk, *sorted((quoted.first_cue, quoted.last_cue)))
    hit = replace(hit, quote=replace(quoted, speaker=speaker), said_by=speaker)
    if quoted.text not in hit.text:  # the quote runs on into the next passage
        hit = replace(hit, start_ms=quoted.start_ms, end_ms=quoted.end_ms, text=quoted.text)
    if context_ms:
        hit = widen(db, hit, context_ms)
    start = hit.text.find(quoted.text)
    return replace(hit, matches=((start, start + len(quoted.text)),) if start >= 0 else ())
