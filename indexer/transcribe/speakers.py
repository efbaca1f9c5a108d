"""Who speaks when, where a diariser is installed: its turns laid over the words of a transcript.

The diariser is pyannote.audio, by the name or folder of a pipeline (`Pipeline.from_pretrained`, and `itertracks` of
what a pipeline returns; read in the source of 4.0.7). Words take the speaker of the turn that they share most time
with, and segments are cut where the speaker changes; both have the speaker as `speaker`, as WhisperX writes it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from talksearch.indexer.errors import ModelError
from talksearch.indexer.records import Json

from .sound import RATE, open_sound, samples

_FARTHEST_S = 1.0
"""A word that no turn holds takes the nearest one's speaker within so many seconds."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A stretch in which one speaker is heard; turns may overlap."""

    start_s: float
    end_s: float
    speaker: str


class Diarisation(Protocol):
    """What tells who speaks when."""

    def turns(self, recording: Path) -> Sequence[Turn]:
        """Return the turns in a recording, in order of time."""


@dataclass(frozen=True, slots=True)
class Pyannote:
    """A pipeline of pyannote.audio."""

    pipeline: Any

    def turns(self, recording: Path) -> Sequence[Turn]:
        """Return the turns in a recording. All of its sound is held in memory, as the pipeline asks for it."""
        import torch

        sound = np.concatenate([np.zeros(0, np.float32), *samples(open_sound(recording))])
        found = self.pipeline({"waveform": torch.from_numpy(sound)[None], "sample_rate": RATE})
        # From 4.0 on a pipeline returns annotations by name: one without overlaps is there for transcripts. Before that
        # it returns the annotation itself.
        annotation = getattr(found, "exclusive_speaker_diarization", getattr(found, "speaker_diarization", found))
        return [Turn(segment.start, segment.end, str(label)) for segment, _, label in _tracks(annotation)]


def load_diariser(name: str) -> Pyannote:
    """Load a pipeline of pyannote.audio by its name or folder.

    Raises:
        ModelError: pyannote.audio is not installed, or the pipeline cannot be loaded.
    """
    # From 4.0 on pyannote.audio sends what is done with it to its makers, unless this is set before it is imported.
    os.environ["PYANNOTE_METRICS_ENABLED"] = "false"
    try:
        from pyannote.audio import Pipeline
    except ImportError as error:
        raise ModelError(
            "Speakers are told apart by pyannote.audio, which is not installed.",
            "Install it: pip install pyannote.audio",
        ) from error
    try:
        pipeline = Pipeline.from_pretrained(name)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise ModelError(f"The diariser {name} cannot be loaded: {error}.", "Give the folder of a pipeline.") from error
    if pipeline is None:  # what it returns where a licence was not agreed to
        raise ModelError(
            f"The diariser {name} cannot be loaded.", "Agree to its licence where it is kept, or give a folder."
        )
    return Pyannote(pipeline)


def with_speakers(segments: Sequence[dict[str, Json]], turns: Sequence[Turn]) -> list[dict[str, Json]]:
    """Return segments with who says them, cut where the speaker changes. Times are in seconds.

    >>> words = [{"word": " Yes.", "start": 0.0, "end": 0.4}, {"word": " No.", "start": 1.0, "end": 1.3}]
    >>> segment = {"start": 0.0, "end": 1.3, "text": " Yes. No.", "words": words}
    >>> [(one["text"], one["speaker"]) for one in with_speakers([segment], [Turn(0, 0.9, "A"), Turn(0.9, 2, "B")])]
    [(' Yes.', 'A'), (' No.', 'B')]
    """
    return [part for segment in segments for part in _parts(segment, turns)]


def _parts(segment: dict[str, Json], turns: Sequence[Turn]) -> list[dict[str, Json]]:
    words = segment["words"]
    if not words:
        speaker = _speaker(segment["start"], segment["end"], turns)
        return [{**segment, "speaker": speaker} if speaker else segment]
    told = [(word, _speaker(word["start"], word["end"], turns)) for word in words]
    parts = []
    for speaker, group in groupby(told, key=lambda pair: pair[1]):
        said = [{**word, "speaker": speaker} if speaker else word for word, _ in group]
        part = {
            **segment,
            "start": said[0]["start"],
            "end": said[-1]["end"],
            "text": "".join(word["word"] for word in said),
            "words": said,
        }
        parts.append({**part, "speaker": speaker} if speaker else part)
    # A segment that nobody shares keeps its own text and times.
    return (
        [{**segment, **{key: parts[0][key] for key in ("words", "speaker") if key in parts[0]}}]
        if len(parts) == 1
        else parts
    )


def _speaker(start: float, end: float, turns: Sequence[Turn]) -> str | None:
    """Return whose turns share most time with a stretch, None where none is near."""
    shared: dict[str, float] = {}
    for turn in turns:
        overlap = min(end, turn.end_s) - max(start, turn.start_s)
        if overlap > 0:
            shared[turn.speaker] = shared.get(turn.speaker, 0.0) + overlap
    if shared:
        return max(shared, key=lambda speaker: shared[speaker])
    near = [(max(turn.start_s - end, start - turn.end_s), turn.speaker) for turn in turns]
    distance, speaker = min(near, default=(_FARTHEST_S + 1, ""))
    return speaker if distance <= _FARTHEST_S else None


def _tracks(annotation: Any) -> Any:
    return annotation.itertracks(yield_label=True)
