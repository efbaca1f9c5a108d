"""Facets: how many talks of an answer, or of an archive, each value of a filter lets through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

from talksearch.indexer.records import Json

MOST_VALUES = 50
"""How many values of a facet are told; the rest are counted (`Facet.more`)."""


@dataclass(frozen=True, slots=True)
class FacetValue:
    """A value that a filter can have, and how many talks it lets through."""

    value: str
    talks: int


@dataclass(frozen=True, slots=True)
class Facet:
    """The values of one filter, those that let most talks through first; by name where as many."""

    values: tuple[FacetValue, ...] = ()
    more: int = 0
    """How many more values there are."""


@dataclass(frozen=True, slots=True)
class Facets:
    """What there is to choose from, by the filter that chooses it."""

    channel: Facet
    speaker: Facet
    """Who gives a talk, or speaks in a passage that counts."""
    language: Facet
    year: Facet
    """Chosen with `after` and `before`, both of which take a year."""
    timing: Facet

    def to_dict(self) -> dict[str, Json]:
        """Return them as JSON, by the name of the facet."""
        return {
            field.name: {
                "values": [{"value": one.value, "talks": one.talks} for one in facet.values],
                "more": facet.more,
            }
            for field in fields(self)
            for facet in [getattr(self, field.name)]
        }


def count_values(pairs: Iterable[tuple[int, str]], taken_in: Mapping[str, Sequence[str]] | None = None) -> Facet:
    """Return how many talks each value has.

    Args:
        pairs: talks with a value of each; a talk may have several, and a pair may come again.
        taken_in: other values whose talks count for a value as well, because choosing it chooses them too.

    >>> count_values([(1, "en"), (2, "en-GB"), (2, "en-GB"), (3, "de")], {"en": ["en-GB"]}).values
    (FacetValue(value='en', talks=2), FacetValue(value='de', talks=1), FacetValue(value='en-GB', talks=1))
    """
    talks: dict[str, set[int]] = {}
    for talk, value in pairs:
        talks.setdefault(value, set()).add(talk)
    others = taken_in or {}
    counts = {
        value: len(own.union(*(talks.get(other, ()) for other in others[value])) if value in others else own)
        for value, own in talks.items()
    }
    ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return Facet(tuple(FacetValue(*one) for one in ordered[:MOST_VALUES]), max(0, len(ordered) - MOST_VALUES))


def languages_taken_in(tags: Iterable[str]) -> dict[str, list[str]]:
    """Return, for each language tag that others go into more detail than, these others, which a filter takes in too.

    >>> languages_taken_in(["en", "en-GB", "enm"])
    {'en': ['en-GB']}
    """
    known = set(tags)
    found = {tag: sorted(other for other in known if other.lower().startswith(f"{tag.lower()}-")) for tag in known}
    return {tag: others for tag, others in found.items() if others}
