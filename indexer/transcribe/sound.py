"""The sound of a recording as recognition takes it, read little by little: a recording of five hours fits into memory.

faster-whisper's own `decode_audio` holds all of it at once (1.2 GB for five hours), and closes the gaps that recordings
of calls and streams have, so that everything behind them has a time too early. Both are why this is read here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from talksearch.indexer.arrays import Floats

from .errors import RecordingError

RATE = 16_000
"""Samples a second, as Whisper was trained."""

_SHORTEST_GAP_S = 0.2
"""What is missing between two frames is filled with silence from so many seconds on; less is rounding."""
_SLACK_S = 2.0
"""A recording's end, as its head tells it, and that of its sound may be so far apart."""


@dataclass(frozen=True, slots=True)
class AudioStream:
    """What a recording's head says of its sound."""

    path: Path
    duration_ms: int | None
    """How long it says it is; None where it does not say."""
    starts_ms: int = 0
    """The time that its first frame has. Players take it for 0; some programs count it into the length."""


def open_sound(path: Path) -> AudioStream:
    """Look at the head of a recording.

    Raises:
        RecordingError: it cannot be read, is no recording, or has no sound.
    """
    import av

    try:
        with path.open("rb") as file:  # first: av's own errors do not tell a closed file from a broken one
            if not file.read(1):
                raise RecordingError(f"{path} is empty.", "Fetch it once more.")
        with av.open(str(path), metadata_errors="ignore") as container:
            if not container.streams.audio:
                raise RecordingError(f"{path} has no sound.", "There is nothing to transcribe; leave it out.")
            length, starts = container.duration, container.start_time or 0
    except OSError as error:
        raise RecordingError(f"{path} cannot be read: {error.strerror or error}.", "Get leave to read it.") from error
    except av.FFmpegError as error:
        raise RecordingError(
            f"{path} is no recording, or is cut off: {error.strerror or error}.", "Fetch it once more, or leave it out."
        ) from error
    return AudioStream(path, length // 1000 if length and length > 0 else None, max(starts, 0) // 1000)


def samples(sound: AudioStream) -> Iterator[Floats]:
    """Yield a recording's sound from its beginning, in small pieces (samples,), between -1 and 1.

    Sample n is what a player plays n / RATE seconds after the beginning. Where frames are missing there is silence.

    Raises RecordingError where it cannot be read any more.
    """
    import av

    try:
        with av.open(str(sound.path), metadata_errors="ignore") as container:
            yield from _frames(container, sound)
    except OSError as error:
        raise RecordingError(f"{sound.path} cannot be read: {error.strerror or error}.") from error
    except av.FFmpegError as error:
        raise RecordingError(f"{sound.path} cannot be read to its end: {error.strerror or error}.") from error


def _frames(container: object, sound: AudioStream) -> Iterator[Floats]:
    import av
    from av.audio.stream import AudioStream
    from av.container import InputContainer

    assert isinstance(container, InputContainer)
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    begins_s = (container.start_time or 0) / av.time_base
    longest_s = (sound.duration_ms or 0) / 1000 + _SLACK_S
    given_s = 0.0
    stream = container.streams.best("audio")  # the one that a player plays
    assert isinstance(stream, AudioStream)
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.InvalidDataError:  # a damaged stretch; what follows may be sound, and the gap is filled
            continue
        for frame in frames:
            if frame.time is not None:
                missing_s = frame.time - begins_s - given_s
                if missing_s > _SHORTEST_GAP_S and given_s + missing_s <= longest_s:
                    yield from _silence(round(missing_s * RATE))
                    given_s += missing_s
            given_s += frame.samples / frame.sample_rate
            frame.pts = None  # the resampler refuses times that jump
            for resampled in resampler.resample(frame):
                yield _floats(resampled.to_ndarray())
    if given_s:
        for resampled in resampler.resample(None):
            yield _floats(resampled.to_ndarray())


def _silence(count: int) -> Iterator[Floats]:
    for start in range(0, count, RATE):
        yield np.zeros(min(RATE, count - start), np.float32)


def _floats(values: object) -> Floats:
    return np.asarray(values, np.float32).reshape(-1) / np.float32(32768)
