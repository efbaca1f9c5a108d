"""What the other modules of this folder share: JSON lines, Markdown, plurals, marks."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterable

from talksearch.indexer.records import Json, Talk, Timing
from talksearch.indexer.text.untrusted import safe

INDENT = "    "
"""What stands before the lines that belong to a heading."""

_MARKDOWN_SIGN = re.compile(r"([\\`*_{}\[\]()#+!|~>-])")
"""A character that means something in Markdown."""


def jsonl(rows: Iterable[dict[str, Json]]) -> str:
    """Return objects as JSON, one a line."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def mark(timing: Timing) -> str:
    """Return what stands before a time: `~` where it was estimated."""
    return "~" if timing == "estimated" else ""


def timing_sentence(talk: Talk) -> str:
    """Say how far the times of a talk can be relied on; empty where they are exact."""
    if talk.timing == "exact":
        return ""
    return f"Times are estimated: nine in ten lie within {talk.margin_ms / 1000:.0f} seconds."


def shell_word(text: str) -> str:
    r"""Return a path or a name as it is typed into a shell.

    One with signs that are not fit for a terminal stands in `$'…'`, with their bytes in octal, which bash, zsh and ksh
    take (POSIX.1-2024, 2.2.4).

    >>> print(shell_word("a b"), shell_word("two\nlines"))
    'a b' $'two\012lines'
    """
    if safe(text) == text:
        return shlex.quote(text)

    def typed(sign: str) -> str:
        if sign in "\\'":
            return f"\\{sign}"
        return sign if safe(sign) == sign else "".join(f"\\{byte:03o}" for byte in os.fsencode(sign))

    return f"$'{''.join(map(typed, text))}'"


def markdown(text: str) -> str:
    """Return untrusted text so that Markdown and HTML take it as text."""
    return _MARKDOWN_SIGN.sub(r"\\\1", safe(text).replace("&", "&amp;").replace("<", "&lt;"))


def plain_url(url: str) -> str:
    """Return an address so that it can stand between the angle brackets of a link in Markdown."""
    return safe(url).replace("<", "%3C").replace(">", "%3E").replace(" ", "%20")


def plural(noun: str, count: int) -> str:
    """Return a noun as a count of it needs it; of a noun with words behind it the first word changes.

    >>> plural("file", 1), plural("file", 2), plural("sentence of the description", 0)
    ('file', 'files', 'sentences of the description')
    """
    first, _, rest = noun.partition(" ")
    return noun if count == 1 else f"{first}s {rest}".rstrip()


def counted(noun: str, count: int) -> str:
    """Return how many there are of something.

    >>> counted("talk", 1), counted("talk", 1200)
    ('1 talk', '1,200 talks')
    """
    return f"{count:,} {plural(noun, count)}"
