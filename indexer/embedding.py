"""Giving passages their vectors: each text goes through the model once, into Chroma and into the copy."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from . import catalog, vectors
from .embed import Encoder
from .vectors import Floats, Ints, Vectors

_WINDOW = 2_048
"""Passages between two commits: an interrupted run loses no more than these."""


def embed_pending(
    db: sqlite3.Connection,
    folder: Path,
    encoder_for: Callable[[Sequence[str]], Encoder],
    gone: Sequence[str],
    dimension: Callable[[], int],
    tell: Callable[[int, int], None],
) -> int:
    """Embed every passage that has no vector yet and take the vectors of `gone` passages out.

    `encoder_for` gives the encoder once texts to embed are known, so that nothing is loaded when there are none;
    `tell(done, total)` hears of progress. Returns how many passages went through the model: a text that was embedded
    before, or stands twice, does not.
    """
    total = db.execute("SELECT count(*) FROM passages WHERE NOT embedded").fetchone()[0]
    if not total and not gone:
        return 0
    encoded = done = 0
    tell(0, total)
    with opened(folder) as (store, collection):
        store.drop(collection, gone)
        while numbers := [row[0] for row in db.execute(_PENDING, (_WINDOW,))]:
            encoded += _embed(db, folder, numbers, encoder_for, dimension(), store, collection)
            done += len(numbers)
            tell(done, total)
        _sweep(db, folder, dimension(), store, collection)
    return encoded


def mend_copy(db: sqlite3.Connection, folder: Path, dimension: int) -> int:
    """Take from Chroma what the copy lacks of the embedded passages. Returns how many vectors that were."""
    rows = db.execute("SELECT number, id FROM passages WHERE embedded").fetchall()
    numbers = np.array([row[0] for row in rows], np.int64)
    lacking = np.flatnonzero(vectors.read(folder, dimension).find(numbers) < 0)
    if not len(lacking):
        return 0
    with opened(folder) as (store, collection):
        found = store.read(collection, [rows[at][1] for at in lacking])
    have = [at for at in lacking if rows[at][1] in found]
    lost = [(int(numbers[at]),) for at in lacking if rows[at][1] not in found]
    with catalog.transaction(db):  # what Chroma lost as well is embedded anew
        db.executemany("UPDATE passages SET embedded = 0 WHERE number = ?", lost)
    if have:
        vectors.append(folder, numbers[have], np.array([found[rows[at][1]] for at in have], np.float32))
    return len(have)


@contextmanager
def opened(folder: Path) -> Iterator[tuple[Any, Any]]:
    """Open the Chroma store for a while: (the `store` module, the collection)."""
    from . import store  # importing chromadb costs a second

    client, collection = store.open_store(folder)
    try:
        yield store, collection
    finally:
        client.close()


_PENDING = "SELECT number FROM passages WHERE NOT embedded ORDER BY number LIMIT ?"


def _embed(
    db: sqlite3.Connection,
    folder: Path,
    numbers: Sequence[int],
    encoder_for: Callable[[Sequence[str]], Encoder],
    dimension: int,
    store: Any,
    collection: Any,
) -> int:
    rows = [
        db.execute("SELECT id, text, digest FROM passages WHERE number = ?", (number,)).fetchone() for number in numbers
    ]
    copy = vectors.read(folder, dimension)
    known = {digest: vector for _, _, digest in rows if (vector := _known(db, copy, digest)) is not None}
    fresh = {digest: text for _, text, digest in rows if digest not in known}
    if fresh:
        texts = list(fresh.values())
        known.update(zip(fresh, encoder_for(texts).encode_passages(texts), strict=True))
    found: Floats = np.array([known[digest] for _, _, digest in rows], np.float32)
    store.put(collection, [row[0] for row in rows], found, store.describe(db, numbers))
    wanted: Ints = np.array(numbers, np.int64)
    lacking = copy.find(wanted) < 0
    if lacking.any():
        vectors.append(folder, wanted[lacking], found[lacking])
    with catalog.transaction(db):
        db.executemany("UPDATE passages SET embedded = 1 WHERE number = ?", ((number,) for number in numbers))
    return len(fresh)


def _known(db: sqlite3.Connection, copy: Vectors, digest: bytes) -> Floats | None:
    """Return the vector that the same words were given before. A number's text never changes, nor does its vector."""
    same = db.execute("SELECT number FROM passages WHERE digest = ? LIMIT 8", (digest,)).fetchall()
    rows = copy.find(np.array([row[0] for row in same], np.int64))
    rows = rows[rows >= 0]
    return np.array(copy.rows[rows[0]]) if len(rows) else None


def _sweep(db: sqlite3.Connection, folder: Path, dimension: int, store: Any, collection: Any) -> None:
    """Take out of the store what the catalog does not know, left there by an interrupted run; shrink the copy."""
    alive = dict(db.execute("SELECT id, number FROM passages"))
    if collection.count() != len(alive):
        store.drop(collection, [id_ for id_ in store.all_ids(collection) if id_ not in alive])
    vectors.compact(folder, dimension, alive.values())
