"""Putting an index into a store on other machines: what the store lacks of it, and nothing else.

The index stays what it is, and all that is needed to publish again lies in it and in the store. So a run may be ended
at any moment, and the next one goes on: it compares the revisions of talks here and there.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from talksearch.indexer import disk, layout
from talksearch.indexer.arrays import Floats, Ints
from talksearch.indexer.encoders.base import ModelCard
from talksearch.indexer.errors import BadIndexError, DamagedStoreError, StoreError
from talksearch.indexer.stores import calibration, catalog, catalog_talks, copy_check, published, recipe, state, vectors
from talksearch.indexer.stores.remote import talk_bytes
from talksearch.indexer.stores.remote.engine import (
    Corpus,
    Engine,
    StoredPassage,
    StoredTalk,
    StoreFiles,
    TalkFacts,
)
from talksearch.indexer.stores.talk_rows import read_rows, renamed
from talksearch.indexer.stores.vectors import Vectors

from .count_archive import corpus_of, count_terms, terms_of
from .ids_in_store import ids_in_store

_FILES = (layout.RECIPE, layout.DIRECTIONS, layout.CALIBRATION, layout.OVERVIEW, layout.TOPICS)
"""The files of an index that readers of a store need."""

_FACTS = 2
"""Raised when facts are made otherwise of the same rows, so that those which a store has are put again."""

_SEALED_ROWS = (
    "SELECT talk, seal FROM cues ORDER BY talk, number",
    "SELECT talk, seal || embedded FROM passages ORDER BY talk, number",
    "SELECT talk, seal FROM tracks ORDER BY talk, number",
    "SELECT talk, seal FROM track_cues ORDER BY talk, track, number",
    "SELECT talk, seal FROM heard ORDER BY talk, meant, heard",
    "SELECT talk, seal FROM odd ORDER BY talk, sound, word",
    "SELECT p.talk, t.seal FROM passages p JOIN tokens t ON t.number = p.number ORDER BY p.talk, p.number",
)
"""The checksums of all rows that belong to talks, in an order that does not change."""


_MEND = "Mend it, and give the same command again: talksearch doctor"


@dataclass(frozen=True, slots=True)
class Published:
    """What publishing an index did."""

    address: str
    """The store's."""
    put: tuple[str, ...]
    """Ids of the talks that were put there, new or in the place of what was there."""
    dropped: tuple[str, ...]
    """Ids of the talks that were taken out."""
    kept: int
    """How many talks were there as they are."""
    notes: tuple[str, ...]
    """Sentences about talks that could not be put."""
    of_others: tuple[str, ...] = ()
    """Ids of the talks that are left out, because other indexes have put talks of these ids there."""


def publish(folder: Path, engine: Engine, tell: Callable[[int, int], None] = lambda *_: None) -> Published:
    """Make a store hold what an index holds, in the place of what the same index put there before it was built anew.

    A talk that another index has put there is left out: it is in a store once. Another talk of the same id is told
    apart by its file.

    Args:
        folder: The index.
        engine: The store.
        tell: Is called with (talks put, talks to put) now and then.

    Raises:
        StoreError: The store cannot be reached, or refuses, or another process puts the index into one. The index is as
            it was, and so is what readers see.
        BadIndexError: There is no index, or it is damaged.
        DiskError: What is noted of it in the index cannot be written.
    """
    known = recipe.read(folder)
    if known is None:
        raise BadIndexError(f"There is no index in {folder}.", "Make one: talksearch index PATH")
    with published.put_by_one(folder), catalog.open_snapshot(folder) as db:
        if not copy_check.may_be_read(folder, db):
            raise DamagedStoreError(f"The vectors of the index {folder} are not as they were written.", _MEND)
        files = _files(folder)
        source = state.identity(db)
        before = [one for one in published.noted_sources(folder, engine.address) if one != source]
        with disk.refusals_told(folder):
            published.note_sources(folder, engine.address, [*before, source])
        directions = talk_bytes.digest_of(files.by_name.get(layout.DIRECTIONS.name, b""))
        ids = ids_in_store(db, engine, [*before, source])
        of_others = [talk_id for talk_id, there in ids.items() if there is None]
        id_here = {there: talk_id for talk_id, there in ids.items() if there is not None}
        revisions = _revisions(db, directions)
        here = {there: revisions[talk_id] for there, talk_id in id_here.items()}
        there = engine.revisions(source)
        wanted = [talk_id for talk_id, revision in here.items() if there.get(talk_id) != revision]
        gone = sorted(there.keys() - here.keys())
        reading = _Reading(db, source, here, id_here, directions, vectors.read(folder, known.model.dimension))
        tell(0, len(wanted))
        engine.write(
            source,
            reading.talks(wanted, lambda done: tell(done, len(wanted))),
            gone,
            _corpus(folder, db, known.model, reading.copy, of_others),
            count_terms(db, of_others),
            files,
            before,
        )
        with disk.refusals_told(folder):
            published.note_sources(folder, engine.address, [source])
        return Published(
            engine.address,
            tuple(reading.put),
            tuple(gone),
            len(here) - len(wanted),
            tuple(reading.notes),
            tuple(of_others),
        )


