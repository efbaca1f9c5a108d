"""A copy of the exported model that starts and answers faster, for queries."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
import onnxruntime

from . import int8_blockwise
from .model_folder import FOLDER, MODEL, _read_card
from .onnx_encoder import _FAILED, SAME_COSINE, OnnxEncoder, _for_queries, _options, _quick, _start


def ensure_query_model(folder: Path, *, check: bool = False) -> bool:
    """Leave beside the light encoder a second copy of it for queries, which starts in a quarter of the time and, with
    weights in bytes (`blockwise`), runs in two thirds of the time. Returns whether it did.

    The graph is as onnxruntime rewrites it for itself, and the weights are a file of their own, which is mapped and not
    read: a query touches a few rows of the table of tokens. It belongs to one version of onnxruntime and one model
    (`_quick`), takes at most as much disk as the model, and may be deleted. It is kept only if it gives the same
    vectors, or with bytes nearly the same and sooner than with floats.

    A copy that is there stays, unless half of it is missing or, with `check`, which takes as long as to make it, it
    does not start or gives other vectors.
    """
    model = folder / FOLDER / MODEL
    if not model.exists():
        return False
    if has_query_model(folder) if check else any(map(_whole, _quick(model))):
        return False
    for old in model.parent.glob("quick-*"):
        old.unlink()
    return _quicken_with_bytes(folder, model) or _quicken_with_floats(folder, model)


def _quicken_with_bytes(folder: Path, model: Path) -> bool:
    quick, narrowed = _quick(model)[0], model.with_name("narrowed.onnx")
    try:
        _start(model, _options())  # what is damaged is told here, and onnx need not tell it
        found = _made(folder, narrowed, quick) if int8_blockwise.write(model, narrowed) else None
    except _FAILED:
        found = None
    finally:
        narrowed.unlink(missing_ok=True)
    if found and found.seconds < found.seconds_of_model:
        return True
    _remove(quick)
    return False


def _quicken_with_floats(folder: Path, model: Path) -> bool:
    return _made(folder, model, _quick(model)[1]) is not None


def _made(folder: Path, model: Path, quick: Path) -> _Compared | None:
    """Make a copy for queries of a model; None, and no copy, where that cannot be done or its vectors are others."""
    try:
        if _rewrite(model, quick) and (found := _compare(folder, quick)).same:
            return found
    except _FAILED:  # without this copy all works, only slower
        pass
    _remove(quick)
    return None


def has_query_model(folder: Path) -> bool:
    """Say whether the copy for queries is there, starts, and gives the vectors of the model beside it, or nearly."""
    model = folder / FOLDER / MODEL
    try:
        return any(_whole(quick) and _compare(folder, quick).same for quick in _quick(model))
    except _FAILED:
        return False


_FAR_COSINE = 0.995
"""How near to the model's own each vector of a copy with bytes must be; all of them in the mean, and each of a copy
with floats, `SAME_COSINE`."""


def _rewrite(model: Path, quick: Path) -> bool:
    """Write a model as onnxruntime rewrites it for itself, with its weights in a file of their own. Returns False where
    it cannot.
    """
    fresh = quick.with_name(f"fresh-{quick.name}")
    options = _options()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED  # for any processor
    options.optimized_model_filepath = str(fresh)
    options.add_session_config_entry(
        "session.optimized_model_external_initializers_file_name", quick.with_suffix(".bin").name
    )
    options.add_session_config_entry("session.optimized_model_external_initializers_min_size_in_bytes", "1024")
    try:
        _start(model, options)
        fresh.replace(quick)
        return True
    except _FAILED:  # an older onnxruntime may not know how to multiply bytes
        return False
    finally:
        fresh.unlink(missing_ok=True)


def _remove(quick: Path) -> None:
    for path in (quick, quick.with_suffix(".bin")):
        path.unlink(missing_ok=True)


def _whole(quick: Path) -> bool:
    """Say whether both files of a copy are there, without looking into them."""
    try:
        return all(path.stat().st_size for path in (quick, quick.with_suffix(".bin")))
    except FileNotFoundError:
        return False


@dataclass(frozen=True, slots=True)
class _Compared:
    """A copy for queries beside the model: cosines of their vectors, and how long each took for all queries."""

    cosine: float
    lowest: float
    least: float
    """How low the lowest may be."""
    seconds: float
    seconds_of_model: float

    @property
    def same(self) -> bool:
        """Whether its vectors are near enough; damaged weights may give what is no number."""
        return self.cosine >= SAME_COSINE and self.lowest >= self.least


def _compare(folder: Path, quick: Path) -> _Compared:
    from .null_queries import NULL_QUERIES  # a query does not wait for it

    alone = _options()
    alone.intra_op_num_threads = 1
    model, card = folder / FOLDER / MODEL, _read_card(folder)
    sessions = _start(quick, _for_queries()), _start(model, alone)
    encoders = [OnnxEncoder(folder / FOLDER, card, session) for session in sessions]
    times, cosines = [0.0, 0.0], []
    for at, text in enumerate(NULL_QUERIES[: _COMPARED + 1]):
        vectors = []
        for which, encoder in enumerate(encoders):
            started = perf_counter()
            vectors.append(encoder.encode_query(text))
            if at:  # the first takes longer
                times[which] += perf_counter() - started
        cosines.append(float(vectors[0] @ vectors[1]))
    least = _FAR_COSINE if quick == _quick(model)[0] else SAME_COSINE
    return _Compared(float(np.mean(cosines)), float(np.min(cosines)), least, *times)


_COMPARED = 32
"""Queries on which a copy is compared with the model."""
