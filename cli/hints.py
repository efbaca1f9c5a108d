"""What errors and notes advise: their hints name commands, and each front names its own means in place of them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

Wording = tuple[re.Pattern[str], str]
"""What is said of a command, and what is said in its place, as `re.sub` takes them."""

OPERATOR_COMMANDS = re.compile(r": (talksearch (?:index|remove|doctor|eval|repair)\b[^.]*)")
"""Commands that change an index or look after it: no front but the command line has them."""


_OF_AN_INDEX = re.compile(
    r"(?<=: )talksearch (?:index|remove|doctor|eval|talks|show|stats|search|similar|export)\b(?! --index)"
)
"""A command that works with an index, as hints name it."""

_OF_ONE_INDEX = frozenset(f"talksearch {name}" for name in ("index", "remove", "doctor"))
"""Those that work with one index only."""


def naming_index(text: str, *folders: str) -> str:
    """Return a hint whose commands work with the indexes that were given: pasted as they are, they would take another.

    >>> naming_index("Build it again: talksearch index PATH --rebuild", "old talks/ix")
    "Build it again: talksearch index --index 'old talks/ix' PATH --rebuild"
    >>> naming_index("The talksearch index is old.", "ix")
    'The talksearch index is old.'
    >>> naming_index("List them: talksearch talks", "a", "b"), naming_index("Mend it: talksearch doctor", "a", "b")
    ('List them: talksearch talks --index a --index b', 'Mend it: talksearch doctor --index DIR')
    """
    named = " ".join(f"--index {shlex.quote(folder)}" for folder in folders)

    def with_index(match: re.Match[str]) -> str:
        # Of several, who reads the hint must choose: it works with one.
        return f"{match[0]} {'--index DIR' if len(folders) > 1 and match[0] in _OF_ONE_INDEX else named}"

    return _OF_AN_INDEX.sub(with_index, text)


_OF_A_STORE = re.compile(r"(?<=: )talksearch (?:talks|show|stats|search|similar)\b(?! --(?:index|store))")
"""A command that asks a store as well, as hints name it."""


def naming_store(text: str, url: str) -> str:
    """Return a hint whose commands ask the store that was given.

    >>> naming_store("List them: talksearch talks", "lance:///srv/talks")
    'List them: talksearch talks --store lance:///srv/talks'
    """
    return _OF_A_STORE.sub(lambda match: f"{match[0]} --store {shlex.quote(url)}", text)


def reworded(text: str, wordings: Sequence[Wording]) -> str:
    """Return a hint or a note that names other means in place of commands; it ends as a sentence.

    >>> reworded("Make one: talksearch index PATH", [(OPERATOR_COMMANDS, r"; that is for others to do: \\1")])
    'Make one; that is for others to do: talksearch index PATH.'
    """
    for pattern, words in wordings:
        text = pattern.sub(words, text)
    return f"{text}." if text and text[-1] not in ".?…" else text
