"""Sessions of onnxruntime: how they are started, what they raise, and which files hold the query model."""

from __future__ import annotations

from pathlib import Path

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as onnx_errors

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


def start_session(model: Path, options: onnxruntime.SessionOptions) -> onnxruntime.InferenceSession:
    """Start a session of an ONNX file on the processor. Raises one of `ONNX_ERRORS`."""
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def query_model_files(model: Path) -> tuple[Path, Path]:
    """Return where the query model of an exported model lies: with int8 weights, or with float32 weights.

    No more than one of the two exists. The name holds the version of onnxruntime and the size of the exported model,
    because a query model is of use only with these.
    """
    name = f"quick-{onnxruntime.__version__}-{model.stat().st_size}"
    return model.with_name(f"{name}-bytes.onnx"), model.with_name(f"{name}-floats.onnx")
