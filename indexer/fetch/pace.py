"""How gently hosts are asked, sites and feeds alike, and what is done where one says that it is asked too often."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import ceil

from talksearch.indexer.text.untrusted import safe

from .addresses import host_of
from .records import AskedTooOftenError

_TOO_OFTEN = 429
_MAY_BE_TOO_OFTEN = (403, 503)
"""Answers that mean the same where they say when to come back."""


@dataclass(frozen=True, slots=True)
class RequestPace:
    """How much time is taken, in seconds."""

    pause_s: float = 1.0
    """Between two requests to one host."""
    first_wait_s: float = 5.0
    """After a host has said that it is asked too often; doubled each time."""
    longest_wait_s: float = 120.0
    """A host that wants more is asked in the next run."""
    tries: int = 4

    def wait_after(self, refusals: int, asked_s: float) -> float | None:
        """Return how many seconds to wait before a host is asked again; None where it is left alone.

        Args:
            refusals: How often it has said that it is asked too often.
            asked_s: How long it asks to be left alone.

        >>> [RequestPace().wait_after(refusals, 8) for refusals in (1, 2, 3, 4)], RequestPace().wait_after(1, 600)
        ([8, 10.0, 20.0, None], None)
        """
        wait_s = max(self.first_wait_s * 2 ** (refusals - 1), asked_s)
        return wait_s if refusals < self.tries and wait_s <= self.longest_wait_s else None


def wait_asked_for(status: int, retry_after: str) -> float | None:
    """Return how many seconds an answer asks to wait, 0 where it does not say; None where it does not ask.

    Args:
        status: Its status of HTTP.
        retry_after: Its header `Retry-After`; empty where it has none.

    >>> wait_asked_for(429, ""), wait_asked_for(503, "120"), wait_asked_for(503, ""), wait_asked_for(200, "9")
    (0.0, 120.0, None, None)
    """
    asked_s = _seconds_in(retry_after)
    if status == _TOO_OFTEN or (status in _MAY_BE_TOO_OFTEN and asked_s is not None):
        return asked_s or 0.0
    return None


def waiting(address: str, status: int, wait_s: float) -> str:
    """Return the sentence that tells why nothing happens."""
    return f"{safe(host_of(address))} says that it is asked too often ({status}); waiting {wait_s:.0f} s."


def too_often(address: str, status: int, asked_s: float, host: str = "") -> AskedTooOftenError:
    """Return the error of an address that said so too often; `host` is left alone from now on, else the source's."""
    wait = f"It asks to wait {_about(asked_s)}." if asked_s >= 60 else "Wait some hours."
    return AskedTooOftenError(
        f"{safe(host_of(address))} says that it is asked too often ({status}).",
        f"{wait} What was brought in stays, and the next run goes on where this one stopped.",
        host,
    )


def _about(seconds: float) -> str:
    """Return how long a wait is, at least a minute.

    >>> _about(60), _about(3600), _about(100_000), _about(1e6)
    ('1 minute', '60 minutes', '28 hours', '12 days')
    """
    for unit, length_s in (("day", 86_400), ("hour", 3600)):
        if seconds >= 2 * length_s:
            return f"{ceil(seconds / length_s)} {unit}s"
    minutes = ceil(seconds / 60)
    return f"{minutes} minute{'' if minutes == 1 else 's'}"


def _seconds_in(retry_after: str) -> float | None:
    """Return how many seconds `Retry-After` says, in seconds or as a day and hour; None where it says none.

    >>> _seconds_in("120"), _seconds_in("Wed, 21 Oct 2015 07:28:00 GMT"), _seconds_in("soon")
    (120.0, 0.0, None)
    """
    text = retry_after.strip()
    if re.fullmatch(r"\d{1,9}", text):
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text).astimezone(UTC) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None
