"""Checking an index against itself and the files it was made of, and mending what can be mended without them."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from talksearch.indexer import disk, layout
from talksearch.indexer.arrays import Floats
from talksearch.indexer.encoders import check_home, model_home, onnx_encoder, token_codes
from talksearch.indexer.encoders.base import Encoder, ModelCard
from talksearch.indexer.errors import BadIndexError, DamagedStoreError, ModelError
from talksearch.indexer.pipeline import embed_pending, topic_map, unfinished
from talksearch.indexer.stores import calibration, catalog, catalog_writer, recipe, topics, vectors
from talksearch.indexer.stores.chroma import collection as passages
from talksearch.indexer.stores.chroma import store, writer
from talksearch.indexer.stores.columns import update
from talksearch.indexer.stores.lock import index_write_lock
from talksearch.indexer.stores.tracks import terms_meanwhile
from talksearch.indexer.talks.reach import lacks_first_byte
from talksearch.indexer.text.terms import terms_joined

_RUN = "Run: talksearch doctor"
"""What to do about what can be mended and was only looked at."""

_VECTOR_TOLERANCE = 1e-3
"""How far a vector's length may be from 1, and a component from the same one of the other copy."""

_AT_ONCE = 2_000
"""Passages whose vectors are compared at once."""

_SAMPLE = 64
"""Passages on which the exported model is tried."""

_NAMED_FILES = 3
"""Files that are named where some are not there; of the others it is said how many they are."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be."""

    what: str
    """A sentence."""
    mended: bool
    advice: str = ""
    """What to do about it, where it was not mended."""


class _Embedded(NamedTuple):
    """A passage that the catalog says has a vector."""

    id: str
    number: int


@dataclass(slots=True)
class _Differences:
    """Where Chroma and the copy do not both have the same vector of length 1: passage numbers."""

    strangers: list[str] = field(default_factory=list)
    """Ids of passages that Chroma has and the catalog does not know."""
    not_in_chroma: list[int] = field(default_factory=list)
    """Those of which only the copy has a vector that is sound."""
    not_in_copy: list[int] = field(default_factory=list)
    """Those of which only Chroma has one, and the copy none."""
    wrong_in_copy: list[int] = field(default_factory=list)
    """Those of which only Chroma has one that is sound, and the copy another."""
    in_neither: list[int] = field(default_factory=list)
    """Those of which neither has one that is sound, or both have one and these differ."""


def examine(folder: Path, *, mend: bool = True, encoder: Encoder | None = None) -> list[Finding]:
    """Check an index and mend it; with `mend` False only look, also where nothing can be written.

    An `encoder` given takes the place of the light one (for tests). Raises BadIndexError where there is no index or its
    catalog is damaged, with the command that builds it again; LockedError while another process writes to it;
    TalksearchError where it is to be mended and cannot be written.
    """
    index_recipe = recipe.read(folder)
    catalog.open_catalog(folder).close()
    if index_recipe is None:
        raise BadIndexError(f"The index {folder} was never finished.", "Go on with it: talksearch index")
    card = index_recipe.model
    with disk.refusals_told(folder), _locked(folder, mend), closing(catalog.open_catalog(folder, write=mend)) as db:
        _check_database(folder, db)
        findings = [
            *(_finding(what, mend) for what in unfinished.look(folder, db, finish=mend)),
            *_check_words(db, mend),
            *_check_vectors(db, folder, card.dimension, mend),
        ]
        columns_are_right = _check_columns(folder, db, card.dimension, mend)
        if not columns_are_right and not findings:  # where anything else was mended, they are old because of that
            findings.append(_finding("The columns that make searching fast were missing, old or damaged.", mend))
        if encoder is None:
            findings += _check_encoder(db, folder, card, mend)
        findings += _check_token_codes(db, folder)
        others = bool(findings)
        findings += _check_calibration(db, folder, card, mend, encoder, other_findings=others)
        findings += _check_topics(db, folder, card.dimension, mend, other_findings=others)
        findings += [*_pending(db), *_missing_files(db)]
    return findings


@contextmanager
def _locked(folder: Path, mend: bool) -> Iterator[None]:
    """Keep others from writing. Where nobody can write, looking needs no lock."""
    if mend or os.access(folder, os.W_OK):
        with index_write_lock(folder):
            yield
    else:
        yield


def _finding(what: str, mended: bool) -> Finding:
    return Finding(what, mended, "" if mended else _RUN)


