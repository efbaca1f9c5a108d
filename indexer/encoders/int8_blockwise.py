"""An exported model with its large weights in blocks of int8, for queries.

A query is a dozen tokens. What takes time is not multiplying them but bringing the weights from memory, four bytes for
each in float32. With one byte each, and with the processor's own instructions for int8 products, the model runs in two
thirds of the time. Each block of weights has a scale of its own, and so has each block of the activations, as they come
(onnxruntime's MatMulNBits): nothing has to be known of the texts, and the vectors stay near. `query_model`, which uses
this, keeps the result only if they do and if it is faster on this machine.

Weights that came in four bits (`q4_file`) go back into four bits, which loses nothing and is sooner read.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from talksearch.indexer.arrays import Floats

from . import q4_file

BLOCK = 64
"""Weights that share a scale. With fewer, the vectors are nearer to the model's own and take longer."""

_DOMAIN = "com.microsoft"
"""The operator set that MatMulNBits belongs to."""

_INT8_ACTIVATIONS = 4
"""MatMulNBits' accuracy level at which activations are rounded to int8 as well (onnxruntime, ContribOperators.md)."""

_ZERO_CODE = 128
"""The byte that stands for 0."""

_MOST_STEPS = 127
"""How far from `_ZERO_CODE` other bytes lie at most."""


def write_quantized(model: Path, target: Path) -> int:
    """Write an ONNX file again with the weights of its products in int8; return how many products these are.

    Products whose weights are not constant, or do not divide into blocks, stay as they are. Raises OSError.
    """
    import onnx  # half a second, and only building needs it

    proto = onnx.load(str(model))
    weights = {initializer.name: initializer for initializer in proto.graph.initializer}
    products = [node for node in proto.graph.node if node.op_type == "MatMul" and _fits(weights.get(node.input[1]))]
    for product in products:
        activations, name = product.input
        matrix = onnx.numpy_helper.to_array(weights[name])
        in_four_bits = four_bits(matrix)
        codes, scales = in_four_bits or quantize_blocks(matrix)
        product.CopyFrom(
            onnx.helper.make_node(
                "MatMulNBits",
                [activations, f"{name}_bytes", f"{name}_scales"],
                product.output,
                product.name,
                domain=_DOMAIN,
                K=matrix.shape[0],
                N=matrix.shape[1],
                bits=4 if in_four_bits else 8,
                block_size=q4_file.BLOCK if in_four_bits else BLOCK,
                accuracy_level=_INT8_ACTIVATIONS,
            )
        )
        for what, array in (("bytes", codes), ("scales", scales)):
            if f"{name}_{what}" not in weights:
                weights[f"{name}_{what}"] = onnx.numpy_helper.from_array(array, f"{name}_{what}")
    used = {name for node in proto.graph.node for name in node.input}
    del proto.graph.initializer[:]
    proto.graph.initializer.extend(initializer for name, initializer in weights.items() if name in used)
    proto.opset_import.append(onnx.helper.make_opsetid(_DOMAIN, 1))
    onnx.save(proto, str(target))
    return len(products)


def quantize_blocks(weights: Floats) -> tuple[npt.NDArray[np.uint8], Floats]:
    """Return weights (in, out) as MatMulNBits takes them: codes (out, in / BLOCK, BLOCK), and the scale of each block
    (out * in / BLOCK,). A weight is (code - 128) * scale.

    >>> codes, scales = quantize_blocks(np.full((64, 1), -2.54, np.float32))
    >>> codes.shape, set(codes.ravel().tolist()), [round(scale, 4) for scale in scales.tolist()]
    ((1, 1, 64), {1}, [0.02])
    """
    blocks = np.ascontiguousarray(weights.T).reshape(weights.shape[1], -1, BLOCK)
    scales = np.maximum(np.abs(blocks).max(axis=2), np.finfo(np.float32).tiny) / np.float32(_MOST_STEPS)
    codes = (np.rint(blocks / scales[:, :, None]) + _ZERO_CODE).astype(np.uint8)
    return codes, scales.reshape(-1)


def four_bits(weights: Floats) -> tuple[npt.NDArray[np.uint8], Floats] | None:
    """Return weights (in, out) that were made of four bits as MatMulNBits takes them; None for any others.

    The weight that is furthest from 0 in a block is -8 times its scale, as those who make such files choose the scale.

    Returns:
        Two codes to a byte, the lower bits first (out, in / q4_file.BLOCK, q4_file.BLOCK / 2), and the scale of each
        block (out * in / q4_file.BLOCK,). A weight is (code - 8) * scale.

    >>> codes, scales = four_bits(np.arange(-8, 8, 0.5, np.float32)[:, None] // 1 * 0.25)
    >>> codes[0, 0, :3].tolist(), scales.tolist()
    ([0, 17, 34], [0.25])
    >>> four_bits(np.arange(-8, 8, 0.5, np.float32)[:, None])
    """
    blocks = np.ascontiguousarray(weights.T).reshape(weights.shape[1], -1, q4_file.BLOCK)
    furthest = np.take_along_axis(blocks, np.abs(blocks).argmax(axis=2)[:, :, None], axis=2)
    scales: Floats = furthest / np.float32(-q4_file.ZERO)
    steps = np.rint(blocks / np.where(scales == 0, 1, scales))
    if not (steps * scales == blocks).all() or steps.max() >= q4_file.ZERO:
        return None
    codes = (steps + q4_file.ZERO).astype(np.uint8)
    packed: npt.NDArray[np.uint8] = codes[:, :, ::2] | codes[:, :, 1::2] * np.uint8(16)
    return packed, scales.reshape(-1)


def _fits(weights: object) -> bool:
    """Say whether these are weights of a product that divide into blocks."""
    dims = list(getattr(weights, "dims", []))
    return len(dims) == 2 and dims[0] % BLOCK == 0
