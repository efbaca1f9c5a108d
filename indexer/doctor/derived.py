"""What is made of the catalog and the vectors: columns, calibration, map of topics; and the encoder in its home."""

from __future__ import annotations

import sqlite3
import tempfile
from pathlib import Path

import numpy as np

from talksearch.indexer import layout
from talksearch.indexer.arrays import Floats
from talksearch.indexer.encoders import check_home, model_home, onnx_encoder
from talksearch.indexer.encoders.base import Encoder, ModelCard
from talksearch.indexer.errors import ModelError
from talksearch.indexer.pipeline import topic_map
from talksearch.indexer.stores import calibration, topics, vectors
from talksearch.indexer.stores.columns import update

from .findings import RUN, Finding, finding

_SAMPLE = 64
"""Passages on which the exported model is tried."""


def check_columns(folder: Path, db: sqlite3.Connection, dimension: int, mend: bool) -> bool:
    """Say whether the columns are what would be made from nothing now; with `mend` they are from then on."""
    if mend:
        return update.check(folder, db, dimension, mend=True)
    with tempfile.TemporaryDirectory() as scratch_folder:  # nothing is written into an index that is only looked at
        scratch = Path(scratch_folder)
        copy = layout.VECTORS.within(folder)
        if copy.exists():
            layout.VECTORS.within(scratch).symlink_to(copy.absolute())
        update.write(scratch, db, dimension)
        return update.same_columns(layout.COLUMNS.within(folder), layout.COLUMNS.within(scratch))


def check_encoder(db: sqlite3.Connection, folder: Path, card: ModelCard, mend: bool) -> list[Finding]:
    """Check that the encoder in the home of the model is whole, and gives the vectors of the index."""
    texts, known_vectors = _sample(db, folder, card.dimension)
    problem = check_home.check(card, texts, known_vectors, mend=mend)
    if problem is None:
        return []
    return [Finding(problem.what, problem.mended, problem.advice or ("" if problem.mended else RUN))]


def _load_encoder(card: ModelCard) -> Encoder:
    home = model_home.find(card)
    if home is None:
        raise ModelError(f"There is no encoder of the model {card.name!r} on this machine.", RUN)
    return onnx_encoder.load(home, card)


def _sample(db: sqlite3.Connection, folder: Path, dimension: int) -> tuple[list[str], Floats]:
    """Return the texts of some passages, from all over the index, and their vectors (n, dimension)."""
    rows = db.execute("SELECT number FROM passages WHERE embedded ORDER BY number")
    numbers = np.fromiter((number for (number,) in rows), np.int64)
    step = -(-len(numbers) // _SAMPLE) or 1
    sampled = numbers[::step]
    copy = vectors.read(folder, dimension)
    positions = copy.find(sampled)
    in_copy = positions >= 0
    texts = [
        db.execute("SELECT text FROM passages WHERE number = ?", (number,)).fetchone()[0]
        for number in sampled[in_copy].tolist()
    ]
    return texts, np.array(copy.rows[positions[in_copy]])


def check_calibration(
    db: sqlite3.Connection, folder: Path, card: ModelCard, mend: bool, encoder: Encoder | None, *, other_findings: bool
) -> list[Finding]:
    """Check that what grades hits was measured on this state of the index.

    With `other_findings` the index itself was just mended, so that a calibration is old because of that.
    """
    if calibration.check(folder, db, card):
        return []
    is_finding = not other_findings or calibration.read(folder, card) is None
    mended = mend and calibration.mend(folder, db, card, lambda: encoder or _load_encoder(card))
    if mended and not is_finding:
        return []
    advice = "" if mended else "Make it: talksearch index" if mend else RUN
    return [Finding("What hits are graded by was missing, old or damaged.", mended, advice)]


def check_topics(
    db: sqlite3.Connection, folder: Path, dimension: int, mend: bool, *, other_findings: bool
) -> list[Finding]:
    """Check that the map of topics is one of this state of the index.

    With `other_findings` the index itself was just mended, so that a map is old because of that.
    """
    if topic_map.check(folder, db, dimension):
        return []
    is_finding = not other_findings or topics.read(folder) is None
    if mend:
        topic_map.update(folder, db, dimension)
    return [finding("The map of topics was missing, old or damaged.", mend)] if is_finding else []
