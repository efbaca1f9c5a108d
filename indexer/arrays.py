"""The types of arrays that pass between modules, and an array as a file holds it."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
"""Vectors, scores."""

Ints = npt.NDArray[np.int64]
"""Numbers of passages, positions in other arrays, counts."""


def npy_bytes(array: npt.NDArray[Any]) -> bytes:
    """Return an array as `numpy.save` writes it. Python then writes the file: numpy does not say why it could not."""
    file = BytesIO()
    np.save(file, array)
    return file.getvalue()
