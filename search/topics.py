"""The map of topics as a page shows it: talks that are in the index now, by topic."""

from __future__ import annotations

from dataclasses import dataclass

from talksearch.indexer.records import Json
from talksearch.indexer.stores import catalog, topics

from .reader import IndexReader


@dataclass(frozen=True, slots=True)
class PlacedTalk:
    """A talk on the map."""

    id: str
    title: str
    x: float
    """From 0 to 1, as `y`; talks that speak of the same lie near each other."""
    y: float


@dataclass(frozen=True, slots=True)
class Topic:
    """A group of talks that lie together."""

    words: tuple[str, ...]
    """What tells it from the others, the most telling first; fewer than three, or none, where nothing does."""
    x: float
    """The middle of its talks."""
    y: float
    talks: tuple[PlacedTalk, ...]
    """By title."""


@dataclass(frozen=True, slots=True)
class ArchiveMap:
    """Where the talks of an archive stand among each other."""

    topics: tuple[Topic, ...]
    """Those with most talks first."""
    unplaced: int
    """Talks that came since the map was made; the next `talksearch index` puts them in."""

    def to_dict(self) -> dict[str, Json]:
        """Return it as JSON."""
        return {
            "topics": [
                {
                    "words": list(topic.words),
                    "x": topic.x,
                    "y": topic.y,
                    "talks": [{"id": talk.id, "title": talk.title, "x": talk.x, "y": talk.y} for talk in topic.talks],
                }
                for topic in self.topics
            ],
            "unplaced": self.unplaced,
        }


def read(reader: IndexReader) -> ArchiveMap | None:
    """Return the map of an index, as far as its talks are still there.

    None where there is none: the index is of an earlier version, or none of its talks has vectors yet. The next
    `talksearch index` makes it.
    """
    with catalog.snapshot(reader.db):
        known = topics.read(reader.folder)
        if known is None:
            return None
        rows = reader.db.execute("SELECT id, title FROM talks ORDER BY title, id").fetchall()
    placed: dict[int, list[PlacedTalk]] = {}
    for talk_id, title in rows:
        if point := known.points.get(talk_id):
            placed.setdefault(point.topic, []).append(PlacedTalk(talk_id, title, point.x, point.y))
    found = [
        Topic(
            known.labels[topic], _middle([talk.x for talk in talks]), _middle([talk.y for talk in talks]), tuple(talks)
        )
        for topic, talks in sorted(placed.items())
    ]
    ordered = tuple(sorted(found, key=lambda topic: -len(topic.talks)))
    return ArchiveMap(ordered, len(rows) - sum(len(topic.talks) for topic in ordered))


def _middle(values: list[float]) -> float:
    """Return the median, which a talk far from the others does not move.

    >>> _middle([0.1, 0.9, 0.2]), _middle([0.0, 1.0])
    (0.2, 0.5)
    """
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
