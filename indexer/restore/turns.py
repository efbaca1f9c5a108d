"""Where another voice begins inside a cue: voice tags, dashes of dialogue, and `>>`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from .markup import Row, Shown, Token

_DASH = re.compile(r"^[-‐‑–—−](?=[^\W\d_]|$)")


@dataclass(slots=True)
class Part:
    """Words that will be one cue. Never changed; frozen ones take three times as long to make."""

    start_ms: int
    end_ms: int
    tokens: tuple[Token, ...]
    speaker: str | None
    turn: bool
    own_start: bool
    """The start was read, not worked out."""


def parts_of(cue: Shown, timed: bool, dashed: bool) -> Iterator[Part]:
    """Cut a cue where the voice changes: at voice tags, and between rows that begin with a dash.

    Without `timed` all parts begin where the cue does; without `dashed` a dash is no mark.
    """
    if len(cue.rows) == 1 and not (dashed and _dash(cue.rows[0])):  # as most cues are
        yield Part(cue.start_ms, cue.end_ms, cue.rows[0].tokens, cue.rows[0].speaker, cue.turn, True)
        return
    groups: list[tuple[list[Token], str | None, bool]] = []
    dashes = [dashed and _dash(row) for row in cue.rows]
    dialogue = any(dashes) and (len(cue.rows) == 1 or all(dashes) or sum(dashes) >= 2 or dashes[0])
    for row, dash in zip(cue.rows, dashes, strict=True):
        tokens = list(row.tokens)
        turn = False
        if dialogue and dash:
            turn = True
            text = _DASH.sub("", tokens[0][0], count=1)
            tokens = [(text, tokens[0][1]), *tokens[1:]] if text else tokens[1:]
        if groups and groups[-1][1] == row.speaker and not turn and not (row.named and row.speaker is None):
            groups[-1][0].extend(tokens)
        elif tokens:
            groups.append((tokens, row.speaker, turn))
    yield from share(cue.start_ms, cue.end_ms, groups, cue.turn, timed)


def _dash(row: Row) -> bool:
    """Whether a row begins like dialogue: `- Yes`, `-Yes`; not `-5`, `-cos x`, or the dash that goes on a sentence."""
    first = row.tokens[0][0]
    if first[0] not in "-‐‑–—−" or first.startswith("--"):
        return False
    if len(first) == 1:
        return len(row.tokens) > 1 and _opens(row.tokens[1][0]) and first in "-‐–"
    return first[0] in "-‐" and _opens(first[1:])


def _opens(word: str) -> bool:
    """Whether a word may begin a sentence: no small letter, no figure."""
    word = word.lstrip("\"'“‘¿¡([…♪")
    return bool(word) and word[0].isalpha() and not word[0].islower()


def share(
    start: int, end: int, groups: Sequence[tuple[Sequence[Token], str | None, bool]], turn: bool, timed: bool
) -> Iterator[Part]:
    """Give parts of one cue their times: those of their words, else by their share of its characters.

    `start` and `end` are the cue's, in milliseconds, and `turn` whether it begins with another voice. `groups` are the
    parts: words, speaker, and whether another voice begins there.
    """
    if len(groups) == 1:
        tokens, speaker, own = groups[0]
        yield Part(start, end, tuple(tokens), speaker, own or turn, True)
        return
    sizes = [sum(len(text) + 1 for text, _ in tokens) for tokens, _, _ in groups]
    total = sum(sizes) or 1
    begins: list[int] = []
    done = 0
    for i, (tokens, _, _) in enumerate(groups):
        time = tokens[0][1] if i else None
        guess = start + (end - start) * done // total if timed else start
        begins.append(max(guess if time is None else time, begins[-1] if begins else start))
        done += sizes[i]
    for i, (tokens, speaker, own) in enumerate(groups):
        last = i + 1 == len(groups)
        stop = end if last else begins[i + 1] if timed else start
        yield Part(begins[i], max(stop, begins[i]), tuple(tokens), speaker, own or (turn and not i), i == 0)


def mark_turns(parts: list[Part], counts: Counter[str]) -> list[Part]:
    """Cut at `>>`, the mark of captions for another voice; inside a line only where lines begin with it too.

    `counts` is added to: `turns`, and `marks` for each `>>` that was taken out.
    """
    if not any(token.startswith(">>") for part in parts for token, _ in part.tokens[:1]):
        counts["turns"] += sum(part.turn for part in parts)
        return parts
    out: list[Part] = []
    for part in parts:
        if not any(token.startswith(">>") for token, _ in part.tokens):
            out.append(part)
            continue
        groups: list[tuple[list[Token], str | None, bool]] = [([], part.speaker, part.turn)]
        for text, time in part.tokens:
            if text.startswith(">>"):
                rest = text.lstrip(">")
                counts["marks"] += 1
                groups.append(([(rest, time)] if rest else [], None if part.speaker is None else part.speaker, True))
            else:
                groups[-1][0].append((text, time))
        # Marks without words behind them (`>>` at the end of a line) hand their turn to the next cue.
        filled = [group for group in groups if group[0]]
        if filled:
            out += share(part.start_ms, part.end_ms, filled, False, True)
            # `share` marks no turn for a first part that has none of its own.
        if not groups[-1][0] and groups[-1][2]:
            out.append(Part(part.end_ms, part.end_ms, (), part.speaker, True, True))
    handed: list[Part] = []
    pending = False
    for part in out:
        if not part.tokens:
            pending = True
            continue
        handed.append(replace(part, turn=True) if pending else part)
        pending = False
    counts["turns"] += sum(part.turn for part in handed)
    return handed
