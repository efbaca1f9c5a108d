"""The second inside a passage: where the words that were asked for are said, and where that thought begins.

A passage is where to look; what answers may begin half a minute into it. docs/quality.md has the figures.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from talksearch.indexer.records import Cue
from talksearch.indexer.text.sentences import ends_sentence
from talksearch.indexer.text.terms import Marks, matched_terms
from talksearch.indexer.text.word_times import words_with_times

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


@dataclass(frozen=True, slots=True)
class Spoken:
    """The words of a passage with their times in milliseconds, as lists of one length: a query makes a thousand."""

    texts: Sequence[str]
    starts: Sequence[int]
    ends: Sequence[int]
    turns: Collection[int] = frozenset()
    """Positions of words with which another speaker begins."""


def spoken(cues: Sequence[Cue], start_ms: int, end_ms: int) -> Spoken:
    """Return the words of cues that begin from `start_ms` up to, not including, `end_ms`."""
    found: list[tuple[str, int, int]] = []
    turns: set[int] = set()
    for cue in cues:
        from_first, words = _timed(cue, start_ms, end_ms)
        here = [word for word in words if start_ms <= word[1] < end_ms]
        if cue.turn and from_first and here and words[0][1] >= start_ms:
            turns.add(len(found))
        found += here
    texts, starts, ends = map(list, zip(*found, strict=True)) if found else ([], [], [])
    return Spoken(texts, starts, ends, turns)


def _timed(cue: Cue, start_ms: int, end_ms: int) -> tuple[bool, list[tuple[str, int, int]]]:
    """Return words of a cue as `words_with_times` does, and whether its first word is among them.

    In edited transcripts a cue may have thousands of words, of which a passage holds some sixty: of a cue whose time is
    shared out by letters hardly more than those that begin in a time are returned.
    """
    length_ms, total = cue.end_ms - cue.start_ms, len(cue.text) + 1
    if cue.words or length_ms <= 0:
        return True, words_with_times(cue)
    low, high = (max(0, (ms - cue.start_ms) * total // length_ms) for ms in (start_ms, end_ms))
    first = cue.text.rfind(" ", 0, low) + 1
    behind = cue.text.find(" ", high + 1)
    words = cue.text[first : behind if behind >= 0 else total].split()
    letters = accumulate((len(word) + 1 for word in words), initial=first)
    times = [cue.start_ms + length_ms * at // total for at in letters]
    return first == 0, list(zip(words, times, times[1:], strict=False))


def pinpoint(
    words: Spoken, weights: Mapping[str, float], cues: Sequence[Cue] = (), told: Mapping[int, Marks] | None = None
) -> int | None:
    """Return the millisecond at which to open a passage; None where it says no word that was asked for.

    `weights` says how much each term tells. The stretch of words that holds most of what was asked begins with one of
    the terms; the jump goes from there back to where its thought begins: behind the end of a sentence, a pause, or with
    a speaker's turn. Given the `cues` that the words stand in, it goes on to the `known_start`. Where several stretches
    hold as much, it is the first that is not opened long before its words; the first of all, where all are. `told` is
    what `matched_terms` says of the words, where that is known.

    >>> said = Spoken("Yes. Now a clock".split(), range(0, 4_000, 1_000), range(900, 4_900, 1_000))
    >>> pinpoint(said, {"clock": 5.0}), pinpoint(said, {"ship": 5.0})
    (1000, None)
    """
    told = matched_terms(words.texts, weights) if told is None else told
    best: list[int] = []
    most = 0.0
    for at in told:
        # Each term once: a stretch that repeats one word does not say more.
        stretch = {mark[0] for other in range(at, at + _STRETCH) if other in told for mark in told[other]}
        much = sum(weights.get(term, 0.0) for term in stretch)
        if much > most + 1e-9:
            best, most = [at], much
        elif much > most - 1e-9:
            best.append(at)
    for at in best:
        at_ms = known_start(cues, sentence_start(words, at))
        if words.starts[at] - at_ms <= _BACK_MS:
            return at_ms
    return known_start(cues, sentence_start(words, best[0])) if best else None


def stretches(count: int) -> list[tuple[int, int]]:
    """Return the stretches of so many words, as (first, one behind the last), among which the one that answers is
    looked for.

    Each is about a sentence long and overlaps the next by half.

    >>> stretches(24)
    [(0, 15), (8, 23), (16, 24)]
    """
    step = (_STRETCH + 1) // 2
    return [(at, min(at + _STRETCH, count)) for at in range(0, max(1, count - _STRETCH + step), step)]


def sentence_start(words: Spoken, at: int) -> int:
    """Return the millisecond at which the thought begins that the word `at` is part of."""
    return words.starts[_beginning(words, at)]


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


def _beginning(words: Spoken, at: int) -> int:
    """Return the word with which the thought begins that the word `at` is part of."""
    starts = words.starts
    first = at
    while first > 0 and starts[at] - starts[first - 1] <= _BACK_MS:
        if _begins(words, first):
            return first
        first -= 1
    if first == 0 or _begins(words, first):
        return first
    said_ms = starts[at]
    while at > 0 and said_ms - starts[at - 1] <= _BREATH_MS:
        at -= 1
    return at


def _begins(words: Spoken, at: int) -> bool:
    silence_ms = words.starts[at] - words.ends[at - 1]
    return silence_ms >= _PAUSE_MS or at in words.turns or ends_sentence(words.texts[at - 1])
