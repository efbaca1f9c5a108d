"""The query model: a variant of the exported model that starts and answers faster."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
import onnxruntime

from talksearch.indexer import layout

from . import checksums, int8_blockwise, model_home
from .base import ModelCard
from .model_home import MODEL
from .null_queries import NULL_QUERIES
from .onnx_encoder import SAME_COSINE, OnnxEncoder
from .onnx_session import (
    ONNX_ERRORS,
    query_model_files,
    query_session_options,
    session_options,
    start_session,
    weights_of,
)

_INT8_COSINE = 0.995
"""Each vector of an int8 query model must be at this cosine or above to the exported model's. The mean of all, and each
vector of a float32 query model, must reach `SAME_COSINE`."""

_COMPARED_QUERIES = 32
"""Queries on which a query model is compared with the exported model and timed."""


@dataclass(frozen=True, slots=True)
class _Comparison:
    """A query model beside the exported model: cosines of their vectors, and seconds that all queries took each."""

    mean_cosine: float
    lowest_cosine: float
    required_cosine: float
    """How low the lowest cosine may be."""
    seconds: float
    exported_seconds: float

    @property
    def same(self) -> bool:
        """Whether its vectors are near enough; damaged weights may give NaN, which is not."""
        return self.mean_cosine >= SAME_COSINE and self.lowest_cosine >= self.required_cosine


def ensure_query_model(home: Path, card: ModelCard, *, check: bool = False) -> bool:
    """Make the query model of this kind of machine where it is missing, and return whether that was done.

    The query model starts in a quarter of the exported model's time and, with weights of int8 or of four bits
    (`int8_blockwise`), runs in two thirds of the time. Its graph is as onnxruntime optimises it, and its weights are a
    file of their own that is mapped and not read: a query touches few rows of the table of tokens. It belongs to one
    version of onnxruntime and one exported model (`query_model_files`), takes no more disk than that model, and may be
    deleted. It is kept only if it gives the same vectors; with int8 weights, nearly the same and sooner than the
    exported model.

    Args:
        home: The home of the model. Where it cannot be written, nothing is done.
        card: The model.
        check: Also make it anew where the one that is there is damaged, does not start or gives other vectors. To check
            takes as long as to make it. Without `check`, a query model stays unless one of its two files is missing or
            another than it was.
    """
    if not model_home.is_lasting(home):
        return False
    try:
        if _is_there(home, card, check=check):
            return False
        with model_home.locked(home):
            if _is_there(home, card, check=check):  # another process made it meanwhile
                return False
            return _write(home, card)
    except OSError:  # everything works without the query model, only slower
        return False


def has_query_model(home: Path, card: ModelCard) -> bool:
    """Say whether the query model is there, starts, and gives the exported model's vectors, or nearly."""
    try:
        return _is_there(home, card, check=True)
    except OSError:
        return False


def _is_there(home: Path, card: ModelCard, *, check: bool) -> bool:
    files = query_model_files(home)
    whole = [
        file for file in (files.int8, files.float32) if checksums.are_right(files.folder, _names(file), thorough=check)
    ]
    if not check:
        return bool(whole)
    try:
        return any(_compare(home, card, file).same for file in whole)
    except ONNX_ERRORS:
        return False


def _write(home: Path, card: ModelCard) -> bool:
    files = query_model_files(home)
    files.folder.mkdir(mode=0o700, exist_ok=True)
    (files.folder / checksums.CHECKSUMS).unlink(missing_ok=True)
    for old in files.folder.glob("quick-*"):
        old.unlink()
    for write, file in ((_write_int8, files.int8), (_write_float32, files.float32)):
        if write(home, card, file):
            checksums.write(files.folder, _names(file))
            return True
    return False


def _names(file: Path) -> list[str]:
    return [file.name, weights_of(file).name]


def _write_int8(home: Path, card: ModelCard, file: Path) -> bool:
    quantized = file.with_name("int8.onnx")
    comparison = None
    try:
        start_session(home / MODEL, session_options())  # a damaged model fails here, and onnx need not meet it
        if int8_blockwise.write_quantized(home / MODEL, quantized):
            comparison = _write_checked(home, card, quantized, file)
    except ONNX_ERRORS:  # the float32 query model is tried next
        pass
    finally:
        quantized.unlink(missing_ok=True)
    if comparison and comparison.seconds < comparison.exported_seconds:
        return True
    _remove(file)
    return False


def _write_float32(home: Path, card: ModelCard, file: Path) -> bool:
    return _write_checked(home, card, home / MODEL, file) is not None


def _write_checked(home: Path, card: ModelCard, model: Path, file: Path) -> _Comparison | None:
    """Write the query model of a model; None, and no file, where that cannot be done or its vectors are others."""
    try:
        if _write_optimized(model, file) and (comparison := _compare(home, card, file)).same:
            return comparison
    except ONNX_ERRORS:  # it is not kept
        pass
    _remove(file)
    return None


def _write_optimized(model: Path, file: Path) -> bool:
    """Write a model as onnxruntime optimises it, its weights in a file of their own. Returns False where it cannot."""
    options = session_options()
    # What this level does is right for any processor.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.add_session_config_entry("session.optimized_model_external_initializers_file_name", weights_of(file).name)
    options.add_session_config_entry("session.optimized_model_external_initializers_min_size_in_bytes", "1024")
    try:
        with layout.replace_file(file) as fresh:
            options.optimized_model_filepath = str(fresh)
            start_session(model, options)
        return True
    except ONNX_ERRORS:  # an older onnxruntime may not know how to multiply int8 weights
        return False


def _remove(file: Path) -> None:
    for path in (file, weights_of(file)):
        path.unlink(missing_ok=True)


def _compare(home: Path, card: ModelCard, file: Path) -> _Comparison:
    """Run a query model and the exported model on the same queries, in turn."""
    one_thread = session_options()
    one_thread.intra_op_num_threads = 1
    query_encoder, exported = (
        OnnxEncoder(home, card, session)
        for session in (start_session(file, query_session_options()), start_session(home / MODEL, one_thread))
    )
    seconds = exported_seconds = 0.0
    cosines = []
    for turn, text in enumerate(NULL_QUERIES[: _COMPARED_QUERIES + 1]):
        started = perf_counter()
        vector = query_encoder.encode_query(text)
        between = perf_counter()
        exported_vector = exported.encode_query(text)
        if turn:  # the first query takes longer
            seconds += between - started
            exported_seconds += perf_counter() - between
        cosines.append(float(vector @ exported_vector))
    required = _INT8_COSINE if file == query_model_files(home).int8 else SAME_COSINE
    return _Comparison(float(np.mean(cosines)), float(np.min(cosines)), required, seconds, exported_seconds)
