"""Cues made of single words that have times.

How words are spelled, spaced and punctuated is taken from the full text beside them, where that has the same letters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from talksearch.indexer.records import Word
from talksearch.indexer.text.sentences import ends_with_stop

from .cue_times import RawCue
from .json_times import is_unspaced, letters
from .json_values import timed_words

_PAUSE_MS = 1_500
_MOST_WORDS = 30
"""A cue made of words ends where its sentence does, at a pause, and at the latest after so many words."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A word, or what stands between words, with its times in milliseconds where it has some."""

    text: str
    start_ms: int | None
    end_ms: int | None = None
    speaker: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Text that belongs together, and its words where they are timed."""

    text: str | None
    pieces: tuple[Piece, ...] = ()
    start_ms: int | None = None
    end_ms: int | None = None
    speaker: str | None = None


def cues_of(group: Group, notes: list[str]) -> Iterator[RawCue]:
    """Make cues of timed words; none where these have no times, or are not the words of a text that has one itself.

    Args:
        group: the words, and their text.
        notes: is added to: what the text has and the words have not.
    """
    words = [piece for piece in group.pieces if letters(piece.text)]
    if sum(piece.start_ms is not None for piece in words) * 2 <= len(words):
        return
    spelled = _spelled(group)
    if spelled is None:
        if group.text and group.start_ms is not None:
            return
        spelled = joined(group.pieces)
        missing = len((group.text or "").split()) - len(words)
        if missing * 20 > len(words):
            notes.append(f"The full text has {missing} words more than those with times; only these were read.")
    waiting: list[tuple[str, int | None]] = []
    begin = last = group.start_ms or 0
    end: int | None = None
    speaker, tail = None, ""
    for (text, piece), following in zip(spelled, [*spelled[1:], None], strict=True):
        if not waiting and not text.strip():
            continue
        last = last if piece.start_ms is None else piece.start_ms
        if not waiting:
            begin, end, speaker = last, None, piece.speaker
        waiting.append((text, piece.start_ms))
        if letters(text):
            end = piece.end_ms if piece.end_ms is not None and piece.end_ms >= last else None
        tail = text.strip() or tail
        if following is not None:
            next_text, after = following
            if not letters(next_text):
                continue
            pause = after.start_ms is not None and after.start_ms - (last if end is None else end) >= _PAUSE_MS
            if not (pause or ends_with_stop(tail) or after.speaker != speaker or len(waiting) >= _MOST_WORDS):
                continue
        text, words_of_cue = timed_words(waiting, begin)
        kept = tuple(Word(word.text, max(word.start_ms, 0)) for word in words_of_cue)
        yield RawCue(begin, end, text, speaker=speaker, words=kept)
        waiting = []


def _spelled(group: Group) -> list[tuple[str, Piece]] | None:
    """Return the timed words as the full text writes them: cut from it, so that together they are the text.

    None where there is no text, or its letters are not those of the words.
    """
    pieces = [piece for piece in group.pieces if letters(piece.text)]
    text = group.text or ""
    places = [place for place, char in enumerate(text) for _ in letters(char)]
    if not pieces or "".join(letters(piece.text) for piece in pieces) != letters(text):
        return None
    if len(places) != len(letters(text)):
        return None
    cuts = [0]
    done = 0
    for piece, _ in pairwise(pieces):
        done += len(letters(piece.text))
        between = text[places[done - 1] + 1 : places[done]]
        space = next((place for place in range(len(between) - 1, -1, -1) if between[place].isspace()), None)
        # What stands right before a word, as an opening quotation mark, is its; where there are no spaces, the word
        # before keeps it.
        cuts.append(places[done] if space is None else places[done - 1] + 1 + space)
    return [(text[a:b], piece) for (a, b), piece in zip(pairwise([*cuts, len(text)]), pieces, strict=True)]


def joined(pieces: Sequence[Piece]) -> list[tuple[str, Piece]]:
    """Put spaces between words that come without them, where their script has them; punctuation goes before them."""
    bare = not any(piece.text[:1].isspace() or piece.text[-1:].isspace() for piece in pieces)
    out = []
    before = ""
    for i, piece in enumerate(pieces):
        together = is_unspaced(before[-1:]) and is_unspaced(piece.text[:1])
        spaced = bare and not together and (letters(piece.text) or not i)
        out.append((f" {piece.text}" if spaced else piece.text, piece))
        before = piece.text or before
    return out
