"""An exported model in eight bits, as far as it bears it: large products done with bytes, measured on own text.

A processor with byte products (AVX-512 VNNI) does four of them in the time of one in float32 and two in bfloat16. The
vectors come out a little different. How much each product adds to that is measured on a sample of the archive, and
those that would take it beyond what is allowed stay as they were.

An activation's range is what it took on the sample; weights have a range for each column. Channels that run far larger
than others would cost the rest their precision: they are scaled down, and the weights behind them up (SmoothQuant, Xiao
et al. 2022, arXiv:2211.10438).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from talksearch.indexer.arrays import Floats, Ints

Batch = tuple[Ints, Ints]
"""Token ids and attention mask (n, length)."""

_LEVELS = 256
_ALPHA = 0.85
"""How much of what separates channels goes from activations to weights. Behind the activation function of a transformer
a few channels run far ahead; with one half there, the loss is eight times as large."""

_TRIED = 8
"""Batches on which each product is tried by itself, all at once. The ranges come from all."""

_SMALL, _TINY = 1e-5, 1e-8

Source = tuple[str, int]
"""What makes the activations of a product, and which of its outputs they are."""

ActivationRanges = dict[Source, tuple[Floats, Floats]]
"""The least and the greatest value of each channel of the activations of products."""


def select_int8_products(path: Path, sample: Sequence[Batch], most_loss: float) -> ActivationRanges:
    """Return which products of the ONNX model at `path` to do with bytes, and what their activations reach.

    `most_loss` is what the mean cosine of the vectors may fall below 1 on the sample, as far as the losses of the
    products add up, which they do about: each is measured by itself. Raises RuntimeError where OpenVINO cannot do it.
    """
    import openvino

    core = openvino.Core()
    model = core.read_model(str(path))
    groups = _groups(model)
    ranges, exact = _seen(core, model.clone(), list(groups), sample)

    def work_of(source: Source) -> int:
        return sum(int(np.prod(product.input_value(1).get_shape())) for product in groups[source])

    losses = _losses(core, model, groups, ranges, _together(sample[:_TRIED]), np.concatenate(exact[:_TRIED]))
    spent = 0.0
    chosen: ActivationRanges = {}
    for source, loss in sorted(losses.items(), key=lambda one: (one[1] / work_of(one[0]), one)):
        if spent + loss <= most_loss:
            spent += loss
            chosen[source] = ranges[source]
    return chosen


def quantized_model(path: Path, ranges: ActivationRanges) -> tuple[Any, int, int]:
    """Return (the OpenVINO model of the ONNX file at `path`, products done with bytes, products in all).

    Raises KeyError where the model has no such products, ValueError where they have other channels, RuntimeError where
    OpenVINO cannot do it.
    """
    import openvino

    model = openvino.Core().read_model(str(path))
    groups = _groups(model)
    for source, (low, high) in ranges.items():
        _quantise(groups[source], low, high)
    model.validate_nodes_and_infer_types()
    return model, sum(len(groups[source]) for source in ranges), sum(map(len, groups.values()))


def save(file: Path, ranges: ActivationRanges) -> None:
    """Write ranges into a file (npz), from which `read` has them again."""
    arrays: dict[str, Any] = {}
    for at, (low, high) in enumerate(ranges.values()):
        arrays |= {f"l{at}": low, f"h{at}": high}
    names, outputs = ([source[part] for source in ranges] for part in (0, 1))
    with file.open("wb") as out:
        np.savez(out, names=np.array(names, np.str_), outputs=np.array(outputs, np.int64), **arrays)


def read(file: Path) -> ActivationRanges:
    """Return the ranges of a file. Raises OSError, EOFError, ValueError, KeyError or BadZipFile where it holds none."""
    with np.load(file) as held:
        sources = zip(held["names"].tolist(), held["outputs"].tolist(), strict=True)
        return {source: (held[f"l{at}"], held[f"h{at}"]) for at, source in enumerate(sources)}


def _groups(model: Any) -> dict[Source, list[Any]]:
    """Return the products with weights by their activations: query, key and value share theirs."""
    groups: dict[Source, list[Any]] = {}
    for op in model.get_ordered_ops():
        if op.get_type_name() == "MatMul" and _weights(op) is not None:
            source = op.input_value(0)
            groups.setdefault((source.get_node().get_friendly_name(), source.get_index()), []).append(op)
    return groups


def _weights(product: Any) -> Floats | None:
    """Return the constant that a product multiplies with (in, out); None where there is none."""
    source = product.input_value(1).get_node()
    if source.get_type_name() != "Constant" or len(source.get_output_shape(0)) != 2:
        return None
    weights: Floats = np.array(source.data, np.float32)
    return weights.T if product.get_attributes()["transpose_b"] else weights


def _seen(
    core: Any, model: Any, sources: Sequence[Source], sample: Sequence[Batch]
) -> tuple[ActivationRanges, list[Floats]]:
    """Return the least and the greatest value of each channel of each source, and the vectors of each batch."""
    by_name = {op.get_friendly_name(): op for op in model.get_ordered_ops()}
    first = len(model.outputs)
    for name, at in sources:
        model.add_outputs(by_name[name].output(at))
    ask = _request(core, model)
    low: dict[Source, Floats] = {}
    high: dict[Source, Floats] = {}
    vectors = []
    for ids, mask in sample:
        ask.infer({"input_ids": ids, "attention_mask": mask})
        vectors.append(np.array(ask.get_output_tensor(0).data))
        for at, source in enumerate(sources, first):
            seen = ask.get_output_tensor(at).data
            seen = seen.reshape(-1, seen.shape[-1])
            low[source] = np.minimum(low.get(source, np.inf), seen.min(axis=0))
            high[source] = np.maximum(high.get(source, -np.inf), seen.max(axis=0))
    return {source: (low[source], high[source]) for source in sources}, vectors


def _scales(weights: Sequence[Floats], low: Floats, high: Floats) -> tuple[Floats, float, float]:
    """Return (what each channel is divided by, the least and the greatest value after that)."""
    channels = np.max([np.abs(one).max(axis=1) for one in weights], axis=0)
    largest = np.maximum(np.maximum(np.abs(low), np.abs(high)), _SMALL)
    smooth = largest**_ALPHA / np.maximum(channels, _SMALL) ** (1 - _ALPHA)
    smooth = np.maximum(smooth / np.median(smooth), 1e-3).astype(np.float32)
    return smooth, min(float((low / smooth).min()), 0.0), max(float((high / smooth).max()), _SMALL)


def _together(batches: Sequence[Batch]) -> Batch:
    """Return batches as one; what is shorter is padded."""
    longest = max(ids.shape[1] for ids, _ in batches)
    ids, masks = zip(*batches, strict=True)
    return _padded(ids, longest), _padded(masks, longest)


def _padded(arrays: Sequence[Ints], longest: int) -> Ints:
    found: Ints = np.concatenate([np.pad(one, ((0, 0), (0, longest - one.shape[1]))) for one in arrays])
    return found


def _losses(
    core: Any, model: Any, groups: dict[Source, list[Any]], ranges: ActivationRanges, batch: Batch, exact: Floats
) -> dict[Source, float]:
    """Return how far the mean cosine to the exact vectors falls below 1 with the products of each source in bytes.

    OpenVINO takes longer to prepare a model than to run it over the sample. So each product is there in both ways, and
    an input says how much of the way in bytes counts: all for the products of one source, nothing for the others.
    """
    from openvino import opset13 as ops

    switches = []
    for source, products in groups.items():
        switch = ops.parameter([], np.float32)
        for product, fresh in zip(products, _in_bytes(products, *ranges[source]), strict=True):
            plain = product.output(0)
            users = plain.get_target_inputs()
            mixed = ops.add(plain, ops.multiply(switch, ops.subtract(fresh, plain)))
            for user in users:
                user.replace_source_output(mixed.output(0))
        switches.append(switch)
    first = len(model.inputs)
    model.add_parameters(switches)
    ask = _request(core, model)
    found = {}
    for at, source in enumerate(groups):
        which = {first + place: np.float32(place == at) for place in range(len(switches))}
        ask.infer({"input_ids": batch[0], "attention_mask": batch[1]} | which)
        narrowed = np.array(ask.get_output_tensor(0).data)
        lengths = np.linalg.norm(narrowed, axis=1) * np.linalg.norm(exact, axis=1)
        found[source] = max(0.0, 1 - float(((narrowed * exact).sum(axis=1) / lengths).mean()))
    return found


def _request(core: Any, model: Any) -> Any:
    return core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"}).create_infer_request()


def _quantise(products: Sequence[Any], low: Floats, high: Floats) -> None:
    """Put products with bytes in the place of products of the same activations."""
    for product, fresh in zip(products, _in_bytes(products, low, high), strict=True):
        fresh.set_friendly_name(product.get_friendly_name())
        for target in product.output(0).get_target_inputs():
            target.replace_source_output(fresh.output(0))


def _in_bytes(products: Sequence[Any], low: Floats, high: Floats) -> list[Any]:
    """Return each product of the same activations once more, with the rounding to bytes before it: OpenVINO then
    multiplies bytes.
    """
    from openvino import opset13 as ops

    weights = [found for product in products if (found := _weights(product)) is not None]
    smooth, least, most = _scales(weights, low, high)
    ends = [ops.constant(np.float32(end)) for end in (least, most)]
    scaled = ops.multiply(products[0].input_value(0), ops.constant((1 / smooth).astype(np.float32)))
    rounded = ops.fake_quantize(scaled, *ends, *ends, _LEVELS)
    narrowed = []
    for wide in weights:
        columns = (wide * smooth[:, None]).astype(np.float32)
        spread = np.maximum(np.abs(columns).max(axis=0, keepdims=True), _TINY)
        sides = [ops.constant((sign * spread).astype(np.float32)) for sign in (-1, 1)]
        bytes_of = ops.fake_quantize(ops.constant(columns), *sides, *sides, _LEVELS - 1)
        narrowed.append(ops.matmul(rounded, bytes_of, False, False))
    return narrowed
