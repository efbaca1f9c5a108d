"""Ranked passages as hits: what a candidate leads to, whether it is skipped, where to jump, and what is told of it."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from talksearch.indexer.text.terms import marks_among, matched_terms
from talksearch.search.hit import Hit, QuoteMatch
from talksearch.search.query import Query
from talksearch.search.ranking.fusion import Candidate
from talksearch.search.ranking.late_interaction import TokenScorer
from talksearch.search.ranking.passage_table import PassageTable
from talksearch.search.ranking.rank import Ranking

from .describe import explain, make_hit, widen
from .grade import Grade
from .heat import heat
from .hit_list import HitList
from .metadata_hits import Target, TargetResolver
from .passage_view import PassageView, Spans, locate_answer, locate_nearest, read_passage


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
    grade: Callable[[Candidate, int], Grade] | None = None
    """Grades the candidate that led to the passage with a number (`grader`); None where hits have no grade."""
    scorer: TokenScorer | None = None
    """Compares passages with the query token by token; None where it is not known what tokens mean."""


class _Jump(NamedTuple):
    """Where to jump in a passage."""

    start_ms: int
    matches: Spans
    by_meaning: bool
    """Whether it is the stretch that is nearest in meaning, because the passage says none of the query's words."""


def to_hits(assembly: Assembly) -> list[Hit]:
    """Return the candidates of a ranking as hits, best first.

    Of passages of a talk that overlap, the best one stands for all; passages of several talks that say the same are
    folded under the best one (`Hit.copies`). Only candidates that become hits, or nearly, are read from the catalog.
    """
    query, ranking = assembly.query, assembly.ranking
    if not ranking.candidates:
        return []
    table = ranking.table
    resolver = TargetResolver(assembly.db, table, ranking.candidates, assembly.terms, query.leave_out)
    hits = HitList(query.per_talk)
    if assembly.origin:
        hits.exclude(_talk_of(table, assembly.origin.number), assembly.origin.start_ms, assembly.origin.end_ms)
    for candidate in ranking.candidates:
        if len(hits) == query.k:
            break
        target = resolver.resolve(candidate)
        if target is None:
            continue
        place = table.place(target.number)
        talk = _talk_of(table, target.number)
        if not hits.claim(talk, *table.times(place)):
            continue
        view = assembly.view(target.number)
        if hits.fold(talk, table.vector(place), view.row):
            continue
        jump = _place_jump(assembly, table, target, view)
        hits.add(_describe(assembly, candidate, target, view, jump, rank=len(hits) + 1), talk)
    return _with_talk_facts(table, query, ranking, hits)


def _talk_of(table: PassageTable, number: int) -> int:
    """Return the talk of the passage with a number, counted as in the layout."""
    return int(table.layout.talks[table.place(number)])


def _place_jump(assembly: Assembly, table: PassageTable, target: Target, view: PassageView) -> _Jump:
    """Return where to jump in the passage that a candidate leads to, and which characters to mark.

    A passage that says none of the query's words is opened, and marked, at the stretch that is nearest to the query
    token by token. A note may know better where its passage is to be opened.
    """
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


def _describe(
    assembly: Assembly, candidate: Candidate, target: Target, view: PassageView, jump: _Jump, rank: int
) -> Hit:
    """Return the passage that a candidate leads to as a hit, with as much around it and about it as the query asks."""
    query = assembly.query
    grade = assembly.grade(candidate, target.number) if assembly.grade else None
    hit = make_hit(
        view.row,
        rank=rank,
        score=candidate.score,
        answer_ms=jump.start_ms,
        query_id=query.id,
        note=target.note,
        matches=jump.matches,
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
        return tuple(marks_among(words, matched_terms(words, view.weights), view.weights))
    shift = text.find(view.row.text)
    return tuple((start + shift, end + shift) for start, end in jump.matches if shift >= 0)


def _with_talk_facts(table: PassageTable, query: Query, ranking: Ranking, hit_list: HitList) -> list[Hit]:
    """Return the hits with what belongs to a talk as a whole: its heat at the first, what was held back at the last."""
    hits = list(hit_list.hits)
    first = {talk: position for position, talk in reversed(list(enumerate(hit_list.talks)))}
    last = {talk: position for position, talk in enumerate(hit_list.talks)}
    for talk, position in last.items():
        if hit_list.held_back[talk]:
            hits[position] = replace(hits[position], more_in_talk=hit_list.held_back[talk])
    if query.heat and hits:
        for position, bins in zip(first.values(), heat(table, list(first), ranking), strict=True):
            hits[position] = replace(hits[position], heat=bins)
    return hits


def quote_hits(db: sqlite3.Connection, query: Query, quotes: Sequence[QuoteMatch]) -> list[Hit]:
    """Return stretches in which a quote was said as hits that open at its first word."""
    hits: list[Hit] = []
    quotes_in_talk: Counter[str] = Counter()
    for quoted in quotes:
        row = read_passage(db, quoted.passages[0])
        quotes_in_talk[row.talk_id] += 1
        is_held_back = query.per_talk is not None and quotes_in_talk[row.talk_id] > query.per_talk
        if len(hits) < query.k and not is_held_back:
            hit = make_hit(row, rank=len(hits) + 1, score=quoted.score, answer_ms=quoted.start_ms, query_id=query.id)
            hits.append(_with_quote(db, replace(hit, quote=quoted), quoted, query.context_ms))
    last = {hit.talk_id: position for position, hit in enumerate(hits)}
    for talk_id, position in last.items():
        if query.per_talk is not None:
            held_back = max(0, quotes_in_talk[talk_id] - query.per_talk)
            hits[position] = replace(hits[position], more_in_talk=held_back)
    return hits


def _with_quote(db: sqlite3.Connection, hit: Hit, quoted: QuoteMatch, context_ms: int) -> Hit:
    """Return a hit whose text holds its quote, with the quote marked."""
    if quoted.text not in hit.text:  # the quote runs on into the next passage
        hit = replace(hit, start_ms=quoted.start_ms, end_ms=quoted.end_ms, text=quoted.text)
    if context_ms:
        hit = widen(db, hit, context_ms)
    start = hit.text.find(quoted.text)
    return replace(hit, matches=((start, start + len(quoted.text)),) if start >= 0 else ())
