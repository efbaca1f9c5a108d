"""How much a term tells: its idf, among what is said in the same language.

In an archive of several languages every word of one of them is rare, because few talks are in it. That tells which
language a talk is in, and nothing about what was asked: "the" in a language with few talks would count as much as a
name. So a passage that holds a term is counted among the passages of its own language, or where only a track of its
talk says it, among those with a track in that language; a term tells the mean of that over the passages that hold it.
In an archive of one language this is the idf that everybody knows.
"""

from __future__ import annotations

import math
import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from talksearch.indexer.arrays import Ints
from talksearch.indexer.text.language_codes import language_code

from .layout import PassageLayout
from .postings import idf

Talks = npt.NDArray[np.bool_]
"""Which talks something holds for (talks,)."""


class TermWeight(NamedTuple):
    """How much a term tells."""

    passage: float
    """Of a passage that holds it: the idf among passages."""
    talk: float
    """Of a talk that holds it: the idf among talks."""
    most: float
    """What a term would tell of a passage that alone holds it: about the logarithm of how many there are."""


class QueryPostings(NamedTuple):
    """Where the terms of a query are said."""

    terms: Sequence[Ints]
    """For each term, the places of the passages that hold it, rising."""
    cooccurrences: Sequence[Ints]
    """For each term but the last, the places where it is said together with the next one; empty for a passage."""
    weights: Sequence[TermWeight]
    """How much each term tells."""


@dataclass(frozen=True, slots=True, eq=False)
class LanguageGroups:
    """Which languages the talks of an index are in."""

    own: Ints
    """The language that each talk is in, counted from 0 (talks,). Where it is not known, it is the commonest."""
    languages: tuple[str, ...]
    """The code of each of these languages, the commonest first."""
    tracks: tuple[Talks, ...]
    """For each language that there are tracks in, which talks have one (talks,)."""


def read_groups(db: sqlite3.Connection, talk_numbers: Ints) -> LanguageGroups | None:
    """Return the languages of some talks, which are given by their numbers in the catalog (talks,).

    None where all are in one language and none has a track in another.
    """
    tags = dict(db.execute("SELECT number, language FROM talks WHERE language IS NOT NULL"))
    known = {number: language_code(tag) for number, tag in tags.items()}
    commonest = [language for language, _ in Counter(known.values()).most_common()]
    tracks: dict[str, set[int]] = {}
    for talk, tag in db.execute("SELECT talk, language FROM tracks"):
        tracks.setdefault(language_code(tag), set()).add(talk)
    if len(commonest) < 2 and not tracks:
        return None
    numbers = talk_numbers.tolist()
    own = [commonest.index(known[number]) if number in known else 0 for number in numbers]
    masks = [np.array([number in having for number in numbers], bool) for having in tracks.values()]
    return LanguageGroups(np.array(own, np.int64), tuple(commonest), tuple(masks))


def term_weight(layout: PassageLayout, groups: LanguageGroups | None, places: Ints, in_tracks: Ints) -> TermWeight:
    """Return how much a term tells.

    Args:
        layout: The layout of all passages.
        groups: The languages of their talks; None where all are in one.
        places: The places of the passages that hold it, rising.
        in_tracks: Those of them where only a track says it.
    """
    talks = len(layout.sizes)
    held_by = layout.talks[places]
    if groups is None or not len(places):
        return _among(len(layout.numbers), len(places), talks, len(_present(held_by)))
    own_by = layout.talks[np.setdiff1d(places, in_tracks, assume_unique=True)]
    parts = []
    for group in _present(groups.own[own_by]).tolist():
        own = groups.own == group
        within = own_by[own[own_by]]
        parts.append((len(within), _within(layout, own, within)))
    if len(in_tracks):
        track_by = layout.talks[in_tracks]
        # A talk may have tracks in several languages. The one that it is in explains most of where it is said.
        having = max(groups.tracks, key=lambda mask: (mask[track_by].sum(), layout.sizes[mask].sum()))
        parts.append((len(track_by), _within(layout, having, track_by[having[track_by]])))
    counts, weights = zip(*parts, strict=True)
    return TermWeight(*np.average(weights, axis=0, weights=counts).tolist())


def _within(layout: PassageLayout, talks: Talks, held_by: Ints) -> TermWeight:
    """Return how much a term tells among the passages of some talks, given the talk of each passage that holds it."""
    return _among(int(layout.sizes[talks].sum()), len(held_by), int(talks.sum()), len(_present(held_by)))


def _among(passages: int, holding: int, talks: int, talks_holding: int) -> TermWeight:
    return TermWeight(idf(passages, holding), idf(talks, talks_holding), math.log(passages + 1))


def _present(numbers: Ints) -> Ints:
    """Return which numbers from 0 on there are, each once: sooner than by sorting, which every term would wait for."""
    return np.flatnonzero(np.bincount(numbers))
