"""Choosing what embeds many passages: the exported model through onnxruntime or, where that is faster, OpenVINO.

OpenVINO helps most on a processor with bfloat16 and int8 products. Whether it is faster is measured on the archive's
own text, not assumed, and the recipe of the index records what was chosen.
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

from .base import Encoder
from .int8_openvino import ActivationRanges, quantized_model, read_ranges, save_ranges, select_int8_products
from .model_home import MODEL, machine_folder
from .onnx_encoder import SAME_COSINE, OnnxEncoder
from .openvino_encoder import OpenVinoEncoder
from .tokenizer import batches, load_model_tokenizer

LEAST_TO_SELECT = 300
"""With fewer passages waiting, selecting an encoder would take longer than it saves."""

LEAST_TO_REMEMBER = 100
"""With fewer passages waiting, loading and checking the int8 encoder of an earlier run takes longer than it saves."""

LEAST_FOR_INT8 = 30_000
"""With fewer passages waiting, finding out which products bear int8 would take longer than it saves."""

INT8_MEAN_COSINE = 0.998
"""The mean cosine to the exported model's vectors that an int8 encoder must reach, on text that its ranges were not
taken from. `benchmarks/build.py` shows what int8 costs in finding."""

_INT8_LOWEST_COSINE = 0.99
"""The cosine below which no single vector of an int8 encoder may lie."""

_MOST_COSINE_LOSS = 0.0015
"""How far all products in int8 together may bring the mean cosine below 1, as far as their losses add up."""

_SAMPLE = 64
"""Texts on which encoders are timed and compared at most."""

_LEAST_SAMPLE = 16
"""Texts on which they are timed at least, and on which a remembered int8 encoder is checked."""

_SAMPLE_SHARE = 10
"""The sample is no more than a tenth of what waits, or else selecting would take longer than it saves."""

_WARM_UP = 16
"""Texts that each encoder is given before it is timed: the first ones take longer."""

_RANGE_TEXTS = 64
"""Texts from which the ranges of activations are taken."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An encoder, and in words which it is and what the choice rests on."""

    encoder: Encoder
    description: str


@dataclass(frozen=True, slots=True)
class _Trial:
    """The vectors that an encoder gave some texts, and how long it took."""

    choice: Choice
    vectors: Floats
    seconds: float


