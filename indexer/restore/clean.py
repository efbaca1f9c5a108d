"""Raw cues to restored cues, step by step: markup, rolling captions, turns, sound labels, names, times in order.

Each step is a function of a table. `clean` tries them all in order and notes those that did something; `replay_step`
does the noted ones, and only those, once more (`talks.replay`). A step that is not noted is left out in both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from talksearch.indexer.records import Cue, Json, Step, Transcript
from talksearch.indexer.text.counting import count_words

from .boilerplate import drop_boilerplate, find_boilerplate
from .highlights import follow_highlights
from .joined_rows import join_all_rows
from .markup import Shown, has_debris, may_be_marked_up, show, show_plain, without_invisible
from .name_rows import find_name_rows, take_name_rows
from .normalize import monotonic_times, normalize
from .revisions import merge_revisions
from .rolling import collapse
from .sound_labels import cue_of, without_sounds
from .speaker_names import find_names, take_names
from .turns import Part, mark_turns, parts_of

Detail = dict[str, Json]

# The shapes that cues take on their way, in this order; a step takes one and gives the same or a later one.
RAW, SHOWN, PARTS, CUES = range(4)


@dataclass(frozen=True, slots=True)
class Stage:
    """Cues on their way: raw `Cue`s, `Shown`, `Part`s, restored `Cue`s."""

    items: Sequence[Any]
    timed: bool
    shape: int = RAW


@dataclass(frozen=True, slots=True)
class CleaningStep:
    """A step: the shape it takes and gives, what does it, and what finds out beforehand what it has to know.

    `run` returns what became of the cues, and the counts of what it did: none where it changed nothing, or did no more
    than `_LOWER` does to bring them into the shape it gives. `find` is asked once, when a talk is read; what it found
    stands in the receipt and is given to `run` again.
    """

    takes: int
    gives: int
    run: Callable[[Sequence[Any], Detail, bool], tuple[Sequence[Any], Detail]]
    find: Callable[[Sequence[Any], Transcript], Detail] = lambda _, __: {}
    timed_only: bool = False


def clean(transcript: Transcript, *, final: bool = True) -> tuple[tuple[Cue, ...], tuple[Step, ...]]:
    """Restore the cues of a transcript.

    Args:
        transcript: as a reader returns it.
        final: with False, characters that may be halves of misread letters stay for the text repair; whoever repairs
            calls `normalize` afterwards.

    Returns:
        Cues as `Cue` documents them, none empty, `start_ms` never decreasing, and the steps taken with their counts.
        Times of untimed transcripts are left as they are.
    """
    work = Stage(transcript.cues, transcript.timed)
    steps: list[Step] = []
    for name, tool in CLEANING_STEPS.items():
        if (tool.timed_only and not work.timed) or (name == "tidy" and not final):
            continue
        work, detail = _done(_lowered(work, tool.takes), tool, transcript)
        steps += [Step(name, "cues", detail)] if detail else []
    return finished(work), tuple(steps)


def _done(work: Stage, tool: CleaningStep, transcript: Transcript) -> tuple[Stage, Detail]:
    """Do a step; what it did is empty where it changed nothing but the shape of the cues."""
    known = tool.find(work.items, transcript)
    items, counts = tool.run(work.items, known, work.timed)
    if not counts and tool.gives == tool.takes:
        return work, {}
    after = Stage(items, work.timed, tool.gives)
    return after, _balanced(counts | known, work, after) if counts else {}


def _balanced(detail: Detail, before: Stage, after: Stage) -> Detail:
    """Complete the detail of a step with the words that it took out, so that every word has a step that tells of it.

    Words are those of `text.counting`. Of those that are gone some are folded
    (`words_folded`: they stand elsewhere in the text) or were said better later (`words_corrected`), as the step itself
    counts; the others are `words_left_out`. What markup hides is counted where it is taken out.
    """
    if before.shape == RAW or "words_left_out" in detail:
        return detail
    gone = _word_count(before) - _word_count(after)
    left_out = gone - detail.get("words_folded", 0) - detail.get("words_corrected", 0)
    return detail | {"words_left_out": left_out} if left_out else detail


def _word_count(work: Stage) -> int:
    if work.shape == SHOWN:
        texts = [token for cue in work.items for row in cue.rows for token in row.key]
    elif work.shape == PARTS:
        texts = [token for part in work.items for token, _ in part.tokens]
    else:
        texts = [cue.text for cue in work.items]
    return count_words(" ".join(texts))


def replay_step(work: Stage, step: Step) -> Stage:
    """Do one step of `clean` again, with what it found the first time. Raises KeyError where there is no such step."""
    tool = CLEANING_STEPS[step.name]
    work = _lowered(work, tool.takes)
    items, _ = tool.run(work.items, step.detail, work.timed)
    return Stage(items, work.timed, tool.gives)


def finished(work: Stage) -> tuple[Cue, ...]:
    """Return the cues, whatever shape they were left in."""
    return tuple(_lowered(work, CUES).items)


def _lowered(work: Stage, shape: int) -> Stage:
    """Bring cues into a later shape, and do nothing else to them."""
    while work.shape < shape:
        work = Stage(_LOWER[work.shape](work), work.timed, work.shape + 1)
    return work


_LOWER: dict[int, Callable[[Stage], Sequence[Any]]] = {
    RAW: lambda work: [show_plain(cue) for cue in work.items],
    SHOWN: lambda work: [part for cue in work.items for part in parts_of(cue, work.timed, dashed=False)],
    PARTS: lambda work: [cue for part in work.items if (cue := cue_of(part))],
}


def _follow_highlights(cues: Sequence[Cue], _: Detail, __: bool) -> tuple[Sequence[Cue], Detail]:
    return follow_highlights(cues)


def _strip_markup(cues: Sequence[Cue], _: Detail, __: bool) -> tuple[list[Shown], Detail]:
    if any(may_be_marked_up(cue) for cue in cues):
        counts: Counter[str] = Counter()
        shown = [show(cue, counts) for cue in cues]
        if +counts:
            return shown, dict(+counts)
    return [show_plain(cue) for cue in cues], {}


def _drop_invisible(shown: Sequence[Shown], _: Detail, __: bool) -> tuple[Sequence[Shown], Detail]:
    counts: Counter[str] = Counter()
    if not has_debris(" ".join([token for cue in shown for token in cue.text_key])):  # as in most files
        return shown, {}
    return [without_invisible(cue, counts) for cue in shown], dict(+counts)


def _drop_boilerplate(shown: Sequence[Shown], known: Detail, _: bool) -> tuple[Sequence[Shown], Detail]:
    counts: Counter[str] = Counter()
    if not known:
        return shown, {}
    return drop_boilerplate(shown, known["lines_left_out"], counts), dict(+counts)


def _take_name_rows(shown: Sequence[Shown], names: Detail, _: bool) -> tuple[Sequence[Shown], Detail]:
    counts: Counter[str] = Counter()
    if not names:
        return shown, {}
    return take_name_rows(shown, names, counts), dict(+counts)


def _merge_revisions(shown: Sequence[Shown], _: Detail, __: bool) -> tuple[Sequence[Shown], Detail]:
    return merge_revisions(shown)


def _collapse(shown: Sequence[Shown], _: Detail, __: bool) -> tuple[list[Shown], Detail]:
    return collapse(shown)


def _join_rows(shown: Sequence[Shown], _: Detail, __: bool) -> tuple[Sequence[Shown], Detail]:
    joined, counts = join_all_rows(shown)
    return joined, dict(counts)


def _mark_turns(shown: Sequence[Shown], known: Detail, timed: bool) -> tuple[list[Part], Detail]:
    counts: Counter[str] = Counter()
    parts = mark_turns([part for cue in shown for part in parts_of(cue, timed, known["dashes"])], counts)
    return parts, dict(+counts)


def _drop_sounds(parts: Sequence[Part], _: Detail, __: bool) -> tuple[list[Cue], Detail]:
    counts: Counter[str] = Counter()
    cues = [cue for cue in (without_sounds(part, counts) for part in parts) if cue is not None]
    return cues, dict(+counts)


def _take_names(cues: Sequence[Cue], names: Detail, timed: bool) -> tuple[list[Cue], Detail]:
    counts: Counter[str] = Counter()
    return take_names(cues, names, timed, counts), dict(+counts)


def _tidy(cues: Sequence[Cue], _: Detail, __: bool) -> tuple[Sequence[Cue], Detail]:
    return _counted(cues, normalize(cues))


def _in_order(cues: Sequence[Cue], _: Detail, __: bool) -> tuple[Sequence[Cue], Detail]:
    return _counted(cues, monotonic_times(cues))


def _counted(before: Sequence[Cue], after: Sequence[Cue]) -> tuple[Sequence[Cue], Detail]:
    kept = {id(cue) for cue in before}
    changed = len(before) - sum(id(cue) in kept for cue in after)
    return after, {"cues": changed} if changed else {}


CLEANING_STEPS: dict[str, CleaningStep] = {
    "follow-highlights": CleaningStep(RAW, RAW, _follow_highlights, timed_only=True),
    "strip-markup": CleaningStep(RAW, SHOWN, _strip_markup),
    "drop-invisible": CleaningStep(SHOWN, SHOWN, _drop_invisible),
    "drop-boilerplate": CleaningStep(SHOWN, SHOWN, _drop_boilerplate, find_boilerplate),
    "take-name-rows": CleaningStep(SHOWN, SHOWN, _take_name_rows, find_name_rows),
    "merge-revisions": CleaningStep(SHOWN, SHOWN, _merge_revisions, timed_only=True),
    "collapse-rolling": CleaningStep(SHOWN, SHOWN, _collapse, timed_only=True),
    "join-rows": CleaningStep(SHOWN, SHOWN, _join_rows),
    # In automatic captions a dash is a minus sign; turns are marked with `>>` there.
    "mark-turns": CleaningStep(
        SHOWN, PARTS, _mark_turns, lambda _, transcript: {"dashes": transcript.origin != "automatic"}
    ),
    "drop-sounds": CleaningStep(PARTS, CUES, _drop_sounds),
    "take-names": CleaningStep(CUES, CUES, _take_names, find_names),
    "tidy": CleaningStep(CUES, CUES, _tidy),
    "order-times": CleaningStep(CUES, CUES, _in_order, timed_only=True),
}
"""The steps by name, in the order in which they are done."""
