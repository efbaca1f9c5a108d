"""Estimated times, bent towards the places where the titles of chapters are spoken of.

A talk's chapters have exact times. Where the words around the place at which a chapter is expected fit its title, the
estimate is moved until they agree.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from talksearch.indexer.records import Chapter, Cue
from talksearch.indexer.text.plain import tokens_of

Doubles = NDArray[np.float64]

_GRID_SECONDS = 2.0
"""How far apart the errors are that are weighed at each chapter."""
_JUST_BEFORE_SECONDS = 3.0
"""A title's word that is said so long before a moment still speaks for it."""
_AFTER_SECONDS = 30.0
"""A title's word that is said within this time after a moment speaks for it."""
_BEFORE_SECONDS = 60.0
"""A title's word that is said within this time before a moment speaks against it."""
_STEM_LETTERS = 6
"""Words are compared by their first letters, so that most endings do not matter."""
_SHORTEST_STEM = 3
"""Letters. Shorter words stand everywhere."""
_RAREST_SHARE = 12
"""A title's word tells where a chapter begins only if the talk says it less than once in so many lines."""
_BELIEF = 0.5
"""How far a title's words are believed: the log-likelihood of a place is this times its score. Titles and speech share
words for many reasons; at 1 wrong places win too often."""
_NINE_IN_TEN = 1.645
"""Standard deviations of a normal distribution within which nine errors in ten lie."""
_BRIDGE_SPREAD = 0.4
"""The standard deviation of a Brownian bridge, over all of it, as a share of that of the free walk at its end."""
_REACH = 1.5
"""Errors are looked for up to this many times the spread of the walk at the talk's end."""


@dataclass(frozen=True, slots=True)
class ChapterBend:
    """How much later than estimated things are said, at some estimated times."""

    estimated: Doubles
    """Seconds, rising (n,)."""
    shift: Doubles
    """Seconds to add to each (n,)."""
    chapters: int
    """How many chapters changed something."""
    margin_share: float
    """The share of the margin that is left."""


@dataclass(frozen=True, slots=True)
class _Beliefs:
    """What the n chapters tell of the error of the estimate."""

    means: Sequence[float]
    """The mean error at each, in seconds (n,)."""
    spread: float
    """The spread of the error, as a share of what it was before the titles were looked for; the mean over all."""


def bend_to_chapters(
    cues: Sequence[Cue], spoken: Doubles, starts: Doubles, length: float, margin: float, chapters: Sequence[Chapter]
) -> ChapterBend | None:
    """Find the places where chapter titles are spoken of; None where no title tells anything.

    Args:
        cues: the n lines of the talk.
        spoken: seconds that the words of each take (n,).
        starts: the estimated start of each, in seconds (n,).
        length: of the talk, in seconds.
        margin: seconds within which nine times in ten the truth lies.
        chapters: with exact times.
    """
    places = [(c.start_ms / 1000, c.title) for c in chapters if 0.0 < c.start_ms / 1000 < length]
    if not places:
        return None
    word_times = _word_times(cues, spoken, starts)
    # Pooled over a bridge nine errors in ten are below this share of its spread at full length.
    walk = margin / (_NINE_IN_TEN * _BRIDGE_SPREAD * math.sqrt(length))
    steps = math.ceil(_REACH * walk * math.sqrt(length) / _GRID_SECONDS)
    errors = np.arange(-steps, steps + 1, dtype=np.float64) * _GRID_SECONDS
    fits = [_fit(title, np.asarray(time - errors, dtype=np.float64), word_times, len(cues)) for time, title in places]
    used = sum(float(np.ptp(fit)) > 0 for fit in fits)
    if not used:
        return None
    beliefs = _believed_errors(errors, fits, [0.0, *(time for time, _ in places), length], walk)
    estimated = [max(0.0, time - mean) for (time, _), mean in zip(places, beliefs.means, strict=True)]
    moments = np.array([0.0, *estimated, length])
    order = np.argsort(moments, kind="stable")
    shift = np.array([0.0, *beliefs.means, 0.0])
    # Between chapters it stays uncertain, and a wrong place costs: at most two fifths of the margin are taken off.
    margin_share = max(0.6, 0.4 + 0.6 * beliefs.spread)
    return ChapterBend(moments[order], shift[order], used, margin_share)


