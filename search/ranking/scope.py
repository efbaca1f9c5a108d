"""The scope of a ranking: which passages are ranked, where filters allow only some of them as hits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from talksearch.indexer.arrays import Ints

from .passage_table import Mask, PassageTable

Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True, slots=True)
class RankingScope:
    """The passages that are ranked: all, or all of the talks of which filters allow any, because a talk is judged as a
    whole. Positions count among these.
    """

    places: Ints | None
    """Their places, rising (n,); None for all."""
    sizes: Ints
    """How many passages each of their talks has (talks,)."""
    allowed: Mask | None
    """Which of them may be hits (n,); None for all."""

    def select(self, values: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
        """Return, of values for all passages of the index, those for the passages that are ranked."""
        return values if self.places is None else values[self.places]

    def places_at(self, positions: Ints) -> Ints:
        """Return the places at some positions."""
        return positions if self.places is None else self.places[positions]

    def positions(self, places: Ints) -> Ints:
        """Return the positions of some places, all of which are ranked."""
        return places if self.places is None else np.searchsorted(self.places, places)


def ranking_scope(table: PassageTable, allowed: Ints | None) -> RankingScope:
    """Return what is ranked, given the numbers of the passages that may be hits."""
    sizes = table.layout.sizes.astype(np.int64)
    if allowed is None:
        return RankingScope(None, sizes, None)
    inside = np.zeros(len(table.vector_rows), bool)
    inside[table.layout.places(allowed)] = True
    talks = np.zeros(len(sizes), bool)
    talks[table.layout.talks[inside]] = True
    places = np.flatnonzero(talks[table.layout.talks])
    return RankingScope(places, sizes[talks], inside[places])
