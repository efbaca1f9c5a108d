"""Embedding many passages as fast as the machine can: the exported model through OpenVINO, where that wins.

It helps most on a processor with bfloat16. Whether it wins is measured, not assumed.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from . import light
from .embed import Encoder, ModelCard
from .light import SAME_COSINE, LightEncoder, agreement, batches
from .vectors import Floats

WORTH_IT = 1_000
"""Passages below which choosing would take longer than it saves."""

_SAMPLE = 96


class OpenVinoEncoder:
    """The exported model, run by OpenVINO for throughput."""

    def __init__(self, folder: Path, card: ModelCard) -> None:
        import openvino  # half a second, and needed only for large runs

        core = openvino.Core()
        narrow = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        self._model = core.compile_model(
            str(folder / light.FOLDER / light.MODEL),
            "CPU",
            {"INFERENCE_PRECISION_HINT": "bf16" if narrow else "f32", "PERFORMANCE_HINT": "THROUGHPUT"},
        )
        self._queue: Any = openvino.AsyncInferQueue(self._model)
        self._tokenizer = light.tokenizer(folder / light.FOLDER, card)
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

    def _encode(self, texts: Sequence[str]) -> Floats:
        vectors = np.empty((len(texts), self._card.dimension), np.float32)

        def keep(request: Any, rows: list[int]) -> None:
            vectors[rows] = request.get_output_tensor(0).data

        self._queue.set_callback(keep)
        # Lengths in steps of 8: OpenVINO prepares anew for each shape it meets.
        for rows, ids, mask in batches(self._tokenizer, texts, size=16, multiple=8):
            self._queue.start_async({"input_ids": ids, "attention_mask": mask}, rows)
        self._queue.wait_all()
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)  # bfloat16 leaves lengths a little off 1
        return vectors


def fastest(folder: Path, encoder: LightEncoder, sample: Sequence[str]) -> Encoder:
    """Return the encoder that embeds `sample` fastest and gives the same vectors: the light one or OpenVINO's."""
    if importlib.util.find_spec("openvino") is None:
        return encoder
    few = list(sample[:_SAMPLE])
    try:
        other = OpenVinoEncoder(folder, encoder.card)
        if agreement(other, encoder, few) < SAME_COSINE:
            return encoder
    except RuntimeError:  # OpenVINO's own: an operation or a processor it does not know
        return encoder
    return other if _seconds(other, few) < _seconds(encoder, few) else encoder


def _seconds(encoder: Encoder, texts: Sequence[str]) -> float:
    encoder.encode_passages(texts[:16])
    started = perf_counter()
    encoder.encode_passages(texts)
    return perf_counter() - started
