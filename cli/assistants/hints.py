"""What errors advise, for who has tools and no shell."""

from __future__ import annotations

import re

from talksearch.cli.hints import OPERATOR_COMMANDS, reworded
from talksearch.indexer.errors import TalksearchError

_WORDINGS = (
    (re.compile(r": talksearch talks\b"), " with list_talks"),
    (re.compile(r": talksearch show (\S+)"), r" with read_talk, talk \1"),
    (re.compile(r': talksearch ("[^"]*")'), r", such as search_talks with query \1"),
    (OPERATOR_COMMANDS, r"; that is for the user to do: \1"),
)
"""What is said of a command of the shell, and what of the tool that does the same, or of who can give the command."""


def for_assistants(text: str) -> str:
    """Return a hint or a note that names tools in place of commands.

    >>> for_assistants("List them: talksearch talks")
    'List them with list_talks.'
    >>> for_assistants("Make one: talksearch index PATH")
    'Make one; that is for the user to do: talksearch index PATH.'
    """
    return reworded(text, _WORDINGS)


def told(error: TalksearchError) -> str:
    """Return an error as sentences."""
    return " ".join(filter(None, (error.message, for_assistants(error.hint))))
