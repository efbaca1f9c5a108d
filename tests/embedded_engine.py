"""An engine over an index on this machine: it finds exactly, and so is what other engines are held against."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from talksearch.indexer import layout
from talksearch.indexer.arrays import Floats
from talksearch.indexer.stores import catalog, catalog_talks, recipe, state, vectors
from talksearch.indexer.stores.remote.engine import (
    Corpus,
    FoundPassage,
    LanguageCount,
    PassageFilter,
    StoredPassage,
    StoredTalk,
    StoreFiles,
    TalkFacts,
    TermCount,
)
from talksearch.indexer.stores.remote.talk_bytes import digest_of, pack
from talksearch.indexer.stores.talk_rows import read_rows
from talksearch.indexer.text.language_codes import language_code


class EmbeddedEngine:
    """A store that is an index. It is written by `talksearch index` alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = f"embedded://{folder.name}"

    def open(self) -> EmbeddedVersion:
        return EmbeddedVersion(self.folder)

    def revisions(self, source: int) -> Mapping[str, str]:
        version = self.open()
        return version.revisions([facts.id for facts in version.facts()])

    def write(self, *_: object) -> None:
        raise NotImplementedError


class EmbeddedVersion:
    """An index as it was when it was opened. Several threads may ask it, one after the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._db = sqlite3.connect(layout.CATALOG.within(folder), check_same_thread=False)
        catalog.seals.register(self._db)
        self._db.create_function("language_code", 1, lambda tag: language_code(tag) if tag else "")
        self._lock = threading.RLock()
        copy = vectors.fingerprint(folder)
        self.name = f"{folder} {state.identity(self._db)} {catalog.version(self._db)} {copy}"
        self.fetched: list[str] = []
        """The ids of the talks that were asked for, one after the other."""
        self._packed: dict[str, StoredTalk] = {}

    @cached_property
    def _copy(self) -> vectors.Vectors:
        made = recipe.read(self.folder)
        assert made is not None
        copy = vectors.read(self.folder, made.model.dimension)
        return vectors.Vectors(lambda: copy.numbers, np.ascontiguousarray(copy.rows))

    @cached_property
    def _directions(self) -> str:
        return digest_of(self.files().by_name.get(layout.DIRECTIONS.name, b""))

    def files(self) -> StoreFiles:
        names = (layout.RECIPE.name, layout.DIRECTIONS.name, layout.CALIBRATION.name)
        return StoreFiles({name: (self.folder / name).read_bytes() for name in names if (self.folder / name).exists()})

    def corpus(self) -> Corpus:
        with self._lock:
            counts = self._db.execute(
                "SELECT language_code(t.language), count(DISTINCT t.number), count(*)"
                " FROM passages p JOIN talks t ON t.number = p.talk GROUP BY 1"
            ).fetchall()
            numbers = np.array([number for (number,) in self._db.execute("SELECT number FROM passages")], np.int64)
            rows = self._copy.find(numbers)
            held = self._copy.rows[rows[rows >= 0]].astype(np.float64)
        return Corpus(tuple(LanguageCount(*count) for count in counts), len(held), held.sum(axis=0), held.T @ held)

    def term_counts(self) -> Iterable[TermCount]:
        with self._lock:
            self._db.execute("CREATE VIRTUAL TABLE IF NOT EXISTS temp.instances USING fts5vocab(main, words, instance)")
            of_passage = {
                number: (talk, language)
                for number, talk, language in self._db.execute(
                    "SELECT p.number, p.talk, language_code(t.language)"
                    " FROM passages p JOIN talks t ON t.number = p.talk"
                )
            }
            pairs = self._db.execute("SELECT DISTINCT term, doc FROM instances").fetchall()
        passages: Counter[tuple[str, str]] = Counter()
        talks: dict[tuple[str, str], set[int]] = {}
        for term, number in pairs:
            talk, language = of_passage[number]
            passages[term, language] += 1
            talks.setdefault((term, language), set()).add(talk)
        for (term, language), count in passages.items():
            yield TermCount(term, language, count, len(talks[term, language]))

    def facts(self) -> Sequence[TalkFacts]:
        with self._lock:
            names: dict[int, dict[str, None]] = {}
            for talk, speakers in self._db.execute("SELECT DISTINCT talk, speakers FROM passages"):
                names.setdefault(talk, {}).update(dict.fromkeys(json.loads(speakers)))
            rows = self._db.execute(
                "SELECT number, id, title, channel, speaker, language, date, timing,"
                f" {catalog_talks.LENGTH_MS}, path, youtube_id FROM talks t ORDER BY number"
            ).fetchall()
        return [TalkFacts(*row, speakers=tuple(names.get(number, ()))) for number, *row in rows]

    def nearest(self, vector: Floats, wanted: PassageFilter, count: int) -> list[FoundPassage]:
        with self._lock:
            rows = self._db.execute(
                f"SELECT p.number, t.id, p.id FROM passages p JOIN talks t ON t.number = p.talk WHERE {_where(wanted)}"
            ).fetchall()
            places = self._copy.find(np.array([number for number, *_ in rows], np.int64))
            cosines = np.where(places >= 0, self._copy.rows[places] @ vector, -np.inf)
        best = np.argsort(-cosines, kind="stable")[:count]
        return [
            FoundPassage(rows[at][1], rows[at][2], float(cosines[at]))
            for at in best.tolist()
            if np.isfinite(cosines[at])
        ]

    def saying(self, terms: Sequence[str], wanted: PassageFilter, count: int) -> list[FoundPassage]:
        match = " OR ".join(f'"{term}"' for term in terms)
        with self._lock:
            rows = self._db.execute(
                "SELECT t.id, p.id, -bm25(words) FROM words JOIN passages p ON p.number = words.rowid"
                f" JOIN talks t ON t.number = p.talk WHERE words MATCH ? AND {_where(wanted)}"
                " ORDER BY bm25(words), words.rowid LIMIT ?",
                (match, count),
            ).fetchall()
        return [FoundPassage(*row) for row in rows]

    def revisions(self, talk_ids: Sequence[str]) -> Mapping[str, str]:
        return {talk.facts.id: talk.revision for talk in map(self._talk, talk_ids) if talk is not None}

    def talks(self, talk_ids: Sequence[str]) -> list[StoredTalk]:
        self.fetched += talk_ids
        return [talk for talk in map(self._talk, talk_ids) if talk is not None]

    def _talk(self, talk_id: str) -> StoredTalk | None:
        with self._lock:
            if talk_id not in self._packed:
                row = self._db.execute("SELECT number FROM talks WHERE id = ?", (talk_id,)).fetchone()
                if row is None:
                    return None
                self._packed[talk_id] = self._read(*row)
            return self._packed[talk_id]

    def _read(self, number: int) -> StoredTalk:
        stored = read_rows(self._db, number)
        numbers = [
            own for (own,) in self._db.execute("SELECT number FROM passages WHERE talk = ? ORDER BY number", (number,))
        ]
        codes = catalog.read_tokens(self._db, numbers)
        rows = self._copy.find(np.array(numbers, np.int64))
        held = np.where(rows[:, None] >= 0, self._copy.rows[rows], np.float32(np.nan))
        data = pack(stored, [codes.get(own) for own in numbers], self._directions)
        talk = stored.rows.talk
        speakers = dict.fromkeys(name for passage in stored.rows.passages for name in json.loads(passage.speakers))
        return StoredTalk(
            TalkFacts(
                talk.id, talk.title, talk.channel, talk.speaker, talk.language, talk.date, talk.timing,
                catalog_talks.talk_lengths(self._db, [talk.id])[talk.id], stored.path, talk.youtube_id, tuple(speakers),
            ),
            state.identity(self._db),
            hashlib.blake2b(data + held.tobytes(), digest_size=16).hexdigest(),
            data,
            tuple(
                StoredPassage(
                    passage.id, passage.field, f"{passage.terms} {passage.track_terms}".strip(),
                    tuple(json.loads(passage.speakers)),
                )
                for passage in stored.rows.passages
            ),
            held,
        )  # fmt: skip


def _where(wanted: PassageFilter) -> str:
    """Return the condition that something may be found, in SQL; values are of tests and stand in it."""

    def listed(values: Sequence[str]) -> str:
        return ", ".join("'" + value.replace("'", "''") + "'" for value in values)

    conditions = ["TRUE"]
    for column, values in (("id", wanted.talk_ids), ("language", wanted.languages), ("channel", wanted.channels)):
        if values:
            conditions.append(f"t.{column} IN ({listed(values)})")
    if wanted.after:
        conditions.append(f"t.date >= {listed([wanted.after])}")
    if wanted.before:
        conditions.append(f"t.date <= {listed([wanted.before])}")
    if wanted.timing:
        conditions.append(f"t.timing = {listed([wanted.timing])}")
    return " AND ".join(conditions)
