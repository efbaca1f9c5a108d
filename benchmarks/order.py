"""What it costs the stores that passages get their vectors from coarse to fine, and not in the order of the catalog.

    python benchmarks/order.py --index DIR [--partitions N] [--times N]

Takes a complete index and puts its passages into stores anew, as an indexing run does, with an encoder that knows every
vector at once: what is left is the work beside the model. Chroma's partitions are made so small that there are several,
because from coarse to fine each is opened again in every round. Prints for both orders, in turn, how often a partition
was opened and the seconds of processor that all of it took, and by how much the least of these differ.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any
from unittest.mock import patch

import numpy as np
from about import about

from talksearch.indexer import layout
from talksearch.indexer.arrays import Floats, Ints
from talksearch.indexer.encoders.base import ModelCard
from talksearch.indexer.pipeline import embed_order, embed_pending
from talksearch.indexer.stores import catalog, recipe, vectors
from talksearch.indexer.stores.chroma import store, writer

ORDERS = ("catalog", "coarse to fine")


class Knowing:
    """An encoder that looks up the vectors of texts."""

    def __init__(self, card: ModelCard, vector_of: dict[str, Floats]) -> None:
        self.card, self._vector_of = card, vector_of

    def count_tokens(self, _: str) -> int:
        """Count a word as one token."""
        return 1

    def encode_query(self, text: str) -> Floats:
        """Return the vector of a passage."""
        return self._vector_of[text]

    def encode_passages(self, texts: Sequence[str]) -> Floats:
        """Return the vectors of passages (n, dimension)."""
        return np.array([self._vector_of[text] for text in texts], np.float32)


def main() -> None:
    """Put them into stores in both orders, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path, required=True, help="a complete index")
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--times", type=int, default=2, help="how often each order is taken")
    options = parser.parse_args()
    known = recipe.read(options.index)
    if known is None:
        parser.error(f"{options.index} is no index")
    with closing(catalog.open_catalog(options.index)) as db:
        texts = dict(db.execute("SELECT number, text FROM passages"))
    stored = vectors.read(options.index, known.model.dimension)
    rows = stored.find(np.array(list(texts), np.int64))
    encoder = Knowing(known.model, {text: stored.rows[row] for text, row in zip(texts.values(), rows, strict=True)})
    size = -(-(max(texts) + 1) // options.partitions)
    print(f"{about()['machine']}\n{len(texts):,} passages in partitions of {size:,}")
    took: dict[str, list[float]] = {order: [] for order in ORDERS}
    for _ in range(options.times):
        for order in ORDERS:
            opened, seconds = put(options.index, encoder, size, order)
            took[order].append(seconds)
            print(f"{order:<16}{opened:>4} openings{seconds:>8.1f} s", flush=True)
    first, second = (min(took[order]) for order in ORDERS)
    more_ms = (second - first) / len(texts) * 1000
    print(f"coarse to fine takes {second / first:.3f} times as long, {more_ms:.2f} ms a passage more")


def put(index: Path, encoder: Knowing, size: int, order: str) -> tuple[int, float]:
    """Put all passages of an index into new stores; return how often a partition was opened, and the seconds."""
    opened = 0
    open_partition = store.open_partition

    def counted(*arguments: Any) -> Any:
        nonlocal opened
        opened += 1
        return open_partition(*arguments)

    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        shutil.copy(layout.CATALOG.within(index), folder)
        with closing(catalog.open_catalog(folder, write=True)) as db:
            with catalog.transaction(db):
                db.execute("UPDATE passages SET embedded = 0")
                db.execute("DELETE FROM tokens")
            with (
                patch.object(store, "PARTITION", size),
                patch.object(writer, "open_partition", counted),
                patch.object(writer, "_WORTH_A_PROCESS", 1 << 60),  # in this process, whose time is taken
                patch.object(embed_pending, "windows", embed_order.windows if order == ORDERS[1] else by_number),
            ):
                started = process_time()
                embed_pending.embed_pending(
                    db,
                    folder,
                    lambda *_: partial(embed_pending.encode, folder, encoder),
                    lambda: encoder.card.dimension,
                    lambda *_: None,
                )
                return opened, process_time() - started


def by_number(db: Any, size: int, _: Callable[[], Sequence[int]]) -> Iterator[Ints]:
    """Yield windows as `embed_order.windows` does, in the order of the catalog."""
    numbers = np.array([number for (number,) in db.execute("SELECT number FROM passages ORDER BY number")], np.int64)
    yield from (numbers[start : start + size] for start in range(0, len(numbers), size))


if __name__ == "__main__":
    main()
