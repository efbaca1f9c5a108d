"""Filters as a store has them: which talks pass, by the facts of all of them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from talksearch.indexer.stores.remote.engine import PassageFilter, TalkFacts
from talksearch.indexer.text.letters import holds_name
from talksearch.search.query import Filters
from talksearch.search.ranking.filters import conditions_on_talks, find_talk, know_names

_MOST_NAMED = 5_000
"""How many talks are named to an engine at most. Where more pass a filter that it does not know, it may find others,
which are left out afterwards."""

_MOST_SPEAKING = 16
"""How many talks of people by one name are looked at beside the candidates."""


@dataclass(frozen=True, slots=True)
class NarrowedFilters:
    """What some filters leave of a store."""

    talk_ids: frozenset[str]
    """All talks that pass. One that passes for a speaker may hold passages of others."""
    wanted: PassageFilter
    """The same, or less narrow, as an engine is asked."""


class TalkFactsFilter:
    """The facts of all talks of a store, to filter them by. It belongs to the thread that made it."""

    def __init__(self, facts: Path) -> None:
        self.db = sqlite3.connect(f"{facts.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        know_names(self.db)
        self.db.create_function("any_holds_name", 2, _any_holds_name)
        self._known: dict[Filters, NarrowedFilters] = {}

    def narrow(self, filters: Filters) -> NarrowedFilters:
        """Return what filters leave. Raises QueryError where a talk is named that is not in the store."""
        if filters not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[filters] = self._narrow(filters)
        return self._known[filters]

    def find(self, name: str) -> str:
        """Return the id of the one talk that a name means. Raises QueryError where it means none, or several."""
        return find_talk(self.db, name)

    def all(self) -> list[TalkFacts]:
        """Return the facts of all talks, by title."""
        rows = self.db.execute(
            "SELECT id, title, channel, speaker, language, date, timing, duration_ms, path, youtube_id, speakers"
            " FROM talks ORDER BY title, id"
        )
        return [replace(TalkFacts(*row[:-1]), speakers=tuple(json.loads(row[-1]))) for row in rows]

    def speaking(self, name: str) -> list[str]:
        """Return the ids of some talks that somebody by a name gives or speaks in."""
        rows = self.db.execute(
            "SELECT id FROM talks WHERE holds_name(speaker, :name) OR any_holds_name(speakers, :name) LIMIT :most",
            {"name": name, "most": _MOST_SPEAKING},
        )
        return [talk_id for (talk_id,) in rows]

    def close(self) -> None:
        """Close the facts."""
        self.db.close()

    def _narrow(self, filters: Filters) -> NarrowedFilters:
        conditions, values = conditions_on_talks(self.db, filters)
        if filters.speaker:
            conditions.append("(holds_name(speaker, ?) OR any_holds_name(speakers, ?))")
            values += [filters.speaker, filters.speaker]
        rows = self.db.execute(
            f"SELECT id, language, channel FROM talks WHERE {' AND '.join(conditions) or 'TRUE'}",  # noqa: S608 - values are bound
            values,
        ).fetchall()
        ids = [talk_id for talk_id, _, _ in rows]
        are_few = len(ids) <= _MOST_NAMED
        return NarrowedFilters(
            frozenset(ids),
            PassageFilter(
                talk_ids=tuple(ids) if are_few and (filters.talks or filters.speaker) else (),
                languages=_distinct(language for _, language, _ in rows) if filters.language else (),
                channels=_distinct(channel for _, _, channel in rows) if filters.channel else (),
                after=filters.after,
                before=filters.before,
                timing=filters.timing,
            ),
        )


_REMEMBERED = 64
"""How many filters are remembered with what they leave."""


def _distinct(values: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value is not None))


def _any_holds_name(speakers: str, name: str) -> bool:
    return any(holds_name(speaker, name) for speaker in json.loads(speakers))
