"""Choosing what embeds many passages: the exported model, its copy with products of bytes, or OpenVINO.

Which is fastest depends on the processor. It is measured on the archive's own text, not assumed, once for a kind of
machine and a model; the choice lies in the home of the model, and the recipe of the index says in words what it was.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import numpy as np

from talksearch.indexer import layout
from talksearch.indexer.arrays import Floats

from . import checksums, int8_products, model_home, onnx_encoder
from .base import Encoder, ModelCard
from .machine import versions
from .model_home import MODEL, machine_folder
from .onnx_encoder import SAME_COSINE, OnnxEncoder
from .onnx_session import ONNX_ERRORS
from .openvino_encoder import OpenVinoEncoder, can_run
from .tokenizer import batches, load_model_tokenizer

LEAST_TO_SELECT = 1_000
"""With fewer passages waiting, the exported model has embedded them before what is faster is found out. A small archive
so has the vectors of the model itself, and the same answers on every machine."""

INT8_MEAN_COSINE = 0.997
"""The mean cosine to the exported model's vectors that products of bytes must keep, on text that their ranges were not
taken from. `benchmarks/build.py` shows what that costs in finding."""

_INT8_LOWEST_COSINE = 0.99
"""The cosine below which no single vector of theirs may lie."""

_SAMPLE = 64
"""Texts on which encoders are timed and compared."""

_CHECKED = 16
"""Texts on which an earlier choice is checked."""

_RANGE_TEXTS = 64
"""Texts from which the ranges of activations are taken."""

_CHOICE = "choice.json"
"""The file that holds the choice. It is written last: without it there is none, whatever else is there."""

_INT8_MODEL = "int8.onnx"
"""The file that holds the copy with products of bytes, where that was chosen."""

_FLOATS, _INT8, _OPENVINO = "floats", "int8", "openvino"
"""What can be chosen."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An encoder, and in words which it is and what the choice rests on."""

    encoder: Encoder
    description: str


@dataclass(frozen=True, slots=True)
class _Trial:
    """The vectors that an encoder gave some texts, and how long it took."""

    kind: str
    choice: Choice
    vectors: Floats
    seconds: float


def choose(home: Path, encoder: OnnxEncoder, sample: Sequence[str]) -> Choice:
    """Return what embeds many passages fastest here and gives the exported model's vectors, or nearly.

    What an earlier run chose on this kind of machine is taken from the home of the model. Where none did, it is chosen
    now and noted there, if the home can be written.

    Args:
        home: The home of the model (`model_home`).
        encoder: The exported model.
        sample: Passages that wait, in any number.
    """
    folder = _folder(home)
    try:
        with model_home.locked(home) if model_home.is_lasting(home) else nullcontext():  # others may be choosing
            known = _remembered(home, encoder, sample)
            if known is not None:
                return known
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return _select(home, encoder, sample)
    except OSError:  # nothing can be written there: the exported model does, only slower
        return Choice(encoder, "ONNX Runtime")


def _folder(home: Path) -> Path:
    return machine_folder(home) / "bulk"


def _remembered(home: Path, encoder: OnnxEncoder, sample: Sequence[str]) -> Choice | None:
    """Return what an earlier run chose.

    None where none did, or with other versions of the libraries, or where its files are damaged, or where it gives the
    `sample`, if there is any, other vectors than the exported model does.
    """
    folder = _folder(home)
    if not checksums.are_right(folder):
        return None
    try:
        noted = json.loads((folder / _CHOICE).read_text(encoding="utf-8"))
        if noted["versions"] != versions():
            return None
        chosen = _LOADERS[noted["kind"]](home, encoder.card)
        description = str(noted["description"])
    except (*ONNX_ERRORS, RuntimeError, ImportError, KeyError, TypeError):
        return None
    texts = spread(sample, _CHECKED)
    if texts and noted["kind"] != _FLOATS:
        cosines = (chosen.encode_passages(texts) * encoder.encode_passages(texts)).sum(axis=1)
        if not _are_near(cosines):
            return None
    return Choice(chosen, description)


