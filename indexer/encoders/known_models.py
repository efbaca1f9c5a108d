"""The cards of models that have a home, by which a new index of such a model is begun without loading it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from talksearch.indexer.settings import DEFAULT_MODEL, MULTILINGUAL_MODEL

from . import model_home, multilingual_model
from .base import ModelCard
from .default_model import check_room, default_card, fingerprint_of_weights
from .tokenizer import file_token_counter

_CARD = "card.json"
"""The file in a home that holds the model's card with its own prompts, and a hash of the settings in its folder."""


def find(name: str, query_prompt: str | None, passage_prompt: str | None) -> ModelCard | None:
    """Return the card that `sentence_encoder.load` would give a model, without loading it.

    A model of the hub counts as known at the revision that was downloaded.

    Returns None where the model has no home on this machine, or is another by now. Raises ModelError where its home is
    open to others, a model that comes in a wheel is not installed, or the prompts leave no room for text.
    """
    if name == DEFAULT_MODEL:
        return default_card(query_prompt, passage_prompt)
    if name == MULTILINGUAL_MODEL:
        return multilingual_model.card(query_prompt, passage_prompt)
    fingerprint = fingerprint_of_weights(Path(name)) if Path(name).is_dir() else _downloaded_revision(name)
    if not fingerprint:
        return None
    for home in model_home.homes_of(name):
        own = _read(home)
        if own is not None and (own.name, own.fingerprint) == (name, fingerprint) and model_home.find(own) == home:
            count_tokens = file_token_counter(model_home.tokenizer_of(home))
            card = own.with_prompts(query_prompt, passage_prompt, count_tokens)
            check_room(card)
            return card
    return None


def write(folder: Path, card: ModelCard) -> None:
    """Write the card of a model, with the prompts that come with it, into its home."""
    values = {"card": card.as_json(), "settings": _settings(card.name)}
    (folder / _CARD).write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def _read(home: Path) -> ModelCard | None:
    """Return the card in a home; None where there is none, or the model's folder has other settings by now."""
    try:
        values = json.loads((home / _CARD).read_text(encoding="utf-8"))
        card = ModelCard(**values["card"])
        return card if values["settings"] == _settings(card.name) else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _settings(name: str) -> str:
    """Return a hash of what a model's folder says beside its weights; empty for a model of the hub."""
    folder = Path(name)
    files = sorted(folder.rglob("*.json")) if folder.is_dir() else []
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest() if files else ""


def _downloaded_revision(name: str) -> str:
    """Return the revision of a model of the hub that was downloaded; empty where none was."""
    from huggingface_hub import try_to_load_from_cache  # takes a moment, and most people use no such model
    from huggingface_hub.errors import HFValidationError

    on_hub = name if "/" in name else f"sentence-transformers/{name}"
    try:
        file = try_to_load_from_cache(on_hub, "config.json")
    except HFValidationError:  # not a name that the hub would have
        return ""
    return Path(file).parent.name if isinstance(file, str) else ""
