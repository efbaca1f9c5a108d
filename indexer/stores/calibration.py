"""What an index gives to queries that have nothing to do with it: how near is usual where there is no answer.

Something is always nearest, and each model has its own scale of cosines. `NULL_QUERIES` say where an index stands:
three numbers (`layout.CALIBRATION`), made at the end of an indexing run and read by queries, which grade hits with them
(`search.results.grade`). The vectors of the null queries are kept beside them (`layout.NULL_VECTORS`) and in the home
of the model, so that they are made only once for a model. All these files may be deleted; the next indexing run makes
them again, and until then hits have no grade.
"""

from __future__ import annotations

import hashlib
import json
import math
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, astuple, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from talksearch.indexer import layout
from talksearch.indexer.arrays import Floats, Ints, npy_bytes
from talksearch.indexer.encoders import checksums, model_home
from talksearch.indexer.encoders.base import Encoder, ModelCard
from talksearch.indexer.encoders.null_queries import NULL_QUERIES
from talksearch.indexer.errors import ModelError

from . import vectors
from .state import state_of
from .vectors import Vectors, blocks

FEWEST = 50
"""Passages that a calibration needs: fewer say nothing about how near is usual."""

_LOW_PERCENTILE = 15.865
"""The percentile of the null queries' nearest cosines that counts: of a normal distribution, so many of a hundred lie
more than one deviation below the median."""

_LEAST_DEVIATION = 1e-6
"""A deviation is never taken to be smaller, because cosines are divided by it."""

_GROWTH = 2.0
"""How many times as much the nearest cosine grows with the archive as it would if cosines were independent and normal.
Halves, quarters, eighths and sixteenths of 29,147 passages (`bitcoin` and `nyu`) so tell the cosine of the whole to
within .01."""

_ROUNDING = 1e-4
"""By how much the measurements of two machines may differ, as a share."""

_NULLS = "vectors.npy"
"""The file that holds the vectors of the null queries in the home of the model."""

_LENGTH_TOLERANCE = 1e-3
"""How far a vector's length may be from 1."""


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
    highest = np.full(len(nulls), -np.inf)
    sums, squares = np.zeros(len(nulls)), np.zeros(len(nulls))
    for rows in blocks:
        cosines = rows @ nulls.T
        count += len(rows)
        highest = np.maximum(highest, cosines.max(axis=0, initial=-np.inf))
        sums += cosines.sum(axis=0)
        squares += np.einsum("ij,ij->j", cosines, cosines)
    if count < FEWEST or not len(nulls):
        return None
    deviations = np.sqrt(np.maximum(squares / count - (sums / count) ** 2, 0.0))
    deviation = max(float(np.median(deviations)), _LEAST_DEVIATION)
    return Calibration(float(np.percentile(highest, _LOW_PERCENTILE)), deviation, count)


def grown(part: Calibration, passages: int) -> Calibration:
    """Return the calibration of a whole of which a part was calibrated.

    The highest of n independent cosines lies about sqrt(2 ln n) deviations above their mean. Those of an archive are no
    normal ones, and its parts speak of other things: the nearest cosine grows by `_GROWTH` times as much.

    Args:
        part: The calibration of a part, as of what one writer put into a store.
        passages: How many vectors the whole has.
    """
    if passages <= part.passages:
        return part
    more = math.sqrt(2 * math.log(passages)) - math.sqrt(2 * math.log(part.passages))
    return Calibration(part.cosine + _GROWTH * part.deviation * more, part.deviation, passages)


def write(folder: Path, db: sqlite3.Connection, card: ModelCard, encoder: Callable[[], Encoder] | None) -> bool:
    """Calibrate an index where that was not done for its state, which takes half a second for 100,000 passages.

    Args:
        folder: the index.
        db: its catalog.
        card: its model.
        encoder: returns the encoder; called only where the null queries have no vectors yet. Without one, or where it
            cannot be loaded, the index then stays as it is.

    Returns:
        Whether it was done.
    """
    values = _values(folder)
    if values.get("state") == list(state_of(folder, db)) and values.get("nulls") == _null_queries_id(card):
        return False
    return mend(folder, db, card, encoder)


def check(folder: Path, db: sqlite3.Connection, card: ModelCard) -> bool:
    """Say whether both files are whole and hold what `write` would measure now, or there are too few passages."""
    copy = vectors.read(folder, card.dimension)
    rows = _rows_of_passages(db, copy)
    if len(rows) < FEWEST:
        return True
    nulls = _null_vectors(folder, card)
    known = read(folder, card)
    if nulls is None or known is None or _values(folder).get("state") != list(state_of(folder, db)):
        return False
    measured = calibrate(blocks(copy.rows, rows), nulls)
    return measured is not None and bool(np.allclose(astuple(measured), astuple(known), rtol=_ROUNDING, atol=0))


def mend(folder: Path, db: sqlite3.Connection, card: ModelCard, encoder: Callable[[], Encoder] | None) -> bool:
    """Calibrate an index anew, whatever is there; the arguments and the result are those of `write`."""
    state = state_of(folder, db)
    copy = vectors.read(folder, card.dimension)
    rows = _rows_of_passages(db, copy)
    if len(rows) < FEWEST:
        return False
    nulls = _null_vectors(folder, card)
    if nulls is None and encoder is not None:
        try:
            nulls = _nulls_of_model(card, encoder)
        except ModelError:  # a search that needs the encoder says so; without grades all else works
            return False
        _keep_nulls(folder, nulls)
    if nulls is None:
        return False
    measured = calibrate(blocks(copy.rows, rows), nulls)
    values = {"state": state, "nulls": _null_queries_id(card), **(asdict(measured) if measured else {})}
    with layout.replace_file(layout.CALIBRATION.within(folder)) as fresh:
        fresh.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
        checksums.forget(folder, layout.CALIBRATION.name)
    checksums.note(folder, layout.CALIBRATION.name)
    return True


