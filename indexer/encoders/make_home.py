"""Making a model's home: from the model's files where that can be done without torch, else from the loaded model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from talksearch.indexer.settings import DEFAULT_MODEL

from . import bert_graph, model_home, onnx_export
from .base import ModelCard
from .default_model import default_folder, fingerprint_of_weights
from .sentence_encoder import SentenceEncoder, changed_model, load_same

Warn = Callable[[str], None]
"""Is called with a sentence where the home that was made is for this process alone."""


def find_or_make(card: ModelCard, warn: Warn) -> Path | None:
    """Return the home of a model, made now where that takes no torch: a second or two.

    That is so for the default model, and for a model in a folder that `bert_graph` can write.

    Returns None for a model that only `from_model` can make a home for. Raises ModelError where the model is another
    than it was, the default model is damaged or not installed, or its home is open to others.
    """
    home = model_home.find(card)
    if home is not None:
        return home
    source = default_folder() if card.name == DEFAULT_MODEL else Path(card.name)
    if not source.is_dir() or not bert_graph.can_write(source):
        return None
    if fingerprint_of_weights(source) != card.fingerprint:
        raise changed_model(card)
    return model_home.make(card, lambda folder: bert_graph.write(source, folder), warn)


def find_or_make_from_model(card: ModelCard, sample: Sequence[str], warn: Warn) -> Path:
    """Return the home of a model, made now where it is missing, if need be by torch.

    The arguments are those of `from_model`. Raises ModelError as that does, and where the model cannot be loaded or is
    another than it was.
    """
    return find_or_make(card, warn) or from_model(load_same(card), sample, warn)


def from_model(encoder: SentenceEncoder, sample: Sequence[str], warn: Warn) -> Path:
    """Return the home of a model that is loaded, made now where it is missing.

    Args:
        encoder: The model.
        sample: Text of the archive, on which what is exported must give the model's own vectors.
        warn: See `Warn`.

    Raises:
        ModelError: The model cannot be exported, or its export gives other vectors. Everything then works with
            sentence-transformers itself.
    """
    return model_home.make(encoder.card, lambda folder: onnx_export.export(encoder, folder, sample), warn)
