"""What was done to a talk between its file and the index, written so that it can be done again.

A receipt is an ordered list of named steps with everything that each needs (as ftfy's `apply_plan`, Speer 2019).
`replay` does exactly these: it uses the encoding and the reader that are noted and guesses none, its text repair
applies the edits that are noted and asks no statistics, and it does no step that is not in the list. `load` makes talks
with the same functions, so that a receipt cannot say one thing and the index hold another; `benchmarks/archive.py`
checks it on every file of an archive.

`decode` and `read` come first. What a reader itself had to restore in order to read follows as steps with
`"by": "read"`. They are done inside `read`, so taking one out changes nothing, `unfold-rolling` apart: without it a
flattened record is read with every line as often as it stands there.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from dataclasses import replace

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.mojibake import Edit, Repair
from talksearch.indexer.mojibake import replay as apply_edits
from talksearch.indexer.readers import word_document
from talksearch.indexer.readers.decode import LINE_END, newlines, without_zeros
from talksearch.indexer.records import Chapter, Cue, Json, Receipt, Step, Transcript, Word
from talksearch.indexer.restore.estimate_times import estimate_times
from talksearch.indexer.restore.normalize import normalize_text
from talksearch.indexer.text.chapters import chapters_in

Detail = dict[str, Json]

READ_BY_LINES = "utf-8 with exceptions"
"""What `readers.decode` calls text whose lines are UTF-8 but for some bytes; `decode` steps say what those are."""
HINT = "Index the file again: talksearch index"
"""What to do about a receipt that cannot be replayed."""
_NOT_UTF8 = re.compile("[\udc80-\udcff]+")


def changes(receipt: Receipt) -> tuple[Step, ...]:
    """Return the steps that changed something: all but plain decoding and reading, which every file needs."""
    plain = ("utf-8", word_document.ENCODING)
    return tuple(
        step
        for step in receipt.steps
        if step.name != "read" and (step.detail.get("encoding") not in plain or "zeros" in step.detail)
    )


def tidy_lines(text: str) -> str:
    """Take out of a text of several lines what is never text; the lines stay."""
    if text.isascii() and text.isprintable():
        return text
    return "\n".join(normalize_text(line) if line.strip() else "" for line in text.split("\n")).strip()


# --- decoding -------------------------------------------------------------------------------------------------------


def decoding_step(data: bytes, text: str, steps: Sequence[Step]) -> Step:
    """Note how a file was decoded, so that `decode_with` can do it again. `text` and `steps` are what `decode` gave."""
    detail: Detail = {"encoding": "utf-8"}
    for step in steps:
        detail |= step.detail
    if "zeros" in detail:
        data = without_zeros(data)
    if detail["encoding"] == READ_BY_LINES:
        detail["read_as"] = _read_as(data, text)
    return Step("decode", "file", detail)


def decode_with(data: bytes, detail: Detail, *, line_ends: bool = True) -> str:
    """Decode a file as it was decoded before; with `line_ends` False these stay as they are.

    Raises UnreadableError where that is not possible: the file is another one.
    """
    encoding = detail["encoding"]
    if "zeros" in detail:
        data = without_zeros(data)
    try:
        if encoding == READ_BY_LINES:
            instead = iter(detail["read_as"])
            text = _NOT_UTF8.sub(lambda _: next(instead), _escaped(data))
        elif encoding == "utf-8":
            text = data.decode("utf-8-sig")
        elif encoding == word_document.ENCODING:
            text = word_document.text_of(data)
        else:
            # A mark of UTF-8 in front of what is none was left out as well when the file was read.
            data = data.removeprefix(codecs.BOM_UTF8)
            text = data.decode(encoding, errors="replace" if "unreadable" in detail else "strict")
    except (UnicodeDecodeError, StopIteration, RuntimeError, LookupError) as error:
        raise UnreadableError(f"The file is not {encoding}, as its receipt says; it is another file.", HINT) from error
    return newlines(text) if line_ends else text


def _escaped(data: bytes) -> str:
    return data.decode("utf-8", errors="surrogateescape").removeprefix("\ufeff")


def _read_as(data: bytes, text: str) -> list[str]:
    """Return what each stretch of bytes that is no UTF-8 was read as, in order."""
    whole = LINE_END.sub("\n", _escaped(data))
    read_as: list[str] = []
    shift = 0
    for match in _NOT_UTF8.finditer(whole):
        try:
            letters = match[0].encode("utf-8", errors="surrogateescape").decode("windows-1252")
        except UnicodeDecodeError:
            letters = "\ufffd"
        read_as.append(letters if text.startswith(letters, match.start() + shift) else "\ufffd")
        shift += len(read_as[-1]) - len(match[0])
    return read_as


# --- reading --------------------------------------------------------------------------------------------------------


def reading_steps(reader: str, transcript: Transcript) -> list[Step]:
    """Note which reader was used and what it had to restore."""
    restored = [replace(step, detail={"by": "read", **step.detail}) for step in transcript.steps]
    return [Step("read", "file", {"reader": reader}), *restored]


def is_by_reader(step: Step) -> bool:
    """Say whether a step was done inside the reader."""
    return bool(step.detail.get("by") == "read")


# --- repairing the text ---------------------------------------------------------------------------------------------


def repair_step(repair: Repair, field: str) -> Step:
    """Note a text repair: how many characters by which rule, and every edit.

    An edit is `[start, before, after, rule]`, counted in characters of the text before, with the rule's place in
    `rules`. One that is not certain has a fifth member: what else it may have been, likeliest first.
    """
    rules = list(dict.fromkeys(edit.rule for edit in repair.edits))
    edits: list[Json] = []
    for edit in repair.edits:
        row: list[Json] = [edit.start, edit.before, edit.after, rules.index(edit.rule)]
        edits.append(row if edit.certain else [*row, list(edit.alternatives)])
    detail: Detail = {
        "count": len(edits),
        "uncertain": len(repair.uncertain),
        "repaired": repair.repaired,
        "rules": rules,
        "edits": edits,
    }
    return Step("repair-text", field, detail)


def edits_of(detail: Detail) -> tuple[Edit, ...]:
    """Return the edits of a `repair-text` step as the values they were."""
    return tuple(
        Edit(start, start + len(before), before, after, detail["rules"][rule], not rest, tuple(rest[0]) if rest else ())
        for start, before, after, rule, *rest in detail["edits"]
    )


def repair_cues(cues: Sequence[Cue], step: Step) -> tuple[Cue, ...]:
    """Apply the edits of a `repair-text` step to the texts of cues, taken as lines of one text, or to their speakers.

    Raises UnreadableError where the edits belong to another text.
    """
    if step.field == "speakers":
        names = step.detail["names"]
        return tuple(replace(cue, speaker=names.get(cue.speaker, cue.speaker)) if cue.speaker else cue for cue in cues)
    whole = "\n".join(cue.text for cue in cues)
    edits = edits_of(step.detail)
    lines = apply_edits(whole, edits).split("\n")
    if len(lines) != len(cues) or any(whole[edit.start : edit.end] != edit.before for edit in edits):
        raise UnreadableError("The receipt's repairs do not fit the text.", HINT)
    return tuple(
        cue if cue.text == line else replace(cue, text=line, words=_words(cue, line))
        for cue, line in zip(cues, lines, strict=True)
    )


def _words(cue: Cue, line: str) -> tuple[Word, ...]:
    tokens = [token for token in line.split(" ") if token]
    if not cue.words or len(tokens) != len(cue.words):
        return ()
    return tuple(Word(token, word.start_ms) for token, word in zip(tokens, cue.words, strict=True))


# --- times ----------------------------------------------------------------------------------------------------------


def estimate(
    cues: Sequence[Cue],
    duration_ms: int | None,
    description: str,
    chapters: Sequence[Chapter],
    *,
    starts_with_sound: bool,
) -> tuple[tuple[Cue, ...], int, Step]:
    """Estimate times as `estimate_times` does, and note in the step what they were worked out from.

    Args:
        cues: in order, without times.
        duration_ms: how long the talk is, in milliseconds, where that is known.
        description: what is written about the talk; chapters may stand in it.
        chapters: where the source gives them by themselves.
        starts_with_sound: music or another sound comes before the first words.

    Returns:
        The cues with times, the margin in milliseconds, and the step.
    """
    # A description says nothing about times but its chapters.
    known = tuple(chapters) or chapters_in(description)
    timed, margin_ms, step = estimate_times(cues, duration_ms, known, starts_with_sound=starts_with_sound)
    given = {"duration_ms": duration_ms, "chapters": [[chapter.start_ms, chapter.title] for chapter in known]}
    return timed, margin_ms, replace(step, detail={**step.detail, "given": given})
