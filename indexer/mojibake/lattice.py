"""Damaged text read: every character's candidates, and the likeliest path through them.

Read backwards, a channel gives for every stretch of text the characters that it may have been. A beam search keeps the
readings that the letters before make likely.
"""

from __future__ import annotations

import math
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from functools import cache

from .codepages import Channel, byte_looks, bytes_of, openers, spell
from .letter_model import TAIL, Style, gain, likelihood
from .ngrams import chinese, load
from .quotation import paired, pairing

LITERAL = 6.0
"""To take a character for healthy in the middle of damage, although damage could have made it."""
ONCE = 6.0
"""To take a character for read once in the middle of what was read twice."""
RUN = 16
"""Characters to each side that tell of it."""
BEAM = 12
"""Readings kept side by side while code pages are compared, ..."""
WIDE = 64
"""... and once the page is known: where characters have dozens of candidates, too few readings hide the doubt."""
HOPELESS = 10.0
"""A reading that has fallen behind this far is given up."""
EVEN = 0.7
"""How much of the differences in score counts when readings are weighed against each other."""
REACH = 80
"""Characters before a quotation mark in which it may have been opened."""
DOUBTFUL = 7.0
"""A reading beside the first `BEAM` is kept while it has fallen behind less than this, and so tells of doubt."""
MOST = 80
"""Candidates looked at for one damaged character."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One character of a reading: where it stands in the original, and whether it was put back."""

    start: int
    end: int
    char: str
    damaged: bool
    others: tuple[tuple[str, float], ...] = ()
    """For a damaged character, every candidate with the cost of its looks."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A whole reading of a span."""

    pieces: tuple[Piece, ...]
    score: float
    shares: dict[tuple[int, str], float]
    """What a damaged character with several candidates, by where it begins, has of the probability of all readings."""


@cache
def _repertoire(lead: int) -> tuple[str, ...]:
    """Characters that a damaged one beginning with this byte may have been: letters the statistics know, and signs."""
    names = {
        0xC2: ["signs"], 0xCD: ["grek", "latn"], 0xCE: ["grek"], 0xCF: ["grek"], 0xE0: ["deva", "thai"],
        0xE1: ["latn", "grek"], 0xE2: ["signs"], 0xE3: ["jpan", "signs"], 0xEF: ["signs"], 0xF0: ["signs", "hani"],
    }.get(lead)  # fmt: skip
    if names is None:
        if lead < 0xCE:
            names = ["latn"]
        elif lead < 0xD5:
            names = ["cyrl"]
        elif lead < 0xD8:
            names = ["hebr"]
        elif lead < 0xE0:
            names = ["arab"]
        elif lead < 0xEA:
            names = ["hani", "jpan"]
        else:
            names = ["kore"] if lead < 0xEE else []
    found: set[str] = set()
    for name in names:
        for c in load(name).lines:
            if c > "\x7f":
                found |= {c, c.upper()} if len(c.upper()) == 1 else {c}
        if name == "hani":
            found |= set(chinese()[0])
    if "signs" in names:
        found |= {chr(i) for first, last in _PICTURES for i in range(first, last) if chr(i).isprintable()}
    return tuple(sorted(c for c in found if c.encode("utf-8")[0] == lead))


_PICTURES = ((0xA0, 0xC0), (0x2010, 0x2060), (0x2190, 0x2200), (0x2600, 0x27C0), (0xFE0F, 0xFE10), (0xFF00, 0xFFF0),
             (0x1F300, 0x1F650), (0x1F680, 0x1F700), (0x1F900, 0x1FA00), (0x1FA70, 0x1FB00))  # fmt: skip


@cache
def _candidates(channel: Channel, lead: int) -> dict[str, tuple[tuple[str, float], ...]]:
    """What may be seen of characters beginning with a lead byte: the characters behind it, with costs."""
    table = byte_looks(channel)
    found: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for char in _repertoire(lead):
        for seen, cost in spell(char, table):
            if seen:
                found[seen].append((char, cost))
    return {seen: tuple(chars) for seen, chars in found.items()}


@cache
def _longest(channel: Channel, lead: int) -> int:
    return max(map(len, _candidates(channel, lead)), default=0)


def unhurt_at(text: str, i: int, channel: Channel) -> tuple[int, str] | None:
    """(end, character) of a sequence at `i` that lost nothing, whatever character it is."""
    if len(channel.pages) > 1:
        return None
    back = bytes_of(channel.pages[0])
    lead = back.get(text[i], 0)
    n = 2 if 0xC2 <= lead < 0xE0 else 3 if 0xE0 <= lead < 0xF0 else 4 if 0xF0 <= lead < 0xF5 else 0
    if not n or i + n > len(text):
        return None
    try:
        char = bytes(back.get(c, 0) for c in text[i : i + n]).decode("utf-8")
    except UnicodeDecodeError:
        return None
    return (i + n, char) if len(char) == 1 and unicodedata.category(char) not in ("Cn", "Co", "Cs") else None


def _once(text: str, i: int, page: str) -> bool:
    """Whether the characters around `i` that are not ASCII are whole UTF-8 read once: inside them nothing changes."""
    start, end = i, i + 1
    while start > max(0, i - RUN) and text[start - 1] > "\x7f":
        start -= 1
    while end < min(len(text), i + RUN) and text[end] > "\x7f":
        end += 1
    back = bytes_of(page)
    try:
        read = bytes(back.get(c, 0) for c in text[start:end]).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not any(c < "\xa0" for c in read)


