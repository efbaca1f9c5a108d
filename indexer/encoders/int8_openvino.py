"""An exported model in int8 as far as it bears it: which of its large products may be int8 is measured on own text.

A processor with int8 products (AVX-512 VNNI) does four of them in the time of one in float32 and two in bfloat16. The
vectors come out a little different. How much each product adds to that is measured on a sample of the archive, and
products that would take it beyond what is allowed stay as they were.

An activation's range is what it took on the sample; weights have a range for each column. Channels that run far larger
than others would cost the rest their precision: they are scaled down, and the weights behind them up (SmoothQuant, Xiao
et al. 2022, arXiv:2211.10438).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from talksearch.indexer.arrays import Floats, Ints

Batch = tuple[Ints, Ints]
"""Token ids and attention mask (n, length)."""

Source = tuple[str, int]
"""Where the activations of a product come from: the name of the operation that makes them, and which of its outputs
they are."""

ActivationRanges = dict[Source, tuple[Floats, Floats]]
"""The least and the greatest value of each channel of the activations of products."""

_LEVELS = 256
"""Values that int8 can take."""

_ALPHA = 0.85
"""How much of what separates channels goes from activations to weights. Behind the activation function of a transformer
a few channels run far ahead; with one half there, the loss is eight times as large."""

_LOSS_BATCHES = 8
"""Batches, run as one, on which the loss of each product is measured. The ranges come from all batches."""

_LEAST_RANGE = 1e-5
"""The smallest range of an activation or of a channel of weights, against division by zero."""

_LEAST_COLUMN = 1e-8
"""The smallest range of a column of weights, likewise."""

_LEAST_SCALE = 1e-3
"""The least that a channel of activations is divided by, where the median channel is divided by 1."""


class QuantizedModel(NamedTuple):
    """An OpenVINO model with some products in int8."""

    model: Any
    int8_products: int
    products: int
    """Products with weights in all."""


def select_int8_products(path: Path, sample: Sequence[Batch], most_loss: float) -> ActivationRanges:
    """Return which products of an ONNX model to do in int8, and the ranges of their activations.

    Args:
        path: The ONNX file.
        sample: Text of the archive.
        most_loss: What the mean cosine of the vectors may fall below 1 on the sample, as far as the losses of the
            products add up, which they do about: each is measured by itself.

    Raises:
        RuntimeError: OpenVINO cannot do it.
    """
    import openvino

    core = openvino.Core()
    model = core.read_model(str(path))
    groups = _product_groups(model)
    ranges, vectors = _activation_ranges(core, model.clone(), list(groups), sample)

    def multiplications(source: Source) -> int:
        return sum(int(np.prod(product.input_value(1).get_shape())) for product in groups[source])

    batch = _concatenated(sample[:_LOSS_BATCHES])
    losses = _losses(core, model, groups, ranges, batch, np.concatenate(vectors[:_LOSS_BATCHES]))
    total_loss = 0.0
    chosen: ActivationRanges = {}
    for source, loss in sorted(losses.items(), key=lambda item: (item[1] / multiplications(item[0]), item)):
        if total_loss + loss <= most_loss:
            total_loss += loss
            chosen[source] = ranges[source]
    return chosen


def quantized_model(path: Path, ranges: ActivationRanges) -> QuantizedModel:
    """Return the OpenVINO model of an ONNX file, with the products of the given activations in int8.

    Raises KeyError where the model has no such products, ValueError where they have other channels, RuntimeError where
    OpenVINO cannot do it.
    """
    import openvino

    model = openvino.Core().read_model(str(path))
    groups = _product_groups(model)
    for source, (low, high) in ranges.items():
        _quantize(groups[source], low, high)
    model.validate_nodes_and_infer_types()
    return QuantizedModel(model, sum(len(groups[source]) for source in ranges), sum(map(len, groups.values())))


def save_ranges(file: Path, ranges: ActivationRanges) -> None:
    """Write ranges into a file (npz) for `read_ranges`."""
    arrays: dict[str, Any] = {}
    for number, (low, high) in enumerate(ranges.values()):
        arrays |= {f"l{number}": low, f"h{number}": high}
    names, outputs = ([source[part] for source in ranges] for part in (0, 1))
    with file.open("wb") as out:
        np.savez(out, names=np.array(names, np.str_), outputs=np.array(outputs, np.int64), **arrays)


def read_ranges(file: Path) -> ActivationRanges:
    """Return the ranges of a file. Raises OSError, EOFError, ValueError, KeyError or BadZipFile where it holds none."""
    with np.load(file) as arrays:
        sources = zip(arrays["names"].tolist(), arrays["outputs"].tolist(), strict=True)
        return {source: (arrays[f"l{number}"], arrays[f"h{number}"]) for number, source in enumerate(sources)}


def _product_groups(model: Any) -> dict[Source, list[Any]]:
    """Return the products with weights by their activations: query, key and value share theirs."""
    groups: dict[Source, list[Any]] = {}
    for operation in model.get_ordered_ops():
        if operation.get_type_name() == "MatMul" and _weights(operation) is not None:
            output = operation.input_value(0)
            source = output.get_node().get_friendly_name(), output.get_index()
            groups.setdefault(source, []).append(operation)
    return groups


def _weights(product: Any) -> Floats | None:
    """Return the constant that a product multiplies with (in, out); None where there is none."""
    source = product.input_value(1).get_node()
    if source.get_type_name() != "Constant" or len(source.get_output_shape(0)) != 2:
        return None
    weights: Floats = np.array(source.data, np.float32)
    return weights.T if product.get_attributes()["transpose_b"] else weights


def _activation_ranges(
    core: Any, model: Any, sources: Sequence[Source], sample: Sequence[Batch]
) -> tuple[ActivationRanges, list[Floats]]:
    """Return the least and the greatest value of each channel of each source, and the vectors of each batch."""
    operations = {operation.get_friendly_name(): operation for operation in model.get_ordered_ops()}
    first = len(model.outputs)
    for name, output in sources:
        model.add_outputs(operations[name].output(output))
    request = _request(core, model)
    low: dict[Source, Floats] = {}
    high: dict[Source, Floats] = {}
    vectors = []
    for ids, mask in sample:
        request.infer({"input_ids": ids, "attention_mask": mask})
        vectors.append(np.array(request.get_output_tensor(0).data))
        for output, source in enumerate(sources, first):
            activations = request.get_output_tensor(output).data
            activations = activations.reshape(-1, activations.shape[-1])
            low[source] = np.minimum(low.get(source, np.inf), activations.min(axis=0))
            high[source] = np.maximum(high.get(source, -np.inf), activations.max(axis=0))
    return {source: (low[source], high[source]) for source in sources}, vectors


def _losses(
    core: Any, model: Any, groups: dict[Source, list[Any]], ranges: ActivationRanges, batch: Batch, vectors: Floats
) -> dict[Source, float]:
    """Return how far the mean cosine to the exact vectors falls below 1 with the products of each source in int8.

    OpenVINO takes longer to prepare a model than to run it over the sample. So the model holds each product in both
    ways, and an input says how much of the int8 way counts: all for the products of one source, nothing for the others.

    Args:
        core: OpenVINO's.
        model: The model, which is changed.
        groups: Its products by source.
        ranges: The ranges of their activations.
        batch: The sample.
        vectors: The exact vectors of the sample (n, dimension).
    """
    from openvino import opset13 as ops

    switches = []
    for source, products in groups.items():
        switch = ops.parameter([], np.float32)
        for product, int8_product in zip(products, _int8_products(products, *ranges[source]), strict=True):
            exact = product.output(0)
            users = exact.get_target_inputs()
            mixed = ops.add(exact, ops.multiply(switch, ops.subtract(int8_product, exact)))
            for user in users:
                user.replace_source_output(mixed.output(0))
        switches.append(switch)
    first = len(model.inputs)
    model.add_parameters(switches)
    request = _request(core, model)
    losses = {}
    for on, source in enumerate(groups):
        settings = {first + number: np.float32(number == on) for number in range(len(switches))}
        request.infer({"input_ids": batch[0], "attention_mask": batch[1]} | settings)
        int8_vectors = np.array(request.get_output_tensor(0).data)
        lengths = np.linalg.norm(int8_vectors, axis=1) * np.linalg.norm(vectors, axis=1)
        losses[source] = max(0.0, 1 - float(((int8_vectors * vectors).sum(axis=1) / lengths).mean()))
    return losses


def _quantize(products: Sequence[Any], low: Floats, high: Floats) -> None:
    """Put int8 products in the place of products of the same activations."""
    for product, int8_product in zip(products, _int8_products(products, low, high), strict=True):
        int8_product.set_friendly_name(product.get_friendly_name())
        for target in product.output(0).get_target_inputs():
            target.replace_source_output(int8_product.output(0))


def _int8_products(products: Sequence[Any], low: Floats, high: Floats) -> list[Any]:
    """Return each product of the same activations again, with both sides rounded to int8 before it: OpenVINO then
    multiplies int8.
    """
    from openvino import opset13 as ops

    all_weights = [weights for product in products if (weights := _weights(product)) is not None]
    scales, least, greatest = _smoothing(all_weights, low, high)
    ends = [ops.constant(np.float32(end)) for end in (least, greatest)]
    scaled = ops.multiply(products[0].input_value(0), ops.constant((1 / scales).astype(np.float32)))
    activations = ops.fake_quantize(scaled, *ends, *ends, _LEVELS)
    int8_products = []
    for weights in all_weights:
        columns = (weights * scales[:, None]).astype(np.float32)
        reach = np.maximum(np.abs(columns).max(axis=0, keepdims=True), _LEAST_COLUMN)
        bounds = [ops.constant((sign * reach).astype(np.float32)) for sign in (-1, 1)]
        rounded = ops.fake_quantize(ops.constant(columns), *bounds, *bounds, _LEVELS - 1)
        int8_products.append(ops.matmul(activations, rounded, False, False))
    return int8_products


def _smoothing(all_weights: Sequence[Floats], low: Floats, high: Floats) -> tuple[Floats, float, float]:
    """Return what each channel of activations is divided by, and their least and greatest value after that."""
    weight_reach = np.max([np.abs(weights).max(axis=1) for weights in all_weights], axis=0)
    reach = np.maximum(np.maximum(np.abs(low), np.abs(high)), _LEAST_RANGE)
    scales = reach**_ALPHA / np.maximum(weight_reach, _LEAST_RANGE) ** (1 - _ALPHA)
    scales = np.maximum(scales / np.median(scales), _LEAST_SCALE).astype(np.float32)
    return scales, min(float((low / scales).min()), 0.0), max(float((high / scales).max()), _LEAST_RANGE)


def _concatenated(batches: Sequence[Batch]) -> Batch:
    """Return batches as one; shorter ones are padded."""
    length = max(ids.shape[1] for ids, _ in batches)
    ids, masks = zip(*batches, strict=True)
    return _padded(ids, length), _padded(masks, length)


def _padded(arrays: Sequence[Ints], length: int) -> Ints:
    padded: Ints = np.concatenate([np.pad(array, ((0, 0), (0, length - array.shape[1]))) for array in arrays])
    return padded


def _request(core: Any, model: Any) -> Any:
    return core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"}).create_infer_request()
