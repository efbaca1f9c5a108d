"""`talks`, `show` and `stats`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from talksearch.cli.options import ANY_TALK_ID, complete_talk, finite, format_option, index_option
from talksearch.cli.terminal import style_for, warn
from talksearch.indexer.settings import resolve


@click.command()
@format_option("text", "jsonl")
@index_option
def talks(form: str, index_dir: Path | None) -> None:
    """List the talks in the index: id, date, length, passages, title.

    \b
        talksearch talks
        talksearch talks --format jsonl
    """
    from talksearch.cli.render import common
    from talksearch.cli.render import talks as talks_module
    from talksearch.indexer.stores import catalog

    db = catalog.open_catalog(resolve(index_dir).index)
    sizes = catalog.talk_sizes(db)
    listed = catalog.read_talks(db)
    if form == "jsonl":
        click.echo(common.jsonl(talks_module.talk_json(talk, *sizes.get(talk.id, (0, 0))) for talk in listed), nl=False)
    else:
        click.echo(talks_module.talks_text(listed, sizes), nl=False)


@click.command(context_settings=ANY_TALK_ID)
@click.argument("talk", shell_complete=complete_talk)
@click.option(
    "--from", "from_s", type=click.FloatRange(0), callback=finite, metavar="SECONDS", help="Only from there on."
)
@click.option("--to", "to_s", type=click.FloatRange(0), callback=finite, metavar="SECONDS", help="Only up to there.")
@click.option("--raw", is_flag=True, help="The untouched source: the file itself, or what of it is behind the stretch.")
@click.option("--receipt", is_flag=True, help="What was done to the talk between its file and the index.")
@format_option("text", "jsonl")
@index_option
def show(
    talk: str,
    from_s: float | None,
    to_s: float | None,
    raw: bool,
    receipt: bool,
    form: str,
    index_dir: Path | None,
) -> None:
    """Show TALK as readable text with its times.

    TALK is an id, a YouTube URL, the path of a transcript, or the beginning of an id. TALK@SECONDS, or a URL with a
    time, begins there; with --raw it is the passage at that moment.

    \b
        talksearch show DTcRLlMv4_o
        talksearch show DTcRLlMv4_o@754 --raw
        talksearch show DTcRLlMv4_o --receipt --format jsonl
    """
    from talksearch.cli.render import common, receipts
    from talksearch.cli.render import talks as talks_module
    from talksearch.indexer.stores import catalog
    from talksearch.indexer.talks import provenance as source
    from talksearch.search import moments
    from talksearch.search.moments import cue_range, talk_and_moment

    if raw and receipt:
        raise click.UsageError("Give --raw or --receipt, not both.")
    db = catalog.open_catalog(resolve(index_dir).index)
    found, at_ms = talk_and_moment(db, talk)
    from_ms = at_ms if from_s is None else round(from_s * 1000)
    to_ms = None if to_s is None else round(to_s * 1000)
    if raw and to_ms is None and from_ms is not None and from_s is None:
        to_ms = moments.passage_end(db, found.id, from_ms)
    part, silence = cue_range(found, from_ms, to_ms)
    whole = from_ms is None and to_ms is None
    if receipt:
        shown = common.jsonl([receipts.receipt_json(found)]) if form == "jsonl" else receipts.receipt_text(found)
    elif raw:
        shown = talks_module.raw_shown(found, source.read_source(db, found), part, form, whole, style_for(sys.stdout))
    elif form == "jsonl":
        shown = common.jsonl(talks_module.cues_json(found, part))
    else:
        shown = talks_module.talk_text(found, style_for(sys.stdout), part)
    click.echo(shown, nl=False)
    if silence and not receipt:
        warn(silence)


@click.command()
@format_option("text", "jsonl")
@index_option
def stats(form: str, index_dir: Path | None) -> None:
    """Say what the index holds, how large it is and how it was made.

    \b
        talksearch stats
    """
    from talksearch.cli.render import common
    from talksearch.cli.render import talks as talks_module
    from talksearch.search.stats import gather

    facts = gather(resolve(index_dir).index)
    click.echo(common.jsonl([facts]) if form == "jsonl" else talks_module.stats_text(facts), nl=False)
