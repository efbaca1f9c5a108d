"""The transcript of a recording as a file: its name, what stands in it, and whose it is."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.records import Json
from talksearch.indexer.talks.recordings import recordings_of
from talksearch.indexer.talks.track_names import without_ending
from talksearch.indexer.talks.unspoken import refuse_by_name
from talksearch.indexer.talks.walk import may_be_transcript

from .errors import RecordingError

_MADE_BY = "talksearch_transcribe"
"""Under this key a transcript says that it was made here, and how. Readers of Whisper's JSON pass over it."""
_LONGEST_NAME = 255
"""Bytes; most file systems allow no more."""
_LARGEST_OF_OURS = 200_000_000
"""Bytes of a file that is looked into to see whose it is."""


def result_path(recording: Path) -> Path:
    """Return where the transcript of a recording goes: `Tides.json` for `Tides.mp4`, as Whisper's own programs have it.

    Where that name is taken by what is no transcript, or would be passed over (`Tides.info.json` is yt-dlp's), or is
    not that of the recording, it is `Tides.transcript.json`.

    Raises:
        RecordingError: no name is free, or the recording's own is no text or as long as a name can be.
    """
    try:
        recording.name.encode()
    except UnicodeEncodeError:
        raise RecordingError(f"The name of {recording} is not valid UTF-8.", "Rename it.") from None
    stem = without_ending(recording.name)
    for name in (f"{stem}.json", f"{stem}.transcript.json", f"{recording.name}.transcript.json"):
        if len(name.encode()) > _LONGEST_NAME:
            continue
        path = recording.with_name(name)
        if _is_read_as_its_transcript(path, recording) and (not os.path.lexists(path) or is_ours(path)):
            return path
    raise RecordingError(
        f"No name is free for the transcript of {recording}.",
        "Give the recording another name, or a shorter one.",
    )


def is_ours(path: Path) -> bool:
    """Say whether a file is a transcript that was made here."""
    return _about(path) is not None


def whisper_json(segments: Sequence[dict[str, Json]], language: str, how: dict[str, Json]) -> dict[str, Json]:
    """Return a transcript as Whisper's JSON (openai/whisper, `whisper/transcribe.py`), and how it was made.

    Args:
        segments: Those of all pieces, in order; they are numbered anew.
        language: The code of the language that is spoken.
        how: The model, the recording's name and the like.
    """
    numbered = [{**segment, "id": number} for number, segment in enumerate(segments)]
    text = "".join(str(segment["text"]) for segment in segments)
    return {"text": text, "segments": numbered, "language": language, _MADE_BY: how}


def write_result(path: Path, transcript: dict[str, Json]) -> None:
    """Put a transcript in its place, whole or not at all. Raises OSError where it cannot be written.

    Its name is only looked at again, right before; nobody's file is written over.
    """
    fresh = path.with_name(f".talksearch-{os.getpid()}.json")
    try:
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(transcript, file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        if os.path.lexists(path) and not is_ours(path):
            raise RecordingError(f"{path} appeared meanwhile, and is not written over.", "Move it away.")
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _is_read_as_its_transcript(path: Path, recording: Path) -> bool:
    """Say whether `index` would read a file of this name, and know that it is of this recording."""
    with suppress(UnreadableError):
        refuse_by_name(path)
        return may_be_transcript(path) and recording in recordings_of(path)
    return False


def _about(path: Path) -> dict[str, Any] | None:
    with suppress(OSError, ValueError, RecursionError):
        if path.stat().st_size <= _LARGEST_OF_OURS:
            data = json.loads(path.read_bytes())
            if isinstance(data, dict) and isinstance(data.get(_MADE_BY), dict):
                return dict(data[_MADE_BY])
    return None
