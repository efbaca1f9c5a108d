from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from talksearch.indexer.encoders import (
    bert_graph,
    default_model,
    onnx_encoder,
    openvino_encoder,
    selection,
    sentence_encoder,
)
from talksearch.indexer.encoders.onnx_encoder import OnnxEncoder
from talksearch.indexer.passages.split import Splitting
from talksearch.indexer.pipeline.encoder_provider import EncoderProvider
from talksearch.indexer.stores import recipe
from talksearch.indexer.stores.recipe import Recipe

PLACES = ("at sea", "in winter", "on the stage", "under the bridge", "in the code", "at the bakery", "in the rain")
TEXTS = [
    f"{who} {does} {place} and nobody knows why, which is what this talk is about, number {at}"
    for at, (who, does, place) in enumerate(
        (who, does, place)
        for who in ("a ship's clock", "the bees", "our engineers", "an old song", "the committee", "my grandmother")
        for does in ("runs slow", "keeps warm", "is built anew", "changes its mind")
        for place in PLACES
    )
]


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Choose by a few texts, and without OpenVINO, which takes seconds to prepare a model."""
    monkeypatch.setattr(selection, "_SAMPLE", 16)
    monkeypatch.setattr(selection, "_RANGE_TEXTS", 24)
    monkeypatch.setattr(selection, "can_run", lambda: False)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, OnnxEncoder]:
    home = tmp_path_factory.mktemp("home")
    bert_graph.write(default_model.default_folder(), home)
    return home, onnx_encoder.load(home, default_model.default_card())


def test_the_default_models_card_is_known_without_loading_it() -> None:
    assert default_model.default_card() == sentence_encoder.load().card
    assert (
        default_model.default_card("ask: ", "text: ")
        == sentence_encoder.load(query_prompt="ask: ", passage_prompt="text: ").card
    )


def _choose(home: Path, encoder: OnnxEncoder) -> selection.Choice:
    return selection.choose(home, encoder, TEXTS)


def _prefer(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Let one kind of encoder be the fastest, whatever the machine and its load."""
    tries = selection._try

    def tried(*given: Any) -> selection._Trial:
        trial = tries(*given)
        return replace(trial, seconds=trial.seconds if trial.kind == kind else trial.seconds + 1000)

    monkeypatch.setattr(selection, "_try", tried)


def test_products_of_bytes_give_nearly_the_models_own_vectors(
    exported: tuple[Path, OnnxEncoder], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, encoder = exported
    _prefer(monkeypatch, "int8")
    choice = _choose(home, encoder)
    assert "36 products in 8 bits" in choice.description
    cosines = (choice.encoder.encode_passages(TEXTS[24:80]) * encoder.encode_passages(TEXTS[24:80])).sum(axis=1)
    assert cosines.mean() > selection.INT8_MEAN_COSINE
    assert cosines.max() < 1 - 1e-6  # they are not the same: something was done with bytes


def test_a_choice_is_remembered_and_one_that_is_damaged_or_of_other_versions_made_anew(
    exported: tuple[Path, OnnxEncoder], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, encoder = exported
    _prefer(monkeypatch, "int8")
    first = _choose(home, encoder)
    selected: list[Path] = []
    monkeypatch.setattr(selection, "_select", lambda *given: selected.append(given[0]) or first)
    again = _choose(home, encoder)
    assert again.description == first.description
    assert (again.encoder.encode_passages(TEXTS[:24]) * first.encoder.encode_passages(TEXTS[:24])).sum(
        axis=1
    ).min() > 0.9999
    assert not selected
    with monkeypatch.context() as other:
        other.setattr(selection, "_are_near", lambda _: False)
        _choose(home, encoder)
    assert len(selected) == 1  # this text does not bear it
    with monkeypatch.context() as other:
        other.setattr(selection, "versions", lambda: "onnxruntime of tomorrow")
        _choose(home, encoder)
    assert len(selected) == 2
    for file in sorted(selection._folder(home).glob("*.*")):
        whole = file.read_bytes()
        for damaged in (b"", whole[: len(whole) // 2], whole[:100] + b"?" + whole[101:]):
            file.write_bytes(damaged)
            selected.clear()
            _choose(home, encoder)
            assert selected, (file.name, len(damaged))
        file.write_bytes(whole)
    selected.clear()
    _choose(home, encoder)
    assert not selected


def test_each_kind_that_is_chosen_is_loaded_again(
    exported: tuple[Path, OnnxEncoder], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, encoder = exported
    for kind in ("floats", "openvino") if openvino_encoder.can_run() else ("floats",):
        shutil.rmtree(selection._folder(home), ignore_errors=True)
        with monkeypatch.context() as preferred:
            preferred.setattr(selection, "can_run", lambda kind=kind: kind == "openvino")
            _prefer(preferred, kind)
            first = _choose(home, encoder)
        assert not list(selection._folder(home).glob("*.onnx"))
        again = _choose(home, encoder)
        assert type(again.encoder) is type(first.encoder)
        assert (again.encoder.encode_passages(TEXTS[:8]) * encoder.encode_passages(TEXTS[:8])).sum(axis=1).min() > 0.999


def test_bytes_that_change_the_vectors_too_much_are_not_used(
    exported: tuple[Path, OnnxEncoder], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, encoder = exported
    shutil.rmtree(selection._folder(home), ignore_errors=True)
    monkeypatch.setattr(selection, "INT8_MEAN_COSINE", 0.999999)
    _prefer(monkeypatch, "int8")
    assert "8 bits" not in _choose(home, encoder).description


def test_a_home_that_cannot_be_written_leaves_the_exported_model(
    exported: tuple[Path, OnnxEncoder], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, encoder = exported
    shutil.rmtree(selection._folder(home), ignore_errors=True)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(selection, "_note", full)
    assert _choose(home, encoder).encoder is encoder


def test_the_recipe_says_what_embedded_and_by_which_measurement(
    exported: tuple[Path, OnnxEncoder], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, encoder = exported
    monkeypatch.setattr(selection, "LEAST_TO_SELECT", len(TEXTS))
    recipe.write(tmp_path, Recipe(encoder.card, Splitting()))
    encoders = EncoderProvider(tmp_path, recipe.read(tmp_path), None, (None, None), None)
    encoders.bulk_encoder(TEXTS, len(TEXTS))
    made = recipe.read(tmp_path)
    assert made
    assert "passages a second" in made.embedded_by
    assert (made.model, made.splitting) == (encoder.card, Splitting())
