"""Which stretches of a text went through which code pages, decided by odds against the text as it stands."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass

from .codepages import CODECS, RARER, Channel, bytes_of, gate, instead, read_back
from .detect import LONE, Span, asked_instead, cut_short, explained, lines_of, spans
from .lattice import REACH, Reading, decode, unhurt_at
from .letter_model import Style, literal, respelled
from .ngrams import chinese, latin_language, script
from .quotation import pairing

# Costs and thresholds in nats (natural logarithms of odds). They are priors, set before any measurement.
MARGIN = 9.0
"""How much likelier the repaired text must be than the original, for several characters that stand together, ..."""
MARGIN_ALONE = 12.0
"""... for a single one, ..."""
MARGIN_GUESS = 20.0
"""... for a single one that lost a byte, ..."""
MARGIN_ODD = 30.0
"""... for a single one whose look ftfy's list of unlikely neighbours does not know, ..."""
MARGIN_TWICE = 30.0
"""... for anything that went through two pages, which can explain much (never where nothing is sure), ..."""
MARGIN_AGAIN = 3.0
"""... and where the rest of the text went through that code page beyond doubt."""
MARGIN_BOLD = 5.0
"""... and there for a word whose only trace of damage is a lone lead character."""
BEYOND_DOUBT = 40.0
ROUNDS = 6
"""How many histories the lines of one text may have."""
SAMPLE = 300
"""Damaged characters that are enough to tell the page by."""


def _style_counts(text: str, channel: Channel) -> Counter[str]:
    """What the characters that lost nothing say: how many kana, and traditional and simplified Han characters."""
    counts: Counter[str] = Counter()
    i = 0
    while i < len(text):
        unhurt = unhurt_at(text, i, channel) if text[i] > "\x7f" else None
        if unhurt is None:
            i += 1
            continue
        i, char = unhurt
        name = script(char)
        if name == "jpan":
            counts["kana"] += 1
        elif name == "hani":
            counts["han"] += 1
            simple = chinese()[0].get(char, char)
            if simple != char:
                counts["traditional"] += 1
            elif char in respelled() and chinese()[1].get(char + char, -9.0) < -2.0:
                counts["simplified"] += 1
    return counts


def _style(here: Counter[str], around: Counter[str], latin: str) -> Style:
    if here["kana"] or (not here["simplified"] and around["kana"] > around["han"] / 4):
        return Style("jpan", latin=latin)
    told = here["traditional"] - here["simplified"]
    if abs(told) < 2:
        told = around["traditional"] - around["simplified"]
    return Style("hani", told > 0 if told else None, latin)


@dataclass(frozen=True, slots=True)
class Found:
    """A span read through a channel, and how much likelier that is than the original."""

    start: int
    end: int
    reading: Reading
    style: Style
    channel: Channel
    margin: float
    context: str
    piece: str
    """The text that was read: the span and a little more, to the end of a word."""


_CONTROL = re.compile("[\x80-\x9f]")
_HALF = re.compile(
    "[\xc2-\xdf][\x80-\x9f]|[\xe0-\xef](?:[\x80-\x9f][\x80-\xbf]|[\x80-\xbf][\x80-\x9f])"
    "|[\xf0-\xf4](?=[\x80-\xbf]{0,2}[\x80-\x9f])[\x80-\xbf]{3}"
)
"""UTF-8 that was read as latin-1, at least one C1 control among its characters."""


def _alive(text: str, page: str) -> str:
    """Those fragile characters that the text still shows, and `?` where it stands inside damaged characters."""
    controls = "\x80" if _CONTROL.search(text) else ""
    asked = "?" if instead(page).search(text) and asked_instead(text, page) else ""
    return controls + asked + "".join(c for c in "\xa0\xad\ufffd" if c in text)


def _read(text: str, pages: tuple[str, ...], lines: list[Span], taken: list[Found] | None = None) -> list[Found]:
    """Read every suspicious stretch of the lines through one channel.

    With `taken`, what was found before, boldly: lone lead characters too, wherever nothing is taken yet.
    """
    outer = pages[-1]
    stretches = []
    for line in lines:
        for span in spans(text[line.start : line.end], outer, bold=taken is not None):
            start, end = line.start + span.start, line.start + span.end
            if not any(f.start < end and start < f.end for f in taken or ()):
                stretches.append(Span(start, end))
    if not stretches:
        return []
    shown = "\n".join(text[s.start : s.end] for s in stretches)
    kept = len(pages) > 1 and _CONTROL.search(read_back(shown, outer)) is not None
    channel = Channel(pages, _alive(shown, outer), kept)
    latin = latin_language("\n".join(text[line.start : line.end] for line in lines))
    around: Counter[str] = Counter()
    each = []
    for s in stretches:
        each.append(_style_counts(text[s.start : s.end], channel))
        around.update(each[-1])
    found = []
    for s, counts in zip(stretches, each, strict=True):
        style = _style(counts, around, latin)
        context = text[max(text.rfind("\n", 0, s.start), s.start - REACH, 0) : s.start] or "\n"
        end = s.end
        while end < len(text) and end < s.end + 4 and text[end] not in "\r\n" and text[end] < "\x80":
            end += 1
        piece = text[s.start : end]
        if end == len(text) or text[end] in "\r\n":
            piece += "\n"  # that a word ends here tells what its last letter was
        reading = decode(piece, context, channel, style)
        if reading is None or not any(p.damaged for p in reading.pieces):
            continue
        if _HALF.search("".join(p.char for p in reading.pieces)):
            continue  # one step too few was undone, and nobody meant C1 controls
        plain = max(literal(piece, context, other) for other in {Style(), style})
        plain += pairing(piece, pairing(context)[0])[1]
        found.append(Found(s.start, end, reading, style, channel, reading.score - plain, context, piece))
    return found


