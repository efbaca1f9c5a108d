"""When each line of an untimed talk was said, as far as that can be known, and how far off that may be.

Every line gets the seconds that an average speaker takes for it: words, letters and digits, the pauses at commas and
sentence ends, and, where the text kept the lines of automatic captions, the pauses those show. A caption line ends
because the next word no longer fits, or because the speaker paused; so a line that had room left is followed by a short
pause, and one after which the screen was cleared (`Cue.pause_after`) by a long one. The sum is stretched to the
talk's duration. Where the talk has chapters with times, their titles are looked for in the text around the place where
they are expected, and the estimate is bent towards the places that fit (`chapter_anchors`).

`benchmarks/estimate.py` fits and checks every figure below; `docs/estimated-times.md` shows what they give.
"""

from __future__ import annotations

import html
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from talksearch.indexer.records import Chapter, Cue, Json, Step
from talksearch.indexer.text.plain import is_sound, tokens_of, width_of
from talksearch.indexer.text.sentences import ends_with_stop

from .chapter_anchors import bend_to_chapters

Doubles = NDArray[np.float64]

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
"""Seconds of an average speaker over which a talk's opening fades, by a factor of e."""
_NEARBY_LINES = 10
"""Lines before and after one among which other cleared screens are counted."""
_MOST_NEARBY = 4
"""More cleared screens than this near a line say nothing more."""
_LARGEST_OWN_PACE = 0.7
"""The logarithm of how much slower a speaker is than the average one: no speaker is more than twice as fast or slow."""
SPOKEN = (*_WORDS, "comma", "stop")
"""What is counted in the words of a line; keys of `CAPTION_PACE`."""
PAUSES = ("end_stop", "short", "cleared", "again", "music", "sound")
"""What is counted at the end of a line, or of one that is a sound only; keys of `CAPTION_PACE`."""
_WIDE_LETTERS = 4
"""A Chinese character or Korean block takes as long as four Latin letters."""
_LEAD_SECONDS = 0.5
"""Before the first words."""
_LEAD_SOUND_SECONDS = 6.5
"""Added to it where a sound comes first. Music before the first words lasts longer than between them."""
_TAIL_SECONDS = 6.0
"""Behind the last words, at most; in a short talk less."""
_END_SECONDS = 0.5
"""A line stays so much longer than its words take: the next one begins there anyway unless there is a pause."""
_LEAST_SPOKEN_SECONDS = 0.15
"""A line of words takes at least this long."""
_LEAST_MARGIN_MS = 2_000
"""No estimate is more certain than this."""

_MARGIN = {"lines": 0.85, "prose": 1.4}
"""Nine errors in ten are below this times the root of the duration in seconds (pauses add up like a random walk), times
slowness ** 1.5: whoever speaks slowly also pauses less evenly."""
_MARGIN_WITHOUT_DURATION = 0.3
"""As a share of the length. Speakers differ by a quarter in speed (standard deviation of the logarithm, 75 talks)."""
_PROSE_SLOWNESS = 1.1
"""Without caption lines the long pauses do not show at all; this is the mean over five archives (289 talks)."""
_SLOWNESS = (0.4, 4.0)
"""Slowness of speakers, as a share of the average one's. A duration that needs another belongs to something else."""
_HESITATIONS = frozenset({"um", "uh", "uhm", "erm", "äh", "ähm", "euh"})
_LETTER_NAMES = frozenset("bcdfghjlmnpqrtx")
"""A letter that stands alone and is a word in few languages: it is spelled out, often while it is written."""
_COMMAS = ",;:，、；："
"""Signs of a short pause inside a sentence."""


@dataclass(frozen=True, slots=True)
class LineCounts:
    """What takes time in n cues."""

    spoken: Doubles
    """How often each holds what `SPOKEN` names: shape (n, 8)."""
    pauses: Doubles
    """Whether it ends with, or stands for, what `PAUSES` names: shape (n, 6)."""
    sounds: NDArray[np.bool_]
    """Whether nothing is said in it (n,)."""
    captions: bool
    """The cues are lines of captions, so that their ends tell of pauses."""


