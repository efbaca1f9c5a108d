"""What an index gives to queries that have nothing to do with it: how near is usual where there is no answer.

Something is always nearest, and each model has its own scale of cosines. `NULL_QUERIES` say where an index stands:
three numbers in `calibration.json`, made at the end of an indexing run and read by queries, which grade hits with them
(`search.results.grade`). The vectors of the null queries are kept in `nulls.npy`, so that they are made only once
for a model. Both files may be deleted; the next indexing run makes them again, and until then hits have no grade.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import asdict, astuple, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from talksearch.indexer.arrays import Floats, Ints
from talksearch.indexer.encoders.base import Encoder, ModelCard
from talksearch.indexer.encoders.null_queries import NULL_QUERIES
from talksearch.indexer.errors import ModelError

from . import catalog, vectors
from .vectors import Vectors, blocks

FILE_NAME = "calibration.json"
NULLS_NAME = "nulls.npy"

FEWEST = 50
"""Passages below which nothing is usual: one of ten that says a word may answer, or may not."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What an index gives to queries that have nothing to do with it."""

    cosine: float
    """The cosine of the nearest passage to a query that is surely not answered."""
    deviation: float
    """The usual deviation of the cosines of one query."""
    passages: int
    """Vectors that it was measured on."""


def calibrate(blocks: Iterable[Floats], nulls: Floats) -> Calibration | None:
    """Measure vectors that come in blocks (n, dimension) with those of null queries (m, dimension).

    Returns None for fewer than FEWEST vectors. A large archive answers many of the null queries, if only by half. So
    the nearest cosine is taken of those queries for which it is low, as low as it is for one in six.
    """
    count = 0
    tops = np.full(len(nulls), -np.inf)
    sums, squares = np.zeros(len(nulls)), np.zeros(len(nulls))
    for rows in blocks:
        cosines = rows @ nulls.T
        count += len(rows)
        tops = np.maximum(tops, cosines.max(axis=0, initial=-np.inf))
        sums += cosines.sum(axis=0)
        squares += np.einsum("ij,ij->j", cosines, cosines)
    if count < FEWEST or not len(nulls):
        return None
    deviations = np.sqrt(np.maximum(squares / count - (sums / count) ** 2, 0.0))
    # Of a normal distribution, 15.865 of a hundred lie more than one deviation below the median.
    return Calibration(float(np.percentile(tops, 15.865)), max(float(np.median(deviations)), 1e-6), count)


def write(folder: Path, db: sqlite3.Connection, card: ModelCard, encoder: Callable[[], Encoder] | None) -> bool:
    """Calibrate an index where that was not done for its state. Returns whether it was done.

    About half a second for 100,000 passages. The `encoder` is asked for only where the null queries have no vectors
    yet; without one, or where it cannot be loaded, the index then stays as it is.
    """
    name, state = _name(card), _state(folder, db)
    before = _read(folder)
    if before.get("state") == state and before.get("nulls") == name:
        return False
    return mend(folder, db, card, encoder)


def check(folder: Path, db: sqlite3.Connection, card: ModelCard) -> bool:
    """Say whether both files are whole and say what `write` would measure now, or there are too few passages for it."""
    copy = vectors.read(folder, card.dimension)
    rows = _rows(db, copy)
    if len(rows) < FEWEST:
        return True
    nulls = _nulls(folder, _name(card), card.dimension)
    known = read(folder, card)
    if nulls is None or known is None or _read(folder).get("state") != _state(folder, db):
        return False
    found = calibrate(blocks(copy.rows, rows), nulls)
    return found is not None and bool(np.allclose(astuple(found), astuple(known), rtol=_ROUNDING, atol=0))


_ROUNDING = 1e-4
"""By how much two machines may measure otherwise, as a share."""


def mend(folder: Path, db: sqlite3.Connection, card: ModelCard, encoder: Callable[[], Encoder] | None) -> bool:
    """Calibrate an index anew, whatever is there. Returns whether it was done (`write`)."""
    name, state = _name(card), _state(folder, db)
    copy = vectors.read(folder, card.dimension)
    rows = _rows(db, copy)
    if len(rows) < FEWEST:
        return False
    nulls = _nulls(folder, name, card.dimension)
    if nulls is None and encoder is not None:
        try:
            encode = encoder().encode_query
        except ModelError:  # whoever searches is told of it; without grades all else works
            return False
        nulls = np.array([encode(query) for query in NULL_QUERIES], np.float32)
        fresh = folder / f"{NULLS_NAME}.new"
        with fresh.open("wb") as file:
            np.save(file, nulls)
        fresh.replace(folder / NULLS_NAME)
    if nulls is None:
        return False
    found = calibrate(blocks(copy.rows, rows), nulls)
    values = {"state": state, "nulls": name, **(asdict(found) if found else {})}
    fresh = folder / f"{FILE_NAME}.new"
    fresh.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
    fresh.replace(folder / FILE_NAME)
    return True


def _state(folder: Path, db: sqlite3.Connection) -> list[Any]:
    return [*catalog.version(db), *vectors.fingerprint(folder)]


def _rows(db: sqlite3.Connection, copy: Vectors) -> Ints:
    """Return the rows of the copy that hold embedded passages, in the order of the file."""
    numbers = np.fromiter((row[0] for row in db.execute("SELECT number FROM passages WHERE embedded")), np.int64)
    rows = copy.find(numbers)
    return np.sort(rows[rows >= 0])


def read(folder: Path, card: ModelCard) -> Calibration | None:
    """Return how an index was last calibrated; None where it never was with this model and these null queries."""
    values = _read(folder)
    try:
        found = Calibration(
            float(values["cosine"]),
            float(values["deviation"]),
            int(values["passages"]),
        )
        return found if values["nulls"] == _name(card) and found.deviation > 0 else None
    except (KeyError, TypeError, ValueError):
        return None


def _read(folder: Path) -> dict[str, Any]:
    try:
        values = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


@cache  # a query asks, and there are hundreds of null queries to go through
def _name(card: ModelCard) -> str:
    """Return what tells the vectors of the null queries from those of another model, or of other queries."""
    made_of = json.dumps([card.name, card.fingerprint, card.dimension, card.query_prompt, NULL_QUERIES])
    return hashlib.blake2b(made_of.encode(), digest_size=16).hexdigest()


def _nulls(folder: Path, name: str, dimension: int) -> Floats | None:
    """Return the vectors of the null queries that an earlier run made, with this model and these queries."""
    if _read(folder).get("nulls") != name:
        return None
    try:
        found = np.load(folder / NULLS_NAME)
    except (OSError, ValueError, EOFError):
        return None
    if found.shape != (len(NULL_QUERIES), dimension) or found.dtype != np.float32:
        return None
    with np.errstate(all="ignore"):  # damaged numbers may be of any size
        return found if np.allclose(np.linalg.norm(found, axis=1), 1.0, rtol=0, atol=_AT_LENGTH_ONE) else None


_AT_LENGTH_ONE = 1e-3
"""How far a vector's length may be from 1."""
