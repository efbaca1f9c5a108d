"""Words that stand many times in a row: speech recognition that looped in silence, or somebody who did say them.

Whisper and its like fill silence or music with "Thank you." or whatever was said last, for minutes. Nothing tells that
from a chant, so the words stay, and the receipt says where they stand and how often.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from talksearch.indexer.arrays import Ints
from talksearch.indexer.records import Cue
from talksearch.indexer.text.clock import show_clock
from talksearch.indexer.text.terms import has_unspaced
from talksearch.indexer.text.word_times import words_with_times

_LONGEST_PHRASE = 30
"""Words of the longest phrase that is looked for; characters in scripts without spaces."""

_LEAST_WORDS, _LEAST_TIMES = 24, 6
"""A phrase is repeated so many times at least, and they make so many words together. People do say "no" ten times."""

_MOST_TOLD = 5
"""How many loops of a talk are told, the longest first."""

_SHOWN = 60
"""Characters of a phrase that are shown."""

_NO_WORD = re.compile(r"[\W_]+")
_UNSPACED_PART = re.compile(r"\w\W*|\W+")
"""A character with the vowel signs and the punctuation behind it."""


class Loop(NamedTuple):
    """A phrase that stands several times in a row."""

    phrase: str
    """As it stands the first time."""
    times: int
    start_ms: int
    words: int
    """How many words all of it has; characters in scripts without spaces."""


class _Token(NamedTuple):
    """A word, or a character of a script without spaces."""

    text: str
    cue: int
    is_first: bool
    """It begins a word."""


def find_loops(cues: Sequence[Cue]) -> list[Loop]:
    """Return the loops among the words of some cues, in order; of those that overlap, the longest.

    Cues and lines are no borders. Case and punctuation make no difference.
    """
    ids = _ids(cues)
    found: list[tuple[int, int, int]] = []  # (tokens, first, period)
    for period in range(1, min(_LONGEST_PHRASE, len(ids) // _LEAST_TIMES) + 1):
        for first, length in _runs(ids, period, max(_LEAST_WORDS, _LEAST_TIMES * period)):
            found.append((length, first, period))
    if not found:
        return []
    # A loop of one word is one of two as well: the shortest period tells how often.
    found.sort(key=lambda loop: (-(loop[0] - loop[2]), loop[2]))
    kept: list[tuple[int, int, int]] = []
    for length, first, period in found:
        if all(first + length <= other or other + size <= first for size, other, _ in kept):
            kept.append((length, first, period))
    tokens = list(_tokens(cues))
    return [_loop(cues, tokens, *loop) for loop in sorted(kept, key=lambda loop: loop[1])]


def loop_notes(cues: Sequence[Cue], *, estimated: bool = False) -> list[str]:
    """Return a sentence for each of the longest loops of a talk, in order of time.

    >>> loop_notes([Cue(at * 2000, at * 2000 + 2000, "Thank you.") for at in range(212)])
    ['“Thank you.” stands 212 times in a row from 0:00 on; recognition may have looped in silence.']
    """
    longest = sorted(find_loops(cues), key=lambda loop: -loop.words)[:_MOST_TOLD]
    return [
        f"“{_short(loop.phrase)}” stands {loop.times:,} times in a row from {'~' if estimated else ''}"
        f"{show_clock(loop.start_ms)} on; recognition may have looped in silence."
        for loop in sorted(longest, key=lambda loop: loop.start_ms)
    ]


@lru_cache(maxsize=100_000)
def _parts(word: str) -> tuple[tuple[str, str], ...]:
    """Return the tokens of a word, each with what tells it from others. Talks have most of their words in common."""
    parts = _UNSPACED_PART.findall(word) if has_unspaced(word) else [word]
    keyed = ((part, _NO_WORD.sub("", part).casefold()) for part in parts)
    return tuple((part, key) for part, key in keyed if key)


def _tokens(cues: Sequence[Cue]) -> Iterator[_Token]:
    for position, cue in enumerate(cues):
        for word in cue.text.split():
            for number, (part, _) in enumerate(_parts(word)):
                yield _Token(part, position, is_first=number == 0)


def _ids(cues: Sequence[Cue]) -> Ints:
    """Return a number for each token that is the same for the same tokens (tokens,). Each word is cut only once."""
    numbers: dict[str, int] = {}
    of_word: dict[str, list[int]] = {}
    ids = array("q")  # a list of all words would take more memory than the talk
    for cue in cues:
        for word in cue.text.split():
            if word not in of_word:
                of_word[word] = [numbers.setdefault(key, len(numbers)) for _, key in _parts(word)]
            ids.extend(of_word[word])
    return np.array(ids, np.int64)


def _runs(ids: Ints, period: int, least: int) -> Iterator[tuple[int, int]]:
    """Yield where so many tokens at least repeat those a period before: (first, tokens), the first time included."""
    same = np.concatenate([[False], ids[period:] == ids[:-period], [False]])
    edges = np.flatnonzero(same[1:] != same[:-1])
    starts, ends = edges[::2], edges[1::2]
    long = np.flatnonzero(ends - starts + period >= least)
    for first, end in zip(starts[long].tolist(), ends[long].tolist(), strict=True):
        yield first, end - first + period


def _loop(cues: Sequence[Cue], tokens: Sequence[_Token], length: int, first: int, period: int) -> Loop:
    # A run may begin within the phrase: "you thank you thank". Where a sentence or a cue begins, the phrase does.
    shift = next(
        (
            shift
            for shift in range(period)
            if first + shift == 0
            or tokens[first + shift].cue != tokens[first + shift - 1].cue
            or tokens[first + shift - 1].text[-1:] in ".!?…。！？"
        ),
        0,
    )
    if (length - shift) // period < _LEAST_TIMES:
        shift = 0
    phrase = tokens[first + shift : first + shift + period]
    text = "".join(f" {token.text}" if token.is_first else token.text for token in phrase).strip()
    cue = cues[phrase[0].cue]
    return Loop(text, (length - shift) // period, _start_ms(cue, phrase[0].text), length)


def _start_ms(cue: Cue, word: str) -> int:
    """Return when a word of a cue begins, the first time it is said."""
    return next((start for text, start, _ in words_with_times(cue) if word in text), cue.start_ms)


def _short(phrase: str) -> str:
    return phrase if len(phrase) <= _SHOWN else f"{phrase[:_SHOWN].rstrip()}…"
