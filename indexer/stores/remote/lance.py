"""A store in LanceDB: a folder, or a bucket of object storage, that many read and several write, with no server.

Each writer has two tables of its own, of passages and of talks, so that what it writes by and by is never seen among
what another makes known. A row in the table `commits` names the versions of both that belong together, and to append
it is what makes a state known: see `lance_commits`. A writer that is ended leaves tables that are further on than the
newest state says; the next call goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from talksearch.indexer.errors import StoreError

from . import lance_commits
from .engine import Corpus, StoredTalk, StoreFiles, TermCount, version_name
from .lance_calls import Connection, LanceLocation, connect, errors_told, require_bounded
from .lance_commits import all_commits, newest_of_each
from .lance_lease import lease_held
from .lance_leftovers import drop_leftovers, passages_of_source, talks_of_source
from .lance_version import LanceVersion, WriterPart
from .lance_writing import (
    LanceWrite,
    at_version,
    batches,
    is_left_over,
    revisions_in,
    table_if_any,
)
from .store_statistics import pack_terms


class LanceEngine:
    """A store in LanceDB. Making it asks nothing of the store."""

    def __init__(self, place: LanceLocation) -> None:
        self.address = place.url
        self._place = place
        self._reading: Connection | None = None
        self._newest: LanceVersion | None = None

    def open(self) -> LanceVersion:
        """Open the newest state. The same value, where nothing was made known since the last call."""
        with errors_told(self._place):
            connection = self._connected()
            table = lance_commits.open_commits(connection, self.address)
            newest = newest_of_each(all_commits(table, self.address))
            if not newest:
                raise StoreError(
                    f"Nothing was put into the store {self.address} yet.",
                    f"Put an index there: talksearch index PATH --store {self.address}",
                )
            # Who has no talks says nothing of the store, and its tables may be dropped at any time.
            newest = [commit for commit in newest if commit.talk_count] or newest[:1]
            name = version_name((commit.source, commit.number, commit.written) for commit in newest)
            if self._newest is None or self._newest.name != name:
                parts = tuple(
                    WriterPart(
                        commit,
                        at_version(connection, passages_of_source(commit.source), commit.passages),
                        at_version(connection, talks_of_source(commit.source), commit.talks),
                    )
                    for commit in newest
                )
                for part in parts:
                    require_bounded(part.talks)
                self._newest = LanceVersion(name, self._place, parts, table)
            return self._newest

    def revisions(self, source: int) -> Mapping[str, str]:
        """Return the revision of each talk that a writer has put, by id; also of those that are not known yet."""
        with errors_told(self._place):
            if not self._place.is_bucket and not Path(self._place.location).exists():
                return {}  # a folder is made when something is put into it
            connection = connect(self._place, "write")
            talks = table_if_any(connection, talks_of_source(source))
            if talks is None:
                return {}
            newest = newest_of_each(all_commits(lance_commits.open_commits(connection, self.address), self.address))
            own = next((commit for commit in newest if commit.source == source), None)
            return {} if is_left_over(own, talks) else revisions_in(talks)

    def ids_of_others(self, sources: Sequence[int]) -> set[str]:
        """Return the ids of the talks that other writers than some have put, in their newest states."""
        with errors_told(self._place):
            if not self._place.is_bucket and not Path(self._place.location).exists():
                return set()
            connection = connect(self._place, "write")
            commits = table_if_any(connection, lance_commits.COMMITS)
            newest = newest_of_each(all_commits(commits, self.address)) if commits is not None else []
            found: set[str] = set()
            for commit in newest:
                if commit.source not in sources and commit.talk_count:
                    found |= revisions_in(at_version(connection, talks_of_source(commit.source), commit.talks)).keys()
            return found

    def write(
        self,
        source: int,
        put: Iterable[StoredTalk],
        drop: Sequence[str],
        corpus: Corpus,
        terms: Iterable[TermCount],
        files: StoreFiles,
        replaced: Sequence[int] = (),
    ) -> None:
        """Put talks in the place of those with their ids, drop others, and make all of it the newest state, at once."""
        with ExitStack() as held:
            with errors_told(self._place):
                connection = connect(self._place, "write")
                lease = held.enter_context(lease_held(connection, self.address, source))
                for other in replaced:
                    held.enter_context(lease_held(connection, self.address, other))
                writing = LanceWrite(connection, self.address, source, lease, corpus, files, replaced)
            for batch in batches(put):  # the errors of who gives them are none of the store
                with errors_told(self._place):
                    writing.put(batch)
            with errors_told(self._place):
                writing.drop(drop)
                has_changed = writing.has_changed()
            if has_changed:
                packed = pack_terms(terms)
                with errors_told(self._place):
                    writing.make_known(packed)
            with errors_told(self._place):
                writing.clear_replaced()
                drop_leftovers(connection, self.address, source)

    def _connected(self) -> Connection:
        if self._reading is None:
            self._reading = connect(self._place, "read")
        return self._reading
