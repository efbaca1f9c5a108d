"""Making a model's home: from the model's files where that can be done without torch, else from the loaded model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from talksearch.indexer.settings import DEFAULT_MODEL, MULTILINGUAL_MODEL

from . import bert_graph, known_models, model_home, multilingual_model, onnx_export
from .base import ModelCard
from .default_model import default_folder, fingerprint_of_weights
from .sentence_encoder import SentenceEncoder, changed_model, load_same, own_card

Warn = Callable[[str], None]
"""Is called with a sentence where the home that was made is for this process alone."""


def find_or_make(card: ModelCard, warn: Warn) -> Path | None:
    """Return the home of a model, made now where that takes no torch: a second or two.

    That is so for the models that come in a wheel, and for a model in a folder that `bert_graph` can write.

    Returns None for a model that only `from_model` can make a home for. Raises ModelError where the model is another
    than it was, one that comes in a wheel is damaged or not installed, or its home is open to others.
    """
    home = model_home.find(card)
    if home is not None:
        return home
    if card.name == MULTILINGUAL_MODEL:
        if card.fingerprint != multilingual_model.own_card().fingerprint:
            raise changed_model(card)
        return model_home.make(card, multilingual_model.write, warn)
    source = _files_of(card)
    if source is None:
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

    The card goes into it, so that the next index of this model need not load it.

    Args:
        encoder: The model.
        sample: Text of the archive, on which what is exported must give the model's own vectors.
        warn: See `Warn`.

    Raises:
        ModelError: The model cannot be exported, or its export gives other vectors. Everything then works with
            sentence-transformers itself.
    """

    def write(folder: Path) -> None:
        source = _files_of(encoder.card)
        if source is None:
            onnx_export.export(encoder, folder)
        else:
            bert_graph.write(source, folder)
        onnx_export.check(encoder, folder, sample)
        known_models.write(folder, own_card(encoder))

    return model_home.make(encoder.card, write, warn)


def _files_of(card: ModelCard) -> Path | None:
    """Return the folder of a model that `bert_graph` can write; None for any other. Raises ModelError.

    Its weights must be safetensors: those in a pickle are read by nobody but torch, where the user trusts them.
    """
    source = default_folder() if card.name == DEFAULT_MODEL else Path(card.name)
    return source if (source / bert_graph.WEIGHTS).is_file() and bert_graph.can_write(source) else None
