"""Alignment: a quote is put on what was said at the least cost.

`costs` says what every way costs; here the best ways are followed back to where they begin.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from talksearch.search.hit import EditOp
from talksearch.search.ranking.term_variants import meanings_in

from .costs import INSERTED, OMITTED, SWAPPED, CostTables, SpokenWords, cost_tables
from .quote import Quote
from .stretches import Stretch
from .units import Unit

_MOST_AT_ONCE = 40
"""How many stretches are aligned at once at most."""

_CELLS_AT_ONCE = 4_000_000
"""About how many pairs of a unit of the quote and one of a stretch are compared at once: memory is limited."""


class Step(NamedTuple):
    """A step of an alignment."""

    op: EditOp
    """What became of some words."""
    quote: tuple[int, ...]
    """Positions of units of the quote."""
    spoken: tuple[int, ...]
    """Positions of units of the stretch."""


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """Where in a stretch a quote is said, and how."""

    stretch: Stretch
    first: int
    last: int
    """Positions of units of the stretch, both ends included."""
    score: float
    """1 where it is said word for word."""
    steps: tuple[Step, ...]
    """In the order of the quote."""

    def overlaps(self, other: Alignment) -> bool:
        """Say whether two alignments of one talk share words."""
        if self.stretch is other.stretch:
            return self.first <= other.last and other.first <= self.last
        begin, end = self._cue_starts()
        other_begin, other_end = other._cue_starts()
        return begin <= other_end and other_begin <= end

    def _cue_starts(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return the cue and the start, in milliseconds, of the first unit and of the last."""
        first, last = self.stretch.times[self.first], self.stretch.times[self.last]
        return (first.cue, first.start_ms), (last.cue, last.start_ms)


