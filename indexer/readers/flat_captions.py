"""Captions whose line ends were lost: `1 00:00:01,000 --> 00:00:03,000 Good evening. 2 00:00:04,000 --> …`."""

from __future__ import annotations

import re
from itertools import pairwise

from talksearch.indexer.records import Step

_TIME = r"\d{1,3}:\d\d:\d\d[.,]\d{3}"
INSIDE = re.compile(rf"(?<=\S)[ \t]+(?:(\d{{1,6}})[ \t]+)?({_TIME}[ \t]*-->[ \t]*{_TIME})(?=\s|$)")
"""The times of a cue behind other text, and the number before them."""
_FEWEST = 3


def on_lines(text: str) -> tuple[str, tuple[Step, ...]]:
    """Put the times of cues that stand inside lines on lines of their own, and return the step to note it.

    Numbers before them that count up are those of the cues, and left out; others are said.

    >>> on_lines(" ".join(f"{i} 00:00:0{i},000 --> 00:00:0{i},900 word" for i in range(1, 5)))[0].split("\\n\\n")[2]
    '00:00:02,000 --> 00:00:02,900\\nword'
    """
    found = list(INSIDE.finditer(text))
    if len(found) < _FEWEST:
        return text, ()
    numbers = [int(match[1]) for match in found if match[1]]
    steps = [b - a for a, b in pairwise(numbers)]
    counted = (len(numbers) + 1) * 10 >= len(found) * 9 and steps.count(1) * 10 >= len(steps) * 9

    def on_its_own(match: re.Match[str]) -> str:
        said = f" {match[1]}" if match[1] and not counted else ""
        return f"{said}\n\n{match[2]}\n"

    # The first number stands at the beginning of the line, where it is told like any other.
    text = re.sub(r"\n[ \t]+", "\n", INSIDE.sub(on_its_own, text))
    return text, (
        Step("break-lines", "cues", {"cues": len(found), "words_left_out": len(numbers) + 1 if counted else 0}),
    )
