"""Splitting a talk into passages: short overlapping windows whose borders follow sentences, turns and pauses.

Small windows find better than large ones, and what the reader is shown can be wider than what was found. Half of all
auto-captions have no punctuation, so no border is ever required: every gap between two words has a strength, and a
passage ends at the strongest gap near its proper length.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import accumulate, pairwise

from talksearch.indexer.records import Cue, Json, Passage, Talk
from talksearch.indexer.text.sentences import ends_sentence
from talksearch.indexer.text.terms import has_unspaced, is_unspaced
from talksearch.indexer.text.word_times import words_with_times

_CLAUSE_END = re.compile(r"[,;:–—、，；：،]+[\"'”’»」』)\]]*$")
_MIN_PAUSE_MS, _FULL_PAUSE_MS, _LONG_WORD_MS = 400, 1_500, 600


@dataclass(frozen=True, slots=True)
class Splitting:
    """How long passages are. Part of an index's recipe.

    Lengths are in words; a character of a script without spaces counts as half a word.
    """

    length: int = 60
    slack: int = 18
    """How far from `length` a passage may end to find a better border."""
    overlap: int = 20
    """How much of a passage is said again by the next one."""

    def as_json(self) -> dict[str, Json]:
        """Return the fields as JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Row:
    """The pieces of a talk: words, or single characters of a script without spaces, with their times (n of them).

    Kept as columns, because there is a piece for every word of an archive. Sums are of all that stands before.
    """

    texts: Sequence[str]
    """With the space that stands before, if any."""
    starts_ms: Sequence[int]
    ends_ms: Sequence[int]
    cues: Sequence[int]
    """Which cue each is in."""
    gaps: Sequence[float]
    """How strong the gap behind each is: 0 inside a clause, 1 at a sentence's end, more at a turn (n,)."""
    sizes: Sequence[float]
    """Words before each, and at last all (n + 1,)."""
    tokens: Sequence[int]
    """Tokens before each, and at last all (n + 1,)."""


_Part = tuple[str, float, int, float]
"""What a word is cut into: its text with the space that stands before, its size in words, its tokens, and how strong
the gap behind it is as far as its last signs tell."""


def split(
    talk: Talk, count_tokens: Callable[[str], int], max_tokens: int, splitting: Splitting = Splitting()
) -> tuple[Passage, ...]:
    """Split a talk into passages that cover every word of it, in order.

    Each passage stays within `max_tokens` by `count_tokens` (the model's own count for one word). A passage never runs
    into another talk; consecutive ones overlap.
    """
    row = _row(talk.cues, count_tokens, max_tokens)
    if not row.texts:
        return ()
    passages: list[Passage] = []
    seen: Counter[str] = Counter()
    start = 0
    while True:
        end = _end(row, start, max_tokens, splitting)
        passage = _passage(talk, row, start, end)
        seen[passage.id] += 1
        if seen[passage.id] > 1:  # the same words at the same time, as files with broken times have them
            passage = replace(passage, id=f"{passage.id}.{seen[passage.id]}")
        passages.append(passage)
        if end == len(row.texts):
            return tuple(passages)
        start = _next_start(row, start, end, max_tokens, splitting)


