"""What the doctor finds, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

RUN = "Run: talksearch doctor"
"""What to do about what can be mended and was only looked at."""

_NAMED = 3
"""Names that are listed; of the others it is said how many they are."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be."""

    what: str
    """A sentence."""
    mended: bool
    advice: str = ""
    """What to do about it, where it was not mended."""


def finding(what: str, mended: bool) -> Finding:
    """Return a finding that was mended, or that the doctor would mend."""
    return Finding(what, mended, "" if mended else RUN)


def finding_for_index(what: str, mend: bool) -> Finding:
    """Return a finding that the next indexing run puts right, once the doctor has marked it (with `mend`)."""
    return Finding(what, False, "It is made again by: talksearch index" if mend else RUN)


def some(names: Sequence[str]) -> str:
    """Return the first few names, and how many others there are.

    >>> some(["a", "b", "c", "d"])
    'a, b, c and 1 more'
    """
    unnamed = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {unnamed} more" if unnamed > 0 else "")
