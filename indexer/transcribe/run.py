"""From a recording to its transcript: piece by piece, each kept when it is done, and the whole put beside it then."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from time import perf_counter

from talksearch.indexer.arrays import Floats
from talksearch.indexer.errors import TalksearchError
from talksearch.indexer.records import Json
from talksearch.indexer.talks.no_speech import forget_no_speech, has_no_speech, remember_no_speech
from talksearch.indexer.talks.recordings import is_recording
from talksearch.indexer.talks.track_names import track_name, without_ending
from talksearch.indexer.talks.untranscribed import is_transcript, transcript_of, without_transcript
from talksearch.indexer.talks.walk import Root, as_root, files_under, may_be_transcript
from talksearch.indexer.text import youtube
from talksearch.indexer.text.clock import show_clock

from .errors import RecordingError
from .models import LoadedModel
from .pieces import SpeechPiece, pieces
from .recognise import LISTENED_PIECES, find_language, recognise
from .result import is_ours, result_path, whisper_json, write_result
from .sound import RATE, AudioStream, open_sound, samples
from .speakers import Diarisation, turns_in, with_speakers
from .work_file import WorkFile, not_written, open_work_file

_CUT_OFF_MS = 10_000
"""A recording whose sound ends so long before the end that its head tells is cut off, or damaged."""
_UNSURE = 0.5


class HasTranscriptError(RecordingError):
    """A recording has a transcript, so nothing is done."""


class NobodySpeaksError(RecordingError):
    """Nobody is heard in a recording, which is remembered."""


@dataclass(frozen=True, slots=True)
class TranscribeProgress:
    """How far a recording is."""

    path: Path
    done_ms: int
    total_ms: int | None
    """None where the recording does not say how long it is."""
    times_real: float
    """Seconds of the recording in a second of work, in this run; 0 until the first piece is done."""


@dataclass(frozen=True, slots=True)
class Transcribed:
    """A recording that was transcribed."""

    path: Path
    transcript: Path
    language: str
    """Whisper's code of it."""
    words: int
    recording_ms: int
    """How long the recording is."""
    recognised_ms: int
    """How much of it this run went through; less than `recording_ms` where it went on from an earlier one."""
    work_s: float
    """How long that took."""
    notes: tuple[str, ...]
    """Sentences about what is not as it might be."""


Tell = Callable[[TranscribeProgress], None]


def recordings_to_transcribe(path: Path, *, again: bool = False) -> list[Path]:
    """Return the recording that a path is, or those in a folder that lack a transcript, one of each talk.

    Those in a folder in which nobody was heard are left out. With `again` these are taken as well, and those of which
    there is no transcript but one that was made here.

    Raises TalksearchError where it is not there.
    """
    root = as_root(path)
    if root.path.is_dir():
        return _in_folder(root, again)
    if not os.path.lexists(root.path):
        raise TalksearchError(f"{path} is not there.", "Correct the path, or plug in its disk.")
    return [root.path]


def _in_folder(root: Root, again: bool) -> list[Path]:
    recordings: list[Path] = []
    tracks: dict[str, list[Path]] = {}  # by the video that their name says, wherever they lie
    for path in files_under(root):
        if not may_be_transcript(path):
            if is_recording(path.name):
                recordings.append(path)
        elif video := youtube.id_from_name(track_name(path).stem):
            tracks.setdefault(video, []).append(path)

    def is_wanted(recording: Path) -> bool:
        elsewhere = tracks.get(youtube.id_from_name(without_ending(recording.name)) or "", [])
        known = transcript_of(recording) or next(filter(is_transcript, elsewhere), None)
        return known is None or (again and is_ours(known))

    wanted = filter(is_wanted, without_transcript(recordings, ()))
    return [recording for recording in wanted if again or not has_no_speech(recording)]


def place_for(recording: Path, *, again: bool = False) -> Path:
    """Return where the transcript of a recording goes.

    Args:
        recording: The recording.
        again: Whether one that was made here is made once more.

    Raises:
        HasTranscriptError: it has a transcript.
        RecordingError: no name is free for one.
    """
    path = result_path(recording)
    known = path if is_ours(path) else transcript_of(recording)
    if known is not None and not (again and is_ours(known)):
        hint = "To make it once more: --again" if is_ours(known) else "It is not touched."
        raise HasTranscriptError(f"{recording} has a transcript: {known.name}.", hint)
    return path


