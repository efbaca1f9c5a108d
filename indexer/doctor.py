"""Checking an index against itself and the files it was made of, and mending what can be mended without them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import catalog, columns, embedding, recipe, storing, vectors
from .errors import BadIndexError
from .lock import writing
from .words import terms

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


def examine(folder: Path, *, mend: bool = True) -> list[Finding]:
    """Check an index and mend it; with `mend` False only look.

    Raises BadIndexError where there is no index or its catalog is damaged, with the command that builds it again;
    LockedError while somebody writes to it.
    """
    made = recipe.read(folder)
    catalog.open_catalog(folder).close()
    if made is None:
        raise BadIndexError(f"The index {folder} was never finished.", "Go on with it: talksearch index")
    with writing(folder), closing(catalog.open_catalog(folder, write=True)) as db:
        _check_database(folder, db)
        found = [*_words(db, mend), *_vectors(db, folder, made.model.dimension, mend)]
        current = columns.check(folder, db, made.model.dimension, mend=mend)
        if not current and not found:  # where anything else was mended, they are old because of that
            found.append(_finding("The columns that make searching fast were missing, old or damaged.", mend))
        found += [*_encoder(folder), *_waiting(db), *_files(db)]
    return found


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
        catalog.note_common_terms(db)
    what = f"{len(lacking)} passages had no words in the word index, and {len(left_over)} entries had no passage."
    return [Finding(what, mend, "" if mend else "Run: talksearch doctor")]


def _vectors(db: sqlite3.Connection, folder: Path, dimension: int, mend: bool) -> list[Finding]:
    """Chroma and the copy hold a vector of length 1 for each embedded passage, the same one, and nothing else."""
    rows = db.execute("SELECT id, number FROM passages WHERE embedded ORDER BY number").fetchall()
    copy = vectors.read(folder, dimension)
    places = copy.find(np.array([row[1] for row in rows], np.int64))
    found: list[Finding] = []
    with storing.opened(folder) as (store, collection):
        stored = set(store.all_ids(collection))
        known = {row[0] for row in db.execute("SELECT id FROM passages")}
        strangers = sorted(stored - known)
        lost = [number for id_, number in rows if id_ not in stored]
        wrong = _disagreeing(store, collection, rows, copy, places)
        if strangers:
            if mend:
                store.drop(collection, strangers)
            found.append(_finding(f"Chroma holds {len(strangers)} passages that the catalog does not know.", mend))
    bad = sorted({*lost, *wrong})
    if bad:
        if mend:  # embedded anew by the next `index`; the copy's record is passed over once a later one repeats it
            with catalog.transaction(db):
                db.executemany("UPDATE passages SET embedded = 0 WHERE number = ?", ((number,) for number in bad))
            _forget(folder, dimension, set(bad))
        what = f"{len(lost)} passages had no vector in Chroma, and {len(wrong)} a wrong one there or in the copy."
        found.append(Finding(what, False, "Their vectors are made again by: talksearch index" if mend else _RUN))
    lacking = int((places < 0).sum())
    if lacking:
        if mend:
            embedding.mend_copy(db, folder, dimension)
        found.append(_finding(f"The copy of the vectors lacked {lacking} of them.", mend))
    return found


_RUN = "Run: talksearch doctor"


def _finding(what: str, mended: bool) -> Finding:
    return Finding(what, mended, "" if mended else _RUN)


def _disagreeing(
    store: Any, collection: Any, rows: list[tuple[str, int]], copy: vectors.Vectors, places: vectors.Ints
) -> list[int]:
    """Return the numbers of the passages whose vector in the copy is not the one in Chroma, or not of length 1."""
    wrong: list[int] = []
    there = [(id_, number, place) for (id_, number), place in zip(rows, places.tolist(), strict=True) if place >= 0]
    for at in range(0, len(there), _AT_ONCE):
        some = there[at : at + _AT_ONCE]
        stored = store.read(collection, [id_ for id_, _, _ in some])
        for id_, number, place in some:
            ours = copy.rows[place]
            theirs = stored.get(id_)
            differs = theirs is not None and float(np.abs(ours - theirs).max()) > _AT_LENGTH_ONE
            if differs or abs(float(np.linalg.norm(ours)) - 1) > _AT_LENGTH_ONE:
                wrong.append(number)
    return wrong


_AT_ONCE = 2_000


def _forget(folder: Path, dimension: int, numbers: set[int]) -> None:
    """Take vectors out of the copy, so that nothing is taken from them again."""
    copy = vectors.read(folder, dimension)
    kept = np.flatnonzero(~np.isin(copy.numbers, np.fromiter(numbers, np.int64, len(numbers))))
    vectors.write_anew(folder, dimension, copy.numbers[kept], copy.rows, kept)


def _encoder(folder: Path) -> list[Finding]:
    from . import light

    if (folder / light.FOLDER).is_dir():
        return []
    return [
        Finding(
            "The index has no light encoder; every query loads the model itself, which takes seconds.",
            False,
            "Make it: talksearch index PATH --rebuild",
        )
    ]


def _waiting(db: sqlite3.Connection) -> list[Finding]:
    waiting = db.execute("SELECT count(*) FROM passages WHERE NOT embedded").fetchone()[0]
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
