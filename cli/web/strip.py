"""The strip of a talk: where along its length it answers, as bars to draw and to open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from talksearch.cli.render import common
from talksearch.indexer.text.clock import show_clock
from talksearch.indexer.text.untrusted import safe
from talksearch.search.hit import Hit

from .addresses import PageAddress, at_moment

WIDTH, HEIGHT = 1000, 40
"""The units in which a strip is drawn; the page stretches it to the room that there is."""

_GAP = 4
"""Units between two bars."""

_LOWEST = 0.12
"""How high a bar is at least, as a share of the strip: what is hardly there can still be seen and hit."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of a talk that answers."""

    x: int
    width: int
    y: int
    height: int
    link: str
    label: str
    """The time, and the first words that are said there."""
    is_hit: bool
    """A hit of the answer lies in it."""
    is_first: bool
    """It is the bar that the keyboard reaches first; arrows lead to the others."""


@dataclass(frozen=True, slots=True)
class Strip:
    """A talk's length with the stretches that answer."""

    bars: tuple[Bar, ...]
    needles: tuple[int, ...]
    """Where hits open."""
    label: str
    end: str
    """The talk's length on a clock."""


def strip_of(here: PageAddress, hits: Sequence[Hit], length_ms: int) -> Strip | None:
    """Return the strip of a talk, None where nothing is known of its length or of where it answers.

    `hits` are the hits of the talk, best first; the first of them carries the timeline.
    """
    parts = hits[0].timeline
    if not parts or length_ms <= 0:
        return None
    end = show_clock(length_ms)
    length_ms = max(length_ms, parts[-1].end_ms)
    mark = common.mark(hits[0].timing)
    holding = [any(part.start_ms <= hit.jump_ms < part.end_ms for hit in hits) for part in parts]
    first = next(
        (at for at, part in enumerate(parts) if part.start_ms <= hits[0].jump_ms < part.end_ms),
        max(range(len(parts)), key=lambda at: parts[at].level),
    )
    bars = []
    for at, part in enumerate(parts):
        x = round(part.start_ms * WIDTH / length_ms)
        height = round(max(_LOWEST, part.level) * HEIGHT)
        bars.append(
            Bar(
                x=x,
                width=max(_GAP, round(part.end_ms * WIDTH / length_ms) - x - _GAP),
                y=HEIGHT - height,
                height=height,
                link=at_moment(here, hits[0].talk_id, part.jump_ms),
                label=f"{mark}{show_clock(part.jump_ms)} {safe(part.text)}".strip(),
                is_hit=holding[at],
                is_first=at == first,
            )
        )
    needles = tuple(round(hit.jump_ms * WIDTH / length_ms) for hit in hits if hit.jump_ms <= length_ms)
    count = len(bars)
    answering = f"{common.counted('place', count)} of this talk that {'answers' if count == 1 else 'answer'}"
    return Strip(tuple(bars), needles, f"{answering}, from 0:00 to {end}", end)
