"""The errors talksearch raises on purpose: a sentence that says what happened, and a hint that says what to do."""

from __future__ import annotations


class TalksearchError(Exception):
    """The root of them all. The command line prints `message` and `hint` and exits with 1."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UnreadableError(TalksearchError):
    """A file that cannot be read as a transcript. It becomes a line in the report, never the end of a run."""


class BadIndexError(TalksearchError):
    """The index is missing, damaged, of another format or made with another recipe."""


class LockedError(TalksearchError):
    """Another process is writing to the index."""


class ModelError(TalksearchError):
    """A model that cannot be loaded, or is not the one it should be."""


class QueryError(TalksearchError):
    """A query or filter that means nothing."""
