"""`merge`."""

from __future__ import annotations

from pathlib import Path

import click

from talksearch.cli import progress
from talksearch.cli.commands.index import keep_overview
from talksearch.cli.hints import naming_index
from talksearch.cli.options import IndexFolder
from talksearch.cli.render import reports
from talksearch.indexer.stores import catalog
from talksearch.indexer.text.untrusted import safe

# `--help` must not wait for numpy, so what imports it is imported in the function.


@click.command()
@click.argument(
    "indexes",
    nargs=-1,
    required=True,
    type=IndexFolder(),
    metavar="INDEX...",
)
@click.option(
    "--into",
    required=True,
    type=IndexFolder(),
    metavar="INDEX",
    help="The index that they are put into; it is made where it is missing.",
)
def merge(indexes: tuple[Path, ...], into: Path) -> None:
    """Put indexes that were built apart, by year or by machine, together into one. Nothing is read or embedded again.

    All must have been made with one model and in one way. A talk that several of them hold comes in once. Where the
    files are still there, `talksearch index --index INDEX` keeps the merged index up to date.

    \b
        talksearch merge talks-2023 talks-2024 --into talks
    """
    from talksearch.indexer.pipeline.merge import merge_indexes

    with progress.bar() as tell:
        report = merge_indexes(indexes, into, tell=tell)
    keep_overview(into)
    with catalog.open_snapshot(into) as db:
        counts = catalog.counts(db)
    text = reports.report_text(report, counts.talks, counts.passages, counts.embedded)
    click.echo(naming_index(text, safe(str(into))), nl=False)
