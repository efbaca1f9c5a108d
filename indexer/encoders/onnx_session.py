"""Sessions of onnxruntime: how they are started, what they raise, and which files hold the query model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as onnx_errors

from .model_home import MODEL, machine_folder

ONNX_ERRORS = (
    onnx_errors.Fail,
    onnx_errors.InvalidArgument,
    onnx_errors.InvalidGraph,
    onnx_errors.InvalidProtobuf,
    onnx_errors.NoModel,
    onnx_errors.NoSuchFile,
    onnx_errors.NotImplemented,
    onnx_errors.RuntimeException,
    OSError,
    ValueError,  # a message that quotes damaged bytes cannot be decoded
)
"""What onnxruntime raises for a model that is missing, damaged or beyond it. Its own errors have no common class."""


def session_options() -> onnxruntime.SessionOptions:
    """Return options for a session that says nothing on the terminal."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return options


def query_session_options() -> onnxruntime.SessionOptions:
    """Return options for the query model, whose graph was optimised when it was written.

    One text is too little work to share out, and threads that wait for more would take time from other queries.
    """
    options = session_options()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    return options


def start_session(
    model: Path, options: onnxruntime.SessionOptions, *, disabled: Sequence[str] = ()
) -> onnxruntime.InferenceSession:
    """Start a session of an ONNX file on the processor, without some of onnxruntime's optimisers.

    Raises one of `ONNX_ERRORS`.
    """
    return onnxruntime.InferenceSession(
        str(model), options, providers=["CPUExecutionProvider"], disabled_optimizers=list(disabled)
    )


class QueryModelFiles(NamedTuple):
    """Where the query model of a home lies. No more than one of the two files exists."""

    folder: Path
    int8: Path
    """Of one with int8 weights."""
    float32: Path
    """Of one with float32 weights."""


def query_model_files(home: Path) -> QueryModelFiles:
    """Return where the query model of this kind of machine lies in a model's home.

    The name holds the version of onnxruntime and the size of the exported model, because a query model is of use only
    with these. Raises OSError where there is no exported model.
    """
    folder = machine_folder(home)
    name = f"quick-{onnxruntime.__version__}-{(home / MODEL).stat().st_size}"
    return QueryModelFiles(folder, folder / f"{name}-bytes.onnx", folder / f"{name}-floats.onnx")


def weights_of(query_model: Path) -> Path:
    """Return the file that holds the weights of a query model."""
    return query_model.with_suffix(".bin")
