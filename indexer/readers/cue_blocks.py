"""Cues that stand between time lines: SubRip, and WebVTT that is damaged.

Nothing but the time lines is relied on (`time_lines`): blank lines may be missing or too many, numbers may be missing
or wrong. Every line of text is in a cue, or is a comment, a header, a number or the name of a cue.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from talksearch.indexer.records import Json, Step
from talksearch.indexer.text.clock import CLOCK, show_clock
from talksearch.indexer.text.counting import words_in

from .flat_captions import on_lines
from .raw_cue import RawCue, count_units, moved
from .time_lines import TimeLine, is_headed, number_of, time_lines

_SKIPPED = re.compile(r"(?:NOTE|STYLE|REGION)(?:[ \t].*)?$")
_HEADER_LINE = re.compile(
    r"X-TIMESTAMP-MAP=|Region:[ \t]*\w+=|(?:Kind:[ \t]*\w+|Language:[ \t]*[\w-]{2,35}|Style:|##)[ \t]*$"
)
"""Lines of a header of WebVTT, as the drafts of the standard and YouTube have them."""
_FENCE = re.compile(r"^[ \t]*(?:`{3,}|~{3,})[ \t]*[\w.+-]*[ \t]*$", re.MULTILINE)
"""A line of Markdown around a file, as chats and language models hand it out."""
_BREAK_BEHIND_NUMBER = re.compile(
    r"^[ \t]*(?:<p\b[^<>]*>[ \t]*)?\d{1,6}[ \t]*<br[ \t]*/?>[ \t]*$", re.MULTILINE | re.IGNORECASE
)
_BREAK_AT_END = re.compile(
    r"^[ \t]*<p\b[^<>]*>|(?<![ \t])[ \t]*(?:<br[ \t]*/?>|</p>)[ \t]*$", re.MULTILINE | re.IGNORECASE
)
_OVER_TWO_LINES = re.compile(
    rf"^([ \t]*{CLOCK}[ \t]*-->)[ \t]*\n[ \t]*({CLOCK}[ \t]*)$|^([ \t]*{CLOCK})[ \t]*\n[ \t]*(-->[ \t]*{CLOCK}[ \t]*)$",
    re.MULTILINE,
)
_LONGEST_NAME = 60
_SAYS_NOTHING = re.compile(r"[\W_]*")
_WORD_MS = 400
_TOLD_LINES = 100
"""Lines that are written into a receipt; of more it is only told how many words stand on them."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """The cues of a file as they stand in it, what had to be done to find them, and what is uncertain."""

    cues: tuple[RawCue, ...] = ()
    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Block:
    """A cue whose start may be missing: then it is taken from the cues around it (`with_starts`)."""

    start_ms: int | None
    end_ms: int | None
    text: str
    line: int
    identifier: str | None = None


@dataclass(slots=True)
class _LeftOut:
    """What stands between cues and is not said: how many words, on how many lines."""

    comments: int = 0
    lines: int = 0


def read_blocks(text: str) -> Blocks:
    """Find the cues of a file by its time lines.

    Text before the first time line, and behind a cue number below which the time line is missing, makes cues whose
    times come from their neighbours, as those of time lines do of which nothing can be read.
    """
    steps: list[Step] = []
    if "```" in text or "~~~" in text:
        fences = _FENCE.findall(text)
        text = _FENCE.sub("", text)
        steps += left_out_steps(sum(len(words_in(fence)) for fence in fences), len(fences), ())
    if _BREAK_BEHIND_NUMBER.search(text):  # a page's own text
        text = _BREAK_AT_END.sub("", text)
    text, broken = on_lines(text)
    steps += broken
    text, joined = _OVER_TWO_LINES.subn(_on_one_line, text) if "-->\n" in text or "\n-->" in text else (text, 0)
    if joined:
        steps.append(Step("join-time-lines", "cues", {"cues": joined}))
    lines = text.split("\n")
    blocks = blocks_between(lines, time_lines(text, lines), headed=is_headed(text))
    return replace(blocks, steps=(*steps, *blocks.steps)) if steps else blocks


def _on_one_line(match: re.Match[str]) -> str:
    """Write the times of a cue that stand on two lines on one; an empty one stays, so that lines keep their numbers."""
    return f"{match[1] or match[3]} {match[2] or match[4]}\n"


def blocks_between(lines: Sequence[str], heads: Sequence[TimeLine], *, headed: bool, bare: bool = False) -> Blocks:
    """Make cues of the lines between time lines, as `read_blocks` does.

    Args:
        lines: the file.
        heads: its time lines, in order.
        headed: whether the file begins as WebVTT does.
        bare: whether its cues have neither numbers nor names, and no comments stand between them.
    """
    if not heads:
        return Blocks()
    numbers = [_number_above(lines, head.index) for head in heads]
    numbered = not bare and sum(number is not None for number in numbers) * 2 > len(heads)
    comments = not bare and (headed or not numbered)
    left_out = _LeftOut()
    bodies, named = _bodies(lines, heads, numbers[0], names_allowed=comments, bare=bare)
    number = None if bare else numbers[0]
    blocks = _before(
        lines, heads[0], number, named=named, headed=headed, numbered=numbered, comments=comments, left_out=left_out
    )
    first = len(blocks)
    for position, (head, (body, identifier)) in enumerate(zip(heads, bodies, strict=True)):
        said = [head.said, *body] if head.said else body
        missing = _missing_heads(body, numbers, position) if numbered else []
        end = head.index + 1
        for at, stop in zip([None, *missing], [*missing, len(body)], strict=True):
            part = said[: len(said) - len(body) + stop] if at is None else body[at + 1 : stop]
            speech = _speech(part, comments=comments, left_out=left_out)
            if at is None:
                blocks.append(Block(head.start_ms, head.end_ms, speech, head.index + 1, identifier))
            else:
                blocks.append(Block(None, None, speech, end + at + 1))
    unread = [block for block in blocks if block.start_ms is None and block.text.strip()]
    cues = with_starts(blocks)
    steps: list[Step] = []
    notes: list[str] = []
    damaged = sum(head.damaged for head in heads)
    if damaged or unread or first:
        line = min([head.index + 1 for head in heads if head.damaged] + [block.line for block in unread])
        detail = {"lines": damaged, "first_line": line, "times_of_neighbours": len(unread), **_not_said(lines, heads)}
        steps.append(Step("read-damaged-times", "cues", detail))
    if unread:
        count = "1 cue has" if len(unread) == 1 else f"{len(unread)} cues have"
        notes.append(
            f"{count} no start that can be read, the first at line {unread[0].line}; "
            "their places were taken from the cues around them."
        )
    names = [block.identifier for block in blocks if block.identifier]
    steps += left_out_steps(left_out.comments, left_out.lines, names)
    return Blocks(tuple(_from_first(cues, steps, notes)), tuple(steps), tuple(notes))


def _not_said(lines: Sequence[str], heads: Sequence[TimeLine]) -> dict[str, Json]:
    """Tell what looks like words on damaged time lines and is none: `NaN:NaN`, `undefined`, `0x:zz`."""
    rests = [lines[head.index].removesuffix(head.said) for head in heads if head.damaged]
    rests = [rest.strip() for rest in rests if ":" not in rest or any(map(str.isalpha, rest))]
    count = sum(any(map(str.isalpha, word)) for rest in rests[_TOLD_LINES:] for word in words_in(rest))
    return {"lines_left_out": rests[:_TOLD_LINES], "words_left_out": count}


def left_out_steps(words: int, lines: int, names: Sequence[str]) -> list[Step]:
    """Return the steps that tell what stands in a file and is not said: comments and headers, and names of cues."""
    steps = []
    if words or lines:
        steps.append(Step("leave-out-comments", "cues", {"lines": lines, "words_left_out": words}))
    if names:
        count = sum(len(words_in(name)) for name in names)
        steps.append(Step("leave-out-identifiers", "cues", {"identifiers": len(names), "words_left_out": count}))
    return steps


def identifier_of(line: str | None) -> str | None:
    """Return what a line above a time line calls its cue; None where that is only its number, or nothing.

    >>> identifier_of(' 1 "Ann Lee" (42) '), identifier_of("17"), identifier_of(None)
    ('1 "Ann Lee" (42)', None, None)
    """
    name = (line or "").strip()
    return name if name and number_of(name) is None else None


def are_names(identifiers: Sequence[str], cues: int) -> bool:
    """Say whether lines above time lines are names of cues: where every fourth cue has one, or none is a sentence.

    Where they are not, an empty line tore the words of a cue apart.
    """
    return len(identifiers) * 4 >= cues or not any(
        sum(word.isalpha() for word in name.split()) > 1 and not any(char.isdigit() for char in name)
        for name in identifiers
    )


def _bodies(
    lines: Sequence[str], heads: Sequence[TimeLine], number: int | None, *, names_allowed: bool, bare: bool
) -> tuple[list[tuple[list[str], str | None]], bool]:
    """Return the lines below each time line with what stands above it as its name, and whether the first has a name.

    A line alone before a time line is the next cue's name. Without a blank line it is only taken for one when it is the
    number that must come; `number` is that of the first cue. `bare` cues have neither.
    """
    found: list[tuple[list[str], str | None]] = []
    bodies = [
        list(lines[head.index + 1 : following.index if following else len(lines)])
        for head, following in zip(heads, [*heads[1:], None], strict=True)
    ]
    names = [name for body in bodies[:-1] if (name := _name_below(body)) and number_of(name) is None]
    names_allowed = names_allowed and are_names(names, len(heads))
    first = heads[0].index
    has_name = names_allowed and first > 0 and (first == 1 or not lines[first - 2].strip())
    has_name = has_name and (bool(names) or lines[0].startswith("WEBVTT"))
    has_name = has_name and not lines[first - 1].startswith("WEBVTT")
    identifier = identifier_of(lines[first - 1]) if has_name else None
    for position, body in enumerate(bodies):
        own, identifier = identifier, None
        if position + 1 < len(heads) and not bare:
            end = len(body)
            while end and not body[end - 1].strip():
                end -= 1
            last = body[end - 1] if end else ""
            following = number_of(last)
            alone = end == 1 or (end > 1 and not body[end - 2].strip())
            expected = following is not None and number is not None and following == number + 1
            is_name = names_allowed and end == len(body) and _name_below(body) is not None
            if end and (expected or (alone and following is not None and end == len(body)) or is_name):
                identifier = identifier_of(last)
                body = body[: end - 1]
                number = following
            else:
                number = None if number is None else number + 1
        found.append((body, own))
    return found, has_name


def _name_below(body: Sequence[str]) -> str | None:
    """Return the line that stands alone below an empty one at the end of a body, if it is short."""
    if len(body) > 1 and body[-1].strip() and not body[-2].strip() and len(body[-1]) <= _LONGEST_NAME:
        return body[-1]
    return None


def _missing_heads(body: Sequence[str], numbers: Sequence[int | None], position: int) -> list[int]:
    """Return where in a body cue numbers stand below which the time line is missing.

    They follow the number of the cue, and the next number that is known follows them.
    """
    number = numbers[position]
    following = next((known for known in numbers[position + 1 :] if known is not None), None)
    found: list[int] = []
    if number is None or (following is not None and following <= number + 1):
        return found
    for i, line in enumerate(body):
        if number_of(line) == number + 1 and (not i or not body[i - 1].strip()) and any(map(str.strip, body[i + 1 :])):
            if following is not None and number + 1 >= following:
                break
            number += 1
            found.append(i)
    return found if following is None or number + 1 == following else []


def _number_above(lines: Sequence[str], i: int) -> int | None:
    """Return the number above a time line; blank lines may stand between where another stands above it, or nothing."""
    above = i - 1
    while above > 0 and not lines[above].strip():
        above -= 1
    if above < 0 or (above < i - 1 and above and lines[above - 1].strip()):
        return None
    return number_of(lines[above])


def _before(
    lines: Sequence[str],
    head: TimeLine,
    number: int | None,
    *,
    named: bool,
    headed: bool,
    numbered: bool,
    comments: bool,
    left_out: _LeftOut,
) -> list[Block]:
    """Make cues of what stands before the first time line and is no header.

    Args:
        lines: the file.
        head: the first time line.
        number: the one above it.
        named: whether the line above it is the name of its cue.
        headed: whether the file begins as WebVTT does.
        numbered: whether its cues have numbers.
        comments: whether comments may stand between cues.
        left_out: is added to.
    """
    before = list(lines[: head.index])
    while before and number is not None and not before[-1].strip():
        before.pop()
    if before and (number is not None or named):
        before.pop()
    start = 0
    if headed:
        start = next((i for i, line in enumerate(before) if line.strip()), 0)
        while start < len(before) and before[start].strip():
            start += 1
        # YouTube's styles of 2016 stand in the header, and end with this sign.
        styles = [i for i, line in enumerate(before) if line.strip() == "##"]
        start = max(start, styles[-1] + 1) if styles else start
    body = before[start:]
    counted = next((known for line in body if (known := number_of(line)) is not None), None)
    cuts = _missing_heads(body, [counted - 1, number], 0) if numbered and counted is not None else []
    blocks = []
    for at, stop in zip([-1, *cuts], [*cuts, len(body)], strict=True):
        part = _speech(["", *body[at + 1 : stop]], comments=comments, left_out=left_out).strip("\n")
        if not _SAYS_NOTHING.fullmatch(part):
            line = next(i for i in range(start + at + 1, len(lines)) if lines[i].strip())
            blocks.append(Block(None, None, part, line + 1))
    return blocks


def _speech(body: Sequence[str], *, comments: bool, left_out: _LeftOut) -> str:
    """Drop comments, styles and repeated headers that stand behind a blank line.

    A comment in which a brace is open goes on behind a blank line: it is a value or a style.
    """
    if all(map(str.strip, body)):  # nothing stands behind a blank line
        return "\n".join(body)
    kept: list[str] = []
    skipping = False
    open_braces = 0
    for i, line in enumerate(body):
        if not line.strip():
            skipping = skipping and open_braces > 0
        elif not skipping and i and not body[i - 1].strip():
            skipping = (comments and _SKIPPED.match(line) is not None) or _begins_header(body, i)
            open_braces = 0
        if skipping:
            open_braces += line.count("{") - line.count("}")
            left_out.comments += len(line.split())
            left_out.lines += bool(line.strip())
        else:
            kept.append(line)
    while kept and not kept[-1].strip() and kept[-1] == "":
        kept.pop()
    return "\n".join(kept)


def _begins_header(body: Sequence[str], i: int) -> bool:
    """Say whether a header of WebVTT begins at a line: `WEBVTT`, or nothing but lines of one up to the next blank."""
    if body[i].lstrip("\ufeff").startswith("WEBVTT"):  # each file of several that were joined may have its mark
        return True
    for line in body[i:]:
        if not line.strip():
            break
        if not _HEADER_LINE.match(line):
            return False
    return True


def with_starts(blocks: list[Block]) -> list[RawCue]:
    """Give the cues whose start is not known places between their neighbours."""
    i = 0
    while i < len(blocks):
        if blocks[i].start_ms is not None:
            i += 1
            continue
        stop = next((j for j in range(i, len(blocks)) if blocks[j].start_ms is not None), len(blocks))
        begin = 0
        previous = blocks[i - 1] if i else None
        if previous and previous.start_ms is not None:
            begin = previous.start_ms + (count_units(previous.text) * _WORD_MS if previous.end_ms is None else 0)
            begin = max(begin, previous.end_ms or begin)
        until = blocks[stop].start_ms if stop < len(blocks) else None
        if until is not None and begin >= until:
            begin = min((previous.start_ms or 0) + until, 2 * until) // 2 if previous else min(0, until)
        for position in range(i, stop):
            block = blocks[position]
            block.start_ms = begin if until is None else begin + (until - begin) * (position - i) // (stop - i)
            if block.end_ms is not None:
                block.start_ms = min(block.start_ms, block.end_ms)
            if until is None:
                begin = max(block.end_ms or 0, block.start_ms + count_units(block.text) * _WORD_MS)
        i = stop
    return [
        RawCue(block.start_ms or 0, block.end_ms, block.text, block.line, identifier=block.identifier)
        for block in blocks
    ]


def _from_first(cues: list[RawCue], steps: list[Step], notes: list[str]) -> list[RawCue]:
    """Count times that all lie before the beginning of the recording from the first of them."""
    first = min(cue.start_ms for cue in cues)
    if len(cues) < 2 or any(cue.start_ms >= 0 for cue in cues):
        return cues
    steps.append(Step("mend-times", "cues", {"offset_ms": -first}))
    notes.append(
        f"All times lie before the beginning of the recording, the first by {show_clock(-first)}; "
        "they were counted from the first cue."
    )
    return [moved(cue, -first) for cue in cues]
