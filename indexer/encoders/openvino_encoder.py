"""An exported model run by OpenVINO, for many passages on a processor with bfloat16 (AMX, or AVX-512 with it)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from talksearch.indexer.arrays import Floats

from .base import KeepTokens, ModelCard
from .model_home import MODEL
from .tokenizer import Batch, batches, load_model_tokenizer, token_counter

_BATCH = 16
"""Texts that go through the model at once."""

_LENGTH_STEP = 8
"""Lengths in tokens are rounded up to a multiple of it: OpenVINO prepares anew for each shape that it meets."""


def can_run() -> bool:
    """Say whether OpenVINO calculates with bfloat16 here. With float32 it is no faster than onnxruntime."""
    import openvino

    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


class OpenVinoEncoder:
    """The exported model, run by OpenVINO in bfloat16 for throughput."""

    def __init__(self, home: Path, card: ModelCard) -> None:
        """Load the exported model in a model's home. Raises RuntimeError where OpenVINO cannot run it."""
        import openvino  # half a second, and only large runs need it

        self._model = openvino.Core().compile_model(
            str(home / MODEL), "CPU", {"INFERENCE_PRECISION_HINT": "bf16", "PERFORMANCE_HINT": "THROUGHPUT"}
        )
        self._queue: Any = openvino.AsyncInferQueue(self._model)
        self._tokenizer = load_model_tokenizer(home, card)
        self._count_tokens = token_counter(self._tokenizer.encode)
        self._card = card

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

    def encode_by_token(self, texts: Sequence[str], keep: KeepTokens) -> Floats:
        """Return what `encode_passages` returns, and hand on the vectors of each text's tokens."""
        return self._encode([self._card.passage_prompt + text for text in texts], keep)

    def _encode(self, texts: Sequence[str], keep: KeepTokens | None = None) -> Floats:
        vectors = np.empty((len(texts), self._card.dimension), np.float32)

        def take_result(request: Any, batch: Batch) -> None:
            vectors[batch.rows] = request.get_output_tensor(0).data
            if keep:
                token_vectors = request.get_output_tensor(1).data
                for line, row in enumerate(batch.rows):
                    keep(row, token_vectors[line][batch.is_text[line]])

        self._queue.set_callback(take_result)
        for batch in batches(self._tokenizer, texts, size=_BATCH, length_step=_LENGTH_STEP):
            self._queue.start_async({"input_ids": batch.ids, "attention_mask": batch.mask}, batch)
        self._queue.wait_all()
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)  # bfloat16 leaves lengths a little off 1
        return vectors
