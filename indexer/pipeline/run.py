"""Carrying out an indexing run: read, restore and split what is new, then embed what has no vector yet.

Words are searchable as soon as a talk is read; vectors follow. A run that is interrupted leaves nothing half done: each
talk is in the catalog whole or not at all, and the next run embeds what still waits.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Literal

from talksearch.indexer import layout
from talksearch.indexer.encoders import query_model
from talksearch.indexer.encoders.base import Encoder
from talksearch.indexer.errors import BadIndexError, TalksearchError
from talksearch.indexer.stores import calibration, catalog, catalog_writer, recipe
from talksearch.indexer.stores.catalog import FileRow
from talksearch.indexer.stores.chroma import store
from talksearch.indexer.stores.columns import update
from talksearch.indexer.stores.lock import index_write_lock
from talksearch.indexer.talks.walk import Root, as_root, files_under, may_be_transcript, merge_roots, relocated, root_of

from . import embed_pending
from .encoder_provider import EncoderProvider
from .plan import Group, make_plan
from .read_talks import Skipped, TalkResult, read_group, read_groups
from .scan import identity_of, scan_file


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is."""

    phase: Literal["looking", "reading", "embedding"]
    done: int
    total: int
    talks: int = 0
    passages: int = 0


@dataclass(slots=True)
class Report:
    """What a run did."""

    added: list[str] = field(default_factory=list)
    """Talk ids, as in the next three."""
    replaced: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    copies: list[Skipped] = field(default_factory=list)
    """Files that hold a talk which another file holds better."""
    skipped: list[Skipped] = field(default_factory=list)
    """Files that could not be read as transcripts."""
    beside: int = 0
    """Sidecars, recordings, images and so on: files that are not transcripts by their names."""
    repairs: Counter[str] = field(default_factory=Counter)
    """How many of the talks read in this run needed each kind of repair."""
    notes: list[str] = field(default_factory=list)
    """Sentences about the run itself."""
    embedded: int = 0
    """Passages that went through the model."""
    seconds: float = 0.0


Tell = Callable[[Progress], None]


def build_index(
    folder: Path,
    paths: Sequence[Path],
    *,
    model: str | None = None,
    rebuild: bool = False,
    prompts: tuple[str | None, str | None] = (None, None),
    encoder: Encoder | None = None,
    processes: int | None = None,
    tell: Tell = lambda _: None,
) -> Report:
    """Make the index in `folder` hold exactly what lies under `paths`, beside what other PATHs gave it before.

    Without `paths` every PATH of the index is looked at again. `prompts` are the query and passage prompts of a new
    index where the model's own should not count. An `encoder` given takes the place of the model (for tests).
    `processes` is how many read beside this one (`reading.read_groups`). Raises LockedError, BadIndexError, ModelError,
    or TalksearchError when a PATH is not there.
    """
    started = perf_counter()
    folder = Path(os.path.realpath(folder))  # what is a link stays one
    _undo_half_a_swap(folder)
    if rebuild:
        report = _rebuild(folder, paths, model, prompts, encoder, processes, tell)
    else:
        with index_write_lock(folder):
            report = _update(folder, paths, model, prompts, encoder, processes, tell)
    report.seconds = perf_counter() - started
    return report


def remove_talks(folder: Path, talk_ids: Iterable[str], roots: Iterable[Path] = ()) -> list[str]:
    """Take talks out of the index, and PATHs with all that lies under them; return the ids of the talks.

    A later `build_index` of the same PATH puts them back: the index holds what lies there. `roots` are PATHs of the
    index.
    """
    with (
        index_write_lock(folder),
        closing(catalog.open_catalog(folder, write=True)) as db,
        store.open_partition(folder),  # first: where it cannot be opened, nothing is half removed
    ):
        under = [Root(path) for path in roots]
        paths = catalog.talk_paths(db)
        inside = [talk_id for talk_id, path in paths.items() if any(root.holds(Path(path)) for root in under)]
        removed = list(dict.fromkeys([*talk_ids, *inside]))
        gone: dict[str, int] = {}
        for talk_id in removed:
            with catalog.transaction(db):
                gone |= catalog_writer.drop_talk(db, talk_id)
                db.execute("UPDATE files SET talk_id = NULL, stamp = '', note = '' WHERE talk_id = ?", (talk_id,))
        with catalog.transaction(db):
            catalog_writer.forget_files(db, [path for path in catalog.files(db) if any(r.holds(Path(path)) for r in under)])
            db.executemany("DELETE FROM roots WHERE path = ?", ((str(root.path),) for root in under))
        store.drop(folder, gone)
        catalog_writer.update_stop_terms(db)
        _make_ready(folder, db)
        return removed


def find_root(db: sqlite3.Connection, name: str) -> Path | None:
    """Return the PATH of an index that a name means, None where it means none."""
    path = as_root(Path(name)).path
    return path if str(path) in catalog.roots(db) else None


