"""The second inside a passage: where the words that were asked for are said, and where that thought begins.

A passage is where to look; what answers may begin half a minute into it. docs/quality.md has the figures.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from talksearch.indexer.records import Cue
from talksearch.indexer.split import ends_sentence, words_with_times
from talksearch.indexer.words import terms

_STRETCH = 15
"""Words looked at together: about a sentence."""

_PAUSE_MS = 700
"""Silence that ends a thought where no punctuation says so."""

_BACK_MS = 8_000
"""How far back a thought may begin. Who waits longer for what was asked thinks the link is wrong."""

_BREATH_MS = 2_000
"""How far to step back where nothing shows the beginning, as in captions without punctuation."""

_LONG_MS, _TURN_MS = 20_000, 60_000
"""From which length on the seconds inside any cue are guesses; how far back its start may lie to be opened instead."""

_LONG_TEXT = 1_000
"""Letters of a cue from which on only the words that are wanted are timed."""


class Spoken(NamedTuple):
    """A word with its time, and whether another speaker begins with it. A tuple, because a query makes a thousand."""

    text: str
    start_ms: int
    end_ms: int
    turn: bool = False


def spoken(cues: Sequence[Cue], start_ms: int, end_ms: int) -> list[Spoken]:
    """Return the words of cues that begin from `start_ms` up to, not including, `end_ms`."""
    found: list[Spoken] = []
    for cue in cues:
        first, words = _timed(cue, start_ms, end_ms)
        here = [Spoken(text, begin, end) for text, begin, end in words if start_ms <= begin < end_ms]
        if cue.turn and first == 0 and here and words[0][1] >= start_ms:
            here[0] = here[0]._replace(turn=True)
        found += here
    return found


def _timed(cue: Cue, start_ms: int, end_ms: int) -> tuple[int, list[tuple[str, int, int]]]:
    """Return words of a cue as `words_with_times` does, and which of its words the first of them is.

    In edited transcripts a cue may have thousands of words, of which a passage holds some sixty: of a long cue only
    those that begin in a time are returned.
    """
    if cue.words or len(cue.text) < _LONG_TEXT:
        return 0, words_with_times(cue)
    words = cue.text.split()
    letters = [0, *accumulate(map(len, words))]
    total, length_ms = letters[-1] + len(words), cue.end_ms - cue.start_ms

    def begins(at: int) -> int:
        return cue.start_ms + length_ms * (letters[at] + at) // total

    first = bisect_left(range(len(words)), start_ms, key=begins)
    last = bisect_left(range(len(words)), end_ms, first, key=begins)
    times = [begins(at) for at in range(first, last + 1)]
    return first, list(zip(words[first:last], times, times[1:], strict=False))


def pinpoint(words: Sequence[Spoken], weights: Mapping[str, float], cues: Sequence[Cue] = ()) -> int | None:
    """Return the millisecond at which to open a passage; None where it says no word that was asked for.

    `weights` says how much each term tells. The stretch of words that holds most of what was asked begins with one of
    the terms; the jump goes from there back to where its thought begins: behind the end of a sentence, a pause, or with
    a speaker's turn. Given the `cues` that the words stand in, it goes on to the `known_start`. Where several stretches
    hold as much, it is the first that is not opened long before its words; the first of all, where all are.

    >>> said = [Spoken(word, 1_000 * at, 1_000 * at + 900) for at, word in enumerate("Yes. Now a clock".split())]
    >>> pinpoint(said, {"clock": 5.0}), pinpoint(said, {"ship": 5.0})
    (1000, None)
    """
    apart = weights.keys().isdisjoint
    told = {at: said for at, word in enumerate(words) if not apart(said := _terms(word.text))}
    best: list[int] = []
    most = 0.0
    for at in told:
        # Each term once: a stretch that repeats one word does not say more.
        stretch = {term for other in range(at, at + _STRETCH) if other in told for term in told[other]}
        much = sum(weights.get(term, 0.0) for term in stretch)
        if much > most + 1e-9:
            best, most = [at], much
        elif much > most - 1e-9:
            best.append(at)
    for at in best:
        at_ms = known_start(cues, thought(words, at))
        if words[at].start_ms - at_ms <= _BACK_MS:
            return at_ms
    return known_start(cues, thought(words, best[0])) if best else None


def stretches(words: Sequence[Spoken]) -> list[tuple[int, int]]:
    """Return the stretches of words, as (first, one behind the last), among which the one that answers is looked for.

    Each is about a sentence long and overlaps the next by half.

    >>> stretches([Spoken("so", 0, 1)] * 24)
    [(0, 15), (8, 23), (16, 24)]
    """
    step = (_STRETCH + 1) // 2
    ends = range(0, max(1, len(words) - _STRETCH + step), step)
    return [(at, min(at + _STRETCH, len(words))) for at in ends]


def thought(words: Sequence[Spoken], at: int) -> int:
    """Return the millisecond at which the thought begins that the word `at` is part of."""
    return words[_beginning(words, at)].start_ms


def known_start(cues: Sequence[Cue], at_ms: int) -> int:
    """Return where to open what is said at `at_ms`: there, or at the start of its cue where only that is known.

    In edited transcripts a cue is a speaker's turn, often minutes long, without word times. Its start is exact and is
    where a thought begins; the seconds inside are shared out by letters. Where it began not long ago, it is opened.

    >>> known_start([Cue(0, 60_000, "so long")], 30_000), known_start([Cue(0, 90_000, "so long")], 70_000)
    (0, 70000)
    """
    inside = [cue for cue in cues if cue.start_ms <= at_ms < cue.end_ms and not cue.words]
    if inside and at_ms - inside[-1].start_ms <= _TURN_MS and _only_start_known(cues, inside[-1]):
        return inside[-1].start_ms
    return at_ms


def _only_start_known(cues: Sequence[Cue], cue: Cue) -> bool:
    """Say whether the seconds inside a cue without word times are guesses.

    They are where it is long. They also are where turns follow each other without the least gap: then only their starts
    were noted, and silence counts as speech. Captions that end when the speaker stops are not opened at their start.
    """
    if cue.end_ms - cue.start_ms >= _LONG_MS:
        return True
    return cue.turn and any(other.end_ms == cue.start_ms or other.start_ms == cue.end_ms for other in cues)


@lru_cache(maxsize=65_536)
def _terms(word: str) -> tuple[str, ...]:
    """Return the terms of a word. The same few thousand words make up nearly all that is said."""
    return tuple(terms(word))


def _beginning(words: Sequence[Spoken], at: int) -> int:
    """Return the word with which the thought begins that the word `at` is part of."""
    said_ms = words[at].start_ms
    first = at
    while first > 0 and said_ms - words[first - 1].start_ms <= _BACK_MS:
        if _begins(words, first):
            return first
        first -= 1
    if first == 0 or _begins(words, first):
        return first
    while at > 0 and said_ms - words[at - 1].start_ms <= _BREATH_MS:
        at -= 1
    return at


def _begins(words: Sequence[Spoken], at: int) -> bool:
    before = words[at - 1]
    return ends_sentence(before.text) or words[at].turn or words[at].start_ms - before.end_ms >= _PAUSE_MS
