"""Encoders: text to normalised vectors.

An index is built with a sentence-transformers model, whatever its architecture. The model is written as ONNX into its
home in the user's cache (`model_home`), once for a machine, so that neither a query nor a later run wakes torch or
sentence-transformers. A BERT model is written from its files (`bert_graph`); any other is exported by torch
(`onnx_export`), and used so only after its vectors were compared with the model's own on the archive's own text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from talksearch.indexer.records import Json

if TYPE_CHECKING:  # a server looks into an index before it has numpy
    from talksearch.indexer.arrays import Floats


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What an index must know of the model that made its vectors. The recipe of the index holds it."""

    name: str
    fingerprint: str
    """A hash of the weights, or the revision they came from; empty where neither is known."""
    dimension: int
    max_tokens: int
    """Tokens of text that fit, beside the prompt and the special tokens that the model puts around a text."""
    query_prompt: str = ""
    passage_prompt: str = ""

    def as_json(self) -> dict[str, Json]:
        """Return the fields as JSON."""
        return asdict(self)

    def with_prompts(
        self, query_prompt: str | None, passage_prompt: str | None, count_tokens: Callable[[str], int]
    ) -> ModelCard:
        """Return the card of the same model with other prompts; None keeps the prompt.

        Prompts take room from text, by the number of tokens that `count_tokens` gives.
        """
        room = self.max_tokens + max(count_tokens(self.query_prompt), count_tokens(self.passage_prompt))
        query = self.query_prompt if query_prompt is None else query_prompt
        passage = self.passage_prompt if passage_prompt is None else passage_prompt
        max_tokens = room - max(count_tokens(query), count_tokens(passage))
        return replace(self, max_tokens=max_tokens, query_prompt=query, passage_prompt=passage)


class Encoder(Protocol):
    """Turns text into vectors. Tests have a small one that a person can compute."""

    @property
    def card(self) -> ModelCard:
        """The model behind it."""

    def count_tokens(self, word: str) -> int:
        """Count the tokens of one word."""

    def encode_passages(self, texts: Sequence[str]) -> Floats:
        """Return normalised vectors (n, dimension)."""

    def encode_query(self, text: str) -> Floats:
        """Return a normalised vector (dimension,)."""


KeepTokens = Callable[[int, "Floats"], None]
"""A function that is called once for each text, from several threads, with the position of the text and the vectors of
its tokens (tokens, width), special tokens left out. The array is only valid during the call."""


@runtime_checkable
class TokenEncoder(Protocol):
    """An encoder that also gives the vectors of single tokens."""

    def encode_by_token(self, texts: Sequence[str], keep: KeepTokens) -> Floats:
        """Return what `encode_passages` returns, and hand on the vectors of each text's tokens."""


@dataclass(frozen=True, slots=True)
class QueryEncoding:
    """The vectors of a query and of its tokens."""

    vector: Floats
    """The vector of the whole query, normalised (dimension,)."""
    tokens: Floats
    """The vector of each token, special tokens and the prompt left out (tokens, width); none where the encoder gives
    tokens no vectors."""
    spans: tuple[tuple[int, int], ...]
    """The characters of the query that each token stands for."""


@runtime_checkable
class QueryTokenEncoder(Protocol):
    """An encoder that may also give the vectors of a query's tokens."""

    def encode_query_by_token(self, text: str) -> QueryEncoding:
        """Return what `encode_query` returns, and the vectors of the query's tokens, if there are any."""


def encode_query_by_token(encoder: Encoder, text: str) -> QueryEncoding:
    """Return the encoding of a query, with the vectors of its tokens where the encoder gives them."""
    if isinstance(encoder, QueryTokenEncoder):
        return encoder.encode_query_by_token(text)
    import numpy as np  # as above

    return QueryEncoding(encoder.encode_query(text), np.empty((0, 0), np.float32), ())


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says, or its kind where it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
