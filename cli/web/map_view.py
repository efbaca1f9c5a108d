"""The map of topics: each talk a dot near those that speak of the same, each topic a region with its telling words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean, pstdev
from typing import TYPE_CHECKING

from talksearch.cli.render import common
from talksearch.indexer.errors import QueryError
from talksearch.indexer.text.untrusted import safe
from talksearch.search.overview import TalkFacts

from .addresses import PageAddress, changed, talk_path
from .parameters import last, whole_number
from .talks_view import Line, in_order, line

if TYPE_CHECKING:
    from talksearch.indexer.stores.topics import Point, TopicMap

_MOST_DOTS = 1500
"""Talks that are drawn; of more, every second, third or later one is."""

_EDGE = 0.06
"""The share of the map that stays free at each edge, for dots and words there."""

_SPREAD, _SMALLEST = 1.7, 0.05
"""How far a region reaches in standard deviations of its talks, and as a share of the map at least."""

_SIDE = 12
"""How near to a side, in percent, a region's words begin or end at its middle instead of standing around it."""

_ABOVE, _HIGHEST = 1.2, 5
"""How far above a region its words stand, in percent, and how near to the top at most."""

_APART_X, _APART_Y = 22, 5
"""How far apart the words of two regions stand at least in one of the directions, in percent."""


@dataclass(frozen=True, slots=True)
class Dot:
    """A talk on the map; places are in percent of its width and height."""

    x: float
    y: float
    title: str
    link: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Region:
    """A topic; places are in percent of the map's width and height."""

    x: float
    y: float
    reach_x: float
    reach_y: float
    label_y: float
    anchor: str
    """Which end of the words stands at `x`: `start`, `middle` or `end`."""
    label: tuple[str, ...]
    """The most telling words, for which there is room on the map."""
    words: str
    """All of them."""
    talks: str
    link: str
    """The map with this topic chosen; without it where it is chosen."""
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class MapView:
    """The map of topics."""

    dots: tuple[Dot, ...]
    regions: tuple[Region, ...]
    chosen: Region | None
    lines: tuple[Line, ...]
    """The talks of the topic that is chosen."""
    left_out: int
    """Talks that are not drawn, because there are too many."""
    unplaced: str
    """How many talks have no place on it yet, in words; empty where all have one."""


def map_view(here: PageAddress, topic_map: TopicMap, talks: Sequence[TalkFacts]) -> MapView:
    """Return the map of those talks that are given. Raises QueryError where the topic that is asked for is none."""
    placed = [(talk, topic_map.points[talk.id]) for talk in talks if talk.id in topic_map.points]
    chosen = _chosen(here, topic_map)
    by_topic: dict[int, list[Point]] = {}
    for _, point in placed:
        by_topic.setdefault(point.topic, []).append(point)
    regions = _apart([_region(here, topic_map, topic, points, chosen) for topic, points in sorted(by_topic.items())])
    step = -(-len(placed) // _MOST_DOTS) or 1
    drawn = sorted(placed, key=lambda one: (one[1].topic, one[1].x))[::step]
    return MapView(
        dots=tuple(
            Dot(_percent(point.x), _percent(point.y), safe(talk.title), talk_path(talk.id), point.topic == chosen)
            for talk, point in drawn
        ),
        regions=tuple(regions),
        chosen=next((region for region in regions if region.is_chosen), None),
        lines=tuple(map(line, in_order([talk for talk, point in placed if point.topic == chosen], "date"))),
        left_out=len(placed) - len(drawn),
        unplaced=_unplaced(len(talks) - len(placed)),
    )


def _unplaced(count: int) -> str:
    """Say how many talks have no place: they came after the map was made, or nothing of them is embedded.

    >>> _unplaced(0), _unplaced(1), _unplaced(1200)
    ('', '1 talk is not on the map yet', '1,200 talks are not on the map yet')
    """
    is_are = "is" if count == 1 else "are"
    return f"{common.counted('talk', count)} {is_are} not on the map yet" if count else ""


def _chosen(here: PageAddress, topic_map: TopicMap) -> int | None:
    """Return the topic that is asked for, counted from 0; None where none is."""
    if not last(here.given, "topic"):
        return None
    if not topic_map.labels:
        raise QueryError("There are no topics.", "Leave out topic.")
    return whole_number(here.given, "topic", 1, least=1, most=len(topic_map.labels)) - 1


def _region(here: PageAddress, topic_map: TopicMap, topic: int, points: Sequence[Point], chosen: int | None) -> Region:
    xs, ys = [point.x for point in points], [point.y for point in points]
    x, y = _percent(fmean(xs)), _percent(fmean(ys))
    reach_x, reach_y = (round(100 * max(_SMALLEST, _SPREAD * pstdev(values)), 2) for values in (xs, ys))
    words = [safe(word) for word in topic_map.labels[topic]]
    return Region(
        x=x,
        y=y,
        reach_x=reach_x,
        reach_y=reach_y,
        label_y=max(_HIGHEST, y - reach_y - _ABOVE),
        anchor="start" if x < _SIDE else "end" if x > 100 - _SIDE else "middle",
        label=tuple(words[:2]),
        words=", ".join(words),
        talks=common.counted("talk", len(points)),
        link=changed(here, topic=None if topic == chosen else str(topic + 1)),
        is_chosen=topic == chosen,
    )


def _apart(regions: Sequence[Region]) -> list[Region]:
    """Return regions whose words do not stand upon each other: from the top on, each moves down as far as it must."""
    moved: list[Region] = []
    for region in sorted(regions, key=lambda one: one.label_y):
        y = region.label_y
        for other in moved:
            if abs(other.x - region.x) < _APART_X and abs(y - other.label_y) < _APART_Y:
                y = other.label_y + _APART_Y
        moved.append(replace(region, label_y=round(y, 2)))
    return moved


def _percent(share: float) -> float:
    return round(100 * (_EDGE + share * (1 - 2 * _EDGE)), 2)
