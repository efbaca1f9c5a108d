"""Similarities: the cosine of each passage to a query's vector, at first estimated, and exact where that decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from talksearch.indexer.arrays import Floats, Ints

from .passage_table import FEW, Mask, PassageTable

_BLOCK = 8_192
"""Passages that are compared at once, which takes a tenth of a millisecond. Blocks are shared out to threads here and
not inside simsimd, because its own threads wait for each other by spinning, which slows a busy machine down."""


@dataclass(slots=True, eq=False)
class Similarities:
    """How near passages are to a query vector. Positions count among the passages that were compared: all, or some."""

    cosines: Floats
    """Cosines (n,). Where `errors` is not None they are rounded, until `refine` makes them exact. Of a passage without
    a vector it is the mean, until `missing_vectors.estimate` says better."""
    errors: Floats | None
    """By how much each estimate is off at most, but for `query_error` (n,); None where all cosines are exact."""
    mean: float
    """The mean of the exact cosines of all vectors of the index."""
    deviation: float
    """Their standard deviation; 1 where they do not differ."""
    exact: Callable[[Ints], Floats]
    """Computes the exact cosines of the passages at some positions; NaN where one has no vector."""
    query_error: float = 0.0
    """What the rounding of the query itself adds to each error: `error * (1 + query_error) + query_error`."""
    _refined: Mask | None = field(default=None, init=False)
    """Which cosines `refine` has made exact (n,); None before it was first called."""

    def error_bounds(self, positions: Ints) -> Floats:
        """Return by how much the estimated cosines at some positions are off at most."""
        if self.errors is None:
            return np.zeros(len(positions), np.float32)
        bounds: Floats = self.errors[positions] * np.float32(1 + self.query_error) + np.float32(self.query_error)
        return bounds

    def max_error(self) -> float:
        """Return by how much any estimated cosine is off at most."""
        if self.errors is None:
            return 0.0
        return float(self.errors.max(initial=0.0) * np.float32(1 + self.query_error) + np.float32(self.query_error))

    def refine(self, positions: Ints) -> Floats:
        """Make the cosines at some positions exact, in place, and return them."""
        if self.errors is not None:
            if self._refined is None:
                self._refined = np.zeros(len(self.cosines), bool)
            estimated = positions[~self._refined[positions]]
            exact = self.exact(estimated)
            self.cosines[estimated] = np.where(np.isnan(exact), self.cosines[estimated], exact)
            self._refined[estimated] = True
        cosines: Floats = self.cosines[positions]
        return cosines


def compare(table: PassageTable, vector: Floats, places: Ints | None = None) -> Similarities:
    """Compare a normalised vector with all vectors of an index, or with those of the passages at some places."""
    similarities, fill = start_compare(table, vector, places)
    fill()
    return similarities


def start_compare(
    table: PassageTable, vector: Floats, places: Ints | None = None
) -> tuple[Similarities, Callable[[], None]]:
    """Begin what `compare` does, and return its result with a function that computes the cosines in it.

    Several threads may call that function, and share the work. The cosines are there once every call has returned.

    With columns, the vectors in one byte a dimension are multiplied, which reads a quarter of the memory. A cosine is
    then off by no more than the length of what was rounded away (Cauchy and Schwarz), of the passage's vector and of
    the query's.

    In an archive of several languages, cosines are those less what the languages alone make of them
    (`PassageTable.by_language`). Their mean stays what it is, and so, nearly, does their deviation.
    """
    columns = table.columns
    rows = table.vector_rows if places is None else table.vector_rows[places]
    every_by_language = table.by_language(vector)
    by_language = every_by_language if every_by_language is None or places is None else every_by_language[places]

    def exact(positions: Ints) -> Floats:
        wanted = rows[positions]
        cosines = np.full(len(positions), np.nan, np.float32)
        embedded = wanted >= 0
        cosines[embedded] = table.vectors.take(wanted[embedded]) @ vector
        return cosines if by_language is None else cosines - by_language[positions]

    if table.corpus is not None:
        mean, deviation = table.corpus.moments(vector)
        embedded = table.vector_rows >= 0
        every = _filled(_known(table, vector, every_by_language, embedded), embedded, mean)
        return Similarities(every if places is None else every[places], None, mean, deviation, exact), lambda: None
    if columns is None or len(table.vector_rows) <= FEW or not len(table.vectors.rows):
        every, mean, deviation = _compare_all(table, vector, every_by_language)
        return Similarities(every if places is None else every[places], None, mean, deviation, exact), lambda: None
    scale = max(float(np.abs(vector).max()), float(np.finfo(np.float32).tiny)) / 127
    code = np.rint(vector / scale).astype(np.int8)
    query_error = float(np.linalg.norm(vector - code * np.float32(scale)))
    mean = float(columns.mean @ vector)
    deviation = max(float(vector @ columns.second @ vector) - mean * mean, 0.0) ** 0.5 or 1.0
    cosines = np.empty(len(rows), np.float32)
    starts = iter(range(0, len(rows), _BLOCK))  # each start is given out once, whichever thread asks

    def fill() -> None:
        import simsimd  # imported late: a lexical search must not wait for it

        for start in starts:
            block = slice(start, start + _BLOCK)
            compared = block if places is None else places[block]
            products = np.asarray(simsimd.cdist(columns.codes[compared], code[None, :], metric="dot")).reshape(-1)
            np.multiply(products, columns.scales[compared] * np.float32(scale), out=cosines[block], casting="same_kind")
            if by_language is not None:
                cosines[block] -= by_language[block]
            cosines[block][rows[block] < 0] = mean

    # |v·q - v'·q'| <= |v - v'|·|q| + |v'|·|q - q'|, and |v'| <= 1 + |v - v'|.
    errors = columns.errors if places is None else columns.errors[places]
    return Similarities(cosines, errors, mean, deviation, exact, query_error), fill


def _compare_all(table: PassageTable, vector: Floats, by_language: Floats | None) -> tuple[Floats, float, float]:
    """Return the exact cosines of all passages, their mean where one has no vector, that mean, and the deviation."""
    embedded = table.vector_rows >= 0
    if not embedded.any():
        return np.zeros(len(embedded), np.float32), 0.0, 1.0
    known = _known(table, vector, by_language, embedded)
    mean = float(known.mean(dtype=np.float64))
    return _filled(known, embedded, mean), mean, float(known.std(dtype=np.float64)) or 1.0


def _known(table: PassageTable, vector: Floats, by_language: Floats | None, embedded: Mask) -> Floats:
    """Return the exact cosines of the passages that have a vector."""
    known: Floats = (table.vectors.rows @ vector)[table.vector_rows[embedded]]
    return known if by_language is None else known - by_language[embedded]


def _filled(known: Floats, embedded: Mask, mean: float) -> Floats:
    """Return the cosines of all passages: the known ones, and their mean where one has no vector."""
    cosines = np.full(len(embedded), mean, np.float32)
    cosines[embedded] = known
    return cosines