class _Reading:
    """Reads talks from an index, one after the other, as a store holds them."""

    def __init__(
        self,
        db: sqlite3.Connection,
        source: int,
        revisions: Mapping[str, str],
        id_here: Mapping[str, str],
        directions: str,
        copy: Vectors,
    ) -> None:
        self.copy = copy
        self.put: list[str] = []
        """Ids of the talks that were read."""
        self.notes: list[str] = []
        """Sentences about those that could not be."""
        self._db, self._source = db, source
        self._revisions, self._id_here, self._directions = revisions, id_here, directions

    def talks(self, talk_ids: Sequence[str], tell: Callable[[int], None]) -> Iterator[StoredTalk]:
        """Yield some talks, by their ids there; one that is damaged is noted, and left as the store has it."""
        for done, talk_id in enumerate(talk_ids, 1):
            try:
                talk = self._talk(talk_id)
            except (DamagedStoreError, StoreError) as error:
                self.notes.append(f"{talk_id} was not put into the store: {error.message}")
                continue
            yield talk
            self.put.append(talk_id)
            tell(done)

    def _talk(self, talk_id: str) -> StoredTalk:
        known = self._db.execute("SELECT number FROM talks WHERE id = ?", (self._id_here[talk_id],))
        (number,) = known.fetchone()
        stored = renamed(read_rows(self._db, number), talk_id)
        row, passages = stored.rows.talk, stored.rows.passages
        known = self._db.execute("SELECT number, embedded FROM passages WHERE talk = ? ORDER BY number", (number,))
        of_passages = np.array(known.fetchall(), np.int64).reshape(-1, 2)
        numbers = of_passages[:, 0]
        codes = catalog.read_tokens(self._db, numbers.tolist())
        speakers = [tuple(json.loads(passage.speakers)) for passage in passages]
        return StoredTalk(
            TalkFacts(
                row.id,
                row.title,
                row.channel,
                row.speaker,
                row.language,
                row.date,
                row.timing,
                self._length_ms(self._id_here[talk_id]),
                stored.path,
                row.youtube_id,
                tuple(dict.fromkeys(name for names in speakers for name in names)),
            ),
            self._source,
            self._revisions[talk_id],
            talk_bytes.pack(stored, [codes.get(one) for one in numbers.tolist()], self._directions),
            tuple(
                StoredPassage(passage.id, passage.field, " ".join(terms_of(passage.terms, passage.track_terms)), names)
                for passage, names in zip(passages, speakers, strict=True)
            ),
            self._vectors(numbers, of_passages[:, 1] != 0),
        )

    def _length_ms(self, talk_id: str) -> int | None:
        return catalog_talks.talk_lengths(self._db, [talk_id]).get(talk_id) or None

    def _vectors(self, numbers: Ints, embedded: npt.NDArray[np.bool_]) -> Floats:
        """Return the vectors of passages, NaN where they have none yet.

        Raises DamagedStoreError where one is lacking: its talk, once it was put, would seem to be there as it is here.
        """
        found = self.copy.find(numbers)
        if (found[embedded] < 0).any():
            raise DamagedStoreError("Vectors of its passages are not there any more.", _MEND)
        rows = np.full((len(numbers), self.copy.rows.shape[1]), np.nan, np.float32)
        rows[found >= 0] = self.copy.rows[found[found >= 0]]
        return rows


def _corpus(folder: Path, db: sqlite3.Connection, model: ModelCard, copy: Vectors, without: Sequence[str]) -> Corpus:
    counted = corpus_of(folder, db, copy, without)
    return replace(counted, nulls=calibration.null_cosines(folder, model, counted.vector_sum, counted.product_sum))


def _files(folder: Path) -> StoreFiles:
    paths = [entry.within(folder) for entry in _FILES]
    return StoreFiles({path.name: path.read_bytes() for path in paths if path.exists()})


def _revisions(db: sqlite3.Connection, directions: str) -> dict[str, str]:
    """Return a digest of everything that a store has of each talk, by its id.

    It is made of the checksums of the rows, so that nothing else need be read.
    """
    ids, digests = {}, {}
    for number, talk_id, seal in db.execute("SELECT number, id, seal FROM talks"):
        ids[number] = talk_id
        digests[number] = hashlib.blake2b(f"{talk_bytes.FORMAT} {_FACTS} {directions} {seal}".encode(), digest_size=16)
    for statement in _SEALED_ROWS:
        for number, seal in db.execute(statement):
            if number in digests:  # else damage left it behind
                digests[number].update(b" %d" % int(seal))
        for digest in digests.values():
            digest.update(b"|")
    return {ids[number]: digest.hexdigest() for number, digest in digests.items()}
