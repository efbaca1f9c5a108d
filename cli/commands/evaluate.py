"""`eval`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from talksearch.cli.options import format_option, index_option, mode_option
from talksearch.cli.terminal import warn
from talksearch.indexer.errors import TalksearchError
from talksearch.indexer.settings import resolve


def _make_gold(db: Any, files: Sequence[Path], count: int) -> None:
    """Write known items to the one file that is named. Raises TalksearchError where it exists."""
    from talksearch.cli.render import common
    from talksearch.search.evaluation.known_items import known_items

    if len(files) != 1:
        raise click.UsageError("Name one FILE for --make.")
    made = list(known_items(db, count))
    try:
        with files[0].open("x", encoding="utf-8") as out:
            out.write(common.jsonl(made))
    except FileExistsError:
        raise TalksearchError(f"{files[0]} is there already.", "Name a new file, or remove it first.") from None
    except OSError as error:
        raise TalksearchError(f"{files[0]} cannot be written: {error.strerror}.", "Name another file.") from error
    warn(f"{len(made)} queries in {files[0]}. Measure with them: talksearch eval {files[0]}")


@click.command("eval")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option("-k", type=click.IntRange(1, 1000), default=100, show_default=True, help="How many hits to ask for.")
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
    mode: Any,
    leave_out: Any,
    make: int | None,
    worst: int,
    form: str,
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
    from talksearch.cli.render import common, reports
    from talksearch.cli.server import process_tuning
    from talksearch.indexer.text.untrusted import safe
    from talksearch.search import reader
    from talksearch.search.evaluation import measure

    settings = resolve(index_dir)
    opened = reader.open_reader(settings.index, warn=warn)
    process_tuning.tune(settings.index)
    if make:
        _make_gold(opened.db, files, make)
        return
    golds = [gold for file in files for gold in measure.read_gold(file)]
    for talk in measure.absent(opened, golds):
        warn(f"Not in the index, its queries count as missed: {safe(talk)}")
    shown = sys.stderr
    with click.progressbar(length=len(golds), label="Asking", file=shown, hidden=not shown.isatty()) as bar:
        outcomes = measure.ask(opened, golds, mode, k, lambda _: bar.update(1), leave_out)
    if form == "jsonl":
        click.echo(common.jsonl(map(measure.summary_json, measure.summarise(outcomes))), nl=False)
        click.echo(common.jsonl(map(measure.outcome_json, outcomes)), nl=False)
    else:
        click.echo(reports.eval_text(outcomes, worst), nl=False)
