"""Exporting a model to ONNX, and comparing the export with the model."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from talksearch.indexer.errors import ModelError

from .base import Encoder, first_line
from .model_home import MODEL, TOKENIZER, TOKENS_OUTPUT, VECTOR_OUTPUT
from .onnx_encoder import SAME_COSINE, OnnxEncoder
from .onnx_session import ONNX_ERRORS, session_options, start_session
from .sentence_encoder import SentenceEncoder, quiet_libraries

_COMPARED_TEXTS = 32
"""Texts on which an export is compared with the model. An export that is wrong is wrong on nearly any text."""

_COMPARED_QUERIES = 4
"""How many of these texts are compared as queries as well."""


def export(encoder: SentenceEncoder, folder: Path) -> None:
    """Export a model to ONNX, with its tokenizer, into a folder (`model_home`).

    Raises ModelError where it cannot be exported.
    """
    tokenizer = getattr(encoder.model.tokenizer, "backend_tokenizer", None)
    if tokenizer is None:
        raise ModelError("its tokenizer is not one that the tokenizers library can run")
    tokenizer.save(str(folder / TOKENIZER))
    device = encoder.model.device
    try:
        _write_onnx(encoder.model, folder / MODEL)
    finally:
        encoder.model.to(device)


def check(encoder: SentenceEncoder, folder: Path, sample: Sequence[str]) -> None:
    """Raise ModelError where what was written into a folder does not run, or gives other vectors than the model.

    Args:
        encoder: The model.
        folder: The folder.
        sample: Text of the archive; without any, a word is taken.
    """
    try:
        exported = OnnxEncoder(folder, encoder.card, start_session(folder / MODEL, session_options()))
        lowest_cosine = agreement(exported, encoder, sample[:_COMPARED_TEXTS] or ["word"])
    except (*ONNX_ERRORS, ModelError) as error:
        raise ModelError(f"it cannot be exported: {first_line(error)}") from error
    if not lowest_cosine >= SAME_COSINE:
        raise ModelError(f"its export gives other vectors (cosine {lowest_cosine:.4f})")


def agreement(one: Encoder, other: Encoder, sample: Sequence[str]) -> float:
    """Return the lowest cosine between the vectors that two encoders give the same passages and queries."""
    cosines = (one.encode_passages(sample) * other.encode_passages(sample)).sum(axis=1)
    queries = [float(one.encode_query(text) @ other.encode_query(text)) for text in sample[:_COMPARED_QUERIES]]
    return min(float(cosines.min()), *queries)


def _write_onnx(model: Any, target: Path) -> None:
    """Write a sentence-transformers model as an ONNX file; it is left on the processor. Raises ModelError."""
    import torch  # takes seconds

    text_axes = {0: "n", 1: "t"}
    example = torch.ones((2, 4), dtype=torch.int64)
    try:
        with torch.no_grad(), warnings.catch_warnings(), quiet_libraries():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                _pipeline(model.to("cpu").eval()),
                (example, example.clone()),
                str(target),
                input_names=["input_ids", "attention_mask"],
                output_names=[VECTOR_OUTPUT, TOKENS_OUTPUT],
                dynamic_axes={
                    "input_ids": text_axes,
                    "attention_mask": text_axes,
                    VECTOR_OUTPUT: {0: "n"},
                    TOKENS_OUTPUT: text_axes,
                },
                opset_version=17,
                dynamo=False,  # the newer exporter needs onnxscript as well
            )
    # The tracer runs the model's own code, of any architecture, on tensors it was not written for. What that code
    # raises cannot be listed, and none of it may end an indexing run: sentence-transformers still runs the model.
    except Exception as error:
        raise ModelError(f"it cannot be exported: {first_line(error)}") from error


def _pipeline(model: Any) -> Any:
    """Return a torch module that runs all modules of the model.

    It takes token ids and a mask, and gives the vector of each text and, where the model has them, those of the tokens.
    """
    import torch  # takes seconds

    needs_types = "token_type_ids" in model.tokenizer.model_input_names

    class Pipeline(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            features = {"input_ids": input_ids, "attention_mask": attention_mask}
            if needs_types:
                features["token_type_ids"] = torch.zeros_like(input_ids)
            for module in self.model:
                features = module(features)
            vector = torch.nn.functional.normalize(features["sentence_embedding"], dim=-1)
            token_vectors = features.get("token_embeddings")
            has_tokens = token_vectors is not None and token_vectors.shape[:2] == input_ids.shape
            return (vector, token_vectors) if has_tokens else vector

    return Pipeline()
