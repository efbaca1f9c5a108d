"""The vector of each token of a passage in eight bytes, so that a search can compare the best passages token by token.

A model gives a vector to every token before it averages them into one. Of each vector, the signs along a few directions
are kept, one bit each: the directions in which tokens differ most. docs/quality.md says what that finds, and what more
bits would find.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from talksearch.indexer import layout
from talksearch.indexer.arrays import Floats, npy_bytes

from . import checksums
from .base import TokenEncoder
from .null_queries import NULL_QUERIES

DIRECTIONS = 64
"""Bits kept of each token."""

_SIGNS: Floats = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).astype(np.float32) * 2 - 1
"""The eight signs that each byte stands for (256, 8)."""

_ORTHOGONALITY = 1e-3
"""How far the product of two directions may be from 0, and that of a direction with itself from 1."""

_SAMENESS = 1e-3
"""How far the numbers of directions that two machines learnt from the same tokens may be apart."""


def of_model(encoder: TokenEncoder) -> Floats:
    """Return the directions of a model: those in which the tokens of the null queries differ most.

    They are learnt of texts that every installation has, so that indexes of one model have the same, and their codes
    can be compared. Learnt of an archive's own passages they find as much (docs/scale.md).
    """
    found: list[Floats] = []
    encoder.encode_by_token(NULL_QUERIES, lambda _, of_text: found.append(np.array(of_text)))
    return learn(np.concatenate(found))


def learn(tokens: Floats) -> Floats:
    """Return the directions (DIRECTIONS, width) in which the vectors of tokens (n, width) differ most.

    They are the first principal axes of the vectors at length 1, each turned so that its largest number is above 0. A
    model has no more of them than its width.
    """
    lengths = np.linalg.norm(tokens, axis=1, keepdims=True)
    unit = tokens / np.where(lengths > 0, lengths, 1.0)
    _, axes = np.linalg.eigh((unit.T @ unit).astype(np.float64))  # in the order of rising eigenvalues
    chosen = axes[:, ::-1][:, :DIRECTIONS].T
    largest = np.take_along_axis(chosen, np.abs(chosen).argmax(axis=1, keepdims=True), axis=1)
    directions: Floats = np.ascontiguousarray(chosen * np.sign(largest), np.float32)
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


def are_same(one: Floats, other: Floats) -> bool:
    """Say whether codes that were made along some directions mean the same along others."""
    return one.shape == other.shape and bool(np.allclose(one, other, rtol=0, atol=_SAMENESS))


def write(folder: Path, directions: Floats) -> None:
    """Write the directions into an index folder."""
    with layout.replace_file(layout.DIRECTIONS.within(folder)) as fresh:
        fresh.write_bytes(npy_bytes(directions))
        checksums.forget(folder, layout.DIRECTIONS.name)
    checksums.note(folder, layout.DIRECTIONS.name)


def read(folder: Path) -> Floats | None:
    """Return the directions of an index (n, width).

    None where the index has none, because its encoder gives tokens no vectors, or where the file is damaged. Damage
    shows, because directions are orthogonal and of length 1.
    """
    if not checksums.may_be_read(folder, layout.DIRECTIONS.name):
        return None
    try:
        directions = np.load(layout.DIRECTIONS.within(folder))
    except (OSError, ValueError, EOFError):
        return None
    if directions.dtype != np.float32 or directions.ndim != 2:
        return None
    if not 0 < len(directions) <= min(DIRECTIONS, directions.shape[1]):
        return None
    with np.errstate(all="ignore"):  # damaged numbers may be of any size
        identity = np.eye(len(directions), dtype=np.float32)
        sound = np.allclose(directions @ directions.T, identity, rtol=0, atol=_ORTHOGONALITY)
    return directions if sound else None
