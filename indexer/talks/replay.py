"""Making the cues of a talk again from its file, by the steps of its receipt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.mojibake import replay as apply_edits
from talksearch.indexer.readers.registry import read_with
from talksearch.indexer.records import Chapter, Cue, Receipt, Step, Transcript
from talksearch.indexer.restore import clean
from talksearch.indexer.restore.estimate_times import estimate_times

from .receipt import _HINT, _by_reader, decode_with, edits_of, repair_cues, tidy_lines


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
    steps = [step for step in receipt.steps if step.field in ("file", "cues", "speakers")]
    if [step.name for step in steps[:2]] != ["decode", "read"]:
        raise UnreadableError("The receipt does not say how the file was decoded and read.", _HINT)
    decoding, reading, *steps = steps
    unfolding = any(step.name == "unfold-rolling" and _by_reader(step) for step in steps)
    found = read_with(reading.detail["reader"], decode_with(data, decoding.detail), name, unfolding=unfolding)
    work = clean.Stage(found.cues, found.timed)
    for step in steps:
        if _by_reader(step):
            continue
        if step.name in _AFTER_CLEANING:
            cues = _AFTER_CLEANING[step.name](clean.finished(work), step, found)
            work = clean.Stage(cues, found.timed, clean.CUES)
        elif step.name in clean.CLEANING_STEPS:
            work = clean.replay_step(work, step)
        else:
            raise UnreadableError(f"The receipt names a step that nobody knows: {step.name}.", _HINT)
    return clean.finished(work)


def replay_text(text: str, field: str, receipt: Receipt) -> str:
    """Do again what was done to a text about the talk: its `title`, `description`, `channel` or `speaker`.

    `text` is the field as the file or its sidecar has it. Chapters are several texts: their edits say which one each
    belongs to and are not done again here.
    """
    for step in receipt.steps:
        if step.field == field and step.name == "repair-text":
            text = apply_edits(text, edits_of(step.detail))
    return tidy_lines(text) if field == "description" else " ".join(tidy_lines(text).split())


def _estimate_again(cues: Sequence[Cue], step: Step, found: Transcript) -> tuple[Cue, ...]:
    given = step.detail["given"]
    chapters = [Chapter(*chapter) for chapter in given["chapters"]]
    return estimate_times(cues, given["duration_ms"], chapters, starts_with_sound=found.starts_with_sound)[0]


_AFTER_CLEANING: dict[str, Callable[[Sequence[Cue], Step, Transcript], tuple[Cue, ...]]] = {
    "repair-text": lambda cues, step, _: repair_cues(cues, step),
    "estimate-times": _estimate_again,
    "align-times": lambda cues, _, __: tuple(replace(cue, pause_after=False) for cue in cues),
}
