"""Rolling captions whose cues were run together into one string, taken apart again.

YouTube's automatic captions show two lines. A new line is written below the last one; when it is complete it moves up,
is held alone for 10 ms, and stays as the upper line while the next is written. So a file of such cues holds a line
A1, that another line follows, three times (new, held, upper), and the last line before a pause once, because after the
pause both lines are cleared and there is nothing to hold::

    A1 | A1 | A1 A2 | A2 | A2 A3 | (cleared) | B1 | B1 | B1 B2 ...

A scraper that joins the cues, and drops times and tags, leaves `A1 A1 A1 A2 A2 A2 A3 B1 B1 B1 B2 ...`. One that drops
the held cues, or equal neighbours, leaves `A1 A1 A2 A2 A3 B1 B1 B2 ...`. `unfold` finds the lines again by the
cheapest way to write the whole string down as such a sequence (minimum description length, by dynamic programming), so
that what was really said twice, inside a line or as two lines, stays said twice. It also returns what the scraper did
not mean to tell: a line said once is one before a pause.
"""

from __future__ import annotations

import html
import math
import re
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import numpy as np

from talksearch.indexer.text.counting import is_monotonous
from talksearch.indexer.text.plain import count_words, shared_tokens_of, single_spaced, tokens_in, tokens_of, width_of
from talksearch.indexer.text.sentences import ends_with_stop

from .folds import MOST_COPIES, Folds, Numbers, folds_of

_BREAK_COST = 3.2
"""Nats for a line that ends a run, -ln 0.04: one line in 25 is followed by a pause long enough to clear the screen
(2,873 of 72,419 lines of 75 automatically captioned talks)."""
_FULL_COST = 0.2
"""Nats for a line that ends because the next word no longer fits: four lines in five do, -ln 0.8."""
_SHORT_COST = 4.5
"""Nats for a line that ends anywhere else, -ln(0.2 / 20)."""
_IRREGULAR_COST = 8.0
"""Nats for a line that stands there more than once but less often than the others."""
_ROUNDING = 1e-9
"""The share by which sums of so many numbers may be off."""
_TOO_WIDE, _MISSING_COPY = 1, 2
"""Bits for what makes a fold dearer: it is wider than lines are, or a copy of it is missing."""
_FEWEST_ROWS = 24
"""A text of fewer may hold a verse or a refrain."""
_VOCABULARY = 20_000
"""Words that a speaker chooses from, seen once each before the text begins."""
_ECHO_COST = 4.0
"""Nats for saying the last word again: speakers do that far more often than chance."""
_LABEL_COST = 1.0
"""Nats for `[music]` or `>>`, which carry no speech and often follow each other."""
_LABEL = re.compile(r"^(?:>>+|[\[(♪]\S*|\S*[\])♪])$")


@dataclass(frozen=True, slots=True)
class Line:
    """One caption line of the text."""

    text: str
    times: int
    """How often it stood there."""
    start: int = 0
    """Which token of the text is its first one, counted from 0."""
    pause_before: bool = False
    pause_after: bool = False
    """The screen was cleared after it: nobody spoke for some seconds."""


@dataclass(frozen=True, slots=True)
class Unfolded:
    """A text as the lines that were said, in order."""

    lines: tuple[Line, ...]
    copies: int
    """How often the text holds a line that another one follows: 3 or 2, and 1 where nothing was folded."""
    words_before: int
    words_after: int

    @property
    def folded(self) -> bool:
        """Whether the text was flattened rolling captions at all."""
        return self.copies > 1


