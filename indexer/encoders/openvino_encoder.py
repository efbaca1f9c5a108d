"""An exported model run by OpenVINO, for many passages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from talksearch.indexer.arrays import Floats

from . import model_folder, tokenizer
from .base import KeepTokens, ModelCard
from .tokenizer import Batch, batches

_BATCH = 16


_STEP = 8
"""Lengths are rounded up to a multiple of it: OpenVINO prepares anew for each shape that it meets."""


class OpenVinoEncoder:
    """The exported model, run by OpenVINO for throughput."""

    def __init__(self, folder: Path, card: ModelCard, model: Any = None) -> None:
        """`model` is an OpenVINO model to take the place of the exported one."""
        import openvino  # half a second, and needed only for large runs

        core = openvino.Core()
        self.narrow = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        self._model = core.compile_model(
            model or str(folder / model_folder.FOLDER / model_folder.MODEL),
            "CPU",
            {"INFERENCE_PRECISION_HINT": "bf16" if self.narrow else "f32", "PERFORMANCE_HINT": "THROUGHPUT"},
        )
        self._queue: Any = openvino.AsyncInferQueue(self._model)
        self._tokenizer = tokenizer.tokenizer(folder / model_folder.FOLDER, card)
        self._card = card

    @property
    def card(self) -> ModelCard:
        """The model behind it."""
        return self._card

    def count_tokens(self, word: str) -> int:
        """Count the tokens of one word."""
        return len(self._tokenizer.encode(word, add_special_tokens=False).ids)

    def encode_passages(self, texts: Sequence[str]) -> Floats:
        """Return normalised vectors (n, dimension), with the passage prompt in front of each text."""
        return self._encode([self._card.passage_prompt + text for text in texts])

    def encode_query(self, text: str) -> Floats:
        """Return a normalised vector (dimension,), with the query prompt in front of the text."""
        row: Floats = self._encode([self._card.query_prompt + text])[0]
        return row

    def encode_by_token(self, texts: Sequence[str], keep: KeepTokens) -> Floats:
        """Return what `encode_passages` returns, and hand on the vectors of each text's tokens."""
        return self._encode([self._card.passage_prompt + text for text in texts], keep)

    def _encode(self, texts: Sequence[str], keep: KeepTokens | None = None) -> Floats:
        vectors = np.empty((len(texts), self._card.dimension), np.float32)

        def done(request: Any, batch: Batch) -> None:
            vectors[batch.rows] = request.get_output_tensor(0).data
            if keep:
                every = request.get_output_tensor(1).data
                for at, row in enumerate(batch.rows):
                    keep(row, every[at][batch.own[at]])

        self._queue.set_callback(done)
        for batch in batches(self._tokenizer, texts, size=_BATCH, multiple=_STEP):
            self._queue.start_async({"input_ids": batch.ids, "attention_mask": batch.mask}, batch)
        self._queue.wait_all()
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)  # narrow numbers leave lengths a little off 1
        return vectors
