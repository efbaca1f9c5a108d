"""Cues as lines for an assistant: `[seconds, speaker, text]`, joined where captions cut sentences into pieces."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from talksearch.indexer.records import Cue
from talksearch.indexer.text.lines import join_lines

from .quoting import field, literal, tokens

_LINE_TOKENS, _LINE_MS = 50, 15_000
"""A line ends behind the cue with which it has so many, and before one that begins so much later than the line: ten
seconds of talk are near enough to cite, and take few numbers."""


@dataclass(frozen=True, slots=True)
class Line:
    """Some cues in a row that one speaker says."""

    start_ms: int
    speaker: str | None
    text: str

    def literal(self) -> str:
        """Return it as `[seconds, speaker, text]`; the speaker is empty where the transcript names nobody."""
        return literal([seconds(self.start_ms), field(self.speaker) or "", self.text])


def seconds(milliseconds: int) -> int | float:
    """Return seconds to a tenth, without a point where there are no tenths.

    >>> seconds(62_000), seconds(754_540)
    (62, 754.5)
    """
    tenths = round(milliseconds / 100)
    return tenths / 10 if tenths % 10 else tenths // 10


def lines_of(cues: Iterable[Cue], at_ms: int | None = None) -> list[Line]:
    """Join cues to lines. A new one begins with each speaker, with each turn, and with the cue of a moment."""
    lines: list[Line] = []
    gathered: list[Cue] = []
    size = 0.0
    for cue in cues:
        begins = gathered and (
            size >= _LINE_TOKENS
            or cue.start_ms - gathered[0].start_ms >= _LINE_MS
            or cue.turn
            or cue.speaker != gathered[-1].speaker
            or (at_ms is not None and gathered[0].start_ms < at_ms <= cue.start_ms)
        )
        if begins:
            lines.append(_joined(gathered))
            gathered, size = [], 0.0
        gathered.append(cue)
        size += tokens(cue.text)
    return [*lines, _joined(gathered)] if gathered else lines


def fitting(lines: Sequence[Line], at_ms: int, most_tokens: float) -> list[Line]:
    """Return the lines around a moment that fit into some tokens: the one said then, what follows, then what is before.

    The first line is always among them, cut where it alone is too long.
    """
    if not lines:
        return []
    first = max((place for place, line in enumerate(lines) if line.start_ms <= at_ms), default=0)
    room = most_tokens - _size(lines[first])
    if room < 0:
        return [_cut(lines[first], most_tokens)]
    stop = first + 1
    while stop < len(lines) and _size(lines[stop]) <= room:
        room -= _size(lines[stop])
        stop += 1
    while first > 0 and stop == len(lines) and _size(lines[first - 1]) <= room:
        first -= 1
        room -= _size(lines[first])
    return list(lines[first:stop])


def _joined(cues: Sequence[Cue]) -> Line:
    return Line(cues[0].start_ms, cues[0].speaker, join_lines(cue.text for cue in cues))


def _size(line: Line) -> float:
    return tokens(line.literal())


def _cut(line: Line, most_tokens: float) -> Line:
    """Return a line with as many characters as fit, and a sign that more are said."""
    shortest, longest = 1, len(line.text)
    while shortest < longest:
        middle = (shortest + longest + 1) // 2
        if _size(replace(line, text=f"{line.text[:middle]}…")) <= most_tokens:
            shortest = middle
        else:
            longest = middle - 1
    return replace(line, text=f"{line.text[:shortest]}…")
