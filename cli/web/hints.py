"""What errors and notes advise, for who asks over HTTP: paths for programs, and on a page what people can do there."""

from __future__ import annotations

import re

from talksearch.cli.hints import OPERATOR_COMMANDS, reworded

_OPERATOR_WORDING = (OPERATOR_COMMANDS, r"; that is for who runs this server to do: \1")
_PROGRAM_WORDINGS = (
    (re.compile(r": talksearch talks\b(?: --format jsonl)?"), ": /api/talks"),
    (re.compile(r": talksearch show (\S+)"), r": /api/talks/\1"),
    (re.compile(r': talksearch "[^"]*"'), ", as in /api/search?q=time+dilation"),
    _OPERATOR_WORDING,
)
_PEOPLE_WORDINGS = (
    (re.compile(r"List them: talksearch talks\b"), "They are listed under Talks"),
    (re.compile(r": talksearch show (\S+)"), r" on its page: /talk/\1"),
    (re.compile(r': talksearch "([^"]*)"'), r", such as “\1”"),
    _OPERATOR_WORDING,
)


def for_programs(text: str) -> str:
    """Return a hint or a note that names paths in place of commands.

    >>> for_programs("List them: talksearch talks"), for_programs('Say what you look for: talksearch "a ship"')
    ('List them: /api/talks.', 'Say what you look for, as in /api/search?q=time+dilation.')
    """
    return reworded(text, _PROGRAM_WORDINGS)


def for_people(text: str) -> str:
    """Return a hint or a note that names what can be done on a page in place of commands.

    >>> for_people("List them: talksearch talks"), for_people('Say what you look for: talksearch "a ship"')
    ('They are listed under Talks.', 'Say what you look for, such as “a ship”.')
    >>> for_people("Mend it: talksearch doctor")
    'Mend it; that is for who runs this server to do: talksearch doctor.'
    """
    return reworded(text, _PEOPLE_WORDINGS)