@dataclass(frozen=True, slots=True)
class _Scale:
    """How the seconds of an average speaker become those of a talk."""

    slowness: float
    """How many seconds this speaker takes for one of an average speaker."""
    lead: float
    """Seconds before the first words."""
    length: float
    """Of the talk, in seconds."""
    margin: float
    """Seconds within which nine times in ten the truth lies."""
    source: dict[str, Json]
    """For the receipt: what the length was worked out from."""


def estimate_times(
    cues: Sequence[Cue],
    duration_ms: int | None,
    chapters: Sequence[Chapter] = (),
    pace: Mapping[str, float] | None = None,
    *,
    starts_with_sound: bool = False,
) -> tuple[tuple[Cue, ...], int, Step]:
    """Give untimed cues times.

    Args:
        cues: in order, one a line, sentence or paragraph. Their times are ignored; `pause_after` says what is known of
            pauses.
        duration_ms: of the recording, in milliseconds, where it is known.
        chapters: titles with exact times.
        pace: other seconds than `CAPTION_PACE` or `PROSE_PACE`, for a program that fits them.
        starts_with_sound: as in `Transcript`.

    Returns:
        The cues with times that never run backwards; the margin in milliseconds, within which nine times in ten the
        truth lies; and a step that says what they were worked out from.
    """
    if not cues:
        return (), 0, Step("estimate-times", "cues", {"from": "nothing", "margin_ms": 0})
    lines = count_lines(cues)
    if pace is None:
        pace = CAPTION_PACE if lines.captions else PROSE_PACE
    seconds = np.maximum(_LEAST_SPOKEN_SECONDS, lines.spoken @ [pace[name] for name in SPOKEN])
    spoken = np.where(lines.sounds, 0.0, seconds)
    weights = spoken + lines.pauses @ [pace[name] for name in PAUSES]
    total = float(weights.sum())
    # A sound that is still there as a cue has its seconds there.
    lead = _LEAD_SECONDS + (_LEAD_SOUND_SECONDS if starts_with_sound and not lines.sounds[0] else 0.0)
    scale = _scale(total, lead, lines.captions, duration_ms, chapters)
    slower = _slower_at_the_opening(weights, scale.slowness, lines.captions, pace["opening_return"])
    weights = weights * slower
    factor = scale.slowness * total / float(weights.sum())
    starts = scale.lead + np.concatenate(([0.0], np.cumsum(weights)))[:-1] * factor
    spoken = spoken * slower * factor
    margin = scale.margin
    detail: dict[str, Json] = {
        "lines": len(cues),
        "caption_lines": lines.captions,
        "pauses": int(lines.pauses[:, PAUSES.index("cleared")].sum()),
        **scale.source,
    }
    if len(chapters) >= 2:
        bend = bend_to_chapters(cues, spoken, starts, scale.length, margin, chapters)
        if bend is not None:
            starts = starts + np.interp(starts, bend.estimated, bend.shift)
            starts = np.maximum.accumulate(np.clip(starts, 0.0, scale.length))
            margin *= bend.margin_share
            detail["chapters"] = bend.chapters
    margin_ms = max(_LEAST_MARGIN_MS, round(margin * 1000))
    detail |= {"slowness": round(scale.slowness, 3), "margin_ms": margin_ms}
    return _timed(cues, starts, spoken, scale.length), margin_ms, Step("estimate-times", "cues", detail)


