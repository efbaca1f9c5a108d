"""What `add` and `sync` have in common: sources are asked one after the other, and what becomes of talks is printed."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from talksearch.indexer.fetch.addresses import host_of
from talksearch.indexer.fetch.records import FetchedTalk, KnownTalk, Source

from .render import fetched
from .render.common import jsonl
from .terminal import warn

if TYPE_CHECKING:
    from talksearch.indexer.fetch.web import Page

    Wanted = tuple[Source, Page | None]
    """A source, and what it gave where it is a feed that was asked already."""


IS_WHOLE = "What was brought in is whole, and the next run goes on from there."
"""What is said where a run that brings talks in is stopped."""


@dataclass(frozen=True, slots=True)
class Output:
    """Where talks go, and how it is told."""

    folder: Path
    """The archive's."""
    is_json: bool
    """Events go to standard output as objects, one a line, and nothing else does."""
    quiet: bool = False
    """Nothing is said where nothing is new."""

    def tell(self, waited_for: str) -> None:
        """Say what is waited for, on standard error."""
        if not self.quiet:
            warn(waited_for)


def ask_all(wanted: Sequence[Wanted], output: Output) -> list[fetched.SourceOutcome]:
    """Ask sources in their order, print what becomes of each talk, and return it."""
    from talksearch.indexer.fetch.archive import open_archive
    from talksearch.indexer.subscriptions.asking import AskedHosts, ask

    outcomes: list[fetched.SourceOutcome] = []
    hosts = AskedHosts()
    with open_archive(output.folder) as archive:
        for source, page in wanted:
            outcome = fetched.SourceOutcome(source)
            for event in ask(source, archive, output.tell, hosts, page):
                outcome.note(event)
                if output.is_json:
                    click.echo(jsonl([fetched.event_json(source, event)]), nl=False)
                elif isinstance(event, FetchedTalk):
                    if len(outcome.landed) == 1:
                        click.echo(f"{fetched.source_name(source)}:")
                    click.echo(fetched.landed_text(event, output.folder))
                elif isinstance(event, KnownTalk) and not output.quiet:
                    click.echo(fetched.known_text(event, output.folder))
            outcomes.append(outcome)
            print_end(outcome, output)
    return outcomes


def print_end(outcome: fetched.SourceOutcome, output: Output) -> None:
    """Print what is said of a source once it was asked; of a folder, which needs no asking, the index tells."""
    is_silent = output.quiet or not host_of(outcome.source.url)
    if not output.is_json and (outcome.is_news or not is_silent):
        click.echo(fetched.end_text(outcome), nl=False)


@contextmanager
def stopped_by_signals(what_stays: str) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end a run with a sentence and the exit code that shells give: 130 or 143."""
    code = 128 + signal.SIGINT

    def stop(number: int, _: FrameType | None) -> None:
        nonlocal code
        code = 128 + number
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt:
        warn(f"Stopped. {what_stays}")
        click.get_current_context().exit(code)
    finally:
        signal.signal(signal.SIGTERM, before)
