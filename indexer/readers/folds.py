"""Where tokens of a text stand there again at once: what flattened captions are told by (`flattened`).

Such a place is a fold: so many tokens, how many times they stand there, and how many tokens that takes up. They are
kept as columns of numbers, because nearly every token of flattened captions begins one or two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LONGEST_LINE = 48
"""Tokens of the longest line that is looked for. YouTube's lines hold 40 characters; two in one cue are below this."""
MOST_COPIES = 3
"""How often a line stands there at most: new, held and as the upper one."""
_MOST_FOLDS = 8
"""Lengths of lines, the shortest, that may begin at one token. Speech has one or two; of a word said a thousand times
every length would be one."""
_FEWEST_CUT_OFF = 4
"""Tokens of a line whose second copy the end of the text cuts off."""

Numbers = NDArray[np.int64]
_Column = NDArray[np.int32]
_Block = tuple[Numbers, Numbers, Numbers, Numbers]


@dataclass(frozen=True, slots=True, eq=False)
class Folds:
    """The folds of a text of n tokens, in the order of the tokens that they begin with; the shortest first."""

    first: _Column
    """For each token the number of its first fold, and behind them how many folds there are (n + 1,)."""
    lengths: _Column
    """Tokens that stand there again (folds,)."""
    times: _Column
    """How many times; 1 where the end of the text cuts off the second copy (folds,)."""
    taken: _Column
    """Tokens that are taken up in all; fewer than all copies have where the end of the text cuts one off (folds,)."""

    def starts(self) -> _Column:
        """Return the token that each fold begins with (folds,)."""
        return np.repeat(np.arange(len(self.first) - 1, dtype=np.int32), np.diff(self.first))

    def of_two(self) -> Folds:
        """Return what there is where no line stands there more than twice: what does so thrice does so twice too."""
        kept = (self.times == 1) | ((self.times == 2) & (self.taken == 2 * self.lengths))
        before = np.concatenate(([0], np.cumsum(kept, dtype=np.int32))).astype(np.int32)
        return Folds(before[self.first], self.lengths[kept], self.times[kept], self.taken[kept])

    def longest(self, times: int) -> Numbers:
        """Return how many tokens the longest line has that begins at a token and stands there so often (n,)."""
        longest = np.zeros(len(self.first) - 1, np.int64)
        alike = self.times == times
        np.maximum.at(longest, self.starts()[alike], self.lengths[alike])
        return longest

    def are_half(self) -> bool:
        """Say whether tokens that stand there again at once are half of all tokens, by all folds together."""
        n = len(self.first) - 1
        taken = np.zeros(n, np.int64)
        again = self.times > 1
        np.maximum.at(taken, self.starts()[again], self.taken[again])
        begin = np.flatnonzero(taken)
        edges = np.zeros(n + 1, np.int64)
        edges[begin] += 1
        np.subtract.at(edges, begin + taken[begin], 1)
        return 2 * int(np.count_nonzero(np.cumsum(edges))) >= n


def folds_of(tokens: Sequence[str]) -> Folds:
    """Return every place where tokens repeat at once.

    At the end of the text a last copy may be cut off, inside a word too.

    >>> folds = folds_of("so it so it so it was".split())
    >>> [column.tolist() for column in (folds.starts(), folds.lengths, folds.times, folds.taken)]
    [[0, 0, 1, 2], [2, 2, 2, 2], [3, 2, 2, 2], [6, 4, 4, 4]]
    """
    n = len(tokens)
    number: dict[str, int] = {}
    ids = np.array([number.setdefault(token, len(number)) for token in tokens], np.int32)
    blocks: list[_Block] = [(np.zeros(0, np.int64),) * 4]
    known = np.zeros(n, np.int8)
    for length in range(1, min(LONGEST_LINE, n // 2) + 1):
        equal = ids[:-length] == ids[length:]
        if tokens[n - 1 - length].startswith(tokens[n - 1]):
            equal[-1] = True
        firsts, ends = _stretches(equal)
        if length >= _FEWEST_CUT_OFF and equal[-1]:
            # The end of the text may cut off the second copy already: its first words, up to the end.
            start = max(int(firsts[-1]), n - 2 * length + 1)
            if start + length <= n - 2:
                blocks.append(_block(np.array([start]), length, 1, n - start))
        long = ends - firsts >= length
        if not long.any():
            continue
        # As long as the stretch goes on for a whole line, one that is repeated may begin.
        places, ends = _expanded(firsts[long], ends[long] - length + 1)
        ends += length - 1
        few = known[places] < _MOST_FOLDS
        places, ends = places[few], ends[few]
        known[places] += 1
        times = 1 + (ends - places) // length
        thrice = times >= MOST_COPIES
        at_end = ~thrice & (ends + length == n)
        blocks.append(_block(places[thrice], length, MOST_COPIES, MOST_COPIES * length))
        blocks.append(_block(places[at_end], length, 2, n - places[at_end]))
        blocks.append(_block(places, length, 2, 2 * length))
    starts, lengths, all_times, taken = (
        np.concatenate(column).astype(np.int32) for column in zip(*blocks, strict=True)
    )
    order = np.argsort(starts, kind="stable")
    first = np.searchsorted(starts[order], np.arange(n + 1)).astype(np.int32)
    return Folds(first, lengths[order], all_times[order], taken[order])


def _block(starts: Numbers, length: int, times: int, taken: int | Numbers) -> _Block:
    shape = starts.shape
    return starts, np.full(shape, length), np.full(shape, times), np.broadcast_to(np.asarray(taken, np.int64), shape)


def _stretches(equal: NDArray[np.bool_]) -> tuple[Numbers, Numbers]:
    """Return where the stretches of True begin, and where they end: the positions behind them."""
    edges = np.flatnonzero(np.diff(equal, prepend=False, append=False))
    return edges[::2], edges[1::2]


def _expanded(firsts: Numbers, ends: Numbers) -> tuple[Numbers, Numbers]:
    """Return all positions of stretches, and for each the end of its stretch."""
    counts = ends - firsts
    before = np.cumsum(counts) - counts
    return np.arange(int(counts.sum())) + np.repeat(firsts - before, counts), np.repeat(ends, counts)
