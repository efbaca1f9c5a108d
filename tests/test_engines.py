"""What every engine of a store promises, whatever it is: the words of `stores.remote.engine`, held against each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from buckets import make_bucket, s3_service
from stored import FILES, OTHER_FILES, held, talk, vector, write
from test_store_chroma import server, service

from talksearch.indexer.errors import StoreError
from talksearch.indexer.stores.remote.address import open_engine
from talksearch.indexer.stores.remote.engine import Engine, PassageFilter

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
    assert [passage[:3] for passage in back.passages] == [passage[:3] for passage in bees.passages]
    assert np.allclose(back.vectors, bees.vectors, atol=1e-6)
    assert [len(one.passages) for one in version.talks(["tides"])] == [400]
    assert [len(one.passages) for one in version.talks(["silence"])] == [0]
    assert version.files() == FILES
    assert {count.term: count.passages for count in version.term_counts()}["moon"] == 400
    assert (version.corpus().talks, version.corpus().passages) == (3, 402)
    assert engine.revisions(7) == {"bees": "bees-1", "silence": "silence-1", "tides": "tides-1"}
    assert version.revisions(["bees", "nobody"]) == {"bees": "bees-1"}
    assert engine.revisions(8) == {}


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
