"""`talks`, `show` and `stats`."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from talksearch.cli.messages import Format
from talksearch.cli.options import (
    ANY_TALK_ID,
    complete_talk,
    finite,
    format_option,
    indexes_option,
    refuse_both,
    store_option,
)
from talksearch.cli.render import common, receipts
from talksearch.cli.render import talks as render
from talksearch.cli.terminal import style_for, warn
from talksearch.indexer.settings import resolve
from talksearch.indexer.stores import catalog, catalog_talks

if TYPE_CHECKING:
    from talksearch.search.reader import IndexReader

# `--help` and the list of talks must not wait for numpy, so what imports it is imported in the functions.


@click.command()
@format_option("text", "jsonl")
@store_option
@indexes_option
def talks(format: Format, index_dir: Path | None, store_url: str | None) -> None:
    """List the talks in the index: id, date, length, passages, title.

    \b
        talksearch talks
        talksearch talks --format jsonl
    """
    from talksearch.search.damage import note_on_index  # numpy

    refuse_both(index_dir, store_url)
    if store_url is not None:
        _list_store(store_url, format)
        return
    with catalog.open_snapshot(resolve(index_dir).index) as db:
        sizes = catalog_talks.talk_sizes(db)
        all_talks = list(catalog_talks.read_talks(db))
        note = note_on_index(db)
    if format == "jsonl":
        click.echo(common.jsonl(render.talk_json(talk, *sizes.get(talk.id, (0, 0))) for talk in all_talks), nl=False)
    else:
        click.echo(render.talks_text(all_talks, sizes), nl=False)
    if note:
        warn(note)


def _list_store(store_url: str, format: Format) -> None:
    from talksearch.cli.render import stores
    from talksearch.cli.sources import open_store
    from talksearch.search.remote.listing import facts_of

    with open_store(store_url, once=True) as store:
        known = store.ask(facts_of)
    click.echo(common.jsonl(map(stores.facts_json, known)) if format == "jsonl" else stores.facts_text(known), nl=False)


@click.command(context_settings=ANY_TALK_ID)
@click.argument("talk", shell_complete=complete_talk)
@click.option(
    "--from", "from_s", type=click.FloatRange(0), callback=finite, metavar="SECONDS", help="Only from there on."
)
@click.option("--to", "to_s", type=click.FloatRange(0), callback=finite, metavar="SECONDS", help="Only up to there.")
@click.option("--raw", is_flag=True, help="The untouched source: the file itself, or what of it is behind the stretch.")
@click.option("--receipt", is_flag=True, help="What was done to the talk between its file and the index.")
@format_option("text", "jsonl")
@store_option
@indexes_option
def show(
    talk: str,
    from_s: float | None,
    to_s: float | None,
    raw: bool,
    receipt: bool,
    format: Format,
    index_dir: Path | None,
    store_url: str | None,
) -> None:
    """Show TALK as readable text with its times.

    TALK is an id, a YouTube URL, the path of a transcript, or the beginning of an id. TALK@SECONDS, or a URL with a
    time, begins there; with --raw it is the passage at that moment.

    \b
        talksearch show DTcRLlMv4_o
        talksearch show DTcRLlMv4_o@754 --raw
        talksearch show DTcRLlMv4_o --receipt --format jsonl
    """
    from talksearch.indexer.talks import provenance
    from talksearch.search import moments

    if raw and receipt:
        raise click.UsageError("Give --raw or --receipt, not both.")
    refuse_both(index_dir, store_url)
    if raw and store_url is not None:
        raise click.UsageError(
            "A store does not hold the files that talks were read from. On the machine where its index was built, give"
            " --index in the place of --store; or leave --raw out."
        )
    with _catalog_with(talk, index_dir, store_url) as db:
        found_talk, moment_ms = moments.talk_and_moment(db, talk)
        from_ms = moment_ms if from_s is None else round(from_s * 1000)
        to_ms = None if to_s is None else round(to_s * 1000)
        if raw and to_ms is None and from_ms is not None and from_s is None:
            to_ms = moments.passage_end(db, found_talk.id, from_ms)
        data = provenance.read_source(db, found_talk) if raw else b""
    positions, silence = moments.cue_range(found_talk, from_ms, to_ms)
    style = style_for(sys.stdout)
    if receipt and format == "jsonl":
        out = common.jsonl([receipts.receipt_json(found_talk)])
    elif receipt:
        out = receipts.receipt_text(found_talk)
    elif raw:
        is_whole = from_ms is None and to_ms is None
        if format == "jsonl":
            out = render.source_jsonl(found_talk, data, positions)
        else:
            out = render.source_text(found_talk, data, None if is_whole else positions, style)
    elif format == "jsonl":
        out = common.jsonl(render.cues_json(found_talk, positions))
    else:
        out = render.talk_text(found_talk, style, positions)
    click.echo(out, nl=False)
    if silence and not receipt:
        warn(silence)


@contextmanager
def _catalog_with(talk: str, index_dir: Path | None, store_url: str | None) -> Iterator[sqlite3.Connection]:
    """Yield a catalog that has a talk, where there is such a talk: that of an index, or one of what a store has."""
    if store_url is None:
        with catalog.open_snapshot(resolve(index_dir).index) as db:
            yield db
        return
    from talksearch.cli.sources import open_store
    from talksearch.search.named_talk import gather_named

    def gathered(reader: IndexReader) -> sqlite3.Connection:
        gather_named(reader, talk)
        return reader.db

    with open_store(store_url, once=True) as store:
        yield store.ask(gathered)


@click.command()
@format_option("text", "jsonl")
@store_option
@indexes_option
def stats(format: Format, index_dir: Path | None, store_url: str | None) -> None:
    """Say what the index holds, how large it is and how it was made.

    \b
        talksearch stats
    """
    from talksearch.search.damage import note_on_index
    from talksearch.search.stats import gather

    refuse_both(index_dir, store_url)
    if store_url is not None:
        _store_stats(store_url, format)
        return
    folder = resolve(index_dir).index
    facts = gather(folder)
    click.echo(common.jsonl([facts]) if format == "jsonl" else render.stats_text(facts), nl=False)
    with catalog.open_snapshot(folder) as db:
        note = note_on_index(db)
    if note:
        warn(note)


def _store_stats(store_url: str, format: Format) -> None:
    from talksearch.cli.render import stores
    from talksearch.cli.sources import open_store
    from talksearch.search.remote.listing import gather_stats

    with open_store(store_url, once=True) as store:
        facts = store.ask(gather_stats)
    click.echo(common.jsonl([facts]) if format == "jsonl" else stores.stats_text(facts), nl=False)