def _inner(text: str, lines: list[Span], outer: str) -> list[str]:
    """The pages through which text may have gone before `outer`: what `outer` reads must look like damage of theirs."""
    once = "".join(read_back(text[line.start : line.end], outer) for line in lines)
    strange = [c for c in once if c > "\x7f"]
    together = sum(len(run) for run in re.findall("[^\x00-\x7f]{2,}", once))
    if 2 * together < len(strange):
        return []
    pages = [page for page in CODECS if 10 * sum(c in bytes_of(page) for c in strange) > 9 * len(strange)]
    return sorted(pages, key=lambda page: (page != outer, -len(gate(page).findall(once))))[:3]


def choose(text: str, lines: list[Span]) -> list[Found]:
    """The stretches to put back.

    The page that explains the most is read first; the lines that it leaves suspicious are asked again, since a file
    may be put together from lines of different histories.
    """
    chosen: list[Found] = []
    for _ in range(ROUNDS):
        found = _best(text, lines)
        if not found:
            break
        chosen += found
        if sum(f.margin for f in found) > BEYOND_DOUBT:
            rest = _read(text, found[0].channel.pages, lines_of(text), taken=chosen)
            chosen += [f for f in rest if f.margin >= MARGIN_BOLD]
        lines = [line for line in lines if not any(line.start <= f.start < line.end for f in chosen)]
        if not lines:
            break
    return chosen


def _best(text: str, lines: list[Span]) -> list[Found]:
    """The stretches that the likeliest page, or pair of pages, explains."""
    counted = {page: counts for page in CODECS if (counts := explained(text, lines, page))[0] > 0}
    if not counted:
        return []
    most = max(gross - over for gross, over in counted.values())
    # Counts only leave out the hopeless: how likely the whole text is to read decides. A page that holds every
    # character is asked even if it explains less, since what lost nothing counts alike through all of them.
    near = [
        p
        for p, (gross, over) in counted.items()
        if gross - over >= most - max(3.0, 0.15 * gross) or (not over and 2 * gross >= most)
    ]
    pages = sorted(near, key=lambda page: (counted[page][1] > 0, counted[page][1] - counted[page][0]))
    sample = _sample(text, lines, pages)
    chains: list[tuple[str, ...]] = [(page,) for page in pages[:5]]
    chains += [(inner, outer) for outer in pages[:2] for inner in _inner(text, sample, outer)]
    best: list[Found] = []
    worth = 0.0
    for chain in chains:
        found = _read(text, chain, sample)
        rare = RARER * sum(map(tuple(CODECS).index, chain))
        total = sum(max(0.0, f.margin) for f in found) - rare
        if total > worth:
            worth, best = total, found
    if not best:
        return []
    if sample is not lines:
        best = _read(text, best[0].channel.pages, lines)
        worth = sum(max(0.0, f.margin) for f in best)
    return [f for f in best if f.margin >= _enough(text, f, worth - max(0.0, f.margin))]


def _sample(text: str, lines: list[Span], pages: list[str]) -> list[Span]:
    """Lines to tell the page by: the first ones, and those with most characters that any of the pages calls cut short.

    Pages differ in which bytes they lose, so what lost nothing tells them not apart.
    """
    sizes = [sum(c > "\x7f" for c in text[line.start : line.end]) for line in lines]
    if sum(sizes) <= SAMPLE:
        return lines
    short = [max(cut_short(text[line.start : line.end], page) for page in pages[:5]) for line in lines]
    chosen: set[int] = set()
    for order in (range(len(lines)), sorted(range(len(lines)), key=lambda n: -short[n])):
        size = 0
        for n in order:
            chosen.add(n)
            size += sizes[n]
            if size > SAMPLE / 2:
                break
    return [lines[n] for n in sorted(chosen)]


def _enough(text: str, found: Found, elsewhere: float) -> float:
    """The margin a stretch must reach, given what the same channel explains elsewhere in the text."""
    damaged = [piece for piece in found.reading.pieces if piece.damaged]
    guess = len(damaged) <= 3 and all(len(piece.others) > 1 for piece in damaged)  # nothing in it is sure
    if elsewhere > BEYOND_DOUBT * (5 if guess and len(found.channel.pages) > 1 else 1):
        return MARGIN_AGAIN
    if len(found.channel.pages) > 1:
        return math.inf if guess else MARGIN_TWICE
    if len(damaged) > 1:
        return MARGIN_GUESS if guess else MARGIN
    from ftfy.badness import is_bad  # here, because few texts come this far and importing ftfy takes a while

    before = text[found.start : found.end]
    if not is_bad(before) and not LONE.search(before):
        return MARGIN_ODD
    return MARGIN_GUESS if guess else MARGIN_ALONE
