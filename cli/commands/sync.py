"""`sync`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from talksearch.cli.bringing import IS_WHOLE, Output, ask_all, stopped_by_signals
from talksearch.cli.commands.index import build_with_progress, print_report
from talksearch.cli.commands.transcribe import recordings_in, transcribe_all
from talksearch.cli.export.files import write_whole
from talksearch.cli.options import archive_option, format_option, index_option
from talksearch.cli.render import fetched, transcripts
from talksearch.cli.render.common import jsonl
from talksearch.cli.terminal import warn
from talksearch.indexer.errors import LockedError, TalksearchError
from talksearch.indexer.fetch.records import Source
from talksearch.indexer.settings import resolve
from talksearch.indexer.text.untrusted import safe

# `--help` must not wait for yt-dlp and feedparser, so what imports them is imported in the functions.


@click.command()
@archive_option
@click.option(
    "--transcribe",
    "transcribes",
    is_flag=True,
    help="Then write down what is said in recordings that have no captions, as transcribe does.",
)
@click.option("--no-index", is_flag=True, help="Only fetch; leave the index as it is.")
@click.option("--quiet", is_flag=True, help="Say nothing where nothing is new and nothing failed.")
@click.option(
    "--opml",
    type=click.Path(dir_okay=False, path_type=Path, allow_dash=True),
    metavar="FILE",
    help="Only write the subscriptions to FILE, for other programs; - is standard output.",
)
@format_option("text", "jsonl")
@index_option
def sync(
    to: Path | None,
    transcribes: bool,
    no_index: bool,
    quiet: bool,
    opml: Path | None,
    format: str,
    index_dir: Path | None,
) -> None:
    """Ask all subscriptions for what is new, bring it in, and index it.

    Subscriptions lie in subscriptions.toml, in the folder that talks are brought into; add makes them, and the file is
    yours to change. What is there already is not fetched again. A subscription that fails is a line, and the others
    go on. docs/bringing-in.md has examples for cron and systemd.

    \b
        talksearch sync
        talksearch sync --quiet --transcribe
        talksearch sync --opml subscriptions.opml
    """
    from talksearch.indexer.subscriptions.file import FILE_NAME, read_subscriptions

    settings = resolve(index_dir, archive=to)
    output = Output(settings.archive.absolute(), format == "jsonl", quiet)
    known = read_subscriptions(output.folder)
    if opml is not None:
        _write_opml(known.sources, opml)
        return
    for problem in known.problems:
        warn(problem)
    if not known.sources:
        raise TalksearchError(
            f"There is no subscription in {output.folder / FILE_NAME}.", "Make one: talksearch add URL"
        )
    with stopped_by_signals(IS_WHOLE):
        outcomes = ask_all([(source, None) for source in known.sources], output)
        if not output.is_json and (not quiet or any(outcome.is_news for outcome in outcomes)):
            click.echo(fetched.summary_text(outcomes))
        could = not transcribes or _transcribe(output, known.sources)
        if not no_index:
            _index(settings.index.resolve(), _folders(output.folder, known.sources), settings.model, output)
    if all(outcome.failed for outcome in outcomes) or not could:
        click.get_current_context().exit(1)


def _folders(archive: Path, sources: Sequence[Source]) -> list[Path]:
    """Return the folders that an index of an archive is made of; those that are away are told already."""
    return [archive, *(path for source in sources if (path := Path(source.url)).is_absolute() and path.is_dir())]


def _transcribe(output: Output, sources: Sequence[Source]) -> bool:
    """Transcribe recordings that lack a transcript, and say whether that could be done; what fails is told."""
    languages = {Path(source.url): source.language for source in sources}
    could = True
    for folder in _folders(output.folder, sources):
        try:
            recordings = recordings_in(folder)
            for done in transcribe_all(recordings, language=languages.get(folder)) if recordings else ():
                if isinstance(done, TalksearchError):
                    warn(f"{done.message} {done.hint}".rstrip())
                elif output.is_json:
                    row = {"event": "transcribed", "recording": str(done.path), "transcript": str(done.transcript)}
                    click.echo(jsonl([row]), nl=False)
                else:
                    click.echo(transcripts.transcribed_text(done), nl=False)
        except TalksearchError as error:  # no model, which is no reason to leave out the index
            could = False
            warn(f"{error.message} {error.hint}".rstrip())
    return could


def _index(index: Path, paths: Sequence[Path], model: str | None, output: Output) -> None:
    """Index what lies in folders, and print what that did."""
    try:
        report = build_with_progress(index, paths, model)
    except LockedError as error:
        warn(f"{error.message} It sees what was brought in where it watches the folder; else the next run does.")
        return
    is_news = bool(report.added or report.replaced or report.dropped)
    if output.quiet and not is_news:
        return
    if output.is_json:
        counts = {name: len(getattr(report, name)) for name in ("added", "replaced", "kept", "dropped", "skipped")}
        click.echo(jsonl([{"event": "indexed", **counts}]), nl=False)
    elif not output.quiet:
        print_report(index, report)
    else:
        from talksearch.cli import watch
        from talksearch.indexer.pipeline.report import Report

        click.echo(safe(watch.summary(report, Report(skipped=report.skipped))))


def _write_opml(sources: Sequence[Source], file: Path) -> None:
    """Write subscriptions for other programs, whole or not at all, and say what that leaves out."""
    from talksearch.indexer.subscriptions.opml import write_opml

    outlines = write_opml(sources)
    if str(file) == "-":
        click.echo(outlines.text, nl=False)
    else:
        write_whole(file, outlines.text, option="--opml")
    for note in outlines.notes:
        warn(note)