def _check_database(folder: Path, db: sqlite3.Connection) -> None:
    try:
        problem = str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.DatabaseError as error:
        if not catalog.means_damage(error):
            raise
        problem = str(error)
    if problem != "ok":
        raise BadIndexError(
            f"The catalog of {folder} is damaged: {problem}.", "Build it again: talksearch index PATH --rebuild"
        )


# ------------------------------------------------------------------------------------------------- words and vectors


def _check_words(db: sqlite3.Connection, mend: bool) -> list[Finding]:
    """Check that every passage has its words, and that no words are there without a passage."""
    lacking = db.execute(
        "SELECT number, talk, text FROM passages WHERE number NOT IN (SELECT rowid FROM words) ORDER BY number"
    ).fetchall()
    left_over = db.execute("SELECT rowid FROM words WHERE rowid NOT IN (SELECT number FROM passages)").fetchall()
    if not lacking and not left_over:
        return []
    if mend:
        talks = {talk for _, talk, _ in lacking}
        meanwhile = {number: said for talk in talks for number, said in terms_meanwhile(db, talk).items()}
        with catalog.transaction(db):
            db.executemany("DELETE FROM words WHERE rowid = ?", left_over)
            db.executemany(
                "INSERT INTO words (rowid, terms, track_terms) VALUES (?, ?, ?)",
                ((number, terms_joined(text), meanwhile[number]) for number, _, text in lacking),
            )
            catalog_writer.mark_changed(db)
        catalog_writer.update_stop_terms(db)
    return [
        _finding(
            f"{len(lacking)} passages had no words in the word index, and {len(left_over)} entries had no passage.",
            mend,
        )
    ]


def _check_vectors(db: sqlite3.Connection, folder: Path, dimension: int, mend: bool) -> list[Finding]:
    """Check that Chroma and the copy hold one and the same vector of length 1 for each embedded passage, and no others.

    What only one of them lost it gets back from the other.
    """
    findings: list[Finding] = []
    rows = db.execute("SELECT id, number FROM passages WHERE embedded ORDER BY number")
    embedded = [_Embedded(*row) for row in rows]
    copy = vectors.read(folder, dimension)
    try:
        if embedded and (reason := store.damage(folder)):
            raise store.damaged(folder, reason)
        differences = _compare(db, folder, embedded, copy, mend)
    except DamagedStoreError as error:
        if not mend:
            return [_finding(error.message, mend)]
        aside = store.put_aside(folder, db)
        remains = f" What is left of it lies in {aside} and may be deleted." if aside else ""
        findings.append(_finding(f"{error.message} A new one was made.{remains}", mend))
        differences = _compare(db, folder, embedded, copy, mend)
    except BadIndexError as error:  # another program uses it, or it cannot be written
        if mend:
            raise
        positions = copy.find(np.array([passage.number for passage in embedded], np.int64))
        not_looked_at = Finding(f"{error.message} So it was not looked at.", False, error.hint)
        return [not_looked_at, *_lacking_in_copy(int((positions < 0).sum()), mend)]
    return [*findings, *_mend_vectors(db, folder, dimension, copy, differences, mend)]


def _mend_vectors(
    db: sqlite3.Connection,
    folder: Path,
    dimension: int,
    copy: vectors.Vectors,
    differences: _Differences,
    mend: bool,
) -> list[Finding]:
    """Mend what differs, with `mend`, and return what that is."""
    findings: list[Finding] = []
    if differences.strangers:
        count = len(differences.strangers)
        findings.append(_finding(f"Chroma holds {count} passages that the catalog does not know.", mend))
    if differences.in_neither:
        if mend:
            with catalog.transaction(db):
                catalog_writer.put_unembedded(db, differences.in_neither)
        count = len(differences.in_neither)
        what = f"{count} passages have no sound vector in Chroma or in the copy, or not the same one."
        findings.append(Finding(what, False, "Their vectors are made again by: talksearch index" if mend else _RUN))
    if differences.not_in_chroma:
        if mend:
            writer.refill(folder, db, differences.not_in_chroma, copy)
        findings.append(_finding(f"Chroma lacked the vectors of {len(differences.not_in_chroma)} passages.", mend))
    if mend and (wrong := {*differences.in_neither, *differences.wrong_in_copy}):
        _take_out_of_copy(folder, dimension, wrong)
    if mend and (differences.not_in_copy or differences.wrong_in_copy):
        embed_pending.mend_copy(db, folder, dimension)
    if differences.wrong_in_copy:
        findings.append(_finding(f"The copy of the vectors held {len(differences.wrong_in_copy)} damaged ones.", mend))
    return [*findings, *_lacking_in_copy(len(differences.not_in_copy), mend)]


