"""The order in which an index is checked: what others are made of comes before them."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from talksearch.indexer import disk
from talksearch.indexer.encoders.base import Encoder, ModelCard
from talksearch.indexer.errors import BadIndexError
from talksearch.indexer.pipeline import unfinished
from talksearch.indexer.stores import catalog, copy_check, recipe
from talksearch.indexer.stores.lock import index_write_lock

from .database import check_database, damaged, is_complete
from .derived import check_calibration, check_columns, check_encoder, check_topics
from .files import check_files, missing_files
from .findings import Finding, finding
from .numbers import check_numbers
from .recipe_file import check_recipe
from .rows import check_rows
from .stores import check_vectors
from .sums import check_sums
from .tokens import check_tokens
from .words import can_be_read, check_words


def examine(folder: Path, *, mend: bool = True, encoder: Encoder | None = None) -> list[Finding]:
    """Check an index and mend it; with `mend` False only look, also where nothing can be written.

    An `encoder` given takes the place of the light one (for tests). Raises BadIndexError where there is no index or its
    catalog is damaged, with the command that builds it again; LockedError while another process writes to it;
    TalksearchError where it is to be mended and cannot be written.
    """
    catalog.open_catalog(folder, any_format=True).close()
    with (
        disk.refusals_told(folder),
        _locked(folder, mend),
        closing(catalog.open_catalog(folder, write=mend, any_format=True)) as db,  # the recipe may be damaged
    ):
        db.text_factory = _as_text
        try:
            return _examine(folder, db, mend, encoder)
        except sqlite3.DatabaseError as error:
            if not catalog.means_damage(error):
                raise
            raise damaged(folder, str(error)) from error


def _examine(folder: Path, db: sqlite3.Connection, mend: bool, encoder: Encoder | None) -> list[Finding]:
    of_recipe = check_recipe(folder, db, mend=mend)
    if of_recipe and not mend:
        return of_recipe  # of what it says, all else depends
    index_recipe = recipe.read(folder)
    if index_recipe is None:
        raise BadIndexError(f"The index {folder} was never finished.", "Go on with it: talksearch index")
    card = index_recipe.model
    findings = [*of_recipe, *check_database(folder, db, mend=mend)]
    if not is_complete(db):
        return findings  # it was only looked at
    of_rows, has_damaged_talks = check_rows(folder, db, mend=mend)
    findings += [*of_rows, *check_files(db, mend=mend), *check_words(folder, db, mend=mend)]
    if not can_be_read(db):
        return findings  # it was only looked at
    findings += [
        *check_numbers(folder, db, card.dimension, mend=mend),
        *check_vectors(db, folder, card.dimension, mend),
        *check_tokens(folder, db, mend=mend),
        *(finding(what, mend) for what in unfinished.look(folder, db, finish=mend)),
    ]
    findings += check_sums(db, mend=mend, has_damaged_talks=has_damaged_talks, other_findings=bool(findings))
    if mend:
        copy_check.note(folder, db)
    # First, because what is made of the vectors may need it; but nothing is old because of what it finds.
    of_encoder = check_encoder(db, folder, card, mend) if encoder is None else []
    if not has_damaged_talks:  # else the next indexing run makes it, of talks that are read again
        findings += _check_derived(folder, db, card, mend, encoder, has_findings=bool(findings))
    return [*findings, *of_encoder, *_pending(db), *missing_files(db)]


def _check_derived(
    folder: Path, db: sqlite3.Connection, card: ModelCard, mend: bool, encoder: Encoder | None, *, has_findings: bool
) -> list[Finding]:
    """Check what is made of all else; where that was not as it should be, this is old because of that."""
    findings = []
    if not check_columns(folder, db, card.dimension, mend) and not has_findings:
        findings.append(finding("The columns that make searching fast were missing, old or damaged.", mend))
    others = has_findings or bool(findings)
    findings += check_calibration(db, folder, card, mend, encoder, other_findings=others)
    findings += check_topics(db, folder, card.dimension, mend, other_findings=others)
    return findings


@contextmanager
def _locked(folder: Path, mend: bool) -> Iterator[None]:
    """Keep others from writing. Where nobody can write, looking needs no lock."""
    if mend or os.access(folder, os.W_OK):
        with index_write_lock(folder):
            yield
    else:
        yield


def _as_text(data: bytes) -> str:
    """Return a text of the catalog, also one that damage made no UTF-8: its row does not hold then."""
    return data.decode(errors="replace")


def _pending(db: sqlite3.Connection) -> list[Finding]:
    (count,) = db.execute("SELECT count(*) FROM passages WHERE NOT embedded").fetchone()
    return [Finding(f"{count} passages wait for their vectors.", False, "Go on: talksearch index")] if count else []
