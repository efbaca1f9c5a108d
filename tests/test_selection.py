from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from talksearch.indexer.encoders import (
    bert_graph,
    default_model,
    int8_openvino,
    onnx_encoder,
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


def test_products_in_bytes_give_nearly_the_models_own_vectors(
    exported: tuple[Path, OnnxEncoder], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, encoder = exported
    monkeypatch.setattr(int8_openvino, "_LOSS_BATCHES", 1)  # each product is tried by itself, which takes a while
    own = selection._try(selection.Choice(encoder, "its own"), TEXTS[:24])
    tried = selection._select_int8(home, encoder, TEXTS, own, TEXTS[:24])
    assert tried
    choice = tried.choice
    cosines = (choice.encoder.encode_passages(TEXTS[24:80]) * encoder.encode_passages(TEXTS[24:80])).sum(axis=1)
    assert cosines.mean() > selection.INT8_MEAN_COSINE
    assert cosines.max() < 1 - 1e-6  # they are not the same: something was done with bytes
    assert "8 bits" in choice.description


def test_which_products_bear_bytes_is_remembered_for_the_next_run(
    exported: tuple[Path, OnnxEncoder], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, encoder = exported
    monkeypatch.setattr(int8_openvino, "_LOSS_BATCHES", 1)
    own = selection._try(selection.Choice(encoder, "its own"), TEXTS[:24])
    tried = selection._select_int8(home, encoder, TEXTS, own, TEXTS[:24])
    assert tried
    (file,) = home.glob("*/bytes-*")
    monkeypatch.setattr(
        selection, "_try", lambda choice, texts: replace(own, choice=choice, vectors=own.vectors[: len(texts)])
    )
    monkeypatch.setattr(selection, "_cosines", lambda *_: np.ones(1, np.float32))
    assert selection.remembered(home, encoder, TEXTS) is None  # no faster than the exported model
    monkeypatch.undo()
    monkeypatch.setattr(selection, "_cosines", lambda *_: np.zeros(1, np.float32))
    assert selection.remembered(home, encoder, TEXTS) is None  # other vectors
    monkeypatch.undo()
    times = itertools.cycle((2.0, 1.0))  # of the exported model, and of the int8 encoder
    tries = selection._try
    monkeypatch.setattr(selection, "_try", lambda *given: replace(tries(*given), seconds=next(times)))
    again = selection.remembered(home, encoder, TEXTS)
    assert again is not None
    cosines = (again.encode_passages(TEXTS[:24]) * tried.vectors).sum(axis=1)
    assert cosines.min() > 0.99999
    whole = file.read_bytes()
    for damaged in (b"", whole[: len(whole) // 2], b"PK\x03\x04" + whole[4:200]):
        file.write_bytes(damaged)
        assert selection.remembered(home, encoder, TEXTS) is None
    int8_openvino.save_ranges(file, {("no such product", 0): (np.zeros(384, np.float32), np.ones(384, np.float32))})
    assert selection.remembered(home, encoder, TEXTS) is None
    file.unlink()
    assert selection.remembered(home, encoder, TEXTS) is None


def test_a_run_takes_what_an_earlier_one_found_out(
    exported: tuple[Path, OnnxEncoder], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, encoder = exported
    recipe.write(tmp_path, Recipe(encoder.card, Splitting(), embedded_by="as before"))
    monkeypatch.setattr(selection, "remembered", lambda *_: encoder)
    assert (
        EncoderProvider(tmp_path, recipe.read(tmp_path), None, (None, None), None).bulk_encoder(TEXTS, len(TEXTS))
        is encoder
    )
    made = recipe.read(tmp_path)
    assert made
    assert made.embedded_by == "as before"


def test_bytes_that_change_the_vectors_too_much_are_not_used(
    exported: tuple[Path, OnnxEncoder], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, encoder = exported
    monkeypatch.setattr(int8_openvino, "_LOSS_BATCHES", 1)
    monkeypatch.setattr(selection, "INT8_MEAN_COSINE", 0.999999)
    own = selection._try(selection.Choice(encoder, "its own"), TEXTS[:24])
    assert selection._select_int8(home, encoder, TEXTS, own, TEXTS[:24]) is None


def test_the_recipe_says_what_embedded_and_by_which_measurement(
    exported: tuple[Path, OnnxEncoder], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, encoder = exported
    recipe.write(tmp_path, Recipe(encoder.card, Splitting()))
    monkeypatch.setattr(selection, "LEAST_TO_SELECT", 100)
    monkeypatch.setattr(selection, "remembered", lambda *_: None)
    encoders = EncoderProvider(tmp_path, recipe.read(tmp_path), None, (None, None), None)
    encoders.bulk_encoder(TEXTS, len(TEXTS))
    made = recipe.read(tmp_path)
    assert made
    assert "passages a second" in made.embedded_by
    assert (made.model, made.splitting) == (encoder.card, Splitting())