def _lacking_in_copy(count: int, mend: bool) -> list[Finding]:
    return [_finding(f"The copy of the vectors lacked {count} of them.", mend)] if count else []


def _compare(
    db: sqlite3.Connection, folder: Path, embedded: list[_Embedded], copy: vectors.Vectors, mend: bool
) -> _Differences:
    """Compare Chroma with the copy, for all embedded passages; with `mend` strangers go at once.

    Raises BadIndexError where Chroma cannot be read: DamagedStoreError where it is damaged.
    """
    numbers = np.array([passage.number for passage in embedded], np.int64)
    rows = copy.find(numbers)
    differences = _Differences()
    known_partitions = dict(store.by_partition(numbers))
    for partition in sorted({*store.partitions(folder), *known_partitions}):
        which = known_partitions.get(partition, slice(0))
        in_partition, rows_in_partition = embedded[which], rows[which].tolist()
        with store.open_partition(folder, partition) as collection:
            stored = set(passages.all_ids(collection))
            strangers = sorted(stored - store.ids_in(db, partition))
            differences.strangers.extend(strangers)
            if mend and strangers:
                passages.drop(collection, strangers)
            for start in range(0, len(in_partition), _AT_ONCE):
                block = in_partition[start : start + _AT_ONCE]
                in_chroma = passages.read(collection, [passage.id for passage in block if passage.id in stored])
                _compare_block(block, rows_in_partition[start : start + _AT_ONCE], copy, in_chroma, differences)
    return differences


def _compare_block(
    block: Sequence[_Embedded],
    rows: Sequence[int],
    copy: vectors.Vectors,
    in_chroma: Mapping[str, Floats],
    differences: _Differences,
) -> None:
    """Note where some passages have another vector in the copy than in Chroma.

    Args:
        block: The passages (n,).
        rows: Their rows in the copy, -1 where it has none (n,).
        copy: The copy of the vectors.
        in_chroma: The vectors in Chroma by passage id.
        differences: Where they are noted.
    """
    for passage, row in zip(block, rows, strict=True):
        ours, theirs = copy.rows[row] if row >= 0 else None, in_chroma.get(passage.id)
        copy_is_sound, chroma_is_sound = _is_sound(ours), _is_sound(theirs)
        if copy_is_sound and chroma_is_sound and _are_close(ours, theirs):
            continue
        if copy_is_sound == chroma_is_sound:
            differences.in_neither.append(passage.number)
        elif copy_is_sound:
            differences.not_in_chroma.append(passage.number)
        elif ours is None:
            differences.not_in_copy.append(passage.number)
        else:
            differences.wrong_in_copy.append(passage.number)


def _is_sound(vector: Floats | None) -> bool:
    with np.errstate(all="ignore"):  # damaged numbers may be of any size
        return vector is not None and abs(float(np.linalg.norm(vector)) - 1) <= _VECTOR_TOLERANCE


def _are_close(vector: Floats | None, other: Floats | None) -> bool:
    return float(np.abs(np.asarray(vector) - np.asarray(other)).max()) <= _VECTOR_TOLERANCE


def _take_out_of_copy(folder: Path, dimension: int, numbers: set[int]) -> None:
    """Take vectors out of the copy, so that nothing is taken from them again."""
    copy = vectors.read(folder, dimension)
    kept = np.flatnonzero(~np.isin(copy.numbers, np.fromiter(numbers, np.int64, len(numbers))))
    vectors.write_anew(folder, dimension, copy.numbers[kept], copy.rows, kept)


# ----------------------------------------------------------------------------------------------- what is made of them


def _check_columns(folder: Path, db: sqlite3.Connection, dimension: int, mend: bool) -> bool:
    """Say whether the columns are what would be made from nothing now; with `mend` they are from then on."""
    if mend:
        return update.check(folder, db, dimension, mend=True)
    with tempfile.TemporaryDirectory() as scratch_folder:  # nothing is written into an index that is only looked at
        scratch = Path(scratch_folder)
        copy = layout.VECTORS.within(folder)
        if copy.exists():
            layout.VECTORS.within(scratch).symlink_to(copy.absolute())
        update.write(scratch, db, dimension)
        return update.same_columns(layout.COLUMNS.within(folder), layout.COLUMNS.within(scratch))


