"""One indexing run: look at the files, read, restore and split what is new, then embed what has no vector yet.

Words are searchable as soon as a talk is read; vectors follow.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from talksearch.indexer.encoders import query_model
from talksearch.indexer.encoders.base import Encoder
from talksearch.indexer.errors import TalksearchError
from talksearch.indexer.stores import calibration, catalog, catalog_writer, recipe
from talksearch.indexer.stores.catalog import FileRow
from talksearch.indexer.stores.chroma import store
from talksearch.indexer.stores.columns import update as columns
from talksearch.indexer.talks.opened_file import ScannedFiles
from talksearch.indexer.talks.walk import Root, files_under, may_be_transcript, merge_roots, relocated, root_of

from . import embed_pending
from .encoder_provider import EncoderProvider, Prompts
from .plan import Group, Plan, make_plan
from .read_talks import SkippedFile, TalkResult, read_group, read_groups
from .report import Progress, Report, Tell
from .scan import content_digest, identity_of, scan_file


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What a run is asked to do. `build_index` says what each option means."""

    folder: Path
    paths: tuple[Path, ...]
    model: str | None
    prompts: Prompts
    encoder: Encoder | None
    processes: int | None
    tell: Tell


def update_index(options: RunOptions) -> Report:
    """Make the index hold what lies under its PATHs. Call it while the index is locked for writing.

    Raises BadIndexError, ModelError, or TalksearchError when a PATH is not there.
    """
    folder, tell = options.folder, options.tell
    report = Report()
    known = recipe.read(folder)
    if known:
        recipe.check_model(folder, known, options.model)
    with closing(catalog.open_catalog(folder, write=True)) as db:
        before = catalog.files(db)
        scanned = ScannedFiles()
        roots, now = _look(db, options, before, scanned, report)
        plan = make_plan(before, now, identity_of)
        with catalog.transaction(db):  # first, so that what an interrupted run has read belongs somewhere
            db.execute("DELETE FROM roots")
            db.executemany("INSERT INTO roots VALUES (?)", ((str(root.path),) for root in roots))
        encoders = EncoderProvider(folder, known, options.model, options.prompts, options.encoder)
        gone = _read_changed(db, plan.read, encoders, options, scanned, report)
        scanned.clear()
        _note_unchanged(db, plan, before, report)
        if plan.read:
            catalog_writer.update_stop_terms(db)
        if known:
            embed_pending.mend_copy(db, folder, known.model.dimension)
        report.embedded = embed_pending.embed_pending(
            db,
            folder,
            encoders.bulk_encoder,
            gone,
            lambda: encoders.get().card.dimension,
            lambda done, total: tell(Progress("embedding", done, total, len(plan.read), done)),
        )
        # After embedding: a file that was moved has another id, and the same words keep their vectors.
        vanished = _drop_vanished(db, report)
        if vanished:
            store.drop(folder, vanished)
            catalog_writer.update_stop_terms(db)
        prepare_queries(folder, db, encoders.get)
        report.notes += encoders.notes
    report.skipped.sort(key=lambda file: file.path)
    report.duplicates.sort(key=lambda file: file.path)
    return report


def prepare_queries(folder: Path, db: sqlite3.Connection, encoder: Callable[[], Encoder] | None = None) -> None:
    """Write what makes queries fast and what hits are graded by: the query model, the columns, the calibration.

    `encoder` gives the encoder of the index for what must be embedded; without it that is left out.
    """
    known = recipe.read(folder)
    if known is None:
        return
    with ThreadPoolExecutor(1, "talksearch-query-model") as thread:
        query_model_written = thread.submit(query_model.ensure_query_model, folder)
        columns.write(folder, db, known.model.dimension)
        calibration.write(folder, db, known.model, encoder)
        query_model_written.result()


# --- looking at files -----------------------------------------------------------------------------------------------


def _look(
    db: sqlite3.Connection,
    options: RunOptions,
    before: Mapping[str, FileRow],
    scanned: ScannedFiles,
    report: Report,
) -> tuple[list[Root], dict[str, FileRow]]:
    """Return the PATHs of the index, and every file under them that may be a transcript, by path.

    Args:
        db: The catalog.
        options: What the run is asked to do.
        before: The files that earlier runs looked at.
        scanned: Keeps the files that had to be opened.
        report: Counts the files that are no transcripts by their names.
    """
    known = catalog.roots(db)
    roots, walked = merge_roots(known, options.paths or [Path(path) for path in known])
    if not walked:
        raise TalksearchError("There is nothing to index yet.", "Name a folder: talksearch index PATH")
    now = {
        path: row
        for path, row in relocated(before, roots).items()
        if not any(root.holds(Path(path)) for root in walked)
    }
    for root in walked:
        for path in files_under(root):
            if not may_be_transcript(path):
                report.other_files += 1
                continue
            source = root_of(roots, path).source_of(path)
            now[str(path)] = scan_file(path, source, before.get(str(path)), scanned)
            options.tell(Progress("looking", len(now), 0))
    remaining = _forget_moved(roots, now)
    report.notes += [
        f"{root.path} is not there, and nothing lies only in it: it is no longer looked at."
        for root in roots
        if root not in remaining
    ]
    return remaining, now


