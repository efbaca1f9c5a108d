"""Who speaks when, where a diariser is installed: its turns laid over the words of a transcript.

Two diarisers are known (`diarisers`). Words take the speaker of the turn that they share most time with, and segments
are cut where the speaker changes; both have the speaker as `speaker`, as WhisperX writes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Protocol

from talksearch.indexer.errors import TalksearchError
from talksearch.indexer.records import Json

from .errors import RecordingError

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


def turns_in(recording: Path, diarisation: Diarisation) -> list[Turn]:
    """Return the turns in a recording, its speakers called Speaker 1, Speaker 2 … as they come to speak.

    Raises:
        RecordingError: it cannot be read, or what tells them apart fails.
    """
    try:
        turns = sorted(diarisation.turns(recording), key=lambda turn: turn.start_s)
    except TalksearchError:
        raise
    except Exception as error:  # whatever torch raises, and the libraries upon it
        raise RecordingError(
            f"Who speaks in {recording} cannot be told: {str(error) or type(error).__name__}.",
            "What was recognised is kept; without --speakers the same command goes on from there.",
        ) from error
    names: dict[str, str] = {}
    for turn in turns:
        names.setdefault(turn.speaker, f"Speaker {len(names) + 1}")
    return [Turn(turn.start_s, turn.end_s, names[turn.speaker]) for turn in turns]


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
