"""A model's files are data, or are not loaded: pickles and modules of its own run only where this user trusted them.

The models are BERTs of one layer with the default model's tokenizer, saved as transformers and torch save them.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from tiny import make_index, write_talk

from talksearch.cli.main import cli
from talksearch.indexer.encoders import default_model, model_home, sentence_encoder, trust
from talksearch.indexer.errors import ModelError
from talksearch.indexer.stores.chroma import client


class Planted:
    """A pickle that makes a file when it is loaded."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.mkdir, (str(self.mark),)


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """What exists once a planted program ran."""
    return tmp_path / "ran"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALKSEARCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def as_data(tmp_path: Path) -> Path:
    """A model whose weights are safetensors."""
    from transformers import BertConfig, BertModel

    source, folder = default_model.default_folder(), tmp_path / "as-data"
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    small = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    config = json.loads((source / "config.json").read_text()) | small
    BertModel(BertConfig(**config)).save_pretrained(folder)
    return folder


@pytest.fixture
def as_pickle(as_data: Path, tmp_path: Path) -> Path:
    """The same model whose weights are a pickle."""
    import safetensors.torch
    import torch

    folder = tmp_path / "as-pickle"
    shutil.copytree(as_data, folder)
    torch.save(safetensors.torch.load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    return folder


def change(path: Path, values: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values), encoding="utf-8")


def add_module(folder: Path, path: str, kind: str) -> None:
    modules = json.loads((folder / "modules.json").read_text())
    change(folder / "modules.json", [*modules, {"idx": len(modules), "name": "9", "path": path, "type": kind}])


def run(*line: str) -> tuple[int, str]:
    ran = CliRunner().invoke(cli, line, catch_exceptions=False)
    return ran.exit_code, ran.output


def test_weights_as_data_are_loaded_without_a_question(as_data: Path) -> None:
    assert sentence_encoder.load(str(as_data)).encode_query("bee").shape == (32,)


def test_a_pickle_that_lies_beside_the_same_weights_as_data_is_left_alone(as_data: Path, mark: Path) -> None:
    (as_data / "pytorch_model.bin").write_bytes(pickle.dumps(Planted(mark)))
    (as_data / "training_args.bin").write_bytes(pickle.dumps(Planted(mark)))
    assert sentence_encoder.load(str(as_data)).encode_query("bee").shape == (32,)
    assert not mark.exists()


def test_weights_in_a_pickle_are_refused_in_a_sentence(as_pickle: Path) -> None:
    with pytest.raises(ModelError, match=r"is not loaded: pytorch_model\.bin could run any program") as refused:
        sentence_encoder.load(str(as_pickle))
    assert f"talksearch index --trust --model {as_pickle}" in refused.value.hint


@pytest.mark.parametrize(
    "plant",
    [
        lambda model, bad: (model / "2_Dense" / "pytorch_model.bin").write_bytes(bad),
        lambda model, bad: (model / "2_Dense" / "weights.pt").write_bytes(bad),
        lambda model, bad: (model / "2_Dense" / "pytorch_model-00001-of-00002.bin").write_bytes(bad),
        lambda model, bad: (model / "2_Dense" / "vocab.pkl").write_bytes(bad),
        lambda model, bad: (model / "2_Dense" / "adapter_model.bin").write_bytes(bad),
        lambda model, bad: add_module(model, "2_Dense", "modeling_own.Own"),
        lambda model, bad: add_module(model, "", "os.abort"),
        lambda model, bad: change(model / "modules.json", {"no": "list"}),
        lambda model, bad: (model / "modules.json").write_text("[" * 100_000),
    ],
)
def test_programs_anywhere_in_a_model_are_refused(
    as_data: Path, mark: Path, plant: Callable[[Path, bytes], object]
) -> None:
    (as_data / "2_Dense").mkdir()
    (as_data / "2_Dense" / "modeling_own.py").write_text(f"import os\nos.mkdir({str(mark)!r})\n")
    plant(as_data, pickle.dumps(Planted(mark)))
    with pytest.raises(ModelError):
        sentence_encoder.load(str(as_data))
    assert not mark.exists()


def test_what_a_config_asks_for_is_no_program_that_runs(as_data: Path, mark: Path) -> None:
    (as_data / "modeling_own.py").write_text(f"import os\nos.mkdir({str(mark)!r})\n")
    config = json.loads((as_data / "config.json").read_text())
    change(as_data / "config.json", {**config, "auto_map": {"AutoModel": "modeling_own.Own"}, "model_type": "own"})
    with pytest.raises(ModelError):
        sentence_encoder.load(str(as_data))
    assert not mark.exists()


def test_trust_is_of_these_files_and_lasts_as_long_as_they_do(as_pickle: Path, as_data: Path) -> None:
    sentence_encoder.trust_model(str(as_pickle))
    trusted = sentence_encoder.load(str(as_pickle)).encode_query("bee")
    assert trusted == pytest.approx(sentence_encoder.load(str(as_data)).encode_query("bee"), abs=1e-5)
    (as_pickle / "more.py").write_text("print('changed')\n")
    with pytest.raises(ModelError, match="is not loaded"):
        sentence_encoder.load(str(as_pickle))


