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
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, astuple, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

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

_NEAREST_DIGITS = 6
"""Digits of the nearest cosines in the file."""

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


@dataclass(frozen=True, slots=True, eq=False)
class NullCosines:
    """What the null queries have to the vectors of an index. Those of several indexes are put together without these
    vectors: the calibration of all is then exactly that of one index of all.
    """

    queries: str
    """What tells the null queries and the model from others."""
    nearest: npt.NDArray[np.float64]
    """The highest cosine of each null query (m,)."""
    sums: npt.NDArray[np.float64]
    """The sum of the cosines of each (m,)."""
    squares: npt.NDArray[np.float64]
    """The sum of their squares (m,)."""


def put_together(parts: Sequence[NullCosines]) -> NullCosines | None:
    """Return the cosines of several indexes as those of one. None where there are none, or of different queries."""
    if len({(part.queries, len(part.nearest)) for part in parts}) != 1:
        return None
    return NullCosines(
        parts[0].queries,
        np.max([part.nearest for part in parts], axis=0),
        np.sum([part.sums for part in parts], axis=0),
        np.sum([part.squares for part in parts], axis=0),
    )


def null_cosines(
    folder: Path, card: ModelCard, vector_sum: npt.NDArray[np.float64], product_sum: npt.NDArray[np.float64]
) -> NullCosines | None:
    """Return the cosines of an index as it was last calibrated; None where it was not, or by an earlier version.

    Args:
        folder: The index.
        card: Its model.
        vector_sum: The sum of its vectors (dimension,).
        product_sum: The sum of their outer products (dimension, dimension).
    """
    nulls, nearest = _null_vectors(folder, card), _nearest(_values(folder))
    if nulls is None or nearest is None or len(nearest) != len(nulls) or read(folder, card) is None:
        return None
    rows = nulls.astype(np.float64)
    squares = np.einsum("ij,ij->i", rows @ product_sum, rows)
    return NullCosines(_null_queries_id(card), nearest, rows @ vector_sum, squares)


def file_of(cosines: NullCosines, count: int) -> bytes:
    """Return what `read` takes, given the cosines of so many vectors."""
    measured = _calibration(cosines.nearest, cosines.sums, cosines.squares, count)
    return json.dumps({"nulls": cosines.queries, **asdict(measured)}).encode()


def calibrate(blocks: Iterable[Floats], nulls: Floats) -> Calibration | None:
    """Measure vectors that come in blocks (n, dimension) with those of null queries (m, dimension).

    Returns None for fewer than FEWEST vectors. A large archive answers many of the null queries, if only by half. So
    the nearest cosine is taken of those queries for which it is low, as low as it is for one in six.
    """
    return _measure(blocks, nulls)[0]


def _measure(blocks: Iterable[Floats], nulls: Floats) -> tuple[Calibration | None, npt.NDArray[np.float64]]:
    """Return the calibration, and the highest cosine of each null query (m,)."""
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
        return None, highest
    return _calibration(highest, sums, squares, count), highest


def _calibration(
    nearest: npt.NDArray[np.float64], sums: npt.NDArray[np.float64], squares: npt.NDArray[np.float64], count: int
) -> Calibration:
    deviations = np.sqrt(np.maximum(squares / count - (sums / count) ** 2, 0.0))
    deviation = max(float(np.median(deviations)), _LEAST_DEVIATION)
    return Calibration(float(np.percentile(nearest, _LOW_PERCENTILE)), deviation, count)


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
    is_of_this_state = values.get("state") == list(state_of(folder, db)) and values.get("nulls") == _null_queries_id(
        card
    )
    if is_of_this_state and _nearest(values) is not None:  # earlier versions kept no nearest cosines
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
    measured, nearest = _measure(blocks(copy.rows, rows), nulls)
    kept = _nearest(_values(folder))
    if measured is None or not np.allclose(astuple(measured), astuple(known), rtol=_ROUNDING, atol=0):
        return False
    return kept is None or (len(kept) == len(nearest) and np.allclose(kept, nearest, rtol=0, atol=_ROUNDING))


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
    measured, nearest = _measure(blocks(copy.rows, rows), nulls)
    values = {"state": state, "nulls": _null_queries_id(card), **(asdict(measured) if measured else {})}
    values["nearest"] = [round(cosine, _NEAREST_DIGITS) for cosine in nearest.tolist()]
    with layout.replace_file(layout.CALIBRATION.within(folder)) as fresh:
        fresh.write_text(json.dumps(values) + "\n", encoding="utf-8")
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


def _nearest(values: dict[str, Any]) -> npt.NDArray[np.float64] | None:
    """Return the nearest cosines that the file holds; None where it holds none."""
    try:
        nearest = np.array(values["nearest"], np.float64)
    except (KeyError, TypeError, ValueError):
        return None
    return nearest if nearest.ndim == 1 and np.isfinite(nearest).all() else None


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
