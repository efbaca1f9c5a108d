"""Raw cues to restored cues, step by step: markup, rolling captions, turns, sound labels, names, and the last touch."""

from __future__ import annotations

from collections import Counter

from .markup import show
from .records import Cue, Step, Transcript
from .rolling import collapse
from .sounds import without_sounds
from .speakers import take_names
from .tidy import in_order, tidy
from .turns import mark_turns, parts_of


def clean(transcript: Transcript, *, final: bool = True) -> tuple[tuple[Cue, ...], tuple[Step, ...]]:
    """Restore the cues of a transcript.

    Args:
        transcript: as a reader returns it.
        final: with False, characters that may be halves of misread letters stay for the text repair; whoever repairs
            calls `tidy` afterwards.

    Returns:
        Cues as `Cue` documents them, none empty, `start_ms` never decreasing, and the steps taken with their counts.
        Times of untimed transcripts are left as they are.
    """
    counts: Counter[str] = Counter()
    shown = [show(cue, counts) for cue in transcript.cues]
    steps: list[Step] = []
    if transcript.timed:
        shown, rolled = collapse(shown)
        steps += rolled
    # In automatic captions a dash is a minus sign; turns are marked with `>>` there.
    dashes = transcript.origin != "automatic"
    parts = [part for cue in shown for part in parts_of(cue, transcript.timed, dashes)]
    parts = mark_turns(parts, counts)
    cues = [cue for cue in (without_sounds(part, counts) for part in parts) if cue is not None]
    cues = take_names(cues, transcript, counts)
    out = tidy(cues) if final else tuple(cues)
    if transcript.timed:
        out = in_order(out)
    for name, keys in _STEP_COUNTS.items():
        detail = {key: counts[key] for key in keys if counts[key]}
        if detail:
            steps.append(Step(name, "cues", detail))
    return out, tuple(steps)


_STEP_COUNTS = {
    "strip-markup": ("tags", "comments", "entities"),
    "mark-turns": ("turns",),
    "drop-sounds": ("sounds", "notes", "cues_of_sound_only"),
    "take-names": ("names", "cues_with_name"),
    "drop-invisible": ("invisible",),
}
