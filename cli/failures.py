"""What nobody below made a sentence of, as a sentence: what the system refuses, and faults of talksearch itself.

It is the last place that an error comes to. Where more is known of one, whoever knows it raises a TalksearchError.
"""

from __future__ import annotations

import errno
import sqlite3
import traceback
from pathlib import Path

from talksearch.indexer.disk import refusal
from talksearch.indexer.errors import TalksearchError
from talksearch.indexer.text.untrusted import safe

from .terminal import drop

SHOW_TRACEBACK = "TALKSEARCH_TRACEBACK"
"""The variable that has a fault of talksearch itself shown with its traceback."""

_MEMORY = "Give it more (ulimit -v, or the limit of the container), or run fewer programs beside it."

_OUT_OF_MEMORY = ("bad_alloc", "bad allocation", "allocate memory", "can't start new thread", "pthread_create")
"""What libraries say where the system gives them no memory or no thread."""

_ENDED_WORKERS = ("BrokenProcessPool", "TerminatedWorkerError", "EOFError")
"""The kinds of errors by which the end of a worker process is noticed."""


def sentence_for(error: BaseException) -> TalksearchError:
    """Return the message and the hint for an error of any kind."""
    said = safe(str(error)).strip()
    match error:
        case TalksearchError():
            return error
        case OSError():
            return _of_system(error)
        case sqlite3.Error():
            return _of_catalog(error)
        case MemoryError():
            return TalksearchError("There is not enough memory.", _MEMORY)
    if any(sign in said for sign in _OUT_OF_MEMORY):
        return TalksearchError(f"There is not enough memory: {said.splitlines()[0]}.", _MEMORY)
    if type(error).__name__ in _ENDED_WORKERS:
        return TalksearchError("A process that did part of the work was ended, mostly for want of memory.", _MEMORY)
    return TalksearchError(
        f"This is a fault of talksearch itself: {type(error).__name__}{f': {said}' if said else ''}.",
        f"To see where, for a report: set {SHOW_TRACEBACK}=1 and run the same command again.",
    )


def _of_system(error: OSError) -> TalksearchError:
    if _is_of_output(error):
        drop(1)  # what is left for it would be tried once more when Python ends, and be told with a traceback
        return TalksearchError(
            f"What is printed cannot be written: {error.strerror or error}.", "See where standard output goes."
        )
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return TalksearchError(f"Too many files are open: {error.strerror}.", "Allow more: ulimit -n 256")
    told = refusal(Path(), error) if isinstance(error.filename, str | bytes) else None
    said = safe(error.strerror or str(error)).rstrip(".")
    return told or TalksearchError(f"The system refuses something: {said}.")


def _of_catalog(error: sqlite3.Error) -> TalksearchError:
    said = str(error).rstrip(".")
    if refused := refusal(Path("the catalog"), error):
        return refused
    if isinstance(error, sqlite3.OperationalError) and "malformed" not in said:
        return TalksearchError(
            f"The catalog of the index cannot be used: {said}.", "See that its folder can be read and written."
        )
    return TalksearchError(f"The catalog of the index is damaged: {said}.", "Look at it: talksearch doctor")


def _is_of_output(error: OSError) -> bool:
    """Say whether it was a standard stream that could not be written: all that is printed is printed by click."""
    frames = list(traceback.walk_tb(error.__traceback__))
    return bool(frames) and frames[-1][0].f_globals.get("__name__", "").startswith("click.")
