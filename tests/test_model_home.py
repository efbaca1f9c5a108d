"""The home of a model in the user's cache: made once, whole or not at all, and used only while it is what it was."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from time import sleep
from typing import Any

import numpy as np
import pytest

from talksearch.indexer import doctor
from talksearch.indexer.encoders import (
    bert_graph,
    checksums,
    default_model,
    known_models,
    machine,
    make_home,
    model_home,
    sentence_encoder,
    token_codes,
)
from talksearch.indexer.encoders.base import ModelCard
from talksearch.indexer.errors import ModelError
from talksearch.indexer.pipeline import encoder_provider, run
from talksearch.indexer.stores import catalog, recipe
from talksearch.search import engine
from talksearch.search.query import Query
from talksearch.search.reader import open_reader
from talksearch.search.stats import gather

CARD = ModelCard("owner/A Model", "0123", 8, 200)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of this test's own."""
    monkeypatch.setenv("TALKSEARCH_CACHE", str(tmp_path / "own"))
    return tmp_path / "own"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archive")
    (folder / "bees.txt").write_text("[0:00] Bees keep warm in winter by trembling.\n[0:10] And so on.\n")
    return folder


@pytest.fixture(scope="module")
def made(archive: Path) -> Path:
    """An index of the default model."""
    run.build_index(archive.parent / "made", [archive / "bees.txt"], processes=1)
    return archive.parent / "made"


@pytest.fixture
def index(made: Path, tmp_path: Path) -> Path:
    """The same, copied to where its model has no home."""
    return Path(shutil.copytree(made, tmp_path / "copied"))


@pytest.fixture
def folder_model(tmp_path: Path) -> Path:
    """The default model in a folder."""
    return Path(shutil.copytree(default_model.default_folder(), tmp_path / "own model"))