def _scale(total: float, lead: float, captions: bool, duration_ms: int | None, chapters: Sequence[Chapter]) -> _Scale:
    """Find out how slowly a speaker speaks and how long the talk is.

    Args:
        total: seconds that an average speaker takes for all lines.
        lead: seconds before the first words.
        captions: whether the lines are those of captions.
        duration_ms: of the recording, in milliseconds, where it is known.
        chapters: with exact times; the last begins before the end.
    """
    if duration_ms:
        length = duration_ms / 1000
        lead_within = min(lead, 0.1 * length)
        tail = min(_TAIL_SECONDS, 0.03 * length)
        slowness = (length - lead_within - tail) / total
        if _SLOWNESS[0] <= slowness <= _SLOWNESS[1]:
            margin = _MARGIN["lines" if captions else "prose"] * math.sqrt(length) * slowness**1.5
            return _Scale(slowness, lead_within, length, margin, {"from": "duration", "duration_ms": duration_ms})
    slowness = _average_slowness(captions)
    length = lead + total * slowness
    last = chapters[-1].start_ms / 1000 if chapters else 0.0
    if last > length * 0.9:
        # How long the last chapter is, nobody says: as long as the others.
        length = last * len(chapters) / max(1, len(chapters) - 1)
        slowness = (length - lead) / total
    source: dict[str, Json] = {"duration_not_used_ms": duration_ms} if duration_ms else {}
    return _Scale(slowness, lead, length, _MARGIN_WITHOUT_DURATION * length, {**source, "from": "words"})


def _average_slowness(captions: bool) -> float:
    return 1.0 if captions else _PROSE_SLOWNESS


def _slower_at_the_opening(weights: Doubles, slowness: float, captions: bool, opening_return: float) -> Doubles:
    """Return the factor by which each line's seconds change, because every talk begins at nearly the same pace (n,).

    Args:
        weights: seconds that an average speaker takes for each line (n,).
        slowness: of this speaker.
        captions: whether the lines are those of captions.
        opening_return: the share of the speaker's own pace that is missing at the very beginning.
    """
    own_pace = math.log(slowness / _average_slowness(captions))
    own_pace = max(-_LARGEST_OWN_PACE, min(_LARGEST_OWN_PACE, own_pace))
    return np.asarray(1 - opening_return * own_pace * opening(weights), dtype=np.float64)


def opening(weights: Doubles) -> Doubles:
    """Return how much each line belongs to the talk's opening: 1 at the start, less and less. `weights`: seconds."""
    return np.asarray(np.exp(-np.cumsum(weights) / OPENING_SECONDS), dtype=np.float64)


def _timed(cues: Sequence[Cue], starts: Doubles, spoken: Doubles, length: float) -> tuple[Cue, ...]:
    """Give cues whole milliseconds: one ends when its words are over, or where the next begins.

    They are not moved early: to open a link before the words is up to the maker of the link (`search.links`).
    """
    starts_ms = [max(0, round(float(start) * 1000)) for start in starts]
    ends_ms = [*starts_ms[1:], max(starts_ms[-1], round(length * 1000))]
    timed: list[Cue] = []
    for cue, start_ms, following_ms, seconds in zip(cues, starts_ms, ends_ms, spoken, strict=True):
        end_ms = min(following_ms, start_ms + round(float(seconds) * 1000) + round(_END_SECONDS * 1000))
        timed.append(Cue(start_ms, max(start_ms, end_ms), cue.text, cue.speaker, cue.turn))
    return tuple(timed)


def count_lines(cues: Sequence[Cue]) -> LineCounts:
    """Count what `CAPTION_PACE` gives seconds to, for each cue."""
    spoken = np.zeros((len(cues), len(SPOKEN)))
    pauses = np.zeros((len(cues), len(PAUSES)))
    sounds = np.zeros(len(cues), np.bool_)
    widths = np.zeros(len(cues), np.int64)
    first_words = np.zeros(len(cues), np.int64)
    known_words: set[str] = set()
    for number, cue in enumerate(cues):  # one by one: all their words at once take more memory than the talk
        text = html.unescape(cue.text)
        row = tokens_of(text)
        widths[number] = width_of(text) + (3 if cue.turn else 0)
        first_words[number] = width_of(row[0]) if row else 0
        if is_sound(text):
            music = "musi" in text.lower() or "♪" in text
            sounds[number] = True
            pauses[number, -2:] = music, not music
            continue
        found = [_in_token(token) for token in row]
        counts, inner_stops = _summed(found)
        known_before = len(known_words)
        known_words.update([token.bare for token in found if token.bare])
        counts["new"] = len(known_words) - known_before
        spoken[number] = [*(counts[name] for name in SPOKEN[:-1]), inner_stops]
        pauses[number, 0] = bool(row) and ends_with_stop(row[-1])
    filled, full = _filled_lines(widths, first_words)
    cleared = np.array([*(cue.pause_after for cue in cues[:-1]), False])
    captions = bool(cleared.any() or (len(cues) >= 8 and filled.sum() >= len(cues) / 2 and 20 <= full <= 100))
    if captions:
        pauses[~sounds & ~cleared & ~filled, PAUSES.index("short")] = 1
        _count_cleared(pauses, cleared, sounds)
    return LineCounts(spoken, pauses, sounds, captions)


