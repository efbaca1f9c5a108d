"""What an archive holds, at a glance: how much, from when, in which languages, and what to ask it first.

Nothing of it needs the encoder. It depends on the state of the index alone, so whoever shows it often may keep it as
long as `catalog.version` stays the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from talksearch.indexer.arrays import Ints
from talksearch.indexer.records import Json, Timing
from talksearch.indexer.stores import catalog

from .facets import Facets, count_values, languages_taken_in
from .questions import Question, questions
from .ranking.passage_table import PassageTable
from .reader import IndexReader

FEW_TALKS = 5
"""How many of the newest and of the longest talks are told."""


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


class Month(NamedTuple):
    """How many talks are of a month."""

    month: str
    """`YYYY-MM`."""
    talks: int


@dataclass(frozen=True, slots=True)
class Overview:
    """What an archive holds."""

    talks: int
    length_ms: int
    """How long all talks are together."""
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
    months: tuple[Month, ...]
    """Months that talks are of, in order. A talk of which only the year is known counts in none."""
    undated: int
    """Talks without a date."""

    def to_dict(self) -> dict[str, Json]:
        """Return it as JSON, times in seconds."""
        return {
            "talks": self.talks,
            "hours": round(self.length_ms / 3_600_000, 2),
            "first_year": self.first_year,
            "last_year": self.last_year,
            "facets": self.facets.to_dict(),
            "newest": [_talk_json(talk) for talk in self.newest],
            "longest": [_talk_json(talk) for talk in self.longest],
            "questions": [
                {"text": one.text, "talk_id": one.talk_id, "start_s": one.start_ms / 1000} for one in self.questions
            ],
            "months": [{"month": one.month, "talks": one.talks} for one in self.months],
            "undated": self.undated,
        }


def overview(reader: IndexReader) -> Overview:
    """Return what an archive holds."""
    with catalog.snapshot(reader.db):
        db, table = reader.db, reader.table()
        rows = db.execute(
            "SELECT number, id, title, channel, speaker, date, language, timing FROM talks ORDER BY title, id"
        ).fetchall()
        lengths = _lengths(table)
        talks = {number: TalkFacts._make((*facts, lengths.get(number, 0))) for number, *facts in rows}
        dated = [talk for talk in talks.values() if talk.date]
        years = [int(talk.date[:4]) for talk in dated if talk.date]
        return Overview(
            talks=len(talks),
            length_ms=sum(talk.length_ms for talk in talks.values()),
            first_year=min(years, default=None),
            last_year=max(years, default=None),
            facets=_facets(table, talks),
            newest=tuple(sorted(dated, key=lambda talk: talk.date or "", reverse=True)[:FEW_TALKS]),
            longest=tuple(sorted(talks.values(), key=lambda talk: -talk.length_ms)[:FEW_TALKS]),
            questions=questions(table, _main_language(talks.values())),
            months=tuple(Month(*one) for one in sorted(Counter(_months(dated)).items())),
            undated=len(talks) - len(dated),
        )


def _lengths(table: PassageTable) -> dict[int, int]:
    """Return when the last words of each talk end, in milliseconds, by the talk's number in the catalog."""
    numbers = table.layout.talk_numbers
    if table.columns:
        first_places = np.searchsorted(table.layout.talks, np.arange(len(numbers)))
        ends: Ints = np.maximum.reduceat(np.where(table.layout.notes, 0, table.columns.ends), first_places)
        return dict(zip(numbers.tolist(), ends.tolist(), strict=True))
    rows = table.db.execute("SELECT talk, max(end_ms) FROM passages WHERE field = 'speech' GROUP BY talk")
    return dict(rows)


def _facets(table: PassageTable, talks: dict[int, TalkFacts]) -> Facets:
    languages = [(number, talk.language) for number, talk in talks.items() if talk.language]
    speakers = [(number, talk.speaker) for number, talk in talks.items() if talk.speaker]
    speakers += table.speakers_of_talks()
    return Facets(
        channel=count_values((number, talk.channel) for number, talk in talks.items() if talk.channel),
        speaker=count_values(speakers),
        language=count_values(languages, languages_taken_in(tag for _, tag in languages)),
        year=count_values((number, talk.date[:4]) for number, talk in talks.items() if talk.date),
        timing=count_values((number, talk.timing) for number, talk in talks.items()),
    )


def _main_language(talks: Iterable[TalkFacts]) -> str | None:
    """Return the language of most talks; None where that of most is not known."""
    counts = Counter(talk.language for talk in talks)
    return min(counts, key=lambda language: (-counts[language], language or ""), default=None)


def _months(dated: Iterable[TalkFacts]) -> Iterable[str]:
    return (talk.date[:7] for talk in dated if talk.date and len(talk.date) >= len("2024-05"))


def _talk_json(talk: TalkFacts) -> dict[str, Json]:
    row = talk._asdict()
    return {**{key: value for key, value in row.items() if key != "length_ms"}, "length_s": talk.length_ms / 1000}
