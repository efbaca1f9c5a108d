"""Giving passages their vectors: each text goes through the model once, into Chroma and into the copy.

While the model works on a window of passages, in a thread of its own, another has the window before it put into the
stores, and the next one is read and laid out for the model, which never waits. A window counts as embedded only when
the stores have it.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from talksearch.indexer.arrays import Floats, Ints
from talksearch.indexer.encoders import token_codes
from talksearch.indexer.encoders.base import Encoder, TokenEncoder
from talksearch.indexer.stores import catalog, vectors
from talksearch.indexer.stores.chroma.describe import describe
from talksearch.indexer.stores.chroma.store import by_partition, drop, ids_in, open_partition
from talksearch.indexer.stores.chroma.writer import PassageWriter, writer
from talksearch.indexer.stores.vectors import Vectors

_WINDOW = 1_024
"""Passages between two commits: an interrupted run loses no more than two windows, and the stores have one left to
write when the model is done. With fewer, too few have the same length, which the model likes."""

_SAMPLE = 4_096
"""Passages of which an encoder is chosen and made, spread over all that wait."""


@dataclass(frozen=True, slots=True)
class PassageEncoding:
    """What the model says of a text."""

    vector: Floats
    codes: bytes | None
    """What its tokens mean (`tokens.encode`); None where the model gives tokens no vectors."""


@dataclass(frozen=True, slots=True)
class _Window:
    """Passages that get their vectors together."""

    numbers: Ints
    ids: list[str]
    texts: list[str]
    digests: list[bytes]
    same: list[int | None]
    """The number of another passage with the same text that has its vector, if any."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A window that the model works on, or will next."""

    window: _Window
    known: dict[bytes, PassageEncoding]
    """What is known of its texts, by digest."""
    fresh: list[bytes]
    """Digests of the texts that the model was given."""
    meaning: Future[list[PassageEncoding]] | None

    def meant(self, before: Mapping[bytes, PassageEncoding]) -> list[PassageEncoding]:
        """Wait for the model, and return what is meant by each text, given what the window `before` meant."""
        found = {**before, **self.known}
        if self.meaning is not None:
            found.update(zip(self.fresh, self.meaning.result(), strict=True))
        return [found[digest] for digest in self.window.digests]


def embed_pending(
    db: sqlite3.Connection,
    folder: Path,
    encoder_for: Callable[[Sequence[str], int], Encoder],
    gone: Mapping[str, int],
    dimension: Callable[[], int],
    tell: Callable[[int, int], None],
) -> int:
    """Embed every passage that has no vector yet and take the vectors of `gone` passages, ids and numbers, out.

    `encoder_for` gives the encoder for a sample of what waits, and how many passages wait; nothing is loaded before
    there is a text to embed. `tell(done, total)` hears of progress. Returns how many passages went through the model: a
    text that was embedded before, or stands twice, does not.
    """
    total = db.execute("SELECT count(*) FROM passages WHERE NOT embedded").fetchone()[0]
    if not total and not gone:
        return 0
    tell(0, total)
    drop(folder, gone)
    with writer(folder, total, _sizes(_numbers(db, "WHERE embedded"))) as put:
        encoder = cache(lambda: encoder_for(_sample(db, total), total))
        encoded, held = _embed(db, folder, encoder, dimension, put, lambda n: tell(n, total))
    numbers = _numbers(db, "")
    sizes = _sizes(numbers)
    for part in held:
        if held[part] != sizes[part]:
            _sweep(db, folder, part)
    vectors.compact(folder, dimension(), numbers)
    return encoded


