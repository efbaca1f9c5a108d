"""What talks become in a Chroma service: records that keep its limits, and the filters that find them again.

The limits are those of Chroma Cloud (its page "Quotas & Limits"): 300 records a write and 300 results, documents of
16,384 bytes, ids of 128, eight predicates in a filter. A server of one's own allows more, and the same records serve.

Chroma has neither versions nor transactions, so each record says from which state of its writer on it holds, and up to
which (multi-version concurrency control): a reader asks for what holds in the state that it opened. A record that no
state has made known yet, or that none holds any more, is never found.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, cast, get_args
from zlib import crc32

import numpy as np

from talksearch.indexer.arrays import Floats
from talksearch.indexer.records import Field

from .engine import PassageFilter, StoredPassage, StoredTalk, TalkFacts

BATCH = 300
"""Records in a write, and results, at most."""

FOREVER = 1 << 52
"""Up to which state a record holds that is still right. A number in JSON is exact up to here."""

WORDS = "words"
"""The key of a record under which its words are a sparse vector, where the service searches those."""

_DOCUMENT = 15_000
"""Characters of a document at most; they are ASCII where they are packed."""
_VALUE = 4_000
"""Characters of a value of metadata at most; names are ASCII where they are packed."""

_SATURATION, _LENGTH, _USUAL = 1.2, 0.75, 120
"""BM25's k1 and b, and the length in terms that counts as usual: what is weighed when a passage is put must not depend
on what others say, and passages are about that long."""

Where = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ChromaRecord:
    """A record of Chroma."""

    id: str
    document: str
    metadata: dict[str, Any]
    vector: Floats


def blob_records(kind: str, name: str, revision: str, content: bytes, state: int) -> list[ChromaRecord]:
    """Return the records that hold some bytes, in pieces.

    Args:
        kind: What they are.
        name: Whose they are.
        revision: Tells them from others of this name.
        content: The bytes.
        state: From which state of the writer on they hold.
    """
    text = base64.b85encode(content).decode()
    pieces = [text[start : start + _DOCUMENT] for start in range(0, len(text), _DOCUMENT)] or [""]
    vector = np.ones(1, np.float32)
    return [
        ChromaRecord(
            f"{kind}-{_short(name)}-{_short(revision)}-{state}-{number}",
            piece,
            {
                "kind": kind,
                "name": name,
                "revision": revision,
                "part": number,
                "parts": len(pieces),
                "from": state,
                "until": FOREVER,
            },
            vector,
        )
        for number, piece in enumerate(pieces)
    ]


def blobs(documents: Sequence[str], metadatas: Sequence[Mapping[str, Any]]) -> dict[str, bytes]:
    """Return the bytes that records hold, by name; those of which a piece is missing are left out."""
    pieces: dict[str, dict[int, str]] = {}
    wanted: dict[str, int] = {}
    for document, metadata in zip(documents, metadatas, strict=True):
        pieces.setdefault(str(metadata["name"]), {})[int(metadata["part"])] = document
        wanted[str(metadata["name"])] = int(metadata["parts"])
    return {
        name: base64.b85decode("".join(parts[number] for number in range(wanted[name])))
        for name, parts in pieces.items()
        if len(parts) == wanted[name]
    }


def passage_records(talk: StoredTalk, state: int, *, sparse: bool) -> Iterator[ChromaRecord]:
    """Yield the records of a talk's passages. One without a vector has zeros for it, which are near to nothing."""
    for number, (passage, vector) in enumerate(zip(talk.passages, talk.vectors, strict=True)):
        embedded = not np.isnan(vector).any()
        metadata = {
            "talk": talk.facts.id,
            "passage": passage.id,
            "number": number,
            "from": state,
            "until": FOREVER,
            "embedded": embedded,
            "language": talk.facts.language or "",
            "channel": talk.facts.channel or "",
            "timing": talk.facts.timing,
            "day": _day(talk.facts.date),
            "field": passage.field,
            "speakers": _names(passage.speakers),
        }
        if sparse:
            metadata[WORDS] = sparse_words(passage)
        yield ChromaRecord(
            # With the state: what becomes again as it was must not take the place of a record that is still read.
            f"{_short(talk.facts.id)}-{_short(talk.revision)}-{state}-{number}",
            f" {passage.terms} "[:_DOCUMENT],
            metadata,
            vector if embedded else np.zeros_like(vector),
        )


