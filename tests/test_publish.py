"""An index is put into a store, and only what the store lacks of it."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from embedded_engine import EmbeddedEngine
from fakes import CountingEncoder, WordEncoder
from tiny import make_index, write_talk

from talksearch.cli.main import cli
from talksearch.cli.render.reports import published_text
from talksearch.indexer import layout
from talksearch.indexer.encoders import checksums, token_codes
from talksearch.indexer.errors import BadIndexError, StoreError
from talksearch.indexer.pipeline.publish import publish
from talksearch.indexer.pipeline.run import build_index
from talksearch.indexer.stores import calibration, catalog, published, recipe, vectors
from talksearch.indexer.stores.remote.address import open_engine
from talksearch.indexer.stores.remote.engine import Engine, TermCount
from talksearch.indexer.stores.remote.talk_bytes import digest_of, unpack
from talksearch.indexer.stores.talk_rows import read_rows
from talksearch.search.remote.version_folder import version_folder


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_engine(f"lance://{tmp_path / 'store'}")


def counted(counts: Iterable[TermCount]) -> Counter[TermCount]:
    return Counter(counts)


def test_a_store_holds_what_the_index_holds(tmp_path: Path, engine: Engine) -> None:
    index = make_index(tmp_path)
    told: list[tuple[int, int]] = []
    done = publish(index, engine, lambda done, total: told.append((done, total)))
    assert (len(done.put), done.dropped, done.kept, done.notes) == (3, (), 0, ())
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]
    here, there = EmbeddedEngine(index).open(), engine.open()
    assert sorted(there.facts(), key=lambda facts: facts.id) == sorted(here.facts(), key=lambda facts: facts.id)
    assert set(there.files().by_name) >= set(here.files().by_name)
    assert counted(there.term_counts()) == counted(here.term_counts())
    statistics, expected = there.corpus(), here.corpus()
    assert (statistics.languages, statistics.vectors) == (expected.languages, expected.vectors)
    assert np.allclose(statistics.vector_sum, expected.vector_sum, atol=1e-5)
    assert np.allclose(statistics.product_sum, expected.product_sum, atol=1e-5)
    for ours in here.talks([facts.id for facts in here.facts()]):
        (theirs,) = there.talks([ours.facts.id])
        assert theirs.passages == ours.passages
        assert np.array_equal(theirs.vectors, ours.vectors)
        assert unpack(theirs.rows) == unpack(ours.rows)


def test_only_what_changed_is_put_again(tmp_path: Path, engine: Engine) -> None:
    index = make_index(tmp_path)
    publish(index, engine)
    before = engine.open()
    assert publish(index, engine) == publish(index, engine)
    assert engine.open() is before, "nothing changed, so no other state was made known"
    write_talk(tmp_path / "talks", "bees", ["every bee knows the code"])
    write_talk(tmp_path / "talks", "bread", ["bread takes its time"])
    (tmp_path / "talks" / "ships.vtt").unlink()
    build_index(index, encoder=CountingEncoder())
    done = publish(index, engine)
    assert (len(done.put), len(done.dropped), done.kept) == (2, 1, 1)
    assert {facts.title for facts in engine.open().facts()} == {"Bees", "Bread", "Bridges"}
    assert engine.open().corpus().talks == 3
    assert {facts.title for facts in before.facts()} == {"Bees", "Ships", "Bridges"}


def test_a_file_that_was_only_touched_is_not_put_again(tmp_path: Path, engine: Engine) -> None:
    index = make_index(tmp_path)
    publish(index, engine)
    (tmp_path / "talks" / "bees.vtt").touch()
    build_index(index, encoder=CountingEncoder())
    assert publish(index, engine).put == ()


def test_the_tokens_of_passages_are_put_with_their_directions(tmp_path: Path, engine: Engine) -> None:
    write_talk(tmp_path / "talks", "ships", ["the ship keeps its own time"])
    index = tmp_path / "index"
    index.mkdir()
    token_codes.write(index, np.eye(8, dtype=np.float32))
    build_index(index, [tmp_path / "talks"], encoder=WordEncoder())
    publish(index, engine)
    (talk,) = engine.open().talks([facts.id for facts in engine.open().facts()])
    unpacked = unpack(talk.rows)
    with catalog.open_snapshot(index) as db:
        assert [code for code in unpacked.codes if code] == [
            codes for (codes,) in db.execute("SELECT codes FROM tokens ORDER BY number")
        ]
        assert unpacked.talk.rows == read_rows(db, 1).rows
    assert unpacked.directions == digest_of(layout.DIRECTIONS.within(index).read_bytes()) != ""


def test_passages_without_vectors_go_without(tmp_path: Path, engine: Engine) -> None:
    index = make_index(tmp_path)
    with closing(catalog.open_catalog(index, write=True)) as db, catalog.transaction(db):
        db.execute("UPDATE passages SET embedded = 0")
    layout.VECTORS.within(index).unlink()
    checksums.forget(index, layout.VECTORS.name)
    publish(index, engine)
    version = engine.open()
    assert version.corpus().vectors == 0
    assert all(np.isnan(talk.vectors).all() for talk in version.talks([facts.id for facts in version.facts()]))
    build_index(index, encoder=CountingEncoder())
    assert len(publish(index, engine).put) == 3
    assert engine.open().corpus().vectors == 6


def test_a_damaged_talk_is_a_note_and_not_the_end(tmp_path: Path, engine: Engine) -> None:
    index = make_index(tmp_path)
    with closing(sqlite3.connect(layout.CATALOG.within(index))) as db, db:
        (damaged,) = db.execute("SELECT id FROM talks WHERE title = 'Bees'").fetchone()
        db.execute(
            "UPDATE cues SET text = 'what nobody said' WHERE talk = (SELECT number FROM talks WHERE id = ?)", (damaged,)
        )
    done = publish(index, engine)
    assert len(done.put) == 2
    assert done.notes[0].startswith(f"{damaged} was not put into the store: ")


def test_a_talk_whose_vectors_are_lost_is_put_when_they_are_mended(tmp_path: Path, engine: Engine) -> None:
    index = make_index(tmp_path)
    known = recipe.read(index)
    assert known is not None
    copy = vectors.read(index, known.model.dimension)
    numbers, rows = copy.numbers[:-1].copy(), np.array(copy.rows[:-1])
    vectors.delete(index)
    vectors.append(index, numbers, rows)
    checksums.forget(index, layout.VECTORS.name)
    done = publish(index, engine)
    assert len(done.put) == 2
    assert "Vectors of its passages are not there any more." in done.notes[0]
    build_index(index, encoder=CountingEncoder())
    assert len(publish(index, engine).put) == 1
    version = engine.open()
    assert not any(np.isnan(one.vectors).any() for one in version.talks([facts.id for facts in version.facts()]))


def test_vectors_that_are_not_as_they_were_written_are_not_put(tmp_path: Path, engine: Engine) -> None:
    index = make_index(tmp_path)
    path = layout.VECTORS.within(index)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(BadIndexError, match="are not as they were written") as caught:
        publish(index, engine)
    assert "talksearch doctor" in caught.value.hint
    with pytest.raises(StoreError, match="There is no store"):
        engine.open()


def test_two_indexes_share_a_store_and_an_index_that_is_built_anew_takes_its_place(
    tmp_path: Path, engine: Engine
) -> None:
    index = make_index(tmp_path)
    write_talk(tmp_path / "others", "ferries", ["a ferry knows the rain", "and the ferry comes home"])
    build_index(tmp_path / "other", [tmp_path / "others"], encoder=CountingEncoder())
    publish(index, engine)
    publish(tmp_path / "other", engine)
    assert len(engine.open().facts()) == 4
    assert engine.open().corpus().talks == 4
    build_index(index, rebuild=True, encoder=CountingEncoder())
    assert len(publish(index, engine).put) == 3
    assert sorted(facts.title for facts in engine.open().facts()) == ["Bees", "Bridges", "Ferries", "Ships"]
    assert engine.open().corpus().talks == 4


def end(*_: object) -> None:
    raise KeyboardInterrupt


def test_an_index_that_was_built_anew_goes_on_where_it_was_ended(
    tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = make_index(tmp_path)
    publish(index, engine)
    build_index(index, rebuild=True, encoder=CountingEncoder())
    build_index(index, rebuild=True, encoder=CountingEncoder())
    with monkeypatch.context() as patch:
        patch.setattr(published, "note_sources", end)
        with pytest.raises(KeyboardInterrupt):
            publish(index, engine)
    assert len(publish(index, engine).put) == 3
    assert len(engine.open().facts()) == 3
    layout.STORES.within(index).write_text("[" * 100_000)
    assert publish(index, engine).put == ()


def test_one_process_puts_an_index_into_a_store_at_a_time(tmp_path: Path, engine: Engine) -> None:
    index = make_index(tmp_path)
    refused: list[str] = []

    def tell(done: int, _total: int) -> None:
        if done == 1:
            with pytest.raises(StoreError) as caught:
                publish(index, open_engine(f"lance://{tmp_path / 'another'}"))
            refused.append(caught.value.message)

    assert len(publish(index, engine, tell).put) == 3
    assert refused == [f"Another process is putting the index {index} into a store."]
    assert publish(index, engine).put == ()


def test_an_index_of_another_model_is_refused(tmp_path: Path, engine: Engine) -> None:
    publish(make_index(tmp_path), engine)
    write_talk(tmp_path / "others", "ferries", ["a ferry knows the rain"])
    build_index(tmp_path / "other", [tmp_path / "others"], encoder=CountingEncoder("another"))
    with pytest.raises(StoreError, match="another model"):
        publish(tmp_path / "other", engine)


def test_what_is_no_index_is_not_published(tmp_path: Path, engine: Engine) -> None:
    with pytest.raises(BadIndexError, match="There is no index"):
        publish(tmp_path, engine)
    assert not (tmp_path / "store").exists()


# --- the command -----------------------------------------------------------------------------------------------------


def run_index(index: Path, *arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(cli, ["index", "--index", str(index), *arguments], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result


def test_index_puts_what_changed_into_the_store_and_says_so(tmp_path: Path, engine: Engine) -> None:
    index = make_index(tmp_path)
    said = run_index(index, "--store", engine.address).stdout
    assert said.endswith(f"{engine.address}: put 3 talks into it; 3 talks of this index there now.\n")
    (tmp_path / "talks" / "ships.vtt").unlink()
    said = run_index(index, "--store", engine.address).stdout
    assert said.endswith(f"{engine.address}: took 1 out; 2 talks of this index there now.\n")
    said = run_index(index, "--store", engine.address).stdout
    assert said.endswith(f"{engine.address}: nothing was to be put; 2 talks of this index there now.\n")


def test_a_store_that_refuses_leaves_the_index_and_its_report(
    tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = make_index(tmp_path)
    (tmp_path / "talks" / "ships.vtt").unlink()
    (tmp_path / "store").write_text("a file lies where the store should")
    failed = run_index(index, "--store", engine.address, code=1)
    assert "2 talks in the index" in failed.stdout
    assert engine.address in failed.stderr
    assert "Traceback" not in failed.output
    with catalog.open_snapshot(index) as db:
        assert db.execute("SELECT count(*) FROM talks").fetchone() == (2,)


def test_a_wrong_address_is_told_before_anything_is_read(tmp_path: Path) -> None:
    failed = run_index(tmp_path / "index", str(tmp_path), "--store", "lance://ada:hush@srv/talks", code=1)
    assert "hush" not in failed.output
    assert not (tmp_path / "index").exists()


def test_a_talk_that_another_index_has_put_is_left_out_and_the_rest_is_put(tmp_path: Path, engine: Engine) -> None:
    first = make_index(tmp_path)
    publish(first, engine)
    folder, second = tmp_path / "others", tmp_path / "second"
    folder.mkdir()
    shutil.copy(tmp_path / "talks" / "bees.vtt", folder)
    write_talk(folder, "bread", ["bread takes its time", "and so does the sea"])
    build_index(second, [folder], encoder=CountingEncoder())
    done = publish(second, engine)
    with catalog.open_snapshot(second) as db:
        ids = dict(db.execute("SELECT source, id FROM talks"))
    bees, bread = ids["bees.vtt"], ids["bread.vtt"]
    assert (done.put, done.of_others) == ((bread,), (bees,))
    text = published_text(done)
    assert "1 talk is left out, as another index has put the same there" in text
    assert bees in text
    there = engine.open()
    assert sorted(facts.title for facts in there.facts()) == ["Bees", "Bread", "Bridges", "Ships"]
    assert there.corpus().talks == 4
    once = sum(len(talk.passages) for talk in there.talks([facts.id for facts in there.facts()]))
    assert there.corpus().passages == there.corpus().vectors == once
    assert sum(count.passages for count in there.term_counts() if count.term == "know") == 1
    layout.COLUMNS.within(second).unlink()
    assert publish(second, engine).put == ()
    statistics = engine.open().corpus()
    assert np.allclose(statistics.vector_sum, there.corpus().vector_sum, atol=1e-6)
    assert np.allclose(statistics.product_sum, there.corpus().product_sum, atol=1e-6)

    (tmp_path / "talks" / "bees.vtt").unlink()
    build_index(first, encoder=CountingEncoder())
    publish(first, engine)
    after = publish(second, engine)
    assert (after.put, after.of_others) == ((bees,), ())


def test_two_talks_of_one_id_are_both_put_and_told_apart(tmp_path: Path, engine: Engine) -> None:
    first = make_index(tmp_path)
    publish(first, engine)
    folder, second = tmp_path / "another year", tmp_path / "second"
    write_talk(folder, "bees", ["a wasp is no bee", "nor is a hornet"])
    build_index(second, [folder], encoder=CountingEncoder())
    done = publish(second, engine)
    (there,) = done.put
    assert done.of_others == ()
    assert len([facts for facts in engine.open().facts() if facts.title == "Bees"]) == 2
    (talk,) = engine.open().talks([there])
    rows = unpack(talk.rows).talk.rows
    with catalog.open_snapshot(second) as db:
        (talk_id,) = db.execute("SELECT id FROM talks").fetchone()
    assert there.startswith(f"{talk_id}-")
    assert {rows.talk_id, talk.facts.id} == {there}
    assert all(passage.id.startswith(f"{there}:") for passage in (*rows.passages, *talk.passages))
    assert publish(second, engine).put == ()
    (tmp_path / "talks" / "bees.vtt").unlink()
    build_index(first, encoder=CountingEncoder())
    publish(first, engine)
    after = publish(second, engine)
    assert (after.put, after.dropped) == ((talk_id,), (there,)), "nobody has that id any more"


def test_what_a_store_needs_is_told_before_anything_is_indexed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lancedb", None)
    write_talk(tmp_path / "talks", "bees", ["a bee"])
    asked = [
        "index",
        str(tmp_path / "talks"),
        "--index",
        str(tmp_path / "index"),
        "--store",
        f"lance://{tmp_path}/store",
    ]
    result = CliRunner().invoke(cli, asked)
    assert result.exit_code == 1
    assert "needs lancedb, which is not installed" in result.output
    assert not (tmp_path / "index").exists()


def test_an_index_without_talks_puts_nothing_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    url = f"lance://{tmp_path}/store"
    result = CliRunner().invoke(
        cli, ["index", str(tmp_path / "empty"), "--index", str(tmp_path / "index"), "--store", url]
    )
    assert (result.exit_code, result.output.splitlines()[-1]) == (
        0,
        f"{url}: nothing was to be put, as the index holds no talks yet.",
    )


def test_facts_tell_how_long_a_talk_is_that_has_no_metadata(tmp_path: Path, engine: Engine) -> None:
    publish(make_index(tmp_path), engine)
    assert {facts.duration_ms for facts in engine.open().facts()} == {125_000}


def test_hints_name_the_store_that_was_asked(tmp_path: Path, engine: Engine) -> None:
    publish(make_index(tmp_path), engine)
    result = CliRunner().invoke(cli, ["show", "nobody", "--store", engine.address])
    assert f"List them: talksearch talks --store {engine.address}" in result.output


@pytest.mark.parametrize(
    "command",
    [["merge", "{}", "--into", "x"], ["merge", "a", "--into", "{}"], ["serve", "{}"], ["talks", "--index", "{}"]],
)
def test_the_address_of_a_store_is_no_index(command: list[str]) -> None:
    result = CliRunner().invoke(cli, [word.format("lance:///srv/talks") for word in command])
    assert result.exit_code == 2
    assert "'lance:///srv/talks' is an address" in result.output
    assert "--store" in result.output


def test_an_index_that_a_server_is_given_and_is_not_there_is_named_in_the_hint(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["serve", str(tmp_path / "nothing"), "--port", "0"])
    assert f"talksearch index --index {tmp_path}/nothing PATH" in result.output


def test_what_two_indexes_give_to_null_queries_is_that_of_one_index_of_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "FEWEST", 2)
    monkeypatch.setenv("TALKSEARCH_CACHE", str(tmp_path / "cache"))
    engine = open_engine(f"lance://{tmp_path / 'store'}")
    publish(make_index(tmp_path), engine)
    write_talk(tmp_path / "others", "bread", ["bread takes its time", "and so does the sea", "the ship sails"])
    for name, folders in (("second", ["others"]), ("both", ["talks", "others"])):
        build_index(tmp_path / name, [tmp_path / folder for folder in folders], encoder=CountingEncoder())
    publish(tmp_path / "second", engine)
    made = recipe.read(tmp_path / "both")
    assert made is not None
    kept = version_folder(engine.address, engine.open())
    told, expected = (calibration.read(folder, made.model) for folder in (kept.folder, tmp_path / "both"))
    assert told is not None
    assert expected is not None
    assert (told.cosine, told.deviation) == pytest.approx((expected.cosine, expected.deviation), abs=1e-5)
    assert told.passages == expected.passages