def mend_copy(db: sqlite3.Connection, folder: Path, dimension: int) -> int:
    """Take from Chroma what the copy lacks of the embedded passages. Returns how many vectors that were."""
    numbers = _numbers(db, "WHERE embedded")
    lacking = numbers[vectors.read(folder, dimension).find(numbers) < 0]
    if not len(lacking):
        return 0
    have = 0
    for part, own in by_partition(lacking):
        with open_partition(folder, part) as (store, collection):
            mine = lacking[own].tolist()
            for at in range(0, len(mine), _WINDOW):
                some = mine[at : at + _WINDOW]
                ids = dict(db.execute(f"SELECT id, number FROM passages WHERE number IN ({_marks(some)})", some))  # noqa: S608
                found = store.read(collection, list(ids))
                with catalog.transaction(db):  # what Chroma lost as well is embedded anew
                    db.executemany(
                        "UPDATE passages SET embedded = 0 WHERE number = ?",
                        ((number,) for id_, number in ids.items() if id_ not in found),
                    )
                if found:
                    had, rows = zip(*sorted((ids[id_], vector) for id_, vector in found.items()), strict=True)
                    vectors.append(folder, np.array(had, np.int64), np.array(rows, np.float32))
                    have += len(had)
    return have


_PENDING = """
SELECT number, id, text, digest,
    (SELECT other.number FROM passages other WHERE other.digest = passages.digest AND other.embedded LIMIT 1)
FROM passages WHERE NOT embedded AND number > ? ORDER BY number LIMIT ?
"""


def _embed(
    db: sqlite3.Connection,
    folder: Path,
    encoder: Callable[[], Encoder],
    dimension: Callable[[], int],
    put: PassageWriter,
    tell: Callable[[int], None],
) -> tuple[int, dict[int, int]]:
    """Return how many texts went through the model, and how many passages parts of the store hold that some were put
    into.
    """
    encoded = done = 0
    held: dict[int, int] = {}
    copy: Vectors | None = None
    writing: Future[tuple[Ints, Mapping[int, int]]] | None = None
    before: dict[
        bytes, PassageEncoding
    ] = {}  # of the window whose texts nothing has yet when the next one is asked for
    codes: list[bytes | None] = []

    def record() -> None:
        nonlocal copy, done, writing
        if writing is None:
            return
        numbers, counts = writing.result()
        held.update(counts)
        writing = None
        with catalog.transaction(db):
            catalog.put_embedded(db, numbers.tolist(), codes)
        if copy is not None:
            copy = _grown(copy, folder, dimension(), numbers)
        done += len(numbers)
        tell(done)

    def ask(last: int, already: Collection[bytes]) -> _Asked | None:
        """Give the model the passages behind number `last`, but for texts it has `already`; None without any."""
        nonlocal copy
        window = _next(db, last)
        if window is None:
            return None
        copy = copy or vectors.read(folder, dimension())
        known = _known(db, copy, window, token_codes.read(folder) is not None)
        fresh = {
            digest: text
            for digest, text in zip(window.digests, window.texts, strict=True)
            if digest not in known and digest not in already
        }
        meaning = model.submit(encode, folder, encoder(), list(fresh.values())) if fresh else None
        return _Asked(window, known, list(fresh), meaning)

    with ThreadPoolExecutor(1, "talksearch-stores") as stores, ThreadPoolExecutor(1, "talksearch-model") as model:
        asked = ask(0, ())
        while asked is not None:
            window = asked.window
            rows = describe(db, window.numbers.tolist())
            record()  # before the next window is read, which asks what has a vector
            following = ask(int(window.numbers[-1]), set(window.digests))
            meant = asked.meant(before)
            encoded += len(asked.fresh)
            found: Floats = np.array([one.vector for one in meant], np.float32)
            assert copy is not None  # `ask` has read it
            lacking = copy.find(window.numbers) < 0
            writing = stores.submit(_write, folder, put, window, found, rows, lacking)
            before = dict(zip(window.digests, meant, strict=True))
            codes = [one.codes for one in meant]
            asked = following
        record()
    return encoded, held


