"""What is taken along: talks, hits, or the whole archive, as one value that every format takes; and what it made."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from talksearch.indexer.errors import DamagedStoreError
from talksearch.indexer.records import Talk
from talksearch.indexer.stores import catalog_talks
from talksearch.indexer.stores.catalog_talks import TalkSize
from talksearch.search.hit import Hit

Kind = Literal["talk", "talks", "hits", "archive"]
"""One talk, several that were named, the hits of a query, or all that is indexed."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What is to be written."""

    kind: Kind
    talks: Iterable[Talk]
    """With their cues. Those of an archive are read from the catalog one by one, so they can be gone through once. For
    hits: the talks of the hits, each once, in the order of their first hits."""
    sizes: Mapping[str, TalkSize] = field(default_factory=dict)
    """How much is said in each talk, by talk id."""
    hits: tuple[Hit, ...] = ()
    query: str = ""
    """What was asked for, where there are hits."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a format made: the file's content, and a sentence about each thing that it could not hold."""

    content: str | bytes
    notes: tuple[str, ...] = ()


def select_talks(db: sqlite3.Connection, talk_ids: Sequence[str]) -> Selection:
    """Select talks by their ids; those that are not in the catalog are left out."""
    talks = tuple(talk for talk_id in dict.fromkeys(talk_ids) if (talk := catalog_talks.read_talk(db, talk_id)))
    return Selection("talk" if len(talks) == 1 else "talks", talks, catalog_talks.talk_sizes(db))


def select_hits(db: sqlite3.Connection, query: str, hits: Sequence[Hit]) -> Selection:
    """Select the hits of a query, with their talks."""
    ids = dict.fromkeys(hit.talk_id for hit in hits)
    talks = tuple(talk for talk_id in ids if (talk := catalog_talks.read_talk(db, talk_id)))
    return Selection("hits", talks, catalog_talks.talk_sizes(db), tuple(hits), query)


def select_archive(db: sqlite3.Connection) -> Selection:
    """Select every talk, by title. No more than one is in memory at a time."""

    def talks() -> Iterator[Talk]:
        for talk in catalog_talks.read_talks(db):
            with suppress(DamagedStoreError):  # a line of the report, and not the end of it (`soundness.note`)
                if with_cues := catalog_talks.read_talk(db, talk.id):
                    yield with_cues

    return Selection("archive", talks(), catalog_talks.talk_sizes(db))
