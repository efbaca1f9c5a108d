"""What a store in LanceDB keeps of talks and passages: the columns of its tables, and their conditions in SQL."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from talksearch.indexer.arrays import Floats
from talksearch.indexer.errors import StoreError

from .engine import PassageFilter, StoredPassage, StoredTalk, TalkFacts

TALKS = pa.schema(
    [
        ("id", pa.string()),
        ("title", pa.string()),
        ("channel", pa.string()),
        ("speaker", pa.string()),
        ("language", pa.string()),
        ("date", pa.string()),
        ("timing", pa.string()),
        ("duration_ms", pa.int64()),
        ("path", pa.string()),
        ("youtube_id", pa.string()),
        ("speakers", pa.string()),  # JSON
        ("revision", pa.string()),
        ("passages", pa.int32()),  # how many there are, so that a talk that was put by half is noticed
        ("rows", pa.large_binary()),
    ]
)
"""A talk."""

FACTS = [name for name in TALKS.names if name not in ("revision", "passages", "rows")]
"""The columns of `TalkFacts`."""


def passages_schema(dimension: int) -> pa.Schema:
    """Return the columns of a passage. What talks are filtered by stands in each again: an engine joins nothing."""
    return pa.schema(
        [
            ("id", pa.string()),
            ("talk", pa.string()),
            ("position", pa.int32()),
            ("field", pa.string()),
            ("speakers", pa.string()),  # JSON
            ("terms", pa.string()),
            ("language", pa.string()),
            ("channel", pa.string()),
            ("date", pa.string()),
            ("timing", pa.string()),
            ("vector", pa.list_(pa.float32(), dimension)),  # null where it has none yet
        ]
    )


def talk_rows(talks: Sequence[StoredTalk]) -> pa.Table:
    """Return talks as rows."""
    facts = [talk.facts for talk in talks]
    columns: dict[str, list[Any]] = {name: [getattr(fact, name) for fact in facts] for name in FACTS}
    columns["speakers"] = [_json(fact.speakers) for fact in facts]
    columns["revision"] = [talk.revision for talk in talks]
    columns["passages"] = [len(talk.passages) for talk in talks]
    columns["rows"] = [talk.rows for talk in talks]
    return pa.table(columns, schema=TALKS)


def passage_rows(talk: StoredTalk, schema: pa.Schema) -> pa.RecordBatch:
    """Return the passages of a talk as rows. Raises StoreError where the vectors have another dimension."""
    dimension = schema.field("vector").type.list_size
    count = len(talk.passages)
    if talk.vectors.shape != (count, dimension):
        raise StoreError(
            f"The vectors of the talk {talk.facts.id} have {talk.vectors.shape[1]} dimensions,"
            f" and those of the store {dimension}.",
            "A store holds talks of one model: use another address.",
        )
    facts = talk.facts
    vectors = pa.FixedSizeListArray.from_arrays(
        pa.array(np.ascontiguousarray(talk.vectors, np.float32).ravel()),
        dimension,
        mask=pa.array(np.isnan(talk.vectors).any(axis=1)),
    )
    return pa.record_batch(
        [
            pa.array([passage.id for passage in talk.passages], pa.string()),
            pa.repeat(pa.scalar(facts.id, pa.string()), count),
            pa.array(range(count), pa.int32()),
            pa.array([passage.field for passage in talk.passages], pa.string()),
            pa.array([_json(passage.speakers) for passage in talk.passages], pa.string()),
            pa.array([passage.terms for passage in talk.passages], pa.string()),
            *(
                pa.repeat(pa.scalar(value, pa.string()), count)
                for value in (facts.language, facts.channel, facts.date, facts.timing)
            ),
            vectors,
        ],
        schema=schema,
    )


def facts_of(row: Mapping[str, Any]) -> TalkFacts:
    """Return the facts in a row of `TALKS`."""
    return TalkFacts(**{name: row[name] for name in FACTS if name != "speakers"}, speakers=_names(row["speakers"]))


def passages_of(rows: pa.Table, dimension: int) -> dict[str, tuple[tuple[StoredPassage, ...], Floats]]:
    """Return the passages of talks in their order, and their vectors, by the id of the talk."""
    rows = rows.sort_by([("talk", "ascending"), ("position", "ascending")]).combine_chunks()
    vectors = _vectors(rows["vector"], dimension)
    found: dict[str, tuple[tuple[StoredPassage, ...], Floats]] = {}
    talks = rows["talk"].to_pylist()
    columns = (rows[name].to_pylist() for name in ("id", "field", "terms", "speakers"))
    passages = [
        StoredPassage(id_, field, terms, _names(speakers)) for id_, field, terms, speakers in zip(*columns, strict=True)
    ]
    start = 0
    for end in range(1, len(talks) + 1):
        if end == len(talks) or talks[end] != talks[start]:
            found[talks[start]] = tuple(passages[start:end]), vectors[start:end]
            start = end
    return found


def text(value: str) -> str:
    """Return a text as a literal of SQL.

    >>> text("it's")
    "'it''s'"
    """
    return "'" + value.replace("'", "''") + "'"


def is_one_of(column: str, values: Iterable[str]) -> str:
    """Return the condition that a column has one of some values."""
    literals = ", ".join(map(text, values))
    return f"{column} IN ({literals})" if literals else "FALSE"


def passing(wanted: PassageFilter) -> str | None:
    """Return the condition on passages that may be wanted; None where all may be."""
    conditions = []
    for column, values in (("talk", wanted.talk_ids), ("language", wanted.languages), ("channel", wanted.channels)):
        if values:
            conditions.append(is_one_of(column, values))
    if wanted.after:
        conditions.append(f"date >= {text(wanted.after)}")
    if wanted.before:
        conditions.append(f"date <= {text(wanted.before)}")
    if wanted.timing:
        conditions.append(f"timing = {text(wanted.timing)}")
    return " AND ".join(conditions) or None


def _vectors(column: pa.ChunkedArray, dimension: int) -> Floats:
    """Return vectors as an array (n, dimension), NaN where there is none."""
    array = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    vectors: Floats = np.array(array.values.slice(array.offset * dimension, len(array) * dimension), np.float32)
    vectors = vectors.reshape(len(array), dimension)
    vectors[np.array(array.is_null())] = np.nan
    return vectors


def _json(names: Sequence[str]) -> str:
    return json.dumps(names, ensure_ascii=False) if names else ""


def _names(value: str | None) -> tuple[str, ...]:
    """Return names from JSON that anybody may have written. Raises StoreError where it is none."""
    try:
        names = json.loads(value) if value else []
    except (ValueError, RecursionError):
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise StoreError("The names of speakers in the store are damaged.", "Put the index there again.")
    return tuple(names)