def unfold(text: str) -> Unfolded:
    """Take flattened rolling captions apart into the lines that were said; leave any other text as it is.

    A text that was not flattened comes back with `copies` 1 and its words unchanged, cut at its line breaks, or at
    sentence ends, or where it has neither at about the width of a caption.

    >>> said = ["So to close out the show, I'd like to", "dive a little bit deeper into", "very, very long and", "end."]
    >>> text = " ".join(f"{line} {line} {line}" for line in said[:3]) + " end."
    >>> [line.text for line in unfold(text).lines] == said
    True
    >>> [line.text for line in unfold("He said no no no. Then he left.").lines]
    ['He said no no no.', 'Then he left.']
    """
    tokens = shared_tokens_of(text)
    before = count_words(text)
    by_rows = _unfold_rows(text)
    if by_rows is not None:
        copies, lines = by_rows
        return Unfolded(lines, copies, before, sum(count_words(line.text) for line in lines))
    best: tuple[float, int, list[_Part]] | None = None
    # In prose hardly anything repeats at once, and to read it takes long.
    if len(tokens) >= 6 and not is_monotonous(tokens) and (folds := folds_of(tokens)).are_half():
        written = _Written.of(tokens, folds)
        plain = sum(written.literal)
        for copies in (3, 2):
            if best is not None and best[0] < _least_of_two(written):
                break
            cost, parts = _parse(written, copies, _USUAL)
            if cost < plain and _is_folded(parts, tokens) and (best is None or cost < best[0]):
                best = (cost, copies, parts)
        if best is not None:
            # Speakers pause more or less often: once more with how often this one did.
            cost, parts = _parse(written, best[1], _costs_of(best[2], tokens, best[1]))
            if _is_folded(parts, tokens):
                best = (cost, best[1], parts)
    if best is None:
        return Unfolded(tuple(Line(line, 1) for line in cut_lines(text)), 1, before, before)
    _, copies, parts = best
    lines = _lines(parts, tokens)
    return Unfolded(lines, copies, before, sum(count_words(line.text) for line in lines))


