"""Exporting a model to ONNX, and holding the export against the model."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from talksearch.indexer.arrays import Floats
from talksearch.indexer.errors import ModelError

from . import token_codes
from .base import ModelCard
from .model_folder import _CARD, _TOKENIZER, _VECTOR_ONLY, FOLDER, MODEL
from .onnx_encoder import SAME_COSINE, OnnxEncoder, _options, _start
from .sentence_encoder import SentenceEncoder, load_same


def reexport(folder: Path, card: ModelCard, sample: Sequence[str], *, learn_directions: bool) -> OnnxEncoder:
    """Export the model of an index once more: `export`. Raises ModelError also where the model cannot be loaded, or is
    another one by now.
    """
    return export(load_same(card), folder, sample or ["word"], learn_directions=learn_directions)


def export(encoder: SentenceEncoder, folder: Path, sample: Sequence[str], *, learn_directions: bool) -> OnnxEncoder:
    """Write the light encoder of a model into an index folder and return it.

    `sample` is text of the archive on which both must agree. `learn_directions` says that its tokens show in which
    directions tokens differ (`token_codes`), where that is not known yet. It is True only before any passage is
    embedded: codes that were made along other directions would mean nothing.

    Raises ModelError when the model cannot be exported or the two disagree; the index then works with
    sentence-transformers itself.
    """
    import torch

    model = encoder.model
    target = folder / FOLDER
    target.mkdir(parents=True, exist_ok=True)
    (target / _CARD).unlink(missing_ok=True)  # written last: without it there is no encoder, whatever else is there
    for old in (*target.glob("quick-*"), *target.glob("bytes-*")):
        old.unlink()
    fast = getattr(model.tokenizer, "backend_tokenizer", None)
    if fast is None:
        raise ModelError("its tokenizer is not one that the tokenizers library can run")
    fast.save(str(target / _TOKENIZER))
    device = model.device
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                _pipeline(model.to("cpu").eval()),
                (torch.ones((2, 4), dtype=torch.int64), torch.ones((2, 4), dtype=torch.int64)),
                str(target / MODEL),
                input_names=["input_ids", "attention_mask"],
                output_names=[*_VECTOR_ONLY, "tokens"],
                dynamic_axes={
                    "input_ids": {0: "n", 1: "t"},
                    "attention_mask": {0: "n", 1: "t"},
                    "embedding": {0: "n"},
                    "tokens": {0: "n", 1: "t"},
                },
                opset_version=17,
                dynamo=False,  # the newer exporter needs onnxscript as well
            )
        light = OnnxEncoder(target, encoder.card, _start(target / MODEL, _options()))
        ours, theirs = _by_token(light, sample)
        worst = agreement(light, encoder, sample[:_CHECKED], ours[:_CHECKED])
    except Exception as error:
        raise ModelError(f"it cannot be exported: {str(error).splitlines()[0] if str(error) else error!r}") from error
    finally:
        model.to(device)
    if not worst >= SAME_COSINE:
        raise ModelError(f"its export gives other vectors (cosine {worst:.4f})")
    if learn_directions and theirs is not None and token_codes.read(folder) is None:
        token_codes.write(folder, token_codes.learn(theirs))
    (target / _CARD).write_text(json.dumps(encoder.card.as_json()), encoding="utf-8")
    return light


_CHECKED = 32
"""Texts on which an export is compared with the model itself. What it gets wrong it gets wrong of nearly any."""


def _by_token(encoder: OnnxEncoder, texts: Sequence[str]) -> tuple[Floats, Floats | None]:
    """Return the vectors of passages (n, dimension) and those of all their tokens, if the model gives them."""
    if not encoder.knows_tokens:
        return encoder.encode_passages(texts), None
    found: list[Floats] = []
    vectors = encoder.encode_by_token(texts, lambda _, own: found.append(np.array(own)))
    return vectors, np.concatenate(found)


def agreement(one: Any, other: Any, sample: Sequence[str], known: Floats | None = None) -> float:
    """Return the lowest cosine between the vectors that two encoders give the same passages and queries.

    `known` are those of the first for the passages, where they are known (n, dimension).
    """
    ours = one.encode_passages(sample) if known is None else known
    passages = (ours * other.encode_passages(sample)).sum(axis=1)
    queries = [float(one.encode_query(text) @ other.encode_query(text)) for text in sample[:4]]
    return min(float(passages.min()), *queries)


def _pipeline(model: Any) -> Any:
    """Return a torch module that takes token ids and a mask through all modules of the model, to the vector and, where
    the model has them, the vectors of the tokens.
    """
    import torch

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
            found = features.get("token_embeddings")
            by_token = found is not None and found.shape[:2] == input_ids.shape  # else there are no vectors of tokens
            return (vector, found) if by_token else vector

    return Pipeline()
