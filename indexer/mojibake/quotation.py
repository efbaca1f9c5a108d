"""Brackets and quotation marks: what opens is closed, and what closes was opened, in every script.

The costs are priors in nats (natural logarithms of odds), set before any measurement.
"""

from __future__ import annotations

import math

OPENING = 2.0
"""The cost of an opening mark until it is closed: one line in seven ends with something still open."""

CLOSING = -4.5
"""The least log probability, after any letter, of a mark that closes what is open."""

UNOPENED = 5.0
"""The cost of a mark that closes what was never opened, which is much rarer than a mark that is never closed."""

NESTED = 3.0
"""The cost of a mark that opens inside a pair of the same marks."""

_CLOSED_BY = {
    "(": ")", "[": "]", "（": "）", "［": "］", "｛": "｝", "「": "」", "『": "』", "【": "】", "〖": "〗", "〔": "〕",
    "〈": "〉", "《": "》", "“": "”", "„": "“”", "‹": "›", "«": "»", "»": "«",
}  # fmt: skip
"""The marks that close each opening mark."""

_OPENERS = frozenset(_CLOSED_BY) - {"»"}
_CLOSERS = frozenset("".join(_CLOSED_BY.values()))

_QUOTATION_MARKS = "“”‘’„"

MARKS_WITH_SIDES = _CLOSERS | frozenset(_QUOTATION_MARKS)
"""The characters for which `closing_floor` or `quote_direction` has something to say."""

PAIRED_MARKS = _OPENERS | _CLOSERS
"""Every mark that stands in pairs. Single quotation marks are not among them, because they are apostrophes too."""

_LOOSE_BEFORE = "([{—–-“‘「（"
"""Characters after which a quotation mark opens, as it does after a space."""


def pair_mark(opened: str, char: str) -> tuple[str, float]:
    """(the marks that are open after a character, what it adds to the log likelihood); `opened` were open before it.

    >>> pair_mark("【", "】"), pair_mark("", "】"), pair_mark("", "「")
    (('', 2.0), ('', -5.0), ('「', -2.0))
    """
    if char not in PAIRED_MARKS:
        return ("", 0.0) if char == "\n" else (opened, 0.0)
    if char in _CLOSERS:
        for depth in range(len(opened) - 1, -1, -1):
            if char in _CLOSED_BY[opened[depth]]:
                return opened[:depth], OPENING - (len(opened) - 1 - depth)
        if char not in _OPENERS and char != "»":
            return opened, -UNOPENED
    return (opened + char)[-6:], -OPENING - (NESTED if char in opened else 0.0)


def pair_marks(text: str, opened: str = "") -> tuple[str, float]:
    """(the marks that are open at the end of a text, what all its marks add to its log likelihood).

    >>> pair_marks("【長岸論壇】（一"), pair_marks("、長岸論壇】")
    (('（', -2.0), ('', -5.0))
    """
    total = 0.0
    for char in text:
        if char in PAIRED_MARKS or char == "\n":
            opened, added = pair_mark(opened, char)
            total += added
    return opened, total


def closing_floor(opened: str, char: str) -> float:
    """The least log probability of a mark that closes what was opened last; minus infinity for other characters.

    >>> closing_floor("（「", "」"), closing_floor("「（", "」"), closing_floor("", "」")
    (-4.5, -inf, -inf)
    """
    return CLOSING if opened and char in _CLOSED_BY[opened[-1]] else -math.inf


def quote_direction(before: str, char: str) -> float:
    """The log probability that a quotation mark opens or closes, by the character before it; 0 for other characters."""
    if char not in _QUOTATION_MARKS:
        return 0.0
    previous = before[-1:]
    opens_here = not previous or previous.isspace() or previous in _LOOSE_BEFORE
    if char in "“„‘":
        return -0.3 if opens_here else -3.0
    return -3.0 if opens_here else -0.3