def _unfold_rows(text: str) -> tuple[int, tuple[Line, ...]] | None:
    """Unfold a text that kept the line breaks of its captions: no border has to be guessed. None where it did not.

    Equal rows in a row are one line for every `copies` of them; one row that is left over is one more line, before a
    pause.
    """
    rows = [row for row in (tokens_of(row) for row in text.replace("\r", "\n").split("\n")) if row]
    if len(rows) < _FEWEST_ROWS:
        return None
    runs: list[tuple[int, list[str]]] = []
    for row in rows:
        if runs and runs[-1][1] == row:
            runs[-1] = (runs[-1][0] + 1, row)
        else:
            runs.append((1, row))
    times = Counter(number for number, _ in runs)
    copies = max((3, 2), key=lambda number: times[number])
    whole = sum(count * number for number, count in times.items() if number % copies == 0)
    if whole < 0.8 * len(rows):
        return None
    lines: list[Line] = []
    position = 0
    for i, (number, row) in enumerate(runs):
        left = number % copies
        shown = [copies] * (number // copies) + [left] * bool(left)
        for times_shown in shown:
            lines.append(Line(" ".join(row), times_shown, position, False, times_shown == 1 and i + 1 < len(runs)))
            position += len(row) * times_shown
    pauses = [False, *(line.pause_after for line in lines[:-1])]
    return copies, tuple(replace(line, pause_before=pause) for line, pause in zip(lines, pauses, strict=True))


@dataclass(frozen=True, slots=True)
class _Costs:
    """Nats for where lines end: at the full width, short of it, and at the end of a run; and for a missing copy."""

    full: float
    short: float
    run_end: float
    irregular: float


_USUAL = _Costs(_FULL_COST, _SHORT_COST, _BREAK_COST, _IRREGULAR_COST)


def _costs_of(parts: Sequence[_Part], tokens: Sequence[str], copies: int) -> _Costs:
    """What lines of this text cost, from a first reading of it."""
    lines = _lines(parts, tokens)
    full = np.percentile([width_of(line.text) for line in lines], 90)
    firsts = [width_of(tokens_of(line.text)[0]) for line in lines[1:]]
    rolled = [i for i, line in enumerate(lines[:-1]) if line.times > 1]
    short = sum(width_of(lines[i].text) + 1 + firsts[i] <= full for i in rolled)
    share = min(0.6, max(0.02, (short + 1) / (len(rolled) + 5)))
    ends = min(0.3, max(0.005, (sum(line.pause_after for line in lines) + 1) / (len(lines) + 25)))
    missing = sum(1 < line.times < copies for line in lines) / len(lines)
    irregular = min(_IRREGULAR_COST, -math.log(max(missing, 1e-9)))
    return _Costs(-math.log(1 - share), -math.log(share / 20), -math.log(ends), irregular)


@dataclass(frozen=True, slots=True)
class _Part:
    """`length` tokens from `start` on, standing there `times` times; `times` 1 for tokens outside any fold."""

    start: int
    length: int
    times: int
    taken: int
    """Tokens from `start` to the next part; less than all copies where the text's end cut off the last."""


def _literal_costs(tokens: Sequence[str]) -> list[float]:
    """Nats for writing each token down, from how often it occurs in this text; labels and echoes are cheap."""
    total = len(tokens) + _VOCABULARY
    once = {token: math.log(total / count) for token, count in Counter(tokens).items()}
    labels = {token for token in once if _LABEL.match(html.unescape(token))}
    costs = []
    previous = ""
    for token in tokens:
        cost = once[token]
        if token in labels:
            cost = _LABEL_COST
        elif token == previous:
            cost = min(cost, _ECHO_COST)
        costs.append(cost)
        previous = token
    return costs


@dataclass(slots=True)
class _Written:
    """A text as what its readings are made of; sums are of all that stands before a token (n + 1,)."""

    tokens: Sequence[str]
    literal: Sequence[float]
    """Nats for writing each token down (n,)."""
    sums: array[float]
    widths: array[int]
    """Columns, with a space behind each token."""
    folds: Folds
    """The places where tokens repeat."""

    @staticmethod
    def of(tokens: Sequence[str], folds: Folds) -> _Written:
        """Measure a text."""
        literal = _literal_costs(tokens)
        columns = {token: width_of(token) + 1 for token in set(tokens)}
        widths = array("q", accumulate((columns[token] for token in tokens), initial=0))
        return _Written(tokens, literal, array("d", accumulate(literal, initial=0.0)), widths, folds)


def _parse(written: _Written, copies: int, costs: _Costs) -> tuple[float, list[_Part]]:
    """The cheapest reading of a text as lines that stand there `copies` times and stretches that stand there once.

    Read backwards: `cost[i]` is the cheapest way to write down tokens i to the end. Two states: `line`, a line begins
    at i; `inside`, i continues a stretch that stands there once.
    """
    n = len(written.tokens)
    literal = written.literal
    folds = written.folds if copies == MOST_COPIES else written.folds.of_two()
    first, taken = array("i", folds.first.tobytes()), array("i", folds.taken.tobytes())
    known, dearer = _known_costs(written, folds, copies, costs)
    run_end = costs.run_end
    fold = array("d", [math.inf]) * n  # lists of floats would take four times the memory
    choice = array("i", [0]) * n
    line = array("d", [0.0]) * (n + 1)
    inside = array("d", [0.0]) * (n + 1)
    for i in range(n - 1, -1, -1):  # most of the time of reading flattened captions is spent here
        best = math.inf
        for option in range(first[i], first[i + 1]):
            cost = known[option] + line[i + taken[option]]
            if dearer[option]:
                cost += _IRREGULAR_COST if dearer[option] & _TOO_WIDE else 0.0
                cost += costs.irregular if dearer[option] & _MISSING_COPY else 0.0
            if cost < best:
                best = cost
                choice[i] = option
        fold[i] = best
        once = literal[i] + inside[i + 1]
        begun = once + run_end
        line[i] = best if best < begun else begun
        inside[i] = best if best < once else once
    parts: list[_Part] = []
    i = 0
    in_stretch = False
    while i < n:
        once = literal[i] + inside[i + 1] + (0.0 if in_stretch else costs.run_end)
        if fold[i] <= once:
            option = choice[i]
            parts.append(_Part(i, int(folds.lengths[option]), int(folds.times[option]), taken[option]))
            i += taken[option]
            in_stretch = False
        else:
            parts.append(_Part(i, 1, 1, 1))
            i += 1
            in_stretch = True
    return line[0] if n else 0.0, parts


def _least_of_two(written: _Written) -> float:
    """Nats that a reading takes at least in which nothing stands there more than twice: half of the tokens are written
    down, each for no less than the cheapest of its kind. The last one may be a piece of another.
    """
    least: dict[str, float] = {}
    for token, cost in zip(written.tokens, written.literal, strict=True):
        if cost < least.get(token, math.inf):
            least[token] = cost
    return sum(least[token] for token in written.tokens[:-1]) / 2 * (1 - _ROUNDING)


def _known_costs(written: _Written, folds: Folds, copies: int, costs: _Costs) -> tuple[array[float], bytes]:
    """Return what each fold costs beside what stands behind it, and which costs are to be added at last."""
    n = len(written.tokens)
    sums, widths = np.frombuffer(written.sums), np.frombuffer(written.widths, np.int64)
    full = _full_width(widths, folds, copies)
    starts = folds.starts()
    behind, ends = starts + folds.lengths, starts + folds.taken
    width = widths[behind] - widths[starts] - 1
    following = widths[np.minimum(ends + 1, n)] - widths[ends]
    wide = (width > full) | ((ends < n) & (width + following > full))
    known = sums[behind] - sums[starts] + np.where(wide, costs.full, costs.short)
    missing = (folds.times < copies) & (ends < n)
    dearer = (width > 1.4 * full) * _TOO_WIDE + missing * _MISSING_COPY
    return array("d", known.tobytes()), dearer.astype(np.uint8).tobytes()


def _full_width(widths: Numbers, folds: Folds, copies: int) -> int:
    """The width that lines are filled to: nineteen in twenty of the longest folds are no wider."""
    longest = folds.longest(copies)
    starts = np.flatnonzero(longest >= 2)
    filled = widths[starts + longest[starts]] - widths[starts] - 1
    return int(np.percentile(filled, 90)) if len(filled) else 40


def _is_folded(parts: Iterable[_Part], tokens: Sequence[str]) -> bool:
    """Whether a reading shows captions, not a refrain: most of the text, several lines, of a caption's width."""
    widths = []
    covered = 0
    for part in parts:
        if part.times > 1:
            covered += part.length * part.times
            widths.append(width_of(" ".join(tokens[part.start : part.start + part.length])))
    if len(widths) < 3 or covered < len(tokens) / 2:
        return False
    return sum(width * width for width in widths) / sum(widths) >= 20


def _lines(parts: Sequence[_Part], tokens: Sequence[str]) -> tuple[Line, ...]:
    """Make lines of the parts; a stretch that stands there once is cut to the width of the others."""
    folded = [" ".join(tokens[part.start : part.start + part.length]) for part in parts if part.times > 1]
    full = int(np.percentile([width_of(line) for line in folded], 95, method="higher"))
    rows: list[Line] = []
    stretch: list[str] = []
    position = 0
    for part in [*parts, None]:
        if part is not None and part.taken == 1:
            stretch.append(tokens[part.start])
            continue
        for row in _fill(stretch, full):
            rows.append(Line(" ".join(row), 1, position))
            position += len(row)
        stretch = []
        if part is not None:
            text = " ".join(tokens[part.start : part.start + part.length])
            rows.append(Line(text, part.times, part.start))
            position = part.start + part.taken
    pauses = [row.times == 1 and i + 1 < len(rows) for i, row in enumerate(rows)]
    before = [False, *pauses[:-1]]
    return tuple(Line(row.text, row.times, row.start, a, b) for row, a, b in zip(rows, before, pauses, strict=True))


def _fill(tokens: Sequence[str], full: int) -> list[list[str]]:
    """Cut tokens into lines no wider than `full`, and before every `>>`."""
    lines: list[list[str]] = []
    for token in tokens:
        if not lines or width_of(" ".join([*lines[-1], token])) > full or html.unescape(token).startswith(">>"):
            lines.append([])
        lines[-1].append(token)
    return lines


def cut_lines(text: str, longest: int = 240) -> tuple[str, ...]:
    """Cut plain text into lines for cues: at its line breaks, long ones at sentence ends, what is still long by width.

    No word is lost or changed. `longest` is in columns.

    >>> cut_lines("One. Two?\\n\\nThree")
    ('One. Two?', 'Three')
    >>> cut_lines("One is said. Two?")
    ('One is said.', 'Two?')
    """
    rows = [row for row in map(single_spaced, text.replace("\r", "\n").split("\n")) if row]
    if len(rows) > 1 and all(width_of(row) <= longest for row in rows):
        return tuple(rows)
    lines: list[str] = []
    for row in rows:
        sentence: list[str] = []
        for token in tokens_in(row):
            sentence.append(token)
            if not token[-1].isalnum() and ends_with_stop(token):  # to ask of every word takes longest
                lines += _fill_long(sentence, longest)
                sentence = []
        lines += _fill_long(sentence, longest)
    return tuple(lines)


def _fill_long(tokens: Sequence[str], longest: int) -> list[str]:
    if not tokens:
        return []
    text = " ".join(tokens)
    return [text] if width_of(text) <= longest else [" ".join(row) for row in _fill(tokens, 40)]
