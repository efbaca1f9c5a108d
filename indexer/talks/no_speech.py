"""Recordings in which nobody speaks: remembered once it was found out, so that they are not named again and again.

What is remembered lies beside the recording, in a hidden file that the walk over an archive passes over, so that it
goes where the recording goes. It holds the recording's size and last change; of one that has changed nothing is known.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path

from talksearch.indexer.layout import replace_file


def has_no_speech(recording: Path) -> bool:
    """Say whether it was found out that nobody speaks in a recording as it is now."""
    try:
        return bool(json.loads(_place(recording).read_bytes()) == _state(recording))
    except (OSError, ValueError):
        return False


def remember_no_speech(recording: Path) -> None:
    """Remember that nobody speaks in a recording, where its folder can be written."""
    with suppress(OSError), replace_file(_place(recording)) as fresh:
        fresh.write_text(json.dumps(_state(recording)), encoding="utf-8")


def forget_no_speech(recording: Path) -> None:
    """Forget it, as somebody was heard after all."""
    with suppress(OSError):
        _place(recording).unlink(missing_ok=True)


def _place(recording: Path) -> Path:
    digest = hashlib.sha256(os.fsencode(recording.name)).hexdigest()[:16]  # a name may be as long as a disk allows
    return recording.with_name(f".talksearch-{digest}.no-speech")


def _state(recording: Path) -> dict[str, int]:
    about = recording.stat()
    return {"size": about.st_size, "mtime_ns": about.st_mtime_ns}
