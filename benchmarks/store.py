"""What a store on other machines takes and gives: the rate of writing, its size, how long candidates take, how right.

    python benchmarks/scale.py --store lance:///tmp/scale --sizes 1000000

The talks are made up: a hundred passages each, whose vectors lie around some of 2,000 subjects as passages of an
archive do, and whose words are drawn by Zipf's law. Queries are such vectors, and one to three words. Nothing is kept
of the talks: each is made again from its number, so that exact answers to compare with need no memory.

Prints one line for writing, one for exactness (the share of the ten nearest passages among 10 and among 200 candidates)
and one for each number of clients: answers a second, and the time in which half and 95 of 100 came. A client asks for
the 200 nearest passages and for 200 that say the words, as a query does. The store stays; `--sizes 0` only asks it.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter
from urllib.parse import urlsplit

import numpy as np
from qdrant_engine import QdrantEngine, QdrantVersion

from talksearch.indexer.arrays import Floats
from talksearch.indexer.stores.remote.address import open_engine
from talksearch.indexer.stores.remote.engine import (
    Corpus,
    Engine,
    LanguageCount,
    PassageFilter,
    StoredPassage,
    StoredTalk,
    StoreFiles,
    TalkFacts,
    TermCount,
    Version,
)

Store = Engine | QdrantEngine
SOURCE = 1
DIMENSION = 384
PASSAGES = 100
"""Of a talk."""
SUBJECTS, PER_TALK = 2_000, 3
VOCABULARY, LENGTH, EXPONENT = 50_000, 60, 1.1
"""How many words there are, how many of them a passage has, and by which power they grow rarer."""
SPREAD = 0.9
"""How far a passage lies from its subject, as a share of its length: two passages of one subject then have a cosine of
about .55, and any two of .0."""
CANDIDATES = 200
QUERIES = 50
CLIENTS, SECONDS = (1, 8, 32), 10.0
RECIPE = b'{"model": {"name": "made up"}, "splitting": {}, "format": 8}'


def subjects() -> Floats:
    """Return the vectors of the subjects (SUBJECTS, DIMENSION)."""
    return unit(np.random.default_rng(0).standard_normal((SUBJECTS, DIMENSION), np.float32))


def unit(vectors: Floats) -> Floats:
    """Return vectors at length 1."""
    lengths: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return lengths


def around(drawn: np.random.Generator, centres: Floats) -> Floats:
    """Return a vector near each of some centres."""
    noise = unit(drawn.standard_normal(centres.shape, np.float32))
    return unit(centres + np.float32(SPREAD) * noise)


def words(drawn: np.random.Generator, count: int) -> list[str]:
    """Return texts of words that are drawn by Zipf's law."""
    ranks = np.minimum(drawn.zipf(EXPONENT, (count, LENGTH)), VOCABULARY)
    return [" ".join(f"w{rank}" for rank in row) for row in ranks.tolist()]


