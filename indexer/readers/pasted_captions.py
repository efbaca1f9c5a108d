"""Captions that were pasted into a text, with their times and tags, with marks between, or flattened into one line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from talksearch.indexer.records import Cue, Step, Word
from talksearch.indexer.text.clock import parts_ms
from talksearch.indexer.text.plain import count_words, is_sound, tokens_of

from .durations import parse_duration
from .flattened import Line, Unfolded, cut_lines, unfold

_HEAD = re.compile(
    r"^\s*WEBVTT\b(?:[ \t]+-[^\n]*)?\s*(?:Kind:\s*\S+\s*)?(?:Language:\s*(?P<language>[A-Za-z]{2,3}(?:-\w+)*))?\s*",
)
_CLOCK = r"(?:(\d{1,3}):)?(\d{1,2}):(\d{2})[.,](\d{3})"
_CUE_TIMES = re.compile(
    _CLOCK + r"[ \t]*-->[ \t]*" + _CLOCK + r"((?:[ \t]+(?:align|position|line|size|vertical|region):\S+)*)"
)
_TAG = re.compile(r"<[^<>]*>")
_TAG_TIME = re.compile(r"<(?:(\d{1,3}):)?(\d{1,2}):(\d{2})\.(\d{3})>")
_COUNTER = re.compile(r"(?:^|\s)(\d+)\s*$")
_BLOCK_NOTE = re.compile(r"^(?:NOTE|STYLE|REGION)\b")
_MARK = re.compile(r"[\[(]((?:\d{1,2}:)?\d{1,3}:[0-5]\d(?:[.,]\d{1,3})?)[\])]")
_LINE_MARK = re.compile(r"^[ \t]*[\[(]?((?:\d{1,2}:)?\d{1,3}:[0-5]\d(?:[.,]\d{1,3})?)[\])]?[ \t:\-–]*(?=\s|$)", re.M)
_FEWEST_MARKS = 3
_LONGEST_LEAD = 50
"""Words that may stand above the first mark."""
_WORD_MS = 400
"""How long a word takes, at 150 words a minute."""
_SHORTEST_MS = 1000


@dataclass(frozen=True, slots=True)
class PastedCaptions:
    """What a text gave that holds captions, or may hold some."""

    cues: tuple[Cue, ...]
    """Rolling captions are collapsed. Where `timed` is false the times are 0."""
    timed: bool
    rolling: bool
    language: str | None
    steps: tuple[Step, ...]
    starts_with_sound: bool = False


@dataclass(frozen=True, slots=True)
class _Block:
    """One stretch of text with a time of its own."""

    start_ms: int
    end_ms: int
    text: str
    """As shown, without tags."""
    times: tuple[int, ...] = ()
    """For each token of `text` when it begins, -1 where no tag says so; empty where no tag was there."""


def begins_like_captions(text: str) -> bool:
    """Say whether a text begins with the head of a caption file, or with the times of a cue."""
    return bool(_HEAD.match(text) or _CUE_TIMES.match(text.lstrip()))


def without_head(text: str) -> tuple[str, str | None]:
    """Return a text without the head of a caption file, and the language which that head names."""
    head = _HEAD.match(text)
    return (text[head.end() :], head["language"]) if head else (text, None)


def read_pasted(text: str, *, unfold_lines: bool) -> PastedCaptions:
    """Read a text that holds captions, or may hold some.

    Args:
        text: what is said, with whatever is left of a caption file.
        unfold_lines: whether captions that were flattened into one line are unfolded; else they are cut into lines as
            they stand, repeats and all.
    """
    speech, language = without_head(text)
    if "-->" in speech and _CUE_TIMES.search(speech):
        return _timed(_caption_blocks(speech), language, "times in the text")
    marks = _mark_blocks(speech)
    if marks:
        return _timed(marks, language, "marks in the text")
    plain = _TAG.sub("", speech)
    unfolded = unfold(plain) if unfold_lines else _as_it_stands(plain)
    cues = tuple(Cue(0, 0, line.text, pause_after=line.pause_after) for line in unfolded.lines)
    # Sounds are taken out later; the estimate of times needs to know that the speech begins behind one.
    starts_with_sound = len(cues) > 1 and is_sound(cues[0].text)
    steps: tuple[Step, ...] = ()
    if unfolded.folded:
        detail = {
            "copies": unfolded.copies,
            "lines": len(unfolded.lines),
            "lines_said_once": sum(line.times == 1 for line in unfolded.lines),
            "words_before": unfolded.words_before,
            "words_after": unfolded.words_after,
            "words_folded": unfolded.words_before - unfolded.words_after,
        }
        steps = (Step("unfold-rolling", "cues", detail),)
    return PastedCaptions(cues, False, unfolded.folded, language, steps, starts_with_sound=starts_with_sound)


def _as_it_stands(text: str) -> Unfolded:
    words = count_words(text)
    return Unfolded(tuple(Line(line, 1) for line in cut_lines(text)), 1, words, words)


def _caption_blocks(speech: str) -> list[_Block]:
    """Cut at the cue times, with line breaks or without; counters of SRT and notes are left out."""
    heads = list(_CUE_TIMES.finditer(speech))
    blocks = []
    for i, match in enumerate(heads):
        last = i + 1 == len(heads)
        payload = speech[match.end() : len(speech) if last else heads[i + 1].start()]
        if "\n" in payload:
            payload = _without_notes(payload)
        if not last:
            counter = _COUNTER.search(payload)
            if counter and counter[1] == str(i + 2):
                payload = payload[: counter.start()]
        start, end = parts_ms(*match.groups()[:4]), parts_ms(*match.groups()[4:8])
        text, times = _tagged(payload)
        blocks.append(_Block(start, max(start, end), text, times))
    return blocks


def _without_notes(payload: str) -> str:
    kept: list[str] = []
    note = False
    blank = False
    for row in payload.split("\n"):
        if not row.strip():
            blank, note = True, note and bool(row)
        elif blank and _BLOCK_NOTE.match(row):
            note = True
        if not note:
            kept.append(row)
    return "\n".join(kept)


def _tagged(payload: str) -> tuple[str, tuple[int, ...]]:
    """Take the tags out: the text as shown, and for each token the time of the tag right before it, else -1."""
    tokens: list[str] = []
    times: list[int] = []
    glue = False
    time = -1
    for piece in re.split(r"(<[^<>]*>)", payload):
        if piece.startswith("<"):
            stamp = _TAG_TIME.fullmatch(piece)
            if stamp:
                time = parts_ms(*stamp.groups())
            continue
        words = tokens_of(piece)
        if not words:
            glue = glue and not piece
            continue
        if glue and not piece[0].isspace():
            tokens[-1] += words[0]
            words = words[1:]
        for word in words:
            tokens.append(word)
            times.append(time)
            time = -1
        glue = not piece[-1].isspace()
    if all(time < 0 for time in times):
        return " ".join(tokens), ()
    return " ".join(tokens), tuple(times)


def _mark_blocks(speech: str) -> list[_Block]:
    """Cut at `[12:34]` anywhere, or `12:34` at the beginning of lines; empty where that is not the text's clock."""
    for pattern in (_MARK, _LINE_MARK):
        marks = list(pattern.finditer(speech))
        times = [parse_duration(match[1]) or 0 for match in marks]
        # A clock starts near the top, has three marks at least and does not run backwards.
        if len(marks) < _FEWEST_MARKS or any(earlier > later for earlier, later in pairwise(times)):
            continue
        lead = speech[: marks[0].start()]
        if count_words(lead) > _LONGEST_LEAD:
            continue
        blocks = []
        if tokens_of(lead):
            blocks.append(_Block(0, times[0], " ".join(tokens_of(lead))))
        for i, match in enumerate(marks):
            last = i + 1 == len(marks)
            until = len(speech) if last else marks[i + 1].start()
            text = " ".join(tokens_of(_TAG.sub("", speech[match.end() : until])))
            # The last mark has no end.
            end = times[i] + max(_SHORTEST_MS, count_words(text) * _WORD_MS) if last else times[i + 1]
            blocks.append(_Block(times[i], end, text))
        return blocks
    return []


