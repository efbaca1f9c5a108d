"""What each token of a passage means, in eight bytes: so that a search can compare the best passages word by word.

A model gives a vector to every token before it averages them into one. Of each, only the signs along a few directions
are kept, those in which the tokens of the archive differ most: one bit each. docs/quality.md says what that finds, and
what more bits would find.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from talksearch.indexer.arrays import Floats

DIRECTIONS = 64
"""Bits kept of each token."""

_FILE = "directions.npy"


def learn(tokens: Floats) -> Floats:
    """Return the directions (DIRECTIONS, width) in which the vectors of tokens (n, width) differ most.

    They are the first principal axes of the vectors at length 1. A narrower model has no more of them than its width.
    """
    lengths = np.linalg.norm(tokens, axis=1, keepdims=True)
    unit = tokens / np.where(lengths > 0, lengths, 1.0)
    _, axes = np.linalg.eigh((unit.T @ unit).astype(np.float64))  # the greatest come last
    directions: Floats = np.ascontiguousarray(axes[:, ::-1][:, :DIRECTIONS].T, np.float32)
    return directions


def encode(directions: Floats, tokens: Floats) -> bytes:
    """Return the signs of token vectors (n, width) along the directions, eight to a byte."""
    return np.packbits(tokens @ directions.T > 0, axis=1).tobytes()


def decode(codes: bytes, directions: int) -> Floats:
    """Return the signs (n, directions) as 1 and -1.

    >>> axes = np.eye(2, dtype=np.float32)
    >>> decode(encode(axes, np.array([[0.5, -2.0], [-1.0, 3.0]], np.float32)), 2).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    signs: Floats = _SIGNS[np.frombuffer(codes, np.uint8)].reshape(-1, -(-directions // 8) * 8)
    return signs[:, :directions]


_SIGNS: Floats = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).astype(np.float32) * 2 - 1
"""What each byte stands for (256, 8)."""


def write(folder: Path, directions: Floats) -> None:
    """Leave the directions in the folder of an index."""
    np.save(folder / _FILE, directions)


def read(folder: Path) -> Floats | None:
    """Return the directions of an index (n, width); None where its encoder gives no vectors of tokens, or the file is
    damaged, which shows: they are of length 1 and at right angles.
    """
    try:
        found = np.load(folder / _FILE)
    except (OSError, ValueError, EOFError):
        return None
    if found.dtype != np.float32 or found.ndim != 2 or not 0 < len(found) <= min(DIRECTIONS, found.shape[1]):
        return None
    with np.errstate(all="ignore"):  # damaged numbers may be of any size
        square = np.eye(len(found), dtype=np.float32)
        return found if np.allclose(found @ found.T, square, rtol=0, atol=_AT_RIGHT_ANGLES) else None


_AT_RIGHT_ANGLES = 1e-3
"""How far a product of two directions may be from 0, and of one with itself from 1."""
