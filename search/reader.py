"""An index, open for reading."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Protocol

from talksearch.indexer import layout
from talksearch.indexer.arrays import Floats, Ints
from talksearch.indexer.encoders import checksums, sentence_encoder, token_codes
from talksearch.indexer.encoders.base import Encoder, ModelCard, QueryEncoding, encode_query_by_token
from talksearch.indexer.errors import BadIndexError, ModelError
from talksearch.indexer.stores import catalog, copy_check, recipe, soundness, sums, vectors
from talksearch.indexer.stores.columns import reader as columns
from talksearch.indexer.stores.recipe import Recipe
from talksearch.indexer.stores.soundness import HiddenRows
from talksearch.indexer.stores.vectors import Vectors
from talksearch.search.hit import QuoteMatch
from talksearch.search.query import Filters, Query
from talksearch.search.ranking.compounds import CompoundFinder
from talksearch.search.ranking.passage_table import PassageTable, read_passage_table

_REMEMBERED_WORDS = 65_536
"""How many words a reader remembers the number of tokens of."""


class StoredTalks(Protocol):
    """The talks of a store that a reader answers from: `gather` fetches those that may answer a query, and puts them
    into the catalog of the reader (`search.remote.store_talks`)."""

    @property
    def has_vectors(self) -> bool:
        """Whether any passage of the store has a vector."""
        ...

    @property
    def note(self) -> str:
        """What the user must know of the talks that were gathered; empty where there is nothing."""
        ...

    @property
    def counted(self) -> int | None:
        """How many talks were gathered; None where these are all that may answer."""
        ...

    def table(self) -> PassageTable:
        """Return the passages that are held."""
        ...

    def languages(self) -> set[str]:
        """Return the languages of the store (ISO 639)."""
        ...

    def passes(self, filters: Filters) -> bool:
        """Say whether any talk of the store passes some filters."""
        ...

    def allowed(self, filters: Filters) -> Ints:
        """Return the numbers of the passages of the talks that were gathered which pass some filters, sorted."""
        ...

    def in_order(self, quotes: Sequence[QuoteMatch]) -> list[QuoteMatch]:
        """Return quotes, best first, equally good ones in an order that is the same in every reader."""
        ...

    def gather(self, reader: IndexReader, query: Query) -> None:
        """Fetch the talks that may answer a query. Raises StoreError, and QueryError where a filter names no talk."""
        ...

    def gather_like(
        self, query: Query, terms: Sequence[str], vector: Callable[[], Floats] | None, talk_id: str
    ) -> None:
        """Fetch the talks that may hold passages like one of a talk, given its telling terms and its vector."""
        ...

    def gather_talk(self, reader: IndexReader, name: str) -> str:
        """Fetch the one talk that a name means, and return its id. Raises QueryError where it means no single one."""
        ...


class IndexReader:
    """An index, open for reading, and a context manager that closes it. `open_reader` makes one.

    It belongs to the thread that opened it, because its connection does. What is large is read when it is first asked
    for. Opening changes nothing outside this object: whoever owns the process tunes it.
    """

    def __init__(
        self,
        folder: Path,
        db: sqlite3.Connection,
        recipe: Recipe,
        *,
        encoder: Encoder | None,
        compounds: CompoundFinder | None,
        warn: Callable[[str], None],
        once: bool,
        store: StoredTalks | None = None,
    ) -> None:
        self.folder = folder
        self.db = db
        self.recipe = recipe
        self.encoder_pool = ThreadPoolExecutor(1, "encoding")
        """The one thread in which queries are encoded and compared, which takes half of the time, while words are
        looked up. It starts at first use."""
        self.compounds = CompoundFinder() if compounds is None else compounds
        """Finds the compounds of the index that a term is part of."""
        self._warn = warn
        self._once = once
        self._encoder = encoder
        self._table = _TableCache()
        self._avoided = AvoidedDamage()
        self._sums: tuple[int, list[str]] | None = None
        self._token_counts: dict[str, int] = {}
        self.store = store
        """Where the talks come from, where they are those of a store; None for an index of this machine."""
        self._encoding: tuple[str, Future[QueryEncoding]] | None = None
        self.lacks_codes = False
        """Whether the last query met passages without codes of their tokens."""

    @cached_property
    def vectors(self) -> Vectors:
        """The vectors of the passages as they were when this was first asked for."""
        copy = self._read_vectors()
        return vectors.empty(self.recipe.model.dimension) if copy is None else copy

    def encoder(self) -> Encoder:
        """Return the encoder of the index; it is loaded at the first call."""
        if self._encoder is None:
            self._encoder = load_encoder(self.recipe.model, self._warn, self._once)
        return self._encoder

    def encode(self, text: str) -> Future[QueryEncoding]:
        """Start to encode a query in another thread. A store is asked for candidates with it first: it is kept."""
        if self.store is None:
            return self._start_encoding(text)
        if self._encoding is None or self._encoding[0] != text:
            self._encoding = (text, self._start_encoding(text))
        return self._encoding[1]

    def _start_encoding(self, text: str) -> Future[QueryEncoding]:
        return self.encoder_pool.submit(lambda: encode_query_by_token(self.encoder(), text))

    def has_vectors(self) -> bool:
        """Say whether any passage has a vector. Before the first one, the model may not be there either."""
        if self.store is not None:
            return self.store.has_vectors
        try:
            return layout.VECTORS.within(self.folder).stat().st_size > 0
        except OSError:
            return False

    def take_over(self, before: IndexReader) -> None:
        """Use what another reader has loaded: the encoder, where the index is of the same model still."""
        self.compounds = before.compounds
        if before.recipe.model == self.recipe.model:
            self._encoder = before._encoder

    def table(self) -> PassageTable:
        """Return the passages as ranking sees them, of the state that `db` shows; a changed state is read anew."""
        if self.store is not None:
            return self.store.table()
        state = _IndexState(self._data_version(), columns.file_fingerprint(self.folder), self.avoided)
        return self._table.get(state, lambda: self._read_table(with_columns=not state.avoided.columns))

    def _read_table(self, *, with_columns: bool) -> PassageTable:
        copy, model = self._read_vectors(), self.recipe.model
        if copy is None:  # the columns say where in it each vector lies
            copy, with_columns = vectors.empty(model.dimension), False
        return read_passage_table(self.folder, self.db, copy, model.name, with_columns=with_columns)

    @property
    def avoided(self) -> AvoidedDamage:
        """What of the index is left aside because it is damaged: nothing, until `avoid_damage` found something."""
        if self._avoided != AvoidedDamage() and self._avoided.data_version != self._data_version():
            soundness.show_all(self.db)  # it may have been mended
            self._avoided = AvoidedDamage()
        return self._avoided

    def avoid_damage(self) -> bool:
        """Look for what is damaged in what queries read, and leave it aside from now on; say whether anything is.

        Where all rows hold, it can be the columns. Where these are as they were written too, it is none of the index,
        but a fault of the program. Called when a query failed, or showed what does not hold.

        Raises sqlite3.Error where the catalog cannot be read.
        """
        if self.avoided.columns:
            return False
        hidden = soundness.hide_damage(self.db)
        if any(hidden) or columns.are_damaged(self.folder):
            self._avoided = AvoidedDamage(self._data_version(), hidden, columns=True)  # columns tell of what is hidden
        return self._avoided.columns

    def changed_sums(self) -> list[str]:
        """Return what queries read that is not as a run noted it (`stores.sums`); each state is looked at once."""
        version = self._data_version()
        if self._sums is None or self._sums[0] != version:
            self._sums = version, sums.differing(self.db, sums.SEARCHED)
        return self._sums[1]

    def _data_version(self) -> int:
        return int(self.db.execute("PRAGMA data_version").fetchone()[0])

    def directions(self) -> Floats | None:
        """Return the directions that tell tokens apart; None where the index does not know what tokens mean."""
        return self._directions

    @cached_property
    def _directions(self) -> Floats | None:
        if copy_check.has_directions_of_another(self.folder, self.db):
            return None
        return token_codes.read(self.folder)

    def count_tokens(self, word: str) -> int:
        """Return how many tokens a word has; the numbers are remembered from query to query."""
        count = self._token_counts.get(word)
        if count is None:
            if len(self._token_counts) >= _REMEMBERED_WORDS:
                self._token_counts.clear()
            count = self._token_counts[word] = self.encoder().count_tokens(word)
        return count

    def close(self) -> None:
        """Close the catalog and end the thread that encodes. An index may be closed more than once."""
        self.encoder_pool.shutdown(wait=True, cancel_futures=True)
        self.db.close()

    def __enter__(self) -> IndexReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read_vectors(self) -> Vectors | None:
        """Return the vectors; None where the file is not as it was written, or another catalog's."""
        if not copy_check.may_be_read(self.folder, self.db):
            return None
        return vectors.read(self.folder, self.recipe.model.dimension, once=self._once)


