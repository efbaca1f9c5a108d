"""Encoders, with the real model that comes with the installation."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from talksearch.indexer import build, embed, fast, light
from talksearch.indexer.embed import SentenceEncoder
from talksearch.indexer.errors import ModelError
from talksearch.search import engine
from talksearch.search.query import Query

TEXTS = ["time dilation", "bees keep warm in winter", "相对论", "", "so so so " * 300]


@pytest.fixture(scope="module")
def model() -> SentenceEncoder:
    return embed.load()


@pytest.fixture
def prompted(tmp_path: Path) -> Path:
    """The default model in a folder, with prompts of its own."""
    folder = tmp_path / "prompted"
    for path in embed.default_folder().rglob("*"):
        if path.is_file():
            copy = folder / path.relative_to(embed.default_folder())
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


def test_the_light_encoder_gives_the_same_vectors(model: SentenceEncoder, tmp_path: Path) -> None:
    exported = light.export(model, tmp_path, TEXTS)
    assert light.agreement(exported, model, TEXTS) > 0.9999
    loaded = light.load(tmp_path)
    assert light.agreement(loaded, model, TEXTS) > 0.9999
    assert loaded.card == model.card
    for word in ("relativity", "photosynthesize", "相对论", "x" * 50):
        assert loaded.count_tokens(word) == model.count_tokens(word)
    chosen = fast.fastest(tmp_path, loaded, ["a passage of words"] * 20)
    assert light.agreement(chosen, model, TEXTS) > light.SAME_COSINE


def test_the_copy_that_starts_quickly_gives_the_same_vectors_and_may_be_damaged(
    model: SentenceEncoder, tmp_path: Path
) -> None:
    light.export(model, tmp_path, TEXTS)
    assert light.quicken(tmp_path)
    assert not light.quicken(tmp_path)  # it is there
    folder = tmp_path / light.FOLDER
    quick = {path.suffix: path for path in folder.glob("quick-*")}
    assert set(quick) == {".onnx", ".bin"}
    for options in ({"queries": True}, {"once": True}):
        assert light.agreement(light.load(tmp_path, **options), model, TEXTS) > 0.9999
    quick[".onnx"].write_bytes(b"damaged")
    assert light.agreement(light.load(tmp_path, once=True), model, TEXTS) > 0.9999
    (folder / light.MODEL).write_bytes((folder / light.MODEL).read_bytes() + b"\x00\x00")  # as if it were another model
    light.quicken(tmp_path)
    assert quick[".onnx"] not in set(folder.iterdir())


def test_an_export_that_disagrees_is_refused(
    model: SentenceEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(light, "agreement", lambda *_: 0.5)
    with pytest.raises(ModelError, match="other vectors"):
        light.export(model, tmp_path, TEXTS)
    with pytest.raises(ModelError):
        light.load(tmp_path)


def test_damaged_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embed, "_DEFAULT_SHA256", "0" * 64)
    with pytest.raises(ModelError, match="damaged"):
        embed.load()


def test_a_model_that_is_not_there_is_an_error_with_advice(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as error:
        embed.load(str(tmp_path / "nothing"))
    assert error.value.hint


def test_a_models_own_prompts_are_honoured_and_can_be_overruled(prompted: Path, model: SentenceEncoder) -> None:
    own = embed.load(str(prompted))
    assert (own.card.query_prompt, own.card.passage_prompt) == ("query: ", "passage: ")
    assert own.encode_query("bees") == pytest.approx(model.encode_query("query: bees"), abs=1e-5)
    assert own.encode_passages(["bees"])[0] == pytest.approx(model.encode_query("passage: bees"), abs=1e-5)
    assert own.card.max_tokens < model.card.max_tokens
    plain = embed.load(str(prompted), query_prompt="", passage_prompt="")
    assert plain.encode_query("bees") == pytest.approx(model.encode_query("bees"), abs=1e-5)


def test_an_index_of_another_model_answers_with_its_prompts(prompted: Path, tmp_path: Path) -> None:
    talk = tmp_path / "talk.srt"
    talk.write_text("1\n00:00:01,000 --> 00:00:04,000\nbees keep warm in winter\n")
    build.index(tmp_path / "index", [talk], model=str(prompted))
    index = engine.open_index(tmp_path / "index")
    own = embed.load(str(prompted))
    hit = engine.search(index, Query("cold insects", mode="semantic")).hits[0]
    expected = own.encode_query("cold insects") @ own.encode_passages(["bees keep warm in winter"])[0]
    assert hit.score == pytest.approx(float(expected), abs=1e-4)


def test_where_there_is_no_light_encoder_the_model_itself_answers_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ModelError("it cannot be exported")

    monkeypatch.setattr(light, "export", refuse)
    talk = tmp_path / "talk.srt"
    talk.write_text("1\n00:00:01,000 --> 00:00:04,000\nbees keep warm in winter\n")
    report = build.index(tmp_path / "index", [talk])
    assert any("takes seconds" in note for note in report.notes)
    warned: list[str] = []
    index = engine.open_index(tmp_path / "index", warn=warned.append)
    assert engine.search(index, Query("bees")).hits
    assert any("takes seconds" in sentence for sentence in warned)


def test_searching_imports_no_torch() -> None:
    # In a process of its own: here everything is loaded already.
    heavy = "('torch', 'transformers', 'chromadb')"
    code = f"import sys, talksearch.search.engine; print([name for name in {heavy} if name in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
