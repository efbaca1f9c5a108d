"""One indexing run: look at the files, read, restore and split what is new, then embed what has no vector yet.

Words are searchable as soon as a talk is read; vectors follow.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from talksearch.indexer import layout
from talksearch.indexer.encoders import model_home, query_model, token_codes
from talksearch.indexer.encoders.base import Encoder, ModelCard
from talksearch.indexer.stores import (
    calibration,
    catalog,
    catalog_names,
    catalog_talks,
    catalog_writer,
    copy_check,
    recipe,
    stop_terms,
    sums,
    upgrade,
)
from talksearch.indexer.stores.catalog import FileRow
from talksearch.indexer.stores.chroma import store
from talksearch.indexer.stores.chroma.writer import early_process
from talksearch.indexer.stores.columns import update as columns
from talksearch.indexer.stores.tracks import track_sources
from talksearch.indexer.talks.no_speech import has_no_speech
from talksearch.indexer.talks.opened_file import ScannedFiles
from talksearch.indexer.talks.untranscribed import without_transcript

from . import embed_pending, topic_map
from .embed_pending import EncodeTexts
from .encoder_provider import EncoderProvider, Prompts
from .look import Seen, look
from .plan import Group, Plan, make_plan
from .read_talks import SkippedFile, TalkResult, read_group, read_groups
from .report import HeldTalk, Progress, Report, Tell
from .scan import identity_of
from .shipped_model import shipped_model
from .sizing import PassageSizer
from .workers import Workers

_WAITS = "It is read when the other file of its talk, which cannot be read now, is back."


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
    workers: Workers | None = None
    unreachable: Mapping[Path, str] = field(default_factory=dict)
    """PATHs that are copies of folders which cannot be looked at now, with the reason."""


def update_index(options: RunOptions) -> Report:
    """Make the index hold what lies under its PATHs. Call it while the index is locked for writing.

    Raises BadIndexError, ModelError, or TalksearchError when a PATH is not there.
    """
    folder, tell = options.folder, options.tell
    report = Report()
    upgrade.bring_up_to_date(folder)
    if not _has_catalog(folder):
        _leave_what_is_of_another(folder)
    known = recipe.read(folder)
    with closing(catalog.open_catalog(folder, write=True)) as db:
        damaged = sums.differing(db, sums.ALL)
        if known is None and (kept := recipe.kept_copy(db)):  # a lost recipe must not become another model's
            recipe.put_back(folder, kept)
            known = recipe.read(folder)
        if known:
            recipe.check_model(folder, known, options.model)
        before = catalog.files(db)
        scanned = ScannedFiles()
        seen = look(catalog.roots(db), options.paths, before, scanned, report, tell, options.unreachable)
        report.untranscribed = _untranscribed(seen)
        plan = make_plan(before, seen.now, identity_of, seen.held)
        with catalog.transaction(db):  # first, so that what an interrupted run has read belongs somewhere
            db.execute("DELETE FROM roots")
            catalog_writer.put_roots(db, (str(root.path) for root in seen.roots))
            if known:
                recipe.keep_copy(folder, db)
        encoders = EncoderProvider(folder, known, options.model, options.prompts, options.encoder)
        with early_process(wanted=bool(plan.read)) as early:
            _read_changed(db, plan.read, encoders, options, scanned, report)
            scanned.clear()
            _note_unchanged(db, plan, before, report)
            stop_terms.update_stop_terms(db)
            if known:
                embed_pending.mend_copy(db, folder, known.model.dimension)
            report.embedded = embed_pending.embed_pending(
                db,
                folder,
                partial(_what_encodes, folder, encoders, options.workers),
                lambda: encoders.get().card.dimension,
                lambda done, total: tell(Progress("embedding", done, total, len(plan.read), done)),
                early,
                options.workers.windows_at_once if options.workers else 1,
            )
        # After embedding: a file that was moved has another id, and the same words keep their vectors.
        _drop_vanished(db, report)
        store.drop_leaving(folder, db)
        stop_terms.update_stop_terms(db)
        sums.note(db, damaged)
        prepare_queries(folder, db, encoders.get)
        report.notes += encoders.notes
    report.skipped.sort(key=lambda file: file.path)
    report.duplicates.sort(key=lambda file: file.path)
    report.tracks.sort(key=lambda file: file.path)
    return report


def _what_encodes(
    folder: Path, encoders: EncoderProvider, workers: Workers | None, sample: Sequence[str], waiting: int
) -> EncodeTexts:
    """Return what encodes the passages of a run: the fastest encoder of this machine, or workers with the same one.

    Args:
        folder: The index folder.
        encoders: Chooses the encoder.
        workers: Who embeds; None: this process.
        sample: Some of the passages.
        waiting: How many there are.
    """
    encoder = encoders.bulk_encoder(sample, waiting)
    if workers is None:
        return partial(embed_pending.encode, folder, encoder)
    return partial(workers.encode, shipped_model(encoder, token_codes.read(folder)))


def _has_catalog(folder: Path) -> bool:
    file = layout.CATALOG.within(folder)
    return file.exists() and file.stat().st_size > 0  # an empty one is made as if there was none


def _leave_what_is_of_another(folder: Path) -> None:
    """Take away what a catalog left that is gone: the next one gives the same numbers to other passages.

    The Chroma store is only put aside.
    """
    for entry in (layout.VECTORS, layout.COLUMNS, layout.CALIBRATION, layout.TOPICS, layout.OVERVIEW, layout.CHECKSUMS):
        entry.within(folder).unlink(missing_ok=True)
    store.move_aside(folder)


def _untranscribed(seen: Seen) -> list[Path]:
    """Return the recordings without a transcript, by what was found out about the files beside them.

    Those in which nobody was heard are left out.
    """
    if not seen.recordings:
        return []
    identities = {path: identity for path, row in seen.now.items() if (identity := identity_of(row))}
    videos = [identity.youtube_id for identity in identities.values() if identity.youtube_id]
    lacking = without_transcript(seen.recordings, map(Path, identities), videos)
    return [recording for recording in lacking if not has_no_speech(recording)]


def sizer_of(options: RunOptions) -> PassageSizer:
    """Return how the index splits talks."""
    known = recipe.read(options.folder)
    return EncoderProvider(options.folder, known, options.model, options.prompts, options.encoder).sizer()


def prepare_queries(
    folder: Path, db: sqlite3.Connection, encoder: Callable[[], Encoder] | None = None, *, topics: bool = True
) -> None:
    """Write what is made of the whole index: the query model, the columns, the calibration, the map of topics.

    Args:
        folder: The index.
        db: Its catalog, open for writing.
        encoder: Gives the encoder of the index for what must be embedded; without it that is left out.
        topics: Whether the map of topics is made, which takes longer than all else and which no search reads.
    """
    known = recipe.read(folder)
    if known is None:
        return
    with catalog.transaction(db):
        recipe.keep_copy(folder, db)
    copy_check.note(folder, db)
    with ThreadPoolExecutor(1, "talksearch-query-model") as thread:
        query_model_written = thread.submit(_prepare_query_model, known.model)
        columns.write(folder, db, known.model.dimension)
        calibration.write(folder, db, known.model, encoder)
        if topics:
            topic_map.update(folder, db, known.model.dimension)
        query_model_written.result()


def _prepare_query_model(card: ModelCard) -> None:
    """Write the query model where the model has a home: what an `encoder` that was given for it would lack."""
    home = model_home.find(card)
    if home is not None:
        query_model.ensure_query_model(home, card)


# --- reading talks --------------------------------------------------------------------------------------------------


def _read_changed(
    db: sqlite3.Connection,
    groups: Sequence[Group],
    encoders: EncoderProvider,
    options: RunOptions,
    scanned: ScannedFiles,
    report: Report,
) -> None:
    """Read new and changed talks into the catalog.

    Args:
        db: The catalog, open for writing.
        groups: The files of each talk.
        encoders: Knows how talks are split.
        options: What the run is asked to do.
        scanned: Files that were opened when they were looked at.
        report: Takes what came of each file.
    """
    if not groups:
        return
    passages = 0
    known = catalog_talks.talk_paths(db)
    sizer = encoders.sizer()
    encoders.start_loading()
    options.tell(Progress("reading", 0, len(groups)))
    if options.workers:
        scanned.clear()
        results = options.workers.read(groups, sizer)
    else:
        results = read_groups(groups, sizer, options.processes, scanned)
    for done, (group, result) in enumerate(zip(groups, results, strict=True), 1):
        if _is_id_taken(db, result, group):
            result = read_group(group, sizer, _id_suffix(group.files[0].path))
        unread = {} if result.lost else {file.path: file.reason for file in result.skipped}
        holding = [HeldTalk(talk_id, path, unread[path]) for talk_id, path in known.items() if path in unread]
        if holding:  # what it was read from cannot be read now; the next run tries again
            report.held += holding
            report.kept += [talk.talk_id for talk in holding]
            options.tell(Progress("reading", done, len(groups), done, passages))
            continue
        with catalog.transaction(db):
            if result.talk_rows:
                catalog_writer.put_rows(db, result.talk_path, result.talk_rows)
                if catalog_writer.put_terms(db, result.talk_rows):
                    columns.forget(options.folder)  # before this is committed, so that none are ever merged with it
                catalog_names.put_names(db, result.talk_rows.talk_id, result.mishearings, result.rare_words)
            catalog_writer.put_files(db, result.file_rows)
        if result.talk_rows:
            passages += len(result.talk_rows.passages)
            talk_id = result.talk_rows.talk_id
            (report.replaced if talk_id in known else report.added).append(talk_id)
            report.repairs.update(result.repairs)
            report.unbalanced += result.unbalanced
        elif result.lost:  # what the index holds of it stays
            paths = {row.path for row in group.files}
            report.kept += [talk_id for talk_id, path in known.items() if path in paths]
        report.duplicates += result.duplicates
        report.tracks += result.tracks
        report.skipped += result.skipped
        options.tell(Progress("reading", done, len(groups), done, passages))


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
    tracks = track_sources(db)
    for group in plan.keep:
        for row in group.files:
            if row.talk_id and (row.talk_id, row.source) in tracks:
                report.tracks.append(SkippedFile(row.path, row.note))
            elif row.talk_id and not row.note:
                report.kept.append(row.talk_id)
            elif row.talk_id:
                report.duplicates.append(SkippedFile(row.path, row.note))
            else:
                report.skipped.append(SkippedFile(row.path, row.note or _WAITS))
    report.skipped += [SkippedFile(row.path, row.note) for row in plan.unreadable]
    # What waits for another file of its talk is not remembered, so that it is read as soon as that can be.
    known = [row for group in plan.keep for row in group.files if row.talk_id or row.note]
    touched = [row for row in known if row != before.get(row.path)]
    with catalog.transaction(db):
        catalog_writer.put_files(db, [*plan.unreadable, *touched])
        catalog_writer.forget_files(db, plan.gone)


def _drop_vanished(db: sqlite3.Connection, report: Report) -> None:
    """Drop the talks that no file holds any more."""
    alive = {*report.added, *report.replaced, *report.kept}
    for talk_id in catalog_talks.talk_paths(db):
        if talk_id not in alive:
            with catalog.transaction(db):
                catalog_writer.drop_talk(db, talk_id)
            report.dropped.append(talk_id)
