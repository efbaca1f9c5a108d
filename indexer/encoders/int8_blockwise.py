"""An exported model with its large weights in blocks of bytes, for queries.

A query is a dozen tokens. What takes time is not to multiply them but to bring the weights from memory, four bytes for
each: with one byte, and with products of bytes by the processor's own instructions for that, the model runs in two
thirds of the time. Each block of weights has a scale of its own, and so has each block of the activations, as
they come (onnxruntime's MatMulNBits): nothing has to be known of the texts, and the vectors stay near. `light.quicken`,
which uses this, keeps the result only if they do and if it is faster here.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from talksearch.indexer.arrays import Floats

BLOCK = 64
"""Weights that share a scale. With fewer the vectors are nearer to the model's own, and take longer."""

_DOMAIN = "com.microsoft"
_IN_BYTES = 4
"""MatMulNBits' accuracy level at which activations are rounded to bytes as well (onnxruntime, ContribOperators.md)."""

_MIDDLE, _MOST = 128, 127
"""The byte that stands for 0, and how far from it others lie at most."""


def write(model: Path, target: Path) -> int:
    """Write the ONNX file `model` with its products' weights in bytes to `target`; returns how many products they are.

    Products whose weights are not constant, or do not divide into blocks, stay as they are. Raises OSError.
    """
    import onnx  # half a second, and a query must not wait for it

    made = onnx.load(str(model))
    weights = {one.name: one for one in made.graph.initializer}
    products = [node for node in made.graph.node if node.op_type == "MatMul" and _fits(weights.get(node.input[1]))]
    for product in products:
        activations, name = product.input
        wide = onnx.numpy_helper.to_array(weights[name])
        codes, scales = in_bytes(wide)
        product.CopyFrom(
            onnx.helper.make_node(
                "MatMulNBits",
                [activations, f"{name}_bytes", f"{name}_scales"],
                product.output,
                product.name,
                domain=_DOMAIN,
                K=wide.shape[0],
                N=wide.shape[1],
                bits=8,
                block_size=BLOCK,
                accuracy_level=_IN_BYTES,
            )
        )
        for what, array in (("bytes", codes), ("scales", scales)):
            if f"{name}_{what}" not in weights:
                weights[f"{name}_{what}"] = onnx.numpy_helper.from_array(array, f"{name}_{what}")
    used = {name for node in made.graph.node for name in node.input}
    del made.graph.initializer[:]
    made.graph.initializer.extend(one for name, one in weights.items() if name in used)
    made.opset_import.append(onnx.helper.make_opsetid(_DOMAIN, 1))
    onnx.save(made, str(target))
    return len(products)


def in_bytes(weights: Floats) -> tuple[np.ndarray, Floats]:
    """Return weights (in, out) as MatMulNBits takes them: bytes (out, in / BLOCK, BLOCK), and the scale of each block
    (out * in / BLOCK,). A weight is (byte - 128) * scale.

    >>> codes, scales = in_bytes(np.full((64, 1), -2.54, np.float32))
    >>> codes.shape, set(codes.ravel().tolist()), [round(scale, 4) for scale in scales.tolist()]
    ((1, 1, 64), {1}, [0.02])
    """
    blocks = np.ascontiguousarray(weights.T).reshape(weights.shape[1], -1, BLOCK)
    scales = np.maximum(np.abs(blocks).max(axis=2), np.finfo(np.float32).tiny) / np.float32(_MOST)
    codes = (np.rint(blocks / scales[:, :, None]) + _MIDDLE).astype(np.uint8)
    return codes, scales.reshape(-1)


def _fits(weights: object) -> bool:
    """Say whether these are weights of a product that divide into blocks."""
    dims = list(getattr(weights, "dims", []))
    return len(dims) == 2 and dims[0] % BLOCK == 0
