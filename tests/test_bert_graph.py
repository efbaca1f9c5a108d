"""The model as an ONNX graph written from its files: it gives the vectors that torch gives, or is not written."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from talksearch.indexer.encoders import bert_graph, default_model, onnx_encoder, sentence_encoder
from talksearch.indexer.errors import ModelError

TEXTS = ["time dilation", "Bees KEEP warm, in winter; naïvely.", "相对论", "Привет, мир", "", "so it goes " * 300]


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A model folder without weights: enough to say which model it is."""
    source = default_model.default_folder()
    folder = tmp_path / "model"
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("*.safetensors", "vocab.txt"))
    return folder


def put(file: Path, **values: Any) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))


def test_it_gives_the_vectors_that_sentence_transformers_gives(tmp_path: Path) -> None:
    bert_graph.write(default_model.default_folder(), tmp_path)
    model = sentence_encoder.load()
    written = onnx_encoder.load(tmp_path, model.card)
    assert written.encode_passages(TEXTS) == pytest.approx(model.encode_passages(TEXTS), abs=1e-5)
    theirs: list[Any] = [None] * len(TEXTS)
    ours: list[Any] = [None] * len(TEXTS)
    model.encode_by_token(TEXTS, lambda at, tokens: theirs.__setitem__(at, np.array(tokens)))
    written.encode_by_token(TEXTS, lambda at, tokens: ours.__setitem__(at, np.array(tokens)))
    for own, other in zip(ours, theirs, strict=True):
        assert own.shape == other.shape
        assert own == pytest.approx(other, abs=1e-4)


def test_it_is_written_without_torch(tmp_path: Path) -> None:
    # In a process of its own: here everything is loaded already.
    code = (
        "import sys; from pathlib import Path\n"
        "from talksearch.indexer.encoders import bert_graph, default_model\n"
        f"bert_graph.write(default_model.default_folder(), Path({str(tmp_path)!r}))\n"
        "print([name for name in ('torch', 'transformers', 'sentence_transformers') if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
    assert {path.name for path in tmp_path.iterdir()} == {"model.onnx", "tokenizer.json"}


@pytest.mark.parametrize(
    "change",
    [
        lambda model: put(model / "config.json", model_type="roberta"),
        lambda model: put(model / "config.json", hidden_act="relu"),
        lambda model: put(model / "config.json", position_embedding_type="relative_key"),
        lambda model: put(model / "config.json", is_decoder=True),
        lambda model: put(model / "1_Pooling/config.json", pooling_mode_mean_tokens=False, pooling_mode_cls_token=True),
        lambda model: put(model / "1_Pooling" / "config.json", pooling_mode_max_tokens=True),
        lambda model: put(model / "1_Pooling" / "config.json", pooling_mode="cls"),
        lambda model: put(model / "1_Pooling" / "config.json", include_prompt=False),
        lambda model: put(model / "sentence_bert_config.json", do_lower_case=True),
        lambda model: put(model / "tokenizer_config.json", do_lower_case=False),
        lambda model: put(model / "tokenizer_config.json", strip_accents=False),
        lambda model: put(model / "tokenizer.json", normalizer=None),
        lambda model: (model / "modules.json").write_text(
            (model / "modules.json").read_text().replace("models.Normalize", "models.Dense")
        ),
        lambda model: (model / "modules.json").write_text("[]"),
        lambda model: (model / "modules.json").write_text("{}"),
        lambda model: (model / "config.json").write_text("damaged"),
        lambda model: (model / "modules.json").unlink(),
    ],
)  # fmt: skip
def test_a_model_that_is_another_is_left_to_torch(small: Path, change: Callable[[Path], object]) -> None:
    assert bert_graph.can_write(small)
    change(small)
    assert not bert_graph.can_write(small)
    with pytest.raises(ModelError):
        bert_graph.write(small, small.parent)


def test_pooling_is_known_by_the_name_that_newer_versions_write(small: Path) -> None:
    pooling = small / "1_Pooling" / "config.json"
    pooling.write_text(json.dumps({"embedding_dimension": 384, "pooling_mode": "mean", "include_prompt": True}))
    assert bert_graph.can_write(small)


@pytest.mark.parametrize("kind", ["none", "no file of weights", "half precision", "a layer is missing"])
def test_weights_that_are_not_those_of_the_model_are_an_error(small: Path, kind: str) -> None:
    file = small / "model.safetensors"
    weights = {"embeddings.word_embeddings.weight": np.ones((4, 384), np.float32)}
    if kind == "no file of weights":
        file.write_bytes(b"damaged")
    elif kind == "half precision":
        safetensors.numpy.save_file({name: one.astype(np.float16) for name, one in weights.items()}, file)
    elif kind == "a layer is missing":
        safetensors.numpy.save_file(weights, file)
    with pytest.raises(ModelError):
        bert_graph.write(small, small.parent)
