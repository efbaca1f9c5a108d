"""A store in a Chroma service, with the real server that comes with Chroma."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import chromadb
import numpy as np
import pytest
from chromadb.api.types import SearchResult

from talksearch.indexer.errors import StoreError
from talksearch.indexer.stores.remote import chroma_calls, chroma_service
from talksearch.indexer.stores.remote.chroma_records import BATCH, passing, sparse_query, sparse_words
from talksearch.indexer.stores.remote.chroma_service import ChromaEngine, open_service
from talksearch.indexer.stores.remote.chroma_version import ChromaVersion
from talksearch.indexer.stores.remote.engine import (
    Corpus,
    LanguageCount,
    PassageFilter,
    StoredPassage,
    StoredTalk,
    StoreFiles,
    TalkFacts,
    TermCount,
)

DIMENSION = 8
FILES = StoreFiles({"recipe.json": b'{"model": {"name": "m"}, "splitting": {}, "format": 8}'})


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port on which a server of Chroma listens."""
    port = free_port()
    program = shutil.which("chroma", path=str(Path(sys.executable).parent)) or "chroma"
    folder = tmp_path_factory.mktemp("chroma")
    command = [program, "run", "--path", str(folder), "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder) as running:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield port
        running.kill()


@pytest.fixture
def engine(server: int) -> ChromaEngine:
    """A store of its own on the server, empty."""
    opened = service(server)
    for collection in opened.client.list_collections():
        opened.client.delete_collection(collection.name)
    return opened


def service(port: int) -> ChromaEngine:
    return open_service(f"chroma://127.0.0.1:{port}", f"http://127.0.0.1:{port}/default_tenant/default_database")


def talk(name: str, *texts: str, revision: str = "1", language: str = "en", date: str | None = None) -> StoredTalk:
    """A talk of some passages; the vector of each is told by its first word."""
    facts = TalkFacts(name, name.title(), "Harbour", None, language, date, "read", 60_000, f"/{name}.vtt")
    vectors = np.array([vector(text.split()[0]) for text in texts], np.float32)
    passages = tuple(StoredPassage(f"{name}@{n}", "speech", text, ()) for n, text in enumerate(texts))
    return StoredTalk(facts, 7, f"{name}-{revision}", f"rows of {name} {revision} ".encode() * 3_000, passages, vectors)


def vector(word: str) -> Any:
    drawn = np.random.default_rng(sum(map(ord, word))).standard_normal(DIMENSION)
    return (drawn / np.linalg.norm(drawn)).astype(np.float32)


def write(
    engine: ChromaEngine, put: Sequence[StoredTalk], drop: Sequence[str] = (), source: int = 7, files: Any = FILES
) -> None:
    words = [word for one in put for passage in one.passages for word in passage.terms.split()]
    counts = [TermCount(word, "en", words.count(word), 1) for word in sorted(set(words))]
    sums = sum((one.vectors.sum(axis=0, dtype=np.float64) for one in put), np.zeros(DIMENSION))
    products = sum((one.vectors.T.astype(np.float64) @ one.vectors for one in put), np.zeros((DIMENSION, DIMENSION)))
    passages = sum(len(one.passages) for one in put)
    corpus = Corpus((LanguageCount("en", len(put), passages),), passages, sums, products)
    engine.write(source, iter(put), drop, corpus, counts, files)


def held(version: ChromaVersion) -> dict[str, bytes]:
    return {one.facts.id: one.rows for one in version.talks([facts.id for facts in version.facts()])}


def test_talks_come_back_as_they_were_put(engine: ChromaEngine) -> None:
    bees = talk("bees", "bee dance", "hive winter")
    write(engine, [bees, talk("tides", *(f"tide{n} moon" for n in range(400)))])
    version = engine.open()
    (back,) = version.talks(["bees", "nobody"])
    assert (back.facts, back.revision, back.rows) == (bees.facts, bees.revision, bees.rows)
    assert [passage.id for passage in back.passages] == ["bees@0", "bees@1"]
    assert np.allclose(back.vectors, bees.vectors, atol=1e-6)
    assert len(version.talks(["tides"])[0].passages) == 400  # more than a service gives at a time
    assert version.files() == FILES
    assert {count.term: count.passages for count in version.term_counts()}["moon"] == 400
    assert (version.corpus().talks, version.corpus().passages) == (2, 402)
    assert engine.revisions(7) == {"bees": "bees-1", "tides": "tides-1"} == version.revisions(["bees", "tides"])
    assert engine.revisions(8) == {}


def test_the_nearest_and_those_that_say_the_rarest_terms_are_found(engine: ChromaEngine) -> None:
    write(engine, [talk("bees", "bee dance", "hive winter dance"), talk("tides", "tide moon", "moon winter")])
    version = engine.open()
    assert version.nearest(vector("tide"), PassageFilter(), 2)[0].passage_id == "tides@0"
    assert version.saying(["dance", "winter"], PassageFilter(), 9)[0].passage_id == "bees@1"
    assert version.saying(["unheard"], PassageFilter(), 9) == []
    assert {found.talk_id for found in version.saying(["winter"], PassageFilter(talk_ids=("tides",)), 9)} == {"tides"}


@pytest.mark.parametrize(
    ("wanted", "talks"),
    [
        (PassageFilter(languages=("de",)), {"zeit"}),
        (PassageFilter(after="2020-05-01"), {"new", "month"}),
        (PassageFilter(before="2019-12-31"), {"old", "zeit"}),
        (PassageFilter(channels=("Harbour",), timing="estimated"), set()),
    ],
)
def test_an_engine_lets_pass_what_may_be_wanted_and_little_else(
    engine: ChromaEngine, wanted: PassageFilter, talks: set[str]
) -> None:
    write(
        engine,
        [
            talk("old", "word a", date="2010-01-01"),
            talk("new", "word b", date="2021-03-04"),
            talk("month", "word c", date="2020-05"),
            talk("zeit", "word d", language="de"),
        ],
    )
    assert {found.talk_id for found in engine.open().nearest(vector("word"), wanted, 9)} == talks


def test_a_version_stays_as_it_is_until_two_more_are_known_and_then_says_so(engine: ChromaEngine) -> None:
    write(engine, [talk("bees", "bee"), talk("tides", "tide")])
    version = engine.open()
    write(engine, [talk("bees", "wasp", revision="2")], drop=["tides"])
    assert held(version).keys() == {"bees", "tides"}
    assert b"bees 1" in held(version)["bees"]
    assert held(engine.open()).keys() == {"bees"}
    assert b"bees 2" in held(engine.open())["bees"]
    write(engine, [talk("moths", "moth")])
    with pytest.raises(StoreError, match="has changed meanwhile"):
        version.nearest(vector("bee"), PassageFilter(), 5)


@pytest.mark.parametrize("calls", range(1, 14))
def test_a_write_that_ends_anywhere_is_never_seen_and_the_next_goes_on(
    engine: ChromaEngine, monkeypatch: pytest.MonkeyPatch, calls: int
) -> None:
    write(engine, [talk("bees", "bee"), talk("tides", "tide")])
    before, name = held(engine.open()), engine.open().name
    done = 0

    def count(before_it: Any) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            nonlocal done
            done += 1
            if done == calls:
                raise KeyboardInterrupt
            return before_it(*arguments, **named)

        return call

    with monkeypatch.context() as patched:
        for name in ("upsert", "update", "delete"):
            patched.setattr(chromadb.Collection, name, count(getattr(chromadb.Collection, name)))
        ended = False
        try:
            write(engine, [talk("bees", "wasp", revision="2"), talk("moths", "moth")], drop=["tides"])
        except KeyboardInterrupt:
            ended = True
    known = engine.open().name != name
    assert held(engine.open()) == before or known
    write(engine, [talk("bees", "wasp", revision="2"), talk("moths", "moth")], drop=["tides"])
    assert held(engine.open()).keys() == {"bees", "moths"}
    assert ended == (done == calls)
    assert len(engine.open().nearest(vector("bee"), PassageFilter(), 9)) == 2, "nothing is there twice"


def test_two_writers_keep_to_what_is_their_own(engine: ChromaEngine) -> None:
    write(engine, [talk("bees", "bee"), talk("tides", "tide")])
    write(engine, [talk("moths", "moth")], source=8)
    version = engine.open()
    assert held(version).keys() == {"bees", "tides", "moths"}
    assert version.corpus().talks == 3
    assert version.nearest(vector("moth"), PassageFilter(), 1)[0].talk_id == "moths"
    with pytest.raises(StoreError, match="put there by another index"):
        write(engine, [talk("bees", "bee")], source=8)
    other = StoreFiles({"recipe.json": b'{"model": {"name": "another"}, "splitting": {}, "format": 8}'})
    with pytest.raises(StoreError, match="another model"):
        write(engine, [talk("wasps", "wasp")], source=9, files=other)
    assert held(engine.open()).keys() == {"bees", "tides", "moths"}


def test_a_talk_that_becomes_again_as_it_was_stays_in_the_states_that_are_read(
    engine: ChromaEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(engine, [talk("bees", "bee")])
    first = engine.open()
    write(engine, [talk("bees", "wasp", revision="2")])
    second = engine.open()
    with monkeypatch.context() as patched:
        patched.setattr(ChromaEngine, "_make_known", end)
        with pytest.raises(KeyboardInterrupt):
            write(engine, [talk("bees", "bee")])
    assert b"bees 1" in held(first)["bees"]
    assert b"bees 2" in held(second)["bees"]
    write(engine, [talk("bees", "bee")])
    assert b"bees 1" in held(engine.open())["bees"]
    assert b"bees 2" in held(second)["bees"]


def end(*_: object) -> None:
    raise KeyboardInterrupt


def test_who_is_replaced_while_it_writes_makes_nothing_known(engine: ChromaEngine) -> None:
    write(engine, [talk("bees", "bee")])

    def meanwhile() -> Iterator[StoredTalk]:
        yield talk("moths", "moth")
        put = replace(talk("bees", "bee"), source=8)
        engine.write(8, iter([put]), [], engine.open().corpus(), (), FILES, [7])

    with pytest.raises(StoreError, match="for the same index meanwhile"):
        engine.write(7, meanwhile(), [], engine.open().corpus(), (), FILES)
    assert [one.source for one in engine.open().talks(["bees", "moths"])] == [8]


def test_a_talk_that_another_writer_put_meanwhile_is_not_there_twice(engine: ChromaEngine) -> None:
    nothing = Corpus((), 0, np.zeros(DIMENSION), np.zeros((DIMENSION, DIMENSION)))

    def meanwhile() -> Iterator[StoredTalk]:
        yield talk("bees", "bee")
        write(engine, [replace(talk("bees", "bee"), source=8)], source=8)

    with pytest.raises(StoreError, match="put there by another index"):
        engine.write(7, meanwhile(), [], nothing, (), FILES)
    version = engine.open()
    assert [one.source for one in version.talks(["bees"])] == [8]
    with pytest.MonkeyPatch.context() as patched:  # where neither could see the other
        patched.setattr(ChromaEngine, "_refuse_those_of_others", lambda *_: None)
        write(engine, [talk("bees", "bee", revision="2"), talk("tides", "tide")])
    version = engine.open()
    assert sorted(facts.id for facts in version.facts()) == ["bees", "tides"]
    (one,) = version.talks(["bees"])
    assert version.revisions(["bees"]) == {"bees": one.revision}


def test_passages_without_a_vector_are_found_by_their_words_alone(engine: ChromaEngine) -> None:
    waiting = talk("bees", "bee dance")
    waiting.vectors[:] = np.nan
    write(engine, [waiting, talk("tides", "tide")])
    version = engine.open()
    assert {found.talk_id for found in version.nearest(vector("bee"), PassageFilter(), 9)} == {"tides"}
    assert [found.talk_id for found in version.saying(["dance"], PassageFilter(), 9)] == ["bees"]
    assert np.isnan(version.talks(["bees"])[0].vectors).all()


# --- what goes wrong -------------------------------------------------------------------------------------------------


def test_what_is_wrong_is_told_in_a_sentence(engine: ChromaEngine) -> None:
    with pytest.raises(StoreError, match="There is nothing in the store"):
        engine.open()
    with pytest.raises(StoreError, match="cannot be reached"):
        service(free_port())
    write(engine, [talk("bees", "bee")])
    with pytest.raises(StoreError, match="another model"):
        engine.open().nearest(np.ones(3, np.float32), PassageFilter(), 3)


def test_a_service_that_is_gone_or_says_nothing_is_told(engine: ChromaEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    write(engine, [talk("bees", "bee")])
    version = engine.open()
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        session = engine.client._server._session
        session.timeout = 0.2
        monkeypatch.setattr(engine.client._server, "_api_url", f"http://127.0.0.1:{silent.getsockname()[1]}/api/v2")
        with pytest.raises(StoreError, match="did not answer"):
            version.nearest(vector("bee"), PassageFilter(), 3)
    monkeypatch.setattr(engine.client._server, "_api_url", f"http://127.0.0.1:{free_port()}/api/v2")
    with pytest.raises(StoreError, match="cannot be reached"):
        version.nearest(vector("bee"), PassageFilter(), 3)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (chromadb.errors.ChromaAuthError(), "refuses the token"),
        (chromadb.errors.AuthorizationError("no"), "refuses the token"),
        (chromadb.errors.ChromaError("Quota exceeded: 300 records\nand more"), "Quota exceeded: 300 records and more"),
        (ValueError("Could not connect to tenant default_tenant. 401 Unauthorized"), "refuses the token"),
    ],
)
def test_what_chroma_raises_becomes_a_sentence(error: Exception, told: str) -> None:
    with pytest.raises(StoreError, match=told), chroma_calls.errors_told("chroma://x"):
        raise error


def test_a_token_comes_from_the_environment_or_a_file_and_is_sent(
    server: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALKSEARCH_STORE_TOKEN", "hush")
    assert service(server).client._server._session.headers["x-chroma-token"] == "hush"
    (tmp_path / "token").write_text("whist\n")
    monkeypatch.setenv("TALKSEARCH_STORE_TOKEN_FILE", str(tmp_path / "token"))
    assert service(server).client._server._session.headers["Authorization"] == "Bearer whist"
    monkeypatch.setenv("TALKSEARCH_STORE_TOKEN_FILE", str(tmp_path / "gone"))
    with pytest.raises(StoreError, match="cannot be read"):
        service(server)


# --- a service that ranks words, by its documentation ----------------------------------------------------------------


def test_words_are_asked_as_sparse_vectors_where_the_service_ranks_them(
    engine: ChromaEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer has the form of the documentation of Chroma's Search API; a local server cannot give it."""
    write(engine, [talk("bees", "bee dance"), talk("tides", "tide moon")])
    asked: list[dict[str, Any]] = []

    def answer(_: Any, search: Any) -> SearchResult:
        asked.append(search.to_dict())
        found = [{"talk": "tides", "passage": "tides@0"}, {"talk": "bees", "passage": "bees@0"}]
        return SearchResult({"ids": [["a", "b"]], "metadatas": [found], "scores": [[-3.5, -1.25]], "select": [[]]})

    monkeypatch.setattr(chromadb.Collection, "search", answer)
    version = engine.open()
    asked.clear()
    found = version.saying(["moon", "unheard"], PassageFilter(languages=("en",)), 1_000)
    assert [(one.passage_id, one.score) for one in found] == [("tides@0", 4.5), ("bees@0", 2.25)]
    (search,) = asked
    assert search["rank"]["$knn"]["key"] == "words"
    assert search["rank"]["$knn"]["limit"] == search["limit"]["limit"] == BATCH
    assert len(search["rank"]["$knn"]["query"]["indices"]) == 1, "a term that nobody says finds nothing"


def test_the_product_of_sparse_vectors_is_bm25() -> None:
    passage = StoredPassage("p", "speech", "moon tide moon", ())
    said, asked = sparse_words(passage), sparse_query({"moon": 2.0, "sun": 5.0})
    weight_of = dict(zip(said.indices, said.values, strict=True))
    product = sum(weight_of.get(i, 0.0) * value for i, value in zip(asked.indices, asked.values, strict=True))
    length = 1.2 * (1 - 0.75 + 0.75 * 3 / 120)
    assert product == pytest.approx(2.0 * 2 * 2.2 / (2 + length))


def test_a_filter_has_no_more_predicates_than_chroma_cloud_takes() -> None:
    everything = PassageFilter(("a",), ("en",), ("c",), "2020-01-01", "2021-01-01", "read")
    assert len(passing(3, everything, embedded=True)["$and"]) <= 8


def test_no_record_is_larger_than_chroma_cloud_takes(engine: ChromaEngine) -> None:
    write(engine, [talk("b" * 400, *("word " * 5_000 for _ in range(2)))])
    for collection in engine.client.list_collections():
        found = engine.client.get_collection(collection.name).get(include=["documents", "metadatas"])
        assert all(len(one.encode()) <= 128 for one in found["ids"])
        assert all(len((document or "").encode()) <= 16_384 for document in found["documents"])
        assert all(len(str(value).encode()) <= 4_096 for own in found["metadatas"] for value in own.values())


def test_a_write_has_no_more_records_than_chroma_cloud_takes(
    engine: ChromaEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    put = chromadb.Collection.upsert
    monkeypatch.setattr(
        chromadb.Collection, "upsert", lambda self, **named: (sizes.append(len(named["ids"])), put(self, **named))[1]
    )
    write(engine, [talk("long", *(f"w{n}" for n in range(700)))])
    assert max(sizes) <= 300
    assert chroma_service.BATCH == 300