def take_nulls(folder: Path, other: Path, card: ModelCard) -> None:
    """Take the vectors of the null queries from another index of the model, where an index has none of its own."""
    nulls = _null_vectors(other, card)
    if nulls is None or _null_vectors(folder, card) is not None:
        return
    _keep_nulls(folder, nulls)
    with layout.replace_file(layout.CALIBRATION.within(folder)) as fresh:
        fresh.write_text(json.dumps({"nulls": _null_queries_id(card)}) + "\n", encoding="utf-8")
        checksums.forget(folder, layout.CALIBRATION.name)


def _nulls_of_model(card: ModelCard, encoder: Callable[[], Encoder]) -> Floats:
    """Return the vectors of the null queries that an index of the same model has left in its home, else make them.

    Raises ModelError where the encoder cannot be loaded.
    """
    home = model_home.find(card)
    kept = home / f"nulls-{_null_queries_id(card)}" if home else None  # a folder with a checksum of its own
    if kept and checksums.are_right(kept):
        known = _read_nulls(kept / _NULLS, card)
        if known is not None:
            return known
    nulls = _encode_nulls(encoder())
    if kept:
        with suppress(OSError):  # the next index makes them again
            kept.mkdir(mode=0o700, exist_ok=True)
            _save(kept / _NULLS, nulls)
            checksums.write(kept, [_NULLS])
    return nulls


def _encode_nulls(encoder: Encoder) -> Floats:
    """Return the vectors of the null queries (m, dimension), made at once where the model's prompts allow it."""
    query, passage = encoder.card.query_prompt, encoder.card.passage_prompt
    if query.startswith(passage):  # most models have no prompt, or only one for queries
        rest = query.removeprefix(passage)
        return encoder.encode_passages([rest + text for text in NULL_QUERIES])
    return np.array([encoder.encode_query(text) for text in NULL_QUERIES], np.float32)


def _keep_nulls(folder: Path, nulls: Floats) -> None:
    """Put the vectors of the null queries into an index, and note what the file is like."""
    checksums.forget(folder, layout.NULL_VECTORS.name)
    _save(layout.NULL_VECTORS.within(folder), nulls)
    checksums.note(folder, layout.NULL_VECTORS.name)


def _save(path: Path, nulls: Floats) -> None:
    with layout.replace_file(path) as fresh:
        fresh.write_bytes(npy_bytes(nulls))


def read(folder: Path, card: ModelCard) -> Calibration | None:
    """Return how an index was last calibrated; None where it never was with this model and these null queries."""
    values = _values(folder)
    try:
        calibration = Calibration(float(values["cosine"]), float(values["deviation"]), int(values["passages"]))
        is_usable = values["nulls"] == _null_queries_id(card) and calibration.deviation > 0
    except (KeyError, TypeError, ValueError):
        return None
    return calibration if is_usable else None


def _rows_of_passages(db: sqlite3.Connection, copy: Vectors) -> Ints:
    """Return the rows of the copy that hold passages, in the order of the file.

    Whether a passage counts as embedded does not matter: that may change where nothing else does.
    """
    numbers = np.fromiter((number for (number,) in db.execute("SELECT number FROM passages")), np.int64)
    rows = copy.find(numbers)
    return np.sort(rows[rows >= 0])


def _values(folder: Path) -> dict[str, Any]:
    """Return what the file holds; nothing where it is missing or damaged."""
    if not checksums.may_be_read(folder, layout.CALIBRATION.name):
        return {}
    try:
        values = json.loads(layout.CALIBRATION.within(folder).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


@cache  # a query asks, and there are hundreds of null queries to go through
def _null_queries_id(card: ModelCard) -> str:
    """Return what tells the vectors of the null queries from those of another model, or of other queries."""
    made_of = json.dumps([card.name, card.fingerprint, card.dimension, card.query_prompt, NULL_QUERIES])
    return hashlib.blake2b(made_of.encode(), digest_size=16).hexdigest()


def _null_vectors(folder: Path, card: ModelCard) -> Floats | None:
    """Return the vectors of the null queries that an earlier run made, with this model and these queries."""
    if _values(folder).get("nulls") != _null_queries_id(card):
        return None
    if not checksums.may_be_read(folder, layout.NULL_VECTORS.name):
        return None
    return _read_nulls(layout.NULL_VECTORS.within(folder), card)


def _read_nulls(path: Path, card: ModelCard) -> Floats | None:
    """Return the vectors of the null queries in a file; None where they are not there, or damaged."""
    try:
        nulls: Floats = np.load(path)
    except (OSError, ValueError, EOFError):
        return None
    if nulls.shape != (len(NULL_QUERIES), card.dimension) or nulls.dtype != np.float32:
        return None
    with np.errstate(all="ignore"):  # damaged numbers may be of any size
        lengths = np.linalg.norm(nulls, axis=1)
        return nulls if np.allclose(lengths, 1.0, rtol=0, atol=_LENGTH_TOLERANCE) else None
