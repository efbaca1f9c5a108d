"""What a file's name and the folders around it say of its talk, taken together when the file is opened.

With it, reading a talk from its file looks at no disk any more, and so may happen in a process that does not see the
archive.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .info_json import SidecarMetadata
from .playlist import is_playlist, missing_segments
from .recordings import find_recording
from .sidecar import read_sidecar
from .track_names import TrackName, track_name


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What lies around a transcript."""

    track: TrackName
    """The parts of its name; the other files of its folder show what is a tag."""
    sidecar: SidecarMetadata | None = None
    """What describes its talk; None where nothing does."""
    recording: Path | None = None
    """The recording of its talk."""
    lacking: str | None = None
    """How many of the segments that a playlist names are not there, a sentence; None where all are, or for another
    file."""


def surroundings_of(path: Path) -> Surroundings:
    """Look at what lies around a transcript. Raises OSError where a playlist cannot be read."""
    lacking = missing_segments(path) if is_playlist(path) else None
    return Surroundings(track_name(path), read_sidecar(path), find_recording(path), lacking)
