"""What is done with the stores when passages were put into them: what is not theirs any more goes out of them."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from talksearch.indexer.arrays import Ints
from talksearch.indexer.stores import catalog, catalog_writer, vectors
from talksearch.indexer.stores.chroma import collection as passages
from talksearch.indexer.stores.chroma.store import by_partition, ids_in, open_partition


def settle_stores(db: sqlite3.Connection, folder: Path, sizes: Mapping[int, int], dimension: int) -> None:
    """Note that what left the index left the stores, and clear them of what the catalog does not know.

    Args:
        db: The catalog, open for writing. Passages that left the index were taken out of Chroma before.
        folder: The index folder.
        sizes: How many passages the partitions of the Chroma store hold that some were put into.
        dimension: The dimension of the vectors.
    """
    with catalog.transaction(db):
        catalog_writer.forget_leaving(db)
    numbers = passage_numbers(db)
    expected = partition_sizes(numbers)
    for partition, size in sizes.items():
        if size != expected[partition]:
            _sweep(db, folder, partition)
    vectors.compact(folder, dimension, numbers)


def passage_numbers(db: sqlite3.Connection, where: str = "") -> Ints:
    """Return the numbers of passages, rising; of those for which an SQL condition holds."""
    rows = db.execute(f"SELECT number FROM passages {where} ORDER BY number")  # noqa: S608 - our own words
    return np.fromiter((number for (number,) in rows), np.int64)


def partition_sizes(numbers: Ints) -> Counter[int]:
    """Return how many of some passages belong into each partition of the Chroma store."""
    return Counter({partition: positions.stop - positions.start for partition, positions in by_partition(numbers)})


def _sweep(db: sqlite3.Connection, folder: Path, partition: int) -> None:
    """Take out of a partition what the catalog does not know to be there: an interrupted run left it."""
    ids = ids_in(db, partition)
    with open_partition(folder, partition) as collection:
        passages.drop(collection, [id_ for id_ in passages.all_ids(collection) if id_ not in ids])