def _make_ready(folder: Path, db: sqlite3.Connection, encoder: Callable[[], Encoder] | None = None) -> None:
    """Leave beside the index what makes a query fast, and what grades its hits."""
    made = recipe.read(folder)
    if made:
        with ThreadPoolExecutor(1, "talksearch-light") as beside:
            quickened = beside.submit(query_model.ensure_query_model, folder)
            update.write(folder, db, made.model.dimension)
            calibration.write(folder, db, made.model, encoder)
            quickened.result()


def _rebuild(
    folder: Path,
    paths: Sequence[Path],
    model: str | None,
    prompts: tuple[str | None, str | None],
    encoder: Encoder | None,
    processes: int | None,
    tell: Tell,
) -> Report:
    """Build a new index beside the old one and put it in its place, so that searching goes on meanwhile.

    It has the old one's model and prompts where no others are given. PATHs that are not there any more are left out
    where others are named.
    """
    fresh, old = layout.rebuilt(folder), layout.replaced(folder)
    with index_write_lock(folder):
        for left in (fresh, old):  # by a run that was ended
            shutil.rmtree(left, ignore_errors=True)
        before, problem = _recipe_of(folder)
        if before and model in (None, before.model.name):
            model = before.model.name
            query, passage = prompts
            prompts = (
                before.model.query_prompt if query is None else query,
                before.model.passage_prompt if passage is None else passage,
            )
        roots = _roots_of(folder)
        gone = [root for root in roots if paths and not root.exists()]
        with index_write_lock(fresh):
            report = _update(fresh, [*(root for root in roots if root not in gone), *paths], model, prompts, encoder,
                             processes, tell)  # fmt: skip
        if problem and model is None:
            report.notes.append(f"{problem} The new one has the default model.")
        report.notes += [f"{root} is not there any more and was left out." for root in gone]
        folder.rename(old)
        fresh.rename(folder)
    shutil.rmtree(old)
    return report


def _undo_half_a_swap(folder: Path) -> None:
    """Put an index back that a rebuild had moved aside when it was ended."""
    old = layout.replaced(folder)
    if old.is_dir() and not folder.exists():
        old.rename(folder)


def _recipe_of(folder: Path) -> tuple[recipe.Recipe | None, str]:
    """Return the recipe of an index, and what is wrong with it where it cannot be read."""
    try:
        return recipe.read(folder), ""
    except BadIndexError as error:
        return None, error.message


def _roots_of(folder: Path) -> list[Path]:
    """Return the PATHs of an index; none where it is missing or damaged, which is what rebuilding is for."""
    try:
        with closing(catalog.open_catalog(folder)) as db:
            return [Path(path) for path in catalog.roots(db)]
    except (BadIndexError, sqlite3.Error):
        return []


def _update(
    folder: Path,
    paths: Sequence[Path],
    model: str | None,
    prompts: tuple[str | None, str | None],
    encoder: Encoder | None,
    processes: int | None,
    tell: Tell,
) -> Report:
    report = Report()
    known = recipe.read(folder)
    if known:
        recipe.check_model(folder, known, model)
    with closing(catalog.open_catalog(folder, write=True)) as db:
        before = catalog.files(db)
        roots, walk = merge_roots(catalog.roots(db), paths or [Path(path) for path in catalog.roots(db)])
        if not walk:
            raise TalksearchError("There is nothing to index yet.", "Name a folder: talksearch index PATH")
        now, report.beside = _look_at(roots, walk, before, tell)
        left = _without_moved(roots, now)
        report.notes += [
            f"{root.path} is not there, and nothing lies only in it: it is no longer looked at."
            for root in roots
            if root not in left
        ]
        roots = left
        plan = make_plan(before, now, identity_of)
        with catalog.transaction(db):  # first, so that what an interrupted run has read belongs somewhere
            db.execute("DELETE FROM roots")
            db.executemany("INSERT INTO roots VALUES (?)", ((str(root.path),) for root in roots))
        encoders = EncoderProvider(folder, known, model, prompts, encoder)
        gone = _read_groups(db, plan.read, encoders, report, tell, processes)
        for group in plan.keep:
            _note_kept(group, report)
        report.skipped += [Skipped(row.path, row.note) for row in plan.unreadable]
        with catalog.transaction(db):
            touched = [row for group in plan.keep for row in group.files if row != before[row.path]]
            catalog_writer.put_files(db, [*plan.unreadable, *touched])
            catalog_writer.forget_files(db, plan.gone)
        if plan.read:
            catalog_writer.update_stop_terms(db)
        if known:
            embed_pending.mend_copy(db, folder, known.model.dimension)
        report.embedded = embed_pending.embed_pending(
            db,
            folder,
            encoders.for_texts,
            gone,
            lambda: encoders.get().card.dimension,
            lambda done, total: tell(Progress("embedding", done, total, len(plan.read), done)),
        )
        # After embedding: a file that was moved has another id, and the same words keep their vectors.
        vanished = _drop_vanished(db, report)
        if vanished:
            store.drop(folder, vanished)
            catalog_writer.update_stop_terms(db)
        _make_ready(folder, db, encoders.get)
        report.notes += encoders.notes
    report.skipped.sort(key=lambda skipped: skipped.path)
    report.copies.sort(key=lambda copy: copy.path)
    return report


