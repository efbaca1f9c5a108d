"""What writers leave in a store in LanceDB that have nothing in it any more: their tables, which are dropped in time.

An index that is built anew takes the place of the one before it, whose tables are then empty. Who opened the state in
which they were not can read it for as long as any other; after that nobody needs them.
"""

from __future__ import annotations

from contextlib import suppress

from talksearch.indexer.errors import StoreError

from . import lance_commits
from .lance_calls import Connection, Table, is_conflict, table_names
from .lance_commits import Commit, all_commits, newest_of_each
from .lance_lease import lease_held

_PASSAGES, _TALKS = "passages_", "talks_"
"""What the names of the tables of a source begin with, before its number."""


def passages_of_source(source: int) -> str:
    """Return the name of the table of a source's passages."""
    return f"{_PASSAGES}{source}"


def talks_of_source(source: int) -> str:
    """Return the name of the table of a source's talks."""
    return f"{_TALKS}{source}"


def drop_leftovers(connection: Connection, address: str, source: int) -> None:
    """Drop the tables of other sources that hold nothing and are needed by no reader, and forget their states.

    What another process works on just now is left to a later call. Raises what LanceDB raises.

    Args:
        connection: The store, to be written.
        address: Its URL.
        source: Who writes: what is its own stays.
    """
    commits = lance_commits.make_commits(connection)
    newest = {commit.source: commit for commit in newest_of_each(all_commits(commits, address))}
    names = table_names(connection)
    given_up = {other for other, commit in newest.items() if lance_commits.is_given_up(commit)}
    unknown = {_source_of(name) for name in names} - newest.keys() - {None}
    empty = {other for other in unknown if other is not None and _is_empty(connection, names, other)}
    for other in sorted((given_up | empty) - {source}):
        with suppress(StoreError), lease_held(connection, address, other):
            try:
                _drop(connection, commits, address, other)
            except (ValueError, RuntimeError, OSError) as error:
                if not is_conflict(error):
                    raise


def _drop(connection: Connection, commits: Table, address: str, source: int) -> None:
    """Drop what a source left, by whoever holds its lease: it may have written since it was looked at."""
    commits.checkout_latest()
    newest = next((one for one in newest_of_each(all_commits(commits, address)) if one.source == source), None)
    names = table_names(connection)
    if not (_is_empty(connection, names, source) if newest is None else _is_unneeded(connection, names, newest)):
        return
    # First: where a state is known, its tables are there. Tables of which no state is known are found by their names.
    lance_commits.forget_all(commits, source)
    for name in (passages_of_source(source), talks_of_source(source)):
        if name in names:
            connection.drop_table(name)


def _is_unneeded(connection: Connection, names: set[str], newest: Commit) -> bool:
    """Say whether the tables of a source are given up, and hold nothing, or what they held when it was replaced."""
    if not lance_commits.is_given_up(newest):
        return False
    talks = talks_of_source(newest.source)
    as_it_was = talks in names and connection.open_table(talks).version == newest.talks
    return as_it_was or _is_empty(connection, names, newest.source)


def _is_empty(connection: Connection, names: set[str], source: int) -> bool:
    """Say whether neither table of a source holds a row. One that a call left which was ended may hold some."""
    own = (passages_of_source(source), talks_of_source(source))
    return not any(connection.open_table(name).count_rows() for name in own if name in names)


def _source_of(name: str) -> int | None:
    """Return whose a table is, by its name; None where it is no source's.

    >>> _source_of("passages_12"), _source_of("commits")
    (12, None)
    """
    number = name.removeprefix(_PASSAGES).removeprefix(_TALKS)
    return int(number) if number != name and number.isdecimal() else None
