"""A model as ONNX in its home, run by onnxruntime: for queries, and for building fast.

It starts in a fraction of a second because it needs only onnxruntime and tokenizers. `make_home` makes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime

from talksearch.indexer.arrays import Floats
from talksearch.indexer.errors import ModelError
from talksearch.indexer.process import cores

from . import checksums
from .base import KeepTokens, ModelCard, QueryEncoding, first_line
from .model_home import MODEL, VECTOR_OUTPUT
from .onnx_session import (
    ONNX_ERRORS,
    query_model_files,
    query_session_options,
    session_options,
    start_session,
    weights_of,
)
from .tokenizer import Batch, batches, load_model_tokenizer, token_counter

SAME_COSINE = 0.999
"""Two encoders count as the same if the vectors they give a text are at this cosine or above."""

_INDEXED_COSINE = 0.99
"""The median cosine to the vectors that an index holds below which an encoder counts as another one. Many passages may
have been embedded by an int8 encoder, of which `selection` allows no vector to be further off."""

_BATCH = 32
"""Texts that go through the model at once."""

_BULK_BATCH = 4
"""As many where each core has a batch of its own: what a layer hands to the next then stays in the core's cache."""

_EXPORT_AGAIN = "Make it again: talksearch doctor"


class OnnxEncoder:
    """A model that was exported to ONNX."""

    def __init__(
        self,
        home: Path,
        card: ModelCard,
        session: onnxruntime.InferenceSession,
        *,
        model: Path | None = None,
        threads: int = 1,
        batch: int = _BATCH,
    ) -> None:
        """Load the tokenizer from the model's home; the model itself is a session that was started, of `model`.

        With several `threads`, as many batches go through the session at the same time, each of `batch` texts.
        """
        self.model = model
        """The file that the session runs; None for the exported model, and for the query model."""
        self._session, self._threads, self._batch = session, threads, batch
        self._tokenizer = load_model_tokenizer(home, card)
        self._card = card
        self._count_tokens = token_counter(self._tokenizer.encode)

    @property
    def card(self) -> ModelCard:
        """The model behind it."""
        return self._card

    def count_tokens(self, word: str) -> int:
        """Count the tokens of one word, remembered from call to call."""
        return self._count_tokens(word)

    def encode_passages(self, texts: Sequence[str]) -> Floats:
        """Return normalised vectors (n, dimension), with the passage prompt in front of each text."""
        return self._encode([self._card.passage_prompt + text for text in texts])

    def encode_query(self, text: str) -> Floats:
        """Return a normalised vector (dimension,), with the query prompt in front of the text."""
        vector: Floats = self._encode([self._card.query_prompt + text])[0]
        return vector

    @property
    def has_token_vectors(self) -> bool:
        """Whether the model gives a vector to each token."""
        return len(self._session.get_outputs()) > 1

    def encode_by_token(self, texts: Sequence[str], keep: KeepTokens) -> Floats:
        """Return what `encode_passages` returns, and hand on the vectors of each text's tokens."""
        return self._encode([self._card.passage_prompt + text for text in texts], keep)

    def encode_query_by_token(self, text: str) -> QueryEncoding:
        """Return what `encode_query` returns, and the vectors of the query's tokens, if the model gives them."""
        encoding = self._tokenizer.encode(self._card.query_prompt + text)
        ids = np.array([encoding.ids], np.int64)
        vectors, *by_token = self._session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        if not by_token:
            return QueryEncoding(vectors[0], np.empty((0, 0), np.float32), ())
        prompt = len(self._card.query_prompt)
        offsets = encoding.offsets  # the library makes the list anew whenever it is asked for
        positions = [
            position
            for position, is_special in enumerate(encoding.special_tokens_mask)
            if not is_special and offsets[position][1] > prompt
        ]
        spans = tuple(
            (max(0, start - prompt), end - prompt) for start, end in (offsets[position] for position in positions)
        )
        return QueryEncoding(vectors[0], by_token[0][0][positions], spans)

    def _encode(self, texts: Sequence[str], keep: KeepTokens | None = None) -> Floats:
        vectors = np.empty((len(texts), self._card.dimension), np.float32)
        outputs = None if keep else [VECTOR_OUTPUT]  # None: all of them

        def run(batch: Batch) -> None:
            results = self._session.run(outputs, {"input_ids": batch.ids, "attention_mask": batch.mask})
            vectors[batch.rows] = results[0]
            if keep:
                for row, is_text, token_vectors in zip(batch.rows, batch.is_text, results[1], strict=True):
                    keep(row, token_vectors[is_text])

        all_batches = batches(self._tokenizer, texts, size=self._batch)
        if self._threads == 1:
            for batch in all_batches:
                run(batch)
        else:
            with ThreadPoolExecutor(self._threads, "talksearch-encoding") as pool:
                for _ in pool.map(run, all_batches):
                    pass
        return vectors


