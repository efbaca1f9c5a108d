"""The light encoder: the index's model as ONNX, beside the index, for queries and for building fast.

It starts in a fraction of a second because it needs only onnxruntime and tokenizers. `export` makes it from a loaded
sentence-transformers model and keeps it only if it gives the same vectors.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import tokenizers

from .embed import DEFAULT_MAX_TOKENS, ModelCard, SentenceEncoder, default_folder
from .errors import ModelError
from .vectors import Floats, Ints

FOLDER = "encoder"
MODEL, _TOKENIZER, _CARD = "model.onnx", "tokenizer.json", "card.json"

SAME_COSINE = 0.999
"""How near to the model's own a vector must be for two encoders to count as the same."""


class LightEncoder:
    """A model that was exported to ONNX."""

    def __init__(self, folder: Path, card: ModelCard) -> None:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(folder / MODEL), options, providers=["CPUExecutionProvider"])
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

    def _encode(self, texts: Sequence[str]) -> Floats:
        vectors = np.empty((len(texts), self._card.dimension), np.float32)
        for rows, ids, mask in batches(self._tokenizer, texts):
            vectors[rows] = self._session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
        return vectors

    def _count(self, word: str) -> int:
        return len(self._tokenizer.encode(word, add_special_tokens=False).ids)


def load(folder: Path) -> LightEncoder:
    """Load the light encoder of an index folder. Raises ModelError when there is none, or it is damaged."""
    try:
        card = ModelCard(**json.loads((folder / FOLDER / _CARD).read_text(encoding="utf-8")))
        return LightEncoder(folder / FOLDER, card)
    except FileNotFoundError as error:
        raise ModelError(f"The index {folder} has no light encoder.") from error
    except Exception as error:
        raise ModelError(
            f"The encoder in {folder / FOLDER} cannot be loaded: {error}",
            "Make it again: talksearch index PATH --rebuild",
        ) from error


def default_counter(folder: Path) -> tuple[Callable[[str], int], int]:
    """Return (how to count a word's tokens, how many fit): by the index's own tokenizer, or the default model's."""
    try:
        card = ModelCard(**json.loads((folder / FOLDER / _CARD).read_text(encoding="utf-8")))
        loaded = tokenizers.Tokenizer.from_file(str(folder / FOLDER / _TOKENIZER))
        room = card.max_tokens
    except FileNotFoundError:
        loaded = tokenizers.Tokenizer.from_file(str(default_folder() / _TOKENIZER))
        room = DEFAULT_MAX_TOKENS
    loaded.no_truncation()
    loaded.no_padding()  # the default's file pads every text to 128 tokens
    return cache(lambda word: len(loaded.encode(word, add_special_tokens=False).ids)), room


def tokenizer(folder: Path, card: ModelCard) -> tokenizers.Tokenizer:
    """Load the exported tokenizer, cutting texts at what fits the model."""
    loaded = tokenizers.Tokenizer.from_file(str(folder / _TOKENIZER))
    loaded.no_padding()
    prompt = max(
        len(loaded.encode(text, add_special_tokens=False).ids) for text in (card.query_prompt, card.passage_prompt)
    )
    loaded.enable_truncation(card.max_tokens + 2 + prompt)
    return loaded


def batches(
    encode: tokenizers.Tokenizer, texts: Sequence[str], size: int = 32, multiple: int = 1
) -> Iterator[tuple[list[int], Ints, Ints]]:
    """Yield (positions in `texts`, token ids, attention mask) with texts of like length together.

    Both arrays are int64 (batch, length); length is a multiple of `multiple`. Padding tokens have id 0 and are masked.
    """
    ids = [encoding.ids for encoding in encode.encode_batch(list(texts))]
    order = sorted(range(len(ids)), key=lambda at: len(ids[at]))
    for at in range(0, len(order), size):
        rows = order[at : at + size]
        length = -(-max(len(ids[row]) for row in rows) // multiple) * multiple
        padded = np.zeros((len(rows), length), np.int64)
        mask = np.zeros((len(rows), length), np.int64)
        for line, row in enumerate(rows):
            padded[line, : len(ids[row])] = ids[row]
            mask[line, : len(ids[row])] = 1
        yield rows, padded, mask


def export(encoder: SentenceEncoder, folder: Path, sample: Sequence[str]) -> LightEncoder:
    """Write the light encoder of a model into an index folder and return it.

    `sample` is text of the archive on which both must agree. Raises ModelError when the model cannot be exported or the
    two disagree; the index then works with sentence-transformers itself.
    """
    import torch

    model = encoder.model
    target = folder / FOLDER
    target.mkdir(parents=True, exist_ok=True)
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
                output_names=["embedding"],
                dynamic_axes={"input_ids": {0: "n", 1: "t"}, "attention_mask": {0: "n", 1: "t"}, "embedding": {0: "n"}},
                opset_version=17,
                dynamo=False,  # the newer exporter needs onnxscript as well
            )
        light = LightEncoder(target, encoder.card)
        worst = agreement(light, encoder, sample)
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(f"it cannot be exported: {str(error).splitlines()[0] if str(error) else error!r}") from error
    finally:
        model.to(device)
    if worst < SAME_COSINE:
        raise ModelError(f"its export gives other vectors (cosine {worst:.4f})")
    (target / _CARD).write_text(json.dumps(encoder.card.as_json()), encoding="utf-8")
    return light


def agreement(one: Any, other: Any, sample: Sequence[str]) -> float:
    """Return the lowest cosine between the vectors that two encoders give the same passages and queries."""
    passages = (one.encode_passages(sample) * other.encode_passages(sample)).sum(axis=1)
    queries = [float(one.encode_query(text) @ other.encode_query(text)) for text in sample[:4]]
    return min(float(passages.min()), *queries)


def _pipeline(model: Any) -> Any:
    """Return a torch module that takes token ids and a mask through all modules of the model, to the vector."""
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
            return torch.nn.functional.normalize(features["sentence_embedding"], dim=-1)

    return Pipeline()
