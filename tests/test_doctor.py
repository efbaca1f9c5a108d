"""Checking an index and mending it: whatever is broken by hand here is named, and put right where it can be."""

from __future__ import annotations

import errno
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fakes import WORDS, CountingEncoder, WordEncoder

from talksearch.indexer import doctor, layout
from talksearch.indexer.doctor import Finding
from talksearch.indexer.encoders import default_model, make_home, onnx_encoder, query_model, token_codes
from talksearch.indexer.errors import BadIndexError, ModelError, TalksearchError
from talksearch.indexer.pipeline import run
from talksearch.indexer.stores import catalog, recipe, vectors
from talksearch.indexer.stores.chroma import collection as passages
from talksearch.indexer.stores.chroma import store
from talksearch.search import engine
from talksearch.search.answer import Answer
from talksearch.search.query import Query
from talksearch.search.reader import open_reader


@pytest.fixture
def index(tmp_path: Path) -> Path:
    archive = tmp_path / "talks"
    archive.mkdir()
    for name, line in (("ships", "the ship keeps its own time"), ("bees", "every bee knows the rain")):
        (archive / f"{name}.txt").write_text(f"[0:00] {line}\n[0:10] and so on\n", encoding="utf-8")
    run.build_index(tmp_path / "index", [archive], encoder=CountingEncoder())
    return tmp_path / "index"


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """One large enough to be calibrated, which knows tokens."""
    drawn = random.Random(3)
    lines = (f"[{at * 20 // 60}:{at * 20 % 60:02}] {' '.join(drawn.choices(WORDS, k=40))}\n" for at in range(80))
    (tmp_path / "long.txt").write_text("".join(lines), encoding="utf-8")
    (tmp_path / "index").mkdir()
    token_codes.write(tmp_path / "index", np.eye(8, dtype=np.float32))
    run.build_index(tmp_path / "index", [tmp_path / "long.txt"], encoder=WordEncoder())
    return tmp_path / "index"


def examine(index: Path, *, mend: bool = True) -> list[Finding]:
    return doctor.examine(index, mend=mend, encoder=CountingEncoder())


def mended(index: Path) -> list[str]:
    return [finding.what for finding in examine(index) if finding.mended]


def ask(index: Path, query: str) -> Answer:
    return engine.search(open_reader(index, encoder=CountingEncoder()), Query(query))


def first(index: Path, query: str) -> str:
    return ask(index, query).hits[0].source


def copy_of(index: Path) -> vectors.Vectors:
    made = recipe.read(index)
    assert made is not None
    return vectors.read(index, made.model.dimension)


def put_vector(index: Path, row: int, value: float) -> None:
    """Write another vector into a row of the copy: each of its eight values is `value`."""
    copy = copy_of(index)
    rows = np.array(copy.rows)
    rows[row] = value
    vectors.write_anew(index, rows.shape[1], copy.numbers, rows, np.arange(len(rows)))


def files_in(index: Path) -> dict[str, bytes]:
    """Return what the files of an index hold, but for those that SQLite makes while a catalog is read."""
    return {
        str(path.relative_to(index)): path.read_bytes()
        for path in index.rglob("*")
        if path.is_file() and not path.name.endswith(("-shm", "-wal")) and path.name != "lock"
    }


def test_a_sound_index_is_left_alone(index: Path) -> None:
    before = {path.name: path.read_bytes() for path in index.glob("vectors.bin")}
    assert examine(index) == []
    assert {path.name: path.read_bytes() for path in index.glob("vectors.bin")} == before


def test_lost_words_come_back(index: Path) -> None:
    db = catalog.open_catalog(index, write=True)
    db.execute("DELETE FROM words WHERE rowid = 1")
    db.execute("INSERT INTO words (rowid, terms) VALUES (99, 'nobody')")
    assert examine(index, mend=False)[0].what.startswith("1 passages had other words")
    assert len(mended(index)) == 1
    assert examine(index) == []
    assert engine.search(open_reader(index), Query("ship", mode="lexical")).hits


def test_a_lost_copy_is_told_and_made_from_chroma(index: Path) -> None:
    (index / "vectors.bin").unlink()
    answer = ask(index, "ship")
    assert answer.note.startswith("The vectors of 4 of 4 passages are lost")
    assert mended(index) == ["The copy of the vectors lacked 4 of them."]
    assert examine(index) == []
    assert first(index, "ship") == "ships.txt"
    assert ask(index, "ship").note == ""


