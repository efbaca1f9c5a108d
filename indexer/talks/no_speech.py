"""Recordings in which nobody speaks: remembered once it was found out, so that they are not named again and again.

What is remembered lies beside the recording, in a hidden file that the walk over an archive passes over, so that it
goes where the recording goes. It holds the recording's size and last change; of one that has changed nothing is known.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from talksearch.indexer.layout import replace_file

from .recordings import hidden_beside, state_of


def has_no_speech(recording: Path) -> bool:
    """Say whether it was found out that nobody speaks in a recording as it is now."""
    try:
        return bool(json.loads(_place(recording).read_bytes()) == state_of(recording))
    except (OSError, ValueError):
        return False


def remember_no_speech(recording: Path) -> None:
    """Remember that nobody speaks in a recording, where its folder can be written."""
    with suppress(OSError), replace_file(_place(recording)) as fresh:
        fresh.write_text(json.dumps(state_of(recording)), encoding="utf-8")


def forget_no_speech(recording: Path) -> None:
    """Forget it, as somebody was heard after all."""
    with suppress(OSError):
        _place(recording).unlink(missing_ok=True)


def _place(recording: Path) -> Path:
    return hidden_beside(recording, "no-speech")
