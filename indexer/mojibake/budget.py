"""How much work a repair may be: decoding costs many times as much as reading, and nobody waits for hours."""

from __future__ import annotations

import math


class RepairBudgetSpentError(Exception):
    """A repair has become more work than it may be. `repair_text` leaves the text as it was."""


class RepairBudget:
    """Counts the hypotheses that a repair has weighed, a million of which take some seconds.

    They are counted, and no time is taken, so that a text is read alike every time.
    """

    def __init__(
        self, most: float = math.inf, whole: RepairBudget | None = None, most_on_words: float = math.inf
    ) -> None:
        """Allow so many; what is spent here is spent of `whole` as well, where this is a part of something.

        `most_on_words` is how many more may be weighed in words, once letters have been; of a part, its whole says so.
        """
        self._left = most
        self._left_on_words = most_on_words
        self._whole = whole

    def spend(self, hypotheses: int) -> None:
        """Count some. Raises RepairBudgetSpentError where that is more than there may be."""
        if self._whole:
            self._whole.spend(hypotheses)
        self._left -= hypotheses
        if self._left < 0:
            raise RepairBudgetSpentError

    def spend_on_words(self, hypotheses: int) -> bool:
        """Count some that are weighed in words, and return whether they may be. Without them, letters decide."""
        if self._whole:
            return self._whole.spend_on_words(hypotheses)
        self._left_on_words -= hypotheses
        return self._left_on_words >= 0
