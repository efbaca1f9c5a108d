"""Weights in blocks of bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from talksearch.indexer.arrays import Floats
from talksearch.indexer.encoders import int8_blockwise

DRAWN = np.random.default_rng(3)
WIDE: Floats = DRAWN.normal(size=(128, 5)).astype(np.float32)
NARROW: Floats = DRAWN.normal(size=(5, 7)).astype(np.float32)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Two products with weights, of which only one divides into blocks, and one of two activations."""
    nodes = [
        helper.make_node("MatMul", ["x", "wide"], ["a"], "first"),
        helper.make_node("MatMul", ["a", "narrow"], ["b"], "second"),
        helper.make_node("Transpose", ["b"], ["c"], perm=[1, 0]),
        helper.make_node("MatMul", ["b", "c"], ["y"], "third"),
    ]
    weights = [numpy_helper.from_array(one, name) for name, one in (("wide", WIDE), ("narrow", NARROW))]
    given, result = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", size]) for name, size in (("x", 128), ("y", "n"))
    )
    graph = helper.make_graph(nodes, "three products", [given], [result], weights)
    path = tmp_path / "model.onnx"
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(made, str(path))
    return path


def run(path: Path, given: Floats) -> Floats:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found: Floats = session.run(None, {"x": given})[0]
    return found


def test_a_weight_is_off_by_half_a_step_of_its_block_at_most() -> None:
    codes, scales = int8_blockwise.quantize_blocks(WIDE)
    steps = scales.reshape(5, 2, 1)
    again = (codes.astype(np.float32) - 128) * steps
    assert (np.abs(again.reshape(5, 128).T - WIDE) <= steps.reshape(5, 2).max(axis=1) * 0.5001).all()
    assert codes.max() == 255 or codes.min() == 1  # each block uses all of a byte


def test_a_block_of_zeros_stays_zero() -> None:
    codes, scales = int8_blockwise.quantize_blocks(np.zeros((64, 2), np.float32))
    assert set(codes.ravel().tolist()) == {128}
    assert np.isfinite(scales).all()


def test_products_that_divide_into_blocks_are_done_in_bytes_and_others_stay(model: Path, tmp_path: Path) -> None:
    narrowed = tmp_path / "narrowed.onnx"
    assert int8_blockwise.write_quantized(model, narrowed) == 1
    made = onnx.load(str(narrowed))
    assert [node.op_type for node in made.graph.node] == ["MatMulNBits", "MatMul", "Transpose", "MatMul"]
    assert {one.name for one in made.graph.initializer} == {"wide_bytes", "wide_scales", "narrow"}
    given = DRAWN.normal(size=(4, 128)).astype(np.float32)
    exact, found = run(model, given), run(narrowed, given)
    assert np.linalg.norm(found - exact) < 0.02 * np.linalg.norm(exact)
    assert np.linalg.norm(found - exact) > 0


def test_a_model_without_such_products_has_none(model: Path, tmp_path: Path) -> None:
    made = onnx.load(str(model))
    del made.graph.node[0]
    made.graph.input[0].CopyFrom(helper.make_tensor_value_info("a", TensorProto.FLOAT, ["n", 5]))
    onnx.save(made, str(model))
    assert int8_blockwise.write_quantized(model, tmp_path / "narrowed.onnx") == 0
