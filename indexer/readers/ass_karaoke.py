"""Lines of SubStation Alpha that are sung or marked word by word: the marks that tell when a word is said.

`{\\k25}` says how long the syllable behind it lasts, in hundredths of a second. Where the same line stands in several
cues one behind the other, the colour that moves tells, so its overrides stay for `restore.highlights`.
http://www.tcax.org/docs/ass-specs.htm
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from talksearch.indexer.text.clock import caption_clock

_SYLLABLE = re.compile(r"\{[^{}]*?\\[kK][fo]?(\d{1,6})[^{}]*\}")
_COMMENT = re.compile(r"\{(?!\\)[^{}]*\}")
_ANY = re.compile(r"\{[^{}]*\}")


def is_sung(text: str) -> bool:
    """Say whether a line holds the lengths of its syllables."""
    return len(_SYLLABLE.findall(text)) > 1


def sung_rows(text: str, start_ms: int) -> str:
    """Write when each syllable of a line begins, as WebVTT does.

    Args:
        text: with its overrides and line breaks.
        start_ms: when the line begins, in milliseconds.

    >>> sung_rows("{\\\\k50}So {\\\\k20}be{\\\\k30}yond", 1_000)
    '<00:00:01.000>So <00:00:01.500>be<00:00:01.700>yond'
    """
    written: list[str] = []
    done, now_ms = 0, start_ms
    for match in _SYLLABLE.finditer(text):
        written += [text[done : match.start()], f"<{caption_clock(now_ms)}>"]
        now_ms += int(match[1]) * 10
        done = match.end()
    return _rows(_ANY.sub("", "".join([*written, text[done:]])))


def marked_rows(text: str) -> str:
    """Return a line with its overrides, and without comments."""
    return _rows(_COMMENT.sub("", text))


def stands_again(lines: Sequence[tuple[int, str]], place: int) -> bool:
    """Say whether the line before or behind one is the same at another time; each has its start and its plain text."""
    start_ms, text = lines[place]
    return any(other == text and ms != start_ms for ms, other in lines[max(0, place - 1) : place + 2])


def _rows(text: str) -> str:
    text = text.replace(r"\N", "\n").replace(r"\n", "\n").replace(r"\h", " ")
    return "\n".join(row.strip() for row in text.split("\n") if row.strip())
