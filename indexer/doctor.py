"""Checking an index against itself and the files it was made of, and mending what can be mended without them."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from talksearch.indexer.encoders import token_codes
from talksearch.indexer.encoders.base import Encoder, ModelCard
from talksearch.indexer.pipeline import embed_pending
from talksearch.indexer.stores import calibration, catalog, recipe, vectors
from talksearch.indexer.stores.chroma import store as storing
from talksearch.indexer.stores.chroma import writer
from talksearch.indexer.stores.columns import reader, update
from talksearch.indexer.stores.lock import index_write_lock
from talksearch.indexer.text.terms import terms

from . import arrays
from .errors import BadIndexError, ModelError

_AT_LENGTH_ONE = 1e-3
"""How far a vector's length may be from 1."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be."""

    what: str
    """A sentence."""
    mended: bool
    advice: str = ""
    """What to do about it, where it was not mended."""


def examine(folder: Path, *, mend: bool = True, encoder: Encoder | None = None) -> list[Finding]:
    """Check an index and mend it; with `mend` False only look, also where nothing can be written.

    An `encoder` given takes the place of the light one (for tests). Raises BadIndexError where there is no index or its
    catalog is damaged, with the command that builds it again; LockedError while somebody writes to it; TalksearchError
    where it is to be mended and cannot be written.
    """
    made = recipe.read(folder)
    catalog.open_catalog(folder).close()
    if made is None:
        raise BadIndexError(f"The index {folder} was never finished.", "Go on with it: talksearch index")
    with _held(folder, mend), closing(catalog.open_catalog(folder, write=mend)) as db:
        _check_database(folder, db)
        found = [*_words(db, mend), *_vectors(db, folder, made.model.dimension, mend)]
        current = _columns(folder, db, made.model.dimension, mend)
        if not current and not found:  # where anything else was mended, they are old because of that
            found.append(_finding("The columns that make searching fast were missing, old or damaged.", mend))
        if encoder is None:
            found += _encoder(db, folder, made.model, mend)
        found += _tokens(db, folder)
        found += _calibration(db, folder, made.model, mend, encoder, old=bool(found))
        found += [*_waiting(db), *_files(db)]
    return found


@contextmanager
def _held(folder: Path, mend: bool) -> Iterator[None]:
    """Keep others from writing; to look at what nobody can write takes no lock."""
    if mend or os.access(folder, os.W_OK):
        with index_write_lock(folder):
            yield
    else:
        yield


def _check_database(folder: Path, db: sqlite3.Connection) -> None:
    try:
        problem = str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.DatabaseError as error:
        problem = str(error)
    if problem != "ok":
        raise BadIndexError(
            f"The catalog of {folder} is damaged: {problem}.", "Build it again: talksearch index PATH --rebuild"
        )


def _words(db: sqlite3.Connection, mend: bool) -> list[Finding]:
    """Every passage has its words, and no words are there without a passage."""
    lacking = db.execute(
        "SELECT number, text FROM passages WHERE number NOT IN (SELECT rowid FROM words) ORDER BY number"
    ).fetchall()
    left_over = db.execute("SELECT rowid FROM words WHERE rowid NOT IN (SELECT number FROM passages)").fetchall()
    if not lacking and not left_over:
        return []
    if mend:
        with catalog.transaction(db):
            db.executemany("DELETE FROM words WHERE rowid = ?", left_over)
            db.executemany(
                "INSERT INTO words (rowid, terms) VALUES (?, ?)",
                ((number, " ".join(terms(text))) for number, text in lacking),
            )
            catalog.mark_changed(db)
        catalog.update_stop_terms(db)
    what = f"{len(lacking)} passages had no words in the word index, and {len(left_over)} entries had no passage."
    return [Finding(what, mend, "" if mend else "Run: talksearch doctor")]


@dataclass(frozen=True, slots=True)
class _Compared:
    """What Chroma and the copy have of the embedded passages, where they do not both have the same vector of length 1:
    passage numbers.
    """

    strangers: list[str]
    """Ids of passages that Chroma has and the catalog does not know."""
    not_in_chroma: list[int]
    """Those of which only the copy has a vector that is sound."""
    not_in_copy: list[int]
    """Those of which only Chroma has one, and the copy none."""
    wrong_in_copy: list[int]
    """Those of which only Chroma has one, and the copy one that is not sound."""
    again: list[int]
    """Those of which neither has one, or both have one and these differ."""


