"""What the first look shows: what there is in the archive, and what to ask it first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from talksearch.cli.render import common
from talksearch.indexer.text.language_names import language_name
from talksearch.indexer.text.untrusted import safe
from talksearch.search.facets import Facets
from talksearch.search.overview import Overview

from .addresses import PageAddress, address, changed
from .talks_view import Line, line

_HOUR_MS = 3_600_000
_FEW = 3
"""How many languages are named; of more, their number is."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A question that is worth asking."""

    text: str
    link: str


@dataclass(frozen=True, slots=True)
class FirstLook:
    """The first look at an archive."""

    heading: str
    facts: tuple[str, ...]
    questions: tuple[Suggestion, ...]
    newest: tuple[Line, ...]
    longest: tuple[Line, ...]
    passing: str
    """How many talks pass the filters that are set; empty where none is."""
    passing_link: str


def first_look(here: PageAddress, seen: Overview, passing: int | None) -> FirstLook:
    """Return the first look at an archive; `passing` is how many talks pass the filters, None where none is set."""
    hours = seen.length_ms / _HOUR_MS
    return FirstLook(
        heading=f"{common.counted('talk', seen.talks)}, {_hours(hours)}",
        facts=tuple(_facts(seen)),
        questions=tuple(Suggestion(safe(one.text), changed(here, q=one.text)) for one in seen.questions),
        newest=tuple(map(line, seen.newest)),
        longest=tuple(map(line, seen.longest)),
        passing="" if passing is None else common.counted("talk", passing),
        passing_link=address("/talks", here.given),
    )


def _hours(hours: float) -> str:
    """Return hours in words: whole ones, or minutes where there is not even one.

    >>> _hours(531.4), _hours(1.0), _hours(0.4), _hours(1.9)
    ('531 hours', '1 hour', '24 minutes', '2 hours')
    """
    count, noun = (round(hours), "hour") if hours >= 1 else (round(hours * 60), "minute")
    return common.counted(noun, count)


def _facts(seen: Overview) -> Sequence[str]:
    facts = []
    if seen.first_year:
        facts.append(
            str(seen.first_year) if seen.first_year == seen.last_year else f"{seen.first_year}–{seen.last_year}"
        )
    languages = [one.value for one in seen.facets.language.values]
    count = len(languages) + seen.facets.language.more
    if languages:
        facts.append(", ".join(map(language_name, languages)) if count <= _FEW else f"{count} languages")
    facts += [_count(seen.facets, name) for name in ("channel", "speaker") if getattr(seen.facets, name).values]
    return facts


def _count(facets: Facets, name: str) -> str:
    facet = getattr(facets, name)
    count = len(facet.values) + facet.more
    return common.counted(name, count)
