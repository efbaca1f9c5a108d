"""What errors and notes advise, for who has no shell: their hints name commands, and each front names its own means."""

from __future__ import annotations

import re
from collections.abc import Sequence

Wording = tuple[re.Pattern[str], str]
"""What is said of a command, and what is said in its place, as `re.sub` takes them."""

OPERATOR_COMMANDS = re.compile(r": (talksearch (?:index|remove|doctor|eval|repair)\b[^.]*)")
"""Commands that change an index or look after it: no front but the command line has them."""


def reworded(text: str, wordings: Sequence[Wording]) -> str:
    """Return a hint or a note that names other means in place of commands; it ends as a sentence.

    >>> reworded("Make one: talksearch index PATH", [(OPERATOR_COMMANDS, r"; that is for others to do: \\1")])
    'Make one; that is for others to do: talksearch index PATH.'
    """
    for pattern, words in wordings:
        text = pattern.sub(words, text)
    return f"{text}." if text and text[-1] not in ".?…" else text
