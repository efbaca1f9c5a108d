"""`index`, `remove` and `doctor`."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from talksearch.cli import progress
from talksearch.cli.options import ANY_TALK_ID, PathOrAddress, complete_talk, index_option
from talksearch.cli.render import reports, transcripts
from talksearch.cli.terminal import for_given_index
from talksearch.indexer import mirrors
from talksearch.indexer.errors import BadIndexError, LockedError, StoreError
from talksearch.indexer.settings import DEFAULT_MODEL, resolve
from talksearch.indexer.stores import catalog, languages, recipe
from talksearch.indexer.text.untrusted import safe

if TYPE_CHECKING:
    from talksearch.indexer.pipeline.report import Report

# `--help` must not wait for the model's libraries, so what imports them is imported in the functions.


@click.command()
@click.argument("paths", nargs=-1, type=PathOrAddress(path_type=Path), metavar="[PATH]...")
@click.option("--rebuild", is_flag=True, help="Build the index anew; the old one answers until the new one is ready.")
@click.option(
    "--model",
    metavar="NAME",
    help="multilingual, for talks or questions in several languages (needs talksearch[languages]), or a"
    " sentence-transformers model, by name or folder. [TALKSEARCH_MODEL]",
)
@click.option(
    "--trust",
    "trusts",
    is_flag=True,
    help="Load the model although its files hold programs (pickles, modules of its own), now and as long as they stay.",
)
@click.option(
    "--query-prompt", metavar="TEXT", help="What to put in front of queries, instead of the model's own prompt."
)
@click.option("--passage-prompt", metavar="TEXT", help="What to put in front of passages, likewise.")
@click.option(
    "--store",
    "store_url",
    metavar="URL",
    help="Then put what is new into a store that many readers share: lance:///folder, lance+s3://bucket/prefix or"
    " chroma://host:port (needs talksearch[distributed]).",
)
@click.option(
    "--workers",
    metavar="ADDRESS",
    help="Have a cluster of Ray read and embed, ray://HOST:PORT, or `ray`: processes of this machine (needs"
    " talksearch[distributed]).",
)
@click.option("--watch", "watches", is_flag=True, help="Then keep the index current while files come and go.")
@index_option
def index(
    paths: tuple[str | Path, ...],
    rebuild: bool,
    model: str | None,
    trusts: bool,
    query_prompt: str | None,
    passage_prompt: str | None,
    store_url: str | None,
    workers: str | None,
    watches: bool,
    index_dir: Path | None,
) -> None:
    """Make the index hold exactly what lies under each PATH, beside what other PATHs gave it before.

    Without a PATH, all folders of the index are looked at again. Nothing that did not change is read or embedded again.
    A PATH may lie on another machine: s3://bucket/folder, gs://…, az://… or https://host/folder/. What changed there
    is copied first; credentials are taken from the environment.

    With --watch it goes on: whenever files under a PATH of the index have changed and it is quiet again, it runs once
    more, and says in a line what that did. Ctrl-C ends it. A server and searches may run beside it.

    With --store, what the store lacks of the index is put there afterwards, and what the index has no more is taken
    out; readers see all of that at once. The index stays on this machine, and what is put is never made from anything
    else. Where the store cannot be reached, the index is made all the same, and the next run puts the rest.

    \b
        talksearch index ~/talks
        talksearch index ~/talks --watch
        talksearch index s3://bucket/transcripts
        talksearch index ~/talks --rebuild --model multilingual
        talksearch index ~/talks --store lance:///srv/talks
        talksearch index ~/talks --workers ray://head.example.org:10001
    """
    from talksearch.indexer.pipeline import run

    if store_url is not None:
        from talksearch.indexer.stores.remote.address import parse_address, require_installed

        require_installed(parse_address(store_url))  # what cannot be is told before anything is indexed

    settings = resolve(index_dir, model)
    folder = settings.index.resolve()  # before it is built anew: where it is the working folder, that one is replaced
    if trusts:
        from talksearch.indexer.encoders.sentence_encoder import trust_model

        trust_model(_model_asked_for(folder, settings.model))

    def build() -> Report:
        return build_with_progress(folder, paths, settings.model, rebuild, (query_prompt, passage_prompt), workers)

    def build_again() -> Report:
        report = run.build_index(folder)
        keep_overview(folder)
        put_into_store()
        return report

    def put_into_store() -> None:
        if store_url is not None:
            try:
                _publish(folder, store_url, only_changes=watches)
            except StoreError as error:
                if not watches:
                    raise
                click.echo(safe(f"{error.message} {error.hint}"))  # the next change is another occasion

    if watches:
        _watch(folder, build, build_again, put_into_store)
    else:
        print_report(folder, build())
        put_into_store()


def _model_asked_for(folder: Path, model: str | None) -> str:
    """Return the model that is given, else the one of the index, else the default model."""
    known = recipe.read(folder)
    return model or (known.model.name if known else DEFAULT_MODEL)


def build_with_progress(
    folder: Path,
    paths: Sequence[str | Path],
    model: str | None,
    rebuild: bool = False,
    prompts: tuple[str | None, str | None] = (None, None),
    workers: str | None = None,
) -> Report:
    """Run as `build_index` does, with a bar on a terminal, and keep what a server's first page tells."""
    from talksearch.indexer.pipeline import run

    with progress.bar() as tell:
        report = run.build_index(
            folder, paths, model=model, rebuild=rebuild, prompts=prompts, workers=workers, tell=tell
        )
    keep_overview(folder)
    return report


