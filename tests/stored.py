"""Talks as stores hold them, small enough that a person can see what must be found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

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
)

DIMENSION = 8
FILES = StoreFiles({"recipe.json": b'{"model": {"name": "m"}, "splitting": {}, "format": 8}'})
OTHER_FILES = StoreFiles({"recipe.json": b'{"model": {"name": "another"}, "splitting": {}, "format": 8}'})


def talk(
    name: str,
    *texts: str,
    revision: str = "1",
    language: str = "en",
    date: str | None = None,
    channel: str = "Harbour",
    source: int = 7,
) -> StoredTalk:
    """A talk of some passages; the vector of each is told by its first word."""
    facts = TalkFacts(
        name, name.title(), channel, None, language, date, "exact", 60_000, f"/{name}.vtt", None, ("Ada", "Bo")
    )
    vectors = np.array([vector(text.split()[0]) for text in texts], np.float32).reshape(-1, DIMENSION)
    passages = tuple(StoredPassage(f"{name}@{n}", "speech", text, ("Ada",)) for n, text in enumerate(texts))
    rows = f"rows of {name} {revision} ".encode() * 3_000
    return StoredTalk(facts, source, f"{name}-{revision}", rows, passages, vectors)


def vector(word: str) -> Any:
    """Return a vector that is told by a word."""
    drawn = np.random.default_rng(sum(map(ord, word))).standard_normal(DIMENSION)
    return (drawn / np.linalg.norm(drawn)).astype(np.float32)


def corpus_of(talks: Sequence[StoredTalk]) -> Corpus:
    """Return the statistics of talks, all of them in English."""
    vectors = np.concatenate([np.empty((0, DIMENSION)), *(one.vectors for one in talks)])
    vectors = vectors[~np.isnan(vectors).any(axis=1)]
    passages = sum(len(one.passages) for one in talks)
    return Corpus((LanguageCount("en", len(talks), passages),), len(vectors), vectors.sum(axis=0), vectors.T @ vectors)


def terms_of(talks: Iterable[StoredTalk]) -> list[TermCount]:
    """Return how often each word of some talks is said; the number of talks is made up."""
    words = [word for one in talks for passage in one.passages for word in passage.terms.split()]
    return [TermCount(word, "en", words.count(word), 1) for word in sorted(set(words))]


def write(
    engine: Engine,
    put: Sequence[StoredTalk],
    drop: Sequence[str] = (),
    source: int = 7,
    files: StoreFiles = FILES,
) -> None:
    """Put talks into a store as if they were all that their source has."""
    engine.write(source, iter(put), drop, corpus_of(put), terms_of(put), files)


def held(version: Version) -> dict[str, bytes]:
    """Return what a version holds of each talk, by its id."""
    return {one.facts.id: one.rows for one in version.talks([facts.id for facts in version.facts()])}