def _timed(blocks: Sequence[_Block], language: str | None, where: str) -> PastedCaptions:
    before = sum(count_words(block.text) for block in blocks)
    cues, rolling = _collapse(blocks)
    steps: tuple[Step, ...] = ()
    if not rolling:
        flat = _unfold_blocks(blocks)
        if flat:
            cues, rolling = flat, True
    if rolling:
        after = sum(count_words(cue.text) for cue in cues)
        counts = {"blocks": len(blocks), "lines": len(cues), "words_before": before, "words_after": after}
        detail = {"from": where, **counts, "words_folded": before - after}
        steps = (Step("collapse-rolling", "cues", detail),)
    return PastedCaptions(cues, True, rolling, language, steps)


def _collapse(blocks: Sequence[_Block]) -> tuple[tuple[Cue, ...], bool]:
    """Make cues of the blocks, in rolling captions of what each adds to the line above it, and say whether they roll.

    Rolling is a property of the whole text: at least half of the blocks after another begin with the line that the
    block before added. In a text that does not roll, a cue that begins like the last one really says it again.
    """
    shown = [tuple(tokens_of(block.text)) for block in blocks]
    added: list[tuple[str, ...]] = []
    above: tuple[str, ...] = ()
    rolled = follows = 0
    for tokens in shown:
        if above and tokens:
            follows += 1
        if above and tokens[: len(above)] == above:
            rolled += 1
            new = tokens[len(above) :]
        else:
            new = tokens
        added.append(new)
        above = (new or above) if tokens else ()
    if follows < 4 or rolled < follows / 2:
        cues = [_cue(block, tokens, 0) for block, tokens in zip(blocks, shown, strict=True) if tokens]
        return tuple(cues), False
    rows = zip(blocks, shown, added, strict=True)
    return tuple(_cue(block, new, len(tokens) - len(new)) for block, tokens, new in rows if new), True


