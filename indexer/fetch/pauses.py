"""How gently a site is asked, and how much is taken from it at once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pauses:
    """How long is waited between what a site is asked for, in seconds."""

    requests_s: float = 1.0
    """Between two pages."""
    files_s: float = 5.0
    """Between two tracks or recordings, of which sites refuse many in a row first."""
    first_wait_s: float = 30.0
    """After the first answer that says it was too often; twice as long after each further one."""
    longest_wait_s: float = 600.0
    """A site that asks for a longer wait is left to the next run."""
    waits: int = 4
    """How often is waited for one answer before the site is left to the next run."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What one step of fetching may take."""

    bytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Limits:
    """What each kind of step may take, so that no site fills a disk or holds a run for ever."""

    page: Limit = Limit(128_000_000, 300)
    """All that is asked to look at one talk, or for one more page of a list."""
    track: Limit = Limit(32_000_000, 180)
    """Captions of a whole day are 5 MB."""
    recording: Limit = Limit(4_000_000_000, 6 * 3600)


PAUSES = Pauses()
LIMITS = Limits()
