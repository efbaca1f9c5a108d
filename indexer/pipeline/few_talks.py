"""The map of few talks: places that keep the distances between them, and Ward's clusters of places.

Of so few talks each has hardly a neighbourhood that t-SNE could keep, and to import scikit-learn takes longer than all
else that the map needs. Both are the textbook's algorithms, in numpy, for some tens of points.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from talksearch.indexer.arrays import Floats, Ints

Plane = npt.NDArray[np.float64]
"""Places on the map (n, 2)."""

_STEPS = 300
"""Steps in which talks find their places; after so many they hardly move."""

_NO_DISTANCE = 1e-9
"""Places nearer to each other than this are one."""


def place(vectors: Floats, start: Plane) -> Plane:
    """Return places whose distances are those of the vectors, as nearly as a plane allows.

    Metric multidimensional scaling: each step is the Guttman transform of the places before it, which never makes the
    sum of squared differences larger (de Leeuw, 1977, "SMACOF").

    Args:
        vectors: What the talks say (n, dimension).
        start: Where they stand at first (n, 2).
    """
    wanted = _distances(vectors.astype(np.float64))
    places = start
    for _ in range(_STEPS):
        pull = -wanted / np.maximum(_distances(places), _NO_DISTANCE)
        np.fill_diagonal(pull, 0.0)
        np.fill_diagonal(pull, -pull.sum(axis=1))
        places = pull @ places / len(places)
    return places


def gather(places: Plane, count: int) -> Ints:
    """Return the cluster of each place (n,), numbered from 0, when `count` clusters are left.

    At first each place is a cluster by itself. In each step the two become one whose union adds least to the squared
    distances of places from the middle of their cluster (Ward, 1963).
    """
    found = np.arange(len(places))
    middles = places.astype(np.float64)
    sizes = np.ones(len(places))
    for _ in range(len(places) - count):
        added = _distances(middles) ** 2 * (sizes[:, None] * sizes / (sizes[:, None] + sizes))
        np.fill_diagonal(added, np.inf)
        kept, joined = sorted(divmod(int(added.argmin()), len(middles)))
        both = sizes[kept] + sizes[joined]
        middles[kept] = (middles[kept] * sizes[kept] + middles[joined] * sizes[joined]) / both
        sizes[kept] = both
        found[found == joined] = kept
        found[found > joined] -= 1
        middles, sizes = np.delete(middles, joined, axis=0), np.delete(sizes, joined)
    return found


def _distances(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the distance of each point from each other (n, n)."""
    distances: npt.NDArray[np.float64] = np.linalg.norm(points[:, None] - points, axis=2)
    return distances
