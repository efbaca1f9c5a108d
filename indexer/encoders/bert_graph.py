"""A BERT sentence model written as an ONNX graph from its files, which takes a second and no torch.

The graph is that of Devlin et al. 2018 (arXiv:1810.04805), as the class BertModel of transformers computes it, with the
mean over tokens of Reimers and Gurevych 2019 (arXiv:1908.10084) behind it, brought to length 1. `write` refuses every
model of which it is not sure that it is this one; such a model is exported by torch (`onnx_export`).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from talksearch.indexer.arrays import Floats
from talksearch.indexer.errors import ModelError

from .base import first_line
from .model_home import MODEL, TOKENIZER, TOKENS_OUTPUT, VECTOR_OUTPUT
from .q4_file import ZERO, BlockMatrix

WEIGHTS = "model.safetensors"
"""The file in a model's folder that holds its weights."""

_OPSET = 20
"""The version of ONNX's operators: the first with Gelu."""

_IR_VERSION = 9
"""The version of ONNX's files that came with these operators."""

_TABLE = "embeddings.word_embeddings.weight"
"""The table that holds a vector for each token (tokens, width)."""

_FLOAT = 1
"""What ONNX calls float32 (TensorProto.FLOAT)."""

_MASKED = -1e4
"""What is added to the attention that padding would get: its share is then 0 in float32."""

_EXPECTED: Mapping[str, object] = {"model_type": "bert", "hidden_act": "gelu"}
"""What config.json must say."""

_EXPECTED_IF_SAID: Mapping[str, object] = {
    "position_embedding_type": "absolute",
    "is_decoder": False,
    "add_cross_attention": False,
}
"""What config.json must say where it says anything about it."""

_MODULES = ("Transformer", "Pooling", "Normalize")
"""The classes of the modules that sentence-transformers would run, in this order; the last may be missing."""


def write(source: Path, target: Path) -> None:
    """Write a model as ONNX, with its tokenizer, into a folder.

    Args:
        source: The folder of a sentence-transformers model.
        target: The folder that MODEL and TOKENIZER are written into.

    Raises:
        ModelError: The model is another than this module knows, or its files are missing or damaged.
        OSError: The target cannot be written.
    """
    config = _checked_config(source)
    weights = _read_weights(source / WEIGHTS)
    try:
        write_weights(config, weights, target / MODEL)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ModelError(f"The model in {source} lacks something, or has it in another shape: {error}.") from error
    shutil.copyfile(source / TOKENIZER, target / TOKENIZER)


def write_weights(config: Mapping[str, Any], weights: Mapping[str, Floats | BlockMatrix], file: Path) -> None:
    """Write a BERT model with the mean over its tokens as ONNX.

    Args:
        config: Its sizes, as config.json names them.
        weights: Its weights by their names in BertModel. The table of tokens may be in four bits: it then stays so, and
            of the rows that a text needs floats are made.
        file: The file that is written.

    Raises:
        KeyError: A weight is missing.
        OSError: The file cannot be written.
    """
    file.write_bytes(_BertGraph(config, weights).model().SerializeToString())


def can_write(source: Path) -> bool:
    """Say whether the model in a folder is one that `write` knows, from all but its weights."""
    try:
        _checked_config(source)
    except ModelError:
        return False
    return True


def _checked_config(source: Path) -> dict[str, Any]:
    """Return what config.json says of a model that this module knows. Raises ModelError for any other."""
    modules = [(str(module["type"]).rpartition(".")[2], str(module["path"])) for module in _read_list(source)]
    kinds = tuple(kind for kind, _ in modules)
    config = _read(source / "config.json")
    transformer = _read(source / "sentence_bert_config.json")
    tokenizer = _read(source / "tokenizer_config.json")
    normalizer = _read(source / TOKENIZER).get("normalizer") or {}
    known = (
        kinds in (_MODULES, _MODULES[:2])
        and modules[0][1] == ""
        and _is_mean(_read(source / modules[1][1] / "config.json"))
        and all(config.get(key) == value for key, value in _EXPECTED.items())
        and all(config.get(key, value) == value for key, value in _EXPECTED_IF_SAID.items())
        and not transformer.get("do_lower_case")
        # transformers changes what the tokenizer's file says where the tokenizer's configuration says something else.
        and normalizer.get("type") == "BertNormalizer"
        and normalizer.get("lowercase") == tokenizer.get("do_lower_case", True)
        and normalizer.get("strip_accents") == tokenizer.get("strip_accents")
        and normalizer.get("handle_chinese_chars") == tokenizer.get("tokenize_chinese_chars", True)
    )
    if not known:
        raise ModelError(f"The model in {source} is not a BERT model with the mean over its tokens.")
    return config