def _cue(block: _Block, new: Sequence[str], skipped: int) -> Cue:
    """Make a cue of the tokens a block adds, with word times where each word but the first has one."""
    words: tuple[Word, ...] = ()
    times = block.times[skipped:]
    if times and len(new) > 1 and all(time >= 0 for time in times[1:]):
        first = times[0] if times[0] >= 0 else block.start_ms
        words = tuple(Word(text, time) for text, time in zip(new, (first, *times[1:]), strict=True))
    elif len(new) == 1 and block.times:
        words = (Word(new[0], block.start_ms),)
    return Cue(block.start_ms, block.end_ms, " ".join(new), words=words)


def _unfold_blocks(blocks: Sequence[_Block]) -> tuple[Cue, ...]:
    """Unfold flattened captions with marks between: lines get their times by their place between the marks."""
    unfolded = unfold(" ".join(block.text for block in blocks))
    if not unfolded.folded:
        return ()
    anchors: list[tuple[int, int]] = []
    position = 0
    for block in blocks:
        anchors.append((position, block.start_ms))
        position += len(tokens_of(block.text))
    anchors.append((position, blocks[-1].end_ms))
    starts = [_between(anchors, line.start) for line in unfolded.lines]
    ends = [*starts[1:], blocks[-1].end_ms]
    return tuple(
        Cue(start, max(start, end), line.text) for line, start, end in zip(unfolded.lines, starts, ends, strict=True)
    )


def _between(anchors: Sequence[tuple[int, int]], position: int) -> int:
    """Return the time of a token between two anchors (position, milliseconds), in proportion."""
    before = max(i for i, (anchor, _) in enumerate(anchors[:-1]) if anchor <= position)
    (left, start), (right, end) = anchors[before], anchors[before + 1]
    return start if right == left else start + (end - start) * (position - left) // (right - left)
