"""`eval`."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from talksearch.cli.messages import Format
from talksearch.cli.options import format_option, index_option, mode_option, search_option
from talksearch.cli.render import common, reports
from talksearch.cli.terminal import warn
from talksearch.indexer.errors import TalksearchError
from talksearch.indexer.records import Field
from talksearch.indexer.settings import resolve
from talksearch.indexer.text.untrusted import safe
from talksearch.search.options import option_named
from talksearch.search.query import Mode

# `--help` must not wait for numpy, so what imports it is imported in the functions.

_HITS = replace(option_named("k"), default=100, help="How many hits to ask for.")


@click.command("eval")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@search_option(_HITS)
@mode_option
@click.option(
    "--leave-out",
    type=click.Choice(["title", "chapter", "description"]),
    multiple=True,
    help="Do not search what is written there (repeatable): for queries that were drawn from it.",
)
@click.option("--make", type=click.IntRange(1, 100_000), metavar="N", help="Draw N queries from the index into FILE.")
@click.option("--worst", default=10, show_default=True, metavar="N", help="How many failures of each file to list.")
@format_option("text", "jsonl")
@index_option
def evaluate(
    files: tuple[Path, ...],
    k: int,
    mode: Mode,
    leave_out: tuple[Field, ...],
    make: int | None,
    worst: int,
    format: Format,
    index_dir: Path | None,
) -> None:
    """Measure the index on queries whose answers are known.

    Each line of FILE is like {"query": "…", "talk": "folder/talk.vtt", "start_s": 61, "end_s": 120}. A hit is right
    when it lies in that talk and its jump second from 15 seconds before `start_s` up to `end_s`; where no end is given,
    up to 180 seconds after the start.

    Who has no such queries draws some from the archive itself: things that were said, as somebody might remember them.

    \b
        talksearch eval questions.jsonl
        talksearch eval mine.jsonl --make 200
        talksearch eval chapters.jsonl --leave-out chapter --leave-out description --format jsonl
    """
    from talksearch.cli.pool import process_tuning
    from talksearch.search.evaluation import measure
    from talksearch.search.reader import open_reader

    settings = resolve(index_dir)
    with open_reader(settings.index, warn=warn) as index:
        process_tuning.tune(settings.index)
        if make:
            _make_gold(index.db, files, make)
            return
        golds = [gold for file in files for gold in measure.read_gold(file)]
        for talk in measure.absent_talks(index, golds):
            warn(f"Not in the index, its queries count as missed: {safe(talk)}")
        hidden = not sys.stderr.isatty()
        with click.progressbar(length=len(golds), label="Asking", file=sys.stderr, hidden=hidden) as bar:
            outcomes = measure.run_queries(index, golds, mode, k, lambda _: bar.update(1), leave_out)
    if format == "jsonl":
        click.echo(common.jsonl(map(measure.summary_json, measure.summarise(outcomes))), nl=False)
        click.echo(common.jsonl(map(measure.outcome_json, outcomes)), nl=False)
    else:
        click.echo(reports.eval_text(outcomes, worst), nl=False)


def _make_gold(db: sqlite3.Connection, files: Sequence[Path], count: int) -> None:
    """Write known items to the one file that is named. Raises TalksearchError where it exists."""
    from talksearch.search.evaluation.known_items import known_items

    if len(files) != 1:
        raise click.UsageError("Name one FILE for --make.")
    (file,) = files
    items = list(known_items(db, count))
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(common.jsonl(items))
    except FileExistsError:
        raise TalksearchError(f"{file} is there already.", "Name a new file, or remove it first.") from None
    except OSError as error:
        raise TalksearchError(f"{file} cannot be written: {error.strerror}.", "Name another file.") from error
    warn(f"{len(items)} queries in {file}. Measure with them: talksearch eval {file}")
