"""How much is taken from a site at once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FetchLimit:
    """What one step of fetching may take."""

    bytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """What each kind of step may take, so that no site fills a disk or holds a run for ever."""

    page: FetchLimit = FetchLimit(128_000_000, 300)
    """All that is asked to look at one talk, or for one more page of a list."""
    track: FetchLimit = FetchLimit(32_000_000, 180)
    """Captions of a whole day are 5 MB."""
    recording: FetchLimit = FetchLimit(4_000_000_000, 6 * 3600)
    feed: FetchLimit = FetchLimit(64_000_000, 300)
    """Feeds of ten thousand episodes with their notes take about 50 MB."""
    chapters: FetchLimit = FetchLimit(2_000_000, 60)