def _check_encoder(db: sqlite3.Connection, folder: Path, card: ModelCard, mend: bool) -> list[Finding]:
    texts, known_vectors = _sample(db, folder, card.dimension)
    problem = check_home.check(card, texts, known_vectors, mend=mend)
    if problem is None:
        return []
    return [Finding(problem.what, problem.mended, problem.advice or ("" if problem.mended else _RUN))]


def _load_encoder(card: ModelCard) -> Encoder:
    home = model_home.find(card)
    if home is None:
        raise ModelError(f"There is no encoder of the model {card.name!r} on this machine.", _RUN)
    return onnx_encoder.load(home, card)


def _sample(db: sqlite3.Connection, folder: Path, dimension: int) -> tuple[list[str], Floats]:
    """Return the texts of some passages, from all over the index, and their vectors (n, dimension)."""
    rows = db.execute("SELECT number FROM passages WHERE embedded ORDER BY number")
    numbers = np.fromiter((number for (number,) in rows), np.int64)
    step = -(-len(numbers) // _SAMPLE) or 1
    sampled = numbers[::step]
    copy = vectors.read(folder, dimension)
    positions = copy.find(sampled)
    in_copy = positions >= 0
    texts = [
        db.execute("SELECT text FROM passages WHERE number = ?", (number,)).fetchone()[0]
        for number in sampled[in_copy].tolist()
    ]
    return texts, np.array(copy.rows[positions[in_copy]])


def _check_token_codes(db: sqlite3.Connection, folder: Path) -> list[Finding]:
    """Check that the codes of tokens can be read: without the directions of which they are signs they mean nothing."""
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


def _check_calibration(
    db: sqlite3.Connection, folder: Path, card: ModelCard, mend: bool, encoder: Encoder | None, *, other_findings: bool
) -> list[Finding]:
    """Check that what grades hits was measured on this state of the index.

    With `other_findings` the index itself was just mended, so that a calibration is old because of that.
    """
    if calibration.check(folder, db, card):
        return []
    is_finding = not other_findings or calibration.read(folder, card) is None
    mended = mend and calibration.mend(folder, db, card, lambda: encoder or _load_encoder(card))
    if mended and not is_finding:
        return []
    advice = "" if mended else "Make it: talksearch index" if mend else _RUN
    return [Finding("What hits are graded by was missing, old or damaged.", mended, advice)]


def _check_topics(
    db: sqlite3.Connection, folder: Path, dimension: int, mend: bool, *, other_findings: bool
) -> list[Finding]:
    """Check that the map of topics is one of this state of the index.

    With `other_findings` the index itself was just mended, so that a map is old because of that.
    """
    if topic_map.check(folder, db, dimension):
        return []
    is_finding = not other_findings or topics.read(folder) is None
    if mend:
        topic_map.update(folder, db, dimension)
    return [_finding("The map of topics was missing, old or damaged.", mend)] if is_finding else []


# --------------------------------------------------------------------------------------------- what still has to come


def _count_pending(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT count(*) FROM passages WHERE NOT embedded").fetchone()[0])


def _pending(db: sqlite3.Connection) -> list[Finding]:
    count = _count_pending(db)
    return [Finding(f"{count} passages wait for their vectors.", False, "Go on: talksearch index")] if count else []


def _missing_files(db: sqlite3.Connection) -> list[Finding]:
    """Check that the files behind the talks are where they were."""
    paths = sorted(catalog.talk_paths(db).values())
    missing = [path for path in paths if not Path(path).exists()]
    unreadable = [path for path in paths if path not in missing and lacks_first_byte(Path(path))]
    findings = []
    if missing:
        findings.append(
            Finding(
                f"The files of {len(missing)} of {len(paths)} talks are not there: {_some(missing)}.",
                False,
                "Plug in their disk, or take those out that were deleted: talksearch index. To take out any other:"
                " talksearch remove TALK",
            )
        )
    if unreadable:
        findings.append(
            Finding(
                f"The files of {len(unreadable)} of {len(paths)} talks cannot be read now: {_some(unreadable)}.",
                False,
                "The talks stay as they are. Bring the files back, or take the talks out: talksearch remove TALK",
            )
        )
    return findings


def _some(paths: Sequence[str]) -> str:
    unnamed = len(paths) - _NAMED_FILES
    return ", ".join(paths[:_NAMED_FILES]) + (f" and {unnamed} more" if unnamed > 0 else "")
