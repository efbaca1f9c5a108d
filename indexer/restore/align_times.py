"""Exact times for an untimed text, from a timed track of the same talk whose wording differs.

The words of both are matched as in a patience diff: runs of words that occur once in either text are the anchors, the
longest chain of anchors that keeps the order of both is kept, and between anchors the same is done again with shorter
runs. Words without a partner get their time from their neighbours.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import pairwise

from talksearch.indexer.records import Cue, Step, Talk, Word
from talksearch.indexer.text.plain import tokens_of
from talksearch.indexer.text.sentences import count_stops

SAME_TALK = 0.3
"""The share of the shorter text's words that must match in runs of three, for two texts to be the same talk. Captions
of one talk share half of them still when a third of the words were changed by chance; different talks of one series
share at most seven in a hundred (342 pairs of the archive's flattened records)."""

WHOLE = 0.5
"""The share of the track's words that a text must say to take their place: edited transcripts leave out a fifth of what
was said and change as much, an excerpt leaves out most."""
LONGEST_GAP = 0.15
"""The share of the track's words that may be missing from the text in one piece."""
SAME_WORDS = 0.97
"""Above this share two punctuated texts are one, written in two formats."""

_ANCHORS = (6, 4, 3, 2, 1)
"""Words in an anchor, level by level."""
_SMALL_GAP = 160
"""Words between anchors that are compared word by word; what lies further apart without any anchor is not the same."""


@dataclass(frozen=True, slots=True)
class _Item:
    """One word (one character in scripts without spaces) of a track."""

    key: str
    """What is compared: lower case, letters and digits only."""
    cue: int
    token: int
    """Which token of the cue's text it is (part of)."""
    at: float
    """Where in the cue it begins, as a share of the cue's characters."""


@dataclass(frozen=True, slots=True)
class Aligned:
    """An untimed text with the times of a timed track, and how well the two agree. Words are counted, and in scripts
    without spaces characters."""

    cues: tuple[Cue, ...]
    words: int
    """Of the text."""
    timed_words: int
    """Of the track."""
    matched: int
    gap: int
    """The longest stretch of the track of which the text says nothing."""


def exact_times(untimed: Sequence[Cue], timed: Sequence[Cue]) -> tuple[Cue, ...] | None:
    """Give untimed cues the times at which a timed track of the same talk says their words.

    Text, speakers and turns stay those of `untimed`; single words get times where `timed` has them. Times are in
    milliseconds and never run backwards. None where the two are not the same talk, or no comparison is possible.
    """
    aligned = align(untimed, timed)
    return aligned.cues if aligned else None


def with_times_of(text: Talk, track: Talk) -> Talk | None:
    """Return a talk whose words are read from an untimed file, with the exact times of another file of it.

    None where the text is no better than the track's own: a person's, punctuated, while the track is neither written by
    a person nor of the same words; and where it is not the whole of the same talk.
    """
    if text.origin == "automatic" or not is_punctuated(text.cues) or not may_be_bettered(track):
        return None
    aligned = align(text.cues, track.cues)
    if aligned is None or min(aligned.words, aligned.timed_words) < WHOLE * max(aligned.words, aligned.timed_words):
        return None
    if aligned.matched < WHOLE * aligned.timed_words or aligned.gap > LONGEST_GAP * aligned.timed_words:
        return None
    if is_punctuated(track.cues) and aligned.matched > SAME_WORDS * max(aligned.words, aligned.timed_words):
        return None
    detail = {
        "from": track.source,
        "words": aligned.words,
        "matched": aligned.matched,
        "share": round(aligned.matched / aligned.words, 3),
    }
    steps = [step for step in text.receipt.steps if step.name != "estimate-times"]
    return replace(
        text,
        cues=aligned.cues,
        timing="exact",
        margin_ms=0,
        receipt=replace(text.receipt, steps=(*steps, Step("align-times", "cues", detail))),
    )


def may_be_bettered(track: Talk) -> bool:
    """Say whether another file may have better words than a timed track: one that no person is known to have written,
    which is automatic or has no punctuation."""
    if track.timing != "exact" or track.origin == "human":
        return False
    return track.origin == "automatic" or not is_punctuated(track.cues)


def is_punctuated(cues: Sequence[Cue]) -> bool:
    """Say whether sentences end: at least once in 250 letters. Sentences of speech have some 15 words, 70 letters.

    >>> is_punctuated([Cue(0, 0, "So it is. And now?")]), is_punctuated([Cue(0, 0, "so it is and now " * 20)])
    (True, False)
    """
    text = " ".join(cue.text for cue in cues)
    letters = len(text) - sum(text.count(sign) for sign in set(text) if not sign.isalnum())
    return count_stops(text) * 250 >= letters > 0


def align(untimed: Sequence[Cue], timed: Sequence[Cue]) -> Aligned | None:
    """Match the words of two tracks of a talk; None as `exact_times`."""
    ours = _items(untimed)
    theirs = _items(timed)
    a = [item.key for item in ours]
    b = [item.key for item in theirs]
    matches = matching(a, b)
    if not a or not b or _shared(matches) < SAME_TALK * min(len(a), len(b)):
        return None
    known = [(i, _moment(theirs[j], timed)) for i, j in matches]
    starts = _fill_in(ours, known, untimed, timed)
    # An item's time by cue and token; the first character of a token speaks for it.
    times: dict[tuple[int, int], int] = {}
    for item, start in zip(ours, starts, strict=True):
        times.setdefault((item.cue, item.token), start)
    heard = [-1, *(j for _, j in matches), len(b)]
    gap = max(j - i - 1 for i, j in pairwise(heard))
    return Aligned(_rebuild(untimed, times, timed), len(a), len(b), len(matches), gap)


def matching(a: Sequence[str], b: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of equal positions in two lists of words, rising in both.

    >>> matching("we may say it twice".split(), "well we say it twice over".split())
    [(0, 1), (2, 2), (3, 3), (4, 4)]
    """
    pairs: list[tuple[int, int]] = []
    gaps = [(0, len(a), 0, len(b))]
    for size in _ANCHORS:
        left: list[tuple[int, int, int, int]] = []
        for gap in gaps:
            anchors = _anchors(a, b, gap, size)
            pairs += anchors
            left += _gaps(gap, anchors)
        gaps = left
    for a0, a1, b0, b1 in gaps:
        if a1 - a0 <= _SMALL_GAP and b1 - b0 <= _SMALL_GAP:
            matcher = SequenceMatcher(None, a[a0:a1], b[b0:b1], autojunk=False)
            for block in matcher.get_matching_blocks():
                pairs += [(a0 + block.a + k, b0 + block.b + k) for k in range(block.size)]
    return sorted(pairs)


def _anchors(a: Sequence[str], b: Sequence[str], gap: tuple[int, int, int, int], size: int) -> list[tuple[int, int]]:
    """Equal pairs in a gap: runs of `size` words that occur once on either side, in one order, grown both ways."""
    a0, a1, b0, b1 = gap
    ours = _once(a, a0, a1, size)
    theirs = _once(b, b0, b1, size)
    chain = _rising([(i, theirs[run]) for run, i in ours.items() if run in theirs])
    pairs: list[tuple[int, int]] = []
    i_done, j_done = a0, b0
    for i, j in chain:
        if i < i_done or j < j_done:
            continue
        while i > i_done and j > j_done and a[i - 1] == b[j - 1]:
            i, j = i - 1, j - 1
        while i < a1 and j < b1 and a[i] == b[j]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        i_done, j_done = i, j
    return pairs


def _once(words: Sequence[str], start: int, end: int, size: int) -> dict[tuple[str, ...], int]:
    """Runs of `size` words that occur exactly once between start and end, and where."""
    seen: dict[tuple[str, ...], int] = {}
    for i in range(start, end - size + 1):
        run = tuple(words[i : i + size])
        seen[run] = -1 if run in seen else i
    return {run: i for run, i in seen.items() if i >= 0}


def _rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest chain of pairs that rises in both places (patience sorting; `pairs` rise in the first)."""
    tops: list[int] = []
    holders: list[int] = []
    before: list[int] = []
    for k, (_, j) in enumerate(pairs):
        pile = bisect_left(tops, j)
        if pile == len(tops):
            tops.append(j)
            holders.append(k)
        else:
            tops[pile] = j
            holders[pile] = k
        before.append(holders[pile - 1] if pile else -1)
    chain: list[tuple[int, int]] = []
    k = holders[-1] if holders else -1
    while k >= 0:
        chain.append(pairs[k])
        k = before[k]
    return chain[::-1]


def _gaps(gap: tuple[int, int, int, int], pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int, int, int]]:
    """What lies between matched pairs on both sides."""
    a0, a1, b0, b1 = gap
    edges = [(a0 - 1, b0 - 1), *pairs, (a1, b1)]
    return [(i + 1, k, j + 1, m) for (i, j), (k, m) in pairwise(edges) if k - i > 1 and m - j > 1]


def _shared(pairs: Sequence[tuple[int, int]]) -> int:
    """How many matched words stand in matched runs of at least three."""
    shared = run = 0
    previous = (-2, -2)
    for i, j in [*pairs, (-9, -9)]:
        if (i - 1, j - 1) == previous:
            run += 1
        else:
            shared += run if run >= 3 else 0
            run = 1
        previous = (i, j)
    return shared


def _items(cues: Sequence[Cue]) -> list[_Item]:
    """The words of cues as they are compared."""
    items: list[_Item] = []
    for number, cue in enumerate(cues):
        size = max(1, len(cue.text))
        position = 0
        for token_number, token in enumerate(tokens_of(cue.text)):
            position = max(position, cue.text.find(token, position))
            key = "".join(c for c in token.casefold() if c.isalnum())
            pieces: Iterable[str] = key if any(c >= "\u2e80" for c in key) else (key,) if key else ()
            for k, piece in enumerate(pieces):
                items.append(_Item(piece, number, token_number, (position + k) / size))
            position += len(token)
    return items


def _moment(item: _Item, timed: Sequence[Cue]) -> int:
    """When a word of the timed track begins: by its own time, or in proportion of characters within the cue."""
    cue = timed[item.cue]
    if item.token < len(cue.words):
        return cue.words[item.token].start_ms
    return cue.start_ms + round((cue.end_ms - cue.start_ms) * item.at)


def _fill_in(
    ours: Sequence[_Item], known: Sequence[tuple[int, int]], untimed: Sequence[Cue], timed: Sequence[Cue]
) -> list[int]:
    """A time for every item, in proportion of characters between its matched neighbours."""
    sizes = [len(cue.text) + 1 for cue in untimed]
    before = [0]
    for size in sizes:
        before.append(before[-1] + size)
    places = [before[item.cue] + item.at * sizes[item.cue] for item in ours]
    # Before the first match and behind the last the usual speed, 65 ms a character, within the track.
    (first, first_time), (last, last_time) = known[0], known[-1]
    lead = min(places[first] * 65.0, float(first_time))
    trail = min((places[-1] - places[last]) * 65.0, max(0.0, float(timed[-1].end_ms - last_time)))
    points = [
        (-1.0, max(0.0, first_time - lead)),
        *((places[i], float(time)) for i, time in known),
        (places[-1] + 1, last_time + trail),
    ]
    starts: list[int] = []
    k = 0
    latest = 0
    for place in places:
        while k + 2 < len(points) and points[k + 1][0] <= place:
            k += 1
        (x0, t0), (x1, t1) = points[k], points[k + 1]
        time = t0 if x1 <= x0 else t0 + (t1 - t0) * (place - x0) / (x1 - x0)
        latest = max(latest, round(time))
        starts.append(latest)
    return starts


def _rebuild(untimed: Sequence[Cue], times: dict[tuple[int, int], int], timed: Sequence[Cue]) -> tuple[Cue, ...]:
    word_times = any(cue.words for cue in timed)
    starts: list[int] = []
    latest = 0
    for number, cue in enumerate(untimed):
        word_starts = [times[number, k] for k in range(len(tokens_of(cue.text))) if (number, k) in times]
        latest = max(latest, word_starts[0]) if word_starts else latest
        starts.append(latest)
    rebuilt: list[Cue] = []
    for number, cue in enumerate(untimed):
        tokens = tokens_of(cue.text)
        start = starts[number]
        end = starts[number + 1] if number + 1 < len(untimed) else max(start, timed[-1].end_ms)
        words: tuple[Word, ...] = ()
        if word_times and tokens:
            latest = start
            moments = []
            for k in range(len(tokens)):
                latest = max(latest, times.get((number, k), latest))
                moments.append(Word(tokens[k], latest))
            words = tuple(moments)
        rebuilt.append(replace(cue, start_ms=start, end_ms=max(start, end), words=words))
    return tuple(rebuilt)
