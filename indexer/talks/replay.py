"""Making the cues of a talk again from its file, by the steps of its receipt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.readers.bounds import bounded
from talksearch.indexer.readers.registry import read_with
from talksearch.indexer.readers.source_text import SourceText
from talksearch.indexer.records import Chapter, Cue, Receipt, Step, Transcript
from talksearch.indexer.restore import clean
from talksearch.indexer.restore.estimate_times import estimate_times
from talksearch.indexer.restore.true_times import drop_times, scale_cues, shift_cues

from .receipt import HINT, decode_with, is_by_reader, repair_cues


def replay(data: bytes, name: str, receipt: Receipt) -> tuple[Cue, ...]:
    """Make the cues of a talk again from its file, by the steps of its receipt and nothing else.

    Args:
        data: the bytes of the file that the talk's text was read from.
        name: its name, without folders.
        receipt: as `load_talk` made it, or with steps taken out.

    Returns:
        The cues that were indexed, with the same texts, speakers and turns. Times are the same too where they were read
        from this file or estimated. Times that another file gave (`align-times`) stay at 0: that file is not here.

    Raises:
        UnreadableError: the receipt does not begin with `decode` and `read`, names a step that nobody knows, or was
            made for another file.
    """
    return replay_decoded(decode_with(data, _steps_of(receipt)[0].detail), name, receipt)


def replay_decoded(text: str, name: str, receipt: Receipt) -> tuple[Cue, ...]:
    """Make the cues of a talk again, as `replay` does, from the text of its file, decoded as its receipt says."""
    _, reading, *steps = _steps_of(receipt)
    unfold = any(step.name == "unfold-rolling" and is_by_reader(step) for step in steps)
    transcript = read_with(reading.detail["reader"], SourceText(bounded(text).text, name, unfold))
    work = clean.Stage(transcript.cues, transcript.timed)
    for step in steps:
        if is_by_reader(step):
            continue
        if step.name in _AFTER_CLEANING:
            cues = _AFTER_CLEANING[step.name](clean.finished(work), step, transcript)
            work = clean.Stage(cues, transcript.timed, clean.CUES)
        elif step.name in clean.CLEANING_STEPS:
            work = clean.replay_step(work, step)
        else:
            raise UnreadableError(f"The receipt names a step that nobody knows: {step.name}.", HINT)
    return clean.finished(work)


def _steps_of(receipt: Receipt) -> list[Step]:
    """Return the steps that make cues of a file; the others are about its title and the like.

    Raises UnreadableError where the first two are not those that decode and read it.
    """
    steps = [step for step in receipt.steps if step.field in ("file", "cues", "speakers")]
    if [step.name for step in steps[:2]] != ["decode", "read"]:
        raise UnreadableError("The receipt does not say how the file was decoded and read.", HINT)
    return steps


def _estimate_again(cues: Sequence[Cue], step: Step, transcript: Transcript) -> tuple[Cue, ...]:
    given = step.detail["given"]
    chapters = [Chapter(*chapter) for chapter in given["chapters"]]
    return estimate_times(cues, given["duration_ms"], chapters, starts_with_sound=transcript.starts_with_sound)[0]


_AFTER_CLEANING: dict[str, Callable[[Sequence[Cue], Step, Transcript], tuple[Cue, ...]]] = {
    "repair-text": lambda cues, step, _: repair_cues(cues, step),
    "estimate-times": _estimate_again,
    "shift-times": lambda cues, step, _: shift_cues(cues, step.detail["offset_ms"]),
    "scale-times": lambda cues, step, _: scale_cues(cues, step),
    "drop-times": lambda cues, _, __: drop_times(cues),
    "align-times": lambda cues, _, __: tuple(replace(cue, pause_after=False) for cue in cues),
}
"""The steps that follow those of `clean`: what each does to the cues."""
