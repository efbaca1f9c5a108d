"""An exported model whose products are of bytes, for many passages at once.

Any processor multiplies bytes faster than floats: with AVX2 twice as fast, with its own instructions for it (VNNI, AMX)
several times. onnxruntime's DynamicQuantizeMatMul takes floats, finds their least and greatest value, and makes bytes
of them; weights are bytes from the beginning, with a scale for each column. Three things keep the vectors near:

- Channels that run ahead of the others would cost these their precision. Where a product widens, they are scaled down
  and the weights behind them up (SmoothQuant, Xiao et al. 2022, arXiv:2211.10438). Where it narrows, behind the
  activation function, the few that run ahead most are multiplied as floats, in a product of their own (LLM.int8(),
  Dettmers et al. 2022, arXiv:2208.07339).
- AVX2 adds two products of bytes in 16 bits, and what is larger is cut. `sums_are_cut` says whether this processor
  does; weights then take no more than 64 steps to either side, with which nothing can be cut. Behind the activation
  function, where half of the range is hardly used, they take all 127.
- `selection` compares the vectors with the exported model's own before it uses them.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import onnxruntime

from talksearch.indexer.arrays import Floats, Ints

from .onnx_session import session_options

_DOMAIN = "com.microsoft"
"""The operator set that DynamicQuantizeMatMul belongs to (onnxruntime, ContribOperators.md)."""

_STEPS = 127
"""How many steps weights take to either side."""

_STEPS_UNCUT = 64
"""As many, where sums are cut: 2 * 64 * 255 fits into 16 bits."""

_ONE_SIDED = 1 / 8
"""Activations are one-sided where the least is no further from 0 than this share of the greatest."""

_SMOOTHING = 0.6
"""How much of what separates channels goes from activations to weights. The same in the mean from one half to 0.7."""

_FEW = 16
"""Channels that a product which narrows multiplies as floats: one or two run far ahead, and more cost little."""

_LEAST_RANGE = 1e-5
"""The smallest range of a channel of activations or of weights, against division by zero."""

_LEAST_COLUMN = 1e-8
"""The smallest range of a column of weights, likewise."""

_LEAST_SCALE = 1e-3
"""The least that a channel of activations is divided by, where the median channel is divided by 1."""


class ChannelRange(NamedTuple):
    """The least and the greatest value of each channel of some activations (channels,)."""

    low: Floats
    high: Floats

    @property
    def reach(self) -> Floats:
        """How far each channel goes from 0."""
        reach: Floats = np.maximum(np.abs(self.low), np.abs(self.high))
        return reach


Ranges = dict[str, ChannelRange]
"""By the name of the value that products with weights are given."""


def find_ranges(model: Path, sample: Iterable[tuple[Ints, Ints]]) -> Ranges:
    """Return the ranges of what the products of an ONNX model are given.

    Args:
        model: The ONNX file.
        sample: Token ids and attention masks (n, length) of texts, without padding.

    Raises one of `onnx_session.ONNX_ERRORS`.
    """
    import onnx  # half a second, and only building needs it

    proto = onnx.load(str(model))
    sources = list(dict.fromkeys(product.input[0] for product in _products(proto)))
    for source in sources:
        proto.graph.output.append(onnx.helper.make_tensor_value_info(source, onnx.TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(
        proto.SerializeToString(), session_options(), providers=["CPUExecutionProvider"]
    )
    ranges: Ranges = {}
    for ids, mask in sample:
        values = session.run(sources, {"input_ids": ids, "attention_mask": mask})
        for source, value in zip(sources, values, strict=True):
            rows = value.reshape(-1, value.shape[-1])
            low, high = rows.min(axis=0), rows.max(axis=0)
            known = ranges.get(source, ChannelRange(low, high))
            ranges[source] = ChannelRange(np.minimum(known.low, low), np.maximum(known.high, high))
    return ranges


def write_quantized(model: Path, target: Path, ranges: Ranges) -> int:
    """Write an ONNX file again with its products in bytes; return how many products these are.

    Args:
        model: The ONNX file.
        target: The file that is written.
        ranges: What `find_ranges` found of it.

    Raises OSError where the target cannot be written, and one of `onnx_session.ONNX_ERRORS`.
    """
    import onnx  # as above

    proto = onnx.load(str(model))
    graph = _QuantizedGraph(proto, ranges, _STEPS_UNCUT if sums_are_cut() else _STEPS)
    products = graph.quantize()
    if not any(opset.domain == _DOMAIN for opset in proto.opset_import):
        proto.opset_import.append(onnx.helper.make_opsetid(_DOMAIN, 1))
    onnx.save(proto, str(target))
    return products


def sums_are_cut() -> bool:
    """Say whether onnxruntime cuts sums of two products of bytes at 16 bits here, as on a processor with AVX2 alone."""
    from onnx import TensorProto, helper, numpy_helper

    rows, inner, columns = 16, 64, 16  # a product of one row takes another way through onnxruntime
    constants = {
        "weights": np.full((inner, columns), _STEPS, np.int8),
        "scales": np.ones(columns, np.float32),
        "zeros": np.zeros(columns, np.int8),
    }
    graph = helper.make_graph(
        [helper.make_node("DynamicQuantizeMatMul", ["x", *constants], ["y"], domain=_DOMAIN)],
        "probe",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [rows, inner])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [rows, columns])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(_DOMAIN, 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), session_options(), providers=["CPUExecutionProvider"]
    )
    (result,) = session.run(None, {"x": np.ones((rows, inner), np.float32)})
    return not np.allclose(result, inner * _STEPS, rtol=0.01)


class _QuantizedGraph:
    """The graph of a model while its products are put into bytes."""

    def __init__(self, proto: Any, ranges: Ranges, steps: int) -> None:
        from onnx import numpy_helper

        self._graph = proto.graph
        self._ranges, self._steps = ranges, steps
        self._constants = {constant.name: constant for constant in proto.graph.initializer}
        self._products = [product for product in _products(proto) if product.input[0] in ranges]
        self._weights = {
            product.input[1]: numpy_helper.to_array(self._constants[product.input[1]]) for product in self._products
        }
        self._nodes: list[Any] = []
        self._prepared: set[str] = set()

    def quantize(self) -> int:
        """Put all products into bytes, in place; return how many these are."""
        biases = self._biases()
        quantized = {product.output[0] for product in self._products}
        skipped = {bias.output[0] for bias in biases.values()}
        for node in self._graph.node:
            if node.output[0] in quantized:
                self._quantize(node, biases.get(node.output[0]))
            elif node.output[0] not in skipped:
                if node.op_type == "Gelu" and not node.domain:  # off by .0005 at most, in two thirds of the time
                    self._node("Gelu", list(node.input), node.output[0], approximate="tanh")
                else:
                    self._nodes.append(node)
        used = {name for node in self._nodes for name in node.input}
        del self._graph.node[:], self._graph.initializer[:]
        self._graph.node.extend(self._nodes)
        self._graph.initializer.extend(constant for name, constant in self._constants.items() if name in used)
        return len(quantized)

    def _biases(self) -> dict[str, Any]:
        """Return, by the output of a product, the operation that does nothing but add a constant to it."""
        users: dict[str, list[Any]] = {}
        for node in self._graph.node:
            for name in node.input:
                users.setdefault(name, []).append(node)
        outputs = {output.name for output in self._graph.output}
        found = {}
        for product in self._products:
            name = product.output[0]
            if name not in outputs and len(users.get(name, [])) == 1 and users[name][0].op_type == "Add":
                (other,) = (given for given in users[name][0].input if given != name)
                constant = self._constants.get(other)
                if constant is not None and list(constant.dims) == [self._weights[product.input[1]].shape[1]]:
                    found[name] = users[name][0]
        return found

    def _quantize(self, product: Any, bias: Any) -> None:
        source, name = product.input
        weights, known = self._weights[name], self._ranges[source]
        width, columns = weights.shape
        narrows = width > columns
        few = np.sort(np.argsort(known.reach)[max(0, width - _FEW) :]) if narrows else np.empty(0, np.int64)
        scales = np.ones(width, np.float32) if narrows else self._smoothing(source)
        if source not in self._prepared:
            self._prepared.add(source)
            factors = 1 / scales
            factors[few] = 0
            self._node("Mul", [source, self._constant(f"{source}/factors", factors)], f"{source}/scaled")
            if narrows:
                self._node("Gather", [source, self._constant(f"{source}/at", few)], f"{source}/few", axis=-1)
        one_sided = -float(known.low.min()) <= _ONE_SIDED * float(known.high.max())
        of_bytes = weights * scales[:, None]
        of_bytes[few] = 0
        codes, steps = _quantize_columns(of_bytes, _STEPS if one_sided else self._steps)
        given = [
            f"{source}/scaled",
            self._constant(f"{name}/codes", codes),
            self._constant(f"{name}/steps", steps),
            self._constant(f"{name}/zeros", np.zeros(columns, np.int8)),
        ]
        output = product.output[0]
        if bias is not None:
            output = bias.output[0]
            given.append(next(one for one in bias.input if one != product.output[0]))
        if not narrows:
            self._node("DynamicQuantizeMatMul", given, output, domain=_DOMAIN)
            return
        self._node("DynamicQuantizeMatMul", given, f"{output}/of_bytes", domain=_DOMAIN)
        self._node("MatMul", [f"{source}/few", self._constant(f"{name}/few", weights[few])], f"{output}/of_few")
        self._node("Add", [f"{output}/of_bytes", f"{output}/of_few"], output)

    def _smoothing(self, source: str) -> Floats:
        """Return what each channel of some activations is divided by: query, key and value share theirs."""
        reaches = [np.abs(self._weights[one.input[1]]).max(axis=1) for one in self._products if one.input[0] == source]
        weights = np.maximum(np.max(reaches, axis=0), _LEAST_RANGE)
        activations = np.maximum(self._ranges[source].reach, _LEAST_RANGE)
        scales = activations**_SMOOTHING / weights ** (1 - _SMOOTHING)
        smoothing: Floats = np.maximum(scales / np.median(scales), _LEAST_SCALE).astype(np.float32)
        return smoothing

    def _node(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> None:
        from onnx import helper

        self._nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))

    def _constant(self, name: str, value: Any) -> str:
        from onnx import numpy_helper

        if name not in self._constants:
            self._constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name


def _quantize_columns(weights: Floats, most: int) -> tuple[npt.NDArray[np.int8], Floats]:
    """Return weights (in, out) in whole steps, no more than `most` to either side, and the step of each column (out,).

    >>> codes, steps = _quantize_columns(np.array([[1.27, 0.5], [-0.64, -0.25]], np.float32), 127)
    >>> codes.tolist(), [round(step, 4) for step in steps.tolist()]
    ([[127, 127], [-64, -64]], [0.01, 0.0039])
    """
    steps = np.maximum(np.abs(weights).max(axis=0), _LEAST_COLUMN) / np.float32(most)
    return np.rint(weights / steps).astype(np.int8), steps.astype(np.float32)


def _products(proto: Any) -> list[Any]:
    """Return the products whose second side is a constant matrix."""
    matrices = {constant.name for constant in proto.graph.initializer if len(constant.dims) == 2}
    return [node for node in proto.graph.node if node.op_type == "MatMul" and node.input[1] in matrices]
