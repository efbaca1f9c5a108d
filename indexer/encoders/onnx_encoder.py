"""The light encoder: the index's model as ONNX, beside the index, for queries and for building fast.

It starts in a fraction of a second because it needs only onnxruntime and tokenizers. `export` makes it from a loaded
sentence-transformers model and keeps it only if it gives the same vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime
import tokenizers
from onnxruntime.capi import onnxruntime_pybind11_state as onnx_errors

from talksearch.indexer.arrays import Floats
from talksearch.indexer.errors import ModelError

from .base import KeepTokens, ModelCard, QueryEncoding, first_line
from .model_folder import _VECTOR_ONLY, FOLDER, MODEL, _read_card
from .tokenizer import batches, tokenizer

_FAILED = (
    onnx_errors.Fail,
    onnx_errors.InvalidArgument,
    onnx_errors.InvalidGraph,
    onnx_errors.InvalidProtobuf,
    onnx_errors.NoModel,
    onnx_errors.NoSuchFile,
    onnx_errors.NotImplemented,
    onnx_errors.RuntimeException,
    OSError,
    ValueError,  # a message that quotes damaged bytes is no text
)

SAME_COSINE = 0.999
"""How near to the model's own a vector must be for two encoders to count as the same."""


class OnnxEncoder:
    """A model that was exported to ONNX."""

    def __init__(self, folder: Path, card: ModelCard, session: onnxruntime.InferenceSession) -> None:
        """Load it from its folder, the model itself as a session that was started."""
        self._session = session
        self._tokenizer = tokenizer(folder, card)
        self._card = card
        self._tokens = cache(self._count)

    @property
    def card(self) -> ModelCard:
        """The model behind it."""
        return self._card

    def count_tokens(self, word: str) -> int:
        """Count the tokens of one word, remembered from call to call."""
        return self._tokens(word)

    def encode_passages(self, texts: Sequence[str]) -> Floats:
        """Return normalised vectors (n, dimension), with the passage prompt in front of each text."""
        return self._encode([self._card.passage_prompt + text for text in texts])

    def encode_query(self, text: str) -> Floats:
        """Return a normalised vector (dimension,), with the query prompt in front of the text."""
        row: Floats = self._encode([self._card.query_prompt + text])[0]
        return row

    @property
    def knows_tokens(self) -> bool:
        """Whether the model gives a vector to each token."""
        return len(self._session.get_outputs()) > 1

    def encode_by_token(self, texts: Sequence[str], keep: KeepTokens) -> Floats:
        """Return what `encode_passages` returns, and hand on the vectors of each text's tokens."""
        return self._encode([self._card.passage_prompt + text for text in texts], keep)

    def encode_query_by_token(self, text: str) -> QueryEncoding:
        """Return what `encode_query` returns, and the vectors of the query's tokens, if the model gives them."""
        found = self._tokenizer.encode(self._card.query_prompt + text)
        ids = np.array([found.ids], np.int64)
        vectors, *others = self._session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        if not others:
            return QueryEncoding(vectors[0], np.empty((0, 0), np.float32), ())
        prompt = len(self._card.query_prompt)
        offsets = found.offsets  # a list that is made anew whenever it is asked for
        own = [at for at in _own(found) if offsets[at][1] > prompt]
        spans = tuple((max(0, offsets[at][0] - prompt), offsets[at][1] - prompt) for at in own)
        return QueryEncoding(vectors[0], others[0][0][own], spans)

    def _encode(self, texts: Sequence[str], keep: KeepTokens | None = None) -> Floats:
        vectors = np.empty((len(texts), self._card.dimension), np.float32)
        names = None if keep else _VECTOR_ONLY
        for batch in batches(self._tokenizer, texts):
            found = self._session.run(names, {"input_ids": batch.ids, "attention_mask": batch.mask})
            vectors[batch.rows] = found[0]
            if keep:
                for row, own, every in zip(batch.rows, batch.own, found[1], strict=True):
                    keep(row, every[own])
        return vectors

    def _count(self, word: str) -> int:
        return len(self._tokenizer.encode(word, add_special_tokens=False).ids)


def _own(encoding: tokenizers.Encoding) -> list[int]:
    """Return which tokens are the text's own, not marks that the model puts around it."""
    return [at for at, mark in enumerate(encoding.special_tokens_mask) if not mark]


def load(folder: Path, *, queries: bool = False, once: bool = False) -> OnnxEncoder:
    """Load the light encoder of an index folder. Raises ModelError when there is none, or it is damaged.

    `queries`: it will encode no more than a text at a time. `once`: and hardly more than one in all, so that starting
    counts for more than running.
    """
    try:
        card = _read_card(folder)
        session = _session(folder / FOLDER, queries or once, once)
        return OnnxEncoder(folder / FOLDER, card, session)
    except FileNotFoundError as error:
        raise ModelError(f"The index {folder} has no light encoder.", _MAKE_AGAIN) from error
    except Exception as error:
        raise ModelError(
            f"The encoder in {folder / FOLDER} cannot be loaded: {first_line(error).rstrip('.')}.", _MAKE_AGAIN
        ) from error


_MAKE_AGAIN = "Make it again: talksearch doctor"


def diagnose(folder: Path, card: ModelCard, texts: Sequence[str], known: Floats) -> str:
    """Say what is wrong with the light encoder of an index that was made with the model of a card; empty where nothing
    is.

    `known` are the vectors that the index has of some of its passages (n, dimension).
    """
    try:
        light = load(folder)
        if light.card != card:
            return f"The encoder in {folder / FOLDER} is of another model than the index."
        found = light.encode_passages(texts) if len(texts) else known
        light.encode_query("word")
    except ModelError as error:
        return error.message
    except _FAILED as error:
        return f"The encoder in {folder / FOLDER} does not run: {first_line(error).rstrip('.')}."
    if len(texts) and not float(np.median((found * known).sum(axis=1))) >= _KNOWN_COSINE:
        return f"The encoder in {folder / FOLDER} gives other vectors than those of the index."
    return ""


_KNOWN_COSINE = 0.99
"""How near to what the index has a vector must usually be: many passages may have been embedded in 8 bits, and `fast`
allows no single one to be further off.
"""


def _quick(model: Path) -> tuple[Path, Path]:
    """Return where copies of a model for queries are: with weights in bytes, with weights in floats. There is one."""
    name = f"quick-{onnxruntime.__version__}-{model.stat().st_size}"
    return model.with_name(f"{name}-bytes.onnx"), model.with_name(f"{name}-floats.onnx")


def _session(folder: Path, queries: bool, once: bool) -> onnxruntime.InferenceSession:
    model = folder / MODEL
    if queries:
        in_bytes, in_floats = _quick(model)
        for quick in (in_bytes, in_floats):
            options = _for_queries()
            if once and quick == in_floats:  # packing floats for the processor takes longer than it saves
                options.add_session_config_entry("session.disable_prepacking", "1")
            try:
                return _start(quick, options)
            except _FAILED:  # missing, or of another version: the model itself does as well
                pass
    options = _options()
    if queries:
        options.intra_op_num_threads = 1
    return _start(model, options)


def _for_queries() -> onnxruntime.SessionOptions:
    """Return the options for a copy that was rewritten. One text is too little work to share out, and threads that wait
    for more would take time from other queries.
    """
    options = _options()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    return options


def _options() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return options


def _start(model: Path, options: onnxruntime.SessionOptions) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
