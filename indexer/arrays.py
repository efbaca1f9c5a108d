"""The types of arrays that pass between modules."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


Ints = npt.NDArray[np.int64]
