"""What every engine of a store promises, whatever it is: the words of `stores.remote.engine`, held against each."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from buckets import make_bucket, s3_service
from embedded_engine import EmbeddedEngine
from fakes import CountingEncoder
from stored import FILES, OTHER_FILES, held, talk, vector, write
from test_store_chroma import server, service
from tiny import make_index, write_talk

from talksearch.indexer import build_index, layout
from talksearch.indexer.errors import StoreError
from talksearch.indexer.pipeline.publish import publish
from talksearch.indexer.stores import published
from talksearch.indexer.stores.remote import chroma_service, chroma_version, lance_calls, lance_commits, lance_writing
from talksearch.indexer.stores.remote.address import open_engine
from talksearch.indexer.stores.remote.chroma_service import ChromaEngine
from talksearch.indexer.stores.remote.engine import Engine, PassageFilter, StoreFiles, Version
from talksearch.search import Filters, Query
from talksearch.search import engine as search
from talksearch.search.hit import Hit
from talksearch.search.reader import open_reader
from talksearch.search.remote.current_store import CurrentStore

__all__ = ["server"]


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """A bucket of an S3 that moto serves on this machine; its settings stand in the environment."""
    with s3_service() as (service, _):
        make_bucket(service, "talks")
        yield "lance+s3://talks"


@pytest.fixture(params=["lance", "lance+s3", "chroma"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    """An empty store."""
    if request.param == "lance":
        return open_engine(f"lance://{tmp_path / 'store'}")
    if request.param == "lance+s3":
        return open_engine(f"{request.getfixturevalue('bucket')}/{tmp_path.name}")
    opened = service(request.getfixturevalue("server"))
    for collection in opened.client.list_collections():
        opened.client.delete_collection(collection.name)
    return opened


def test_talks_come_back_as_they_were_put(engine: Engine) -> None:
    bees = talk("bees", "bee dance", "hive winter")
    empty = talk("silence")
    write(engine, [bees, empty, talk("tides", *(f"tide{n} moon" for n in range(400)))])
    version = engine.open()
    (back,) = version.talks(["bees", "nobody"])
    assert (back.facts, back.source, back.revision, back.rows) == (bees.facts, 7, bees.revision, bees.rows)
    assert back.passages == bees.passages
    assert np.allclose(back.vectors, bees.vectors, atol=1e-6)
    assert [len(one.passages) for one in version.talks(["tides"])] == [400]
    assert [len(one.passages) for one in version.talks(["silence"])] == [0]
    assert version.files() == FILES
    assert {count.term: count.passages for count in version.term_counts()}["moon"] == 400
    assert (version.corpus().talks, version.corpus().passages) == (3, 402)
    assert engine.revisions(7) == {"bees": "bees-1", "silence": "silence-1", "tides": "tides-1"}
    assert version.revisions(["bees", "nobody"]) == {"bees": "bees-1"}
    assert engine.revisions(8) == {}


def test_who_speaks_is_told_as_by_the_index(engine: Engine, tmp_path: Path) -> None:
    said = ["<v Ada>the bridge is a song", "<v Bo>the bridge fell in the rain", "<v Ada>the rain was late"]
    write_talk(tmp_path / "talks", "bridges", said)
    write_talk(tmp_path / "talks", "ships", ["<v Bo>the ship is late in the rain"], creator="Cy Ash")
    index = tmp_path / "index"
    build_index(index, [tmp_path / "talks"], encoder=CountingEncoder())
    publish(index, engine)
    here = EmbeddedEngine(index).open()
    ids = [facts.id for facts in here.facts()]
    assert {one.facts.id: one.passages for one in engine.open().talks(ids)} == {
        one.facts.id: one.passages for one in here.talks(ids)
    }

    def told(hit: Hit) -> tuple[str, str, str | None, str | None]:
        return hit.passage_id, hit.text, hit.speaker, hit.said_by

    with (
        open_reader(index, encoder=CountingEncoder()) as reader,
        CurrentStore(engine, encoder=lambda _: CountingEncoder()) as store,
    ):
        for name in (None, "Ada", "Bo", "Cy Ash"):
            query = Query("rain on the bridge", filters=Filters(speaker=name), k=20)
            expected = search.search(reader, query)
            assert expected.hits
            found = store.ask(lambda there, query=query: search.search(there, query))
            assert sorted(map(told, found.hits)) == sorted(map(told, expected.hits)), name


STEPS: dict[str, list[tuple[Any, str]]] = {
    "lance": [(published, "note_sources"), (lance_commits, "append"), (lance_writing, "_empty")],
    "chroma": [(published, "note_sources"), (ChromaEngine, "_make_known"), (chroma_service, "_empty")],
}
"""Where something that readers could see is done when an index that was built anew is put into a store."""


def test_an_index_that_was_built_anew_takes_its_place_in_one_state(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = make_index(tmp_path)
    publish(index, engine)
    before = engine.open()
    old = published_by(before)
    seen: list[tuple[list[str], int, int]] = []

    def look() -> None:
        now = open_again(engine).open()
        sizes = [len(one.passages) for one in now.talks([facts.id for facts in now.facts()])]
        seen.append((sorted(facts.title for facts in now.facts()), now.corpus().talks, sum(sizes)))

    def looking(real: Any) -> Any:
        def do(*arguments: Any) -> Any:
            look()
            done = real(*arguments)
            look()
            return done

        return do

    build_index(index, rebuild=True, encoder=CountingEncoder())
    with monkeypatch.context() as patch:
        for owner, name in steps_of(engine):
            patch.setattr(owner, name, looking(getattr(owner, name)))
        assert len(publish(index, engine).put) == 3
    assert len(seen) >= 8
    assert {(*titles, talks, passages) for titles, talks, passages in seen} == {("Bees", "Bridges", "Ships", 3, 6)}
    assert old != published_by(engine.open())
    assert engine.revisions(old) == {}
    with suppress(StoreError):  # who has the state of before open has all of it, or is told
        assert len(held(before)) == 3
    assert publish(index, engine).put == ()


@pytest.mark.parametrize("step", [0, 1, 2], ids=["noted", "known", "cleared"])
def test_an_index_that_was_built_anew_goes_on_where_it_was_ended(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    owner, name = steps_of(engine)[step]
    index = make_index(tmp_path)
    publish(index, engine)
    old = published_by(engine.open())
    build_index(index, rebuild=True, encoder=CountingEncoder())
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, end)
        with pytest.raises(KeyboardInterrupt):
            publish(index, engine)
    assert open_again(engine).open().corpus().talks == 3
    build_index(index, rebuild=True, encoder=CountingEncoder())
    publish(index, engine)
    version = engine.open()
    assert (len(version.facts()), version.corpus().talks, len(held(version))) == (3, 3, 3)
    assert len(version.saying(["ship"], PassageFilter(), 9)) == 2
    assert published.noted_sources(index, engine.address) == (published_by(version),)
    assert engine.revisions(old) == {}
    theirs = [replace(one, source=old) for one in version.talks([version.facts()[0].id])]
    with pytest.raises(StoreError, match="put there by another index"):
        engine.write(old, iter(theirs), [], version.corpus(), (), version.files())


def published_by(version: Version) -> int:
    """Return the number of the index that put all that a version holds."""
    (source,) = {one.source for one in version.talks([facts.id for facts in version.facts()])}
    return source


def steps_of(engine: Engine) -> list[tuple[Any, str]]:
    return STEPS["chroma" if isinstance(engine, ChromaEngine) else "lance"]


def open_again(engine: Engine) -> Engine:
    """Return the store as another process opens it."""
    return engine if isinstance(engine, ChromaEngine) else open_engine(engine.address)


def end(*_: object) -> None:
    raise KeyboardInterrupt


def test_more_than_an_index_can_have_is_not_read(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(1).bytes(200_000)
    large_file = StoreFiles({**FILES.by_name, layout.CALIBRATION.name: noise})
    write(engine, [talk("bees", "bee")], files=large_file)
    assert engine.open().files() == large_file

    def read_with_a_lower_bound() -> None:
        with monkeypatch.context() as patch:
            for module in (lance_calls, lance_commits, chroma_version):
                patch.setattr(module, "MOST_BYTES", 100_000)
            version = open_again(engine).open()
            version.corpus()
            version.talks(["bees"])

    with pytest.raises(StoreError, match="more than any index has"):
        read_with_a_lower_bound()
    write(engine, [replace(talk("bees", "bee"), rows=noise)])
    with pytest.raises(StoreError, match="more than any index has"):
        read_with_a_lower_bound()


def test_a_version_stays_as_it_is_while_the_next_one_is_written(engine: Engine) -> None:
    write(engine, [talk("bees", "bee dance"), talk("tides", "tide moon")])
    version = engine.open()
    write(engine, [talk("bees", "wasp dance", revision="2")], drop=["tides", "nobody"])
    assert {name: rows[:15] for name, rows in held(version).items()} == {
        "bees": b"rows of bees 1 ", "tides": b"rows of tides 1"
    }  # fmt: skip
    assert version.nearest(vector("tide"), PassageFilter(), 1)[0].talk_id == "tides"
    after = engine.open()
    assert after.name != version.name
    assert {name: rows[:15] for name, rows in held(after).items()} == {"bees": b"rows of bees 2 "}
    assert after.saying(["moon"], PassageFilter(), 9) == []
    assert [found.passage_id for found in after.saying(["dance"], PassageFilter(), 9)] == ["bees@0"]
    assert after.corpus().talks == 1


def test_the_nearest_and_those_that_say_most_come_first(engine: Engine) -> None:
    write(engine, [talk("bees", "bee dance", "hive winter dance"), talk("tides", "tide moon", "moon winter")])
    version = engine.open()
    nearest = version.nearest(vector("tide"), PassageFilter(), 2)
    assert nearest[0].passage_id == "tides@0"
    assert nearest[0].score >= nearest[1].score
    assert version.saying(["dance", "winter"], PassageFilter(), 9)[0].passage_id == "bees@1"
    assert version.saying(["unheard"], PassageFilter(), 9) == []
    assert version.saying([], PassageFilter(), 9) == []
    assert {found.talk_id for found in version.saying(["winter"], PassageFilter(talk_ids=("tides",)), 9)} == {"tides"}


@pytest.mark.parametrize(
    ("wanted", "talks"),
    [
        (PassageFilter(), {"old", "new", "zeit", "odd"}),
        (PassageFilter(languages=("de", "fr")), {"zeit"}),
        (PassageFilter(after="2020-05-01"), {"new"}),
        (PassageFilter(before="2019-12-31"), {"old", "zeit"}),
        (PassageFilter(channels=('It\'s \\ "here" %_',)), {"odd"}),
        (PassageFilter(channels=("' OR 1 = 1 --",)), set()),
        (PassageFilter(talk_ids=("old", "'; DROP TABLE talks")), {"old"}),
        (PassageFilter(timing="estimated"), set()),
    ],
)
def test_an_engine_lets_pass_what_may_be_wanted(engine: Engine, wanted: PassageFilter, talks: set[str]) -> None:
    write(
        engine,
        [
            talk("old", "word a", date="2019-12-31"),
            talk("new", "word b", date="2021-03-01"),
            talk("zeit", "word c", date="2019", language="de"),
            talk("odd", "word d", channel='It\'s \\ "here" %_'),
        ],
    )
    version = engine.open()
    for found in (version.nearest(vector("word"), wanted, 9), version.saying(["word"], wanted, 9)):
        assert {one.talk_id for one in found} >= talks
        if not engine.address.startswith("chroma:"):  # where dates are filtered by numbers, talks without one pass
            assert {one.talk_id for one in found} == talks


def test_terms_are_found_as_they_are_written(engine: Engine) -> None:
    odd = ["相对", "cplusplus", "X" * 200, "'quoted\"", "Ünïcode", "AND", "a*b", "привет"]
    write(engine, [talk("odd", *odd), talk("other", "relativ stoff und")])
    version = engine.open()
    for position, term in enumerate(odd):
        assert [found.passage_id for found in version.saying([term], PassageFilter(), 9)] == [f"odd@{position}"], term


def test_two_writers_keep_to_what_is_their_own(engine: Engine) -> None:
    write(engine, [talk("bees", "bee dance"), talk("tides", "tide moon")])
    write(engine, [talk("moths", "moth dance")], source=8)
    version = engine.open()
    assert held(version).keys() == {"bees", "tides", "moths"}
    assert version.corpus().talks == 3
    assert sorted(count.term for count in version.term_counts() if count.term == "dance") == ["dance", "dance"]
    assert version.nearest(vector("moth"), PassageFilter(), 1)[0].talk_id == "moths"
    assert {found.talk_id for found in version.saying(["dance"], PassageFilter(), 9)} == {"bees", "moths"}
    assert {one.source for one in version.talks(["bees", "moths"])} == {7, 8}
    assert engine.revisions(8) == {"moths": "moths-1"}
    with pytest.raises(StoreError, match="put there by another index"):
        write(engine, [talk("bees", "bee")], source=8)
    with pytest.raises(StoreError, match="another model"):
        write(engine, [talk("wasps", "wasp")], source=9, files=OTHER_FILES)
    write(engine, [], drop=["bees", "tides"], source=8)
    assert held(engine.open()).keys() == {"bees", "tides", "moths"}, "nobody takes out what is another's"


def test_passages_without_a_vector_are_found_by_their_words_alone(engine: Engine) -> None:
    waiting = talk("bees", "bee dance")
    waiting.vectors[:] = np.nan
    write(engine, [waiting, talk("tides", "tide moon")])
    version = engine.open()
    assert {found.talk_id for found in version.nearest(vector("bee"), PassageFilter(), 9)} == {"tides"}
    assert [found.talk_id for found in version.saying(["dance"], PassageFilter(), 9)] == ["bees"]
    assert np.isnan(version.talks(["bees"])[0].vectors).all()


def test_what_is_wrong_is_told_in_a_sentence(engine: Engine) -> None:
    with pytest.raises(StoreError, match="There is no") as caught:
        engine.open()
    assert engine.address in caught.value.message
    write(engine, [talk("bees", "bee")])
    with pytest.raises(StoreError, match=r"model|dimensions"):
        engine.open().nearest(np.ones(3, np.float32), PassageFilter(), 3)


def test_the_talks_of_other_writers_are_told(engine: Engine) -> None:
    assert engine.ids_of_others([7]) == set()
    write(engine, [talk("bees", "bee"), talk("tides", "tide")])
    write(engine, [talk("moths", "moth")], source=8)
    write(engine, [], drop=["tides"])
    assert engine.ids_of_others([7]) == {"moths"}
    assert engine.ids_of_others([8]) == {"bees"}
    assert engine.ids_of_others([7, 8]) == set()
    assert engine.ids_of_others([9]) == {"bees", "moths"}


def test_a_store_that_is_made_again_has_other_states_than_the_one_that_was_deleted(
    engine: Engine, tmp_path: Path
) -> None:
    write(engine, [talk("bees", "bee"), talk("tides", "tide")])
    before = engine.open().name
    if isinstance(engine, ChromaEngine):
        for collection in engine.client.list_collections():
            engine.client.delete_collection(collection.name)
    elif not (tmp_path / "store").exists():
        pytest.skip("to empty a bucket takes another client")
    else:
        shutil.rmtree(tmp_path / "store")
    write(engine, [talk("bees", "bee")])
    assert engine.open().name != before
    assert held(engine.open()).keys() == {"bees"}