def _vectors(db: sqlite3.Connection, folder: Path, dimension: int, mend: bool) -> list[Finding]:
    """Chroma and the copy hold a vector of length 1 for each embedded passage, the same one, and nothing else.

    What only one of them lost it gets back from the other.
    """
    found: list[Finding] = []
    rows = db.execute("SELECT id, number FROM passages WHERE embedded ORDER BY number").fetchall()
    copy = vectors.read(folder, dimension)
    try:
        if rows and (why := storing.damage(folder)):
            raise storing.unusable(folder, why)
        compared = _compare(db, folder, rows, copy, mend)
    except BadIndexError as error:
        if not storing.is_damaged(error):
            if mend:
                raise
            lacking = int((copy.find(np.array([row[1] for row in rows], np.int64)) < 0).sum())
            return [Finding(f"{error.message} So it was not looked at.", False, error.hint), *_lacking(lacking, mend)]
        if not mend:
            return [_finding(error.message, mend)]
        aside = storing.put_aside(folder)
        where = f" What is left of it lies in {aside} and may be deleted." if aside else ""
        found.append(_finding(f"{error.message} A new one was made.{where}", mend))
        compared = _compare(db, folder, rows, copy, mend)
    if compared.strangers:
        found.append(_finding(f"Chroma holds {len(compared.strangers)} passages that the catalog does not know.", mend))
    if compared.again:
        if mend:  # embedded anew by the next `index`
            with catalog.transaction(db):
                db.executemany(
                    "UPDATE passages SET embedded = 0 WHERE number = ?", ((number,) for number in compared.again)
                )
        what = f"{len(compared.again)} passages have no sound vector in Chroma or in the copy, or not the same one."
        found.append(Finding(what, False, "Their vectors are made again by: talksearch index" if mend else _RUN))
    if compared.not_in_chroma:
        if mend:
            writer.refill(folder, db, compared.not_in_chroma, copy)
        found.append(_finding(f"Chroma lacked the vectors of {len(compared.not_in_chroma)} passages.", mend))
    if mend and (wrong := {*compared.again, *compared.wrong_in_copy}):
        _forget(folder, dimension, wrong)
    if mend and (compared.not_in_copy or compared.wrong_in_copy):
        embed_pending.mend_copy(db, folder, dimension)
    if compared.wrong_in_copy:
        found.append(_finding(f"The copy of the vectors held {len(compared.wrong_in_copy)} damaged ones.", mend))
    return [*found, *_lacking(len(compared.not_in_copy), mend)]


def _lacking(count: int, mend: bool) -> list[Finding]:
    return [_finding(f"The copy of the vectors lacked {count} of them.", mend)] if count else []


_RUN = "Run: talksearch doctor"


def _finding(what: str, mended: bool) -> Finding:
    return Finding(what, mended, "" if mended else _RUN)


def _compare(
    db: sqlite3.Connection, folder: Path, rows: list[tuple[str, int]], copy: vectors.Vectors, mend: bool
) -> _Compared:
    """Compare Chroma with the copy, for the (id, number) of all embedded passages; with `mend` strangers go at once.

    Raises BadIndexError where Chroma cannot be read.
    """
    numbers = np.array([number for _, number in rows], np.int64)
    places = copy.find(numbers)
    found = _Compared([], [], [], [], [])
    own = dict(storing.by_partition(numbers))
    for part in sorted({*storing.partitions(folder), *own}):
        some = own.get(part, slice(0))
        mine, where = rows[some], places[some].tolist()
        with storing.open_partition(folder, part) as (store, collection):
            stored = set(store.all_ids(collection))
            strangers = sorted(stored - storing.ids_in(db, part))
            found.strangers.extend(strangers)
            if mend and strangers:
                store.drop(collection, strangers)
            for at in range(0, len(mine), _AT_ONCE):
                block = mine[at : at + _AT_ONCE]
                theirs = store.read(collection, [id_ for id_, _ in block if id_ in stored])
                _compare_some(block, where[at : at + _AT_ONCE], copy, theirs, found)
    return found


def _compare_some(
    rows: Sequence[tuple[str, int]],
    places: Sequence[int],
    copy: vectors.Vectors,
    theirs: Mapping[str, arrays.Floats],
    found: _Compared,
) -> None:
    """Note where some passages, with their places in the copy, have another vector in Chroma, which are `theirs`."""
    for (id_, number), place in zip(rows, places, strict=True):
        ours, other = copy.rows[place] if place >= 0 else None, theirs.get(id_)
        here, there = _is_sound(ours), _is_sound(other)
        if here and there and float(np.abs(np.asarray(ours) - np.asarray(other)).max()) <= _AT_LENGTH_ONE:
            continue
        if here == there:
            found.again.append(number)
        elif here:
            found.not_in_chroma.append(number)
        else:
            (found.not_in_copy if ours is None else found.wrong_in_copy).append(number)


def _is_sound(vector: arrays.Floats | None) -> bool:
    with np.errstate(all="ignore"):  # damaged numbers may be of any size
        return vector is not None and abs(float(np.linalg.norm(vector)) - 1) <= _AT_LENGTH_ONE


_AT_ONCE = 2_000


def _forget(folder: Path, dimension: int, numbers: set[int]) -> None:
    """Take vectors out of the copy, so that nothing is taken from them again."""
    copy = vectors.read(folder, dimension)
    kept = np.flatnonzero(~np.isin(copy.numbers, np.fromiter(numbers, np.int64, len(numbers))))
    vectors.write_anew(folder, dimension, copy.numbers[kept], copy.rows, kept)