def vectors_of(number: int, centres: Floats) -> Floats:
    """Return the vectors of the talk with a number, the same each time (PASSAGES, DIMENSION)."""
    drawn = np.random.default_rng((1, number))
    own = drawn.integers(0, SUBJECTS, PER_TALK)
    return around(drawn, centres[np.repeat(own, -(-PASSAGES // PER_TALK))[:PASSAGES]])


def talk_of(number: int, centres: Floats) -> StoredTalk:
    """Return the talk with a number, the same each time."""
    name = f"talk-{number}"
    facts = TalkFacts(name, name, None, None, "en", "2024-01-01", "read", 3_600_000, f"/{name}.vtt")
    texts = words(np.random.default_rng((2, number)), PASSAGES)
    passages = tuple(StoredPassage(f"{name}@{place}", "speech", text, ()) for place, text in enumerate(texts))
    rows = np.random.default_rng((3, number)).bytes(40_000)  # about what the rows of such a talk take, compressed
    return StoredTalk(facts, SOURCE, name, rows, passages, vectors_of(number, centres))


def write(store: Store, url: str, talks: int, centres: Floats) -> None:
    """Put made-up talks into a store and print how long that took."""
    spoken: Counter[str] = Counter()

    def made() -> Iterator[StoredTalk]:
        for number in range(talks):
            talk = talk_of(number, centres)
            spoken.update(word for passage in talk.passages for word in set(passage.terms.split()))
            yield talk

    def counted() -> Iterator[TermCount]:
        for word, passages in spoken.items():
            yield TermCount(word, "en", passages, min(talks, passages))

    corpus = Corpus(
        (LanguageCount("en", talks, talks * PASSAGES),),
        talks * PASSAGES,
        np.zeros(DIMENSION),
        np.eye(DIMENSION) * talks * PASSAGES / DIMENSION,
    )
    started = perf_counter()
    store.write(SOURCE, made(), (), corpus, counted(), StoreFiles({"recipe.json": RECIPE}))
    took = perf_counter() - started
    started = perf_counter()
    for number in range(min(talks, 200)):
        talk_of(number, centres)
    making = (perf_counter() - started) / min(talks, 200) * talks
    size = size_of(url)
    told = f", {size / 1e6:,.0f} MB, {size / (talks * PASSAGES):,.0f} bytes a passage" if size else ""
    print(
        f"wrote {talks * PASSAGES:,} passages in {took:,.0f} s, of which {making:,.0f} s to make them up: "
        f"{talks * PASSAGES / max(took - making, 1e-9):,.0f} passages a second{told}"
    )


def size_of(url: str) -> int:
    """Return the bytes of a store in a folder, 0 for any other."""
    parts = urlsplit(url)
    if parts.scheme not in ("lance", "qdrant"):
        return 0
    return sum(file.stat().st_size for file in Path(parts.path).rglob("*") if file.is_file())


def questions(centres: Floats) -> tuple[Floats, list[list[str]]]:
    """Return the vectors and the words of the queries."""
    drawn = np.random.default_rng(4)
    asked = around(drawn, centres[drawn.integers(0, SUBJECTS, QUERIES)])
    ranks = np.minimum(drawn.zipf(EXPONENT, (QUERIES, 3)) + 20, VOCABULARY)  # the commonest are stop terms
    return asked, [[f"w{rank}" for rank in row[: 1 + place % 3]] for place, row in enumerate(ranks.tolist())]


def exactness(version: Version | QdrantVersion, talks: int, centres: Floats, asked: Floats) -> None:
    """Print the share of the ten nearest passages that are among the candidates."""
    best = np.full((len(asked), 0), 0.0, np.float32)
    names = np.full((len(asked), 0), 0, np.int64)
    for number in range(talks):
        cosines = asked @ vectors_of(number, centres).T
        best = np.hstack([best, cosines])
        names = np.hstack([names, np.tile(np.arange(PASSAGES) + number * PASSAGES, (len(asked), 1))])
        if best.shape[1] > 5_000 or number == talks - 1:
            order = np.argsort(-best, axis=1)[:, :10]
            best, names = np.take_along_axis(best, order, 1), np.take_along_axis(names, order, 1)
    shares = []
    for count in (10, CANDIDATES):
        right = 0
        for vector, nearest in zip(asked, names.tolist(), strict=True):
            found = {found.passage_id for found in version.nearest(vector, PassageFilter(), count)}
            right += len(found & {f"talk-{one // PASSAGES}@{one % PASSAGES}" for one in nearest})
        shares.append(right / names.size)
    print(f"recall@10 of 10 candidates {shares[0]:.3f}, of {CANDIDATES} {shares[1]:.3f} ({len(asked)} queries)")


def latency(version: Version | QdrantVersion, asked: Floats, said: list[list[str]], clients: int) -> None:
    """Print how long candidates take where so many clients ask at once."""
    took: list[float] = []
    lock = threading.Lock()
    ends = perf_counter() + SECONDS

    def ask(client: int) -> None:
        place = client
        while perf_counter() < ends:
            started = perf_counter()
            version.nearest(asked[place % len(asked)], PassageFilter(), CANDIDATES)
            version.saying(said[place % len(said)], PassageFilter(), CANDIDATES)
            with lock:
                took.append(perf_counter() - started)
            place += clients

    started = perf_counter()
    with ThreadPoolExecutor(clients) as threads:
        list(threads.map(ask, range(clients)))
    rate = len(took) / (perf_counter() - started)
    half, most = np.percentile(np.array(took) * 1000, (50, 95))
    print(f"{clients:3} clients: {rate:7.1f} answers a second, half within {half:,.0f} ms, 95 % within {most:,.0f} ms")


def measure(url: str, passages: int) -> None:
    """Put made-up passages into a store, none where it is only asked, and print what it takes and gives."""
    centres = subjects()
    talks = passages // PASSAGES
    store: Store = QdrantEngine(url, DIMENSION) if url.startswith("qdrant:") else open_engine(url)
    if talks:
        write(store, url, talks, centres)
    started = perf_counter()
    version = store.open()
    corpus = version.corpus()
    print(f"opened in {(perf_counter() - started) * 1000:,.0f} ms: {corpus.passages:,} passages")
    asked, said = questions(centres)
    exactness(version, corpus.talks, centres, asked)
    for clients in CLIENTS:
        latency(version, asked, said, clients)
