"""Where another voice begins inside a cue: voice tags, dashes of dialogue, and `>>`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from talksearch.indexer.records import Cue

from .markup import Row, Shown, Token

_DASH = re.compile(r"^[-‐‑–—−](?=[^\W\d_]|$)")
_DASHES = "-‐‑–—−"
_OPENING_MARKS = "\"'“‘¿¡([…♪"


@dataclass(slots=True)
class Part:
    """Words that will be one cue. Never changed; frozen ones take three times as long to make."""

    start_ms: int
    end_ms: int
    tokens: tuple[Token, ...]
    speaker: str | None
    turn: bool
    pause_after: bool = False


class Voice(NamedTuple):
    """Words of a cue that one voice says."""

    tokens: Sequence[Token]
    speaker: str | None
    turn: bool
    """Another voice begins here."""


def parts_of(cue: Shown, timed: bool, dashed: bool) -> Iterator[Part]:
    """Cut a cue where the voice changes: at voice tags, and between rows that begin with a dash.

    Without `timed` all parts begin where the cue does; without `dashed` a dash is no mark.
    """
    if len(cue.rows) == 1 and not (dashed and _has_dash(cue.rows[0])):  # as most cues are
        row = cue.rows[0]
        yield Part(cue.start_ms, cue.end_ms, row.tokens, row.speaker, cue.turn, cue.pause_after)
        return
    voices: list[Voice] = []
    dashes = [dashed and _has_dash(row) for row in cue.rows]
    dialogue = any(dashes) and (len(cue.rows) == 1 or all(dashes) or sum(dashes) >= 2 or dashes[0])
    for row, dash in zip(cue.rows, dashes, strict=True):
        turn = dialogue and dash
        tokens = _without_dash(row.tokens) if turn else row.tokens
        if voices and voices[-1].speaker == row.speaker and not turn and not (row.named and row.speaker is None):
            voices[-1] = voices[-1]._replace(tokens=[*voices[-1].tokens, *tokens])
        elif tokens:
            voices.append(Voice(tokens, row.speaker, turn))
    yield from share(cue, voices, timed)


def _without_dash(tokens: Sequence[Token]) -> Sequence[Token]:
    text = _DASH.sub("", tokens[0][0], count=1)
    return [(text, tokens[0][1]), *tokens[1:]] if text else tokens[1:]


def _has_dash(row: Row) -> bool:
    """Say whether a row begins like dialogue: `- Yes`, `-Yes`; not `-5`, `-cos x`, or a dash inside a sentence."""
    first = row.tokens[0][0]
    if first[0] not in _DASHES or first.startswith("--"):
        return False
    if len(first) == 1:
        return len(row.tokens) > 1 and _may_open(row.tokens[1][0]) and first in "-‐–"
    return first[0] in "-‐" and _may_open(first[1:])


def _may_open(word: str) -> bool:
    """Say whether a word may begin a sentence: no small letter, no figure."""
    word = word.lstrip(_OPENING_MARKS)
    return bool(word) and word[0].isalpha() and not word[0].islower()


def share(cue: Cue | Shown | Part, voices: Sequence[Voice], timed: bool) -> Iterator[Part]:
    """Cut a cue into the parts of its voices, with the times of their words, else by their share of its characters.

    Args:
        cue: its times, and whether it begins with another voice, are divided among the parts.
        voices: the words of the cue, in order.
        timed: without it, all parts begin where the cue does.
    """
    if len(voices) == 1:
        (voice,) = voices
        turn = voice.turn or cue.turn
        yield Part(cue.start_ms, cue.end_ms, tuple(voice.tokens), voice.speaker, turn, cue.pause_after)
        return
    sizes = [sum(len(text) + 1 for text, _ in voice.tokens) for voice in voices]
    total = sum(sizes) or 1
    length_ms = cue.end_ms - cue.start_ms
    starts: list[int] = []
    size_before = 0
    for number, voice in enumerate(voices):
        start = voice.tokens[0][1] if number else None
        if start is None:
            start = cue.start_ms + length_ms * size_before // total if timed else cue.start_ms
        starts.append(max(start, starts[-1] if starts else cue.start_ms))
        size_before += sizes[number]
    for number, voice in enumerate(voices):
        is_last = number + 1 == len(voices)
        end = cue.end_ms if is_last else starts[number + 1] if timed else cue.start_ms
        turn = voice.turn or (cue.turn and number == 0)
        pause_after = cue.pause_after and is_last
        yield Part(starts[number], max(end, starts[number]), tuple(voice.tokens), voice.speaker, turn, pause_after)


def mark_turns(parts: list[Part], counts: Counter[str]) -> list[Part]:
    """Cut at `>>`, the mark of captions for another voice; inside a line only where lines begin with it too.

    `counts` is added to: `turns`, and `marks` for each `>>` that was taken out.
    """
    if not any(token.startswith(">>") for part in parts for token, _ in part.tokens[:1]):
        counts["turns"] += sum(part.turn for part in parts)
        return parts
    out: list[Part] = []
    turn_pending = False
    for part in parts:
        pieces, turn_follows = [part], False
        if any(text.startswith(">>") for text, _ in part.tokens):
            pieces, turn_follows = _cut_at_marks(part, counts)
        for piece in pieces:
            out.append(replace(piece, turn=True) if turn_pending else piece)
            turn_pending = False
        turn_pending = turn_pending or turn_follows
    counts["turns"] += sum(part.turn for part in out)
    return out


def _cut_at_marks(part: Part, counts: Counter[str]) -> tuple[list[Part], bool]:
    """Cut a part before every `>>`, and say whether the last one has no words behind it: its turn is the next cue's."""
    spoken: list[list[Token]] = [[]]
    for text, time in part.tokens:
        if text.startswith(">>"):
            counts["marks"] += 1
            rest = text.lstrip(">")
            spoken.append([(rest, time)] if rest else [])
        else:
            spoken[-1].append((text, time))
    voices = [Voice(tokens, part.speaker, part.turn or number > 0) for number, tokens in enumerate(spoken) if tokens]
    return list(share(part, voices, timed=True)), not spoken[-1]