def open_reader(
    folder: Path,
    *,
    encoder: Encoder | None = None,
    compounds: CompoundFinder | None = None,
    warn: Callable[[str], None] = lambda _: None,
    once: bool = False,
) -> IndexReader:
    """Open an index for reading.

    Args:
        folder: The folder of the index.
        encoder: What encodes queries, in place of the index's own encoder. Several readers may share it.
        compounds: What finds compounds, which several readers of the same index may share.
        warn: It is called with a sentence when something works but slowly.
        once: The reader answers hardly more than one query, so that starting counts for more than running.

    Raises BadIndexError when there is no index or it cannot be read.
    """
    try:
        db, index_recipe = _open_of_one_index(folder)
    except BadIndexError:  # a rebuild may have put another index there between the two
        db, index_recipe = _open_of_one_index(folder)
    return IndexReader(folder, db, index_recipe, encoder=encoder, compounds=compounds, warn=warn, once=once)


def _open_of_one_index(folder: Path) -> tuple[sqlite3.Connection, Recipe]:
    db = catalog.open_catalog(folder)
    try:
        index_recipe = recipe.read(folder)
        if index_recipe is None:
            raise BadIndexError(f"There is no finished index in {folder}.", "Make one: talksearch index PATH")
        recipe.check_copy(folder, db)
    except BaseException:
        db.close()
        raise
    return db, index_recipe


