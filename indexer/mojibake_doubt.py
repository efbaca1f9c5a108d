"""How sure each damaged character is, and the edits that come of it."""

from __future__ import annotations

import math
from collections.abc import Iterator

from .mojibake_edits import Edit
from .mojibake_histories import Found
from .mojibake_lattice import Piece
from .mojibake_letters import Style, gain, literal

SURE = 0.95
"""The share of a candidate from which it counts as certain."""
POSSIBLE = 0.03
"""The share from which a candidate is named as an alternative."""
TOO_CLOSE = 0.30
"""Below this share the best candidate is not written down."""


def shares(pieces: tuple[Piece, ...], at: int, context: str, style: Style) -> list[tuple[float, str]]:
    """How the candidates of one damaged character share the probability, all other characters as they were read."""
    piece = pieces[at]
    before = (context + "".join(p.char for p in pieces[max(0, at - 60) : at]))[-60:]
    after = "".join(p.char for p in pieces[at + 1 : at + 5])
    scores = []
    for char, cost in piece.others:
        scores.append((gain(before, char, style) - cost + literal(after, before + char, style), char))
    top = max(score for score, _ in scores)
    whole = sum(math.exp(score - top) for score, _ in scores)
    return sorted(((math.exp(score - top) / whole, char) for score, char in scores), reverse=True)


def edits_of(text: str, found: Found) -> Iterator[Edit]:
    """The edits that make a reading: runs of certain characters together, each doubtful one by itself."""
    rule = found.channel.name
    run: list[Piece] = []

    def flush() -> Iterator[Edit]:
        if run:
            start, end = run[0].start + found.start, run[-1].end + found.start
            yield Edit(start, end, text[start:end], "".join(p.char for p in run), rule, True)
            run.clear()

    pieces = found.reading.pieces
    for at, piece in enumerate(pieces):
        if not piece.damaged:
            yield from flush()
            continue
        if len(piece.others) == 1:
            run.append(piece)
            continue
        ranking = shares(pieces, at, found.context, found.style)
        share = next(s for s, c in ranking if c == piece.char)
        if share >= SURE:
            run.append(piece)
            continue
        yield from flush()
        start, end = piece.start + found.start, piece.end + found.start
        before = text[start:end]
        rest = tuple(c for s, c in ranking if s >= POSSIBLE and c != piece.char)[:8]
        if share < TOO_CLOSE:
            yield Edit(start, end, before, before, rule, False, (piece.char, *rest))
        else:
            yield Edit(start, end, before, piece.char, rule, False, rest)
    yield from flush()