def load(home: Path, card: ModelCard, *, queries: bool = False, once: bool = False) -> OnnxEncoder:
    """Load the exported model in a model's home, or the query model that was made of it.

    Args:
        home: The home of the model.
        card: The model, with the prompts of the index.
        queries: The encoder will encode no more than one text at a time.
        once: It will encode hardly more than one text in all, so that starting counts for more than running.

    Raises:
        ModelError: There is no exported model, or it is damaged.
    """
    try:
        return OnnxEncoder(home, card, _start(home, queries or once, once))
    except (*ONNX_ERRORS, ModelError) as error:
        raise ModelError(
            f"The encoder in {home} cannot be loaded: {first_line(error).rstrip('.')}.",
            _EXPORT_AGAIN,
        ) from error


def load_bulk(home: Path, card: ModelCard, model: Path, threads: int | None = None) -> OnnxEncoder:
    """Load an ONNX file for many passages: each core has a batch of its own, and none waits for another.

    Args:
        home: The home of the model.
        card: The model, with the prompts of the index.
        model: The exported model, or a copy with other weights.
        threads: How many cores it may use; by default all that this process may.

    Raises one of `ONNX_ERRORS`.
    """
    options = session_options()
    options.intra_op_num_threads = 1
    # onnxruntime would join the sum before a normalisation to it, which then takes six times as long.
    session = start_session(model, options, disabled=["SkipLayerNormFusion"])
    return OnnxEncoder(home, card, session, model=model, threads=threads or cores(), batch=_BULK_BATCH)


def diagnose(home: Path, card: ModelCard, texts: Sequence[str], indexed: Floats) -> str:
    """Say what is wrong with the exported model that an index uses; empty where nothing is.

    Args:
        home: The home of the model.
        card: The card of the model that the index was made with.
        texts: Some passages of the index.
        indexed: The vectors that the index holds of these (n, dimension).
    """
    try:
        encoder = load(home, card)
        vectors = encoder.encode_passages(texts) if len(texts) else indexed
        encoder.encode_query("word")
    except ModelError as error:
        return error.message
    except ONNX_ERRORS as error:
        return f"The encoder in {home} does not run: {first_line(error).rstrip('.')}."
    if len(texts) and not float(np.median((vectors * indexed).sum(axis=1))) >= _INDEXED_COSINE:
        return f"The encoder in {home} gives other vectors than those of the index."
    return ""


def _start(home: Path, queries: bool, once: bool) -> onnxruntime.InferenceSession:
    """Start the query model for queries where there is one, else the exported model."""
    if queries:
        files = query_model_files(home)
        for query_model in (files.int8, files.float32):
            options = query_session_options()
            if once and query_model == files.float32:  # packing floats for the processor takes longer than it saves
                options.add_session_config_entry("session.disable_prepacking", "1")
            if not checksums.are_right(files.folder, [query_model.name, weights_of(query_model).name]):
                continue  # missing or damaged: the exported model does as well
            try:
                return start_session(query_model, options)
            except ONNX_ERRORS:  # of another version
                pass
    options = session_options()
    if queries:
        options.intra_op_num_threads = 1
    return start_session(home / MODEL, options)
