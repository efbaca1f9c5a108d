"""Splitting a talk into passages: short overlapping windows whose borders follow sentences, turns and pauses.

Small windows are found better than large ones, and what the reader is shown can be wider than what was found. Half of
all automatic captions have no punctuation, so no border is ever required: every gap between two words has a strength,
and a passage ends at the strongest gap near its proper length.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import NamedTuple

from talksearch.indexer.records import Cue, Passage, Talk
from talksearch.indexer.text.lines import between_lines
from talksearch.indexer.text.sentences import ends_sentence
from talksearch.indexer.text.terms import has_unspaced, is_unspaced
from talksearch.indexer.text.word_times import words_with_times

from .passage_id import passage_id

_CLAUSE_END = re.compile(r"(?<![,;:–—、，；：،])[,;:–—、，；：،]+[\"'”’»」』)\]]*$")
"""Punctuation that ends a clause, at the end of a word."""

_SENTENCE_STRENGTH, _CLAUSE_STRENGTH = 1.0, 0.35
"""How strong the gap behind a word is that ends a sentence, or a clause."""

_TURN_STRENGTH, _CUE_STRENGTH = 0.6, 0.1
"""What a gap gains between two cues, where another speaker begins and where not."""

_TALK_END_STRENGTH = 2.0
"""How strong the gap behind the last word is."""

_MIN_PAUSE_MS, _FULL_PAUSE_MS = 400, 1_500
"""A pause counts from the first of these on, and as much as a sentence's end from the second on."""

_LONG_WORD_MS = 600
"""How long a word lasts of which only the beginning is known; what is left until the next word is a pause."""

_UNSPACED_SIZE = 0.5
"""How many words a character of a script without spaces counts as."""


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


class _Piece(NamedTuple):
    """A word, or a part of one: a single character of a script without spaces."""

    text: str
    """With the space that stands before, if any."""
    size: float
    """In words."""
    tokens: int
    strength: float
    """How strong the gap behind it is as far as its last characters tell."""


@dataclass(frozen=True, slots=True)
class _Pieces:
    """The pieces of a talk with their times (n of them), as columns: there is one for every word of an archive."""

    texts: Sequence[str]
    """With the space that stands before, if any (n,)."""
    starts_ms: Sequence[int]
    ends_ms: Sequence[int]
    cues: Sequence[int]
    """Which cue each is in (n,)."""
    gaps: Sequence[float]
    """How strong the gap behind each is: 0 inside a clause, 1 at a sentence's end, more at a turn (n,)."""
    sizes: Sequence[float]
    """Words before each, and at last all (n + 1,)."""
    tokens: Sequence[int]
    """Tokens before each, and at last all (n + 1,)."""


def split(
    talk: Talk, count_tokens: Callable[[str], int], max_tokens: int, splitting: Splitting = Splitting()
) -> tuple[Passage, ...]:
    """Split a talk into passages that cover every word of it, in order.

    A passage never runs into another talk; consecutive ones overlap.

    Args:
        talk: The talk.
        count_tokens: Counts the tokens of one word as the model does.
        max_tokens: How many tokens a passage has at most.
        splitting: How long passages are.
    """
    pieces = _pieces_of(talk.cues, count_tokens, max_tokens)
    if not pieces.texts:
        return ()
    passages: list[Passage] = []
    id_counts: Counter[str] = Counter()
    start = 0
    while True:
        end = _end(pieces, start, max_tokens, splitting)
        passage = _passage(talk, pieces, start, end)
        id_counts[passage.id] += 1
        if id_counts[passage.id] > 1:  # the same words at the same time, as files with broken times have them
            passage = replace(passage, id=f"{passage.id}.{id_counts[passage.id]}")
        passages.append(passage)
        if end == len(pieces.texts):
            return tuple(passages)
        start = _next_start(pieces, start, end, max_tokens, splitting)