def _sample(db: sqlite3.Connection, waiting: int) -> list[str]:
    step = -(-waiting // _SAMPLE)
    rows = db.execute("SELECT text FROM passages WHERE NOT embedded AND number % ? = 0 ORDER BY number", (step,))
    found = [row[0] for row in rows]
    return found or [db.execute("SELECT text FROM passages WHERE NOT embedded LIMIT 1").fetchone()[0]]


def _next(db: sqlite3.Connection, last: int) -> _Window | None:
    """Return the passages after number `last` that wait; None where there are none."""
    rows = db.execute(_PENDING, (last, _WINDOW)).fetchall()
    if not rows:
        return None
    numbers, ids, texts, digests, same = zip(*rows, strict=True)
    return _Window(np.array(numbers, np.int64), list(ids), list(texts), list(digests), list(same))


def encode(folder: Path, encoder: Encoder, texts: Sequence[str]) -> list[PassageEncoding]:
    """Return what the model says of texts, for the index in `folder`."""
    directions = token_codes.read(folder)
    if directions is None or not isinstance(encoder, TokenEncoder):
        return [PassageEncoding(vector, None) for vector in encoder.encode_passages(texts)]
    codes = [b""] * len(texts)

    def keep(at: int, found: Floats) -> None:
        codes[at] = token_codes.encode(directions, found)

    # These products are small, and threads of numpy's library that wait for more take the processor from the model.
    with threadpool_limits(1, "blas"):
        found = encoder.encode_by_token(texts, keep)
    return [PassageEncoding(*both) for both in zip(found, codes, strict=True)]


def _known(db: sqlite3.Connection, copy: Vectors, window: _Window, by_token: bool) -> dict[bytes, PassageEncoding]:
    """Return what the same words were given before. The text of a number never changes, nor does what is said of it."""
    known: dict[bytes, PassageEncoding] = {}
    same = np.array([-1 if number is None else number for number in window.same], np.int64)
    for numbers in (same, window.numbers):
        rows = copy.find(numbers)
        had = catalog.read_tokens(db, numbers[rows >= 0].tolist()) if by_token else {}
        for at in np.flatnonzero(rows >= 0):
            codes = had.get(int(numbers[at]))
            if codes is not None or not by_token:
                known.setdefault(window.digests[at], PassageEncoding(np.array(copy.rows[rows[at]]), codes))
    return known


def _write(
    folder: Path,
    put: PassageWriter,
    window: _Window,
    found: Floats,
    rows: list[dict[str, Any]],
    lacking: np.ndarray,
) -> tuple[Ints, Mapping[int, int]]:
    """Put a window into Chroma and the copy and return its numbers, and how many passages Chroma then holds."""
    held = put(window.numbers, window.ids, found, rows)
    if lacking.any():
        vectors.append(folder, window.numbers[lacking], found[lacking])
    return window.numbers, held


def _grown(copy: Vectors, folder: Path, dimension: int, numbers: Ints) -> Vectors:
    """Return the copy with what was appended. To read the numbers of a large file anew for each window takes longer
    than to embed the window.
    """
    own = copy.numbers
    known = np.concatenate([own, numbers[copy.find(numbers) < 0]])
    return replace(vectors.read(folder, dimension), read_numbers=lambda: known)


def _sizes(numbers: Ints) -> Counter[int]:
    """Return how many of some passages lie in each part of the store."""
    return Counter({part: own.stop - own.start for part, own in by_partition(numbers)})


def _sweep(db: sqlite3.Connection, folder: Path, part: int) -> None:
    """Take out of a part of the store what the catalog does not know to be there: an interrupted run left it."""
    alive = ids_in(db, part)
    with open_partition(folder, part) as (store, collection):
        store.drop(collection, [id_ for id_ in store.all_ids(collection) if id_ not in alive])


def _numbers(db: sqlite3.Connection, where: str) -> Ints:
    rows = db.execute(f"SELECT number FROM passages {where} ORDER BY number")  # noqa: S608 - our own words
    return np.fromiter((row[0] for row in rows), np.int64)


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
