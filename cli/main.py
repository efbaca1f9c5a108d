"""The commands: each parses, calls, and hands the result to `render`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from talksearch.cli.server.client import ask
from talksearch.cli.server.protocol import Printed, request
from talksearch.indexer.errors import TalksearchError
from talksearch.indexer.settings import Settings, resolve

from .terminal import look, utf8_output, warn

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

# Heavy modules are imported inside the commands that need them: `--help` and a search by words must not wait for them.


def _number(_: click.Context, parameter: click.Parameter, value: float | None) -> float | None:
    """Refuse "nan", which click takes for a number within any range, and "inf"."""
    if value is not None and not isfinite(value):
        raise click.BadParameter(f"{value} is not a number of seconds.", param=parameter)
    return value


class _Commands(click.Group):
    """A group in which whatever is no command is a query, and in which errors become messages and exit codes."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        at = 2 if args[:1] == ["--index"] else 1 if args and args[0].startswith("--index=") else 0
        if args[at : at + 1] and args[at] in self.commands:
            args = [args[at], *args[:at], *args[at + 1 :]]
        elif args and args[0] not in ("--help", "--version"):
            args = ["search", *args]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        utf8_output()
        try:
            return super().invoke(ctx)
        except TalksearchError as error:
            warn(f"talksearch: {error.message}")
            if error.hint:
                warn(error.hint)
            ctx.exit(1)


def _index_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--index",
        "index_dir",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="The folder of the index. [TALKSEARCH_INDEX; default: in your data folder]",
    )(command)


