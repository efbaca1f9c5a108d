"""Encoders, with the real model that comes with the installation."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tokenizers

from talksearch.indexer.encoders import (
    bert_graph,
    default_model,
    make_home,
    model_home,
    onnx_encoder,
    onnx_export,
    query_model,
    selection,
    sentence_encoder,
    tokenizer,
)
from talksearch.indexer.encoders.base import ModelCard
from talksearch.indexer.encoders.sentence_encoder import SentenceEncoder
from talksearch.indexer.errors import ModelError
from talksearch.indexer.pipeline import run
from talksearch.search import engine
from talksearch.search.query import Query
from talksearch.search.reader import open_reader

TEXTS = ["time dilation", "bees keep warm in winter", "相对论", "", "so so so " * 300]


@pytest.fixture(scope="module")
def model() -> SentenceEncoder:
    return sentence_encoder.load()


@pytest.fixture
def prompted(tmp_path: Path) -> Path:
    """The default model in a folder, with prompts of its own."""
    folder = tmp_path / "prompted"
    for path in default_model.default_folder().rglob("*"):
        if path.is_file():
            copy = folder / path.relative_to(default_model.default_folder())
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.symlink_to(path)
    config = folder / "config_sentence_transformers.json"
    values = json.loads(config.read_text())
    config.unlink()
    config.write_text(json.dumps({**values, "prompts": {"query": "query: ", "passage": "passage: "}}))
    return folder


def test_vectors_are_normalised_and_near_for_like_meaning(model: SentenceEncoder) -> None:
    rows = model.encode_passages(["The astronaut aged slowly.", "Time passes slower on a ship.", "Knead the dough."])
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-5)
    assert rows[0] @ rows[1] > rows[0] @ rows[2]


def test_the_exported_model_gives_the_same_vectors(model: SentenceEncoder, own_home: Path) -> None:
    loaded = onnx_encoder.load(own_home, model.card)
    assert onnx_export.agreement(loaded, model, TEXTS) > 0.9999
    assert loaded.card == model.card
    for word in ("relativity", "photosynthesize", "相对论", "x" * 50):
        assert loaded.count_tokens(word) == model.count_tokens(word)
    chosen = selection.choose(own_home, loaded, ["a passage of words", *TEXTS] * 20).encoder
    assert onnx_export.agreement(chosen, model, TEXTS) > 0.99  # products may be of bytes


def test_an_export_by_torch_gives_the_same_vectors(model: SentenceEncoder, tmp_path: Path) -> None:
    onnx_export.export(model, tmp_path)
    onnx_export.check(model, tmp_path, TEXTS)
    assert onnx_export.agreement(onnx_encoder.load(tmp_path, model.card), model, TEXTS) > 0.9999


def test_the_copy_that_starts_quickly_gives_the_same_vectors_and_may_be_damaged(
    model: SentenceEncoder, own_home: Path
) -> None:
    card = model.card
    assert not query_model.ensure_query_model(own_home, card)  # it is there
    quick = {path.suffix: path for path in own_home.glob("*/quick-*")}
    assert set(quick) == {".onnx", ".bin"}
    vectors = []
    for options in ({"queries": True}, {"once": True}):
        loaded = onnx_encoder.load(own_home, card, **options)
        assert onnx_export.agreement(loaded, model, TEXTS) > 0.995  # weights may be in bytes
        vectors.append(np.array([loaded.encode_query(text) for text in TEXTS]))
    assert vectors[0] == pytest.approx(vectors[1], abs=1e-5)  # a server says what a fresh process says
    quick[".onnx"].write_bytes(b"damaged")
    assert onnx_export.agreement(onnx_encoder.load(own_home, card, once=True), model, TEXTS) > 0.9999
    (own_home / model_home.MODEL).write_bytes((own_home / model_home.MODEL).read_bytes() + b"\x00\x00")  # another model
    query_model.ensure_query_model(own_home, card)
    assert not quick[".onnx"].exists()


@pytest.mark.parametrize(("problem", "kind"), [("none", "bytes"), ("slower", "floats"), ("far", "floats")])
def test_queries_have_weights_in_bytes_where_that_is_quicker_and_gives_nearly_the_same(
    model: SentenceEncoder, own_home: Path, monkeypatch: pytest.MonkeyPatch, problem: str, kind: str
) -> None:
    for copy in own_home.glob("*/quick-*"):
        copy.unlink()
    compare = query_model._compare

    def compared(home: Path, card: ModelCard, quick: Path) -> query_model._Comparison:
        found = replace(compare(home, card, quick), seconds=1.0, exported_seconds=2.0)
        if "bytes" not in quick.name:
            return found
        assert 0.999 < found.mean_cosine < 1
        assert found.lowest_cosine > 0.995
        return replace(found, **{"none": {}, "slower": {"seconds": 3.0}, "far": {"mean_cosine": 0.99}}[problem])

    monkeypatch.setattr(query_model, "_compare", compared)
    assert query_model.ensure_query_model(own_home, model.card)
    assert query_model.has_query_model(own_home, model.card)
    assert {path.stem.rpartition("-")[2] for path in own_home.glob("*/quick-*")} == {kind}
    assert not list(own_home.glob("*/int8*"))
    assert onnx_export.agreement(onnx_encoder.load(own_home, model.card, queries=True), model, TEXTS) > (
        0.995 if kind == "bytes" else 0.9999
    )


def test_a_query_says_its_tokens_in_bytes_as_in_floats(model: SentenceEncoder, own_home: Path) -> None:
    exact = onnx_encoder.load(own_home, model.card).encode_query_by_token("bees keep warm")
    found = onnx_encoder.load(own_home, model.card, once=True).encode_query_by_token("bees keep warm")
    assert found.spans == exact.spans
    lengths = np.linalg.norm(found.tokens, axis=1) * np.linalg.norm(exact.tokens, axis=1)
    assert ((found.tokens * exact.tokens).sum(axis=1) / lengths > 0.99).all()


def test_an_export_that_disagrees_is_refused(
    model: SentenceEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_export, "agreement", lambda *_: 0.5)
    monkeypatch.setenv("TALKSEARCH_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match="other vectors"):
        make_home.from_model(model, TEXTS, print)
    assert model_home.find(model.card) is None
    assert [path for path in (tmp_path / "models").iterdir() if path.is_dir()] == []


def test_damaged_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(default_model, "_DEFAULT_SHA256", "0" * 64)
    with pytest.raises(ModelError, match="damaged"):
        sentence_encoder.load()


def test_a_model_that_is_not_there_is_an_error_with_advice(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as error:
        sentence_encoder.load(str(tmp_path / "nothing"))
    assert error.value.hint


def test_what_keeps_the_model_libraries_quiet_leaves_their_settings_as_they_were() -> None:
    from transformers.utils import logging as transformers_logging

    def settings() -> tuple[object, ...]:
        names = ("sentence_transformers", "transformers", "torch.onnx")
        levels = [logging.getLogger(name).level for name in names]
        return levels, transformers_logging.is_progress_bar_enabled(), dict(os.environ)

    before = settings()
    with sentence_encoder.quiet_libraries():
        assert settings()[:2] == ([logging.ERROR] * 3, False)
    assert settings() == before


def test_a_damaged_tokenizer_is_a_model_error(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{")
    for load in (tokenizer.load_tokenizer, tokenizer.file_token_counter):
        with pytest.raises(ModelError, match="cannot be read"):
            load(tmp_path / "tokenizer.json")
        with pytest.raises(ModelError, match="cannot be read"):
            load(tmp_path / "nothing.json")


def test_a_tokenizers_file_that_changed_is_loaded_anew(tmp_path: Path) -> None:
    file = tmp_path / "tokenizer.json"
    file.write_bytes((default_model.default_folder() / "tokenizer.json").read_bytes())
    assert tokenizer.file_token_counter(file) is tokenizer.file_token_counter(file)
    assert tokenizer.file_token_counter(file)("photosynthesize") > 1
    whole_words = tokenizers.Tokenizer(tokenizers.models.WordLevel({"unknown": 0}, "unknown"))
    whole_words.save(str(file))
    assert tokenizer.file_token_counter(file)("photosynthesize") == 1


def test_a_models_own_prompts_are_honoured_and_can_be_overruled(prompted: Path, model: SentenceEncoder) -> None:
    own = sentence_encoder.load(str(prompted))
    assert (own.card.query_prompt, own.card.passage_prompt) == ("query: ", "passage: ")
    assert own.encode_query("bees") == pytest.approx(model.encode_query("query: bees"), abs=1e-5)
    assert own.encode_passages(["bees"])[0] == pytest.approx(model.encode_query("passage: bees"), abs=1e-5)
    assert own.card.max_tokens < model.card.max_tokens
    plain = sentence_encoder.load(str(prompted), query_prompt="", passage_prompt="")
    assert plain.encode_query("bees") == pytest.approx(model.encode_query("bees"), abs=1e-5)


def test_an_index_of_another_model_answers_with_its_prompts(prompted: Path, tmp_path: Path) -> None:
    talk = tmp_path / "talk.srt"
    talk.write_text("1\n00:00:01,000 --> 00:00:04,000\nbees keep warm in winter\n")
    run.build_index(tmp_path / "index", [talk], model=str(prompted))
    index = open_reader(tmp_path / "index")
    own = sentence_encoder.load(str(prompted))
    hit = engine.search(index, Query("cold insects", mode="semantic")).hits[0]
    expected = own.encode_query("cold insects") @ own.encode_passages(["bees keep warm in winter"])[0]
    assert hit.score == pytest.approx(float(expected), abs=0.01)  # the query's weights may be in bytes


def test_where_a_model_cannot_be_exported_it_answers_itself_and_says_so(
    prompted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ModelError("it cannot be exported")

    monkeypatch.setattr(onnx_export, "export", refuse)
    monkeypatch.setattr(bert_graph, "can_write", lambda _: False)
    talk = tmp_path / "talk.srt"
    talk.write_text("1\n00:00:01,000 --> 00:00:04,000\nbees keep warm in winter\n")
    report = run.build_index(tmp_path / "index", [talk], model=str(prompted))
    assert any("takes seconds" in note for note in report.notes)
    warned: list[str] = []
    index = open_reader(tmp_path / "index", warn=warned.append)
    assert engine.search(index, Query("bees")).hits
    assert any("takes seconds" in sentence for sentence in warned)


def test_searching_imports_no_torch() -> None:
    # In a process of its own: here everything is loaded already.
    heavy = "('torch', 'transformers', 'chromadb')"
    code = f"import sys, talksearch.search.engine; print([name for name in {heavy} if name in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
