"""The talks of an archive as a list, those that pass some filters, and what else there is to choose from."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np

from talksearch.indexer.arrays import Ints
from talksearch.indexer.stores import catalog, catalog_talks

from .facets import Facets
from .overview import TalkFacts
from .query import Filters
from .ranking.filters import allowed_passages
from .ranking.passage_table import PassageTable
from .reader import IndexReader
from .results.count_facets import count_facets

_LINES = (
    f"SELECT {catalog_talks.FACTS} FROM talks t"  # noqa: S608 - our own names
    " WHERE number IN (SELECT value FROM json_each(?)) ORDER BY title, id"
)
"""Reads `TalkFacts`."""


@dataclass(frozen=True, slots=True)
class TalkList:
    """The talks that pass some filters, by title."""

    talks: tuple[TalkFacts, ...]
    facets: Facets
    """How many of them each value of a filter lets through; a filter that is set does not narrow its own facet."""


def list_talks(reader: IndexReader, filters: Filters) -> TalkList:
    """Return the talks that pass some filters. Raises QueryError where a filter names a talk that is not there.

    Where a filter asks for a speaker, it is the talks in which they speak.
    """
    with catalog.snapshot(reader.db):
        table = reader.table()

        def places_with(some: Filters) -> Ints:
            allowed = allowed_passages(table, some)
            places = np.arange(len(table.layout.numbers)) if allowed is None else table.places(allowed)
            return _one_of_each_voice(table, places)

        facets = count_facets(table, filters, places_with)
        numbers = np.unique(table.layout.talk_numbers[table.layout.talks[places_with(filters)]])
        rows = reader.db.execute(_LINES, (json.dumps(numbers.tolist()),))
        return TalkList(tuple(TalkFacts(*row) for row in rows), facets)


def _one_of_each_voice(table: PassageTable, places: Ints) -> Ints:
    """Return one passage of each talk for all in which the same people speak: to count talks, no more are needed."""
    if table.columns is None:
        return places
    voices = table.columns.voices[places].astype(np.int64)
    _, first = np.unique(table.layout.talks[places] * (len(table.columns.speakers) + 1) + voices, return_index=True)
    one_each: Ints = places[first]
    return one_each
