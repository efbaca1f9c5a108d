"""The map of topics: where each talk of an archive stands among the others, near those that speak of the same.

One file (`layout.TOPICS`) that `pipeline.topic_map` makes at the end of an indexing run, and that pages draw. It may be
deleted; the next indexing run makes it again.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from talksearch.indexer import layout
from talksearch.indexer.encoders import checksums

from .state import state_of


class Point(NamedTuple):
    """Where a talk stands on the map, from 0 to 1 each way."""

    x: float
    y: float
    topic: int
    """The position of its topic in `TopicMap.labels`."""
    projected: bool
    """Whether the map was projected with it. A talk that came later stands between those that are most like it."""


@dataclass(frozen=True, slots=True)
class TopicMap:
    """Where the talks of an archive stand, and what their topics are called."""

    labels: tuple[tuple[str, ...], ...]
    """For each topic, the words that tell it from the others, the most telling first."""
    points: Mapping[str, Point]
    """By talk id."""


def read(folder: Path) -> TopicMap | None:
    """Return the map of an index, of whatever state; None where it is missing or damaged."""
    values = _values(folder)
    try:
        labels = tuple(tuple(map(str, words)) for words in values["topics"])
        points = {
            str(talk_id): Point(float(x), float(y), int(topic), bool(projected))
            for talk_id, (x, y, topic, projected) in values["talks"].items()
        }
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    if not all(0 <= point.topic < len(labels) for point in points.values()):
        return None
    return TopicMap(labels, points)


def is_current(folder: Path, db: sqlite3.Connection) -> bool:
    """Say whether the map can be read and was made for the state of the index."""
    return _values(folder).get("state") == list(state_of(folder, db)) and read(folder) is not None


def write(folder: Path, db: sqlite3.Connection, topic_map: TopicMap) -> None:
    """Put the map of the present state of an index in its place."""
    values = {
        "state": state_of(folder, db),
        "topics": topic_map.labels,
        "talks": {talk_id: list(point) for talk_id, point in sorted(topic_map.points.items())},
    }
    with layout.replace_file(layout.TOPICS.within(folder)) as fresh:
        fresh.write_text(json.dumps(values, ensure_ascii=False) + "\n", encoding="utf-8")
        checksums.forget(folder, layout.TOPICS.name)
    checksums.note(folder, layout.TOPICS.name)


def _values(folder: Path) -> dict[str, Any]:
    """Return what the file holds; nothing where it is missing or damaged."""
    if not checksums.may_be_read(folder, layout.TOPICS.name):
        return {}
    try:
        values = json.loads(layout.TOPICS.within(folder).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}
