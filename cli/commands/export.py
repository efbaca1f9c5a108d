"""`export`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from talksearch.cli.options import ANY_TALK_ID, complete_talk, indexes_option, search_options
from talksearch.cli.render.common import counted
from talksearch.cli.terminal import warn
from talksearch.indexer.errors import UsageError
from talksearch.indexer.settings import resolve
from talksearch.indexer.stores import catalog, soundness
from talksearch.indexer.text.untrusted import safe

if TYPE_CHECKING:
    import sqlite3

    from talksearch.cli.export.clips import Clip
    from talksearch.cli.export.registry import ExportFormat
    from talksearch.cli.export.selection import Selection
    from talksearch.search.answer import Answer
    from talksearch.search.options import OptionValue
    from talksearch.search.reader import IndexReader

# `--help` must not wait for numpy and the libraries of formats, so what imports them is imported in the functions.

FORMAT_NAMES = ("vtt", "srt", "json", "markdown", "html", "m3u", "edl", "chapters", "sqlite", "podcast")
"""Those of `export.registry`, whose import `--help` must not wait for; tests hold the two together."""

_STANDARD_OUTPUT = Path("-")
"""What standard output is called by habit. A file of that name is `./-`."""


@click.command("export", context_settings=ANY_TALK_ID)
@click.argument("names", nargs=-1, metavar="[TALK]...", shell_complete=complete_talk)
@click.option("--query", metavar="TEXT", help="Take the hits of this query. The options of a search narrow it.")
@click.option("--format", type=click.Choice(FORMAT_NAMES), help="What to write. [default: what FILE's ending says]")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write there, over what is there. [default: standard output]",
)
@click.option(
    "--clips",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Cut the hits, or the chapters of TALK, from local recordings into DIR (needs ffmpeg).",
)
@click.option(
    "--site",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write the archive, or the TALKs, as static pages that look for words in a browser.",
)
@search_options
@indexes_option
def export(
    names: tuple[str, ...],
    query: str | None,
    format: str | None,
    output: Path | None,
    clips: Path | None,
    site: Path | None,
    index_dir: Path | None,
    **options: OptionValue,
) -> None:
    """Write TALK, or the hits of a query, as a file for other programs. docs/export.md says what each format holds.

    TALK is an id, a YouTube URL, the path of a transcript, or the beginning of an id. json, markdown, m3u, edl
    and sqlite take several. Without TALK and --query, m3u and sqlite take the whole archive.

    \b
        talksearch export DTcRLlMv4_o --format srt > talk.srt
        talksearch export DTcRLlMv4_o -o talk.md
        talksearch export --query "time dilation" -k 20 -o hits.m3u8
        talksearch export --query "time dilation" --clips clips
        talksearch export --site pages
    """
    _require_sense(names, query)
    if output == _STANDARD_OUTPUT:
        output = None
    known = None if (clips or site) and not (format or output) else _format(format, output)
    folder = resolve(index_dir).index
    if clips and not names and query is None:
        raise UsageError("Say what to cut.", "Name a TALK with chapters, or ask for hits with --query.")
    if site and query is not None:
        raise UsageError("A site holds whole talks, not hits.", "Name TALKs, or none for the whole archive.")
    with catalog.open_snapshot(folder) as db:  # talks of an archive are read while they are written
        selection = _talks(db, names) if query is None else _hits(folder, query, options)
        if known:
            _write(known, selection, output)
        if not names and query is None and (note := soundness.note(db)):
            warn(note)
        if clips:
            _cut(selection, clips)
        if site:
            from talksearch.cli.export.site import write_site

            count = write_site(selection if names else _talks(db, names), site)
            warn(f"{counted('talk', count)} in {site}. Open it in a browser: {site / 'index.html'}")


def _write(known: ExportFormat, selection: Selection, output: Path | None) -> None:
    """Write what was selected to a file, or to standard output; what the format cannot hold is told."""
    from talksearch.cli.export import registry
    from talksearch.cli.export.files import clear_parts, write_whole

    written = registry.export(known, selection)
    if output is not None:
        clear_parts(output.parent)
        write_whole(output, written.content)
    elif isinstance(written.content, str):
        click.echo(_shown(written.content), nl=False)
    elif sys.stdout.isatty():
        raise UsageError(f"{known.name} is no text, so it is not written to a terminal.", "Name a file with -o.")
    else:
        click.echo(written.content, nl=False)
    for note in written.notes:
        warn(note)


def _cut(selection: Selection, folder: Path) -> None:
    """Cut clips: the path of each goes to standard output, what could not be cut is told."""
    from talksearch.cli.export.clips import cut

    done = [clip for clip in map(_told, cut(selection, folder)) if clip.path]
    warn(f"{counted('clip', len(done))} in {folder}.")


def _told(clip: Clip) -> Clip:
    if clip.path:
        click.echo(safe(str(clip.path)))
    else:
        warn(clip.problem)
    return clip


def _require_sense(names: tuple[str, ...], query: str | None) -> None:
    """Raise UsageError where what is given contradicts itself."""
    if names and query is not None:
        raise UsageError("Give talks or a --query, not both.", "To search in a talk only: --query TEXT --talk ID")
    context = click.get_current_context()
    given = [
        parameter.opts[0]
        for parameter in context.command.params
        if isinstance(parameter, click.Option)
        and parameter.name not in ("query", "format", "output", "clips", "site", "index_dir")
        and context.get_parameter_source(parameter.name or "") is not ParameterSource.DEFAULT
    ]
    if given and query is None:
        raise UsageError(f"{given[0]} belongs to a search.", "Say what to search for: --query TEXT")


def _format(name: str | None, output: Path | None) -> ExportFormat:
    """Return the format that is named, or that the name of the file means. Raises UsageError where neither says one."""
    from talksearch.cli.export import registry

    known = registry.format_named(name) if name else registry.format_of(output.name) if output else None
    if known is None and output:
        raise UsageError(f"{output} does not say which format it is.", f"--format takes {', '.join(FORMAT_NAMES)}.")
    if known is None:
        raise UsageError("Say in which format.", f"--format takes {', '.join(FORMAT_NAMES)}.")
    return known


def _talks(db: sqlite3.Connection, names: tuple[str, ...]) -> Selection:
    from talksearch.cli.export import selection
    from talksearch.search.ranking.filters import find_talk

    if not names:
        return selection.select_archive(db)
    return selection.select_talks(db, [find_talk(db, name) for name in names])


def _hits(folder: Path, query: str, options: dict[str, OptionValue]) -> Selection:
    from talksearch.cli.export.selection import select_hits
    from talksearch.search import engine
    from talksearch.search.current import current_index
    from talksearch.search.options import make_query

    asked = make_query(query, **options)

    def look(index: IndexReader) -> tuple[Answer, Selection]:
        answer = engine.search(index, asked)
        return answer, select_hits(index.db, query, answer.hits)

    with current_index(folder, warn=warn, once=True) as index:
        answer, selection = index.ask(look)
    if answer.note:
        warn(answer.note)
    if not answer.hits:
        warn("Nothing found.")
    return selection


def _shown(text: str) -> str:
    """Return a text as it is, and for a terminal without what would act on it."""
    return "\n".join(safe(line) for line in text.split("\n")) if sys.stdout.isatty() else text
