"""An index as values that two builds of the same archive share, and what tells two of them apart.

`dump` reads everything that an index holds: the catalog row by row, Chroma's documents, metadata and vectors, the copy
of the vectors, the small files. Left out is what may differ between two runs that did the same: the numbers of talks
and passages, which are never used twice, and so the fingerprints that are made of them; times of change; where the
archive lies. `leftovers` lists what lies in an index or beside it and belongs to nothing.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from talksearch.indexer import layout
from talksearch.indexer.arrays import Floats
from talksearch.indexer.encoders import token_codes
from talksearch.indexer.pipeline import topic_map
from talksearch.indexer.stores import calibration, recipe, vectors
from talksearch.indexer.stores.chroma.client import open_store
from talksearch.indexer.stores.chroma.collection import partition_of
from talksearch.indexer.stores.columns import update
from talksearch.search import make_overview

Bits = npt.NDArray[np.uint8]
Dump = dict[str, Any]
"""Lists of rows by the name of the table or file; what is no row is a value of its own."""

NEAR = 0.995
"""The least cosine of two vectors of the same text. How many texts wait decides which copy of the model makes their
vectors, with products of floats or of bytes, and after an interrupted run fewer wait."""

ALIKE = 0.9
"""The least share of equal bits in the codes of the same tokens: each is the sign of a product, which may be near 0."""

CLOSE = 0.03
"""How far a place on the map of topics, from 0 to 1, or a mean of cosines may be off: they are made of the vectors in
the order of their numbers."""

_NUMBERS = frozenset(("number", "talk", "stamp", "seal", "changes", "sum"))
"""Columns that hold numbers which are never used twice, times of change, and what is made of either: sums are made of
numbers, and of how the word index grew; whether they are right, the doctor says."""

_SHADOW = "words_"
"""The tables that SQLite's word index consists of begin with this."""

_NAMED = 3
"""How many rows are shown of those in which two dumps differ."""


def dump(index: Path, archive: Path) -> Dump:
    """Return what an index holds. Raises what the parts raise where they are damaged.

    Args:
        index: The folder of the index; nobody may be writing to it.
        archive: The folder that was indexed: its name is replaced wherever it stands.
    """
    with closing(sqlite3.connect(f"file:{layout.CATALOG.within(index)}?mode=ro", uri=True)) as db:
        known = recipe.read(index)
        if known is None:
            return {"tables": _tables(db, str(archive))}
        return {
            "tables": _tables(db, str(archive)),
            "recipe": _without(json.loads(layout.RECIPE.within(index).read_text()), "embedded_by"),
            "chroma": _chroma(index, str(archive)),
            "copy": _copy(db, index, known.model.dimension),
            "tokens": _tokens(db),
            "directions": token_codes.read(index),
            "columns are what would be made now": _columns_hold(index, db, known.model.dimension),
            "calibration is of this state": calibration.check(index, db, known.model),
            "topics are of this state": topic_map.check(index, db, known.model.dimension),
            "overview is of this state": not make_overview.is_outdated(index),
            "calibration": _without(_json(layout.CALIBRATION.within(index)), "state"),
            "topics": _without(_json(layout.TOPICS.within(index)), "state"),
            "overview": _without(_json(layout.OVERVIEW.within(index)), "version"),
        }


def differences(one: Dump, other: Dump) -> list[str]:
    """Return in which parts two dumps differ, and in what; an empty list where they are equal."""
    return list(_differences("", one, other))


def leftovers(index: Path, *, running: bool = False) -> list[str]:
    """Return what lies in an index or beside it that is none of its entries, or comes and goes with a run.

    `running`: a run has the index now, so that what comes and goes may be there.
    """
    gone = () if running else (layout.PACE, layout.ASKED, layout.LOCK_HOLDER, layout.CHROMA_DAMAGED)
    may_lie = {entry.name for entry in layout.ENTRIES} - {entry.name for entry in gone}
    inside = [path.name for path in index.iterdir() if path.name not in may_lie]
    beside = [path.name for path in index.parent.iterdir() if path != index]
    chroma = layout.CHROMA.within(index)
    strange = [f"chroma/{path.name}" for path in chroma.iterdir() if path.is_dir()] if chroma.is_dir() else []
    return sorted(inside) + sorted(beside) + sorted(strange[_segments(index) :])


def _segments(index: Path) -> int:
    """Return how many folders of vectors Chroma's own database knows."""
    with closing(sqlite3.connect(f"file:{layout.CHROMA.within(index)}/chroma.sqlite3?mode=ro", uri=True)) as db:
        return int(db.execute("SELECT count(*) FROM segments WHERE scope = 'VECTOR'").fetchone()[0])


def _tables(db: sqlite3.Connection, archive: str) -> Dump:
    talk_of = dict(db.execute("SELECT number, id FROM talks"))
    names = [
        name
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        if not name.startswith((_SHADOW, "sqlite_")) and name != "tokens"
    ]
    tables = {name: _rows(db, name, talk_of, archive) for name in names}
    passage_of = dict(db.execute("SELECT number, id FROM passages"))
    tables["words"] = sorted(
        f"{passage_of.get(number, f'passage {number} that is not there')}: {terms} | {track_terms}"
        for number, terms, track_terms in db.execute("SELECT rowid, terms, track_terms FROM words")
    )
    return tables


