"""Several indexes that a command is given: they are asked as one, by the copy that `merged_copy` keeps of them."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path

from talksearch.indexer.errors import TalksearchError

from .terminal import warn

_LOOKED_AT_S = 2.0
"""How often it is looked whether one of them changed, where they are asked for long."""

# What they need is imported in the functions: one index, which nearly all calls name, needs none of it.


def one_folder(folders: Sequence[Path]) -> Path | None:
    """Return the index that stands for some: itself where it is one, else their copy; None where there is none.

    Raises what `merged_copy` raises.
    """
    if len(set(map(os.path.realpath, folders))) < 2:
        return folders[0] if folders else None
    from talksearch.cli import progress
    from talksearch.indexer.pipeline.merged_copy import merged_copy

    with progress.bar() as tell:
        return merged_copy(folders, note=warn, tell=tell)


def keep_current(folders: Sequence[Path]) -> None:
    """Keep the copy of several indexes up to date for as long as the process runs, in a thread."""
    if len(set(map(os.path.realpath, folders))) > 1:
        threading.Thread(target=_keep_current, args=(folders,), name="talksearch-several", daemon=True).start()


def _keep_current(folders: Sequence[Path]) -> None:
    import sqlite3

    from talksearch.indexer.pipeline.merged_copy import is_current, map_topics, merged_copy, state_of_copy

    told, mapped = "", None
    while True:
        try:
            if not is_current(folders):
                merged_copy(folders, note=lambda _: None)
            state = state_of_copy(folders)  # another process may have brought it up to date, which makes no map
            if state != mapped:
                map_topics(folders)
            told, mapped = "", state
        except (TalksearchError, OSError, sqlite3.Error) as error:  # one of them is just being built anew, say
            problem = f"{error.message} {error.hint}" if isinstance(error, TalksearchError) else str(error)
            if problem != told:
                warn(problem.strip())
            told = problem
        threading.Event().wait(_LOOKED_AT_S)