def test_what_others_could_have_noted_counts_for_nothing(as_pickle: Path) -> None:
    trust.trust(as_pickle)
    noted = model_home.homes_folder() / "trusted.json"
    assert noted.stat().st_mode & 0o777 == 0o600
    noted.chmod(0o666)
    assert not trust.is_trusted(as_pickle)
    noted.chmod(0o600)
    assert trust.is_trusted(as_pickle)


def test_the_command_line_refuses_a_pickle_until_it_is_trusted(as_pickle: Path, tmp_path: Path) -> None:
    write_talk(tmp_path / "talks", "bees", ["every bee knows when rain is near"])
    line = ("index", str(tmp_path / "talks"), "--model", str(as_pickle))
    code, told = run(*line)
    assert code == 1
    assert "could run any program" in told
    assert run(*line, "--trust")[0] == 0
    code, told = run("bees")
    assert code == 0, told
    assert "every bee knows" in told.replace("«", "").replace("»", "")


def test_an_index_of_a_stranger_brings_no_trust(as_pickle: Path, tmp_path: Path, monkeypatch: Any) -> None:
    write_talk(tmp_path / "talks", "bees", ["every bee knows when rain is near"])
    assert run("index", str(tmp_path / "talks"), "--model", str(as_pickle), "--trust")[0] == 0
    monkeypatch.setenv("TALKSEARCH_CACHE", str(tmp_path / "cache of another user"))
    code, told = run("bees")
    assert code == 1
    assert "could run any program" in told
    assert run("bees", "--mode", "lexical")[0] == 0


def test_a_model_that_only_an_index_names_is_not_fetched(tmp_path: Path, monkeypatch: Any) -> None:
    import huggingface_hub

    asked: list[bool] = []

    def snapshot(*_: Any, local_files_only: bool, **__: Any) -> str:
        asked.append(local_files_only)
        raise FileNotFoundError("it is not here")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    with pytest.raises(ModelError, match="cannot be loaded"):
        sentence_encoder.load("somebody/some-model")
    assert asked == [True]


def test_what_is_kept_of_the_hub_is_loaded_by_its_name(as_data: Path, tmp_path: Path, monkeypatch: Any) -> None:
    kept = tmp_path / "hub" / "models--somebody--small"
    shutil.copytree(as_data, kept / "snapshots" / "abc123")
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text("abc123")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    import huggingface_hub

    whole = huggingface_hub.snapshot_download
    monkeypatch.setattr(
        huggingface_hub, "snapshot_download", lambda *args, **more: whole(*args, cache_dir=tmp_path / "hub", **more)
    )
    assert sentence_encoder.load("somebody/small").card.fingerprint == "abc123"


# --------------------------------------------------------------------------------------------- the files of an index


def test_no_file_of_an_index_is_a_program(tmp_path: Path, mark: Path) -> None:
    """Old versions of Chroma kept a pickle in each segment; today's read the name still, but as data."""
    index = make_index(tmp_path)
    db = sqlite3.connect(index / "chroma" / "chroma.sqlite3")
    for (segment,) in db.execute("SELECT id FROM segments").fetchall():
        (index / "chroma" / segment).mkdir(exist_ok=True)
        (index / "chroma" / segment / "index_metadata.pickle").write_bytes(pickle.dumps(Planted(mark)))
    db.close()
    for name in ("directions.npy", "nulls.npy"):
        np.save(index / name, np.array([Planted(mark)], dtype=object), allow_pickle=True)
    CliRunner().invoke(cli, ["search", "bee", "--index", str(index), "--mode", "lexical"])
    CliRunner().invoke(cli, ["search", "bee", "--index", str(index)])
    CliRunner().invoke(cli, ["doctor", "--index", str(index)])
    assert not mark.exists()


@pytest.mark.parametrize("column", ["config_json_str", "schema_str"])
def test_what_a_store_says_of_its_embedding_is_not_loaded(tmp_path: Path, column: str, monkeypatch: Any) -> None:
    index = make_index(tmp_path)
    built: list[object] = []
    monkeypatch.setattr(
        "chromadb.utils.embedding_functions.SentenceTransformerEmbeddingFunction.build_from_config",
        staticmethod(built.append),
    )
    function = {
        "type": "known",
        "name": "sentence_transformer",
        "config": {"model_name": "x", "device": "cpu", "normalize_embeddings": False, "kwargs": {}},
    }
    db = sqlite3.connect(index / "chroma" / "chroma.sqlite3")
    if column == "config_json_str":
        value = {"embedding_function": function}
        db.execute("UPDATE collections SET schema_str = NULL")
    else:
        (schema,) = db.execute("SELECT schema_str FROM collections").fetchone()
        value = json.loads(schema)
        value["keys"]["#embedding"]["float_list"]["vector_index"]["config"]["embedding_function"] = function
    db.execute(f"UPDATE collections SET {column} = ?", (json.dumps(value),))
    db.commit()
    db.close()
    opened, collection = client.open_store(index)
    assert collection.count() > 0
    assert opened.list_collections()
    opened.close()
    assert built == []
