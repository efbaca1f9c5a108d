"""`search` and `similar`.

A running `talksearch serve` answers most searches, and then little more than Python and click may be imported: what is
needed only where no server answers is imported in the functions.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TextIO

import click
from click.core import ParameterSource

from talksearch.cli.messages import FORMATS, AnswerRequest, Format, Printed
from talksearch.cli.options import (
    ANY_TALK_ID,
    PLAYERS,
    Player,
    complete_talk,
    format_option,
    indexes_option,
    refuse_both,
    search_options,
    store_option,
)
from talksearch.cli.server.client import ask
from talksearch.cli.terminal import open_in_browser, style_for, warn
from talksearch.indexer.errors import TalksearchError
from talksearch.indexer.settings import Settings, resolve
from talksearch.indexer.text.untrusted import is_linkable
from talksearch.search.options import LONGEST_TEXT

if TYPE_CHECKING:
    from talksearch.search.options import OptionValue


class QueryLine(NamedTuple):
    """A line of a file of queries."""

    id: str
    query: str


class _Source(NamedTuple):
    """What is asked."""

    settings: Settings
    store_url: str | None
    """Where the store is; None for the index that the settings name."""


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
@click.option("--pick", "picks", is_flag=True, help="Choose a hit with the keyboard, and open it at its second.")
@click.option(
    "--player",
    type=click.Choice(PLAYERS),
    default="auto",
    show_default=True,
    help="What --pick opens it in; auto: recordings here in mpv or VLC, the rest in the browser.",
)
@format_option(*FORMATS)
@store_option
@indexes_option
def search(
    query: tuple[str, ...],
    queries: TextIO | None,
    open_first: bool,
    picks: bool,
    player: Player,
    format: Format,
    index_dir: Path | None,
    store_url: str | None,
    **options: OptionValue,
) -> None:
    """Find passages that answer QUERY, best first.

    Each hit is a strong, a fair or a weak match, held against what the archive gives to queries it has no answer to.
    Where nothing good is found, that is said, and the nearest passages are shown. The line of blocks under the first
    hit of a talk shows where along its length the query lives. A QUERY in quotation marks, or with --mode quote, finds
    what was said word for word, or nearly: captions mishear, and memory changes.

    With --pick the hits are a list to choose from, in fzf where that is installed, and the chosen one opens in a player
    or in the browser. Escape leaves it.

    A link opens at the second `jump_s`. It may lie before the passage's `start_s`: up to a minute where only the start
    of a whole turn is known, up to 8 seconds where times are estimated.

    \b
        talksearch "time dilation metaphor"
        talksearch "why the raid failed" --after 2023 --per-talk 1
        talksearch "mercury" --not "the planet"
        talksearch '"be the change you wish to see"'
        talksearch --mode lexical "Cheeger inequality" --format jsonl
        talksearch search --queries questions.jsonl --format csv
        talksearch "time dilation metaphor" --pick --player mpv
        talksearch "time dilation metaphor" --store lance:///srv/talks
    """
    text = " ".join(query)
    if bool(text.strip()) == (queries is not None):
        raise click.UsageError("Give a query, or a file of them with --queries.")
    source = _source(index_dir, store_url)
    options = _with_settings(index_dir, options)
    style = style_for(sys.stdout)
    if picks:
        if queries is not None or open_first:
            raise click.UsageError("--pick goes with one query, and not with --queries or --open.")
        _pick(source, AnswerRequest("search", text, options, "jsonl", style), player)
        return
    if click.get_current_context().get_parameter_source("player") is not ParameterSource.DEFAULT:
        raise click.UsageError("--player goes with --pick.")
    if queries is None:
        requests = [AnswerRequest("search", text, options, format, style)]
    else:
        requests = [
            AnswerRequest("search", line.query, options, format, style, line.id, heading=True, header=number == 0)
            for number, line in enumerate(_read_queries(queries))
        ]
        if not requests and format == "csv":
            from talksearch.cli.render import hits  # a search that a server answers must not wait for it

            click.echo(hits.hits_csv(()), nl=False)
    _print_answers(source, requests, open_first=open_first)


@click.command(context_settings=ANY_TALK_ID)
@click.argument("moment", metavar="TALK@SECONDS", shell_complete=complete_talk)
@search_options
@format_option(*FORMATS)
@store_option
@indexes_option
def similar(moment: str, format: Format, index_dir: Path | None, store_url: str | None, **options: OptionValue) -> None:
    """Find passages like the one at a moment of a talk.

    TALK is an id, a YouTube URL, the path of a transcript, or the beginning of an id. A URL may hold the time itself.

    \b
        talksearch similar DTcRLlMv4_o@777
        talksearch similar "https://youtu.be/DTcRLlMv4_o?t=777" -k 5 --per-talk 1
    """
    source = _source(index_dir, store_url)
    options = _with_settings(index_dir, options)
    _print_answers(source, [AnswerRequest("similar", moment, options, format, style_for(sys.stdout))])


def _with_settings(index_dir: Path | None, options: dict[str, OptionValue]) -> dict[str, OptionValue]:
    """Return the options of a search, with the user's own language beside hits where the call names none."""
    return {**options, "beside": options.get("beside") or resolve(index_dir).beside}