def _without_moved(roots: Sequence[Root], now: dict[str, FileRow]) -> list[Root]:
    """Take files out of `now` whose PATH is not there any more and whose content lies elsewhere: they were moved.

    Returns the PATHs without those of which nothing is left. What lies nowhere else stays: its disk may be unplugged.
    """
    missing = [root for root in roots if not root.path.exists()]
    if not missing:
        return list(roots)
    inside = {path for path in now if any(root.holds(Path(path)) for root in missing)}
    elsewhere = {_content(row) for path, row in now.items() if path not in inside}
    for path in inside:
        if _content(now[path]) in elsewhere or not now[path].digest:
            del now[path]
    return [root for root in roots if root not in missing or any(root.holds(Path(path)) for path in now)]


def _content(row: FileRow) -> str:
    return row.digest.partition(":")[0]


def _look_at(
    roots: Sequence[Root], walk: Sequence[Root], before: Mapping[str, FileRow], tell: Tell
) -> tuple[dict[str, FileRow], int]:
    """Return every file of the index's PATHs that may be a transcript, by path, and how many others there were."""
    now = {
        path: row for path, row in relocated(before, roots).items() if not any(root.holds(Path(path)) for root in walk)
    }
    beside = 0
    for root in walk:
        for path in files_under(root):
            if not may_be_transcript(path):
                beside += 1
                continue
            source = root_of(roots, path).source_of(path)
            now[str(path)] = scan_file(path, source, before.get(str(path)))
            tell(Progress("looking", len(now), 0))
    return now, beside


def _read_groups(
    db: sqlite3.Connection,
    groups: Sequence[Group],
    encoders: EncoderProvider,
    report: Report,
    tell: Tell,
    processes: int | None,
) -> dict[str, int]:
    """Read each group's talk from its best file into the catalog; returns ids and numbers of passages that are gone."""
    if not groups:
        return {}
    gone: dict[str, int] = {}
    passages = 0
    known = catalog.talk_paths(db)
    measure = encoders.measure()
    encoders.begin()
    tell(Progress("reading", 0, len(groups)))
    for done, (group, read) in enumerate(zip(groups, read_groups(groups, measure, processes), strict=True), 1):
        if read.rows and _taken(db, read, group):
            read = read_group(group, measure, _salt(group.files[0].path))
        with catalog.transaction(db):
            if read.rows:
                gone |= catalog_writer.put_rows(db, read.path, read.rows)
                catalog_writer.put_names(db, read.rows.talk_id, read.heard, read.odd)
            catalog_writer.put_files(db, read.files)
        if read.rows:
            passages += len(read.rows.passages)
            (report.replaced if read.rows.talk_id in known else report.added).append(read.rows.talk_id)
            report.repairs.update(read.repairs)
        elif read.lost:  # what the index holds of it stays
            paths = {row.path for row in group.files}
            report.kept += [talk_id for talk_id, path in known.items() if path in paths]
        report.copies += read.copies
        report.skipped += read.skipped
        tell(Progress("reading", done, len(groups), done, passages))
    return gone


def _taken(db: sqlite3.Connection, read: TalkResult, group: Group) -> bool:
    """Say whether a talk of another place has this id: two PATHs may each hold a `talk.vtt`."""
    if read.youtube_id or not read.rows:
        return False
    row = db.execute("SELECT path FROM talks WHERE id = ?", (read.rows.talk_id,)).fetchone()
    return row is not None and row[0] not in {file.path for file in group.files} and Path(row[0]).exists()


def _salt(path: str) -> str:
    return catalog_writer.text_digest(path).hex()[:4]


def _note_kept(group: Group, report: Report) -> None:
    for row in group.files:
        if row.talk_id and not row.note:
            report.kept.append(row.talk_id)
        elif row.talk_id:
            report.copies.append(Skipped(row.path, row.note))
        else:
            report.skipped.append(Skipped(row.path, row.note))


def _drop_vanished(db: sqlite3.Connection, report: Report) -> dict[str, int]:
    """Drop the talks that no file speaks for any more; returns the ids and numbers of their passages."""
    alive = {*report.added, *report.replaced, *report.kept}
    gone: dict[str, int] = {}
    for talk_id in catalog.talk_paths(db):
        if talk_id not in alive:
            with catalog.transaction(db):
                gone |= catalog_writer.drop_talk(db, talk_id)
            report.dropped.append(talk_id)
    return gone
