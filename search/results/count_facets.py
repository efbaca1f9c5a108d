"""Which talks an answer has, and how many of them each value of a filter lets through."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace

import numpy as np

from talksearch.indexer.arrays import Ints
from talksearch.search.facets import Facet, Facets, count_values, languages_taken_in
from talksearch.search.hit import Hit
from talksearch.search.query import Filters
from talksearch.search.ranking.passage_table import PassageTable
from talksearch.search.ranking.rank import Ranking

from .grade import Grader

_FILTERS: Mapping[str, tuple[str, ...]] = {
    "channel": ("channel",),
    "speaker": ("speaker",),
    "language": ("language",),
    "year": ("after", "before"),
    "timing": ("timing",),
}
"""The fields of `Filters` that each facet is chosen with."""

_COLUMNS = {"channel": "channel", "language": "language", "year": "substr(date, 1, 4)", "timing": "timing"}
"""Where the catalog has the value of each talk, for the facets of which a talk has one."""

_NUMBERS = "SELECT number FROM passages WHERE id IN (SELECT value FROM json_each(?))"


def answering(table: PassageTable, ranking: Ranking, grader: Grader | None) -> Ints:
    """Return the places of the candidates that answer at least fairly.

    Where candidates are not graded, it is those with a score that few passages reach by chance.
    """
    candidates = ranking.candidates
    numbers = [candidate.number for candidate in candidates]
    if grader is None:
        places = np.array(numbers, np.int64)
        found = places[ranking.scores(places) > ranking.threshold] if len(places) else places
    else:
        grades = grader(candidates, numbers)
        found = np.array([number for number, grade in zip(numbers, grades, strict=True) if grade.word != "weak"])
    places = table.places(found.astype(np.int64))
    return places[places >= 0]


def places_of_hits(table: PassageTable, hits: Sequence[Hit]) -> Ints:
    """Return the places of the passages that are hits, or copies of hits."""
    ids = json.dumps([hit.passage_id for hit in hits])
    numbers = np.array([number for (number,) in table.db.execute(_NUMBERS, (ids,))], np.int64)
    places = table.places(numbers)
    return places[places >= 0]


def count_facets(table: PassageTable, filters: Filters, places_with: Callable[[Filters], Ints]) -> Facets:
    """Count the talks of an answer. A filter that is set does not narrow its own facet.

    Args:
        table: The passages as ranking saw them.
        filters: The filters of the query.
        places_with: Returns the places of the passages that answer with some filters. It is called once, and once more
            for each facet of which a filter is set.
    """
    empty = Filters()
    found = places_with(filters)

    def counted(facet: str) -> Facet:
        wider = replace(filters, **{name: getattr(empty, name) for name in _FILTERS[facet]})
        return _count(table, facet, found if wider == filters else places_with(wider))

    return Facets(**{field.name: counted(field.name) for field in fields(Facets)})


def _count(table: PassageTable, facet: str, places: Ints) -> Facet:
    talks = np.unique(table.layout.talk_numbers[table.layout.talks[places]])
    if facet == "speaker":
        return count_values(_speakers(table, talks, places))
    pairs = list(_values(table.db, _COLUMNS[facet], talks))
    return count_values(pairs, languages_taken_in(tag for _, tag in pairs) if facet == "language" else None)


def _values(db: sqlite3.Connection, column: str, talks: Ints) -> Iterable[tuple[int, str]]:
    """Yield the numbers of some talks, each with its value in a column; those without one are left out."""
    rows = db.execute(
        f"SELECT number, {column} FROM talks WHERE number IN (SELECT value FROM json_each(?))"  # noqa: S608 - our names
        f" AND {column} IS NOT NULL",
        (json.dumps(talks.tolist()),),
    )
    return ((number, value) for number, value in rows)


def _speakers(table: PassageTable, talks: Ints, places: Ints) -> Iterator[tuple[int, str]]:
    """Yield the numbers of talks with who gives each, and who speaks in the passages at some places."""
    yield from _values(table.db, "speaker", talks)
    numbers = table.layout.talk_numbers[table.layout.talks[places]].tolist()
    for number, names in zip(numbers, table.speakers_at(places), strict=True):
        for name in names:
            yield number, name