def _rows(db: sqlite3.Connection, table: str, talk_of: Mapping[int, str], archive: str) -> list[str]:
    columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
    rows = []
    for row in db.execute(f"SELECT * FROM {table}"):
        values = dict(zip(columns, row, strict=True))
        kept = {name: value for name, value in values.items() if name not in _NUMBERS}
        if "talk" in values:
            kept["talk"] = talk_of.get(values["talk"], f"talk {values['talk']} that is not there")
        if table in ("cues", "tracks", "track_cues"):
            kept["number"] = values["number"]  # counted in the talk
        rows.append(_text(kept).replace(archive, "ARCHIVE"))
    return sorted(rows)


def _chroma(index: Path, archive: str) -> Dump:
    client, _ = open_store(index)
    with closing(client):
        held: Dump = {"documents": [], "vectors": {}}
        for collection in client.list_collections():
            if partition_of(collection.name) is None:
                held["documents"].append(f"the collection {collection.name}, which is not ours")
                continue
            everything = collection.get(include=["documents", "metadatas", "embeddings"])
            for passage, document, metadata, vector in zip(
                everything["ids"],
                everything["documents"],
                everything["metadatas"],
                everything["embeddings"],
                strict=True,
            ):
                told = {key: value for key, value in (metadata or {}).items() if key not in _NUMBERS}
                row = _text({"id": passage, "document": document, **told})
                held["documents"].append(row.replace(archive, "ARCHIVE"))
                held["vectors"][passage] = np.asarray(vector, np.float32)
        held["documents"].sort()
        return held


def _copy(db: sqlite3.Connection, index: Path, dimension: int) -> dict[str, Floats]:
    """Return the vectors of the copy by passage. A record that is dead by now may lie in it."""
    copy = vectors.read(index, dimension)
    rows = db.execute("SELECT number, id FROM passages ORDER BY number").fetchall()
    positions = copy.find(np.array([number for number, _ in rows], np.int64))
    return {
        passage: np.array(copy.rows[position])
        for (_, passage), position in zip(rows, positions.tolist(), strict=True)
        if position >= 0
    }


def _tokens(db: sqlite3.Connection) -> dict[str, Bits]:
    """Return the codes of tokens by passage, as bits; under its number where there is no such passage."""
    rows = db.execute("SELECT t.number, p.id, t.codes FROM tokens t LEFT JOIN passages p USING (number)")
    return {
        passage or f"passage {number} that is not there": np.unpackbits(np.frombuffer(codes, np.uint8))
        for number, passage, codes in rows
    }


def _columns_hold(index: Path, db: sqlite3.Connection, dimension: int) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        scratch, copy = Path(folder), layout.VECTORS.within(index)
        if copy.exists():
            layout.VECTORS.within(scratch).symlink_to(copy.absolute())
        update.write(scratch, db, dimension)
        return update.same_columns(layout.COLUMNS.within(index), layout.COLUMNS.within(scratch))


def _differences(name: str, one: Any, other: Any) -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({*one, *other}, key=str):
            if key not in one or key not in other:
                yield f"{name}/{key} is only in the {'second' if key not in one else 'first'}"
            else:
                yield from _differences(f"{name}/{key}".removeprefix("/"), one[key], other[key])
    elif isinstance(one, np.ndarray) and isinstance(other, np.ndarray) and one.shape != other.shape:
        yield f"{name}: {one.shape} in the first, {other.shape} in the second"
    elif isinstance(one, np.ndarray) and one.dtype == np.uint8:
        same = float(np.mean(one == other))
        if same < ALIKE:
            yield f"{name}: {same:.1%} of the bits are the same"
    elif isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        one, other = one.ravel(), other.ravel()
        cosine = float(one @ other / max(np.linalg.norm(one) * np.linalg.norm(other), 1e-9))
        if cosine < NEAR:
            yield f"{name}: the vectors have a cosine of {cosine:.4f}"
    elif isinstance(one, float) and isinstance(other, float):
        if abs(one - other) > CLOSE:
            yield f"{name}: {one:.3f} in the first, {other:.3f} in the second"
    elif _has_numbers(one) and _has_numbers(other) and len(one) == len(other):
        for position, (number, other_number) in enumerate(zip(one, other, strict=True)):
            yield from _differences(f"{name}/{position}", number, other_number)
    elif isinstance(one, list) and isinstance(other, list):
        yield from _different_rows(name, one, other)
    elif one != other:
        yield f"{name}: {_text(one)[:200]} in the first, {_text(other)[:200]} in the second"


def _has_numbers(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(held, float) for held in value)


def _different_rows(name: str, one: Sequence[str], other: Sequence[str]) -> Iterator[str]:
    for told, here, there in (("first", one, other), ("second", other, one)):
        rest = list(there)
        only = [row for row in here if not _taken(row, rest)]
        if only:
            shown = "; ".join(_text(row)[:160] for row in only[:_NAMED])
            yield f"{name}: {len(only)} rows only in the {told}: {shown}"


def _taken(row: str, rows: list[str]) -> bool:
    if row in rows:
        rows.remove(row)
        return True
    return False


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def _without(value: Any, *keys: str) -> Any:
    return {key: held for key, held in value.items() if key not in keys} if isinstance(value, dict) else value


def _text(value: Any) -> str:
    def plain(held: object) -> str:
        return held.hex() if isinstance(held, bytes) else str(held)

    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=plain)
