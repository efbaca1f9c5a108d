"""`add`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from talksearch.cli.bringing import IS_WHOLE, Output, ask_all, print_end, stopped_by_signals
from talksearch.cli.options import archive_option, format_option
from talksearch.cli.render import fetched
from talksearch.cli.render.common import counted, jsonl, shell_word
from talksearch.cli.terminal import warn
from talksearch.indexer.errors import TalksearchError, UsageError
from talksearch.indexer.fetch.addresses import host_of
from talksearch.indexer.fetch.records import Recordings, Source
from talksearch.indexer.settings import resolve
from talksearch.indexer.text.untrusted import safe, without_password

if TYPE_CHECKING:
    from talksearch.cli.bringing import Wanted
    from talksearch.indexer.subscriptions.asking import SourceLookup
    from talksearch.indexer.subscriptions.file import Change
    from talksearch.indexer.subscriptions.options import Options

# `--help` must not wait for yt-dlp and feedparser, so what imports them is imported in the functions.


@click.command()
@click.argument("addresses", nargs=-1, required=True, metavar="URL|FILE.opml|FOLDER...")
@archive_option
@click.option("--since", metavar="DATE", help="Nothing older than this day, month or year.")
@click.option("--match", metavar="REGEX", help="Only talks whose titles hold this, in letters of any size.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many talks a run, the newest first.")
@click.option("--language", metavar="TAG", help="What is spoken, where the site does not say: en, pt-BR, German.")
@click.option("--also", multiple=True, metavar="TAG", help="A further language, where people wrote the captions.")
@click.option(
    "--recordings",
    type=click.Choice(get_args(Recordings)),
    help="Fetch the sound as well: of none, of talks that are missing captions, or of all.  [default: none]",
)
@click.option("--cookies", metavar="FILE", help="Send the cookies in this file to the site. None are sent otherwise.")
@click.option("--cookies-from-browser", metavar="NAME", help="Send those of a browser: firefox, chrome, …")
@click.option("--once", is_flag=True, help="Bring in what is there now, and do not subscribe.")
@click.option("--later", is_flag=True, help="Subscribe, and leave the fetching to sync.")
@format_option("text", "jsonl")
def add(addresses: tuple[str, ...], to: Path | None, once: bool, later: bool, format: str, **options: object) -> None:
    """Bring in the captions of a video, a playlist, a channel or a podcast, as plain files in a folder of yours.

    A channel, a playlist, a feed or a folder of recordings is subscribed to as well: sync asks it for what is new.
    Adding it once more changes the options that are given. An OPML file, or the subscriptions.csv of YouTube's Takeout,
    subscribes to all that it lists, for sync to fetch.

    It takes the captions that people wrote in the language that is spoken, else those that the site made by machine,
    and never a translation. A talk that has neither is left where it is, with a line that says so. This command indexes
    nothing.

    \b
        talksearch add https://www.youtube.com/@harbourtalks --since 2024
        talksearch add https://pod.example.org/feed.xml --limit 10
        talksearch add https://vimeo.com/76979871 --to ~/lectures
        talksearch add subscriptions.opml
        talksearch add ~/recordings --language German
    """
    if once and later:
        raise UsageError("--once subscribes to nothing, and --later fetches nothing.", "Give one of the two.")
    from talksearch.indexer.subscriptions.options import make_source

    output = Output(resolve(archive=to).archive.absolute(), format == "jsonl")
    given = {key: value for key, value in options.items() if value not in (None, ())}
    sources = [make_source({"url": address, **given}, Path.cwd()) for address in addresses]
    given = {key: getattr(sources[0], key) for key in given}  # a path is whole now, wherever it is read again
    outcomes: list[fetched.SourceOutcome] = []
    with stopped_by_signals(IS_WHOLE):
        wanted: list[Wanted] = []
        for source in sources:
            found = _look(source, output, once=once, later=later)
            if isinstance(found, fetched.SourceOutcome):
                outcomes.append(found)
            else:
                wanted += _subscribe(source, found, given, output, once=once, later=later)
        if wanted:
            outcomes += ask_all(wanted, output)
    if not output.is_json:
        _print_end(outcomes, output.folder)
    if outcomes and all(outcome.failed for outcome in outcomes):
        click.get_current_context().exit(1)


def _print_end(outcomes: Sequence[fetched.SourceOutcome], folder: Path) -> None:
    """Print what the whole call came to, and what to do next."""
    if outcomes:
        click.echo(fetched.summary_text(outcomes))
    else:  # nothing was asked for talks
        click.echo(f"To fetch what there is and index it: talksearch sync{_to(folder)}")
    if any(outcome.landed for outcome in outcomes):
        click.echo(f"To search them: talksearch index {shell_word(str(folder))}")


def _look(source: Source, output: Output, *, once: bool, later: bool) -> SourceLookup | fetched.SourceOutcome:
    """Return what an address leads to; or, printed, why nothing can be had from it. The other addresses go on."""
    from talksearch.indexer.subscriptions import asking

    try:
        found = asking.look(source, output.tell)
        if found.kind == "talk" and later:
            raise UsageError("It is one talk, and nothing new will come to it.", "Add it without --later.")
        if found.kind in ("folder", "list") and once:
            raise UsageError(f"It is a {found.kind}, which --once does not fetch.", "Add it without --once.")
        return found
    except TalksearchError as error:
        failed = asking.FailedSource(f"{error.message} {error.hint}".rstrip())
        outcome = fetched.SourceOutcome(source, failed=failed)
        if output.is_json:
            click.echo(jsonl([fetched.event_json(source, failed)]), nl=False)
        print_end(outcome, output)
        return outcome


def _subscribe(
    source: Source, found: SourceLookup, given: Options, output: Output, *, once: bool, later: bool
) -> list[Wanted]:
    """Subscribe to what an address leads to, where that is wanted; return what is to be fetched now."""
    if found.kind == "talk" or once:
        return [(replace(source, title=found.title), found.page)]
    if found.kind == "list":
        _subscribe_to_all(source, found, given, output)
        return []
    from talksearch.indexer.subscriptions.file import find_subscription, subscribe

    (change,) = subscribe(output.folder, [{"url": source.url, "title": safe(found.title).strip(), **given}])
    kept = find_subscription(output.folder, source.url)
    _print_subscribed(kept, change, output)
    if later or found.kind == "folder":
        return []
    return [(kept, found.page)]


def _subscribe_to_all(source: Source, found: SourceLookup, given: Options, output: Output) -> None:
    """Subscribe to what a list holds; what of it means nothing is told."""
    from talksearch.indexer.subscriptions.file import subscribe
    from talksearch.indexer.subscriptions.options import make_source

    usable = []
    for options in found.wanted:
        try:
            listed = make_source(options, output.folder)
            if not host_of(listed.url):  # else somebody's list would have this machine's files indexed
                raise UsageError(f"{listed.url} is a path of this machine.", "Add it by itself.")
            usable.append({**options, **given})
        except UsageError as error:
            warn(f"Left out of {fetched.source_name(source)}: {error.message} {error.hint}".rstrip())
    changes: Counter[str] = Counter(subscribe(output.folder, usable))
    if output.is_json:
        click.echo(jsonl([{"event": "subscribed", "source": without_password(source.url), **changes}]), nl=False)
        return
    changed = f", {changes['changed']:,} of them with other options now" if changes["changed"] else ""
    click.echo(
        f"Subscribed to {changes['added']:,} of {counted('source', len(found.wanted))} in"
        f" {fetched.source_name(source)}; there already: {len(usable) - changes['added']:,}{changed}."
    )


def _print_subscribed(source: Source, change: Change, output: Output) -> None:
    if output.is_json:
        row = {
            "event": "subscribed",
            "source": without_password(source.url),
            "source_title": source.title,
            "change": change,
        }
        click.echo(jsonl([row]), nl=False)
        return
    name = fetched.source_name(source)
    match change:
        case "added":
            click.echo(f"Subscribed to {name}.")
        case "changed":
            click.echo(f"{name} was subscribed to already; its options are changed.")
        case "same":
            click.echo(f"{name} was subscribed to already.")


def _to(folder: Path) -> str:
    """Return the option that names a folder, where a command would not find it without."""
    return "" if resolve().archive.absolute() == folder else f" --to {shell_word(str(folder))}"
