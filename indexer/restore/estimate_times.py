"""When each line of an untimed talk was said, as far as that can be known, and how far off that may be.

Every line gets the seconds that an average speaker takes for it: words, letters and digits, the pauses at commas and
sentence ends, and, where the text kept the lines of automatic captions, the pauses those show. A caption line ends
because the next word no longer fits, or because the speaker paused; so a line that had room left is followed by a short
pause, and one after which the screen was cleared (`readers.flattened`) by a long one. The sum is stretched to the
talk's duration. Where the talk has chapters with times, their titles are looked for in the text around the place where
they are expected, and the estimate is bent towards the places that fit.

`benchmarks/estimate.py` fits and checks every figure below; `docs/estimated-times.md` shows what they give.
"""

from __future__ import annotations

import html
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from talksearch.indexer.readers.flattened import PAUSE_MARK_MS, SOUND_MARK_MS
from talksearch.indexer.records import Chapter, Cue, Step
from talksearch.indexer.text.chapters import chapters_in
from talksearch.indexer.text.plain import is_sound, tokens_of, width_of

Floats = NDArray[np.floating]

_WORDS = {"word": 0.165, "letter": 0.044, "digit": 0.3, "letter_name": 0.5, "hesitation": 0.25, "new": 0.05}
_SOUNDS = {"music": 4.5, "sound": 1.5}
CAPTION_PACE = {
    **_WORDS,
    **{"comma": 0.0, "stop": 0.0, "end_stop": 0.0, "short": 1.3, "cleared": 6.2, "again": 0.35},
    **_SOUNDS,
    "opening_return": 0.22,
}
"""Seconds, where the cues are lines of captions: each word, letter and so on; a word the first time it is said; a line
with room left; one after which the screen was cleared, and for each other such line near it; music or another sound
alone on its line. The last is no time: a talk begins at a pace nearer to everybody's, so what is said at the beginning
takes the share `opening_return * ln(slowness)` less, fading over `OPENING_SECONDS`.

Rounded from a fit on 75 automatically captioned talks of a fair and of a lecture course. What pauses cost is measured
over stretches of 80 lines, not line by line: where a speaker pauses often, the lines between are slower too, and only
stretches show it (`benchmarks/estimate.py --fit`)."""
PROSE_PACE = {
    **_WORDS,
    **{"comma": 0.08, "stop": 0.45, "end_stop": 0.45, "short": 0.0, "cleared": 0.0, "again": 0.0},
    **_SOUNDS,
    "opening_return": 0.22,
}
"""Without caption lines a sentence end stands for all longer pauses."""
OPENING_SECONDS = 300.0
"""Over which the opening fades, by a factor of e, in seconds of an average speaker."""
_NEAR = 10
"""Lines before and after one."""
_AGAIN = 4
"""More cleared screens than this near a line say nothing more."""
_OWN_PACE = 0.7
"""Half as fast, twice as fast: further than that no speaker's own pace goes."""
SPOKEN = (*_WORDS, "comma", "stop")
PAUSES = ("end_stop", "short", "cleared", "again", "music", "sound")
_WIDE_LETTERS = 4
"""A Chinese character or Korean block takes as long as four Latin letters."""
_LEAD_SECONDS = 0.5
_LEAD_MUSIC_SECONDS = 6.5
"""Music before the first words lasts longer than between them."""
_TAIL_SECONDS = 6.0

_MARGIN = {"lines": 0.85, "prose": 1.4}
"""Nine errors in ten are below this times the root of the duration in seconds (pauses add up like a random walk), times
slowness ** 1.5: whoever speaks slowly also pauses less evenly."""
_MARGIN_WITHOUT_DURATION = 0.3
"""Of the length. Speakers differ by a quarter in speed (standard deviation of the logarithm, 75 talks)."""
_PROSE_SLOWNESS = 1.1
"""Without caption lines the long pauses do not show at all; this is the mean over five archives (289 talks)."""
_SLOWNESS = (0.4, 4.0)
"""Durations that need a speaker this much faster or slower than the average one belong to something else."""
_HESITATIONS = frozenset({"um", "uh", "uhm", "erm", "äh", "ähm", "euh"})
_LETTER_NAMES = frozenset("bcdfghjlmnpqrtx")
"""A letter that stands alone and is a word in few languages: it is spelled out, often while it is written."""
_STOP = re.compile(r"[.!?…。！？]\W*$")


