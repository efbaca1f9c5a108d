"""`eval`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from talksearch.cli.messages import Format
from talksearch.cli.options import format_option, indexes_option, mode_option, search_option
from talksearch.cli.render import common, reports
from talksearch.cli.terminal import warn
from talksearch.indexer.errors import TalksearchError
from talksearch.indexer.records import Field
from talksearch.indexer.settings import resolve
from talksearch.indexer.text.untrusted import safe
from talksearch.search.options import option_named
from talksearch.search.query import Mode

if TYPE_CHECKING:
    from talksearch.search.reader import IndexReader

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
@click.option(
    "--beside",
    type=click.Choice(["plain"]),
    help="Ask a plain hybrid as well (meaning and BM25 added up, on the same passages), and say what it finds.",
)
@click.option("--make", type=click.IntRange(1, 100_000), metavar="N", help="Draw N queries from the index into FILE.")
@click.option(
    "--without-talks-of",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="GOLD",
    help="With --make: draw from no talk that GOLD has queries of (repeatable): a file, or a folder of *.jsonl.",
)
@click.option("--worst", default=10, show_default=True, metavar="N", help="How many failures of each file to list.")
@format_option("text", "jsonl")
@indexes_option
def evaluate(
    files: tuple[Path, ...],
    k: int,
    mode: Mode,
    leave_out: tuple[Field, ...],
    beside: str | None,
    make: int | None,
    without_talks_of: tuple[Path, ...],
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
        talksearch eval questions.jsonl --beside plain
        talksearch eval mine.jsonl --make 200
        talksearch eval others.jsonl --make 200 --without-talks-of questions.jsonl
        talksearch eval chapters.jsonl --leave-out chapter --leave-out description --format jsonl
    """
    if without_talks_of and not make:
        raise click.UsageError("--without-talks-of needs --make N.")
    from talksearch.cli.pool import process_tuning
    from talksearch.search.evaluation import beside as measure_beside
    from talksearch.search.evaluation import measure
    from talksearch.search.reader import open_reader

    settings = resolve(index_dir)
    with open_reader(settings.index, warn=warn) as index:
        process_tuning.tune(settings.index)
        if make:
            _make_gold(index, files, make, without_talks_of)
            return
        golds = [gold for file in files for gold in measure.read_gold(file)]
        for talk in measure.absent_talks(index, golds):
            warn(f"Not in the index, its queries count as missed: {safe(talk)}")
        hidden = not sys.stderr.isatty()
        pairs: list[measure_beside.QueryOutcomes] = []
        with click.progressbar(length=len(golds), label="Asking", file=sys.stderr, hidden=hidden) as bar:
            if beside:
                pairs = measure_beside.run_queries(index, golds, mode, k, lambda _: bar.update(1), leave_out)
                outcomes = [pair.ours for pair in pairs]
            else:
                outcomes = measure.run_queries(index, golds, mode, k, lambda _: bar.update(1), leave_out)
    comparisons = measure_beside.compare(pairs)
    if format == "text":
        click.echo(reports.eval_text(outcomes, worst, comparisons), nl=False)
    elif beside:
        click.echo(common.jsonl(map(measure_beside.comparison_json, comparisons)), nl=False)
        click.echo(common.jsonl(map(measure_beside.pair_json, pairs)), nl=False)
    else:
        click.echo(common.jsonl(map(measure.summary_json, measure.summarise(outcomes))), nl=False)
        click.echo(common.jsonl(map(measure.outcome_json, outcomes)), nl=False)


def _make_gold(index: IndexReader, files: Sequence[Path], count: int, without_talks_of: Sequence[Path]) -> None:
    """Write known items to the one file that is named. Raises TalksearchError where it exists."""
    from talksearch.search.evaluation import measure
    from talksearch.search.evaluation.known_items import known_items

    if len(files) != 1:
        raise click.UsageError("Name one FILE for --make.")
    (file,) = files
    golds = [gold for path in without_talks_of for one in _gold_files(path) for gold in measure.read_gold(one)]
    items = list(known_items(index.db, count, without=measure.talks_of(index, golds)))
    if not items:
        raise TalksearchError(
            f"There is nothing to draw from: no talk of {index.folder} is left, or none says enough.",
            "Index more talks: talksearch index PATH" + (", or name fewer files of queries." if golds else ""),
        )
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(common.jsonl(items))
    except FileExistsError:
        raise TalksearchError(f"{file} is there already.", "Name a new file, or remove it first.") from None
    except OSError as error:
        raise TalksearchError(f"{file} cannot be written: {error.strerror}.", "Name another file.") from error
    talks = common.counted("talk", len({item["talk"] for item in items}))
    warn(f"{len(items)} queries of {talks} in {file}. Measure with them: talksearch eval {file}")


def _gold_files(path: Path) -> list[Path]:
    """Return a gold file, or those of a folder. Raises TalksearchError for a folder without any."""
    if not path.is_dir():
        return [path]
    files = sorted(path.glob("*.jsonl"))
    if not files:
        raise TalksearchError(f"{path} has no *.jsonl in it.", "Name a file of queries, or a folder of such files.")
    return files
