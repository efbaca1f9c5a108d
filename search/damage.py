"""Answering around damage: what does not hold is left out, and the answer says so."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace

from talksearch.indexer.errors import DamagedStoreError
from talksearch.indexer.stores import catalog, soundness

from .answer import Answer
from .query import Query
from .reader import IndexReader

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
    error: Exception | None = None
    for _ in range(2):
        try:
            answer = ask()
            if reader.avoided.columns or _shows_what_holds(reader.db, query, answer):
                notes = (reader.avoided.note, _note_on_tokens(reader, query, answer), answer.note)
                return replace(answer, note=" ".join(filter(None, notes)))
        except _MAY_BE_DAMAGE as met:
            if isinstance(met, sqlite3.Error) and not catalog.means_damage(met):
                raise
            error = met
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
    # Other searches find passages by the columns, and meet those that are gone.
    by_text = query.mode == "quote" or not answer.hits or any(hit.quote for hit in answer.hits)
    if by_text and not soundness.all_passages_are_there(db):
        return False
    talks = {hit.talk_id for hit in answer.hits} | {copy.talk_id for hit in answer.hits for copy in hit.copies}
    tables = {"cues", "passages"} if query.context_ms or query.timeline else set()
    if any(hit.note for hit in answer.hits):
        tables.add("passages")
    if any(hit.beside for hit in answer.hits):
        tables |= {"tracks", "track_cues"}
    return soundness.hold(db, {hit.passage_id for hit in answer.hits}, talks, tables)


def _note_on_tokens(reader: IndexReader, query: Query, answer: Answer) -> str:
    """Return a sentence where passages are not compared token by token, because what that takes is damaged."""
    if query.mode != "hybrid" or not answer.hits:
        return ""
    if reader.directions() is None:
        are_there = reader.db.execute("SELECT 1 FROM tokens LIMIT 1").fetchone()
        return (
            f"Hits are not compared word by word, because directions.npy is damaged. {soundness.MEND}"
            if are_there
            else ""
        )
    ids = json.dumps([hit.passage_id for hit in answer.hits])
    lacking = reader.db.execute(
        "SELECT 1 FROM passages WHERE id IN (SELECT value FROM json_each(?)) AND embedded"
        " AND number NOT IN (SELECT number FROM tokens) LIMIT 1",
        (ids,),
    ).fetchone()
    return (
        f"Some hits are not compared word by word, because their tokens are gone. {soundness.MEND}" if lacking else ""
    )
