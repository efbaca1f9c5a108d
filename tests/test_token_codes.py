"""What tokens mean: learnt, kept with the passages, and the same from every encoder."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from fakes import WORDS, CountingEncoder, WordEncoder

from talksearch.indexer.arrays import Floats
from talksearch.indexer.encoders import base, onnx_encoder, openvino_encoder, sentence_encoder, token_codes
from talksearch.indexer.encoders.base import TokenEncoder
from talksearch.indexer.pipeline import run
from talksearch.indexer.stores import catalog

TEXTS = [
    "Time passes slower on a ship that is fast, and the clock of whoever stays behind runs on.",
    "Bees keep warm in winter by trembling, all in a ball around their queen.",
    "相对论",
    "so",
    "and so on " * 200,
]


def test_directions_are_those_in_which_tokens_differ_most() -> None:
    drawn = np.random.default_rng(0).normal(size=(500, 80)).astype(np.float32)
    drawn[:, 60:] *= 0.01
    directions = token_codes.learn(drawn)
    assert directions.shape == (64, 80)
    assert directions @ directions.T == pytest.approx(np.eye(64), abs=1e-5)
    assert np.abs(directions[:60, 60:]).max() < 0.1


def test_a_narrow_model_has_fewer_directions(tmp_path: Path) -> None:
    directions = token_codes.learn(np.eye(8, dtype=np.float32)[:3])
    assert directions.shape == (8, 8)
    token_codes.write(tmp_path, directions)
    assert token_codes.read(tmp_path) == pytest.approx(directions)
    assert token_codes.read(tmp_path / "elsewhere") is None


def test_codes_are_signs() -> None:
    axes = np.eye(12, dtype=np.float32)
    drawn = np.random.default_rng(1).normal(size=(30, 12)).astype(np.float32)
    codes = token_codes.encode(axes, drawn)
    assert len(codes) == 30 * 2
    assert token_codes.decode(codes, 12).tolist() == np.sign(drawn).tolist()
    assert token_codes.decode(b"", 12).shape == (0, 12)


def test_all_encoders_give_the_same_tokens(own_home: Path) -> None:
    model = sentence_encoder.load()
    exported = onnx_encoder.load(own_home, model.card)
    learned: list[Floats] = []
    model.encode_by_token(TEXTS, lambda _, of_text: learned.append(np.array(of_text)))
    directions = token_codes.learn(np.concatenate(learned))
    assert directions.shape == (64, 384)
    every: dict[str, dict[int, Floats]] = {}
    encoders: dict[str, TokenEncoder] = {
        "model": model, "light": exported, "fast": openvino_encoder.OpenVinoEncoder(own_home, exported.card),
    }  # fmt: skip
    for name, encoder in encoders.items():
        found = every[name] = {}
        vectors = encoder.encode_by_token(TEXTS, lambda at, one, found=found: found.__setitem__(at, np.array(one)))  # type: ignore[misc]
        assert vectors == pytest.approx(encoder.encode_passages(TEXTS), abs=2e-2)
    for at, text in enumerate(TEXTS):
        own = every["model"][at]
        assert len(own) == min(254, sum(model.count_tokens(word) for word in text.split()))
        for name in ("light", "fast"):
            assert every[name][at].shape == own.shape
            same = token_codes.decode(token_codes.encode(directions, every[name][at]), 64)
            assert (same == token_codes.decode(token_codes.encode(directions, own), 64)).mean() > (
                0.96 if name == "fast" else 0.999
            )
    for copy in own_home.glob("*/quick-*"):  # which has weights in bytes
        copy.unlink()
    asked = onnx_encoder.load(own_home, model.card, once=True).encode_query_by_token("Bees keep  warm")
    assert [("Bees keep  warm")[start:end] for start, end in asked.spans] == ["Bees", "keep", "warm"]
    assert asked.vector == pytest.approx(model.encode_query("Bees keep  warm"), abs=1e-5)


def codes_of(index: Path) -> dict[str, bytes | None]:
    with closing(catalog.open_catalog(index)) as db:
        rows = db.execute("SELECT id, number FROM passages").fetchall()
        known = catalog.read_tokens(db, [number for _, number in rows])
        assert db.execute("SELECT count(*) FROM tokens").fetchone()[0] == len(known)
        return {id_: known.get(number) for id_, number in rows}


def test_an_index_knows_the_tokens_of_its_passages_and_forgets_them_with_these(tmp_path: Path) -> None:
    index, archive = tmp_path / "index", tmp_path / "archive"
    archive.mkdir()
    index.mkdir()
    token_codes.write(index, np.eye(8, dtype=np.float32))

    def write(name: str, text: str) -> None:
        (archive / f"{name}.srt").write_text(f"1\n00:00:01,000 --> 00:00:09,000\n{text}\n")

    drawn = random.Random(1)
    for name in ("one", "two"):
        write(name, " ".join(drawn.choices(WORDS, k=40)))
    run.build_index(index, [archive], encoder=WordEncoder())
    first = codes_of(index)
    with closing(catalog.open_catalog(index)) as db:
        for id_, text in db.execute("SELECT id, text FROM passages"):
            expected = [[1.0 if word == known else -1.0 for known in WORDS] for word in text.lower().split()]
            assert token_codes.decode(first[id_] or b"", 8).tolist() == expected

    (archive / "copy.srt").write_bytes((archive / "one.srt").read_bytes())  # the same words are not embedded again
    (archive / "two.srt").unlink()
    again = WordEncoder()
    run.build_index(index, [archive], encoder=again)
    second = codes_of(index)
    assert all(second.values())
    assert not any(" ".join(again.seen).count(word) > 3 for word in WORDS)  # hardly more than a title
    assert set(second) != set(first)


def test_an_encoder_that_knows_no_tokens_is_no_problem(tmp_path: Path) -> None:
    (tmp_path / "talk.srt").write_text("1\n00:00:01,000 --> 00:00:09,000\nrain and time\n")
    run.build_index(tmp_path / "index", [tmp_path / "talk.srt"], encoder=CountingEncoder())
    assert set(codes_of(tmp_path / "index").values()) == {None}
    assert base.encode_query_by_token(CountingEncoder(), "rain").spans == ()


def spoilt(path: Path) -> None:
    directions = np.load(path)
    directions[3:5] *= np.float32(-2e30)
    np.save(path, directions)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"something else" * 100),
        lambda path: path.write_bytes(path.read_bytes()[:500]),
        lambda path: np.save(path, np.eye(64, dtype=np.float64)),
        lambda path: np.save(path, np.float32(1)),
        lambda path: np.save(path, np.eye(8, dtype=np.float32)[:0]),
        spoilt,
    ],
)
def test_damaged_directions_are_none(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    token_codes.write(tmp_path, token_codes.learn(np.random.default_rng(0).normal(size=(500, 80)).astype(np.float32)))
    assert token_codes.read(tmp_path) is not None
    damage(tmp_path / "directions.npy")
    assert token_codes.read(tmp_path) is None
