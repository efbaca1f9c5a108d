"""Ranking the passages of an index for a query, in each mode."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from talksearch.indexer.vectors import Floats, Ints, Vectors

from .candidates import by_meaning, by_words
from .fuse import TALK, Array, Candidate, fuse, score_words
from .heard import Also, holding_also, other_terms
from .notes import notes_of
from .postings import Layout, together
from .query import Query

_DEPTH = 400
"""Passages looked at for hits. More than are shown, because those that overlap a better one are passed over."""

_AVOID = 0.8
"""What the score for a text to avoid takes off, as a share of itself."""


@dataclass(frozen=True, slots=True)
class Source:
    """What is ranked."""

    db: sqlite3.Connection
    vectors: Vectors
    layout: Callable[[], tuple[Layout, Ints]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A text to look for, as words and as a vector."""

    terms: tuple[str, ...]
    ways: Mapping[str, Also] = field(default_factory=dict)
    """How else the terms may have been written down."""
    vector: Floats | None = None
    """None where only words count."""
    query: bool = True
    """It is a query: terms that follow each other belong together, and a talk about them is likely meant. False: it is
    a passage, whose words only say what it is about."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The best passages, and the scores of any others."""

    candidates: Sequence[Candidate]
    """Best first."""
    scores: Callable[[Ints], Array]
    """Scores of passages by number; `usual` where a passage has none."""
    usual: float
    """The score from which a passage may have to do with the query: the mean and two deviations, 0 for words."""
    note: str = ""


def rank(source: Source, query: Query, asked: Asked, avoided: Asked | None, within: Ints | None) -> Ranking:
    """Rank passages by what is asked, those that say what is to be avoided further down."""
    depth = max(_DEPTH, 4 * query.k)
    if query.mode == "lexical":
        return _lexical(source, asked, avoided, within, depth)
    note = _waiting(source.db)
    if query.mode == "semantic":
        return _semantic(source, asked, avoided, within, depth, note)
    return _hybrid(source, query, asked, avoided, within, depth, note)


def _lexical(source: Source, asked: Asked, avoided: Asked | None, within: Ints | None, depth: int) -> Ranking:
    found = by_words(source.db, [*asked.terms, *other_terms(asked.ways)], within, depth)
    if avoided and avoided.terms:
        out = {number for number, _ in by_words(source.db, avoided.terms, None, -1)}
        found = [(number, score) for number, score in found if number not in out]
    known = dict(found)
    return Ranking(
        [Candidate(number, score, words=score) for number, score in found],
        lambda numbers: np.array([known.get(number, 0.0) for number in numbers.tolist()]),
        0.0,
    )


def _semantic(
    source: Source, asked: Asked, avoided: Asked | None, within: Ints | None, depth: int, note: str
) -> Ranking:
    assert asked.vector is not None
    vector = asked.vector
    if avoided and avoided.vector is not None:
        # What both have in common is what was asked for: only what lies aside of it is turned away from.
        aside = avoided.vector - (avoided.vector @ vector) * vector
        turned = vector - np.float32(_AVOID) * aside
        vector = (turned / (np.linalg.norm(turned) or 1.0)).astype(np.float32)
    numbers, cosines, mean, deviation = by_meaning(source.vectors, vector, within, depth)

    def scores(wanted: Ints) -> Array:
        rows = source.vectors.find(wanted)
        found: Array = np.where(rows >= 0, source.vectors.rows[rows] @ vector, mean).astype(float)
        return found

    near = zip(numbers.tolist(), cosines.tolist(), strict=True)
    candidates = [Candidate(number, cosine, meaning=cosine) for number, cosine in near]
    return Ranking(candidates, scores, mean + 2 * deviation, note)


def _hybrid(
    source: Source,
    query: Query,
    asked: Asked,
    avoided: Asked | None,
    within: Ints | None,
    depth: int,
    note: str,
) -> Ranking:
    lie, rows = source.layout()
    silent = notes_of(source.db, query.leave_out)
    words, cosines = _evidence(source, asked, silent)
    inside: npt.NDArray[np.bool_] | None = None
    if within is not None:
        inside = np.zeros(len(rows), bool)
        inside[lie.places(within)] = True
    less = None
    if avoided:
        turned_from, away = _evidence(source, avoided, silent)
        less = _AVOID * np.maximum(fuse(away, turned_from, None, 1)[1], 0.0)
    best, scores = fuse(cosines, words, inside, depth, less)
    candidates = [
        Candidate(
            int(lie.numbers[at]),
            float(scores[at]),
            None if np.isnan(cosines[at]) else float(cosines[at]),
            float(words[at]) or None,
        )
        for at in best.tolist()
    ]
    usual = float(scores.mean() + 2 * scores.std()) if len(scores) else 0.0
    return Ranking(candidates, lambda numbers: scores[lie.places(numbers)], usual, note)


def _evidence(source: Source, asked: Asked, silent: Ints) -> tuple[Array, Floats]:
    """Return what words and meaning say for every passage: scores (n,) and cosines (n,), NaN without a vector."""
    lie, rows = source.layout()
    said = [lie.places(holding_also(source.db, term, asked.ways.get(term), silent)) for term in asked.terms]
    pairs = [
        (at, at + 1, lie.places(together(source.db, *both, silent)))
        for at, both in enumerate(pairwise(asked.terms if asked.query else ()))
    ]
    cosines = np.full(len(rows), np.nan, np.float32)
    if asked.vector is not None and (rows >= 0).any():
        cosines[rows >= 0] = (source.vectors.rows @ asked.vector)[rows[rows >= 0]]
    return score_words(lie, said, pairs, TALK if asked.query else 0.0), cosines


def _waiting(db: sqlite3.Connection) -> str:
    waiting, every = db.execute(  # two counts, each from an index: one would read every passage
        "SELECT (SELECT count(*) FROM passages WHERE NOT embedded), (SELECT count(*) FROM passages)"
    ).fetchone()
    return f"{waiting} of {every} passages have no vector yet and are found by their words only." if waiting else ""
