"""Embedding many passages as fast as the machine can: the exported model through OpenVINO, where that wins.

It helps most on a processor with bfloat16 and with byte products. Whether it wins is measured on the archive's own
text, not assumed, and what was chosen stands in the recipe.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from zipfile import BadZipFile

import numpy as np

from talksearch.indexer.arrays import Floats

from . import model_folder, tokenizer
from .base import Encoder
from .int8_openvino import ActivationRanges, quantized_model, read, save, select_int8_products
from .onnx_encoder import SAME_COSINE, OnnxEncoder
from .openvino_encoder import OpenVinoEncoder
from .tokenizer import batches

WORTH_IT = 300
"""Passages below which choosing would take longer than it saves."""

KEPT_WORTH_IT = 100
"""Passages below which what an earlier run found out takes longer to load and to check than it saves."""

BYTES_WORTH_IT = 30_000
"""Passages below which finding out which products bear bytes would take longer than it saves."""

NEAR_COSINE = 0.998
"""How near to the model's own the vectors of an encoder with bytes must be in the mean, on text that it was not made
with; none may be below `_FAR_COSINE`. `benchmarks/build.py` shows what that does to finding."""

_FAR_COSINE = 0.99
_MOST_LOSS = 0.0015
_SAMPLE = 64
_LEAST_SAMPLE = 16
_SHARE = 10
"""The sample is no more than a tenth of what waits, or else choosing would take longer than it saves."""

_FIRST = 16
"""Texts that each encoder is given before it is timed: the first take longer."""

_RANGES = 64


@dataclass(frozen=True, slots=True)
class Choice:
    """An encoder, and in words which it is and what the choice rests on."""

    encoder: Encoder
    how: str


@dataclass(frozen=True, slots=True)
class _Tried:
    """What an encoder made of some texts."""

    choice: Choice
    vectors: Floats
    seconds: float


def fastest(folder: Path, encoder: OnnxEncoder, sample: Sequence[str], waiting: int = 0) -> Encoder:
    """Return the encoder of `select_encoder`."""
    return select_encoder(folder, encoder, sample, waiting).encoder


def select_encoder(folder: Path, encoder: OnnxEncoder, sample: Sequence[str], waiting: int = 0) -> Choice:
    """Choose what embeds `sample` fastest and gives the same vectors, or nearly: the light encoder or OpenVINO's.

    `waiting` is how many passages are to be embedded. Which products bear bytes is remembered beside the light encoder:
    `remembered`.
    """
    count = min(_SAMPLE, max(_LEAST_SAMPLE, (waiting or len(sample)) // _SHARE))
    few = list(sample[:: max(1, len(sample) // count)])[:count]
    plain = Choice(encoder, "ONNX Runtime")
    if importlib.util.find_spec("openvino") is None or not few:
        return plain
    own = _try(plain, few)
    try:
        other = OpenVinoEncoder(folder, encoder.card)
        wide = _try(Choice(other, f"OpenVINO in {'bfloat16' if other.narrow else 'float32'}"), few)
        if _cosines(wide, own).min() < SAME_COSINE:
            return plain
        tried = [own, wide, *(_with_bytes(folder, encoder, sample, few, own) if waiting >= BYTES_WORTH_IT else [])]
    except RuntimeError:  # OpenVINO's own: an operation or a processor it does not know
        return plain
    best = min(tried, key=lambda one: one.seconds)
    if best is own or best is wide:
        _remembered(folder).unlink(missing_ok=True)
    rates = ", ".join(f"{one.choice.how} {len(few) / one.seconds:.0f}" for one in tried if one is not best)
    rest = f"; passages a second on a sample: {len(few) / best.seconds:.0f}, {rates}"
    return Choice(best.choice.encoder, best.choice.how + rest)


def _with_bytes(
    folder: Path, encoder: OnnxEncoder, sample: Sequence[str], few: Sequence[str], own: _Tried
) -> list[_Tried]:
    """Try the encoder that works with bytes where the model bears it; nothing where not. `own` is what the light one
    made of the `few`.
    """
    made_with = [text for text in sample[1 :: max(1, len(sample) // _RANGES)] if text not in set(few)][:_RANGES]
    exported = folder / model_folder.FOLDER
    texts = [encoder.card.passage_prompt + text for text in made_with]
    whole = [(one.ids, one.mask) for one in batches(tokenizer.tokenizer(exported, encoder.card), texts, size=1)]
    ranges = select_int8_products(exported / model_folder.MODEL, whole, _MOST_LOSS)
    found = _in_bytes(folder, encoder, ranges, few, own) if ranges else None
    if found is None:
        return []
    save(_remembered(folder), ranges)
    return [found]


def remembered(folder: Path, encoder: OnnxEncoder, sample: Sequence[str]) -> Encoder | None:
    """Return the encoder with bytes in the form in which an earlier run found it; None where none did, or where it is
    slower here than the light one, or gives other vectors of the `sample`.
    """
    try:
        ranges = read(_remembered(folder))
        few = list(sample[:: max(1, len(sample) // _LEAST_SAMPLE)])[:_LEAST_SAMPLE]
        own = _try(Choice(encoder, ""), few)
        found = _in_bytes(folder, encoder, ranges, few, own)
    except (OSError, EOFError, ValueError, KeyError, BadZipFile, ImportError, RuntimeError):
        return None  # there is none, it is damaged, or OpenVINO is another or gone
    return found.choice.encoder if found and found.seconds < own.seconds else None


def _remembered(folder: Path) -> Path:
    """Return the file that holds which products of the exported model bear bytes: of that very model, by its size."""
    exported = folder / model_folder.FOLDER
    return exported / f"bytes-{(exported / model_folder.MODEL).stat().st_size}.npz"


def _in_bytes(
    folder: Path, encoder: OnnxEncoder, ranges: ActivationRanges, few: Sequence[str], own: _Tried
) -> _Tried | None:
    """Try the encoder that does some products with bytes; None where its vectors of `few` are not near enough."""
    model, products, of = quantized_model(folder / model_folder.FOLDER / model_folder.MODEL, ranges)
    other = OpenVinoEncoder(folder, encoder.card, model)
    found = _try(Choice(other, ""), few)
    cosines = _cosines(found, own)
    if not (cosines.mean() >= NEAR_COSINE and cosines.min() >= _FAR_COSINE):
        return None
    wide = "bfloat16" if other.narrow else "float32"
    how = (
        f"OpenVINO with {products} of {of} products in 8 bits and the rest in {wide}"
        f" (cosine to the model's own {cosines.mean():.4f}, at the lowest {cosines.min():.4f})"
    )
    return replace(found, choice=Choice(other, how))


def _try(choice: Choice, texts: Sequence[str]) -> _Tried:
    """Embed texts and see how long that takes: twice as long as the quicker half, as others may be at work."""
    choice.encoder.encode_passages(texts[:_FIRST])
    vectors = np.empty((len(texts), choice.encoder.card.dimension), np.float32)
    times = []
    for half in (slice(0, None, 2), slice(1, None, 2)):
        if texts[half]:
            started = perf_counter()
            vectors[half] = choice.encoder.encode_passages(texts[half])
            times.append(perf_counter() - started)
    return _Tried(choice, vectors, 2 * min(times))


def _cosines(one: _Tried, other: _Tried) -> Floats:
    found: Floats = (one.vectors * other.vectors).sum(axis=1)
    return found
