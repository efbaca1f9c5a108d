"""Making an index and taking talks out of it: what a person or a program asks of `pipeline`.

A run that is interrupted leaves nothing half done: each talk is in the catalog whole or not at all, a rebuilt index
takes the place of the old one at once, and the next run embeds what still waits.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from talksearch.indexer import disk, layout, mirrors
from talksearch.indexer.encoders.base import Encoder
from talksearch.indexer.errors import BadIndexError
from talksearch.indexer.stores import (
    catalog,
    catalog_talks,
    catalog_writer,
    published,
    recipe,
    stop_terms,
    sums,
    upgrade,
)
from talksearch.indexer.stores.chroma import store
from talksearch.indexer.stores.lock import index_write_lock
from talksearch.indexer.talks.walk import as_root

from .carry_over import carry_over
from .encoder_provider import Prompts
from .mirrored_paths import bring_in, finish_report
from .report import Report, Tell
from .update_index import RunOptions, prepare_queries, sizer_of, update_index
from .workers import open_workers


def build_index(
    folder: str | Path,
    paths: str | Path | Sequence[str | Path] = (),
    *,
    model: str | None = None,
    rebuild: bool = False,
    prompts: Prompts = (None, None),
    encoder: Encoder | None = None,
    processes: int | None = None,
    workers: str | None = None,
    tell: Tell = lambda _: None,
) -> Report:
    """Make an index hold exactly what lies under some paths, beside what other paths gave it before.

    Only what is new or changed is read and embedded.

    Args:
        folder: The index; it is made where it is missing.
        paths: Files and folders of transcripts; those of other machines by their addresses (`mirrors`). Without any,
            every path of the index is looked at again.
        model: A sentence-transformers model by name or folder. None: the model of the index, or the default model for a
            new one.
        rebuild: Build the index anew; the old one answers until the new one takes its place.
        prompts: What a new index puts in front of queries and of passages. None: the model's own prompt.
        encoder: Takes the place of the model.
        processes: How many processes read beside this one; by default as many as there are cores and work for.
        workers: Who reads and embeds in the place of this machine: a cluster of Ray (`ray://host:port`), or `ray` for
            processes of this machine.
        tell: Is called with a `Progress` now and then.

    Returns:
        What was done, file by file and talk by talk.

    Raises:
        LockedError: Another process is writing to the index.
        BadIndexError: The index is damaged, of another format, or made with another model.
        WorkersError: The workers cannot be reached, or cannot do what is needed.
        ModelError: The model cannot be loaded, or is no longer the one that the index was made with.
        DiskError: The index cannot be written; DiskFullError where there is no room for it.
        TalksearchError: A path is not there.

    Example::

        report = build_index("my-index", ["talks/"])
        print(len(report.added), "talks are new")
    """
    started = perf_counter()
    folder = Path(os.path.realpath(folder))  # where it is a link, the link stays
    given = [paths] if isinstance(paths, str | Path) else paths
    with ExitStack() as stack:
        reached = stack.enter_context(open_workers(workers)) if workers else None
        stack.enter_context(disk.refusals_told(folder))
        _undo_half_a_swap(folder)
        everything = rebuild or not given
        roots = (everything and _roots_of(folder)) or []
        local = bring_in(given, list(map(str, roots)), tell, everything=everything)
        options = RunOptions(folder, local.paths, model, prompts, encoder, processes, tell, reached, local.unreachable)
        if rebuild:
            report = _rebuild(options)
        else:
            with index_write_lock(folder):
                layout.clear_leftovers(folder)
                report = update_index(options)
    finish_report(report, local)
    report.seconds = perf_counter() - started
    return report


def remove_talks(
    folder: str | Path, talk_ids: str | Iterable[str], roots: str | Path | Iterable[str | Path] = ()
) -> list[str]:
    """Take talks out of an index.

    A later `build_index` of the same path puts them back: the index holds what lies there.

    Args:
        folder: The index.
        talk_ids: Ids of talks; one that the index does not have does no harm.
        roots: Paths that the index was made of. All talks under them are taken out, and the index forgets the paths.

    Returns:
        The ids of the talks that were taken out, those under `roots` last.

    Raises:
        LockedError: Another process is writing to the index.
        BadIndexError: There is no index, or it is damaged.
        DiskError: It cannot be written; DiskFullError where there is no room for that.

    Example::

        remove_talks("my-index", ["DTcRLlMv4_o"])
    """
    folder = Path(folder)
    if not layout.is_index(folder):
        raise BadIndexError(f"There is no index in {folder}.", "Make one: talksearch index PATH")
    talk_ids = [talk_ids] if isinstance(talk_ids, str) else talk_ids
    roots = [roots] if isinstance(roots, str | Path) else roots
    with ExitStack() as stack:
        stack.enter_context(disk.refusals_told(folder))
        stack.enter_context(index_write_lock(folder))
        layout.clear_leftovers(folder)
        upgrade.bring_up_to_date(folder)
        db = stack.enter_context(closing(catalog.open_catalog(folder, write=True)))
        with store.open_partition(folder):  # first: where it cannot be opened, nothing is removed
            pass
        forgotten = [as_root(Path(root)) for root in roots]

        def is_forgotten(path: str) -> bool:
            return any(root.holds(Path(path)) for root in forgotten)

        damaged = sums.differing(db, sums.ALL)
        paths = catalog_talks.talk_paths(db)
        inside = [talk_id for talk_id, path in paths.items() if is_forgotten(path)]
        removed = [talk_id for talk_id in dict.fromkeys([*talk_ids, *inside]) if talk_id in paths]
        for talk_id in removed:
            with catalog.transaction(db):
                catalog_writer.drop_talk(db, talk_id)
                catalog_writer.read_again(db, talk_id, keep=False)
        with catalog.transaction(db):
            catalog_writer.forget_files(db, [path for path in catalog.files(db) if is_forgotten(path)])
            db.executemany("DELETE FROM roots WHERE path = ?", ((str(root.path),) for root in forgotten))
        store.drop_leaving(folder, db)
        stop_terms.update_stop_terms(db)
        sums.note(db, damaged)
        prepare_queries(folder, db)
        for root in forgotten:
            mirrors.forget(root.path)
        return removed


def find_root(db: sqlite3.Connection, name: str) -> Path | None:
    """Return the PATH of an index that a name means, None where it means none."""
    path = mirrors.folder_of(name) if mirrors.is_address(name) else as_root(Path(name)).path
    return path if str(path) in catalog.roots(db) else None


def _rebuild(options: RunOptions) -> Report:
    """Build a new index beside the old one and put it in its place, so that searching goes on meanwhile.

    It has the old one's model and prompts where no others are given. Talks whose files cannot be read now are taken
    along from the old one; a PATH that is not there any more, and of which no talk is taken along, is left out.
    """
    folder = options.folder
    fresh, old = layout.rebuilt(folder), layout.replaced(folder)
    with index_write_lock(folder):
        layout.clear_leftovers(folder)
        known = recipe.read_model(folder)
        model, prompts = _model_of(options, known)
        roots = _roots_of(folder)
        if roots is None:
            if not options.paths:
                raise BadIndexError(
                    f"Which PATHs the index {folder} was made of cannot be read.",
                    "Name them: talksearch index PATH --rebuild",
                )
            roots = []
        away = [root for root in roots if not root.exists()]
        gone = away if options.paths or len(away) < len(roots) else []
        paths = (*(root for root in roots if root not in gone), *options.paths)
        # What cannot be reached is read from its copy: a new index has no talks of it that could stay as they are.
        for_fresh = replace(options, folder=fresh, paths=paths, model=model, prompts=prompts, unreachable={})
        with index_write_lock(fresh):
            report = update_index(for_fresh)
            taken = carry_over(folder, fresh, sizer_of(for_fresh))
            if taken:  # once more, for their vectors; it says as well why each cannot be read
                again = update_index(for_fresh)
                report.held, report.kept, report.notes = again.held, taken, [*report.notes, *again.notes]
                report.embedded += again.embedded
                report.skipped = [
                    file for file in report.skipped if file.path not in {talk.path for talk in again.held}
                ]
        if layout.is_index(folder) and model is None:
            report.notes.append(f"Which model {folder} had cannot be read; the new one has the default model.")
        still = _roots_of(fresh) or []
        report.notes += [f"{root} is not there any more and was left out." for root in gone if root not in still]
        report.notes += [
            f"{root} is not there; its talks were taken along. To take them out: talksearch remove {root}"
            for root in gone
            if root in still
        ]
        published.take_along(folder, fresh)
        fresh.chmod(stat.S_IMODE(folder.stat().st_mode))  # who may read it is its owner's choice
        if not layout.swap_folders(folder, fresh):
            folder.rename(old)
            fresh.rename(folder)
        layout.clear_leftovers(folder)
    return report


def _undo_half_a_swap(folder: Path) -> None:
    """Put an index back that a rebuild had moved aside when it was ended."""
    old = layout.replaced(folder)
    if old.is_dir() and not folder.exists():
        old.rename(folder)


def _model_of(options: RunOptions, known: recipe.NamedModel | None) -> tuple[str | None, Prompts]:
    """Return the model and the prompts of a rebuilt index: the old one's, where no others are given."""
    if known is None or options.model not in (None, known.name):
        return options.model, options.prompts
    query, passage = options.prompts
    return known.name, (
        known.query_prompt if query is None else query,
        known.passage_prompt if passage is None else passage,
    )


def _roots_of(folder: Path) -> list[Path] | None:
    """Return the PATHs of an index of any format: none where there is no index, None where they cannot be read."""
    if not layout.is_index(folder):
        return []
    try:
        with closing(catalog.open_catalog(folder, any_format=True)) as db:
            return [Path(path) for path in catalog.roots(db)]
    except (BadIndexError, sqlite3.Error):
        return None
