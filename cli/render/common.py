"""What the other modules of this folder share: JSON lines, Markdown, marks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from talksearch.indexer.records import Json, Timing
from talksearch.indexer.text.untrusted import safe

_INDENT = "    "


def jsonl(rows: Iterable[dict[str, Json]]) -> str:
    """Return objects as JSON, one a line."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def mark(timing: Timing) -> str:
    """Return what stands before a time: `~` where it was estimated."""
    return "~" if timing == "estimated" else ""


def markdown(text: str) -> str:
    """Return untrusted text so that Markdown and HTML take it as text."""
    return re.sub(r"([\\`*_{}\[\]()#+!|~>-])", r"\\\1", safe(text).replace("&", "&amp;").replace("<", "&lt;"))


def _plain_url(url: str) -> str:
    return safe(url).replace("<", "%3C").replace(">", "%3E").replace(" ", "%20")


def _plural(word: str, count: int) -> str:
    first, _, rest = word.partition(" ")
    return word if count == 1 else f"{first}s {rest}".rstrip()