def estimate_times(
    cues: Sequence[Cue],
    duration_ms: int | None,
    description: str,
    chapters: Sequence[Chapter],
    pace: Mapping[str, float] | None = None,
) -> tuple[tuple[Cue, ...], int, Step]:
    """Give untimed cues times.

    Args:
        cues: in order, one a line, sentence or paragraph. Their start is ignored; `PAUSE_MARK_MS` and `SOUND_MARK_MS`
            in `end_ms` say what is known of pauses.
        duration_ms: of the recording, where it is known.
        description: its own chapter list is used where `chapters` is empty.
        chapters: exact times of titles, from a sidecar.
        pace: other seconds than `CAPTION_PACE` or `PROSE_PACE`, for those who fit them.

    Returns:
        The cues with times that never run backwards; the margin in milliseconds, within which nine times in ten the
        truth lies; and a step that says what they were worked out from.
    """
    chapters = tuple(chapters) or chapters_in(description)
    if not cues:
        return (), 0, Step("estimate-times", "cues", {"from": "nothing", "margin_ms": 0})
    lines = count_lines(cues)
    if pace is None:
        pace = CAPTION_PACE if lines.captions else PROSE_PACE
    spoken = np.where(lines.sounds, 0.0, np.maximum(0.15, lines.spoken @ [pace[name] for name in SPOKEN]))
    weights = spoken + lines.pauses @ [pace[name] for name in PAUSES]
    total = float(weights.sum())
    lead = _LEAD_SECONDS + (_LEAD_MUSIC_SECONDS if cues[0].end_ms & SOUND_MARK_MS else 0.0)
    cleared = int(lines.pauses[:, PAUSES.index("cleared")].sum())
    detail: dict[str, object] = {"lines": len(cues), "caption_lines": lines.captions, "pauses": cleared}
    length = (duration_ms or 0) / 1000
    tail = min(_TAIL_SECONDS, 0.03 * length)
    slowness = (length - min(lead, 0.1 * length) - tail) / total
    if duration_ms and _SLOWNESS[0] <= slowness <= _SLOWNESS[1]:
        lead = min(lead, 0.1 * length)
        kind = "lines" if lines.captions else "prose"
        margin = _MARGIN[kind] * math.sqrt(length) * slowness**1.5
        detail |= {"from": "duration", "duration_ms": duration_ms}
    else:
        if duration_ms:
            detail["duration_not_used_ms"] = duration_ms
        slowness = 1.0 if lines.captions else _PROSE_SLOWNESS
        length = lead + total * slowness
        last = chapters[-1].start_ms / 1000 if chapters else 0.0
        if last > length * 0.9:
            # The last chapter begins before the end; how long it is, nobody says: as long as the others.
            length = last * len(chapters) / max(1, len(chapters) - 1)
            slowness = (length - lead) / total
        margin = _MARGIN_WITHOUT_DURATION * length
        detail["from"] = "words"
    own = math.log(slowness / (1.0 if lines.captions else _PROSE_SLOWNESS))
    own = max(-_OWN_PACE, min(_OWN_PACE, own))
    slower = 1 - pace["opening_return"] * own * opening(weights)
    weights = weights * slower
    scale = slowness * total / float(weights.sum())
    starts = lead + np.concatenate(([0.0], np.cumsum(weights)))[:-1] * scale
    spoken = spoken * slower * scale
    if len(chapters) >= 2:
        bend = _bend(cues, spoken, starts, length, margin, chapters)
        if bend.used:
            starts = starts + np.interp(starts, bend.at, bend.shift)
            starts = np.maximum.accumulate(np.clip(starts, 0.0, length))
            margin *= bend.rest
            detail["chapters"] = bend.used
    margin_ms = max(2000, round(margin * 1000))
    detail |= {"slowness": round(slowness, 3), "margin_ms": margin_ms}
    return _timed(cues, starts, spoken, length), margin_ms, Step("estimate-times", "cues", detail)


def _timed(cues: Sequence[Cue], starts: Floats, spoken: Floats, length: float) -> tuple[Cue, ...]:
    """Cues with whole milliseconds; one ends when its words are over, or where the next begins.

    They are not moved early: that a link opens before the words is for who makes the link (`talksearch.search.links`).
    """
    begins = [max(0, round(float(start) * 1000)) for start in starts]
    timed: list[Cue] = []
    for i, cue in enumerate(cues):
        following = begins[i + 1] if i + 1 < len(cues) else max(begins[i], round(length * 1000))
        # Half a second over what its words take: the next begins there anyway unless there is a pause.
        end = min(following, begins[i] + round(float(spoken[i]) * 1000) + 500)
        timed.append(replace(cue, start_ms=begins[i], end_ms=max(begins[i], end), words=()))
    return tuple(timed)