def _pieces_of(cues: Sequence[Cue], count_tokens: Callable[[str], int], max_tokens: int) -> _Pieces:
    pieces: list[_Piece] = []
    starts: list[int] = []
    ends: list[int] = []
    cue_numbers: list[int] = []
    pieces_of_word: dict[str, list[_Piece]] = {}  # a talk says the same few thousand words again and again
    latest_ms = 0
    for cue_number, (cue, following) in enumerate(zip(cues, [*cues[1:], None], strict=bool(cues))):
        # Cues may overlap, as two speakers do. What was said first is then taken to have been said before the rest.
        if following and not cue.words and cue.start_ms < following.start_ms < cue.end_ms:
            cue = replace(cue, end_ms=following.start_ms)
        for word, start_ms, end_ms in words_with_times(cue):
            of_word = pieces_of_word.get(word)
            if of_word is None:
                of_word = pieces_of_word[word] = _cut(word, count_tokens, max_tokens)
            if pieces and cue_numbers[-1] != cue_number and not between_lines(pieces[-1].text, word):
                of_word = [of_word[0]._replace(text=of_word[0].text[1:]), *of_word[1:]]
            if start_ms < latest_ms:
                start_ms = latest_ms
            latest_ms = start_ms
            if end_ms < start_ms:
                end_ms = start_ms
            count = len(of_word)
            if count == 1:  # as most words are
                pieces.append(of_word[0])
                starts.append(start_ms)
                ends.append(end_ms)
                cue_numbers.append(cue_number)
                continue
            times = [start_ms + (end_ms - start_ms) * position // count for position in range(count + 1)]
            pieces += of_word
            starts += times[:-1]
            ends += times[1:]
            cue_numbers += [cue_number] * count
    if not pieces:
        return _Pieces((), (), (), (), (), (0.0,), (0,))
    texts, sizes, tokens, strengths = zip(*pieces, strict=True)
    gaps = _gaps(strengths, starts, cue_numbers, cues)
    return _Pieces(texts, starts, ends, cue_numbers, gaps, [0.0, *accumulate(sizes)], [0, *accumulate(tokens)])


def _cut(word: str, count_tokens: Callable[[str], int], max_tokens: int) -> list[_Piece]:
    return [
        _Piece(
            text if position else f" {text}",
            _UNSPACED_SIZE if is_unspaced(text[0]) else 1.0,
            count_tokens(text),
            _strength_behind(text),
        )
        for position, text in enumerate(_parts(word, count_tokens, max_tokens))
    ]


def _strength_behind(text: str) -> float:
    """Return how strong the gap behind a piece is as far as its last characters tell."""
    if text[-1].isalnum():  # as nearly all pieces do, and neither pattern can match these
        return 0.0
    if ends_sentence(text):
        return _SENTENCE_STRENGTH
    return _CLAUSE_STRENGTH if _CLAUSE_END.search(text) else 0.0


def _parts(word: str, count_tokens: Callable[[str], int], max_tokens: int) -> list[str]:
    """Cut what a script without spaces runs together, and words too long for any model, into pieces."""
    if not has_unspaced(word):
        if count_tokens(word) <= max_tokens:
            return [word]
        half = len(word) // 2
        if half == 0:
            return [word]
        return [part for side in (word[:half], word[half:]) for part in _parts(side, count_tokens, max_tokens)]
    parts: list[str] = []
    for character in word:
        # Punctuation and Latin letters stay with what they follow.
        if parts and not is_unspaced(character) and (not is_unspaced(parts[-1][0]) or not character.isalnum()):
            parts[-1] += character
        else:
            parts.append(character)
    return parts


def _gaps(
    strengths: Sequence[float], starts: Sequence[int], cue_numbers: Sequence[int], cues: Sequence[Cue]
) -> list[float]:
    """Return how strong the gap behind each piece is: by how it ends, by turns and by pauses.

    Args:
        strengths: How strong each gap is as far as the piece's last characters tell (n,).
        starts: When each piece begins, in milliseconds (n,).
        cue_numbers: Which cue each piece is in (n,).
        cues: The cues of the talk.
    """
    gaps = list(strengths)
    for position, (cue_number, following) in enumerate(pairwise(cue_numbers)):
        cue = cues[cue_number]
        pause_ms = 0
        if following != cue_number:
            gaps[position] += _TURN_STRENGTH if cues[following].turn else _CUE_STRENGTH
            pause_ms = starts[position + 1] - cue.end_ms
        elif not cue.words:
            continue
        if cue.words:
            pause_ms = max(pause_ms, starts[position + 1] - starts[position] - _LONG_WORD_MS)
        if pause_ms >= _MIN_PAUSE_MS:
            gaps[position] += min(1.0, pause_ms / _FULL_PAUSE_MS)
    gaps[-1] = _TALK_END_STRENGTH
    return gaps


def _end(pieces: _Pieces, start: int, max_tokens: int, splitting: Splitting) -> int:
    """Return where the passage that begins at `start` ends (exclusive): the strongest gap near the proper length."""
    gaps, sizes, length, slack = pieces.gaps, pieces.sizes, splitting.length, splitting.slack
    # It may end behind any piece from `first` to, not including, `last`; behind the one before where none is near.
    fits = bisect_right(pieces.tokens, pieces.tokens[start] + max_tokens) - 1
    last = max(min(fits, bisect_right(sizes, sizes[start] + length + slack) - 1), start + 1)
    if last == len(gaps):
        return last
    first = max(start, bisect_left(sizes, sizes[start] + length - slack) - 1)
    proper = sizes[start] + length
    best, best_score = last, float("-inf")
    for position in range(first, last):
        score = gaps[position] - abs(sizes[position + 1] - proper) / slack
        if score >= best_score:
            best, best_score = position + 1, score
    return best


def _next_start(pieces: _Pieces, start: int, end: int, max_tokens: int, splitting: Splitting) -> int:
    """Return where the next passage begins: at a strong gap about `overlap` words before `end`, and after `start`."""
    gaps, sizes, overlap = pieces.gaps, pieces.sizes, splitting.overlap
    # At most half of a passage's tokens are said again, so that each passage brings something new.
    half_full = bisect_left(pieces.tokens, pieces.tokens[end] - max_tokens // 2)
    first = max(start + 1, half_full, bisect_left(sizes, sizes[end] - 2 * overlap))
    proper = sizes[end] - overlap
    best, best_score = end, float("-inf")
    for position in range(end - 1, first - 1, -1):
        score = gaps[position - 1] - abs(proper - sizes[position]) / overlap
        if score > best_score:
            best, best_score = position, score
    return best


def _passage(talk: Talk, pieces: _Pieces, start: int, end: int) -> Passage:
    text = "".join(pieces.texts[start:end]).removeprefix(" ")
    start_ms, first_cue, last_cue = pieces.starts_ms[start], pieces.cues[start], pieces.cues[end - 1]
    speakers = [cue.speaker for cue in talk.cues[first_cue : last_cue + 1] if cue.speaker]
    return Passage(
        id=passage_id(talk.id, start_ms, text),
        talk_id=talk.id,
        start_ms=start_ms,
        end_ms=max(pieces.ends_ms[end - 1], start_ms),
        first_cue=first_cue,
        last_cue=last_cue,
        text=text,
        speakers=tuple(dict.fromkeys(speakers)),
    )