def select_encoder(home: Path, encoder: OnnxEncoder, sample: Sequence[str], waiting: int = 0) -> Choice:
    """Choose what embeds passages fastest and gives the exported model's vectors, or nearly.

    The int8 encoder, if it is chosen, is remembered in the home, for this kind of machine, for `remembered`.

    Args:
        home: The home of the model (`model_home`).
        encoder: The exported model, which is chosen where nothing is faster.
        sample: Passages that wait, in any number.
        waiting: How many passages are to be embedded; 0 for those of the sample.
    """
    count = min(_SAMPLE, max(_LEAST_SAMPLE, (waiting or len(sample)) // _SAMPLE_SHARE))
    texts = _spread(sample, count)
    onnx = Choice(encoder, "ONNX Runtime")
    if importlib.util.find_spec("openvino") is None or not texts:
        return onnx
    baseline = _try(onnx, texts)
    trials = [baseline]
    try:
        openvino = OpenVinoEncoder(home, encoder.card)
        trials.append(_try(Choice(openvino, f"OpenVINO in {openvino.precision}"), texts))
        if _cosines(trials[-1], baseline).min() < SAME_COSINE:
            return onnx
        int8 = _select_int8(home, encoder, sample, baseline, texts) if waiting >= LEAST_FOR_INT8 else None
    except RuntimeError:  # OpenVINO's own: an operation or a processor it does not know
        return onnx
    if int8:
        trials.append(int8)
    fastest = min(trials, key=lambda trial: trial.seconds)
    if fastest is not int8:
        _int8_file(home).unlink(missing_ok=True)
    slower = ", ".join(
        f"{trial.choice.description} {len(texts) / trial.seconds:.0f}" for trial in trials if trial is not fastest
    )
    rates = f"passages a second on a sample: {len(texts) / fastest.seconds:.0f}, {slower}"
    return replace(fastest.choice, description=f"{fastest.choice.description}; {rates}")


def remembered(home: Path, encoder: OnnxEncoder, sample: Sequence[str]) -> Encoder | None:
    """Return the int8 encoder that an earlier run chose.

    None where no run did, or where it is slower here than the exported model or gives the `sample` other vectors.
    """
    try:
        ranges = read_ranges(_int8_file(home))
        texts = _spread(sample, _LEAST_SAMPLE)
        baseline = _try(Choice(encoder, ""), texts)
        int8 = _try_int8(home, encoder, ranges, baseline, texts)
    except (OSError, EOFError, ValueError, KeyError, BadZipFile, ImportError, RuntimeError):
        return None  # there is none, it is damaged, or OpenVINO is another or gone
    return int8.choice.encoder if int8 and int8.seconds < baseline.seconds else None


def _spread(texts: Sequence[str], count: int) -> list[str]:
    """Return about `count` of some texts, evenly spread over them."""
    return list(texts[:: max(1, len(texts) // count)])[:count]


def _select_int8(
    home: Path, encoder: OnnxEncoder, sample: Sequence[str], baseline: _Trial, texts: Sequence[str]
) -> _Trial | None:
    """Try the encoder whose products are int8 where the model bears it, and remember it; None where it bears none.

    `baseline` is what the exported model made of the `texts`, which are part of the sample.
    """
    tried = set(texts)
    range_texts = [text for text in sample[1 :: max(1, len(sample) // _RANGE_TEXTS)] if text not in tried]
    prompted = [encoder.card.passage_prompt + text for text in range_texts[:_RANGE_TEXTS]]
    tokenizer = load_model_tokenizer(home, encoder.card)
    tokens = [(batch.ids, batch.mask) for batch in batches(tokenizer, prompted, size=1)]
    ranges = select_int8_products(home / MODEL, tokens, _MOST_COSINE_LOSS)
    int8 = _try_int8(home, encoder, ranges, baseline, texts) if ranges else None
    if int8:
        machine_folder(home).mkdir(mode=0o700, exist_ok=True)
        save_ranges(_int8_file(home), ranges)
    return int8


def _int8_file(home: Path) -> Path:
    """Return the file that holds which products of the exported model bear int8: of that very model, by its size."""
    return machine_folder(home) / f"bytes-{(home / MODEL).stat().st_size}.npz"


def _try_int8(
    home: Path, encoder: OnnxEncoder, ranges: ActivationRanges, baseline: _Trial, texts: Sequence[str]
) -> _Trial | None:
    """Try the encoder with some products in int8; None where its vectors of the texts are not near the baseline's."""
    quantized = quantized_model(home / MODEL, ranges)
    int8 = OpenVinoEncoder(home, encoder.card, quantized.model)
    trial = _try(Choice(int8, ""), texts)
    cosines = _cosines(trial, baseline)
    if not (cosines.mean() >= INT8_MEAN_COSINE and cosines.min() >= _INT8_LOWEST_COSINE):
        return None
    description = (
        f"OpenVINO with {quantized.int8_products} of {quantized.products} products in 8 bits and the rest in"
        f" {int8.precision}"
        f" (cosine to the model's own {cosines.mean():.4f}, at the lowest {cosines.min():.4f})"
    )
    return replace(trial, choice=Choice(int8, description))


def _try(choice: Choice, texts: Sequence[str]) -> _Trial:
    """Embed texts and measure how long that takes: twice as long as the quicker half, as others may be at work."""
    choice.encoder.encode_passages(texts[:_WARM_UP])
    vectors = np.empty((len(texts), choice.encoder.card.dimension), np.float32)
    times = []
    for half in (slice(0, None, 2), slice(1, None, 2)):
        if texts[half]:
            started = perf_counter()
            vectors[half] = choice.encoder.encode_passages(texts[half])
            times.append(perf_counter() - started)
    return _Trial(choice, vectors, 2 * min(times))


def _cosines(one: _Trial, other: _Trial) -> Floats:
    cosines: Floats = (one.vectors * other.vectors).sum(axis=1)
    return cosines
