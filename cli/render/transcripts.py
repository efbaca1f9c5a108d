"""What `transcribe` did, and which recordings lack a transcript, as they are printed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from talksearch.indexer.text.clock import show_clock
from talksearch.indexer.text.language_names import language_name
from talksearch.indexer.text.untrusted import safe
from talksearch.indexer.transcribe.models import called

from .common import counted, shell_word

if TYPE_CHECKING:
    from talksearch.indexer.talks.untranscribed import Untranscribed
    from talksearch.indexer.transcribe.pace import TranscriptionSpeed
    from talksearch.indexer.transcribe.run import Transcribed

_MOST_NAMED = 10
"""Recordings that are named where many lack a transcript."""


def transcribed_text(done: Transcribed) -> str:
    """Return what was made of a recording, a line, and one for each note."""
    pace = f", {done.recognised_ms / 1000 / done.work_s:.1f} times as fast as it is spoken" if done.work_s >= 1 else ""
    lines = [
        f"{safe(str(done.transcript))}: {counted('word', done.words)}, {safe(language_name(done.language))};"
        f" {show_clock(done.recording_ms)} in {duration_text(done.work_s)}{pace}."
    ]
    return "\n".join([*lines, *(f"  {safe(note)}" for note in done.notes)]) + "\n"


def to_do_text(recordings: Sequence[Untranscribed], pace: TranscriptionSpeed) -> str:
    """Return how much there is to transcribe, and how long that takes, a sentence."""
    length = sum(recording.duration_ms or 0 for recording in recordings)
    what = counted("recording", len(recordings))
    return f"{what} to transcribe{_length(recordings, length)}{_estimate(length, pace)}."


def untranscribed_text(recordings: Sequence[Untranscribed], roots: Sequence[Path], pace: TranscriptionSpeed) -> str:
    """Return which recordings have no transcript, and the command that makes them; empty where all have one.

    Args:
        recordings: Those that lack one.
        roots: The PATHs that they lie under.
        pace: How quickly the model works that the command names.
    """
    if not recordings:
        return ""
    length = sum(recording.duration_ms or 0 for recording in recordings)
    have, it = ("has", "it") if len(recordings) == 1 else ("have", "them")
    lines = [
        "",
        f"{counted('recording', len(recordings))} {have} no transcript{_length(recordings, length)}, so nothing that is"
        f" said in {it} is found:",
        *(f"  {safe(str(recording.path))}" for recording in recordings[:_MOST_NAMED]),
    ]
    if len(recordings) > _MOST_NAMED:
        lines.append(f"  and {len(recordings) - _MOST_NAMED:,} more")
    holding = [root for root in roots if any(root in (one.path, *one.path.parents) for one in recordings)]
    paths = [recordings[0].path] if len(recordings) == 1 else holding
    named = " ".join(shell_word(str(path)) for path in paths)
    lines.append(f"To transcribe {it}{_estimate(length, pace)}:")
    lines.append(f"  talksearch transcribe --model {shell_word(pace.model)} {named}")
    return "\n".join(lines) + "\n"


def duration_text(seconds: float) -> str:
    """Return how long something takes, as a person says it.

    >>> duration_text(4.21), duration_text(63), duration_text(3 * 3600 + 125), duration_text(60 * 3600)
    ('4.2 s', '1 min 3 s', '3 h 2 min', '2 days 12 h')
    """
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} {'day' if days == 1 else 'days'} {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _length(recordings: Sequence[Untranscribed], length: int) -> str:
    unknown = sum(recording.duration_ms is None for recording in recordings)
    parts = [duration_text(length / 1000)] if length else []
    if unknown:
        parts.append(f"{unknown:,} of a length that is not known" if len(recordings) > 1 else "its length is not known")
    return f" ({', '.join(parts)})" if parts else ""


def _estimate(length: int, pace: TranscriptionSpeed) -> str:
    """Say how long it takes, and from what that is known, as the end of a sentence."""
    if not length:
        return ""
    takes = duration_text(length / 1000 / pace.times_real)
    why = (
        "by its last run on this machine" if pace.measured else "as long as playing takes: no run was measured here yet"
    )
    return f", in about {takes} with {called(pace.model)} ({why})"
