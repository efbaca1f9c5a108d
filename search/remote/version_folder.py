"""What a reader keeps of one version of a store on this machine: its statistics, its terms, and the facts of its talks.

They lie in the user's cache, in a folder for each version, so that one question of the command line need not fetch them
again. A folder is made under another name and renamed when it is whole; then nobody changes it. All of it may be
deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from talksearch.indexer import disk, layout
from talksearch.indexer.encoders import model_home
from talksearch.indexer.errors import StoreError
from talksearch.indexer.stores import calibration, stop_terms
from talksearch.indexer.stores.calibration import NullCosines
from talksearch.indexer.stores.remote.engine import Corpus, LanguageCount, Version
from talksearch.indexer.stores.remote.talk_bytes import digest_of

_FILES = (layout.RECIPE, layout.DIRECTIONS, layout.CALIBRATION, layout.TOPICS)
"""The files of an index that a reader needs. A store may hold others, which stay there."""

_WHOLE = "whole.sqlite3"
"""The terms of the store: `ranking.vocabulary.let_stand_for` says in which tables."""

_FACTS = "facts.sqlite3"
"""The facts of its talks, in a table `talks` with the columns of a catalog's. `source` is the name of the transcript:
what it is relative to, the writer alone knows."""

_PARTS = re.compile(r"[/\\]")

_CORPUS = "corpus.npz"
_LANGUAGES = "languages.json"

_UNFINISHED_S = 86_400
"""After so many seconds, a folder that is not whole was left by a process that was ended."""

_KEPT_VERSIONS = 3
"""So many versions of a store are kept, the newest: other processes may still read them."""


@dataclass(frozen=True, eq=False)
class VersionFolder:
    """The folder of one version of a store."""

    folder: Path
    version: Version
    corpus: Corpus

    @property
    def terms(self) -> Path:
        """The database of its terms."""
        return self.folder / _WHOLE

    @cached_property
    def directions(self) -> str:
        """What tells the directions of its token codes from others (`talk_bytes.digest_of`)."""
        file = layout.DIRECTIONS.within(self.folder)
        return digest_of(file.read_bytes() if file.exists() else b"")

    @cached_property
    def facts(self) -> Path:
        """The database of the facts of its talks. They are fetched when this is first asked for."""
        path = self.folder / _FACTS
        if not path.exists():
            with disk.refusals_told(self.folder), _whole_file(path) as fresh:
                _write_facts(fresh, self.version)
        return path


def version_folder(address: str, version: Version) -> VersionFolder:
    """Return the folder of a version of a store; what it holds is fetched where that was not done before.

    Args:
        address: The store's URL, without anything secret.
        version: The version.

    Raises:
        StoreError: The store does not answer, or what it holds cannot be read.
        DiskError: The cache cannot be written.
    """
    of_store = model_home.homes_folder().parent / "stores" / _digest(address)
    folder = of_store / _digest(version.name)
    with disk.refusals_told(of_store):
        for is_last in (False, True):
            if not (folder / _LANGUAGES).exists():
                _make(folder, version)
            try:
                corpus = _read_corpus(folder)
                os.utime(folder)  # the versions that are used are kept
            except (OSError, ValueError, LookupError, TypeError, BadZipFile):  # something changed it, or took it away
                shutil.rmtree(folder, ignore_errors=True)
                if is_last:
                    raise
            else:
                return VersionFolder(folder, version, corpus)
    raise AssertionError  # the last attempt returns or raises


def _make(folder: Path, version: Version) -> None:
    of_store = folder.parent
    of_store.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix="new-", dir=of_store))
    try:
        _fill(fresh, version)
        with suppress(OSError):  # another process was first
            fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    _drop_old(of_store)


def file_name(path: str) -> str:
    """Return the name of a transcript. Where it lies on the machine of its writer is nobody's business here.

    >>> file_name("/home/ana/talks/bees.vtt"), file_name("C:\\\\talks\\\\bees.vtt")
    ('bees.vtt', 'bees.vtt')
    """
    return _PARTS.split(path)[-1]


def forget(kept: VersionFolder) -> None:
    """Delete the folder of a version, so that it is made again. It holds nothing that the store does not."""
    shutil.rmtree(kept.folder, ignore_errors=True)


def _digest(name: str) -> str:
    return hashlib.blake2b(name.encode(errors="surrogateescape"), digest_size=12).hexdigest()


def _fill(folder: Path, version: Version) -> None:
    held = version.files().by_name
    if layout.RECIPE.name not in held:
        raise StoreError("The store holds no recipe, so nothing can be asked of it.", "Put an index there anew.")
    for entry in _FILES:
        if entry.name in held:
            entry.within(folder).write_bytes(held[entry.name])
    corpus = _checked(version.corpus())
    if corpus.nulls is not None:  # of all writers, in the place of that of one
        layout.CALIBRATION.within(folder).write_bytes(calibration.file_of(corpus.nulls, corpus.vectors))
    _write_terms(folder / _WHOLE, version, corpus.passages)
    np.savez(
        folder / _CORPUS,
        vectors=np.int64(corpus.vectors),
        vector_sum=np.asarray(corpus.vector_sum, np.float64),
        product_sum=np.asarray(corpus.product_sum, np.float64),
    )
    (folder / _LANGUAGES).write_text(json.dumps(corpus.languages), encoding="utf-8")


def _checked(corpus: Corpus) -> Corpus:
    """Return statistics that others have written. Raises StoreError where they cannot be those of any passages."""
    vector_sum, product_sum = np.asarray(corpus.vector_sum), np.asarray(corpus.product_sum)
    counts = [count for language in corpus.languages for count in (language.talks, language.passages)]
    if (
        min(corpus.vectors, *counts, 0) < 0
        or corpus.vectors > corpus.passages
        or product_sum.shape != vector_sum.shape * 2
        or (corpus.nulls is not None and not _are_sound(corpus.nulls))
        or not (np.isfinite(vector_sum).all() and np.isfinite(product_sum).all())
    ):
        raise StoreError("The statistics that the store holds are damaged.", "Put its index there again.")
    return corpus


def _are_sound(nulls: NullCosines) -> bool:
    values = (nulls.nearest, nulls.sums, nulls.squares)
    return isinstance(nulls.queries, str) and len(nulls.nearest) > 0 and all(np.isfinite(part).all() for part in values)


def _read_corpus(folder: Path) -> Corpus:
    languages = json.loads((folder / _LANGUAGES).read_text(encoding="utf-8"))
    with np.load(folder / _CORPUS) as held:
        return Corpus(
            tuple(LanguageCount(*count) for count in languages),
            int(held["vectors"]),
            held["vector_sum"],
            held["product_sum"],
        )


def _write_terms(path: Path, version: Version, passages: int) -> None:
    with closing(_new_database(path)) as db:
        db.executescript(
            "CREATE TEMP TABLE counted (term TEXT, language TEXT, passages INTEGER, talks INTEGER);"
            "CREATE TABLE terms (term TEXT, language TEXT, passages INTEGER, talks INTEGER,"
            " PRIMARY KEY (term, language)) WITHOUT ROWID;"
            "CREATE TABLE vocabulary (term TEXT PRIMARY KEY, doc INTEGER) WITHOUT ROWID;"
            "CREATE TABLE stop_terms (term TEXT PRIMARY KEY) WITHOUT ROWID;"
        )
        db.executemany("INSERT INTO counted VALUES (?, ?, ?, ?)", version.term_counts())
        db.execute(
            "INSERT INTO terms SELECT term, language, sum(passages), sum(talks) FROM counted"
            " WHERE passages > 0 AND talks > 0 GROUP BY term, language ORDER BY term, language"
        )
        db.execute("INSERT INTO vocabulary SELECT term, sum(passages) FROM terms GROUP BY term ORDER BY term")
        fewest = stop_terms.fewest_passages(passages)
        db.execute("INSERT INTO stop_terms SELECT term FROM vocabulary WHERE doc > ? ORDER BY term", (fewest,))
        db.commit()


def _write_facts(path: Path, version: Version) -> None:
    with closing(_new_database(path)) as db:
        db.execute(
            "CREATE TABLE talks (number INTEGER PRIMARY KEY, id TEXT UNIQUE, path TEXT, source TEXT, title TEXT,"
            " timing TEXT, youtube_id TEXT, channel TEXT, speaker TEXT, language TEXT, date TEXT, duration_ms INTEGER,"
            " speakers TEXT)"
        )
        db.executemany(
            "INSERT OR IGNORE INTO talks VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    talk.id, talk.path, file_name(talk.path), talk.title, talk.timing, talk.youtube_id,
                    talk.channel, talk.speaker, talk.language, talk.date, talk.duration_ms, json.dumps(talk.speakers),
                )
                for talk in version.facts()
            ),
        )  # fmt: skip
        db.commit()


def _new_database(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path)
    # Until it has its name, nobody reads it, and a torn one is deleted.
    db.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
    return db


@contextmanager
def _whole_file(path: Path) -> Iterator[Path]:
    """Give a name under which a file may be made, and put it in its place when it is whole."""
    handle, name = tempfile.mkstemp(prefix="new-", dir=path.parent)
    os.close(handle)
    fresh = Path(name)
    fresh.unlink()
    try:
        yield fresh
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _drop_old(of_store: Path) -> None:
    """Delete the folders of versions that were not used for longest, and what other processes left unfinished."""
    used: dict[Path, float] = {}
    for entry in of_store.iterdir():
        with suppress(FileNotFoundError):  # other processes rename and delete them just now
            used[entry] = entry.stat().st_mtime
    begun = [entry for entry in used if entry.name.startswith("new-")]
    old = sorted(used.keys() - set(begun), key=lambda entry: -used[entry])[_KEPT_VERSIONS:]
    for entry in (*old, *(entry for entry in begun if time.time() - used[entry] > _UNFINISHED_S)):
        shutil.rmtree(entry, ignore_errors=True)
