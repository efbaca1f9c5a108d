"""A store in LanceDB, in folders and in a bucket that moto serves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from talksearch.indexer.errors import StoreError
from talksearch.indexer.stores.remote.address import open_engine
from talksearch.indexer.stores.remote.engine import (
    Corpus,
    Engine,
    LanguageCount,
    StoredPassage,
    StoredTalk,
    StoreFiles,
    TalkFacts,
    TermCount,
    Version,
    Wanted,
)

DIMENSION = 8
FILES = StoreFiles({"recipe.json": b'{"model": {"name": "m"}, "splitting": {}, "format": 8}'})


def talk(name: str, *texts: str, revision: str = "1", language: str = "en", date: str | None = None) -> StoredTalk:
    """A talk of some passages; the vector of each is told by its first word."""
    facts = TalkFacts(
        name, name.title(), "Harbour", None, language, date, "exact", 60_000, f"/{name}.vtt", None, ("Ada",)
    )
    vectors = np.array([vector(text.split()[0]) for text in texts], np.float32).reshape(-1, DIMENSION)
    passages = tuple(StoredPassage(f"{name}@{n}", "speech", text, ("Ada",)) for n, text in enumerate(texts))
    return StoredTalk(facts, 7, f"{name}-{revision}", f"rows of {name} {revision} ".encode() * 3_000, passages, vectors)


def vector(word: str) -> Any:
    drawn = np.random.default_rng(sum(map(ord, word))).standard_normal(DIMENSION)
    return (drawn / np.linalg.norm(drawn)).astype(np.float32)


def corpus_of(talks: Sequence[StoredTalk]) -> Corpus:
    sums = sum((one.vectors.sum(axis=0, dtype=np.float64) for one in talks), np.zeros(DIMENSION))
    products = sum((one.vectors.T.astype(np.float64) @ one.vectors for one in talks), np.zeros((DIMENSION, DIMENSION)))
    passages = sum(len(one.passages) for one in talks)
    return Corpus((LanguageCount("en", len(talks), passages),), passages, sums, products)


def write(
    engine: Engine, put: Sequence[StoredTalk], drop: Sequence[str] = (), source: int = 7, files: Any = FILES
) -> None:
    words = [word for one in put for passage in one.passages for word in passage.terms.split()]
    counts = [TermCount(word, "en", words.count(word), 1) for word in sorted(set(words))]
    engine.write(source, iter(put), drop, corpus_of(put), counts, files)


def held(version: Version) -> dict[str, bytes]:
    return {one.facts.id: one.rows for one in version.talks([facts.id for facts in version.facts()])}


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_engine(f"lance://{tmp_path / 'store'}")


def test_talks_come_back_as_they_were_put(engine: Engine) -> None:
    bees = talk("bees", "bee dance", "hive winter")
    write(engine, [bees, talk("tides", *(f"tide{n} moon" for n in range(400)))])
    version = engine.open()
    (back,) = version.talks(["bees", "nobody"])
    assert (back.facts, back.source, back.revision, back.rows) == (bees.facts, 7, bees.revision, bees.rows)
    assert back.passages == bees.passages
    assert np.array_equal(back.vectors, bees.vectors)
    assert len(version.talks(["tides"])[0].passages) == 400
    assert version.files() == FILES
    assert {count.term: count.passages for count in version.term_counts()}["moon"] == 400
    assert (version.corpus().talks, version.corpus().passages) == (2, 402)
    assert engine.revisions(7) == {"bees": "bees-1", "tides": "tides-1"} == version.revisions(["bees", "tides"])
    assert engine.revisions(8) == {}
    assert engine.open() is version
    write(engine, [talk("bees", "other words", revision="2")], ["tides"])
    assert engine.open().name != version.name
    assert held(engine.open()) == {"bees": b"rows of bees 2 " * 3_000}
    assert set(held(version)) == {"bees", "tides"}
    assert version.nearest(vector("tide7"), Wanted(), 2)[0].passage_id == "tides@7"
    assert engine.open().saying(["moon"], Wanted(), 2) == []


def test_nothing_there(engine: Engine) -> None:
    with pytest.raises(StoreError, match="There is no store"):
        engine.open()