def _is_mean(pooling: Mapping[str, Any]) -> bool:
    """Say whether the vector of a text is the mean of its tokens', from what sentence-transformers of any age wrote."""
    modes = [
        key.removeprefix("pooling_mode_") for key, value in pooling.items() if key != "pooling_mode" and value is True
    ]
    modes = [mode for mode in modes if mode != "include_prompt"]
    return pooling.get("include_prompt", True) is True and (
        pooling["pooling_mode"] in ("mean", ["mean"]) if "pooling_mode" in pooling else modes == ["mean_tokens"]
    )


def _read(file: Path) -> dict[str, Any]:
    values = _read_json(file)
    return values if isinstance(values, dict) else {}


def _read_list(source: Path) -> list[dict[str, Any]]:
    values = _read_json(source / "modules.json")
    if not isinstance(values, list):
        return []
    modules: list[dict[str, Any]] = [one for one in values if isinstance(one, dict) and {"type", "path"} <= one.keys()]
    return modules if len(modules) == len(values) else []


def _read_json(file: Path) -> object:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"The model file {file} cannot be read: {first_line(error)}.") from error


def _read_weights(file: Path) -> dict[str, Floats]:
    """Return the weights by their names in BertModel. Raises ModelError where they are missing or not float32."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        weights = load_file(file)
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:  # the last: a type numpy has not
        raise ModelError(f"The weights {file} cannot be read: {first_line(error)}.") from error
    if any(array.dtype != np.float32 for array in weights.values() if array.dtype.kind == "f"):
        raise ModelError(f"The weights {file} are not all float32.")
    return {name.removeprefix("bert."): array for name, array in weights.items()}


class _BertGraph:
    """The graph while it is put together. Names of values say what they hold; weights keep their own names."""

    def __init__(self, config: Mapping[str, Any], weights: Mapping[str, Floats | BlockMatrix]) -> None:
        self._table = weights[_TABLE]
        self._weights = {name: array for name, array in weights.items() if not isinstance(array, BlockMatrix)}
        self._layers = int(config["num_hidden_layers"])
        self._width = int(config["hidden_size"])
        self._heads = int(config["num_attention_heads"])
        self._epsilon = float(config.get("layer_norm_eps", 1e-12))
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}

    def model(self) -> Any:
        """Return the ONNX model (onnx.ModelProto). Raises KeyError for weights that are missing."""
        from onnx import TensorProto, helper

        self._node("Cast", ["attention_mask"], "mask", to=_FLOAT)
        hidden = self._embed()
        bias = self._attention_bias()
        for layer in range(self._layers):
            hidden = self._layer(f"encoder.layer.{layer}", hidden, bias)
        self._node("Identity", [hidden], TOKENS_OUTPUT)
        self._mean(hidden)
        graph = helper.make_graph(
            self._nodes,
            "bert",
            [
                helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "t"])
                for name in ("input_ids", "attention_mask")
            ],
            [
                helper.make_tensor_value_info(VECTOR_OUTPUT, TensorProto.FLOAT, ["n", self._width]),
                helper.make_tensor_value_info(TOKENS_OUTPUT, TensorProto.FLOAT, ["n", "t", self._width]),
            ],
            list(self._constants.values()),
        )
        opset = helper.make_opsetid("", _OPSET)
        return helper.make_model(graph, opset_imports=[opset], ir_version=_IR_VERSION)

    def _embed(self) -> str:
        """Words, places in the text, and the one kind of text there is, added and normalised (n, t, width)."""
        prefix = "embeddings."
        if isinstance(self._table, BlockMatrix):
            self._rows_of_blocks(self._table)
        else:
            self._node("Gather", [self._weight(_TABLE), "input_ids"], "words")
        kind = self._weights[f"{prefix}token_type_embeddings.weight"][0]
        places = self._constant("places", self._weights[f"{prefix}position_embeddings.weight"] + kind)
        zero, one, two = (self._constant(f"at_{number}", np.array([number], np.int64)) for number in range(3))
        self._node("Shape", ["input_ids"], "shape")
        self._node("Slice", ["shape", one, two], "length")
        self._node("Slice", [places, zero, "length", zero], "used_places")
        self._node("Add", ["words", "used_places"], "embedded")
        return self._normalise(f"{prefix}LayerNorm", "embedded")

    def _rows_of_blocks(self, table: BlockMatrix) -> None:
        """The rows of the table that the tokens have, as floats: the same as if the whole table were (n, t, width)."""
        codes, scales = self._constant(f"{_TABLE}.codes", table.codes), self._constant(f"{_TABLE}.scales", table.scales)
        self._node("Gather", [codes, "input_ids"], "codes")
        low, four = (self._constant(f"bits_{bits}", np.array(bits, np.uint8)) for bits in (15, 4))
        halves = [
            self._node("BitwiseAnd", ["codes", low], "lower_codes"),
            self._node("BitShift", ["codes", four], "upper_codes", direction="RIGHT"),
        ]
        self._node("Concat", halves, "codes_in_order", axis=-1)
        self._node("Cast", ["codes_in_order"], "codes_as_floats", to=_FLOAT)
        self._node("Sub", ["codes_as_floats", self._constant("zero_code", np.float32(ZERO))], "steps")
        self._node("Gather", [scales, "input_ids"], "scales")
        self._node("Cast", ["scales"], "scales_as_floats", to=_FLOAT)
        axes = self._constant("axes_3", np.array([3], np.int64))
        self._node("Unsqueeze", ["scales_as_floats", axes], "scale_of_block")
        self._node("Mul", ["steps", "scale_of_block"], "blocks")
        self._node("Reshape", ["blocks", self._constant("merge", np.array([0, 0, self._width], np.int64))], "words")

    def _attention_bias(self) -> str:
        """What is added to attention: nothing for a token, much less than nothing for padding (n, 1, 1, t)."""
        axes = self._constant("axes_1_2", np.array([1, 2], np.int64))
        self._node("Unsqueeze", ["mask", axes], "mask_of_attention")
        self._node("Sub", [self._constant("1", np.float32(1)), "mask_of_attention"], "padding")
        return self._node("Mul", ["padding", self._constant("masked", np.float32(_MASKED))], "attention_bias")

    def _layer(self, name: str, hidden: str, bias: str) -> str:
        """One layer: attention, then two products with GELU between them, each part added to what it was given."""
        attention = f"{name}.attention"
        context = self._attend(f"{attention}.self", hidden, bias)
        self._add(f"{attention}.added", self._dense(f"{attention}.output.dense", context), hidden)
        attended = self._normalise(f"{attention}.output.LayerNorm", f"{attention}.added")
        wide = self._node("Gelu", [self._dense(f"{name}.intermediate.dense", attended)], f"{name}.gelu")
        self._add(f"{name}.added", self._dense(f"{name}.output.dense", wide), attended)
        return self._normalise(f"{name}.output.LayerNorm", f"{name}.added")

    def _attend(self, name: str, hidden: str, bias: str) -> str:
        """Each token's mean of all tokens' values, weighted by how its query fits their keys, in each head."""
        per_head = self._width // self._heads
        split = self._constant("split", np.array([0, 0, self._heads, per_head], np.int64))
        merge = self._constant("merge", np.array([0, 0, self._width], np.int64))
        scale = self._constant("scale", np.float32(np.sqrt(per_head)))
        parts = {}
        for part, order in (("query", [0, 2, 1, 3]), ("key", [0, 2, 3, 1]), ("value", [0, 2, 1, 3])):
            product = self._dense(f"{name}.{part}", hidden)
            self._node("Reshape", [product, split], f"{name}.{part}.split")
            parts[part] = self._node("Transpose", [f"{name}.{part}.split"], f"{name}.{part}.heads", perm=order)
        self._node("MatMul", [parts["query"], parts["key"]], f"{name}.fit")
        self._node("Div", [f"{name}.fit", scale], f"{name}.scaled")
        self._add(f"{name}.biased", f"{name}.scaled", bias)
        self._node("Softmax", [f"{name}.biased"], f"{name}.shares", axis=-1)
        self._node("MatMul", [f"{name}.shares", parts["value"]], f"{name}.mixed")
        self._node("Transpose", [f"{name}.mixed"], f"{name}.by_token", perm=[0, 2, 1, 3])
        return self._node("Reshape", [f"{name}.by_token", merge], f"{name}.context")

    def _mean(self, hidden: str) -> None:
        """The mean of the tokens at length 1, for which their sum does as well (n, width)."""
        axes = self._constant("axes_2", np.array([2], np.int64))
        self._node("Unsqueeze", ["mask", axes], "mask_of_tokens")
        self._node("Mul", [hidden, "mask_of_tokens"], "tokens_of_text")
        self._node("ReduceSum", ["tokens_of_text", self._constant("at_1", np.array([1], np.int64))], "sum", keepdims=0)
        self._node("ReduceL2", ["sum", self._constant("at_1", np.array([1], np.int64))], "sum_length", keepdims=1)
        self._node("Div", ["sum", "sum_length"], VECTOR_OUTPUT)

    def _dense(self, name: str, value: str) -> str:
        """A product with weights, which torch keeps as (out, in), and a bias added to it."""
        weights = self._constant(f"{name}.weight", self._weights[f"{name}.weight"].T)
        self._node("MatMul", [value, weights], f"{name}.product")
        return self._add(name, f"{name}.product", self._weight(f"{name}.bias"))

    def _normalise(self, name: str, value: str) -> str:
        inputs = [value, self._weight(f"{name}.weight"), self._weight(f"{name}.bias")]
        return self._node("LayerNormalization", inputs, name, epsilon=self._epsilon, axis=-1)

    def _add(self, name: str, one: str, other: str) -> str:
        return self._node("Add", [one, other], name)

    def _node(self, operator: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        """Add an operation; returns the name of its output."""
        from onnx import helper

        self._nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def _weight(self, name: str) -> str:
        return self._constant(name, self._weights[name])

    def _constant(self, name: str, value: Any) -> str:
        """Add a constant where there is none of this name; returns the name."""
        from onnx import numpy_helper

        if name not in self._constants:
            self._constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name
