"""The indexes of a store in LanceDB: by which terms and vectors are found, and when they are made anew."""

from __future__ import annotations

from datetime import timedelta
from time import time

from .lance_calls import Table

FEWEST_FOR_ANN = 50_000
"""Passages from which on vectors have an index. Looking at all of fewer takes some milliseconds, and finds all."""

LOOKED_AT = 2
"""How many times as many vectors as are wanted a walk through a graph keeps in sight, of which the nearest are taken.

Of the 200 passages nearest to 80 real questions among 29,147 real ones, 99.0 % were found so. A fifth of the partitions
of an inverted file (IVF) held 77 %, six in ten 95 %: its partitions cut through what is near to a question.
"""

FEWEST_LOOKED_AT = 400
"""Vectors in sight where few are wanted: with twenty, a third of the nearest ten of made-up vectors was missed."""

_PER_GRAPH = 500_000
"""Vectors in one graph (HNSW). A query walks through all graphs."""

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
            trained = count if _index_vectors(passages, graphs(count)) else 0
    unneeded = timedelta(seconds=max(time() - since, 0.0))
    stats = passages.index_stats(_TERMS)
    unindexed = stats.num_unindexed_rows if stats is not None else 0
    if unindexed > max(_FEWEST_UNINDEXED, _UNINDEXED_SHARE * count) or _is_in_pieces(passages):
        passages.optimize(cleanup_older_than=unneeded)
    if _is_in_pieces(talks):
        talks.optimize(cleanup_older_than=unneeded)
    return trained


def graphs(trained: int) -> int:
    """Return how many graphs the index of vectors has, which was made of so many."""
    return max(1, trained // _PER_GRAPH)


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


def _index_vectors(passages: Table, count: int) -> bool:
    """Index the vectors of passages in so many graphs, a byte for each component; says whether there are enough."""
    from lancedb.index import HnswSq

    if passages.count_rows("vector IS NOT NULL") < FEWEST_FOR_ANN:
        return False
    passages.create_index("vector", config=HnswSq(distance_type="dot", num_partitions=count))
    return True


def _is_in_pieces(table: Table) -> bool:
    return bool(table.stats()["fragment_stats"]["num_fragments"] > _MANY_FRAGMENTS)
