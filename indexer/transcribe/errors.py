"""What keeps a recording from being transcribed. Each is a line in the report, and the other recordings go on."""

from __future__ import annotations

from talksearch.indexer.errors import TalksearchError

NEEDS_EXTRA = (
    "talksearch transcribe needs faster-whisper.",
    'Install it: pip install "talksearch[transcribe]"',
)
"""What is said where the extra is missing, and what to do."""


class RecordingError(TalksearchError):
    """A recording cannot be transcribed: it has no sound, cannot be read, or its transcript cannot be written."""
