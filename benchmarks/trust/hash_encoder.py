"""An encoder that takes no time: a vector is the sum of vectors that the hashes of words give.

What is tried with it are the stores, and what is written when. They do not see what a vector means.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pathlib import Path

import numpy as np

from talksearch.indexer.arrays import Floats
from talksearch.indexer.encoders.base import KeepTokens, ModelCard, QueryEncoding

HASHES = ModelCard("hashes", "", 32, 200)
"""The card of an index that is made with it from the beginning."""


class HashEncoder:
    """Gives words vectors by their hashes, and texts the sums of these. A word is a token."""

    def __init__(self, card: ModelCard = HASHES) -> None:
        self.card = card

    def count_tokens(self, _: str) -> int:
        """Return 1."""
        return 1

    def encode_query(self, text: str) -> Floats:
        """Return the vector of a text (dimension,)."""
        vector = self._tokens(text).sum(axis=0)
        return np.asarray(vector / np.linalg.norm(vector), np.float32)

    def encode_passages(self, texts: Sequence[str]) -> Floats:
        """Return the vectors of texts (n, dimension)."""
        return np.array([self.encode_query(text) for text in texts], np.float32)

    def encode_by_token(self, texts: Sequence[str], keep: KeepTokens) -> Floats:
        """Return the vectors of texts, and hand on those of their words."""
        for at, text in enumerate(texts):
            keep(at, self._tokens(text))
        return self.encode_passages(texts)

    def encode_query_by_token(self, text: str) -> QueryEncoding:
        """Return the vectors of a text and of its words."""
        spans = tuple(found.span() for found in re.finditer(r"\S+", text))
        return QueryEncoding(self.encode_query(text), self._tokens(text)[: len(spans)], spans)

    def _tokens(self, text: str) -> Floats:
        return np.array([_vector(word, self.card.dimension) for word in text.lower().split() or [""]], np.float32)


@cache
def _vector(word: str, width: int) -> Floats:
    seed = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "big")
    return np.asarray(np.random.default_rng(seed).normal(size=width), np.float32)


def put_in_place() -> None:
    """Have all that loads a model in this process, and in forks of it, get this encoder under the model's card."""
    from talksearch.indexer.encoders import onnx_encoder

    def load(_: Path, card: ModelCard, **__: bool) -> HashEncoder:
        return HashEncoder(card)

    onnx_encoder.load = load  # type: ignore[assignment]
    # It would find that the model gives other vectors. The package has a function of the module's name.
    import_module("talksearch.indexer.doctor.examine").check_encoder = lambda *_: []  # type: ignore[attr-defined]
