"""What a talk's further tracks say while a passage is said: words by which the passage is found as well.

Two tracks of one talk are one talk, so a track makes no passages of its own: nothing about a talk is counted twice, and
what is found leads to the original. Its words stand beside those of the passages that are said meanwhile. It gets no
vectors either: where the model knows both languages, the vector of the original says what the track says; where it does
not know the track's, a vector of it would say nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from talksearch.indexer.records import Cue, Passage, Track
from talksearch.indexer.text.lines import join_lines
from talksearch.indexer.text.word_times import words_with_times

_LONG_MS = 30_000
"""A cue that is longer, such as a speaker's turn, is cut: a passage says only some of it."""

_PIECE_MS = 10_000
"""How long the pieces of a long cue are, at least."""


def short_cues(cues: Iterable[Cue]) -> tuple[Cue, ...]:
    """Return the cues of a track with long ones cut between words, whose times are shared out by characters.

    >>> [(cue.start_ms, cue.text) for cue in short_cues([Cue(0, 40_000, "one two six ten")])]
    [(0, 'one two'), (20000, 'six ten')]
    """
    return tuple(piece for cue in cues for piece in (_cut(cue) if cue.end_ms - cue.start_ms > _LONG_MS else [cue]))


def words_meanwhile(passages: Sequence[Passage], tracks: Sequence[Track]) -> list[str]:
    """Return what all tracks of a talk say while each of its passages is said.

    A cue counts with every passage that it shares with for half of its time, or of the passage's, and else with the one
    that is nearest, so that no word of a track is lost.

    Args:
        passages: of one talk, in order of time. Notes cover no time, and nothing is said meanwhile.
        tracks: with their cues.
    """
    said = [position for position, passage in enumerate(passages) if passage.field == "speech"]
    spoken = [passages[position] for position in said]
    texts = [""] * len(passages)
    if not spoken:
        return texts
    lines: list[list[str]] = [[] for _ in spoken]
    for track in tracks:
        for position, cues in enumerate(_shared_out(spoken, track.cues)):
            if cues:
                lines[position].append(join_lines(cue.text for cue in cues))
    for position, of_passage in zip(said, lines, strict=True):
        texts[position] = "\n".join(of_passage)
    return texts


def shares_most(cue: Cue, start_ms: int, end_ms: int) -> bool:
    """Say whether a cue and a stretch have half of the time of the shorter of them in common.

    >>> shares_most(Cue(0, 4_000, ""), 2_000, 9_000), shares_most(Cue(0, 4_000, ""), 2_001, 9_000)
    (True, False)
    """
    common = min(cue.end_ms, end_ms) - max(cue.start_ms, start_ms)
    return common >= 0 and 2 * common >= min(cue.end_ms - cue.start_ms, end_ms - start_ms)


def _shared_out(passages: Sequence[Passage], cues: Sequence[Cue]) -> list[list[Cue]]:
    """Return the cues of a track that count with each passage."""
    shared: list[list[Cue]] = [[] for _ in passages]
    # Passages end later and later, but for the damage that times may have: the latest end until then rises.
    ends: list[int] = []
    for passage in passages:
        ends.append(max(passage.end_ms, ends[-1] if ends else 0))
    for cue in cues:
        first = bisect_right(ends, cue.start_ms - 1)
        found = False
        for position in range(first, len(passages)):
            passage = passages[position]
            if passage.start_ms > cue.end_ms:
                break
            if shares_most(cue, passage.start_ms, passage.end_ms):
                shared[position].append(cue)
                found = True
        if not found:
            around = range(max(0, first - 1), min(first + 1, len(passages) - 1) + 1)
            shared[min(around, key=lambda position: _apart(cue, passages[position]))].append(cue)
    return shared


def _apart(cue: Cue, passage: Passage) -> int:
    """Return how far the middles of a cue and a passage are apart, in half milliseconds."""
    return abs(cue.start_ms + cue.end_ms - passage.start_ms - passage.end_ms)


def _cut(cue: Cue) -> list[Cue]:
    pieces: list[Cue] = []
    words: list[tuple[str, int, int]] = []
    for word in words_with_times(cue):
        words.append(word)
        if word[2] - words[0][1] >= _PIECE_MS:
            pieces.append(_cue(words))
            words = []
    if words:
        pieces.append(_cue(words))
    return pieces or [cue]


def _cue(words: Sequence[tuple[str, int, int]]) -> Cue:
    return Cue(words[0][1], words[-1][2], " ".join(text for text, _, _ in words))
