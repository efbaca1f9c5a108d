"""The indexes of a store in LanceDB: by which terms and vectors are found, and when they are made anew."""

from __future__ import annotations

import math
from datetime import timedelta
from time import time

from .lance_calls import Table

FEWEST_FOR_ANN = 50_000
"""Passages from which on vectors have an index. Looking at all of fewer takes some milliseconds, and finds all."""

PROBED = 0.2
"""The share of the partitions that a query looks into."""

REFINED = 5
"""How many times as many vectors as are wanted a query compares exactly, of those that the index calls nearest."""

_PER_PARTITION = 4_096
_GROWN = 4
"""How many times as many passages there are when the index of vectors is made anew."""

_UNINDEXED_SHARE = 0.05
_FEWEST_UNINDEXED = 20_000
"""Passages that an index lacks are looked at one by one; from so many on, and this share, they are put into it."""

_MANY_FRAGMENTS = 32
"""Parts of a table from which on small ones are put together."""

_TERMS, _TALK = "terms_idx", "talk_idx"
"""What LanceDB calls the index of a column."""


def make_ready(passages: Table, talks: Table, trained: int, since: float) -> int:
    """Have the tables of a writer indexed, and clear away what nobody needs any more.

    Args:
        passages: Its passages.
        talks: Its talks.
        trained: How many passages there were when the index of vectors was made; 0 where there is none.
        since: Versions of the tables that were made earlier are not needed by anybody, in seconds since 1970.

    Returns:
        `trained`, as it is now.
    """
    count = passages.count_rows()
    if not count:
        return 0
    known = {index.name for index in passages.list_indices()}
    if _TERMS not in known:
        _index_terms(passages)
    if count >= FEWEST_FOR_ANN:
        if _TALK not in known:
            _index_filters(passages, talks)
        if not trained or count > _GROWN * trained:
            trained = count if _index_vectors(passages) else 0
    unneeded = timedelta(seconds=max(time() - since, 0.0))
    stats = passages.index_stats(_TERMS)
    unindexed = stats.num_unindexed_rows if stats is not None else 0
    if unindexed > max(_FEWEST_UNINDEXED, _UNINDEXED_SHARE * count) or _is_in_pieces(passages):
        passages.optimize(cleanup_older_than=unneeded)
    if _is_in_pieces(talks):
        talks.optimize(cleanup_older_than=unneeded)
    return trained


def probes(trained: int) -> int:
    """Return how many partitions of the index of vectors a query looks into."""
    return max(1, math.ceil(PROBED * _partitions(trained)))


def _index_terms(passages: Table) -> None:
    """Index the terms of passages. `text.terms` made them, so they are only cut at the spaces."""
    from lancedb.index import FTS

    as_they_are = FTS(
        base_tokenizer="whitespace",
        stem=False,
        remove_stop_words=False,
        ascii_folding=False,
        lower_case=False,
        max_token_length=None,
        with_position=False,
    )
    passages.create_index("terms", config=as_they_are)


def _index_filters(passages: Table, talks: Table) -> None:
    from lancedb.index import Bitmap, BTree

    for column, config in (
        ("talk", BTree()),
        ("date", BTree()),
        ("language", Bitmap()),
        ("channel", Bitmap()),
        ("timing", Bitmap()),
    ):
        passages.create_index(column, config=config)
    talks.create_index("id", config=BTree())


def _index_vectors(passages: Table) -> bool:
    """Index the vectors of passages; returns whether there are enough of them."""
    from lancedb.index import IvfPq

    count = passages.count_rows("vector IS NOT NULL")
    if count < FEWEST_FOR_ANN:
        return False
    dimension = passages.schema.field("vector").type.list_size
    passages.create_index(
        "vector",
        config=IvfPq(distance_type="dot", num_partitions=_partitions(count), num_sub_vectors=max(dimension // 4, 1)),
    )
    return True


def _partitions(count: int) -> int:
    return max(1, count // _PER_PARTITION)


def _is_in_pieces(table: Table) -> bool:
    return bool(table.stats()["fragment_stats"]["num_fragments"] > _MANY_FRAGMENTS)
