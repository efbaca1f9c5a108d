"""An index, open for reading."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path

from talksearch.indexer.arrays import Floats
from talksearch.indexer.encoders import sentence_encoder, token_codes
from talksearch.indexer.encoders.base import Encoder
from talksearch.indexer.errors import BadIndexError, ModelError
from talksearch.indexer.stores import catalog, recipe, vectors
from talksearch.indexer.stores.columns import reader
from talksearch.search.ranking.passage_table import PassageTable, read_passage_table


@dataclass(frozen=True, slots=True)
class IndexReader:
    """An index, open for reading."""

    folder: Path
    db: sqlite3.Connection
    recipe: recipe.Recipe
    vectors: vectors.Vectors
    encoder: Callable[[], Encoder]
    """Loads the encoder when it is first called."""
    table: Callable[[], PassageTable]
    """Returns the passages as ranking sees them, of the state that `db` shows; reads them anew when that changed."""
    directions: Callable[[], Floats | None]
    """Returns what tells tokens apart (`tokens`); None where the index does not know what tokens mean."""
    count_tokens: Callable[[str], int]
    """Counts the tokens of a word, remembered from query to query."""
    encoder_pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "encoding"))
    """Where queries are encoded and compared, which takes half of the time, while words are looked up. It starts at
    first use."""


def open_reader(
    folder: Path,
    *,
    encoder: Encoder | None = None,
    warn: Callable[[str], None] = lambda _: None,
    once: bool = False,
) -> IndexReader:
    """Open an index; `warn` hears a sentence when something works but slowly.

    `once`: for hardly more than one query, so that starting counts for more than running. An index belongs to the
    thread that opened it, because its connection does; an `encoder` may be shared between threads.

    Raises BadIndexError when there is none or it cannot be read.
    """
    db = catalog.open_catalog(folder)
    made = recipe.read(folder)
    if made is None:
        raise BadIndexError(f"There is no finished index in {folder}.", "Make one: talksearch index PATH")
    loaded: list[Encoder] = [encoder] if encoder else []

    def get() -> Encoder:
        if not loaded:
            loaded.append(_load_encoder(folder, made, warn, once))
        return loaded[0]

    held: list[tuple[object, PassageTable]] = []

    def table() -> PassageTable:
        now = (db.execute("PRAGMA data_version").fetchone()[0], reader.file_stamp(folder))
        if not held or held[0][0] != now:
            held[:] = [(now, read_passage_table(folder, db, vectors.read(folder, made.model.dimension, once=once)))]
        return held[0][1]

    directions = cache(lambda: token_codes.read(folder))
    count = lru_cache(_WORDS)(lambda word: get().count_tokens(word))
    return IndexReader(
        folder, db, made, vectors.read(folder, made.model.dimension, once=once), get, table, directions, count
    )


_WORDS = 65_536
"""Words of which an index remembers how many tokens they have."""


def _load_encoder(folder: Path, made: recipe.Recipe, warn: Callable[[str], None], once: bool) -> Encoder:
    from talksearch.indexer.encoders import onnx_encoder  # a search by words must not wait for onnxruntime

    try:
        return onnx_encoder.load(folder, queries=True, once=once)
    except ModelError as error:
        warn(f"{error.message} Loading the model itself, which takes seconds.")
        return sentence_encoder.load(
            made.model.name, query_prompt=made.model.query_prompt, passage_prompt=made.model.passage_prompt
        )