def test_a_copy_cut_short_is_told(index: Path) -> None:
    path = index / "vectors.bin"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    for mode in ("hybrid", "semantic"):
        answer = engine.search(open_reader(index, encoder=CountingEncoder()), Query("ship", mode=mode))
        assert "The vectors of 4 of 4 passages are lost" in answer.note  # none of a file that is damaged is used


def test_strangers_in_chroma_go(index: Path) -> None:
    with store.open_partition(index) as collection:
        collection.upsert(ids=["nobody"], embeddings=[np.ones(8) / np.sqrt(8)], documents=["?"])
    assert mended(index) == ["Chroma holds 1 passages that the catalog does not know."]
    assert examine(index) == []


def test_a_damaged_vector_in_the_copy_comes_from_chroma(index: Path) -> None:
    before = np.array(copy_of(index).rows[0])
    put_vector(index, 0, 0.5)  # not of length 1
    assert mended(index) == ["The copy of the vectors held 1 damaged ones."]
    copy = copy_of(index)
    assert (
        copy.rows[copy.find(copy.numbers[:1])[0]].tolist() == before.tolist() or before.tolist() in copy.rows.tolist()
    )
    assert examine(index) == []


def test_what_chroma_lost_comes_from_the_copy(index: Path) -> None:
    db = catalog.open_catalog(index)
    ids = [row[0] for row in db.execute("SELECT id FROM passages ORDER BY number LIMIT 2")]
    with store.open_partition(index) as collection:
        before = collection.get(ids[0], include=["embeddings", "documents", "metadatas"])
        passages.drop(collection, ids)
    assert examine(index, mend=False)[0].what == "Chroma lacked the vectors of 2 passages."
    assert mended(index) == ["Chroma lacked the vectors of 2 passages."]
    with store.open_partition(index) as collection:
        after = collection.get(ids[0], include=["embeddings", "documents", "metadatas"])
    assert after["embeddings"].tolist() == before["embeddings"].tolist()
    assert (after["documents"], after["metadatas"]) == (before["documents"], before["metadatas"])
    assert examine(index) == []


def test_passages_in_the_wrong_part_of_chroma_go_where_they_belong(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "PARTITION", 3)
    assert mended(index) == [
        "Chroma holds 2 passages that the catalog does not know.",
        "Chroma lacked the vectors of 2 passages.",
    ]
    assert examine(index) == []
    assert store.partitions(index) == [0, 1]
    (index / "vectors.bin").unlink()
    assert mended(index)[0] == "The copy of the vectors lacked 4 of them."
    assert examine(index) == []


def test_vectors_that_differ_and_those_that_nobody_has_are_made_again(index: Path) -> None:
    put_vector(index, 0, 8**-0.5)  # of length 1
    assert "1 passages wait for their vectors." in [one.what for one in examine(index)]
    run.build_index(index, [], encoder=CountingEncoder())
    assert examine(index) == []

    # What was embedded again has a new number.
    id_, number = catalog.open_catalog(index).execute("SELECT id, min(number) FROM passages").fetchone()
    with store.open_partition(index) as collection:
        passages.drop(collection, [id_])
    copy = copy_of(index)
    put_vector(index, int(copy.find(np.array([number]))[0]), 3.0)
    assert "1 passages wait for their vectors." in [one.what for one in examine(index)]
    run.build_index(index, [], encoder=CountingEncoder())
    assert examine(index) == []
    assert first(index, "ship") == "ships.txt"


DAMAGE: dict[str, Callable[[Path], object]] = {
    "gone": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "cut short": lambda path: os.truncate(path, 3_000),
    "something else": lambda path: path.write_bytes(b"something else" * 1_000),
}


@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_chroma_is_put_aside_and_filled_again_from_the_copy(index: Path, how: str) -> None:
    DAMAGE[how](index / "chroma" / "chroma.sqlite3")
    before = files_in(index)
    looked = examine(index, mend=False)
    assert looked[0].what.startswith(f"The Chroma store in {index / 'chroma'} cannot be used")
    assert files_in(index) == before  # --check changes nothing
    if how in ("cut short", "something else"):
        with pytest.raises(BadIndexError) as caught, store.open_partition(index):
            pass
        assert "doctor" in caught.value.hint
    assert not any("wait" in finding.what for finding in examine(index))
    assert (index / "chroma.damaged").is_dir()
    assert examine(index) == []
    assert first(index, "ship") == "ships.txt"
    with store.open_partition(index) as collection:
        assert collection.count() == 4