def opening(weights: Floats) -> Floats:
    """How much each line belongs to the talk's opening: 1 at its beginning, less and less. `weights` are seconds."""
    return np.asarray(np.exp(-np.cumsum(weights) / OPENING_SECONDS), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class LineCounts:
    """What takes time in n cues."""

    spoken: Floats
    """How often each holds what `SPOKEN` names: shape (n, 8)."""
    pauses: Floats
    """Whether it ends with, or stands for, what `PAUSES` names: shape (n, 6)."""
    sounds: NDArray[np.bool_]
    """Whether nothing is said in it."""
    captions: bool
    """The cues are lines of captions, so that their ends tell of pauses."""


def count_lines(cues: Sequence[Cue]) -> LineCounts:
    """Count what `CAPTION_PACE` gives seconds to, for each cue."""
    texts = [html.unescape(cue.text) for cue in cues]
    tokens = [tokens_of(text) for text in texts]
    widths = [width_of(text) + (3 if cue.turn else 0) for text, cue in zip(texts, cues, strict=True)]
    firsts = [width_of(row[0]) if row else 0 for row in tokens]
    full = float(np.percentile(widths, 95))
    filled = [widths[i] + 1 + firsts[i + 1] > full for i in range(len(cues) - 1)] + [True]
    cleared = [bool(cue.end_ms & PAUSE_MARK_MS) and i + 1 < len(cues) for i, cue in enumerate(cues)]
    captions = any(cleared) or (len(cues) >= 8 and sum(filled) >= len(cues) / 2 and 20 <= full <= 100)
    spoken = np.zeros((len(cues), len(SPOKEN)))
    pauses = np.zeros((len(cues), len(PAUSES)))
    sounds = np.array([is_sound(text) for text in texts])
    passed = np.concatenate(([0], np.cumsum(cleared)))
    said: set[str] = set()
    for i, row in enumerate(tokens):
        if sounds[i]:
            music = "musi" in texts[i].lower() or "♪" in texts[i]
            pauses[i, -2:] = music, not music
            continue
        counts, inner_stops = speech_counts(row)
        words = {bare for token in row if (bare := "".join(c for c in token.casefold() if c.isalnum()))}
        counts["new"] = len(words - said)
        said |= words
        spoken[i] = [*(counts[name] for name in SPOKEN[:-1]), inner_stops]
        pauses[i, 0] = bool(row) and bool(_STOP.search(row[-1]))
        if captions and cleared[i]:
            near = passed[min(len(cues), i + _NEAR + 1)] - passed[max(0, i - _NEAR)] - 1
            pauses[i, 2:4] = 1, min(_AGAIN, near)
        elif captions and not filled[i]:
            pauses[i, 1] = 1
    return LineCounts(spoken, pauses, sounds, captions)


def speech_counts(tokens: Sequence[str]) -> tuple[Counter[str], int]:
    """How often words hold what `SPOKEN` names, and how many sentences end before the last word.

    >>> counts, stops = speech_counts(["Uh,", "see", "x", "=", "12.", "So"])
    >>> counts["word"], counts["digit"], counts["hesitation"], counts["letter_name"], stops
    (5, 2, 1, 1, 1)
    """
    counts: Counter[str] = Counter()
    inner_stops = 0
    for i, token in enumerate(tokens):
        letters = [c for c in token if c.isalpha()]
        digits = sum(c.isdigit() for c in token)
        if not letters and not digits:
            continue
        counts["word"] += 1
        counts["letter"] += len(letters) + sum((_WIDE_LETTERS - 1) * (width_of(c) - 1) for c in letters if c > "\u10ff")
        counts["digit"] += digits
        counts["comma"] += token[-1] in ",;:，、；："
        bare = "".join(letters).lower()
        counts["hesitation"] += bare in _HESITATIONS
        counts["letter_name"] += len(bare) == 1 and bare in _LETTER_NAMES
        inner_stops += i + 1 < len(tokens) and bool(_STOP.search(token))
    return counts, inner_stops


# --- chapters --------------------------------------------------------------------------------------------------------

_GRID_SECONDS = 2.0
_AFTER_SECONDS = 30.0
_BEFORE_SECONDS = 60.0
_BELIEF = 0.5
"""How far a title's words are believed: the log-likelihood of a place is this times its score. Titles and speech share
words for many reasons; at 1 wrong places win too often."""


@dataclass(frozen=True, slots=True)
class _Bend:
    """How much later than estimated things are said, in seconds, at estimated places."""

    at: Floats
    shift: Floats
    used: int
    """Chapters that changed something."""
    rest: float
    """The share of the margin that is left."""


def _bend(
    cues: Sequence[Cue], spoken: Floats, starts: Floats, length: float, margin: float, chapters: Sequence[Chapter]
) -> _Bend:
    """Bend the estimate towards the places where chapter titles are spoken of.

    The error of the estimate is taken for a Brownian bridge between the talk's two ends. At every chapter's time a grid
    of errors is weighed by how well the words around the place fit the title; forward and backward sums over all
    chapters give the mean error and its spread at each (a hidden Markov model whose states are errors).
    """
    nothing = _Bend(np.zeros(1), np.zeros(1), 0, 1.0)
    places = [(c.start_ms / 1000, c.title) for c in chapters if 0.0 < c.start_ms / 1000 < length]
    if not places:
        return nothing
    times = _word_times(cues, spoken, starts)
    # Pooled over a bridge nine errors in ten are below 1.645 * 0.4 of its spread at full length.
    walk = margin / (1.645 * 0.4 * math.sqrt(length))
    reach = 1.5 * walk * math.sqrt(length)
    grid = np.arange(-math.ceil(reach / _GRID_SECONDS), math.ceil(reach / _GRID_SECONDS) + 1) * _GRID_SECONDS
    fits = [_fit(title, np.asarray(time - grid, dtype=np.float64), times, len(cues)) for time, title in places]
    if not any(np.ptp(score) > 0 for score in fits):
        return nothing
    points = [0.0, *(time for time, _ in places), length]
    forward = [np.where(grid == 0, 0.0, -np.inf)]
    for i, score in enumerate(fits):
        forward.append(_spread_out(forward[-1], grid, walk, points[i + 1] - points[i]) + _BELIEF * score)
    backward = np.where(grid == 0, 0.0, -np.inf)
    shifts: list[float] = []
    left: list[float] = []
    used = 0
    for i in range(len(places) - 1, -1, -1):
        backward = _spread_out(backward, grid, walk, points[i + 2] - points[i + 1])
        belief = forward[i + 1] + backward
        belief = np.exp(belief - belief.max())
        belief /= belief.sum()
        mean = float(belief @ grid)
        before = walk * math.sqrt(max(1.0, points[i + 1] * (length - points[i + 1]) / length))
        left.append(min(1.0, math.sqrt(float(belief @ (grid - mean) ** 2)) / before))
        shifts.append(mean)
        used += float(np.ptp(fits[i])) > 0
        backward = backward + _BELIEF * fits[i]
    shifts.reverse()
    at = np.array([0.0, *(max(0.0, time - shift) for (time, _), shift in zip(places, shifts, strict=True)), length])
    order = np.argsort(at, kind="stable")
    shift = np.array([0.0, *shifts, 0.0])
    # Between chapters it stays uncertain, and a wrong place costs: at most two fifths of the margin are taken off.
    return _Bend(at[order], shift[order], used, max(0.6, 0.4 + 0.6 * float(np.mean(left))))


def _spread_out(logs: Floats, grid: Floats, walk: float, seconds: float) -> Floats:
    """One step of the random walk: log sums over all errors before."""
    spread = max(walk * math.sqrt(max(seconds, 0.1)), _GRID_SECONDS / 2)
    steps = -0.5 * ((grid[:, None] - grid[None, :]) / spread) ** 2 + logs[None, :]
    top = steps.max(axis=1)
    return np.asarray(top + np.log(np.exp(steps - top[:, None]).sum(axis=1)), dtype=np.float64)


def _stem(token: str) -> str:
    return "".join(c for c in token.casefold() if c.isalnum())[:6]


def _word_times(cues: Sequence[Cue], spoken: Floats, starts: Floats) -> dict[str, Floats]:
    """When each word (by its first six letters) is said, as estimated."""
    times: dict[str, list[float]] = {}
    for cue, start, seconds in zip(cues, starts, spoken, strict=True):
        tokens = tokens_of(cue.text)
        for k, token in enumerate(tokens):
            times.setdefault(_stem(token), []).append(float(start) + float(seconds) * k / len(tokens))
    return {stem: np.array(values) for stem, values in times.items()}


def _fit(title: str, moments: Floats, times: dict[str, Floats], lines: int) -> Floats:
    """How well a title fits each moment: its words are said soon after, and not just before; rare ones count more."""
    score = np.zeros(len(moments))
    for stem in {_stem(token) for token in tokens_of(title)}:
        said = times.get(stem)
        if len(stem) < 3 or said is None:
            continue
        weight = math.log(max(1.0, lines / len(said)))
        if weight < math.log(12):
            continue
        here = np.searchsorted(said, moments - 3.0)
        after = np.searchsorted(said, moments + _AFTER_SECONDS) - here
        before = here - np.searchsorted(said, moments - _BEFORE_SECONDS)
        score += weight * (np.minimum(after, 2) - 0.7 * np.minimum(before, 2))
    return score