def _columns(folder: Path, db: sqlite3.Connection, dimension: int, mend: bool) -> bool:
    """Say whether the columns are what would be made from nothing now, as which they are left with `mend`."""
    if mend:
        return update.check(folder, db, dimension, mend=True)
    with tempfile.TemporaryDirectory() as beside:  # nothing is written into what is only looked at
        vectors_file = folder / vectors.FILE_NAME
        if vectors_file.exists():
            (Path(beside) / vectors.FILE_NAME).symlink_to(vectors_file.absolute())
        update.write(Path(beside), db, dimension)
        return update.same_columns(folder / reader.FILE_NAME, Path(beside) / reader.FILE_NAME)


def _encoder(db: sqlite3.Connection, folder: Path, card: ModelCard, mend: bool) -> list[Finding]:
    """The light encoder gives passages the vectors that the index has, and so does its copy that starts faster."""
    from talksearch.indexer.encoders import model_folder, onnx_encoder, onnx_export, query_model

    if not (folder / model_folder.FOLDER).exists() and _count_waiting(db):
        return [Finding("The index has no light encoder yet.", False, "It is made by: talksearch index")]
    texts, known = _some_embedded(db, folder, card.dimension)
    problem = onnx_encoder.diagnose(folder, card, texts, known)
    if not problem:
        quick = query_model.ensure_query_model(folder, check=True) if mend else not query_model.has_query_model(folder)
        what = "The copy of the light encoder that starts faster was missing, old or damaged."
        return [_finding(what, mend)] if quick else []
    if not mend:
        return [_finding(problem, mend)]
    try:
        onnx_export.reexport(folder, card, texts, learn_directions=not catalog.has_embedded(db))
    except ModelError as error:
        return [Finding(f"{problem} It cannot be made again: {error.message}", False, error.hint)]
    query_model.ensure_query_model(folder)
    return [_finding(f"{problem} It was made again.", mend)]


_FEW = 64
"""Passages on which the light encoder is tried."""


def _some_embedded(db: sqlite3.Connection, folder: Path, dimension: int) -> tuple[list[str], arrays.Floats]:
    """Return the texts of some passages, from all over the index, and their vectors (n, dimension)."""
    numbers = np.array([row[0] for row in db.execute("SELECT number FROM passages WHERE embedded ORDER BY number")])
    copy = vectors.read(folder, dimension)
    numbers = numbers.astype(np.int64)[:: -(-len(numbers) // _FEW) or 1]
    places = copy.find(numbers)
    there = places >= 0
    texts = [
        db.execute("SELECT text FROM passages WHERE number = ?", (number,)).fetchone()[0]
        for number in numbers[there].tolist()
    ]
    return texts, np.array(copy.rows[places[there]])


def _tokens(db: sqlite3.Connection, folder: Path) -> list[Finding]:
    """What is known of tokens can be read: without the directions along which they were encoded it means nothing."""
    if token_codes.read(folder) is not None or not db.execute("SELECT 1 FROM tokens LIMIT 1").fetchone():
        return []
    return [
        Finding(
            "The directions along which tokens are compared are missing or damaged, and cannot be had again from what"
            " was encoded with them: the best passages are not compared with a query token by token.",
            False,
            "Make all of it again: talksearch index --rebuild",
        )
    ]


def _calibration(
    db: sqlite3.Connection, folder: Path, card: ModelCard, mend: bool, encoder: Encoder | None, *, old: bool
) -> list[Finding]:
    """What grades hits is of this state of the index; `old`: what it was measured on was just mended."""
    from talksearch.indexer.encoders import onnx_encoder

    if calibration.check(folder, db, card):
        return []
    said = not old or calibration.read(folder, card) is None
    done = mend and calibration.mend(folder, db, card, lambda: encoder or onnx_encoder.load(folder))
    if done and not said:
        return []
    advice = "" if done else "Make it: talksearch index" if mend else _RUN
    return [Finding("What hits are graded by was missing, old or damaged.", done, advice)]


def _count_waiting(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT count(*) FROM passages WHERE NOT embedded").fetchone()[0])


def _waiting(db: sqlite3.Connection) -> list[Finding]:
    waiting = _count_waiting(db)
    return [Finding(f"{waiting} passages wait for their vectors.", False, "Go on: talksearch index")] if waiting else []


def _files(db: sqlite3.Connection) -> list[Finding]:
    """The files behind the talks are where they were."""
    paths = catalog.talk_paths(db)
    gone = sorted(path for path in paths.values() if not Path(path).exists())
    if not gone:
        return []
    more = f" and {len(gone) - 3} more" if len(gone) > 3 else ""
    return [
        Finding(
            f"The files of {len(gone)} of {len(paths)} talks are not there: {', '.join(gone[:3])}{more}.",
            False,
            "Plug in their disk, or take the talks out: talksearch index",
        )
    ]