def _read_queries(lines: TextIO) -> list[QueryLine]:
    """Read {"id", "query"} a line. Raises TalksearchError that names the line that is something else."""
    queries: list[QueryLine] = []
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
            if len(query) > LONGEST_TEXT:
                raise TalksearchError(
                    f"The query in line {number} of {lines.name} has {len(query):,} characters.",
                    f"Give at most {LONGEST_TEXT:,}.",
                )
            queries.append(QueryLine(str(number) if id_ is None else str(id_), query))
    except UnicodeDecodeError as error:
        raise TalksearchError(f"{lines.name} is not UTF-8 text.", "Save it as UTF-8.") from error
    return queries


def _source(index_dir: Path | None, store_url: str | None) -> _Source:
    """Return what is asked. Raises UsageError where both are given."""
    refuse_both(index_dir, store_url)
    return _Source(resolve(index_dir), store_url)


def _print_answers(source: _Source, requests: Sequence[AnswerRequest], *, open_first: bool = False) -> None:
    """Print the answers to requests in order, and each note once at the end."""
    notes: dict[str, None] = {}
    for number, answer in enumerate(_answers(source, requests)):
        click.echo(answer.out, nl=False)
        for line in answer.err:
            warn(line)
        notes[answer.note] = None
        if open_first and number == 0 and answer.url:
            if not is_linkable(answer.url):  # what it names may be a program
                raise TalksearchError("No recording of that talk is known.", "Read it: talksearch show")
            open_in_browser(answer.url)
    for note in filter(None, notes):
        warn(note)


def _pick(source: _Source, request: AnswerRequest, player: Player) -> None:
    """Let the user choose among the hits of a request, and open the one that was chosen."""
    from talksearch.cli import pick  # only who chooses waits for it

    pick.require_terminal()
    (answer,) = _answers(source, [request])
    choices = pick.choices_of(answer.out, request.style)
    if not choices:
        warn("Nothing found.")
    if answer.note:
        warn(answer.note)
    choice = pick.pick(choices) if choices else None
    if choice is not None:
        click.echo(choice.preview)
        pick.open_choice(choice, player)


def _answers(source: _Source, requests: Sequence[AnswerRequest]) -> Iterator[Printed]:
    """Yield the answers to requests: what a running server does not answer is answered here."""
    answered = 0
    settings = source.settings
    if settings.server:
        for answer in ask(source.store_url or settings.index, requests):
            yield answer
            answered += 1
    if answered == len(requests):
        return
    from talksearch.cli import answers
    from talksearch.cli.sources import open_source

    for request in requests[answered:]:
        answers.query_of(request)  # a wrong date is told before anything is opened
    once = len(requests) == 1
    with open_source(settings.index, source.store_url, once=once) as opened:
        if not once:
            from talksearch.cli.pool import process_tuning

            process_tuning.tune(settings.index)
        for request in requests[answered:]:
            yield opened.ask(partial(answers.respond, request=request))