def _forget_moved(roots: Sequence[Root], now: dict[str, FileRow]) -> list[Root]:
    """Take files out of `now` that were moved: their PATH is not there any more, and their content lies elsewhere.

    Returns the PATHs without those of which nothing is left. A file whose content lies nowhere else stays: its disk may
    be unplugged.
    """
    missing = [root for root in roots if not root.path.exists()]
    if not missing:
        return list(roots)
    inside = {path for path in now if any(root.holds(Path(path)) for root in missing)}
    elsewhere = {content_digest(row) for path, row in now.items() if path not in inside}
    for path in inside:
        if content_digest(now[path]) in elsewhere or not now[path].digest:
            del now[path]
    return [root for root in roots if root not in missing or any(root.holds(Path(path)) for path in now)]


# --- reading talks --------------------------------------------------------------------------------------------------


def _read_changed(
    db: sqlite3.Connection,
    groups: Sequence[Group],
    encoders: EncoderProvider,
    options: RunOptions,
    scanned: ScannedFiles,
    report: Report,
) -> dict[str, int]:
    """Read new and changed talks into the catalog; return ids and numbers of passages that are gone.

    Args:
        db: The catalog, open for writing.
        groups: The files of each talk.
        encoders: Knows how talks are split.
        options: What the run is asked to do.
        scanned: Files that were opened when they were looked at.
        report: Takes what came of each file.
    """
    if not groups:
        return {}
    gone: dict[str, int] = {}
    passages = 0
    known = catalog.talk_paths(db)
    sizer = encoders.sizer()
    encoders.start_loading()
    options.tell(Progress("reading", 0, len(groups)))
    results = read_groups(groups, sizer, options.processes, scanned)
    for done, (group, result) in enumerate(zip(groups, results, strict=True), 1):
        if _is_id_taken(db, result, group):
            result = read_group(group, sizer, _id_suffix(group.files[0].path))
        with catalog.transaction(db):
            if result.talk_rows:
                gone |= catalog_writer.put_rows(db, result.talk_path, result.talk_rows)
                catalog_writer.put_names(db, result.talk_rows.talk_id, result.mishearings, result.rare_words)
            catalog_writer.put_files(db, result.file_rows)
        if result.talk_rows:
            passages += len(result.talk_rows.passages)
            talk_id = result.talk_rows.talk_id
            (report.replaced if talk_id in known else report.added).append(talk_id)
            report.repairs.update(result.repairs)
        elif result.lost:  # what the index holds of it stays
            paths = {row.path for row in group.files}
            report.kept += [talk_id for talk_id, path in known.items() if path in paths]
        report.duplicates += result.duplicates
        report.skipped += result.skipped
        options.tell(Progress("reading", done, len(groups), done, passages))
    return gone


def _is_id_taken(db: sqlite3.Connection, result: TalkResult, group: Group) -> bool:
    """Say whether a talk of another place has this id: two PATHs may each hold a `talk.vtt`."""
    if result.youtube_id or not result.talk_rows:
        return False
    row = db.execute("SELECT path FROM talks WHERE id = ?", (result.talk_rows.talk_id,)).fetchone()
    return row is not None and row[0] not in {file.path for file in group.files} and Path(row[0]).exists()


def _id_suffix(path: str) -> str:
    return catalog_writer.text_digest(path).hex()[:4]


def _note_unchanged(db: sqlite3.Connection, plan: Plan, before: Mapping[str, FileRow], report: Report) -> None:
    """Report the files that need no reading, and remember what changed about them."""
    for group in plan.keep:
        for row in group.files:
            if row.talk_id and not row.note:
                report.kept.append(row.talk_id)
            elif row.talk_id:
                report.duplicates.append(SkippedFile(row.path, row.note))
            else:
                report.skipped.append(SkippedFile(row.path, row.note))
    report.skipped += [SkippedFile(row.path, row.note) for row in plan.unreadable]
    touched = [row for group in plan.keep for row in group.files if row != before[row.path]]
    with catalog.transaction(db):
        catalog_writer.put_files(db, [*plan.unreadable, *touched])
        catalog_writer.forget_files(db, plan.gone)


def _drop_vanished(db: sqlite3.Connection, report: Report) -> dict[str, int]:
    """Drop the talks that no file holds any more; return the ids and numbers of their passages."""
    alive = {*report.added, *report.replaced, *report.kept}
    gone: dict[str, int] = {}
    for talk_id in catalog.talk_paths(db):
        if talk_id not in alive:
            with catalog.transaction(db):
                gone |= catalog_writer.drop_talk(db, talk_id)
            report.dropped.append(talk_id)
    return gone
