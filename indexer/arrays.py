"""The types of arrays that pass between modules."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
"""Vectors, scores."""

Ints = npt.NDArray[np.int64]
"""Numbers of passages, positions in other arrays, counts."""
