"""The folder of an index that holds the exported model: its files and its card."""

from __future__ import annotations

import json
from pathlib import Path

from .base import ModelCard

FOLDER = "encoder"


MODEL, _TOKENIZER, _CARD = "model.onnx", "tokenizer.json", "card.json"


_VECTOR_ONLY = ["embedding"]


def _read_card(folder: Path) -> ModelCard:
    return ModelCard(**json.loads((folder / FOLDER / _CARD).read_text(encoding="utf-8")))


def is_there(folder: Path) -> bool:
    """Say whether an index folder has a light encoder, without looking into it."""
    return (folder / FOLDER / _CARD).exists()
