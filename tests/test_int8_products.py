from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from talksearch.indexer.encoders import int8_products, machine
from talksearch.indexer.encoders.onnx_session import session_options, start_session

WIDE, NARROW = 192, 64
RUNNER = 7
"""A channel that runs far ahead of the others, as one does behind the activation function of a transformer."""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Ids become rows, which a product makes wider, and another narrow again: half of a transformer's layer."""
    random = np.random.default_rng(3)
    rows = random.normal(size=(50, NARROW)).astype(np.float32)
    up = random.normal(size=(NARROW, WIDE)).astype(np.float32) / 8
    up[:, RUNNER] *= 30
    constants = {
        "rows": rows,
        "up": up,
        "bias": random.normal(size=WIDE).astype(np.float32),
        "down": random.normal(size=(WIDE, NARROW)).astype(np.float32) / 14,
    }
    nodes = [
        helper.make_node("Gather", ["rows", "input_ids"], ["x"]),
        helper.make_node("MatMul", ["x", "up"], ["product"]),
        helper.make_node("Add", ["bias", "product"], ["wide"]),
        helper.make_node("Gelu", ["wide"], ["gelu"]),
        helper.make_node("MatMul", ["gelu", "down"], ["embedding"]),
    ]
    graph = helper.make_graph(
        nodes,
        "layer",
        [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "t"])
            for name in ("input_ids", "attention_mask")
        ],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", "t", NARROW])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    file = tmp_path / "model.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9), str(file))
    return file


def _run(file: Path, ids: Any) -> Any:
    session = start_session(file, session_options())
    return session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0]


def _ranges(model: Path) -> int8_products.Ranges:
    parts = [np.arange(start, start + 10)[None, :] for start in (0, 10, 20)]
    return int8_products.find_ranges(model, [(ids, np.ones_like(ids)) for ids in parts])


def test_ranges_are_the_least_and_greatest_of_all_texts(model: Path) -> None:
    ranges = _ranges(model)
    assert set(ranges) == {"x", "gelu"}
    rows = numpy_helper.to_array(onnx.load(str(model)).graph.initializer[0])[:30]
    assert ranges["x"].low == pytest.approx(rows.min(axis=0))
    assert ranges["x"].high == pytest.approx(rows.max(axis=0))
    assert ranges["gelu"].reach.argmax() == RUNNER


@pytest.mark.parametrize("cut", [True, False])
def test_products_of_bytes_stay_near_whether_or_not_sums_are_cut(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: bool
) -> None:
    monkeypatch.setattr(int8_products, "sums_are_cut", lambda: cut)
    target = tmp_path / "int8.onnx"
    assert int8_products.write_quantized(model, target, _ranges(model)) == 2
    ids = np.arange(30, 50)[None, :]
    own, of_bytes = _run(model, ids)[0], _run(target, ids)[0]
    cosines = (own * of_bytes).sum(axis=1) / np.linalg.norm(own, axis=1) / np.linalg.norm(of_bytes, axis=1)
    assert 0.999 < cosines.min() < cosines.max() < 1 - 1e-7
    written = onnx.load(str(target)).graph
    kinds = [node.op_type for node in written.node]
    assert kinds.count("DynamicQuantizeMatMul") == 2
    assert "up" not in {constant.name for constant in written.initializer}  # the floats are gone, the bias is inside
    most = {
        constant.name: int(np.abs(numpy_helper.to_array(constant).astype(int)).max())
        for constant in written.initializer
        if constant.name.endswith("/codes")
    }
    assert most == {"up/codes": 64 if cut else 127, "down/codes": 127}


def test_a_channel_that_runs_ahead_costs_the_others_nothing(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids, errors = np.arange(30, 50)[None, :], []
    for few in (16, 0):
        monkeypatch.setattr(int8_products, "_FEW", few)
        int8_products.write_quantized(model, tmp_path / "int8.onnx", _ranges(model))
        errors.append(float(np.abs(_run(model, ids) - _run(tmp_path / "int8.onnx", ids)).mean()))
    assert errors[0] < errors[1] / 2


def test_a_model_without_such_products_stays_as_it_is(model: Path, tmp_path: Path) -> None:
    assert int8_products.write_quantized(model, tmp_path / "same.onnx", {}) == 0
    ids = np.arange(5)[None, :]
    assert _run(tmp_path / "same.onnx", ids) == pytest.approx(_run(model, ids), abs=2e-3)  # but for GELU


def test_whether_sums_are_cut_is_asked_of_the_processor() -> None:
    features = machine._features_by_linux()
    if "avx2" not in features:
        pytest.skip("this is not Linux on a processor with AVX2")
    assert int8_products.sums_are_cut() == (not {"avx_vnni", "avx512_vnni"} & {*features})