def sparse_words(passage: StoredPassage) -> Any:
    """Return the terms of a passage as a sparse vector, each by its hash, weighed as BM25 weighs them without idf."""
    counts = Counter(passage.terms.split())
    norm = _SATURATION * (1 - _LENGTH + _LENGTH * sum(counts.values()) / _USUAL)
    return _sparse({term: count * (_SATURATION + 1) / (count + norm) for term, count in counts.items()})


def sparse_query(weights: Mapping[str, float]) -> Any:
    """Return the terms of a query as a sparse vector, weighed by how much each tells: the product is then BM25."""
    return _sparse({part: weight for term, weight in weights.items() for part in term.split()})


def _sparse(weights: Mapping[str, float]) -> Any:
    from chromadb.base_types import SparseVector

    by_hash: dict[int, float] = {}
    for term, weight in weights.items():
        number = crc32(term.encode()) & 0x7FFF_FFFF
        by_hash[number] = by_hash.get(number, 0.0) + weight
    return SparseVector(indices=sorted(by_hash), values=[by_hash[number] for number in sorted(by_hash)])


def holding(state: int, **values: str) -> Where:
    """Return the filter of what holds in a state of its writer, and has some values."""
    return _all(
        [{"from": {"$lte": state}}, {"until": {"$gt": state}}, *({key: value} for key, value in values.items())]
    )


def passing(state: int, wanted: PassageFilter, *, embedded: bool) -> Where:
    """Return the filter of the passages that may be found in a state: no more than eight predicates."""
    conditions: list[Where] = [{"from": {"$lte": state}}, {"until": {"$gt": state}}]
    if embedded:
        conditions.append({"embedded": True})
    for key, values in (("talk", wanted.talk_ids), ("language", wanted.languages), ("channel", wanted.channels)):
        if values:
            conditions.append({key: {"$in": list(values)}})
    # Of a date that is only a month or a year, any day may be meant: those pass, and are looked at closely later.
    if wanted.after:
        conditions.append({"day": {"$gte": int(wanted.after[:4]) * 10_000}})
    if wanted.before:
        conditions.append({"day": {"$lte": int(wanted.before.replace("-", ""))}})
    if wanted.timing and len(conditions) < 8:
        conditions.append({"timing": wanted.timing})
    return _all(conditions)


def packed_facts(facts: TalkFacts) -> bytes:
    """Return the facts of a talk as bytes."""
    return json.dumps(asdict(facts), ensure_ascii=False).encode()


def batches(records: Iterable[ChromaRecord]) -> Iterator[tuple[ChromaRecord, ...]]:
    """Yield records as many at a time as a write may have."""
    remaining = iter(records)
    while batch := tuple(islice(remaining, BATCH)):
        yield batch


def stored_passage(document: str, metadata: Mapping[str, Any]) -> StoredPassage:
    """Return the passage that a record holds. One of an earlier version tells neither field nor speakers."""
    field = str(metadata.get("field", "speech"))
    speakers = json.loads(str(metadata.get("speakers", "[]")))
    if not isinstance(speakers, list):
        raise ValueError("the speakers of a passage are no list")
    return StoredPassage(
        str(metadata["passage"]),
        cast(Field, field if field in get_args(Field) else "speech"),
        document.strip(),
        tuple(map(str, speakers)),
    )


def _names(speakers: Sequence[str]) -> str:
    """Return names as JSON, as many of the first as a value of Chroma Cloud holds."""
    names = list(speakers)
    while len(packed := json.dumps(names)) > _VALUE:
        del names[len(names) // 2 :]
    return packed


def _all(conditions: Sequence[Where]) -> Where:
    return {"$and": list(conditions)} if len(conditions) > 1 else conditions[0]


def _day(date: str | None) -> int:
    """Return a date as a number, 0 where it is not known; the beginning of one is its first day."""
    digits = (date or "").replace("-", "")
    return int(digits.ljust(8, "0")) if digits.isdigit() else 0


def _short(text: str) -> str:
    """Return a digest of 16 bytes in 32 characters."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
