"""The second inside a passage to jump to: where the query's words are said, and where that thought begins.

A passage says where to look; what answers the query may begin half a minute into it. docs/quality.md has the figures.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from talksearch.indexer.records import Cue
from talksearch.indexer.text.lines import between_lines
from talksearch.indexer.text.sentences import ends_sentence
from talksearch.indexer.text.terms import Marks, matched_terms
from talksearch.indexer.text.word_times import words_with_times

_STRETCH_WORDS = 15
"""How many words in a row are looked at together: about a sentence."""

_PAUSE_MS = 700
"""The silence that ends a thought where no punctuation says so, in milliseconds."""

_FARTHEST_BACK_MS = 8_000
"""How far before the query's words a thought may begin, in milliseconds. A listener who has to wait longer for what was
asked takes the link for wrong."""

_BREATH_MS = 2_000
"""How far to step back where nothing shows the beginning of a thought, as in captions without punctuation."""

_LONG_CUE_MS = 20_000
"""From this length on, the seconds inside any cue without word times are guesses."""

_TURN_MS = 60_000
"""How far back the start of such a cue may lie to be opened in place of the guessed second."""

_LINE_CHARACTERS = 6
"""From this length on, a word that no blank parts from its neighbour is a line of a script without spaces."""

_ROUNDING = 1e-9
"""Sums of weights that differ by no more than this differ by rounding alone."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """The words of a passage with their times in milliseconds.

    They stand in lists of one length, because a query makes a thousand words.
    """

    texts: Sequence[str]
    starts: Sequence[int]
    ends: Sequence[int]
    turns: Collection[int] = frozenset()
    """Positions of words with which another speaker begins."""
    glued: Collection[int] = frozenset()
    """Positions of words that no blank parts from the cue before: Chinese and Japanese have none between lines."""

    def places(self) -> list[int]:
        """Return where each word begins in their text, and at last one behind the blank that would follow it.

        >>> Spoken(["so", "long"], [0, 1], [1, 2]).places()
        [0, 3, 8]
        """
        starts = [0]
        for position, text in enumerate(self.texts):
            blank = 0 if position + 1 in self.glued else 1
            starts.append(starts[-1] + len(text) + blank)
        return starts

    def text(self) -> str:
        """Return the words as the text of a passage has them."""
        if not self.glued:
            return " ".join(self.texts)
        return "".join(
            text if position in self.glued or not position else f" {text}" for position, text in enumerate(self.texts)
        )


def spoken(cues: Sequence[Cue], start_ms: int, end_ms: int) -> Spoken:
    """Return the words of cues that begin from `start_ms` up to, not including, `end_ms`."""
    timed_words: list[tuple[str, int, int]] = []
    turns: set[int] = set()
    glued: set[int] = set()
    for cue in cues:
        has_first_word, cue_words = _words_around(cue, start_ms, end_ms)
        words = [word for word in cue_words if start_ms <= word[1] < end_ms]
        if cue.turn and has_first_word and words and cue_words[0][1] >= start_ms:
            turns.add(len(timed_words))
        if timed_words and words and not between_lines(timed_words[-1][0], words[0][0]):
            glued.add(len(timed_words))
        timed_words += words
    texts, starts, ends = map(list, zip(*timed_words, strict=True)) if timed_words else ([], [], [])
    return Spoken(texts, starts, ends, turns, glued)


def _words_around(cue: Cue, start_ms: int, end_ms: int) -> tuple[bool, list[tuple[str, int, int]]]:
    """Return words of a cue as `words_with_times` does, and whether its first word is among them.

    In edited transcripts a cue may have thousands of words, of which a passage holds some sixty. Where the time of a
    cue is shared out by letters, hardly more words are returned than begin between the two times.
    """
    length_ms, letters = cue.end_ms - cue.start_ms, len(cue.text) + 1
    if cue.words or length_ms <= 0:
        return True, words_with_times(cue)
    low, high = (max(0, (ms - cue.start_ms) * letters // length_ms) for ms in (start_ms, end_ms))
    first = cue.text.rfind(" ", 0, low) + 1
    behind = cue.text.find(" ", high + 1)
    words = cue.text[first : behind if behind >= 0 else letters].split()
    offsets = accumulate((len(word) + 1 for word in words), initial=first)
    times = [cue.start_ms + length_ms * offset // letters for offset in offsets]
    return first == 0, list(zip(words, times, times[1:], strict=False))


def pinpoint(
    words: Spoken,
    weights: Mapping[str, float],
    cues: Sequence[Cue] = (),
    matched: Mapping[int, Marks] | None = None,
) -> int | None:
    """Return the millisecond at which to open a passage; None where none of the terms is said in it.

    The stretch of words whose terms weigh most begins with one of the terms. Where several people speak in it, the turn
    counts whose terms weigh most, and so does the line in scripts without spaces, of which a stretch holds many. From
    there the jump goes back to where the thought begins: behind the end of a sentence, behind a pause, or with a
    speaker's turn; and with `cues`, on to the `known_start`. Where several stretches weigh the same, the first one
    counts that is opened shortly before its words, or the first of all where each is opened long before.

    Args:
        words: The words of the passage.
        weights: How much each term tells.
        cues: The cues that the words stand in, where their starts are known exactly.
        matched: What `matched_terms` returns for the words and the weights, where the caller has it.

    >>> words = Spoken("Yes. Now a clock".split(), range(0, 4_000, 1_000), range(900, 4_900, 1_000))
    >>> pinpoint(words, {"clock": 5.0}), pinpoint(words, {"ship": 5.0})
    (1000, None)
    """
    matched = matched_terms(words.texts, weights) if matched is None else matched
    best: list[int] = []
    best_weight = 0.0
    for position in matched:
        # Each term counts once: a stretch that repeats one word does not say more.
        stretch = range(position, position + _STRETCH_WORDS)
        terms = {mark[0] for other in stretch if other in matched for mark in matched[other]}
        weight = sum(weights.get(term, 0.0) for term in terms)
        if weight > best_weight + _ROUNDING:
            best, best_weight = [position], weight
        elif weight > best_weight - _ROUNDING:
            best.append(position)
    best = _heaviest_parts(words, weights, matched, best)
    for position in best:
        start_ms = known_start(cues, sentence_start(words, position))
        if words.starts[position] - start_ms <= _FARTHEST_BACK_MS:
            return start_ms
    return known_start(cues, sentence_start(words, best[0])) if best else None


def _heaviest_parts(
    words: Spoken, weights: Mapping[str, float], matched: Mapping[int, Marks], positions: Sequence[int]
) -> list[int]:
    """Return where the parts of stretches begin that weigh most, rising: what one person says, or one line.

    Args:
        words: The words of the passage.
        weights: How much each term tells.
        matched: Which words say a term.
        positions: The first words of the stretches, each of which says a term.
    """
    if not (words.turns or words.glued):
        return list(positions)
    heaviest: dict[int, float] = {}
    for position in positions:
        parts: list[tuple[int, set[str]]] = []
        for other in range(position, position + _STRETCH_WORDS):
            if not parts or _begins_part(words, other):
                parts.append((other, set()))
            if other in matched:
                first, terms = parts[-1]
                parts[-1] = (first if terms else other, terms | {mark[0] for mark in matched[other]})
        weighed = [(sum(weights.get(term, 0.0) for term in terms), first) for first, terms in parts if terms]
        most = max(weight for weight, _ in weighed)
        first = next(first for weight, first in weighed if weight > most - _ROUNDING)
        heaviest[first] = max(most, heaviest.get(first, 0.0))
    most = max(heaviest.values(), default=0.0)
    return sorted(first for first, weight in heaviest.items() if weight > most - _ROUNDING)


def _begins_part(words: Spoken, position: int) -> bool:
    """Say whether another speaker begins with a word, or a line behind a line of a script without spaces."""
    if position in words.turns:
        return True
    return position in words.glued and len(words.texts[position - 1]) >= _LINE_CHARACTERS


def stretches(count: int) -> list[tuple[int, int]]:
    """Return the stretches of so many words among which the one that answers is looked for.

    A stretch is (first word, one behind the last). It is about a sentence long and overlaps the next one by half.

    >>> stretches(24)
    [(0, 15), (8, 23), (16, 24)]
    """
    step = (_STRETCH_WORDS + 1) // 2
    starts = range(0, max(1, count - _STRETCH_WORDS + step), step)
    return [(start, min(start + _STRETCH_WORDS, count)) for start in starts]


def sentence_start(words: Spoken, position: int) -> int:
    """Return the millisecond at which the thought begins that the word at a position is part of."""
    return words.starts[_first_word(words, position)]


def known_start(cues: Sequence[Cue], at_ms: int) -> int:
    """Return where to open what is said at `at_ms`: there, or at the start of its cue where only that is known.

    In edited transcripts a cue is a speaker's turn, often minutes long, without word times. Its start is exact and is
    where a thought begins; the seconds inside are shared out by letters. Where it began not long ago, it is opened.

    >>> known_start([Cue(0, 60_000, "so long")], 30_000), known_start([Cue(0, 90_000, "so long")], 70_000)
    (0, 70000)
    """
    around = [cue for cue in cues if cue.start_ms <= at_ms < cue.end_ms and not cue.words]
    if around and at_ms - around[-1].start_ms <= _TURN_MS and _only_start_known(cues, around[-1]):
        return around[-1].start_ms
    return at_ms


def _only_start_known(cues: Sequence[Cue], cue: Cue) -> bool:
    """Say whether the seconds inside a cue without word times are guesses.

    They are where the cue is long. They also are where turns follow each other without the least gap: then only the
    starts were noted, and silence counts as speech. Captions that end when the speaker stops are not opened at their
    start.
    """
    if cue.end_ms - cue.start_ms >= _LONG_CUE_MS:
        return True
    return cue.turn and any(other.end_ms == cue.start_ms or other.start_ms == cue.end_ms for other in cues)


def _first_word(words: Spoken, position: int) -> int:
    """Return the position of the word with which the thought begins that the word at a position is part of."""
    starts = words.starts
    first = position
    while first > 0 and starts[position] - starts[first - 1] <= _FARTHEST_BACK_MS:
        if _begins_thought(words, first):
            return first
        first -= 1
    if first == 0 or _begins_thought(words, first):
        return first
    first = position
    while first > 0 and starts[position] - starts[first - 1] <= _BREATH_MS:
        first -= 1
    return first


def _begins_thought(words: Spoken, position: int) -> bool:
    silence_ms = words.starts[position] - words.ends[position - 1]
    return silence_ms >= _PAUSE_MS or position in words.turns or ends_sentence(words.texts[position - 1])
