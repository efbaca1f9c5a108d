"""The progress bars of an indexing run and of recognition, on standard error and only on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from talksearch.indexer.text.clock import show_clock
from talksearch.indexer.text.untrusted import safe

if TYPE_CHECKING:
    from talksearch.indexer.pipeline.report import Progress
    from talksearch.indexer.transcribe.run import TranscribeProgress

_LABELS = {
    "fetching": "Fetching files",
    "looking": "Looking at files",
    "reading": "Reading talks",
    "embedding": "Embedding passages",
    "merging": "Merging talks",
    "carrying": "Taking vectors along",
    "publishing": "Putting talks into the store",
}
"""What stands before the bar of each phase."""

_UNITS = {
    "fetching": "files",
    "looking": "files",
    "reading": "talks",
    "embedding": "passages",
    "merging": "talks",
    "carrying": "passages",
    "publishing": "talks",
}
"""What is counted in each phase."""


@contextmanager
def bar() -> Iterator[Callable[[Progress], None]]:
    """Yield the function that a run tells its progress; outside a terminal it shows nothing."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console  # only a terminal needs it, and it takes long to import
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
    with Bars(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bars:
        tasks: dict[str, object] = {}

        def tell(progress: Progress) -> None:
            if progress.phase not in tasks:
                tasks[progress.phase] = bars.add_task(_LABELS[progress.phase], total=None, rate="")
            task = bars.tasks[list(tasks).index(progress.phase)]
            rate = f"{task.speed:,.0f} {_UNITS[progress.phase]}/s" if task.speed else ""
            if progress.phase == "reading" and progress.passages:
                rate += f", {progress.passages:,} passages"
            bars.update(task.id, completed=progress.done, total=progress.total or None, rate=rate)

        yield tell


@contextmanager
def transcribing() -> Iterator[Callable[[TranscribeProgress], None]]:
    """Yield the function that is told how far one recording is; outside a terminal it shows nothing."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[done]}"))
    with Bars(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("", total=None, done="")

        def tell(progress: TranscribeProgress) -> None:
            pace = f", {progress.times_real:.1f} × as fast as spoken" if progress.times_real else ""
            total = f" of {show_clock(progress.total_ms)}" if progress.total_ms else ""
            bars.update(
                task,
                description=escape(safe(progress.path.name)),
                completed=progress.done_ms,
                total=progress.total_ms,
                done=f"{show_clock(progress.done_ms)}{total}{pace}",
            )

        yield tell
