"""One call that writes to a store in LanceDB, a step at a time: talks, what is taken out, and at last the new state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from time import time

import numpy as np
import pyarrow as pa

from talksearch.indexer import layout
from talksearch.indexer.errors import StoreError

from . import lance_commits
from .engine import Corpus, StoredTalk, StoreFiles
from .lance_calls import Connection, Table, table_names
from .lance_commits import Commit, StateSummary, all_commits, newest_of_each
from .lance_lease import Lease
from .lance_leftovers import passages_of_source, talks_of_source
from .lance_rows import TALKS, is_one_of, passage_rows, passages_schema, talk_rows
from .lance_upkeep import make_ready
from .store_statistics import is_same_recipe, pack_corpus, pack_terms

_PASSAGES_AT_ONCE = 16_384
"""Passages that are in memory at once, and become one part of a table."""

_BYTES_AT_ONCE = 64 << 20
"""Bytes of packed talks that are in memory at once."""

_IDS_AT_ONCE = 500
"""Ids in one condition."""

_MANY = 100_000_000
"""More rows than there are: without a limit, LanceDB gives ten."""


@dataclass(slots=True)
class LanceWrite:
    """One call of `write`, by whoever holds the lease."""

    connection: Connection
    address: str
    source: int
    lease: Lease
    corpus: Corpus
    files: StoreFiles
    replaced: Sequence[int] = ()
    """The sources whose place this one takes."""
    began: float = field(default_factory=time)
    commits: Table = field(init=False)
    passages: Table = field(init=False)
    talks: Table = field(init=False)
    before: Commit | None = field(init=False, default=None)
    others: list[Commit] = field(init=False)
    """The newest states of other sources that stay."""
    out: list[Commit] = field(init=False)
    """Those of the sources that are replaced, where they still hold talks."""
    held: set[str] = field(init=False)
    """The ids of the talks that the table holds."""
    given: list[str] = field(init=False, default_factory=list)
    """The ids of the talks that were put."""
    is_new: bool = field(init=False, default=False)
    """Whether anything was written since the newest state."""
    found: tuple[int, int] = field(init=False)
    """The versions of the tables of passages and of talks that this call found."""

    def __post_init__(self) -> None:
        self.commits = lance_commits.make_commits(self.connection)
        newest = newest_of_each(all_commits(self.commits, self.address))
        self.before = next((commit for commit in newest if commit.source == self.source), None)
        with_talks = [commit for commit in newest if commit.source != self.source and commit.talk_count]
        self.others = [commit for commit in with_talks if commit.source not in self.replaced]
        self.out = [commit for commit in with_talks if commit.source in self.replaced]
        self._refuse_another_recipe()
        schema = passages_schema(len(self.corpus.vector_sum))
        self.passages = self.connection.create_table(passages_of_source(self.source), schema=schema, exist_ok=True)
        self.talks = self.connection.create_table(talks_of_source(self.source), schema=TALKS, exist_ok=True)
        self.found = self._versions()
        if is_left_over(self.before, self.talks):
            _empty(self.talks)
            _empty(self.passages)
        self.held = set(revisions_in(self.talks))
        if self.before is None or (self.before.passages, self.before.talks) != self._versions():
            self.is_new = True
            self._drop_halves()

    def put(self, talks: Sequence[StoredTalk]) -> None:
        """Put talks, each with an id of its own, in the place of those with their ids."""
        ids = [talk.facts.id for talk in talks]
        self._refuse_those_of_others(ids)
        self._take_out([talk_id for talk_id in ids if talk_id in self.held])
        rows = [passage_rows(talk, self.passages.schema) for talk in talks if talk.passages]
        if rows:
            self.passages.add(pa.Table.from_batches(rows, self.passages.schema))
        self.talks.add(talk_rows(talks))  # last: a talk that is there is there whole
        self.held.update(ids)
        self.given += ids
        self.is_new = True
        self.lease.check()

    def drop(self, talk_ids: Sequence[str]) -> None:
        """Take talks out; ids that are not there do no harm."""
        gone = [talk_id for talk_id in dict.fromkeys(talk_ids) if talk_id in self.held]
        self._take_out(gone)
        self.held.difference_update(gone)

    def has_changed(self) -> bool:
        """Say whether what the tables hold, or what belongs to no single talk, is other than the newest state says."""
        if self.is_new or self.before is None or self.out:
            return True
        whole = lance_commits.read_whole(self.commits, self.before)
        return (whole.corpus, whole.files) != (pack_corpus(self.corpus), self.files)

    def make_known(self, terms: bytes) -> None:
        """Make what the tables hold the newest state, given how often terms are said, packed."""
        whole = StateSummary(pack_corpus(self.corpus), terms, self.files)
        known = lance_commits.kept(all_commits(self.commits, self.address), self.source)
        needed = min((commit.since for commit in known), default=self.began)
        trained = make_ready(self.passages, self.talks, self.before.trained if self.before else 0, needed)
        passages, talks = self._versions()
        # Of a table that did not change, the version is as old as it was: of the state before, or of a call that ended.
        is_all_new = passages != self.found[0] and talks != self.found[1]
        since_before = self.before.since if self.before else 0.0
        self.lease.check()
        self._refuse_where_another_was_quicker()
        commit = Commit(
            self.source,
            self.before.number + 1 if self.before else 1,
            lance_commits.FORMAT,
            time(),
            self.began if is_all_new else since_before,
            passages,
            talks,
            len(self.held),
            len(self.corpus.vector_sum),
            trained,
        )
        out = [(self._emptied(one), self._nothing(one)) for one in self.out]
        lance_commits.append(self.commits, [(commit, whole), *out])
        lance_commits.forget_old(self.commits, all_commits(self.commits, self.address), self.source)

    def clear_replaced(self) -> None:
        """Take away what the sources put that were replaced. Who has their last state open can still read it."""
        names = table_names(self.connection)
        for source in self.replaced:
            for name in (talks_of_source(source), passages_of_source(source)):
                if name in names:
                    _empty(self.connection.open_table(name))

    def _emptied(self, commit: Commit) -> Commit:
        """Return the state that follows one: its source has no talks any more."""
        return replace(commit, number=commit.number + 1, written=time(), talk_count=0, trained=0)

    def _nothing(self, commit: Commit) -> StateSummary:
        """Return what a state without talks holds, of the dimension of another."""
        zeros = np.zeros((commit.dimension, commit.dimension))
        return StateSummary(pack_corpus(Corpus((), 0, zeros[0], zeros)), pack_terms(()), self.files)

    def _versions(self) -> tuple[int, int]:
        return self.passages.version, self.talks.version

    def _take_out(self, talk_ids: Sequence[str]) -> None:
        for first in range(0, len(talk_ids), _IDS_AT_ONCE):
            ids = talk_ids[first : first + _IDS_AT_ONCE]
            self.talks.delete(is_one_of("id", ids))  # first: a talk that is there is there whole
            self.passages.delete(is_one_of("talk", ids))
            self.is_new = True

    def _drop_halves(self) -> None:
        """Take the passages out that a call left which was ended before it had put their talk."""
        rows = self.passages.search().select(["talk"]).limit(_MANY).to_arrow()
        halves = sorted(set(rows["talk"].unique().to_pylist()) - self.held)
        for first in range(0, len(halves), _IDS_AT_ONCE):
            self.passages.delete(is_one_of("talk", halves[first : first + _IDS_AT_ONCE]))

    def _refuse_where_another_was_quicker(self) -> None:
        """Raise StoreError where another process of this source made a state known since, as this lease had run out.

        Also where another source put a talk meanwhile that was put here.
        """
        self.commits.checkout_latest()
        newest = newest_of_each(all_commits(self.commits, self.address))
        now = next((commit.number for commit in newest if commit.source == self.source), 0)
        if now != (self.before.number if self.before else 0):
            raise StoreError(
                f"Another process wrote to the store {self.address} for the same index meanwhile.",
                "Give the same command again: it puts what is missing now.",
            )
        known = set(self.others)
        gone = {self.source, *self.replaced}
        self.others = [commit for commit in newest if commit.source not in gone and commit not in known]
        self._refuse_those_of_others(self.given)

    def _refuse_another_recipe(self) -> None:
        recipe = self.files.by_name[layout.RECIPE.name]
        for commit in [*self.others, *self.out, *([self.before] if self.before else [])]:
            theirs = lance_commits.read_whole(self.commits, commit).files.by_name[layout.RECIPE.name]
            if not is_same_recipe(theirs, recipe) or commit.dimension != len(self.corpus.vector_sum):
                raise StoreError(
                    f"The store {self.address} was made with another model, or with talks split in another way.",
                    "Use another address, or build the index as that of the store was built.",
                )

    def _refuse_those_of_others(self, ids: Sequence[str]) -> None:
        for commit in self.others:
            table = at_version(self.connection, talks_of_source(commit.source), commit.talks)
            for first in range(0, len(ids), _IDS_AT_ONCE):
                condition = is_one_of("id", ids[first : first + _IDS_AT_ONCE])
                rows = table.search().where(condition).select(["id"]).limit(1).to_arrow().to_pylist()
                if rows:
                    raise StoreError(
                        f"The talk {rows[0]['id']} in the store {self.address} was put there by another index.",
                        "Give the same command again: it leaves out what is there by then.",
                    )


def at_version(connection: Connection, name: str, version: int) -> Table:
    """Open a table as it was at a version."""
    table = connection.open_table(name)
    table.checkout(version)
    return table


def table_if_any(connection: Connection, name: str) -> Table | None:
    """Open a table; None where there is none."""
    return connection.open_table(name) if name in table_names(connection) else None


def revisions_in(talks: Table) -> dict[str, str]:
    """Return the revision of each talk in a table, by id."""
    rows = talks.search().select(["id", "revision"]).limit(_MANY).to_arrow()
    return dict(zip(rows["id"].to_pylist(), rows["revision"].to_pylist(), strict=True))


def is_left_over(newest: Commit | None, talks: Table) -> bool:
    """Say whether what a table of talks holds is of a source that was replaced, given its newest state if any."""
    return newest is not None and not newest.talk_count and newest.talks == talks.version


def _empty(table: Table) -> None:
    if table.count_rows():
        table.delete("TRUE")


def batches(talks: Iterable[StoredTalk]) -> Iterator[list[StoredTalk]]:
    """Yield talks, as many at a time as may be in memory at once; of two with one id, the later in a later batch."""
    batch: dict[str, StoredTalk] = {}
    passages = size = 0
    for talk in talks:
        if talk.facts.id in batch or passages >= _PASSAGES_AT_ONCE or size >= _BYTES_AT_ONCE:
            yield list(batch.values())
            batch, passages, size = {}, 0, 0
        batch[talk.facts.id] = talk
        passages += len(talk.passages)
        size += len(talk.rows)
    if batch:
        yield list(batch.values())
