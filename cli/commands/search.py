"""`search` and `similar`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from talksearch.cli.messages import Printed, request
from talksearch.cli.options import ANY_TALK_ID, complete_talk, format_option, index_option, search_options
from talksearch.cli.server.client import ask
from talksearch.cli.terminal import style_for, warn
from talksearch.indexer.errors import TalksearchError
from talksearch.indexer.settings import Settings, resolve


@click.command()
@click.argument("query", nargs=-1)
@search_options
@click.option(
    "--queries",
    type=click.File(encoding="utf-8-sig"),
    metavar="FILE",
    help='Ask all of a file: {"id", "query"} a line.',
)
@click.option("--open", "open_first", is_flag=True, help="Open the first hit.")
@format_option("text", "jsonl", "csv", "markdown")
@index_option
def search(
    query: tuple[str, ...], queries: Any, open_first: bool, form: str, index_dir: Path | None, **options: Any
) -> None:
    """Find passages that answer QUERY, best first.

    Each hit is a strong, a fair or a weak match, held against what the archive gives to queries it has no answer to.
    Where nothing good is found, that is said, and the nearest passages are shown. The line of blocks under the first
    hit of a talk shows where along its length the query lives. A QUERY in quotation marks, or with --mode quote, finds
    what was said word for word, or nearly: captions mishear, and memory changes.

    A link opens at the second `jump_s`. It may lie before the passage's `start_s`: up to a minute where only the start
    of a whole turn is known, up to 8 seconds where times are estimated.

    \b
        talksearch "time dilation metaphor"
        talksearch "why the raid failed" --after 2023 --per-talk 1
        talksearch "mercury" --not "the planet"
        talksearch '"be the change you wish to see"'
        talksearch --mode lexical "Cheeger inequality" --format jsonl
        talksearch search --queries questions.jsonl --format csv
    """
    text = " ".join(query)
    if bool(text.strip()) == bool(queries):
        raise click.UsageError("Give a query, or a file of them with --queries.")
    asked = _read_queries(queries) if queries else [(None, text)]
    _print_answers(index_dir, "search", asked, options, form, headings=bool(queries), open_first=open_first)


@click.command(context_settings=ANY_TALK_ID)
@click.argument("moment", metavar="TALK@SECONDS", shell_complete=complete_talk)
@search_options
@format_option("text", "jsonl", "csv", "markdown")
@index_option
def similar(moment: str, form: str, index_dir: Path | None, **options: Any) -> None:
    """Find passages like the one at a moment of a talk.

    TALK is an id, a YouTube URL, the path of a transcript, or the beginning of an id. A URL may hold the time itself.

    \b
        talksearch similar DTcRLlMv4_o@777
        talksearch similar "https://youtu.be/DTcRLlMv4_o?t=777" -k 5 --per-talk 1
    """
    _print_answers(index_dir, "similar", [(None, moment)], options, form)


def _read_queries(lines: Any) -> list[tuple[str | None, str]]:
    """Read {"id", "query"} a line. Raises TalksearchError that names the line that is something else."""
    import json

    asked: list[tuple[str | None, str]] = []
    try:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                query, id_ = row["query"], row.get("id")
                if not isinstance(query, str) or not query.strip():
                    raise ValueError
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                raise TalksearchError(
                    f"Line {number} of {lines.name} is not a query.", 'Each line is like {"id": "q1", "query": "…"}.'
                ) from None
            asked.append((str(number) if id_ is None else str(id_), query))
    except UnicodeDecodeError as error:
        raise TalksearchError(f"{lines.name} is not UTF-8 text.", "Save it as UTF-8.") from error
    return asked


def _print_answers(
    index_dir: Path | None,
    command: str,
    asked: Sequence[tuple[str | None, str]],
    options: dict[str, Any],
    form: str,
    *,
    headings: bool = False,
    open_first: bool = False,
) -> None:
    """Print the answers to (id, text) in order, by the resident engine where one runs."""
    settings = resolve(index_dir)
    shown = style_for(sys.stdout)
    if not asked and form == "csv":
        from talksearch.cli.render import hits

        click.echo(hits.hits_csv(()), nl=False)
    requests = [
        request(command, text, options, form, shown, id_=id_, heading=headings, first=number == 0)
        for number, (id_, text) in enumerate(asked)
    ]
    notes: dict[str, None] = {}
    for number, answer in enumerate(_answers(settings, requests)):
        click.echo(answer.out, nl=False)
        for line in answer.err:
            warn(line)
        notes[answer.note] = None
        if open_first and number == 0 and answer.url:
            click.launch(answer.url)
    for note in filter(None, notes):
        warn(note)


def _answers(settings: Settings, requests: Sequence[dict[str, Any]]) -> Iterator[Printed]:
    """Yield the answers to requests: what a resident engine does not answer is answered here."""
    done = 0
    if settings.server:
        for printed in ask(settings.index, requests):
            yield printed
            done += 1
    if done == len(requests):
        return
    from talksearch.cli import answers
    from talksearch.search import reader

    for one in requests[done:]:
        answers.query_of(one)  # a date that is none is said before anything is opened
    once = len(requests) == 1
    opened = reader.open_reader(settings.index, warn=warn, once=once)
    if not once:
        from talksearch.cli.server import process_tuning

        process_tuning.tune(settings.index)
    for one in requests[done:]:
        yield answers.respond(opened, one)