def write(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(b"a model")
    (folder / "tokenizer.json").write_text("{}")


def make(card: ModelCard = CARD) -> Path:
    return model_home.make(card, write, pytest.fail)


def ask(index: Path, warned: list[str], **how: Any) -> list[str]:
    with open_reader(index, warn=warned.append) as reader:
        return [Path(hit.source).stem for hit in engine.search(reader, Query("cold insects", **how)).hits]


def test_a_model_has_one_home_whatever_its_prompts_and_another_for_other_weights(cache: Path) -> None:
    home = make()
    assert home.parent == cache / "models"
    assert home.name.startswith("a-model-")
    assert model_home.find(replace(CARD, query_prompt="ask: ", max_tokens=197)) == home
    for other in (replace(CARD, name="a model"), replace(CARD, fingerprint="4567"), replace(CARD, dimension=9)):
        assert model_home.find(other) is None


@pytest.mark.parametrize("name", ["../../etc/passwd", "C:\\models\\mine", "..", "", "模型", "x" * 400])
def test_no_name_of_a_model_leads_out_of_the_cache(cache: Path, name: str) -> None:
    assert make(replace(CARD, name=name)).parent == cache / "models"


def test_only_one_makes_it_and_the_others_wait() -> None:
    written = []

    def slowly(folder: Path) -> None:
        written.append(folder)
        write(folder)
        sleep(0.2)

    with ThreadPoolExecutor(4) as threads:
        homes = list(threads.map(lambda _: model_home.make(CARD, slowly, pytest.fail), range(4)))
    assert len({*homes}) == len(written) == 1


def test_what_was_interrupted_is_not_taken_for_whole(cache: Path) -> None:
    def break_off(folder: Path) -> None:
        write(folder)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model_home.make(CARD, break_off, pytest.fail)
    assert model_home.find(CARD) is None
    killed = model_home.home_of(CARD).with_name(f".{model_home.home_of(CARD).name}.abc.new")
    killed.mkdir()
    write(killed)
    assert model_home.find(CARD) is None
    make()
    assert not killed.exists()


def test_a_file_that_was_put_back_is_hashed_once_and_one_that_was_changed_is_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = make()
    (home / "model.onnx").write_bytes(b"a model")
    os.utime(home / "model.onnx", ns=(1, 1))
    assert model_home.find(CARD) == home
    with monkeypatch.context() as patch:
        patch.setattr(checksums, "sha256", pytest.fail)
        assert model_home.find(CARD) == home
    (home / "model.onnx").write_bytes(b"another")
    assert model_home.find(CARD) is None
    make()
    assert (home / "model.onnx").read_bytes() == b"a model"


def test_damage_that_left_no_trace_is_found_by_hashing() -> None:
    home = make()
    status = (home / "model.onnx").stat()
    (home / "model.onnx").write_bytes(b"another")
    os.utime(home / "model.onnx", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert model_home.find(CARD) == home
    assert model_home.find(CARD, thorough=True) is None


@pytest.mark.parametrize("damage", ["{", "[]", "{}", '{"model.onnx": 1}', '{"model.onnx": {"bytes": 7}}', None])
def test_without_its_checksums_a_home_is_made_anew(damage: str | None) -> None:
    home = make()
    if damage is None:
        (home / checksums.CHECKSUMS).unlink()
    else:
        (home / checksums.CHECKSUMS).write_text(damage)
    assert model_home.find(CARD) is None
    assert make() == home
    assert model_home.find(CARD) == home


@pytest.mark.skipif(os.name != "posix", reason="who may write is told by POSIX modes")
def test_a_home_is_its_owners_alone_and_not_used_where_it_is_not(index: Path) -> None:
    assert ask(index, [])
    home = model_home.home_of(default_model.default_card())
    assert home.stat().st_mode & 0o777 == 0o700
    home.chmod(0o720)
    with pytest.raises(ModelError, match="Others than you") as caught:
        ask(index, [])
    assert "TALKSEARCH_CACHE" in caught.value.hint
    with open_reader(index) as reader:
        assert engine.search(reader, Query("bees", mode="lexical")).hits


def test_where_the_cache_cannot_be_written_a_run_and_a_query_say_so_and_work(
    archive: Path, cache: Path, tmp_path: Path
) -> None:
    cache.write_text("a file where the folder would be")
    report = run.build_index(tmp_path / "index", [archive / "bees.txt"], processes=1)
    assert report.embedded
    assert any(str(cache) in note and "TALKSEARCH_CACHE" in note for note in report.notes)
    assert ask(tmp_path / "index", []) == ["bees"]  # by what this process made for itself
    model_home._temporary.clear()
    warned: list[str] = []
    assert ask(tmp_path / "index", warned) == ["bees"]
    assert "TALKSEARCH_CACHE" in warned[0]
    model_home._temporary.clear()


def test_an_index_that_was_copied_elsewhere_makes_its_models_home_and_says_nothing(made: Path, index: Path) -> None:
    warned: list[str] = []
    assert ask(index, warned) == ["bees"]
    assert warned == []
    home = model_home.find(default_model.default_card(), thorough=True)
    assert home is not None
    assert list(model_home.machine_folder(home).glob("quick-*.onnx"))
    facts = gather(index)
    assert facts["encoder_folder"] == str(home)
    assert facts["bytes"]["encoder"] > 100e6


def test_a_home_that_another_kind_of_machine_made_gets_the_query_model_of_this_one(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(index, [])
    home = model_home.find(default_model.default_card())
    assert home is not None
    monkeypatch.setattr(machine, "machine_key", lambda: "abacus")
    here = model_home.machine_folder(home)
    assert not here.exists()
    assert ask(index, []) == ["bees"]
    assert list(here.glob("quick-*.onnx"))


def test_a_query_model_that_was_lost_is_made_again_by_who_asks(index: Path) -> None:
    """Else the model itself would encode questions, and of hits that are nearly alike rank another one first."""
    ask(index, [])
    home = model_home.find(default_model.default_card())
    assert home is not None
    here = model_home.machine_folder(home)
    for file in here.glob("quick-*"):
        file.unlink()
    warned: list[str] = []
    assert ask(index, warned) == ["bees"]
    assert warned == []
    assert list(here.glob("quick-*.onnx"))


def test_a_home_that_keeps_no_query_model_is_left_so(index: Path) -> None:
    ask(index, [])
    home = model_home.find(default_model.default_card())
    assert home is not None
    here = model_home.machine_folder(home)
    for file in (*here.glob("quick-*"), here / checksums.CHECKSUMS):
        file.unlink()
    assert ask(index, []) == ["bees"]
    assert not list(here.glob("quick-*.onnx"))


def test_a_run_imports_no_torch(archive: Path, tmp_path: Path) -> None:
    # In a process of its own: here everything is loaded already.
    code = (
        "import sys\n"
        "from talksearch.indexer.pipeline import run\n"
        "from talksearch.indexer.settings import resolve\n"
        "run.build_index(resolve().index, sys.argv[1:], processes=1)\n"
        "print([name for name in ('torch', 'transformers', 'sentence_transformers') if name in sys.modules])"
    )
    talk = str(archive / "bees.txt")
    shown = subprocess.run([sys.executable, "-c", code, talk], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_indexes_of_one_model_have_the_same_directions_which_are_learnt_once(
    archive: Path, made: Path, tmp_path: Path
) -> None:
    (tmp_path / "bread.txt").write_text("[0:00] Knead the dough, and let it rest until it has risen.\n")
    first = token_codes.read(made)
    index = tmp_path / "index"
    run.build_index(index, [tmp_path / "bread.txt"], processes=1)
    learned = (index / "directions.npy").read_bytes()
    directions = token_codes.read(index)
    assert first is not None
    assert directions is not None
    assert token_codes.are_same(first, directions)
    run.build_index(index, [archive / "bees.txt"], processes=1)
    assert (index / "directions.npy").read_bytes() == learned
    (index / "directions.npy").unlink()
    (tmp_path / "bread.txt").write_text("[0:00] Knead the dough twice.\n")
    run.build_index(index, processes=1)
    assert not (index / "directions.npy").exists()


def test_a_model_that_only_torch_exports_answers_itself_until_the_doctor_has_made_its_home(
    archive: Path, folder_model: Path, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bert_graph, "can_write", lambda _: False)
    index = tmp_path / "index"
    run.build_index(index, [archive / "bees.txt"], model=str(folder_model), processes=1)
    shutil.rmtree(cache)  # as if on another machine
    warned: list[str] = []
    assert ask(index, warned) == ["bees"]
    assert "talksearch doctor" in warned[0]
    assert [finding.mended for finding in doctor.examine(index)] == [True]
    warned.clear()
    assert ask(index, warned) == ["bees"]
    assert warned == []


def test_a_second_index_of_a_model_is_begun_without_loading_it(
    archive: Path, folder_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = str(folder_model)
    expected = sentence_encoder.load(name, query_prompt="ask: ").card
    run.build_index(tmp_path / "first", [archive / "bees.txt"], model=name, prompts=(None, "text: "), processes=1)
    with monkeypatch.context() as patch:
        for load in ("load", "load_same"):
            patch.setattr(encoder_provider, load, pytest.fail)
        run.build_index(tmp_path / "second", [archive / "bees.txt"], model=name, prompts=("ask: ", None), processes=1)
    made = recipe.read(tmp_path / "second")
    assert made is not None
    assert made.model == expected
    settings = folder_model / "config_sentence_transformers.json"
    settings.write_text('{"prompts": {"query": "query: "}}')
    assert known_models.find(name, None, None) is None


def test_a_model_of_the_hub_is_known_at_the_revision_that_was_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    card = ModelCard("owner/model", "a revision", 384, 510)

    def write(folder: Path) -> None:
        shutil.copyfile(default_model.default_tokenizer(), folder / model_home.TOKENIZER)
        known_models.write(folder, card)

    model_home.make(card, write, pytest.fail)
    for revision, known in (("a revision", card), ("another", None), ("", None)):
        monkeypatch.setattr(known_models, "_downloaded_revision", lambda _, revision=revision: revision)
        assert known_models.find(card.name, None, None) == known
    monkeypatch.undo()
    assert known_models._downloaded_revision("nobody/nothing") == ""
    assert known_models._downloaded_revision("no name/of/a model") == ""


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (shutil.rmtree, "is not there"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"other weights"), "no longer the one"),
    ],
)
def test_a_model_that_is_gone_or_another_is_named_and_words_answer(
    archive: Path, folder_model: Path, tmp_path: Path, cache: Path, spoil: Callable[[Path], object], message: str
) -> None:
    index = tmp_path / "index"
    run.build_index(index, [archive / "bees.txt"], model=str(folder_model), processes=1)
    spoil(folder_model)
    assert ask(index, []) == ["bees"]  # it finds all that it needs in the model's home
    shutil.rmtree(cache)
    with pytest.raises(ModelError, match=message) as caught:
        ask(index, [])
    assert str(folder_model) in caught.value.message
    assert "talksearch index --rebuild" in caught.value.hint
    with open_reader(index) as reader:
        assert engine.search(reader, Query("bees", mode="lexical")).hits


def test_a_model_of_the_hub_that_is_not_here_names_the_command_that_brings_it(index: Path) -> None:
    known = recipe.read(index)
    assert known is not None
    with closing(catalog.open_catalog(index, write=True)) as db:
        db.execute("DELETE FROM recipe")  # else another recipe than the catalog's counts as damaged
    for name, there in (("nobody/nothing", "nobody/nothing"), ("nothing-L6", "sentence-transformers/nothing-L6")):
        recipe.write(index, replace(known, model=replace(known.model, name=name)))
        with pytest.raises(ModelError, match=name) as caught:
            ask(index, [])
        assert caught.value.hint.endswith(f"hf download {there}")


def test_other_features_of_a_processor_are_another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    known = machine.machine_key()
    assert len(known) == 12
    monkeypatch.setattr(np, "show_config", lambda mode: {"SIMD Extensions": {"found": ["NEON"]}})
    machine.machine_key.cache_clear()
    assert machine.machine_key() != known
    machine.machine_key.cache_clear()
    monkeypatch.undo()
    assert machine.machine_key() == known


def test_a_home_that_was_found_is_not_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    home = make(default_model.default_card())
    monkeypatch.setattr(bert_graph, "write", pytest.fail)
    assert make_home.find_or_make(default_model.default_card(), pytest.fail) == home
