"""The line that says how far meaning has come in an index, and when it will be complete."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from talksearch.indexer.stores import pace

from .passage_table import PassageTable


def missing_vectors_note(table: PassageTable) -> str:
    """Say in a line how far meaning has come and when it will be complete; empty where it is."""
    if table.corpus is not None:
        return _note_on_store(table.corpus.vectors, table.corpus.passages)
    (pending,) = table.db.execute("SELECT count(*) FROM passages WHERE NOT embedded").fetchone()
    total = len(table.vector_rows)
    lost = int(np.count_nonzero(table.vector_rows < 0)) - pending  # the vectors may be damaged, or deleted
    notes = []
    if pending:
        (_, _, file), *_ = table.db.execute("PRAGMA database_list")  # a ranking knows no other way to the folder
        notes.append(
            f"{total - pending:,} of {total:,} passages have a vector ({(total - pending) * 100 // total} %), and"
            " meaning counts for these; the others are judged by their words and by the passages around them."
            f" {_how_soon(pending, pace.read(Path(file).parent))}"
        )
    if lost > 0:
        notes.append(f"The vectors of {lost:,} of {total:,} passages are lost. Mend it: talksearch doctor")
    return " ".join(notes)


def _note_on_store(embedded: int, total: int) -> str:
    if embedded == total:
        return ""
    return (
        f"{embedded:,} of {total:,} passages of the store have a vector ({embedded * 100 // total} %), and meaning"
        " counts for these; the others are judged by their words and by the passages around them. Who writes to the"
        " store completes it: talksearch index --store"
    )


def _how_soon(pending: int, per_s: float | None) -> str:
    """Return when so many passages will have their vectors, given the pace of an indexing run (`pace.read`).

    >>> _how_soon(9_000, 5.0), _how_soon(9_000, 0.0), _how_soon(9_000, None)
    ('All will have one in about 30 minutes.', 'The next are being made.', 'Complete it: talksearch index')
    """
    if per_s is None:
        return "Complete it: talksearch index"
    return f"All will have one {_in_about(pending / per_s)}." if per_s else "The next are being made."


def _in_about(seconds: float) -> str:
    """Return when something will be done, as people say it.

    >>> _in_about(20), _in_about(100), _in_about(5000), _in_about(9000)
    ('in less than a minute', 'in about 2 minutes', 'in about 83 minutes', 'in about 2 hours')
    """
    if seconds < 60:
        return "in less than a minute"
    minutes = round(seconds / 60)
    if minutes >= 120:
        return f"in about {round(minutes / 60)} hours"
    return f"in about {minutes} minute{'s' if minutes != 1 else ''}"
