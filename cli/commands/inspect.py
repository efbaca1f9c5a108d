"""`inspect` and `repair`."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from talksearch.cli.messages import Format
from talksearch.cli.options import format_option, index_option
from talksearch.cli.render import common, receipts
from talksearch.cli.terminal import style_for, warn
from talksearch.indexer.errors import BadIndexError, TalksearchError
from talksearch.indexer.settings import resolve
from talksearch.search.links import link

if TYPE_CHECKING:
    from talksearch.indexer.encoders.base import ModelCard

# `--help` must not wait for the statistics of repairs nor for numpy, so what imports them is imported in the functions.


@click.command()
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--explain", is_flag=True, help="Say on standard error what was repaired, and what is uncertain.")
def repair(file: BinaryIO, explain: bool) -> None:
    """Repair text that was read in the wrong code page: FILE, or standard input, to standard output.

    Healthy text comes out as it went in, to the byte.

    \b
        talksearch repair titles.txt > repaired.txt
        curl -s https://example.org/feed | talksearch repair --explain
    """
    from talksearch.indexer.mojibake import repair_text

    data = file.read()
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise TalksearchError(
            f"{file.name} is not UTF-8: byte {error.start:,} is not part of a character.",
            "Repair works on text that was saved as UTF-8 after it had been read wrongly.",
        ) from error
    repaired = repair_text(text)
    click.echo(repaired.text.encode("utf-8"), nl=False)
    if explain:
        for line in receipts.repair_lines(text, repaired):
            warn(line)


@click.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@format_option("text", "jsonl")
@index_option
def inspect(path: Path, format: Format, index_dir: Path | None) -> None:
    """Show what would be indexed of a file or folder and what was repaired in it. Touches no index.

    In jsonl the first passage of a talk carries its receipt: every step, with all that it needs to be done again.

    \b
        talksearch inspect talk.en.vtt
        talksearch inspect ~/talks --format jsonl
    """
    from talksearch.indexer.encoders.default_model import model_token_counter
    from talksearch.indexer.passages.split import split
    from talksearch.indexer.talks.read import talks_under

    count_tokens, max_tokens = model_token_counter(_model_of(resolve(index_dir).index))
    for file, talk in talks_under(path):
        if isinstance(talk, TalksearchError):
            warn(f"{file}: {talk.message}")
            continue
        passages = split(talk, count_tokens, max_tokens)
        if format == "jsonl":
            rows = receipts.passages_json(talk, passages, partial(link, talk.url, file))
            click.echo(common.jsonl(rows), nl=False)
        else:
            click.echo(receipts.inspect_text(talk, passages, style_for(sys.stdout)))


def _model_of(index: Path) -> ModelCard | None:
    """Return the model of an index; None where there is no index that can be read, which a look at files needs not."""
    from talksearch.indexer.stores import recipe

    try:
        known = recipe.read(index)
    except BadIndexError:
        return None
    return known.model if known else None
