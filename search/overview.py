"""What an archive holds, at a glance: how much, from when, in which languages, and what to ask it first.

`make_overview` makes it. It depends on the catalog alone, and a file keeps it (`layout.OVERVIEW`), because the first
page of a server must not wait for what counts passages. The file may be deleted; the next indexing run writes it again.
This module imports no numpy, for the same reason.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import NamedTuple

from talksearch.indexer import layout
from talksearch.indexer.records import Json, Timing

from .facets import Facet, Facets, FacetValue

Version = tuple[int, int]
"""The version of the catalog that an overview was made of (`catalog.version`)."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question worth asking, in words that stand in the archive."""

    text: str
    talk_id: str
    """The talk that it comes from."""
    start_ms: int
    """When its chapter begins; 0 for the title of a talk."""


class TalkFacts(NamedTuple):
    """What is told of a talk in a list."""

    id: str
    title: str
    channel: str | None
    speaker: str | None
    date: str | None
    language: str | None
    timing: Timing
    length_ms: int
    """When its last words end."""


@dataclass(frozen=True, slots=True)
class Overview:
    """What an archive holds."""

    talks: int
    length_ms: int
    """Until when somebody speaks in each talk, of all talks together, as `talksearch stats` has it."""
    first_year: int | None
    """None where no talk has a date."""
    last_year: int | None
    facets: Facets
    """How many talks each value of a filter lets through, in the whole archive."""
    newest: tuple[TalkFacts, ...]
    """Talks with a date, newest first."""
    longest: tuple[TalkFacts, ...]
    questions: tuple[Question, ...]
    """What to ask first, in the archive's main language."""


def read(folder: Path, version: Version) -> Overview | None:
    """Return the overview that an index keeps; None where it is missing, damaged, or of another version."""
    try:
        values = json.loads(layout.OVERVIEW.within(folder).read_text(encoding="utf-8"))
        if values["version"] != list(version):
            return None
        kept = values["overview"]
        return Overview(
            talks=int(kept["talks"]),
            length_ms=int(kept["length_ms"]),
            first_year=kept["first_year"],
            last_year=kept["last_year"],
            facets=Facets(**{field.name: _facet(kept["facets"][field.name]) for field in fields(Facets)}),
            newest=tuple(TalkFacts(*talk) for talk in kept["newest"]),
            longest=tuple(TalkFacts(*talk) for talk in kept["longest"]),
            questions=tuple(Question(**one) for one in kept["questions"]),
        )
    except (OSError, ValueError, LookupError, TypeError):
        return None


def write(folder: Path, version: Version, overview: Overview) -> None:
    """Put the overview of a version of the catalog in its place. Raises OSError where that cannot be written."""
    values = {"version": version, "overview": asdict(overview)}
    with layout.replace_file(layout.OVERVIEW.within(folder)) as fresh:
        fresh.write_text(json.dumps(values, ensure_ascii=False) + "\n", encoding="utf-8")


def _facet(kept: dict[str, Json]) -> Facet:
    return Facet(tuple(FacetValue(str(one["value"]), int(one["talks"])) for one in kept["values"]), int(kept["more"]))