def _format_option(*formats: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option(
        "--format", "form", type=click.Choice(formats), default="text", show_default=True, help="How to print."
    )


def _complete_talk(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the id of a talk, its title beside it where the shell shows that."""
    from click.shell_completion import CompletionItem

    from talksearch.indexer.stores import catalog

    from .terminal import safe

    try:
        db = catalog.open_catalog(resolve(ctx.params.get("index_dir")).index)
    except TalksearchError:
        return []
    return [
        CompletionItem(talk.id, help=safe(talk.title))
        for talk in catalog.read_talks(db)
        if talk.id.startswith(incomplete)
    ]


@click.group(cls=_Commands)
@click.version_option(package_name="talksearch")
def cli() -> None:
    """Search an archive of recorded talks by meaning, and open them at the second where it is said.

    \b
        talksearch index ~/talks
        talksearch "time dilation metaphor"

    Whatever is not one of the commands below is a query.
    """


@cli.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@click.option("--rebuild", is_flag=True, help="Build the index anew; the old one answers until the new one is ready.")
@click.option("--model", metavar="NAME", help="A sentence-transformers model, by name or folder. [TALKSEARCH_MODEL]")
@click.option(
    "--query-prompt", metavar="TEXT", help="What to put in front of queries, instead of the model's own prompt."
)
@click.option("--passage-prompt", metavar="TEXT", help="What to put in front of passages, likewise.")
@_index_option
def index(
    paths: tuple[Path, ...],
    rebuild: bool,
    model: str | None,
    query_prompt: str | None,
    passage_prompt: str | None,
    index_dir: Path | None,
) -> None:
    """Make the index hold exactly what lies under each PATH, beside what other PATHs gave it before.

    Without a PATH, all folders of the index are looked at again. Nothing that did not change is read or embedded again.

    \b
        talksearch index ~/talks
        talksearch index ~/talks --rebuild --model ~/models/multilingual-e5-small
    """
    from talksearch.cli.render import hits
    from talksearch.indexer.pipeline import run as build
    from talksearch.indexer.stores import catalog

    from . import progress

    settings = resolve(index_dir, model)
    folder = settings.index.resolve()  # before it is built anew: where it is the working folder, that one is replaced
    with progress.bar() as tell:
        report = build.index(
            folder,
            paths,
            model=settings.model,
            rebuild=rebuild,
            prompts=(query_prompt, passage_prompt),
            tell=tell,
        )
    counts = catalog.counts(catalog.open_catalog(folder))
    click.echo(hits.report_text(report, counts.talks, counts.passages, counts.embedded), nl=False)


def _mode_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--mode",
        type=click.Choice(["hybrid", "semantic", "lexical", "quote"]),
        default="hybrid",
        show_default=True,
        help="By meaning and words, by meaning only, by words only, or what was said word for word or nearly.",
    )(command)


def _search_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of whatever looks for passages; `asking.make_query` makes a query of them."""
    for option in reversed(
        (
            click.option("-k", type=click.IntRange(1, 1000), default=10, show_default=True, help="How many hits."),
            _mode_option,
            click.option(
                "--talk",
                "talks",
                multiple=True,
                metavar="ID",
                shell_complete=_complete_talk,
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
                callback=_number,
                default=0.0,
                metavar="SECONDS",
                help="Show so much around each hit.",
            ),
            click.option("--explain", is_flag=True, help="Say why each hit is one."),
        )
    ):
        command = option(command)
    return command


@cli.command()
@click.argument("query", nargs=-1)
@_search_options
@click.option(
    "--queries",
    type=click.File(encoding="utf-8-sig"),
    metavar="FILE",
    help='Ask all of a file: {"id", "query"} a line.',
)
@click.option("--open", "open_first", is_flag=True, help="Open the first hit.")
@_format_option("text", "jsonl", "csv", "markdown")
@_index_option
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


# A talk id may begin with "-": what is no option of these commands is a talk.
_IDS = {"ignore_unknown_options": True}


@cli.command(context_settings=_IDS)
@click.argument("moment", metavar="TALK@SECONDS", shell_complete=_complete_talk)
@_search_options
@_format_option("text", "jsonl", "csv", "markdown")
@_index_option
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
    shown = look(sys.stdout)
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
    from talksearch.search import engine

    from . import answers

    for one in requests[done:]:
        answers.query_of(one)  # a date that is none is said before anything is opened
    opened = engine.open_index(settings.index, warn=warn, once=len(requests) == 1)
    for one in requests[done:]:
        yield answers.respond(opened, one)


@cli.command()
@_format_option("text", "jsonl")
@_index_option
def talks(form: str, index_dir: Path | None) -> None:
    """List the talks in the index: id, date, length, passages, title.

    \b
        talksearch talks
        talksearch talks --format jsonl
    """
    from talksearch.cli.render import hits
    from talksearch.indexer.stores import catalog

    db = catalog.open_catalog(resolve(index_dir).index)
    sizes = catalog.talk_sizes(db)
    listed = catalog.read_talks(db)
    if form == "jsonl":
        click.echo(hits.jsonl(hits.talk_json(talk, *sizes.get(talk.id, (0, 0))) for talk in listed), nl=False)
    else:
        click.echo(hits.talks_text(listed, sizes), nl=False)


@cli.command(context_settings=_IDS)
@click.argument("talk", shell_complete=_complete_talk)
@click.option(
    "--from", "from_s", type=click.FloatRange(0), callback=_number, metavar="SECONDS", help="Only from there on."
)
@click.option("--to", "to_s", type=click.FloatRange(0), callback=_number, metavar="SECONDS", help="Only up to there.")
@click.option("--raw", is_flag=True, help="The untouched source: the file itself, or what of it is behind the stretch.")
@click.option("--receipt", is_flag=True, help="What was done to the talk between its file and the index.")
@_format_option("text", "jsonl")
@_index_option
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
    from talksearch.cli.render import hits
    from talksearch.indexer.stores import catalog
    from talksearch.indexer.talks import provenance as source

    from .answers import stretch, talk_and_moment

    if raw and receipt:
        raise click.UsageError("Give --raw or --receipt, not both.")
    db = catalog.open_catalog(resolve(index_dir).index)
    found, at_ms = talk_and_moment(db, talk)
    from_ms = at_ms if from_s is None else round(from_s * 1000)
    to_ms = None if to_s is None else round(to_s * 1000)
    if raw and to_ms is None and from_ms is not None and from_s is None:
        to_ms = source.passage_end(db, found.id, from_ms)
    part, silence = stretch(found, from_ms, to_ms)
    whole = from_ms is None and to_ms is None
    if receipt:
        shown = hits.jsonl([hits.receipt_json(found)]) if form == "jsonl" else hits.receipt_text(found)
    elif raw:
        shown = hits.raw_shown(found, source.untouched(db, found), part, form, whole, look(sys.stdout))
    elif form == "jsonl":
        shown = hits.jsonl(hits.cues_json(found, part))
    else:
        shown = hits.talk_text(found, look(sys.stdout), part)
    click.echo(shown, nl=False)
    if silence and not receipt:
        warn(silence)


@cli.command()
@_format_option("text", "jsonl")
@_index_option
def stats(form: str, index_dir: Path | None) -> None:
    """Say what the index holds, how large it is and how it was made.

    \b
        talksearch stats
    """
    from talksearch.cli.render import hits
    from talksearch.search.stats import gather

    facts = gather(resolve(index_dir).index)
    click.echo(hits.jsonl([facts]) if form == "jsonl" else hits.stats_text(facts), nl=False)


@cli.command(context_settings=_IDS)
@click.argument("talks", nargs=-1, required=True, metavar="TALK...", shell_complete=_complete_talk)
@_index_option
def remove(talks: tuple[str, ...], index_dir: Path | None) -> None:
    """Take talks out of the index. Their files stay, and indexing their folder again brings them back.

    A PATH that was indexed takes all its talks with it, and is not looked at any more.

    \b
        talksearch remove DTcRLlMv4_o
        talksearch remove ~/old-talks
    """
    from talksearch.indexer.pipeline import run as build
    from talksearch.indexer.stores import catalog
    from talksearch.search.ranking.filters import find_talk

    from .terminal import safe

    settings = resolve(index_dir)
    db = catalog.open_catalog(settings.index)
    roots = {talk: root for talk in talks if (root := build.find_root(db, talk))}
    ids = [find_talk(db, talk) for talk in talks if talk not in roots]
    db.close()
    for talk_id in build.remove(settings.index, ids, roots.values()):
        click.echo(f"Removed {safe(talk_id)}.")
    for root in roots.values():
        click.echo(f"Forgot {safe(str(root))}.")


@cli.command()
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--explain", is_flag=True, help="Say on standard error what was repaired, and what is uncertain.")
def repair(file: Any, explain: bool) -> None:
    """Repair text that was read in the wrong code page: FILE, or standard input, to standard output.

    Healthy text comes out as it went in, to the byte.

    \b
        talksearch repair titles.txt > repaired.txt
        curl -s https://example.org/feed | talksearch repair --explain
    """
    from talksearch.cli.render import hits
    from talksearch.indexer.mojibake.repair import repair_text

    data = file.read()
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise TalksearchError(
            f"{file.name} is not UTF-8: byte {error.start:,} is not part of a character.",
            "Repair works on text that was saved as UTF-8 after it had been read wrongly.",
        ) from error
    found = repair_text(text)
    click.echo(found.text.encode("utf-8"), nl=False)
    if explain:
        for line in hits.repair_lines(text, found):
            warn(line)


@cli.command()
@click.option("--check", is_flag=True, help="Only look, change nothing.")
@_index_option
def doctor(check: bool, index_dir: Path | None) -> None:
    """Check the index against itself and the files it was made of, and mend it.

    \b
        talksearch doctor
        talksearch doctor --check
    """
    from talksearch.indexer.doctor import examine

    from .terminal import safe

    found = examine(resolve(index_dir).index, mend=not check)
    for one in found:
        click.echo(f"{'Mended' if one.mended else 'Found'}: {safe(one.what)} {one.advice}".rstrip())
    if not found:
        click.echo("The index is sound.")


@cli.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@_format_option("text", "jsonl")
@_index_option
def inspect(path: Path, form: str, index_dir: Path | None) -> None:
    """Show what would be indexed of a file or folder and what was repaired in it. Touches no index.

    In jsonl the first passage of a talk carries its receipt: every step, with all that it needs to be done again.

    \b
        talksearch inspect talk.en.vtt
        talksearch inspect ~/talks --format jsonl
    """
    from talksearch.cli.render import hits
    from talksearch.indexer.encoders.onnx_encoder import default_counter
    from talksearch.indexer.passages.split import split
    from talksearch.indexer.pipeline.scan import talks_under
    from talksearch.search.links import link

    count_tokens, max_tokens = default_counter(resolve(index_dir).index)
    for file, talk in talks_under(path):
        if isinstance(talk, TalksearchError):
            warn(f"{file}: {talk.message}")
            continue
        passages = split(talk, count_tokens, max_tokens)
        if form == "jsonl":
            rows = hits.passages_json(talk, passages, partial(link, talk.url, file))
            click.echo(hits.jsonl(rows), nl=False)
        else:
            click.echo(hits.inspect_text(talk, passages, look(sys.stdout)))


def _make_gold(db: Any, files: Sequence[Path], count: int) -> None:
    """Write known items to the one file that is named. Raises TalksearchError where it exists."""
    from talksearch.cli.render import hits
    from talksearch.search.evaluation.known_items import known_items

    if len(files) != 1:
        raise click.UsageError("Name one FILE for --make.")
    made = list(known_items(db, count))
    try:
        with files[0].open("x", encoding="utf-8") as out:
            out.write(hits.jsonl(made))
    except FileExistsError:
        raise TalksearchError(f"{files[0]} is there already.", "Name a new file, or remove it first.") from None
    except OSError as error:
        raise TalksearchError(f"{files[0]} cannot be written: {error.strerror}.", "Name another file.") from error
    warn(f"{len(made)} queries in {files[0]}. Measure with them: talksearch eval {files[0]}")


@cli.command("eval")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option("-k", type=click.IntRange(1, 1000), default=100, show_default=True, help="How many hits to ask for.")
@_mode_option
@click.option(
    "--leave-out",
    type=click.Choice(["title", "chapter", "description"]),
    multiple=True,
    help="Do not search what is written there (repeatable): for queries that were drawn from it.",
)
@click.option("--make", type=click.IntRange(1, 100_000), metavar="N", help="Draw N queries from the index into FILE.")
@click.option("--worst", default=10, show_default=True, metavar="N", help="How many failures of each file to list.")
@_format_option("text", "jsonl")
@_index_option
def evaluate(
    files: tuple[Path, ...],
    k: int,
    mode: Any,
    leave_out: Any,
    make: int | None,
    worst: int,
    form: str,
    index_dir: Path | None,
) -> None:
    """Measure the index on queries whose answers are known.

    Each line of FILE is like {"query": "…", "talk": "folder/talk.vtt", "start_s": 61, "end_s": 120}. A hit is right
    when it lies in that talk and its jump second from 15 seconds before `start_s` up to `end_s`; where no end is given,
    up to 180 seconds after the start.

    Who has no such queries draws some from the archive itself: things that were said, as somebody might remember them.

    \b
        talksearch eval questions.jsonl
        talksearch eval mine.jsonl --make 200
        talksearch eval chapters.jsonl --leave-out chapter --leave-out description --format jsonl
    """
    from talksearch.cli.render import hits
    from talksearch.search import engine
    from talksearch.search.evaluation import measure

    from .terminal import safe

    opened = engine.open_index(resolve(index_dir).index, warn=warn)
    if make:
        _make_gold(opened.db, files, make)
        return
    golds = [gold for file in files for gold in measure.read_gold(file)]
    for talk in measure.absent(opened, golds):
        warn(f"Not in the index, its queries count as missed: {safe(talk)}")
    shown = sys.stderr
    with click.progressbar(length=len(golds), label="Asking", file=shown, hidden=not shown.isatty()) as bar:
        outcomes = measure.ask(opened, golds, mode, k, lambda _: bar.update(1), leave_out)
    if form == "jsonl":
        click.echo(hits.jsonl(map(measure.summary_json, measure.summarise(outcomes))), nl=False)
        click.echo(hits.jsonl(map(measure.outcome_json, outcomes)), nl=False)
    else:
        click.echo(hits.eval_text(outcomes, worst), nl=False)


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Where to listen.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8376, show_default=True, help="Which port; 0 takes a free one."
)
@_index_option
def serve(host: str, port: int, index_dir: Path | None) -> None:
    """Keep the index warm: a web page, an HTTP API, and answers for the command line in milliseconds.

    While it runs, `search` and `similar` on this index are answered by it, as the same user on this machine, with the
    same hits in the same order; TALKSEARCH_NO_SERVER=1 switches that off. Ctrl-C stops it.

    \b
        talksearch serve
        talksearch serve --port 0 --index ~/other-index
    """
    from talksearch.cli.server.serve import Serving
    from talksearch.cli.server.serve import serve as run

    def tell(serving: Serving) -> None:
        warn(f"Serving {settings.index} at {serving.url}")
        if serving.socket is None:
            warn("This system has no Unix sockets: searches on the command line are answered without the server.")
        if serving.public:
            warn(f"Whoever can reach {host} can search this index: there is no password.")

    settings = resolve(index_dir)
    run(settings.index, host, port, tell=tell, warn=warn)


@cli.command()
@_index_option
def mcp(index_dir: Path | None) -> None:
    """Answer programs that speak the Model Context Protocol, on standard input and output.

    A program such as an assistant starts it by itself; docs/serving.md has what to write into its configuration.

    \b
        talksearch mcp --index ~/talks-index
    """
    from talksearch.cli.server.mcp_server import run

    run(resolve(index_dir).index, warn)
