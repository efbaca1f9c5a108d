"""The upkeep of a store in LanceDB: the indexes by which terms and vectors are found, and what is cleared away when."""

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

_STALE_S = 5 * 86_400.0
"""How much older than what is needed the oldest version of a table may become, in seconds: to clear it away takes the
small parts of the table to be put together as well, which is not worth it for every state."""

_MARGIN_S = 60.0
"""Versions that were made this much earlier than what is needed stay, in seconds: LanceDB counts their age from some
moment after it was called."""

_NO_AGE = timedelta(days=36_500)
"""So that nothing is old enough to be cleared away: without an age, LanceDB takes a week."""

_MOST_CALLS = 4
"""How often LanceDB is asked to put parts together, until it finds nothing more to do."""

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
    stats = passages.index_stats(_TERMS)
    unindexed = stats.num_unindexed_rows if stats is not None else 0
    if unindexed > max(_FEWEST_UNINDEXED, _UNINDEXED_SHARE * count) or is_due(passages, since):
        put_together(passages, since)
    if is_due(talks, since):
        put_together(talks, since)
    return trained


def is_due(table: Table, since: float, stale_s: float | None = None) -> bool:
    """Say whether a table is in many parts, or holds versions that nobody has needed for long.

    Args:
        table: The table.
        since: From when on versions were made that somebody may need, in seconds since 1970.
        stale_s: How much older the oldest may be, in seconds; by default `_STALE_S`.
    """
    if table.stats()["fragment_stats"]["num_fragments"] > _MANY_FRAGMENTS:
        return True
    made = [version["timestamp"].timestamp() for version in table.list_versions()]
    return len(made) > 1 and min(made) < since - (_STALE_S if stale_s is None else stale_s)


def put_together(table: Table, since: float) -> None:
    """Put small parts of a table together, index what is not, and clear away the versions that were made earlier.

    In several calls: LanceDB counts the age of versions when it has put parts together, so that in one call those would
    go as well that were made by as much later as this takes. And parts that its indexes did not know it puts together
    with the others in the next call.

    Args:
        table: The table.
        since: As `is_due` takes it.
    """
    for _ in range(_MOST_CALLS):
        before = table.version
        table.optimize(cleanup_older_than=_NO_AGE)
        if table.version == before:
            break
    table.optimize(cleanup_older_than=timedelta(seconds=max(time() - since + _MARGIN_S, 0.0)))


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
