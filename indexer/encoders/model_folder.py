"""The folder of an index that holds its model as ONNX: the names of its files, and the card that names the model."""

from __future__ import annotations

import json
from pathlib import Path

from talksearch.indexer import layout

from .base import ModelCard

MODEL = "model.onnx"
"""The exported model."""

TOKENIZER = "tokenizer.json"
"""The model's tokenizer, as the tokenizers library reads it. A model folder of sentence-transformers has the same."""

CARD = "card.json"
"""The card of the model. It is written last: without it there is no exported model, whatever else is there."""

VECTOR_OUTPUT = "embedding"
"""The output of the exported model that holds the vectors of texts (n, dimension)."""

TOKENS_OUTPUT = "tokens"
"""The output that holds the vectors of tokens (n, length, width). A model that gives tokens no vectors lacks it."""


def read_card(folder: Path) -> ModelCard:
    """Return the card of the exported model of an index folder.

    Raises FileNotFoundError where there is none, and OSError or ValueError where it cannot be read.
    """
    fields = json.loads((layout.ENCODER.within(folder) / CARD).read_text(encoding="utf-8"))
    try:
        return ModelCard(**fields)
    except TypeError as error:  # other fields than a card's, or no fields
        raise ValueError(str(error)) from error


def has_exported_model(folder: Path) -> bool:
    """Say whether an index folder has an exported model, without looking into it."""
    return (layout.ENCODER.within(folder) / CARD).exists()