def align(quote: Quote, stretches: Sequence[Stretch]) -> list[Alignment]:
    """Return where in stretches the quote is said well enough; of what overlaps within a stretch only the best."""
    alignments: list[Alignment] = []
    ordered = sorted((stretch for stretch in stretches if stretch.units), key=lambda stretch: len(stretch.units))
    start = 0
    while start < len(ordered):
        # Long quotes make long stretches: as many at once as memory allows.
        cells = len(quote.units) * len(ordered[start].units)
        group = ordered[start : start + max(1, min(_MOST_AT_ONCE, _CELLS_AT_ONCE // cells))]
        start += len(group)
        tables = cost_tables(
            quote.units,
            quote.weights,
            [
                SpokenWords(
                    [unit.normalized for unit in stretch.units],
                    [unit.term for unit in stretch.units],
                    meanings_in(quote.variants, stretch.talk) if quote.variants else {},
                )
                for stretch in group
            ],
            joining=not quote.exact,
        )
        for row, stretch in enumerate(group):
            alignments += _alignments(quote, stretch, tables, row)
    return alignments


def _alignments(quote: Quote, stretch: Stretch, tables: CostTables, row: int) -> list[Alignment]:
    """Return where the quote is said well enough in the stretch at a row of the tables, the best first."""
    total = float(quote.weights.sum())
    ends = tables.least[-1, row, : len(stretch.units) + 1]
    alignments: list[Alignment] = []
    is_taken = np.zeros(len(ends), np.bool_)  # of each end, whether its alignment overlaps one that was found
    for end in np.argsort(ends, kind="stable").tolist():
        if ends[end] > total * (1 - quote.enough) + 1e-3:
            break
        if is_taken[end]:
            continue
        steps, cost = _trace_back(quote, stretch.units, tables, row, end)
        positions = [position for step in steps for position in step.spoken]
        score = 1 - cost / total
        if not positions or score < quote.enough - 1e-6:
            continue
        first, last = positions[0], positions[-1]
        overlapped = next((other for other in alignments if other.first <= last and first <= other.last), None)
        if overlapped is None:
            alignments.append(Alignment(stretch, first, last, score, steps))
            is_taken[first + 1 : last + 2] = True
        else:
            free = _first_free(quote, stretch.units, tables, row, end, overlapped.last)
            is_taken[overlapped.last + 2 : free] = True
    return alignments


def _first_free(quote: Quote, spoken: Sequence[Unit], tables: CostTables, row: int, taken: int, last: int) -> int:
    """Return the first end behind `taken` whose best alignment begins behind `last`.

    Best alignments do not cross, so the later one ends, the later it begins: the end is found by halving, where a quote
    of a thousand words would be followed back from each of a thousand ends.

    Args:
        quote: the quote.
        spoken: the units of the stretch.
        tables: the costs.
        row: the row of the stretch in the tables.
        taken: an end whose best alignment begins at `last` or before.
        last: the position of a unit.
    """

    def is_free(end: int) -> bool:
        steps, _ = _trace_back(quote, spoken, tables, row, end)
        return next((position for step in steps for position in step.spoken), end) > last

    ends = range(taken + 1, len(spoken) + 1)
    return taken + 1 + bisect_left(ends, True, key=is_free)


def _trace_back(
    quote: Quote, spoken: Sequence[Unit], tables: CostTables, row: int, end: int
) -> tuple[tuple[Step, ...], float]:
    """Go back along the best alignment that ends before the unit `end`, and return its steps in order and its cost.

    Args:
        quote: the quote.
        spoken: the units of the stretch.
        tables: the costs.
        row: the row of the stretch in the tables.
        end: the position of the unit of the stretch behind the alignment.
    """
    units, weights, least = quote.units, quote.weights, tables.least[:, row]
    i, j = len(units), end
    steps: list[Step] = []
    total = 0.0

    def comes_from(cost: float, previous_i: int, previous_j: int) -> bool:
        if previous_i < 0 or previous_j < 0:
            return False
        return bool(abs(least[previous_i, previous_j] + cost - least[i, j]) < 1e-4)

    while i > 0:
        cost = float(tables.change[i - 1, row, j - 1]) if j > 0 else 0.0
        if j > 0 and comes_from(cost, i - 1, j - 1):
            same = units[i - 1].normalized == spoken[j - 1].normalized
            steps.append(Step("same" if same else "changed", (i - 1,), (j - 1,)))
            cost, i, j = 0.0 if same else cost, i - 1, j - 1
        elif i > 1 and j > 1 and _are_swapped(units, spoken, i, j) and comes_from(SWAPPED, i - 2, j - 2):
            steps.append(Step("swapped", (i - 2, i - 1), (j - 2, j - 1)))
            cost, i, j = SWAPPED, i - 2, j - 2
        elif tables.split is not None and j > 1 and comes_from(float(tables.split[i - 1, row, j - 1]), i - 1, j - 2):
            steps.append(Step("changed", (i - 1,), (j - 2, j - 1)))
            cost, i, j = float(tables.split[i - 1, row, j - 1]), i - 1, j - 2
        elif (
            tables.join is not None
            and i > 1
            and j > 0
            and comes_from(float(tables.join[i - 1, row, j - 1]), i - 2, j - 1)
        ):
            steps.append(Step("changed", (i - 2, i - 1), (j - 1,)))
            cost, i, j = float(tables.join[i - 1, row, j - 1]), i - 2, j - 1
        elif comes_from(cost := OMITTED * float(weights[i - 1]), i - 1, j):
            steps.append(Step("asked", (i - 1,), ()))
            i -= 1
        else:
            steps.append(Step("said", (), (j - 1,)))
            cost, j = INSERTED, j - 1
        total += cost
    return tuple(reversed(steps)), total


def _are_swapped(units: Sequence[Unit], spoken: Sequence[Unit], i: int, j: int) -> bool:
    """Say whether the two units before `i` are said the other way round right before `j`."""
    return units[i - 1].normalized == spoken[j - 2].normalized and units[i - 2].normalized == spoken[j - 1].normalized
