"""What a file may hold at most, asked once, before any reader sees its text.

Nobody says a thousand brackets in a row, and no word has thousands of letters: such runs are tables of bytes, drawings
or damage, and to look for the end of what each of them opens takes a reader the square of their length. They are
shortened here, and a sentence of the receipt says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

MOST_IN_A_ROW = 400
"""Of one character. Lines of dashes or blanks have a quarter of it."""
LONGEST_WORD = 2_000
"""Letters and digits in a row, with the signs of base64 among them. The longest word of any dictionary has 190."""
_WORD_SIGNS = re.compile(r"[A-Za-z0-9+/=_\-]+")
_PART = MOST_IN_A_ROW // 2
"""Characters that are looked at together: a run of twice as many holds a whole part, wherever it begins."""
_TOLD = 3
"""Runs of which a receipt tells."""


@dataclass(frozen=True, slots=True)
class BoundedText:
    """A text without runs that nobody says."""

    text: str
    notes: tuple[str, ...] = ()
    """What was shortened, a sentence."""


def bounded(text: str) -> BoundedText:
    r"""Shorten runs of one character and words that have no end; every other text stays as it is.

    It looks at one part of the text in so many, so that a text without such runs costs next to nothing.

    >>> bounded("one" + "[" * 1000 + "two").text == "one" + "[" * 400 + "two"
    True
    >>> bounded("see data:" + "QUJD" * 10_000 + " and so on").notes
    ('A word of 40,000 characters was left out but for its first 2,000.',)
    """
    runs: list[_Run] = []
    for length, most, is_inside in (
        (_PART, MOST_IN_A_ROW, _is_one_character),
        (LONGEST_WORD // 2, LONGEST_WORD, _is_word),
    ):
        text, found = _shortened(text, length, most, is_inside)
        runs += found
    return BoundedText(text, tuple(dict.fromkeys(run.told() for run in runs[:_TOLD])))


class _Run(NamedTuple):
    what: str
    """The character; empty for a word."""
    length: int

    def told(self) -> str:
        what = f"A run of {self.length:,} times {self.what!r}" if self.what else f"A word of {self.length:,} characters"
        return f"{what} was left out but for its first {MOST_IN_A_ROW if self.what else LONGEST_WORD:,}."


def _is_one_character(text: str) -> bool:
    return text.count(text[0]) == len(text)


def _is_word(text: str) -> bool:
    return _WORD_SIGNS.fullmatch(text) is not None


def _shortened(text: str, length: int, most: int, is_inside: Callable[[str], bool]) -> tuple[str, list[_Run]]:
    """Cut every run of more than `most` characters to so many.

    Args:
        text: the text.
        length: of the parts that are looked at; a run of `most` characters holds a whole one.
        most: characters that stay.
        is_inside: says whether a part lies inside a run.
    """
    pieces: list[str] = []
    runs: list[_Run] = []
    done = 0
    at = 0
    while at + length <= len(text):
        if at < done or not is_inside(text[at : at + length]):
            at += length
            continue
        one = text[at] if is_inside is _is_one_character else ""
        pattern = re.compile(f"{re.escape(one)}+") if one else _WORD_SIGNS
        start = at
        while start > done and pattern.fullmatch(text[start - 1]):
            start -= 1
        match = pattern.match(text, at)
        end = match.end() if match else at
        if end - start > most:
            pieces += [text[done : start + most]]
            done = end
            runs.append(_Run(one, end - start))
        at = max(end, at + length) // length * length
    return ("".join([*pieces, text[done:]]) if runs else text), runs