def test_a_chroma_that_is_only_in_use_is_not_put_aside(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object) -> None:
        raise store.unusable(index, "error returned from database: (code: 5) database is locked")

    monkeypatch.setattr(store, "open_partition", busy)
    with pytest.raises(BadIndexError, match="locked"):
        examine(index)
    assert not (index / "chroma.damaged").exists()
    assert "So it was not looked at." in examine(index, mend=False)[0].what


@pytest.mark.parametrize("name", [layout.CALIBRATION.name, layout.NULL_VECTORS.name])
@pytest.mark.parametrize("how", ["gone", "empty", "something else"])
def test_what_hits_are_graded_by_is_made_again(large: Path, name: str, how: str) -> None:
    assert examine(large) == []
    before = layout.CALIBRATION.within(large).read_bytes()
    DAMAGE[how](large / name)
    said = "What hits are graded by was missing, old or damaged."
    assert [finding.what for finding in examine(large, mend=False)] == [said]
    assert mended(large) == [said]
    assert layout.CALIBRATION.within(large).read_bytes() == before
    assert examine(large) == []


def test_a_wrong_number_in_the_calibration_is_seen(large: Path) -> None:
    path = layout.CALIBRATION.within(large)
    before = path.read_text()
    path.write_text(before.replace('"cosine": 0.', '"cosine": 0.0'))
    assert path.read_text() != before
    assert len(mended(large)) == 1
    assert path.read_text() == before


@pytest.mark.parametrize("how", ["gone", "empty", "something else"])
def test_lost_directions_are_named_and_never_replaced_by_others(large: Path, how: str) -> None:
    DAMAGE[how](large / "directions.npy")
    assert ask(large, "rain and code").hits  # what tokens mean does not count then
    (only,) = examine(large)
    assert "directions" in only.what
    assert not only.mended
    assert "--rebuild" in only.advice


def test_where_nothing_can_be_written_it_only_looks(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    (index / "lock").unlink(missing_ok=True)
    (index / "lock").mkdir()  # so that it cannot be taken, by whoever
    assert examine(index, mend=False) == []
    with pytest.raises(TalksearchError, match="cannot be written"):
        examine(index)


def test_the_columns_of_an_index_that_is_only_looked_at_are_compared(index: Path) -> None:
    (index / "columns.bin").unlink()
    assert [finding.what for finding in examine(index, mend=False)] == [
        "The columns that make searching fast were missing, old or damaged."
    ]
    assert not list(index.glob("columns.bin*"))


def test_files_that_are_gone_are_named(index: Path) -> None:
    (index.parent / "talks" / "bees.txt").unlink()
    (only,) = examine(index)
    assert not only.mended
    assert "1 of 2 talks" in only.what
    assert "bees.txt" in only.what


def test_no_index_and_a_damaged_one_say_what_to_do(tmp_path: Path, index: Path) -> None:
    with pytest.raises(BadIndexError, match="There is no index"):
        examine(tmp_path / "nothing")
    path = layout.CATALOG.within(index)
    data = bytearray(path.read_bytes())
    data[8192 : 8192 + 4096] = b"\xff" * 4096
    path.write_bytes(bytes(data))
    with pytest.raises(BadIndexError) as caught:
        examine(index)
    assert "--rebuild" in caught.value.hint


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of the default model, with the home of its model."""
    folder = tmp_path_factory.mktemp("real")
    (folder / "talk.txt").write_text("[0:00] Bees keep warm in winter by trembling.\n[0:10] And so on.\n")
    run.build_index(folder / "index", [folder / "talk.txt"], processes=1)
    assert doctor.examine(folder / "index") == []
    return folder / "index"


def garbled(path: Path) -> None:
    """Turn all bits of a stretch in the middle around."""
    data = bytearray(path.read_bytes())
    third = slice(len(data) // 3, 2 * len(data) // 3)
    data[third] = bytes(255 - byte for byte in data[third])
    path.write_bytes(bytes(data))


def garbled_in_secret(path: Path) -> None:
    """Turn bits around and leave the file's size and time of change as they were."""
    status = path.stat()
    garbled(path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("tokenizer.json", DAMAGE["gone"]),
        ("tokenizer.json", DAMAGE["cut short"]),
        ("model.onnx", DAMAGE["gone"]),
        ("model.onnx", garbled),
        ("model.onnx", garbled_in_secret),
        ("checksums.json", DAMAGE["empty"]),
    ],
)
def test_a_damaged_exported_model_is_named(
    real: Path, own_home: Path, name: str, damage: Callable[[Path], object]
) -> None:
    damage(own_home / name)
    (only,) = doctor.examine(real, mend=False)
    assert "encoder" in only.what
    assert not only.mended


