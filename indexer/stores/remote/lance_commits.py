"""The states of a store in LanceDB: a row for each state of each writer, which names the versions of its tables.

To append such a row is what makes a state known, and nothing else is. So whoever reads takes the newest row of each
writer, and opens the tables at just the versions that it names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from time import time

import pyarrow as pa

from talksearch.indexer import layout
from talksearch.indexer.errors import StoreError

from .engine import StoreFiles
from .lance_calls import Connection, Table, is_conflict, nothing_there, require_bounded, table_names
from .lance_upkeep import is_due, put_together
from .store_statistics import MOST_BYTES, too_large

FORMAT = 1
"""Raised when an older talksearch could not read a store any more."""

KEPT_S = 2 * 86_400.0
"""How long a state can still be read after another took its place, in seconds."""

COMMITS = "commits"
"""The name of the table of states."""

_NARROW = ["source", "number", "format", "written", "since", "passages", "talks", "talk_count", "dimension", "trained"]
_SCHEMA = pa.schema(
    [
        ("source", pa.int64()),
        ("number", pa.int64()),
        ("format", pa.int32()),
        ("written", pa.float64()),
        ("since", pa.float64()),
        ("passages", pa.int64()),
        ("talks", pa.int64()),
        ("talk_count", pa.int64()),
        ("dimension", pa.int32()),
        ("trained", pa.int64()),
        ("corpus", pa.large_binary()),
        ("terms", pa.large_binary()),
        ("files", pa.list_(pa.struct([("name", pa.string()), ("content", pa.large_binary())]))),
    ]
)


@dataclass(frozen=True, slots=True)
class Commit:
    """A state of what one writer put, without what it holds of no single talk."""

    source: int
    number: int
    """Counted from 1."""
    format: int
    written: float
    """When it was written, in seconds since 1970."""
    since: float
    """From when on its versions of tables were made, in seconds since 1970."""
    passages: int
    """The version of the table of passages."""
    talks: int
    """The version of the table of talks."""
    talk_count: int
    dimension: int
    trained: int
    """How many passages there were when the index of their vectors was made; 0 where there is none."""


@dataclass(frozen=True, slots=True)
class StateSummary:
    """What a state holds of no single talk, packed."""

    corpus: bytes
    terms: bytes
    files: StoreFiles


def open_commits(connection: Connection, address: str) -> Table:
    """Open the table of states. Raises StoreError where there is no store."""
    names = table_names(connection)
    if COMMITS not in names:
        if names:
            raise StoreError(f"{address} is no store of talksearch: it holds other tables.", "Use another address.")
        raise nothing_there(address)
    table = connection.open_table(COMMITS)
    if table.schema.names != _SCHEMA.names:
        raise StoreError(f"{address} is no store of talksearch that this version knows.", "Use another address.")
    return table


def make_commits(connection: Connection) -> Table:
    """Open the table of states, which is made where there is none."""
    return connection.create_table(COMMITS, schema=_SCHEMA, exist_ok=True)


def all_commits(table: Table, address: str) -> list[Commit]:
    """Return all states that the table of states holds, in the order of their numbers.

    Raises StoreError where one is of another format.
    """
    rows = table.search().select(_NARROW).limit(1_000_000).to_arrow().to_pylist()
    commits = sorted((Commit(**row) for row in rows), key=lambda commit: commit.number)
    for commit in commits:
        if commit.format != FORMAT:
            raise StoreError(
                f"The store {address} has format {commit.format}; this version of talksearch reads format {FORMAT}.",
                "Use the version of talksearch that wrote it.",
            )
    return commits


def newest_of_each(commits: Sequence[Commit]) -> list[Commit]:
    """Return the newest state of each writer, those with most talks first."""
    newest = {commit.source: commit for commit in commits}  # a later one takes the place of an earlier one
    return sorted(newest.values(), key=lambda commit: (-commit.talk_count, commit.source))


def read_whole(table: Table, commit: Commit) -> StateSummary:
    """Return what a state holds of no single talk. Raises StoreError where it is not there any more, or too large."""
    table.checkout_latest()  # files of the version of the table that a reader opened may be gone; the row stays
    require_bounded(table)
    rows = (
        table.search()
        .where(f"source = {commit.source} AND number = {commit.number}")
        .select(["corpus", "terms", "files"])
        .limit(1)
        .to_arrow()
        .to_pylist()
    )
    if not rows:
        raise StoreError("A state of the store is not there any more.", "Ask again.")
    held = [rows[0]["corpus"], rows[0]["terms"], *(file["content"] for file in rows[0]["files"])]
    if sum(map(len, held)) > MOST_BYTES:
        raise too_large()
    known = {entry.name for entry in layout.ENTRIES}  # a reader writes them into a folder under these names
    files = {file["name"]: file["content"] for file in rows[0]["files"] if file["name"] in known}
    return StateSummary(rows[0]["corpus"], rows[0]["terms"], StoreFiles(files))


def append(table: Table, states: Sequence[tuple[Commit, StateSummary]]) -> None:
    """Make states known, of several writers at once."""
    rows = [
        {name: getattr(commit, name) for name in _NARROW}
        | {
            "corpus": whole.corpus,
            "terms": whole.terms,
            "files": [{"name": name, "content": content} for name, content in whole.files.by_name.items()],
        }
        for commit, whole in states
    ]
    table.add(pa.Table.from_pylist(rows, _SCHEMA))


def kept(commits: Sequence[Commit], source: int) -> list[Commit]:
    """Return the states of a writer that are its newest, or were until lately: somebody may have them open."""
    own = [commit for commit in commits if commit.source == source]
    lately = [commit for commit, following in pairwise(own) if following.written > time() - KEPT_S]
    return [*lately, *own[-1:]]


def is_given_up(commit: Commit) -> bool:
    """Say whether the newest state of a writer has no talks, and nobody has the one before it open any more."""
    return not commit.talk_count and commit.written < time() - KEPT_S


def forget_all(table: Table, source: int) -> None:
    """Take the rows of all states of a writer away."""
    table.delete(f"source = {source}")


def forget_old(table: Table, commits: Sequence[Commit], source: int) -> None:
    """Take the rows of states away that nobody has open any more. Where another writer is quicker, nothing is done."""
    oldest = kept(commits, source)[0].number
    try:
        if any(commit.source == source and commit.number < oldest for commit in commits):
            table.delete(f"source = {source} AND number < {oldest}")
        if is_due(table, time() - KEPT_S):
            put_together(table, time() - KEPT_S)
    except (ValueError, RuntimeError, OSError) as error:
        if not is_conflict(error):
            raise
