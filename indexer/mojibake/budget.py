"""How much work a repair may be: decoding costs many times as much as reading, and nobody waits for hours."""

from __future__ import annotations

import math


class RepairBudgetSpentError(Exception):
    """A repair has become more work than it may be. `repair_text` leaves the text as it was."""


class RepairBudget:
    """Counts the hypotheses that a repair has weighed, a million of which take some seconds.

    They are counted, and no time is taken, so that a text is read alike every time.
    """

    def __init__(self, most: float = math.inf, whole: RepairBudget | None = None) -> None:
        """Allow so many; what is spent here is spent of `whole` as well, where this is a part of something."""
        self._left = most
        self._whole = whole

    def spend(self, hypotheses: int) -> None:
        """Count some. Raises RepairBudgetSpentError where that is more than there may be."""
        if self._whole:
            self._whole.spend(hypotheses)
        self._left -= hypotheses
        if self._left < 0:
            raise RepairBudgetSpentError
