"""What the other modules of this folder share: JSON lines, Markdown, plurals, marks."""

from __future__ import annotations

import json
import re
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