class AvoidedDamage(NamedTuple):
    """What of an index a reader leaves aside because it is damaged."""

    data_version: int = 0
    """The state of the catalog in which that was found."""
    hidden: HiddenRows = HiddenRows(0, 0)
    columns: bool = False
    """Whether the columns are not used: they do not fit the rows, or tell of rows that are hidden."""

    @property
    def note(self) -> str:
        """What the user must know of it; empty where nothing is left aside."""
        return self.hidden.note if self.columns else ""


class _IndexState(NamedTuple):
    """What changes whenever the passages or their columns change."""

    data_version: int
    """SQLite's own number: it rises when another connection changes the catalog."""
    columns: tuple[int, int] | None
    """Which file of columns lies in the index; None where there is none."""
    avoided: AvoidedDamage


class _TableCache:
    """The passage table of the state of the index that was read last."""

    def __init__(self) -> None:
        self._state: _IndexState | None = None
        self._table: PassageTable | None = None

    def get(self, state: _IndexState, read: Callable[[], PassageTable]) -> PassageTable:
        """Return the table of a state; it is read where another state was read last."""
        if self._table is None or self._state != state:
            self._table = read()
            self._state = state
        return self._table


def load_encoder(card: ModelCard, warn: Callable[[str], None], once: bool) -> Encoder:
    """Load what encodes queries for a model. Raises ModelError where that cannot be loaded.

    Args:
        card: The model.
        warn: Called with a sentence where it works, but slowly.
        once: Hardly more than one query is encoded.
    """
    from talksearch.indexer.encoders import model_home, onnx_encoder  # a search by words must not wait for onnxruntime

    home = model_home.find(card)
    if home is None or not _is_whole(model_home.machine_folder(home)):
        home = _make_home(card, warn)
    if home is not None:
        try:
            return onnx_encoder.load(home, card, queries=True, once=once)
        except ModelError as error:
            problem = error.message
    else:
        problem = f"The model {card.name!r} is not ready for queries on this machine."
    warn(f"{problem} Loading the model itself, which takes seconds. To have it ready: talksearch doctor")
    return sentence_encoder.load_same(card)


def _is_whole(machine_folder: Path) -> bool:
    """Say whether what a home has for this kind of machine is as it was made: a query model is not kept everywhere.

    Where it was lost, hits would be ranked a little otherwise than before, and nobody would say so.
    """
    if not machine_folder.exists():
        return False
    return not (machine_folder / checksums.CHECKSUMS).exists() or checksums.are_right(machine_folder)


def _make_home(card: ModelCard, warn: Callable[[str], None]) -> Path | None:
    """Return the home of a model, made on a machine that an index was copied to where that takes no torch, with the
    query model of this kind of machine: a home on a disk of the network may have been made by another kind.
    """
    from talksearch.indexer.encoders import make_home, query_model  # most machines have the home

    home = make_home.find_or_make(card, warn)
    if home is not None:
        query_model.ensure_query_model(home, card)
    return home
