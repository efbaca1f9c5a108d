"""Putting indexes that were built apart together, without reading or embedding anything again."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from talksearch.indexer import disk, layout
from talksearch.indexer.encoders import token_codes
from talksearch.indexer.errors import DamagedStoreError, UsageError
from talksearch.indexer.stores import (
    calibration,
    catalog,
    catalog_writer,
    copy_check,
    recipe,
    stop_terms,
    sums,
    upgrade,
)
from talksearch.indexer.stores.catalog import FileRow
from talksearch.indexer.stores.chroma import store
from talksearch.indexer.stores.columns import update as columns
from talksearch.indexer.stores.lock import index_write_lock
from talksearch.indexer.stores.recipe import Recipe
from talksearch.indexer.stores.talk_rows import CatalogTalk, put_stored, read_rows, renamed, talk_states

from . import embed_pending
from .carry_vectors import carry_vectors
from .encoder_provider import EncoderProvider
from .merge_parts import Part, open_parts, require_one_way
from .merge_plan import KnownTalk, MergedTalk, plan_merge
from .read_talks import SkippedFile
from .report import Progress, Report, Tell
from .update_index import prepare_queries

_MOST_NAMED = 20
"""Files of which two states were found that are named one by one."""


def merge_indexes(parts: Sequence[str | Path], into: str | Path, *, tell: Tell = lambda _: None) -> Report:
    """Put all talks of some indexes into another one, beside those that it holds. Nothing is read or embedded.

    A talk that several of them hold comes in once (`merge_plan`). The files and PATHs that the talks came from are
    remembered as well, so that `build_index` keeps the merged index up to date where they are still there.

    Args:
        parts: The indexes; they are only read.
        into: The index that they are put into; it is made where it is missing.
        tell: Is called with a `Progress` now and then.

    Returns:
        What was done, talk by talk.

    Raises:
        BadIndexError: One of them is no index, is damaged, of another format, or made with another model or in another
            way than the first.
        UsageError: `into` is one of `parts`.
        LockedError: Another process is writing to `into`.
        DiskError: It cannot be written; DiskFullError where there is no room for it.

    Example::

        report = merge_indexes(["talks-2023", "talks-2024"], into="talks")
        print(len(report.added), "talks are new in it")
    """
    started = perf_counter()
    folder = Path(os.path.realpath(into))
    folders = list(dict.fromkeys(Path(os.path.realpath(part)) for part in parts))
    if folder in folders:
        raise UsageError(f"{into} is named as an index to merge, and as the one to merge into.", "Name another one.")
    with open_parts(folders) as opened, disk.refusals_told(folder), index_write_lock(folder):
        report = bring_together(folder, opened, tell)
    report.seconds = perf_counter() - started
    return report


def bring_together(folder: Path, parts: Sequence[Part], tell: Tell, *, mirrors: bool = False) -> Report:
    """Make an index hold the talks of others. Call it while it is locked for writing.

    Args:
        folder: The index; it is made where it is missing.
        parts: The indexes whose talks it shall hold.
        tell: Is called with a `Progress` now and then.
        mirrors: It holds nothing else than these, no Chroma store and no map of topics: it is a copy to ask.
    """
    layout.clear_leftovers(folder)
    upgrade.bring_up_to_date(folder)
    report = Report()
    with closing(catalog.open_catalog(folder, write=True)) as db:
        damaged = sums.differing(db, sums.ALL)
        known = _prepare(db, folder, parts, mirrors=mirrors)
        card = known.model
        if not mirrors:
            embed_pending.mend_copy(db, folder, card.dimension)
        indexes = [() if mirrors else _known_talks(db, 0)]
        indexes += [_known_talks(part.db, number) for number, part in enumerate(parts, 1)]
        merged = plan_merge(indexes)
        _put_talks(db, folder, parts, merged, report, tell)
        _drop_others(db, merged, report if mirrors else Report())
        _put_files(db, parts, merged, report, mirrors=mirrors)
        stop_terms.update_stop_terms(db)
        carried = carry_vectors(
            db,
            folder,
            [part.vectors for part in parts],
            card.dimension,
            lambda done, total: tell(Progress("carrying", done, total, len(merged), done)),
            chroma=not mirrors,
        )
        if not mirrors:
            store.drop_leaving(folder, db)
        sums.note(db, damaged)
        for part in parts:
            calibration.take_nulls(folder, part.folder, card)
        prepare_queries(folder, db, EncoderProvider(folder, known, None, (None, None), None).get, topics=not mirrors)
        report.notes = [*_told_of(parts, merged), *_told_of_vectors(db, carried)]
    return report


def _prepare(db: sqlite3.Connection, folder: Path, parts: Sequence[Part], *, mirrors: bool) -> Recipe:
    """Give a new index the recipe and the directions of the first part, or hold that it has that recipe."""
    kept = recipe.kept_copy(db) if recipe.read(folder) is None else None
    if kept:
        recipe.put_back(folder, kept)
    known = recipe.read(folder)
    if known is None:
        known = parts[0].recipe
        recipe.write(folder, known)
    require_one_way(folder, known, parts[0].folder, parts[0].recipe)
    directions = next((part.vectors.directions for part in parts if part.vectors.directions is not None), None)
    unknown = token_codes.read(folder) is None or copy_check.has_directions_of_another(folder, db)
    if directions is not None and unknown and not catalog.has_embedded(db):
        token_codes.write(folder, directions)
    with catalog.transaction(db):
        if mirrors:
            db.execute("DELETE FROM roots")
        catalog_writer.put_roots(db, (root for part in parts for root in catalog.roots(part.db)))
        recipe.keep_copy(folder, db)
    return known


def _known_talks(db: sqlite3.Connection, index: int) -> list[KnownTalk]:
    """Return the talks of an index in the order of their numbers."""
    files: dict[str, list[FileRow]] = {}
    for row in catalog.files(db).values():
        if row.talk_id:
            files.setdefault(row.talk_id, []).append(row)
    rows = db.execute("SELECT number, id, source, path, youtube_id FROM talks ORDER BY number")
    return [
        KnownTalk(index, number, talk_id, source, path, youtube_id, tuple(files.get(talk_id, ())))
        for number, talk_id, source, path, youtube_id in rows
    ]


def _put_talks(
    db: sqlite3.Connection,
    folder: Path,
    parts: Sequence[Part],
    merged: Sequence[MergedTalk],
    report: Report,
    tell: Tell,
) -> None:
    """Put each talk that comes from a part, where the index does not hold it in that state already."""
    states = talk_states(db)
    of_parts = [talk_states(part.db) for part in parts]
    for done, one in enumerate(merged, 1):
        talk = one.talk
        if talk.index == 0 or (one.id == talk.id and states.get(one.id) == of_parts[talk.index - 1].get(talk.id)):
            report.kept.append(one.id)
            continue
        try:
            part = parts[talk.index - 1]
            stored = renamed(read_rows(part.db, talk.number, words_hold=part.words_hold), one.id)
        except DamagedStoreError as error:
            report.skipped.append(SkippedFile(talk.path, f"{error.message} It was not taken along."))
            continue
        if one.id != talk.id and one.id in states and _is_held(db, stored):
            report.kept.append(one.id)
            continue
        with catalog.transaction(db):
            if put_stored(db, stored):
                columns.forget(folder)  # before this is committed, so that none are ever merged with it
        (report.replaced if one.id in states else report.added).append(one.id)
        tell(Progress("merging", done, len(merged)))


def _is_held(db: sqlite3.Connection, stored: CatalogTalk) -> bool:
    """Say whether a catalog holds a talk as it is, whatever it remembers of its files."""
    (number,) = db.execute("SELECT number FROM talks WHERE id = ?", (stored.rows.talk_id,)).fetchone()
    try:
        return replace(read_rows(db, number), files=()) == replace(stored, files=())
    except DamagedStoreError:
        return False


def _drop_others(db: sqlite3.Connection, merged: Sequence[MergedTalk], report: Report) -> None:
    """Drop the talks that another one takes the place of, or that no part holds any more."""
    stay = {one.id for one in merged}
    for (talk_id,) in db.execute("SELECT id FROM talks ORDER BY number").fetchall():
        if talk_id not in stay:
            with catalog.transaction(db):
                catalog_writer.drop_talk(db, talk_id)
            report.dropped.append(talk_id)


def _put_files(
    db: sqlite3.Connection, parts: Sequence[Part], merged: Sequence[MergedTalk], report: Report, *, mirrors: bool
) -> None:
    """Remember the files of all parts: those of talks, copies of them, and those that gave no talk."""
    held = {talk_id for (talk_id,) in db.execute("SELECT id FROM talks")}
    rows: dict[str, FileRow] = {}
    for one in merged:
        if one.id in held:
            rows |= {row.path: replace(row, talk_id=one.id) for row in one.talk.files}
    for one in merged:
        for copy in one.copies if one.id in held else ():
            if copy.path not in rows:
                report.duplicates.append(SkippedFile(copy.path, f"the talk {one.id} was read from {one.talk.source}"))
            note = f"another copy of {one.talk.source}"
            for row in copy.files:
                rows.setdefault(row.path, replace(row, talk_id=one.id, note=note))
    before = catalog.files(db)
    for part in parts:
        for row in catalog.files(part.db).values():
            if row.talk_id is None and row.path not in rows and (mirrors or row.path not in before):
                rows[row.path] = row
    with catalog.transaction(db):
        catalog_writer.put_files(db, [row for path, row in rows.items() if before.get(path) != row])
        if mirrors:
            catalog_writer.forget_files(db, [path for path in before if path not in rows])


def _told_of(parts: Sequence[Part], merged: Sequence[MergedTalk]) -> list[str]:
    """Return a sentence for each file that the indexes hold in two states."""
    told = [
        f"{one.talk.path} was read in two states; the later one{_where(parts, one.talk)}, was taken."
        for one in merged
        if any(copy.path == one.talk.path and _digest(copy) != _digest(one.talk) for copy in one.copies)
    ]
    more = len(told) - _MOST_NAMED
    return told[:_MOST_NAMED] + ([f"So were {more} more files."] if more > 0 else [])


def _where(parts: Sequence[Part], talk: KnownTalk) -> str:
    return f", of {parts[talk.index - 1].folder}" if talk.index else ", which was there"


def _digest(talk: KnownTalk) -> str:
    return talk.file.digest if talk.file else ""


def _told_of_vectors(db: sqlite3.Connection, carried: int) -> list[str]:
    (waiting,) = db.execute("SELECT count(*) FROM passages WHERE NOT embedded").fetchone()
    told = [f"{carried:,} vectors were taken along."] if carried else []
    (without,) = db.execute(
        "SELECT count(*) FROM passages WHERE embedded AND number NOT IN (SELECT number FROM tokens)"
    ).fetchone()
    if without and db.execute("SELECT 1 FROM tokens LIMIT 1").fetchone():
        told.append(
            f"{without:,} of them came without the codes of their tokens, which were made along other directions, as an"
            " earlier version did; they are ranked a little less well. To make them: talksearch doctor, and then:"
            " talksearch index"
        )
    if waiting:
        told.append(f"{waiting:,} passages have no vector yet. To embed them: talksearch index")
    return told
