"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from talksearch.indexer.errors import TalksearchError
from talksearch.indexer.settings import resolve

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


# Heavy modules are imported inside the commands that need them: `--help` and a search by words must not wait for them.


def finite(_: click.Context, parameter: click.Parameter, value: float | None) -> float | None:
    """Refuse "nan", which click takes for a number within any range, and "inf"."""
    if value is not None and not isfinite(value):
        raise click.BadParameter(f"{value} is not a number of seconds.", param=parameter)
    return value


def index_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--index DIR` to a command."""
    return click.option(
        "--index",
        "index_dir",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="The folder of the index. [TALKSEARCH_INDEX; default: in your data folder]",
    )(command)


def format_option(*formats: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add `--format` with these formats to a command."""
    return click.option(
        "--format", "form", type=click.Choice(formats), default="text", show_default=True, help="How to print."
    )


def complete_talk(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the id of a talk, its title beside it where the shell shows that."""
    from click.shell_completion import CompletionItem

    from talksearch.indexer.stores import catalog
    from talksearch.indexer.text.untrusted import safe

    try:
        db = catalog.open_catalog(resolve(ctx.params.get("index_dir")).index)
    except TalksearchError:
        return []
    return [
        CompletionItem(talk.id, help=safe(talk.title))
        for talk in catalog.read_talks(db)
        if talk.id.startswith(incomplete)
    ]


def mode_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--mode` to a command."""
    return click.option(
        "--mode",
        type=click.Choice(["hybrid", "semantic", "lexical", "quote"]),
        default="hybrid",
        show_default=True,
        help="By meaning and words, by meaning only, by words only, or what was said word for word or nearly.",
    )(command)


def search_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of whatever looks for passages; `asking.make_query` makes a query of them."""
    for option in reversed(
        (
            click.option("-k", type=click.IntRange(1, 1000), default=10, show_default=True, help="How many hits."),
            mode_option,
            click.option(
                "--talk",
                "talks",
                multiple=True,
                metavar="ID",
                shell_complete=complete_talk,
                help="Only in this talk (repeatable).",
            ),
            click.option("--speaker", metavar="NAME", help="Only where this person speaks; part of the name will do."),
            click.option("--channel", metavar="NAME", help="Only from this channel; part of the name will do."),
            click.option("--language", metavar="TAG", help="Only talks in this language, such as en or zh-Hant."),
            click.option("--after", metavar="DATE", help="Only from this day, month or year on."),
            click.option("--before", metavar="DATE", help="Only up to and including this day, month or year."),
            click.option(
                "--not", "avoid", default="", metavar="TEXT", help="Turn away from what is said in these words."
            ),
            click.option("--per-talk", type=click.IntRange(1), metavar="N", help="At most N hits of one talk."),
            click.option(
                "--context",
                type=click.FloatRange(0, 3600),
                callback=finite,
                default=0.0,
                metavar="SECONDS",
                help="Show so much around each hit.",
            ),
            click.option("--explain", is_flag=True, help="Say why each hit is one."),
        )
    ):
        command = option(command)
    return command


# A talk id may begin with "-": what is no option of these commands is a talk.
ANY_TALK_ID = {"ignore_unknown_options": True}
