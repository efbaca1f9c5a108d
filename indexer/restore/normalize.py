"""The last touch: no character that is never speech, plain spaces, times that never run backwards."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from talksearch.indexer.records import Cue, Word

from .markup import DEBRIS

LATEST_MS = 100 * 3_600_000
"""No talk says anything at 100 hours and later; a time that says so is damage."""
_SUSPECT = re.compile("[\x80-\x9f\xad]")
"""C1 controls and the soft hyphen: never speech, but in misread text they may be halves of letters."""
_JOINERS = re.compile("[\u200c\u200d]")


def normalize(cues: Sequence[Cue]) -> tuple[Cue, ...]:
    """Take out what `clean(final=False)` left for the text repair: C1 controls, soft hyphens, odd spaces."""
    out = []
    for cue in cues:
        if cue.text.isascii():
            out.append(cue)
            continue
        text = normalize_text(cue.text)
        if text == cue.text:
            out.append(cue)
            continue
        if not text:
            continue
        words = tuple(
            Word(piece, word.start_ms) for word in cue.words for piece in normalize_text(word.text).split(" ") if piece
        )
        if " ".join(word.text for word in words) != text:
            words = ()
        out.append(replace(cue, text=text, words=words))
    return tuple(out)


def normalize_text(text: str) -> str:
    """Remove characters that are never speech and make every space a plain one.

    Zero-width joiners stay between the letters of scripts that write with them, and in emoji.

    >>> normalize_text("a\\u200bb\\u00a0 c\\u202ed"), normalize_text("می\\u200cخواهم") == "می\\u200cخواهم"
    ('ab cd', True)
    """
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    text = DEBRIS.sub("", text)
    text = _SUSPECT.sub(lambda match: " " if match[0] == "\x85" else "", text)
    text = _JOINERS.sub(lambda match: match[0] if _joins(text, match.start()) else "", text)
    return " ".join(text.split())


def _joins(text: str, position: int) -> bool:
    before, after = text[position - 1 : position], text[position + 1 : position + 2]
    if not before or not after:
        return False
    return all(ord(char) >= 0x590 and not char.isspace() for char in (before, after))


def monotonic_times(cues: Sequence[Cue]) -> tuple[Cue, ...]:
    """Never let a start decrease or an end stand before its start; word times stay inside their cue's order.

    A time of `LATEST_MS` and more is none: what is said then follows what is said before it. Every reader's cues come
    through here, so that no store and no column is given a time that it cannot hold.
    """
    out: list[Cue] = []
    last = 0
    for cue in cues:
        start = max(cue.start_ms if cue.start_ms < LATEST_MS else last, last)
        end = max(cue.end_ms if cue.end_ms < LATEST_MS else start, start)
        if (start, end) != (cue.start_ms, cue.end_ms) or any(not 0 <= word.start_ms < LATEST_MS for word in cue.words):
            words = tuple(Word(word.text, min(max(word.start_ms, start), LATEST_MS)) for word in cue.words)
            if any(word.start_ms >= LATEST_MS for word in words):
                words = ()
            cue = replace(cue, start_ms=start, end_ms=end, words=words)
        last = start
        out.append(cue)
    return tuple(out)
