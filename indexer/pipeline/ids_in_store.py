"""Under which ids the talks of an index are put into a store where other indexes have put talks of the same ids.

The id of a talk that no site gave one is made of where its file lies below its PATH: two indexes of two folders that
each hold a `monday/news.vtt` have two talks of one id. Both are put, the second told apart by its file, as `merge`
does. The same talk, which two indexes hold because their archives overlap, is in a store once.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Sequence

from talksearch.indexer.errors import StoreError
from talksearch.indexer.stores.remote.engine import Engine, StoredTalk
from talksearch.indexer.stores.remote.talk_bytes import unpack

from .told_apart import ids_told_apart

_FETCHED_AT_ONCE = 16
"""Talks that are fetched at once to be compared."""

_SAME = 0.5
"""The share of the passages of the shorter talk that both hold, word for word at one time, from which on they are one
talk: what was corrected in it since is less."""


def ids_in_store(db: sqlite3.Connection, engine: Engine, sources: Sequence[int]) -> dict[str, str | None]:
    """Return under which id each talk of an index is put into a store; None where another index has put that talk.

    Raises StoreError where the store does not answer.

    Args:
        db: The catalog of the index.
        engine: The store.
        sources: The number of the index, and those of indexes whose place it takes.
    """
    here: dict[str, str] = dict(db.execute("SELECT id, path FROM talks ORDER BY number"))
    ids: dict[str, str | None] = dict(zip(here, here, strict=True))
    others = engine.ids_of_others(sources)
    meeting = sorted(others & here.keys())
    if meeting:
        same = _put_by_others(db, engine, meeting)
        taken = others | here.keys()
        for talk_id in meeting:
            ids[talk_id] = None if talk_id in same else _told_apart(talk_id, here[talk_id], taken)
    return ids


def _told_apart(talk_id: str, path: str, taken: set[str]) -> str:
    free = next(other for other in ids_told_apart(talk_id, path) if other not in taken)
    taken.add(free)
    return free


def _put_by_others(db: sqlite3.Connection, engine: Engine, meeting: Collection[str]) -> set[str]:
    """Return, of the ids that talks here have and talks of others there, those under which both are one talk."""
    version = engine.open()
    there = {facts.id: facts for facts in version.facts()}
    same: set[str] = set()
    unknown: list[str] = []
    known = db.execute(
        "SELECT id, path, youtube_id FROM talks WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(meeting)),),
    )
    for talk_id, path, youtube_id in known.fetchall():
        facts = there.get(talk_id)
        if facts is not None and (facts.path == path or (youtube_id and facts.youtube_id == youtube_id)):
            same.add(talk_id)
        elif facts is not None:
            unknown.append(talk_id)
    for first in range(0, len(unknown), _FETCHED_AT_ONCE):
        same.update(_of_the_same_words(db, version.talks(unknown[first : first + _FETCHED_AT_ONCE])))
    return same


def _of_the_same_words(db: sqlite3.Connection, talks: Collection[StoredTalk]) -> Iterator[str]:
    """Yield the ids of the talks that the index holds too, by what is said: an id of a passage is made of its words.

    Of one that is damaged in the store nobody knows; it is there, and its own index puts it again.
    """
    for talk in talks:
        try:
            passages = unpack(talk.rows).talk.rows.passages
        except StoreError:
            yield talk.facts.id
            continue
        theirs = {passage.id for passage in passages if passage.field == "speech"}
        said = db.execute(
            "SELECT p.id FROM passages p JOIN talks t ON t.number = p.talk WHERE t.id = ? AND p.field = 'speech'",
            (talk.facts.id,),
        )
        ours = {passage_id for (passage_id,) in said}
        if len(ours & theirs) >= _SAME * min(len(ours), len(theirs)):
            yield talk.facts.id
