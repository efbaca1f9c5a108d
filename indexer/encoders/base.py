"""Encoders: text to normalised vectors.

An index is built with a sentence-transformers model, whatever its architecture. While building, the model is exported
to ONNX beside the index (`light`), so that a query wakes neither torch nor sentence-transformers; the export is used
only after its vectors were checked against the model's own on the archive's own text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from talksearch.indexer.arrays import Floats
from talksearch.indexer.records import Json


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What an index must know of the model that made its vectors. Part of the recipe."""

    name: str
    fingerprint: str
    """A hash of the weights, or the revision they came from; empty where neither is known."""
    dimension: int
    max_tokens: int
    """Tokens of text that fit, without the model's own marks and the prompt."""
    query_prompt: str = ""
    passage_prompt: str = ""

    def as_json(self) -> dict[str, Json]:
        """Return the fields as JSON."""
        return asdict(self)


class Encoder(Protocol):
    """What turns text into vectors. Tests have a small one that a person can compute."""

    @property
    def card(self) -> ModelCard:
        """The model behind it."""

    def count_tokens(self, word: str) -> int:
        """Count the tokens of one word."""

    def encode_passages(self, texts: Sequence[str]) -> Floats:
        """Return normalised vectors (n, dimension)."""

    def encode_query(self, text: str) -> Floats:
        """Return a normalised vector (dimension,)."""


KeepTokens = Callable[[int, Floats], None]
"""Takes the position of a text and the vectors of its tokens (tokens, width), without the marks that the model puts
around a text. The array is only valid while it runs. Called from several threads, once for each text."""


@runtime_checkable
class TokenEncoder(Protocol):
    """An encoder that also gives the vectors of single tokens."""

    def encode_by_token(self, texts: Sequence[str], keep: KeepTokens) -> Floats:
        """Return what `encode_passages` returns, and hand on the vectors of each text's tokens."""


@dataclass(frozen=True, slots=True)
class QueryEncoding:
    """A query, token by token."""

    vector: Floats
    """Of the whole, normalised (dimension,)."""
    tokens: Floats
    """Of each token, but for the model's own marks and the prompt (tokens, width); none where they are not known."""
    spans: tuple[tuple[int, int], ...]
    """The characters of the query that each token stands for."""


@runtime_checkable
class QueryTokenEncoder(Protocol):
    """An encoder that may also know the tokens of a query."""

    def encode_query_by_token(self, text: str) -> QueryEncoding:
        """Return what `encode_query` returns, and the vectors of the query's tokens, if it knows them."""


def encode_query_by_token(encoder: Encoder, text: str) -> QueryEncoding:
    """Return what an encoder says of a query, with what it says of its tokens where it knows that."""
    if isinstance(encoder, QueryTokenEncoder):
        return encoder.encode_query_by_token(text)
    return QueryEncoding(encoder.encode_query(text), np.empty((0, 0), np.float32), ())


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says, or its kind where it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
