"""The progress bar of an indexing run, on standard error and only on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from talksearch.indexer.pipeline.run import Progress

_PHASES = {"looking": "Looking at files", "reading": "Reading talks", "embedding": "Embedding passages"}


@contextmanager
def bar() -> Iterator[Callable[[Progress], None]]:
    """Yield what a run tells of its progress; outside a terminal it says nothing."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
    with Bars(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bars:
        tasks: dict[str, object] = {}

        def tell(progress: Progress) -> None:
            if progress.phase not in tasks:
                tasks[progress.phase] = bars.add_task(_PHASES[progress.phase], total=None, rate="")
            task = bars.tasks[list(tasks).index(progress.phase)]
            unit = "passages" if progress.phase == "embedding" else "talks" if progress.phase == "reading" else "files"
            rate = f"{task.speed:,.0f} {unit}/s" if task.speed else ""
            if progress.phase == "reading" and progress.passages:
                rate += f", {progress.passages:,} passages"
            bars.update(task.id, completed=progress.done, total=progress.total or None, rate=rate)

        yield tell
