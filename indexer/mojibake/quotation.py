"""Brackets and quotation marks: what opens is closed, what closes was opened, in every script.

Costs are priors, natural logarithms of odds, set before any measurement.
"""

from __future__ import annotations

import math

OPENING = 2.0
"""What an opening mark costs until it is closed: lines end with something open one time in seven, ..."""
CLOSING = -4.5
"""The log probability, at least, that what is open is closed after any letter."""
UNOPENED = 5.0
"""... and close what was never opened more rarely by far, ..."""
NESTED = 3.0
"""... as seldom as they open the same mark inside itself."""

_CLOSED_BY = {
    "(": ")", "[": "]", "（": "）", "［": "］", "｛": "｝", "「": "」", "『": "』", "【": "】", "〖": "〗", "〔": "〕",
    "〈": "〉", "《": "》", "“": "”", "„": "“”", "‹": "›", "«": "»", "»": "«",
}  # fmt: skip
_OPENERS = frozenset(_CLOSED_BY) - {"»"}
_CLOSERS = frozenset("".join(_CLOSED_BY.values()))
MARKS = _OPENERS | _CLOSERS
"""Every mark that stands in pairs. Single quotation marks do not: they are apostrophes too."""


def paired(opened: str, char: str) -> tuple[str, float]:
    """(the marks open after a character, what the character adds to the likelihood), by those `opened` before it.

    >>> paired("【", "】"), paired("", "】"), paired("", "「")
    (('', 2.0), ('', -5.0), ('「', -2.0))
    """
    if char not in MARKS:
        return ("", 0.0) if char == "\n" else (opened, 0.0)
    if char in _CLOSERS:
        for at in range(len(opened) - 1, -1, -1):
            if char in _CLOSED_BY[opened[at]]:
                return opened[:at], OPENING - (len(opened) - 1 - at)
        if char not in _OPENERS and char != "»":
            return opened, -UNOPENED
    return (opened + char)[-6:], -OPENING - (NESTED if char in opened else 0.0)


def pairing(text: str, opened: str = "") -> tuple[str, float]:
    """(the marks open at the end of a text, what all its marks add to its likelihood).

    >>> pairing("【長岸論壇】（一"), pairing("、長岸論壇】")
    (('（', -2.0), ('', -5.0))
    """
    total = 0.0
    for char in text:
        if char in MARKS or char == "\n":
            opened, added = paired(opened, char)
            total += added
    return opened, total


def closing(before: str, char: str) -> float:
    """The least log probability of a mark that closes what was opened last before it; none of other characters.

    >>> closing("他说「好", "」"), closing("他说好", "」")
    (-4.5, -inf)
    """
    if char not in _CLOSERS:
        return -math.inf
    opened, _ = pairing(before)
    return CLOSING if opened and char in _CLOSED_BY[opened[-1]] else -math.inf


def quotes(before: str, char: str) -> float:
    """Whether a quotation mark opens or closes, told by what stands before it."""
    if char not in "“”‘’„":
        return 0.0
    last = before[-1:]
    loose = not last or last.isspace() or last in "([{—–-“‘「（"
    if char in "“„‘":
        return -0.3 if loose else -3.0
    return -3.0 if loose else -0.3