def test_what_was_embedded_in_fewer_bits_does_not_speak_against_the_encoder(real: Path, own_home: Path) -> None:
    made = recipe.read(real)
    assert made is not None
    texts = ["Bees keep warm.", "The ship is late.", "Bread needs time."]
    known = onnx_encoder.load(own_home, made.model).encode_passages(texts)
    drawn = np.random.default_rng(0).normal(size=known.shape).astype(np.float32)
    for by, wrong in ((0.005, False), (0.02, True)):
        other = known + by * drawn
        other /= np.linalg.norm(other, axis=1, keepdims=True)
        cosine = float((known * other).sum(axis=1).mean())
        assert (cosine < 0.99) == wrong
        assert cosine < onnx_encoder.SAME_COSINE
        assert bool(onnx_encoder.diagnose(own_home, made.model, texts, other)) == wrong


def test_an_exported_model_is_made_again_along_the_same_directions(real: Path, tmp_path: Path, own_home: Path) -> None:
    index = tmp_path / "index"
    shutil.copytree(real, index, dirs_exist_ok=True)
    before = (index / "directions.npy").read_bytes()
    garbled(own_home / "tokenizer.json")
    (only,) = doctor.examine(index)
    assert only.mended
    assert doctor.examine(index) == []
    assert query_model.has_query_model(own_home, default_model.default_card())
    assert (index / "directions.npy").read_bytes() == before

    (index / "directions.npy").unlink()
    shutil.rmtree(own_home)
    doctor.examine(index)
    assert query_model.has_query_model(own_home, default_model.default_card())
    assert not (index / "directions.npy").exists()  # others would make the codes mean something else


@pytest.mark.parametrize(("suffix", "how"), [(".bin", "gone"), (".bin", "empty"), (".onnx", "something else")])
def test_a_damaged_copy_of_the_encoder_is_made_again(real: Path, own_home: Path, suffix: str, how: str) -> None:
    card = default_model.default_card()
    (path,) = own_home.glob(f"*/quick-*{suffix}")
    DAMAGE[how](path)
    assert not query_model.has_query_model(own_home, card)
    (only,) = doctor.examine(real)
    assert only.mended
    assert doctor.examine(real) == []


def test_a_copy_of_the_encoder_that_has_no_room_is_named_and_not_called_mended(
    real: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in own_home.glob("*/quick-*"):
        path.unlink()

    def full(*_: object) -> bool:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(query_model, "_write", full)
    (only,) = doctor.examine(real)
    assert not only.mended
    assert "cannot be made again" in only.what
    assert str(own_home) in only.advice


def test_what_another_kind_of_machine_has_is_looked_at_as_well(real: Path, own_home: Path) -> None:
    (copy,) = own_home.glob("*/quick-*.onnx")
    other = own_home / "0123456789ab"
    shutil.copytree(copy.parent, other)
    garbled_in_secret(other / copy.name)
    (only,) = doctor.examine(real, mend=False)
    assert "damaged" in only.what
    assert [finding.mended for finding in doctor.examine(real)] == [True]
    assert not other.exists()
    assert doctor.examine(real) == []


def test_a_model_that_cannot_be_had_is_named(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*_: object, **__: object) -> None:
        raise ModelError("The model is not there.", "Bring it.")

    monkeypatch.setattr(make_home, "load_same", load)
    (only,) = doctor.examine(index)
    assert "It cannot be made again: The model is not there." in only.what
    assert (only.mended, only.advice) == (False, "Bring it.")


def test_an_encoder_of_an_earlier_version_is_taken_out(index: Path, real: Path) -> None:
    (real / "encoder").mkdir()
    (real / "encoder" / "model.onnx").write_bytes(b"an old one")
    (only,) = doctor.examine(real)
    assert only.mended
    assert not (real / "encoder").exists()


def test_a_home_that_others_could_write_to_is_named_and_not_used(real: Path, own_home: Path) -> None:
    own_home.chmod(0o777)
    (only,) = doctor.examine(real)
    assert not only.mended
    assert "Others than you" in only.what
    assert "TALKSEARCH_CACHE" in only.advice