def print_report(folder: Path, report: Report) -> None:
    """Print what a run did, which recordings lack a transcript, and in which languages the archive is."""
    from talksearch.indexer.talks.untranscribed import with_durations
    from talksearch.indexer.transcribe.pace import pace_of

    with catalog.open_snapshot(folder) as db:
        counts, roots = catalog.counts(db), [Path(root) for root in catalog.roots(db)]
        by_language = languages.count_languages(db)
    built = recipe.read(folder)
    text = reports.report_text(report, counts.talks, counts.passages, counts.embedded)
    if report.untranscribed:
        text += transcripts.untranscribed_text(with_durations(report.untranscribed), roots, pace_of(resolve().whisper))
    if built is not None:
        text += reports.languages_text(by_language, built.model.name)
    click.echo(for_given_index(text), nl=False)


def _publish(folder: Path, store_url: str, *, only_changes: bool) -> None:
    """Put what a store lacks of an index there, with a bar on a terminal, and print what that did.

    Args:
        folder: The index.
        store_url: The address of the store.
        only_changes: Print nothing where there was nothing to be put.
    """
    from talksearch.indexer.pipeline.publish import publish
    from talksearch.indexer.pipeline.report import Progress
    from talksearch.indexer.stores.remote.address import open_engine

    if recipe.read(folder) is None:  # no PATH held a talk
        click.echo(f"{safe(store_url)}: nothing was to be put, as the index holds no talks yet.")
        return
    with progress.bar() as tell:
        published = publish(
            folder,
            open_engine(store_url),
            lambda done, total: tell(Progress("publishing", done, total)) if total else None,
        )
    if not only_changes or published.put or published.dropped or published.notes:
        click.echo(reports.published_text(published), nl=False)


def _watch(
    folder: Path, build: Callable[[], Report], build_again: Callable[[], Report], put_into_store: Callable[[], None]
) -> None:
    """Index, and then after every change, until a signal ends it."""
    from talksearch.cli import watch

    def tell(line: str) -> None:
        click.echo(safe(line))

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    stop = threading.Event()  # nobody sets it: a signal interrupts
    try:
        report = watch.when_free(build, tell, stop)
        if report is not None:
            print_report(folder, report)
            put_into_store()
            tell("Watching for changes. Ctrl-C ends it.")
            watch.watch(folder, build_again, tell, first=report, stop=stop)
    except KeyboardInterrupt:
        tell("Stopped.")


def keep_overview(folder: Path) -> None:
    """Have the index keep what a server's first page tells of it."""
    from talksearch.search import make_overview

    with suppress(LockedError, BadIndexError):  # another run has begun, and keeps it when it ends; or no talk was found
        make_overview.keep(folder)


@click.command(context_settings=ANY_TALK_ID)
@click.argument("talks", nargs=-1, required=True, metavar="TALK...", shell_complete=complete_talk)
@index_option
def remove(talks: tuple[str, ...], index_dir: Path | None) -> None:
    """Take talks out of the index. Their files stay, and indexing their folder again brings them back.

    A PATH that was indexed takes all its talks with it, and is not looked at any more.

    \b
        talksearch remove DTcRLlMv4_o
        talksearch remove ~/old-talks
    """
    from talksearch.indexer.pipeline import run
    from talksearch.search.ranking.filters import find_talk

    settings = resolve(index_dir)
    with catalog.open_snapshot(settings.index) as db:
        roots = {talk: root for talk in talks if (root := run.find_root(db, talk))}
        ids = [find_talk(db, talk) for talk in talks if talk not in roots]
    forgotten = [mirrors.shown(str(root)) for root in roots.values()]  # while their copies say what they are
    for talk_id in run.remove_talks(settings.index, ids, roots.values()):
        click.echo(f"Removed {safe(talk_id)}.")
    for address in forgotten:
        click.echo(f"Forgot {safe(address)}.")
    keep_overview(settings.index)


@click.command()
@click.option("--check", is_flag=True, help="Only look, change nothing.")
@index_option
@click.pass_context
def doctor(context: click.Context, check: bool, index_dir: Path | None) -> None:
    """Check the index against itself and the files it was made of, and mend it.

    With --check, it ends with exit code 1 where something is to be mended.

    \b
        talksearch doctor
        talksearch doctor --check
    """
    from talksearch.indexer.doctor import Finding, examine
    from talksearch.search import make_overview

    folder = resolve(index_dir).index
    findings = examine(folder, mend=not check)
    if make_overview.is_outdated(folder) and not findings:  # where anything else was mended, it is old because of that
        advice = "Run: talksearch doctor" if check else ""
        findings = [Finding("What the first page tells of the archive was old or damaged.", not check, advice)]
    if not check:
        make_overview.keep(folder)
    for finding in findings:
        told = f"{'Mended' if finding.mended else 'Found'}: {safe(finding.what)} {finding.advice}".rstrip()
        click.echo(for_given_index(told))
    if not findings:
        click.echo("The index is sound.")
    elif check:
        context.exit(1)
