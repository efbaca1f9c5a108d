"""Answering around damage: what does not hold is left out, and the answer says so."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from talksearch.indexer import layout
from talksearch.indexer.errors import DamagedStoreError
from talksearch.indexer.stores import catalog, soundness, sums
from talksearch.indexer.stores.columns import reader as columns
from talksearch.indexer.text.terms import terms

from .answer import Answer
from .query import Filters, Query
from .reader import IndexReader

_MOST_WORDS = 20
"""Words of a query that are looked up twice; some of them are enough."""

_MAY_BE_DAMAGE = (sqlite3.Error, LookupError, TypeError, ValueError, ArithmeticError, AttributeError)
"""What a query may raise that meets rows or arrays that are not as they were written."""


def around_damage(reader: IndexReader, query: Query, ask: Callable[[], Answer]) -> Answer:
    """Answer a query; once more without what is damaged, where the first answer failed of it or shows any of it.

    Args:
        reader: The index, inside a snapshot of its catalog.
        query: What is asked.
        ask: Answers it.

    Raises:
        DamagedStoreError: the catalog cannot be read around the damage.
    """
    if reader.store is not None:  # what it fetches was looked at then, and is made into a catalog of its own
        answer = ask()
        counted = reader.store.counted if answer.facets is not None else None
        note = " ".join(filter(None, (reader.store.note, answer.note)))
        return replace(answer, note=note, counted_talks=counted)
    error: Exception | None = None
    for _ in range(2):
        reader.lacks_codes = False
        try:
            answer = ask()
            if reader.avoided.columns or _shows_what_holds(reader.db, query, answer):
                has_columns = reader.table().columns is not None
                state = "" if has_columns else _note_on_state(reader.folder)
                # A talk whose row is damaged may not pass filters that it should.
                passed = note_on_index(reader.db) if query.filters != Filters() and not reader.avoided.columns else ""
                tokens = _note_on_tokens(reader, query, answer)
                words = _note_on_words(reader, query, answer)
                notes = dict.fromkeys((reader.avoided.note, state, passed, tokens, words, answer.note))
                return replace(answer, note=" ".join(filter(None, notes)))
        except _MAY_BE_DAMAGE as met:
            if isinstance(met, sqlite3.Error) and not catalog.means_damage(met):
                raise
            error = error or met
        try:
            if not reader.avoid_damage():
                break
        except sqlite3.Error as met:
            raise catalog.as_bad_index(met) or met from met
    if error is None or isinstance(error, soundness.RowDamageError):
        raise DamagedStoreError("What the index holds of the hits is damaged.", soundness.MEND)
    raise (catalog.as_bad_index(error) if isinstance(error, sqlite3.Error) else None) or error from error


def _shows_what_holds(db: sqlite3.Connection, query: Query, answer: Answer) -> bool:
    """Say whether all rows hold that the hits were made of, and no passage is gone that might have been one."""
    # Other searches meet passages that are gone.
    if _is_by_text(query, answer) and not soundness.all_passages_are_there(db):
        return False
    talks = {hit.talk_id for hit in answer.hits} | {copy.talk_id for hit in answer.hits for copy in hit.copies}
    tables = {"cues", "passages"} if query.context_ms or query.timeline else set()
    if any(hit.note for hit in answer.hits):
        tables.add("passages")
    if any(hit.beside for hit in answer.hits):
        tables |= {"tracks", "track_cues"}
    return soundness.hold(db, {hit.passage_id for hit in answer.hits}, talks, tables)


def note_on_index(db: sqlite3.Connection) -> str:
    """Return a sentence where what lists and counts show is damaged, or not of the rest of the index; else nothing.

    It is looked for once in each state of the files, because a page must not wait for the seals of many talks.
    """
    (_, _, file), *_ = db.execute("PRAGMA database_list")
    folder = Path(file).parent
    files = (layout.CATALOG, layout.CATALOG_LOG, layout.COLUMNS)
    return _note_on(folder, tuple(_stamp(entry.within(folder)) for entry in files))


@lru_cache(maxsize=8)
def _note_on(folder: Path, _: tuple[tuple[int, ...], ...]) -> str:
    with closing(catalog.open_catalog(folder)) as db:
        if note := soundness.note(db):
            return note
        if sums.differing(db, sums.LISTED):
            return f"The index is damaged, and this is not all that it should hold. {soundness.MEND}"
        return _note_on_state(folder)


def _stamp(file: Path) -> tuple[int, ...]:
    try:
        status = file.stat()
    except OSError:
        return ()
    return status.st_ino, status.st_size, status.st_mtime_ns


def _note_on_state(folder: Path) -> str:
    """Return a sentence where the catalog was put back to an earlier state, or is another one."""
    if columns.are_of_another_catalog(folder):
        return f"The catalog is older than the rest of the index, or another one. {soundness.MEND}"
    return ""


def _note_on_words(reader: IndexReader, query: Query, answer: Answer) -> str:
    """Return a sentence where the word index, or what else queries read without seals, is not as a run left it."""
    if not reader.changed_sums() and not (_is_by_text(query, answer) and _lacks_words(reader, query)):
        return ""
    return f"The index of words is not as it was written, so hits may be missing, or others. {soundness.MEND}"


def _is_by_text(query: Query, answer: Answer) -> bool:
    """Say whether passages were looked for by the word index alone: other searches find them by the columns."""
    return query.mode == "quote" or not answer.hits or any(hit.quote for hit in answer.hits)


def _lacks_words(reader: IndexReader, query: Query) -> bool:
    """Say whether the word index finds nothing for a word of the query that the columns, made from it, hold."""
    mapped = reader.table().columns
    asked = itertools.islice(dict.fromkeys(terms(query.text)), _MOST_WORDS)
    return mapped is not None and any(
        len(mapped.positions_of(term))
        and not reader.db.execute("SELECT 1 FROM words WHERE words MATCH ? LIMIT 1", (f'"{term}"',)).fetchone()
        for term in asked
    )


def _note_on_tokens(reader: IndexReader, query: Query, answer: Answer) -> str:
    """Return a sentence where passages are not compared token by token, because what that takes is damaged."""
    if query.mode not in ("hybrid", "semantic") or not answer.hits:
        return ""
    if reader.directions() is None:
        are_there = reader.db.execute("SELECT 1 FROM tokens LIMIT 1").fetchone()
        return (
            f"Hits are not compared word by word, because directions.npy is missing or damaged. {soundness.MEND}"
            if are_there
            else ""
        )
    # A passage that has no vector yet has no codes either, which the note of the ranking tells.
    waiting = "SELECT 1 FROM passages WHERE NOT embedded LIMIT 1"
    if not reader.lacks_codes or reader.db.execute(waiting).fetchone():
        return ""
    return f"Some passages are not compared word by word, because their tokens are gone. {soundness.MEND}"