def _edges(text: str, i: int, channel: Channel) -> dict[int, list[tuple[str, float]]]:
    """Damaged characters that may begin at `i`: by where they end, the candidates with the costs of their looks."""
    found: dict[int, list[tuple[str, float]]] = defaultdict(list)
    for lead in openers(channel).get(text[i], ()):
        table = _candidates(channel, lead)
        for n in range(1, min(_longest(channel, lead), len(text) - i) + 1):
            for char, cost in table.get(text[i : i + n], ()):
                found[i + n].append((char, cost))
    unhurt = unhurt_at(text, i, channel)
    if unhurt and unhurt[1] not in {c for c, _ in found.get(unhurt[0], ())}:
        found[unhurt[0]].append((unhurt[1], 0.0))
    if len(channel.pages) > 1:
        # Without this, what was read once is taken for what lost bytes twice, and characters are invented.
        once = unhurt_at(text, i, Channel(channel.pages[-1:]))
        if once and not found.get(once[0]) and _once(text, i, channel.pages[-1]):
            found[once[0]].append((once[1], ONCE))
    return found


@dataclass(slots=True, eq=False)
class _State:
    """The best way to a place in the text with certain letters last, and every way there."""

    score: float
    before: str
    opened: str
    last: tuple[_State, Piece] | None
    ways: list[tuple[_State, Piece, float]]
    """The states before, with what each adds to the score."""


@cache
def _own(channel: Channel) -> frozenset[str]:
    """The characters that a channel may show."""
    return frozenset("".join(seen for table in byte_looks(channel) for seen, _ in table))


def decode(text: str, context: str, channel: Channel, style: Style, beam: int = BEAM) -> Reading | None:
    """The likeliest reading of damaged text; None where it has none. `shares` are told by a wide beam only."""
    own = _own(channel)
    beams: list[dict[tuple[str, str], _State]] = [{} for _ in range(len(text) + 1)]
    beams[0]["", ""] = _State(0.0, context, pairing(context)[0], None, [])
    kept: list[_State] = []
    for i, here in enumerate(text):
        states = beams[i]
        if not states:
            continue
        beams[i] = {}
        top = max(state.score for state in states.values())
        best = [state for state in states.values() if state.score > top - HOPELESS]
        if len(best) > BEAM:
            best = sorted(best, key=lambda state: -state.score)[:beam]
            best = [state for n, state in enumerate(best) if n < BEAM or state.score > top - DOUBTFUL]
        kept += best
        edges = _edges(text, i, channel) if here > "\x7f" else {}
        literal = 0.0 if here <= "\x7f" or here not in own else -LITERAL
        steps: list[tuple[int, list[tuple[str, float]], bool]] = [(i + 1, [(here, -literal)], False)]
        for end, chars in edges.items():
            steps.append((end, _likeliest(chars, best[0].before, style), True))
        for end, chars, damaged in steps:
            onward = beams[end]
            others = tuple(chars) if damaged else ()
            for char, cost in chars:
                piece = Piece(i, end, char, damaged, others)
                for state in best:
                    after_opened, more = paired(state.opened, char)
                    added = gain(state.before, char, style) - cost + more
                    total = state.score + added
                    after = state.before[-REACH:] + char
                    key = after[-5:], after_opened
                    known = onward.get(key)
                    if known is None:
                        onward[key] = _State(total, after, after_opened, (state, piece), [(state, piece, added)])
                        continue
                    known.ways.append((state, piece, added))
                    if total > known.score:
                        known.score, known.before, known.last = total, after, (state, piece)
    if not beams[-1]:
        return None
    ends = list(beams[-1].values())
    state = max(ends, key=lambda state: state.score)
    score = state.score
    pieces = []
    while state.last is not None:
        state, piece = state.last
        pieces.append(piece)
    return Reading(tuple(reversed(pieces)), score, _shares(kept, ends) if beam > BEAM else {})


def _shares(kept: list[_State], ends: list[_State]) -> dict[tuple[int, str], float]:
    """What each character, by where it begins, has of the probability of all readings together.

    Forward and backward sums over all ways (Wessel, Schlueter, Macherey and Ney 2001, for words of recognised speech).
    Letters that depend on each other make one another likely; only all of them read otherwise shows the doubt. As
    there, scores are scaled down: a model's odds are too sure of themselves.
    """
    forward: dict[int, float] = {}
    for state in [*kept, *ends]:
        into = [forward[id(before)] + added * EVEN for before, _, added in state.ways]
        forward[id(state)] = _sum(into) if into else 0.0
    top = _sum([forward[id(state)] for state in ends])
    backward = {id(state): 0.0 for state in ends}
    shares: dict[tuple[int, str], float] = defaultdict(float)
    for state in reversed([*kept, *ends]):
        onward = backward.get(id(state))
        if onward is None:  # no way on from here
            continue
        for before, piece, added in state.ways:
            rest = onward + added * EVEN
            known = backward.get(id(before))
            backward[id(before)] = rest if known is None else _sum([known, rest])
            if len(piece.others) > 1:
                shares[piece.start, piece.char] += math.exp(forward[id(before)] + rest - top)
    return shares


def _sum(logs: list[float]) -> float:
    top = max(logs)
    return top + math.log(sum(math.exp(x - top) for x in logs))


def _likeliest(chars: list[tuple[str, float]], before: str, style: Style) -> list[tuple[str, float]]:
    if len(chars) <= MOST:
        return chars
    return sorted(chars, key=lambda item: item[1] - likelihood(before[-TAIL:], item[0], style))[:MOST]
