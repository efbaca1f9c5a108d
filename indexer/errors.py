"""The errors talksearch raises on purpose: a sentence that says what happened, and a hint that says what to do.

::

    TalksearchError
    ├── UnreadableError          a file that is no transcript, or cannot be read
    │   ├── OutOfReachError      a file that cannot be read now, so that nothing is known of it
    │   └── UnspokenError        a file that can be read, and holds what nobody said: chapters, a chat
    ├── BadIndexError            an index that is missing, of another format, or made with another recipe
    │   └── DamagedStoreError    an index one of whose files is damaged; `talksearch doctor` mends it
    ├── DiskError                a file that the system does not read or write: see `disk`
    │   └── DiskFullError        no room for it; with room, the same command goes on where it stopped
    ├── LockedError              an index that another process is writing to
    ├── StoreError               a store on other machines that does not answer, or refuses what is asked of it
    ├── WorkersError             workers on other machines that do not answer, or cannot do what a run needs
    ├── ModelError               a model that cannot be loaded, or is another one than the index was made with
    └── QueryError               a query, filter or moment that means nothing
        └── UsageError           a call that means nothing, whatever the index holds

Callers tell errors apart by these classes and never by their text. The command line turns each into a message and an
exit code; nothing below `cli/` raises an error of the command line's own.
"""

from __future__ import annotations


class TalksearchError(Exception):
    """The root of all errors that talksearch raises. The command line prints `message` and `hint` and exits with 1."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UnreadableError(TalksearchError):
    """A file cannot be read as a transcript. It becomes a line in the report and never ends a run."""


class OutOfReachError(UnreadableError):
    """A file cannot be read now: the system refuses it, or it is empty or offloaded. What it held may still be so."""


class UnspokenError(UnreadableError):
    """A file can be read, and what it holds was not said: chapters, a chat, a segment that its playlist speaks for."""


class BadIndexError(TalksearchError):
    """The index is missing, damaged, of another format or made with another recipe."""


class DamagedStoreError(BadIndexError):
    """A file of the index is damaged, or disagrees with the catalog, in a way that `talksearch doctor` mends."""


class DiskError(TalksearchError):
    """The system does not read or write a file: it is read-only or somebody else's, or its disk fails."""


class DiskFullError(DiskError):
    """There is no room for a file. The index is as it was, and with room the same command goes on where it stopped."""


class LockedError(TalksearchError):
    """Another process is writing to the index."""


class StoreError(TalksearchError):
    """A store on other machines cannot be reached, does not do what is asked of it, or is another one than it was."""


class WorkersError(TalksearchError):
    """Workers on other machines cannot be reached, or cannot do what a run needs."""


class ModelError(TalksearchError):
    """A model cannot be loaded, or is not the one that it should be."""


class QueryError(TalksearchError):
    """A query, a filter or a moment means nothing."""


class UsageError(QueryError):
    """A call means nothing, whatever the index holds. The command line shows the usage and exits with 2."""