def _row(cues: Sequence[Cue], count_tokens: Callable[[str], int], max_tokens: int) -> _Row:
    parts: list[_Part] = []
    starts: list[int] = []
    ends: list[int] = []
    numbers: list[int] = []
    known: dict[str, list[_Part]] = {}  # a talk says the same few thousand words again and again
    latest_ms = 0
    for number, (cue, following) in enumerate(zip(cues, [*cues[1:], None], strict=bool(cues))):
        # Cues may overlap, as two speakers do. What was said first is then taken to have been said before the rest.
        if following and not cue.words and cue.start_ms < following.start_ms < cue.end_ms:
            cue = replace(cue, end_ms=following.start_ms)
        for word, start_ms, end_ms in words_with_times(cue):
            cut = known.get(word)
            if cut is None:
                cut = known[word] = _cut(word, count_tokens, max_tokens)
            if start_ms < latest_ms:
                start_ms = latest_ms
            latest_ms = start_ms
            if end_ms < start_ms:
                end_ms = start_ms
            count = len(cut)
            if count == 1:  # as most words are
                parts.append(cut[0])
                starts.append(start_ms)
                ends.append(end_ms)
                numbers.append(number)
                continue
            times = [start_ms + (end_ms - start_ms) * at // count for at in range(count + 1)]
            parts += cut
            starts += times[:-1]
            ends += times[1:]
            numbers += [number] * count
    if not parts:
        return _Row((), (), (), (), (), (0.0,), (0,))
    texts, sizes, tokens, endings = zip(*parts, strict=True)
    gaps = _gaps(endings, starts, numbers, cues)
    return _Row(texts, starts, ends, numbers, gaps, [0.0, *accumulate(sizes)], [0, *accumulate(tokens)])


def _cut(word: str, count_tokens: Callable[[str], int], max_tokens: int) -> list[_Part]:
    return [
        (
            part if at else f" {part}",
            0.5 if is_unspaced(part[0]) else 1.0,
            count_tokens(part),
            # Nearly all words end with a letter, and neither pattern can match these.
            0.0 if part[-1].isalnum() else 1.0 if ends_sentence(part) else 0.35 if _CLAUSE_END.search(part) else 0.0,
        )
        for at, part in enumerate(_parts(word, count_tokens, max_tokens))
    ]


def _parts(word: str, count_tokens: Callable[[str], int], max_tokens: int) -> list[str]:
    """Cut what a script without spaces runs together, and words too long for any model, into pieces."""
    if not has_unspaced(word):
        if count_tokens(word) <= max_tokens:
            return [word]
        half = len(word) // 2
        return (
            [word]
            if half == 0
            else [part for side in (word[:half], word[half:]) for part in _parts(side, count_tokens, max_tokens)]
        )
    parts: list[str] = []
    for character in word:
        # Punctuation and Latin letters stay with what they follow.
        if parts and not is_unspaced(character) and (not is_unspaced(parts[-1][0]) or not character.isalnum()):
            parts[-1] += character
        else:
            parts.append(character)
    return parts


def _gaps(endings: Sequence[float], starts: Sequence[int], numbers: Sequence[int], cues: Sequence[Cue]) -> list[float]:
    """Return how strong the gap behind each piece is: by how it ends, by turns and by pauses."""
    gaps = list(endings)
    for at, (number, following) in enumerate(pairwise(numbers)):
        cue = cues[number]
        pause = 0
        if following != number:
            gaps[at] += 0.6 if cues[following].turn else 0.1
            pause = starts[at + 1] - cue.end_ms
        elif not cue.words:
            continue
        if cue.words:  # timed by its beginning alone: a word does not last much longer than this
            pause = max(pause, starts[at + 1] - starts[at] - _LONG_WORD_MS)
        if pause >= _MIN_PAUSE_MS:
            gaps[at] += min(1.0, pause / _FULL_PAUSE_MS)
    gaps[-1] = 2.0
    return gaps


def _end(row: _Row, start: int, max_tokens: int, splitting: Splitting) -> int:
    """Return where the passage that begins at `start` ends (exclusive): the strongest gap near the proper length."""
    gaps, sizes, length, slack = row.gaps, row.sizes, splitting.length, splitting.slack
    # It may end behind any piece from `first` to, not including, `last`; behind the one before where none is near.
    fits = bisect_right(row.tokens, row.tokens[start] + max_tokens) - 1
    last = max(min(fits, bisect_right(sizes, sizes[start] + length + slack) - 1), start + 1)
    if last == len(gaps):
        return last
    first = max(start, bisect_left(sizes, sizes[start] + length - slack) - 1)
    proper = sizes[start] + length
    best, best_worth = last, float("-inf")
    for at in range(first, last):
        worth = gaps[at] - abs(sizes[at + 1] - proper) / slack
        if worth >= best_worth:
            best, best_worth = at + 1, worth
    return best


def _next_start(row: _Row, start: int, end: int, max_tokens: int, splitting: Splitting) -> int:
    """Return where the next passage begins: at a strong gap about `overlap` words before `end`, and after `start`."""
    gaps, sizes, overlap = row.gaps, row.sizes, splitting.overlap
    # Half the model's room at most, so that each passage brings something new.
    room = bisect_left(row.tokens, row.tokens[end] - max_tokens // 2)
    first = max(start + 1, room, bisect_left(sizes, sizes[end] - 2 * overlap))
    proper = sizes[end] - overlap
    best, best_worth = end, float("-inf")
    for at in range(end - 1, first - 1, -1):
        worth = gaps[at - 1] - abs(proper - sizes[at]) / overlap
        if worth > best_worth:
            best, best_worth = at, worth
    return best


def _passage(talk: Talk, row: _Row, start: int, end: int) -> Passage:
    text = "".join(row.texts[start:end]).removeprefix(" ")
    first_ms, first_cue, last_cue = row.starts_ms[start], row.cues[start], row.cues[end - 1]
    named = [cue.speaker for cue in talk.cues[first_cue : last_cue + 1] if cue.speaker]
    place = f"{talk.id}\0{first_ms}\0{text}"
    return Passage(
        id=f"{talk.id}:{hashlib.blake2b(place.encode(), digest_size=8).hexdigest()}",
        talk_id=talk.id,
        start_ms=first_ms,
        end_ms=max(row.ends_ms[end - 1], first_ms),
        first_cue=first_cue,
        last_cue=last_cue,
        text=text,
        speakers=tuple(dict.fromkeys(named)),
    )