def _count_cleared(pauses: Doubles, cleared: NDArray[np.bool_], sounds: NDArray[np.bool_]) -> None:
    """Note the lines of words after which the screen was cleared, and how many others are near each."""
    cleared_before = np.concatenate(([0], np.cumsum(cleared)))
    for number in np.flatnonzero(cleared & ~sounds).tolist():
        first, end = max(0, number - _NEARBY_LINES), min(len(cleared), number + _NEARBY_LINES + 1)
        nearby = cleared_before[end] - cleared_before[first] - 1
        pauses[number, [PAUSES.index("cleared"), PAUSES.index("again")]] = 1, min(_MOST_NEARBY, nearby)


def _filled_lines(widths: NDArray[np.int64], first_words: NDArray[np.int64]) -> tuple[NDArray[np.bool_], float]:
    """Say for each line whether the first word of the next no longer fitted into it, and return the full width."""
    full = float(np.percentile(widths, 95))
    filled = widths[:-1] + 1 + first_words[1:] > full
    return np.concatenate([filled, [True]]), full


def speech_counts(tokens: Sequence[str]) -> tuple[Counter[str], int]:
    """Return how often words hold what `SPOKEN` names, and how many sentences end before the last word.

    >>> counts, stops = speech_counts(["Uh,", "see", "x", "=", "12.", "So"])
    >>> counts["word"], counts["digit"], counts["hesitation"], counts["letter_name"], stops
    (5, 2, 1, 1, 1)
    """
    return _summed([_in_token(token) for token in tokens])


class _TokenCounts(NamedTuple):
    """What takes time in a token."""

    is_word: bool
    """It holds a letter or a figure; where it does not, it takes no time."""
    letters: int
    others: tuple[tuple[str, int], ...]
    """How often it holds what else `SPOKEN` names, where it does."""
    ends_with_stop: bool
    bare: str
    """Its letters and figures, all small: what is new is told by these."""


def _summed(found: Sequence[_TokenCounts]) -> tuple[Counter[str], int]:
    """Add up what the tokens of a line hold, as `speech_counts` returns it."""
    counts: Counter[str] = Counter()
    counts["word"] = sum([token.is_word for token in found])
    counts["letter"] = sum([token.letters for token in found])
    for token in found:
        for name, count in token.others:  # most words have none
            counts[name] += count
    return counts, sum([token.ends_with_stop for token in found[:-1]])


@lru_cache(maxsize=20_000)
def _in_token(token: str) -> _TokenCounts:
    letters = [c for c in token if c.isalpha()]
    digits = sum(c.isdigit() for c in token)
    bare = "".join(c for c in token.casefold() if c.isalnum())
    if not letters and not digits:
        return _TokenCounts(False, 0, (), False, bare)
    spelled = "".join(letters).lower()
    others = {
        "digit": digits,
        "comma": int(token[-1] in _COMMAS),
        "hesitation": int(spelled in _HESITATIONS),
        "letter_name": int(len(spelled) == 1 and spelled in _LETTER_NAMES),
    }
    width = len(letters) + sum((_WIDE_LETTERS - 1) * (width_of(c) - 1) for c in letters if c > "\u10ff")
    there = tuple((name, count) for name, count in others.items() if count)
    return _TokenCounts(True, width, there, ends_with_stop(token), bare)