def _select(home: Path, encoder: OnnxEncoder, sample: Sequence[str]) -> Choice:
    """Try all there is, and note the fastest. Raises OSError where that cannot be noted."""
    folder, card = _folder(home), encoder.card
    (folder / _CHOICE).unlink(missing_ok=True)
    texts = spread(sample, _SAMPLE)
    trials = [_try(_FLOATS, _load_floats(home, card), "ONNX Runtime", texts)]
    own = trials[0].vectors
    with suppress(*ONNX_ERRORS):  # a model that has no such products, or an older onnxruntime
        products = _write_int8(home, card, sample, texts)
        of_bytes = _try(_INT8, _load_int8(home, card), "", texts)
        cosines = (of_bytes.vectors * own).sum(axis=1)
        if _are_near(cosines):
            words = (
                f"ONNX Runtime with {products} products in 8 bits (cosine to the model's own {cosines.mean():.4f}, at"
                f" the lowest {cosines.min():.4f})"
            )
            trials.append(replace(of_bytes, choice=replace(of_bytes.choice, description=words)))
    if importlib.util.find_spec("openvino") is not None and can_run():
        with suppress(RuntimeError):  # OpenVINO's own: an operation that it does not know
            openvino = _try(_OPENVINO, _load_openvino(home, card), "OpenVINO in bfloat16", texts)
            if (openvino.vectors * own).sum(axis=1).min() >= SAME_COSINE:
                trials.append(openvino)
    fastest = min(trials, key=lambda trial: trial.seconds)
    if fastest.kind != _INT8:
        (folder / _INT8_MODEL).unlink(missing_ok=True)
    slower = ", ".join(
        f"{trial.choice.description} {len(texts) / trial.seconds:.0f}" for trial in trials if trial is not fastest
    )
    rates = f"passages a second on a sample: {len(texts) / fastest.seconds:.0f}, {slower}".removesuffix(", ")
    choice = replace(fastest.choice, description=f"{fastest.choice.description}; {rates}")
    _note(folder, fastest.kind, choice.description)
    return choice


def _note(folder: Path, kind: str, description: str) -> None:
    noted = {"kind": kind, "description": description, "versions": versions()}
    with layout.replace_file(folder / _CHOICE) as fresh:
        fresh.write_text(json.dumps(noted, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    checksums.write(folder, [_CHOICE, _INT8_MODEL] if kind == _INT8 else [_CHOICE])


def _write_int8(home: Path, card: ModelCard, sample: Sequence[str], tried: Sequence[str]) -> int:
    """Write the copy with products of bytes, with ranges from text that is not `tried`; return how many these are."""
    known = set(tried)
    others = [text for text in sample if text not in known]
    range_texts = spread(others or sample, _RANGE_TEXTS)
    prompted = [card.passage_prompt + text for text in range_texts]
    tokens = [(batch.ids, batch.mask) for batch in batches(load_model_tokenizer(home, card), prompted, size=1)]
    ranges = int8_products.find_ranges(home / MODEL, tokens)
    with layout.replace_file(_folder(home) / _INT8_MODEL) as fresh:
        return int8_products.write_quantized(home / MODEL, fresh, ranges)


def _load_floats(home: Path, card: ModelCard) -> Encoder:
    return onnx_encoder.load_bulk(home, card, home / MODEL)


def _load_int8(home: Path, card: ModelCard) -> Encoder:
    return onnx_encoder.load_bulk(home, card, _folder(home) / _INT8_MODEL)


def _load_openvino(home: Path, card: ModelCard) -> Encoder:
    return OpenVinoEncoder(home, card)


_LOADERS: dict[str, Callable[[Path, ModelCard], Encoder]] = {
    _FLOATS: _load_floats,
    _INT8: _load_int8,
    _OPENVINO: _load_openvino,
}
"""What loads an encoder of each kind from the home of its model."""


def _are_near(cosines: Floats) -> bool:
    return bool(cosines.mean() >= INT8_MEAN_COSINE and cosines.min() >= _INT8_LOWEST_COSINE)


def spread(texts: Sequence[str], count: int) -> list[str]:
    """Return `count` of some texts, evenly spread over them; all where they are no more.

    >>> spread("abcdefg", 3), spread("ab", 3)
    (['a', 'c', 'e'], ['a', 'b'])
    """
    taken = min(count, len(texts))
    return [texts[at * len(texts) // taken] for at in range(taken)]


def _try(kind: str, encoder: Encoder, description: str, texts: Sequence[str]) -> _Trial:
    """Embed texts and measure how long that takes: twice as long as the quicker half, as others may be at work."""
    encoder.encode_passages(texts[: len(texts) // 4])  # the first ones take longer
    vectors = np.empty((len(texts), encoder.card.dimension), np.float32)
    times = []
    for half in (slice(0, None, 2), slice(1, None, 2)):
        if texts[half]:
            started = perf_counter()
            vectors[half] = encoder.encode_passages(texts[half])
            times.append(perf_counter() - started)
    return _Trial(kind, Choice(encoder, description), vectors, 2 * min(times))
