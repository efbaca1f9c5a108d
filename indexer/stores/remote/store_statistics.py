"""The statistics of a store, and what else belongs to no single talk, as bytes; and those of several writers as one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from zlib import compress, decompressobj, error

import numpy as np
import numpy.typing as npt

from talksearch.indexer.errors import StoreError
from talksearch.indexer.records import Json
from talksearch.indexer.stores import calibration
from talksearch.indexer.stores.calibration import NullCosines

from .engine import Corpus, LanguageCount, TermCount

MOST_BYTES = 256 << 20
"""What anything packed may hold when it is unpacked, and what a state may hold of no single talk, or a talk."""


def add_up(parts: Sequence[Corpus]) -> Corpus:
    """Return the statistics of what several writers put, from those of each.

    What null queries have to a few passages alone, no writer knows, and it hardly changes those of all.
    """
    nulls = [part.nulls for part in parts if part.vectors >= calibration.FEWEST or part.nulls is not None]
    counts: dict[str, tuple[int, int]] = {}
    for count in chain.from_iterable(part.languages for part in parts):
        talks, passages = counts.get(count.language, (0, 0))
        counts[count.language] = talks + count.talks, passages + count.passages
    return Corpus(
        tuple(LanguageCount(language, talks, passages) for language, (talks, passages) in counts.items()),
        sum(part.vectors for part in parts),
        np.sum([part.vector_sum for part in parts], axis=0),
        np.sum([part.product_sum for part in parts], axis=0),
        None if None in nulls else calibration.put_together([known for known in nulls if known is not None]),
    )


def pack_corpus(corpus: Corpus) -> bytes:
    """Return statistics as bytes."""
    head = [corpus.vectors, len(corpus.vector_sum), [list(count) for count in corpus.languages]]
    sums = [corpus.vector_sum, corpus.product_sum.ravel()]
    if (nulls := corpus.nulls) is not None:
        head += [nulls.queries, len(nulls.nearest)]
        sums += [nulls.nearest, nulls.sums, nulls.squares]
    packed = json.dumps(head).encode()
    return len(packed).to_bytes(4, "little") + packed + np.concatenate(sums).astype("<f8").tobytes()


def unpack_corpus(content: bytes) -> Corpus:
    """Return statistics from their bytes. Raises StoreError where these are no such thing."""
    try:
        length = int.from_bytes(content[:4], "little")
        vectors, dimension, languages, *of_nulls = json.loads(content[4 : 4 + length])
        _row([vectors, dimension, *of_nulls], (int, int, *((str, int) if of_nulls else ())))
        sums = np.frombuffer(content[4 + length :], "<f8")
        return Corpus(
            tuple(LanguageCount(*_row(values, (str, int, int))) for values in languages),
            vectors,
            sums[:dimension].copy(),
            sums[dimension : dimension * (dimension + 1)].reshape(dimension, dimension).copy(),
            _nulls(sums[dimension * (dimension + 1) :], *of_nulls),
        )
    except (ValueError, TypeError, RecursionError) as failure:
        raise _not_ours() from failure


def _nulls(values: npt.NDArray[np.float64], queries: str | None = None, count: int = 0) -> NullCosines | None:
    if queries is None:
        return None
    nearest, sums, squares = values.reshape(3, count).copy()
    return NullCosines(queries, nearest, sums, squares)


def pack_terms(terms: Iterable[TermCount]) -> bytes:
    """Return how often terms are said as bytes."""
    return compress(json.dumps([list(count) for count in terms], ensure_ascii=False).encode())


def unpack_terms(content: bytes) -> Iterator[TermCount]:
    """Yield how often terms are said, from what `pack_terms` returned. Raises StoreError where it is no such thing."""
    try:
        for values in json.loads(inflate(content)):
            yield TermCount(*_row(values, (str, str, int, int)))
    except (ValueError, TypeError, RecursionError) as failure:
        raise _not_ours() from failure


def _row(values: Json, kinds: tuple[type, ...]) -> Sequence[Json]:
    """Return values of JSON that anybody may have written. Raises TypeError where they are of other kinds."""
    if not isinstance(values, list) or tuple(map(type, values)) != kinds:
        raise TypeError("values of other kinds")
    return values


def inflate(content: bytes) -> bytes:
    """Return what was compressed. Raises StoreError where it is damaged, or more than anything here can be."""
    stream = decompressobj()
    try:
        plain = stream.decompress(content, MOST_BYTES)
    except error as failure:
        raise _not_ours() from failure
    if stream.unconsumed_tail:
        raise _not_ours()
    return plain


def too_large() -> StoreError:
    """Return what to raise where a store holds more for a state or a talk than any index has."""
    return StoreError(
        f"The store holds more than {MOST_BYTES >> 20} MB for one state or one talk, which is more than any index has.",
        "It is damaged, or of somebody else. Use another address, and put the index there.",
    )


def is_same_recipe(one: bytes, other: bytes) -> bool:
    """Say whether two recipes, as bytes of JSON, give vectors and passages that may lie side by side."""
    return _decisive(one) == _decisive(other)


def _decisive(recipe: bytes) -> list[object]:
    values = json.loads(recipe)
    return [values.get(key) for key in ("model", "splitting", "format")]


def _not_ours() -> StoreError:
    return StoreError(
        "Something in the store is damaged, or not of this version of talksearch.", "Put the index there again."
    )