def _believed_errors(errors: Doubles, fits: Sequence[Doubles], times: Sequence[float], walk: float) -> _Beliefs:
    """Work out the error of the estimate at each chapter.

    The error is taken for a Brownian bridge between the talk's two ends. At every chapter's time a grid of errors is
    weighed by how well the words around the place fit the title; forward and backward sums over all chapters give the
    mean error and its spread at each (a hidden Markov model whose states are errors).

    Args:
        errors: the grid, in seconds (m,).
        fits: how well each error fits, for each of n chapters (m,).
        times: of the talk's beginning, the chapters and the talk's end, in seconds (n + 2,).
        walk: the spread of the error after one second.
    """
    none = np.where(errors == 0, 0.0, -np.inf)
    length = times[-1]
    forward = [none]
    for number, fit in enumerate(fits):
        forward.append(_after(forward[-1], errors, walk, times[number + 1] - times[number]) + _BELIEF * fit)
    backward = none
    means: list[float] = []
    spreads: list[float] = []
    for number in range(len(fits) - 1, -1, -1):
        time = times[number + 1]
        backward = _after(backward, errors, walk, times[number + 2] - time)
        belief = forward[number + 1] + backward
        belief = np.exp(belief - belief.max())
        belief /= belief.sum()
        mean = float(belief @ errors)
        spread_before = walk * math.sqrt(max(1.0, time * (length - time) / length))
        spreads.append(min(1.0, math.sqrt(float(belief @ (errors - mean) ** 2)) / spread_before))
        means.append(mean)
        backward = backward + _BELIEF * fits[number]
    return _Beliefs(means[::-1], float(np.mean(spreads)))


def _after(logs: Doubles, errors: Doubles, walk: float, seconds: float) -> Doubles:
    """Take one step of the random walk: log sums over all errors before it (m,)."""
    spread = max(walk * math.sqrt(max(seconds, 0.1)), _GRID_SECONDS / 2)
    steps = -0.5 * ((errors[:, None] - errors[None, :]) / spread) ** 2 + logs[None, :]
    top = steps.max(axis=1)
    return np.asarray(top + np.log(np.exp(steps - top[:, None]).sum(axis=1)), dtype=np.float64)


def _fit(title: str, moments: Doubles, word_times: Mapping[str, Doubles], lines: int) -> Doubles:
    """Return how well a title fits each moment (m,): its words are said soon after it and not just before it.

    Rare words count more.
    """
    score = np.zeros(len(moments))
    for stem in {_stem(token) for token in tokens_of(title)}:
        times = word_times.get(stem)
        if len(stem) < _SHORTEST_STEM or times is None:
            continue
        weight = math.log(max(1.0, lines / len(times)))
        if weight < math.log(_RAREST_SHARE):
            continue
        here = np.searchsorted(times, moments - _JUST_BEFORE_SECONDS)
        after = np.searchsorted(times, moments + _AFTER_SECONDS) - here
        before = here - np.searchsorted(times, moments - _BEFORE_SECONDS)
        score += weight * (np.minimum(after, 2) - 0.7 * np.minimum(before, 2))
    return score


def _stem(token: str) -> str:
    return "".join(c for c in token.casefold() if c.isalnum())[:_STEM_LETTERS]


def _word_times(cues: Sequence[Cue], spoken: Doubles, starts: Doubles) -> dict[str, Doubles]:
    """Return when each word, by its stem, is said as estimated, in seconds."""
    times: dict[str, list[float]] = {}
    for cue, start, seconds in zip(cues, starts, spoken, strict=True):
        tokens = tokens_of(cue.text)
        for position, token in enumerate(tokens):
            times.setdefault(_stem(token), []).append(float(start) + float(seconds) * position / len(tokens))
    return {stem: np.array(moments) for stem, moments in times.items()}