def transcribe(
    recording: Path,
    model: LoadedModel,
    *,
    language: str | None = None,
    again: bool = False,
    diarisation: Diarisation | None = None,
    tell: Tell = lambda _: None,
) -> Transcribed:
    """Transcribe a recording and put the transcript beside it, as Whisper's JSON.

    Args:
        recording: The recording.
        model: What recognises it.
        language: The code of the language that is spoken; None: it is found out.
        again: Do it once more where there is a transcript that was made here.
        diarisation: Tells who speaks when, where it is wanted.
        tell: Is called after every piece.

    Raises:
        HasTranscriptError: it has a transcript.
        NobodySpeaksError: nobody speaks in it.
        RecordingError: it cannot be read, or nothing can be written beside it. What was finished stays, and the next
            run goes on from there.
    """
    path = place_for(recording, again=again)
    sound = open_sound(recording)
    settings: dict[str, Json] = {"model": model.name, "weights": model.weights, "language": language}
    with open_work_file(recording, settings) as work:
        heard = _SampleCounter()
        before = len(work.finished)
        started = perf_counter()
        begun_ms = _ms(int(work.finished[-1]["speech"][-1][1])) if work.finished else 0
        found, share = _recognise_all(sound, model, language, work, heard, tell)
        work_s = perf_counter() - started
        if not any(row["segments"] for row in work.finished):
            work.remove()
            remember_no_speech(recording)
            raise NobodySpeaksError(
                f"Nobody speaks in {recording}, as far as can be heard."
                if heard.samples
                else f"{recording} has a sound track, and there is nothing on it.",
                "It is not named again until it changes. To listen once more: --again",
            )
        segments = [segment for row in work.finished for segment in row["segments"]]
        notes = _notes(sound, heard, found, share)
        if diarisation is not None:
            segments = with_speakers(segments, turns_in(recording, diarisation))
        how: dict[str, Json] = {"model": model.name, "recording": recording.name, "language_share": round(share, 3)}
        try:
            write_result(path, whisper_json(segments, found, how))
        except OSError as error:
            raise not_written(recording, error) from error
        work.remove()
        forget_no_speech(recording)
    return Transcribed(
        recording,
        path,
        found,
        sum(len(segment["words"]) for segment in segments),
        _ms(heard.samples),
        _ms(heard.samples) - begun_ms if before else _ms(heard.samples),
        work_s,
        notes,
    )


@dataclass(slots=True)
class _SampleCounter:
    """How many samples of a recording were read."""

    samples: int = 0

    def counted(self, sound: Iterable[Floats]) -> Iterator[Floats]:
        for part in sound:
            self.samples += len(part)
            yield part


def _recognise_all(
    sound: AudioStream, model: LoadedModel, language: str | None, work: WorkFile, heard: _SampleCounter, tell: Tell
) -> tuple[str, float]:
    """Recognise the pieces that are not finished; return the language and the share of it that the model gives."""
    stream: Iterator[SpeechPiece] = pieces(heard.counted(samples(sound)), work.block)
    if work.finished:
        code, share = str(work.finished[-1]["language"]), float(work.finished[-1]["share"])
    else:
        beginning = list(islice(stream, LISTENED_PIECES))
        stream = chain(beginning, stream)
        if not beginning:
            return language or "", 1.0
        code, share = (language, 1.0) if language else find_language(beginning, model)
    started = perf_counter()
    first_ms: int | None = None
    for piece in stream:
        if work.holds(piece):
            continue
        if first_ms is None:
            first_ms = _ms(piece.speech[0][0])
            tell(TranscribeProgress(sound.path, first_ms, sound.duration_ms, 0.0))
        segments = recognise(piece, model, code)
        work.add({"block": piece.block, "speech": piece.speech, "language": code, "share": share, "segments": segments})
        done_ms = _ms(piece.speech[-1][1])
        passed_s = perf_counter() - started
        tell(TranscribeProgress(sound.path, done_ms, sound.duration_ms, (done_ms - first_ms) / 1000 / passed_s))
    return code, share


def _notes(sound: AudioStream, heard: _SampleCounter, language: str, share: float) -> tuple[str, ...]:
    notes = []
    heard_ms = _ms(heard.samples)
    if sound.duration_ms and sound.duration_ms - sound.starts_ms - heard_ms > _CUT_OFF_MS:
        notes.append(
            f"It says that it is {show_clock(sound.duration_ms)} long, and its sound ends at {show_clock(heard_ms)}:"
            " it may be cut off."
        )
    if share < _UNSURE:
        notes.append(
            f"The language was found as {language!r}, which is not sure ({share:.0%}). If it is another one: --again"
            " --language LANG"
        )
    return tuple(notes)


def _ms(sample: int) -> int:
    return sample * 1000 // RATE
