"""How near the passages are to a query's vector."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from talksearch.indexer.arrays import Floats, Ints

from .passage_table import FEW, Mask, PassageTable


@dataclass(frozen=True, slots=True)
class Similarities:
    """How near passages are to a query vector. Positions count among those that were compared: all, or some."""

    cosines: Floats
    """Cosines (n,), the mean where a passage has no vector. Where `errors` is not None they are only about right, until
    `settle` was asked for them."""
    errors: Floats | None
    """How far off each was at first at most (n,), but for `query_error`."""
    mean: float
    deviation: float
    """Of the exact cosines of all vectors of the index; 1 where they do not differ."""
    exact: Callable[[Ints], Floats]
    """Exact cosines of the passages at some positions; NaN where one has no vector."""
    query_error: float = 0.0
    """What the query's own rounding adds to the errors: `errors * (1 + lost) + lost`."""
    refined: list[Mask] = field(default_factory=list)
    """Which cosines `settle` made exact (n,), once it was asked for any."""

    def error_bounds(self, at: Ints) -> Floats:
        """Return how far off the cosines at some positions were at first at most."""
        if self.errors is None:
            return np.zeros(len(at), np.float32)
        found: Floats = self.errors[at] * np.float32(1 + self.query_error) + np.float32(self.query_error)
        return found

    def max_error(self) -> float:
        """Return how far off any cosine was at first at most."""
        if self.errors is None:
            return 0.0
        return float(self.errors.max(initial=0.0) * np.float32(1 + self.query_error) + np.float32(self.query_error))

    def refine(self, at: Ints) -> Floats:
        """Make the cosines at some positions exact, and return them."""
        if self.errors is not None:
            if not self.refined:
                self.refined.append(np.zeros(len(self.cosines), bool))
            wanted = at[~self.refined[0][at]]
            self.cosines[wanted] = np.nan_to_num(self.exact(wanted), nan=self.mean)
            self.refined[0][wanted] = True
        found: Floats = self.cosines[at]
        return found


def compare(table: PassageTable, vector: Floats, places: Ints | None = None) -> Similarities:
    """Compare a normalised vector with all vectors of an index, or with those of the passages at some places."""
    found, fill = start_compare(table, vector, places)
    fill()
    return found


def start_compare(
    table: PassageTable, vector: Floats, places: Ints | None = None
) -> tuple[Similarities, Callable[[], None]]:
    """Begin what `compare` does. Its cosines are there when what fills them in was called and has returned, in as many
    threads as called it: they share the work.

    With columns: the product with one byte a dimension, which reads a quarter of the memory. A cosine is off by no more
    than the length of what was rounded away (Cauchy and Schwarz), of the passage's vector and of the query's.
    """
    made = table.columns
    own = table.rows if places is None else table.rows[places]

    def exact(at: Ints) -> Floats:
        rows = own[at]
        found = np.full(len(at), np.nan, np.float32)
        has = rows >= 0
        found[has] = table.vectors.take(rows[has]) @ vector
        return found

    if made is None or len(table.rows) <= FEW or not len(table.vectors.rows):
        every, mean, deviation = _compare_all(table, vector)
        return Similarities(every if places is None else every[places], None, mean, deviation, exact), lambda: None
    scale = max(float(np.abs(vector).max()), float(np.finfo(np.float32).tiny)) / 127
    code = np.rint(vector / scale).astype(np.int8)
    lost = float(np.linalg.norm(vector - code * np.float32(scale)))
    mean = float(made.mean @ vector)
    deviation = max(float(vector @ made.second @ vector) - mean * mean, 0.0) ** 0.5 or 1.0
    cosines = np.empty(len(own), np.float32)
    firsts = iter(range(0, len(own), _BLOCK))  # each is given out once, whoever asks

    def fill() -> None:
        import simsimd  # a search by words must not wait for it

        for first in firsts:
            block = slice(first, first + _BLOCK)
            some = block if places is None else places[block]
            products = np.asarray(simsimd.cdist(made.codes[some], code[None, :], metric="dot")).reshape(-1)
            np.multiply(products, made.scales[some] * np.float32(scale), out=cosines[block], casting="same_kind")
            cosines[block][own[block] < 0] = mean

    # |v·q - v'·q'| <= |v - v'|·|q| + |v'|·|q - q'|, and |v'| <= 1 + |v - v'|.
    errors = made.errors if places is None else made.errors[places]
    return Similarities(cosines, errors, mean, deviation, exact, lost), fill


_BLOCK = 8_192
"""Passages that are compared at once: a tenth of a millisecond. simsimd's own threads would wait for more by running in
circles, and on a machine that is busy hold up what they were to speed up."""


def _compare_all(table: PassageTable, vector: Floats) -> tuple[Floats, float, float]:
    """Return the exact cosines of all passages, their mean where one has no vector, that mean, and the deviation."""
    there = table.rows >= 0
    if not there.any():
        return np.zeros(len(there), np.float32), 0.0, 1.0
    found = (table.vectors.rows @ vector)[table.rows[there]]
    mean = float(found.mean(dtype=np.float64))
    cosines = np.full(len(there), mean, np.float32)
    cosines[there] = found
    return cosines, mean, float(found.std(dtype=np.float64)) or 1.0
