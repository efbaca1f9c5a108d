"""What a terminal may be sent: text without control characters, links, times, and how it looks."""

from __future__ import annotations

import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

import click

from talksearch.indexer.text.untrusted import is_linkable, safe


@dataclass(frozen=True, slots=True)
class Style:
    """How output may look."""

    color: bool
    links: bool
    """Clickable OSC 8 links."""
    width: int


def style_for(stream: TextIO) -> Style:
    """Return what suits a stream: plain in a pipe, plain where NO_COLOR is set (https://no-color.org)."""
    terminal = stream.isatty() and os.environ.get("TERM") != "dumb"
    width = shutil.get_terminal_size((100, 24)).columns if terminal else 100
    return Style(color=terminal and not os.environ.get("NO_COLOR"), links=terminal, width=max(40, min(width, 110)))


def hyperlink(url: str, look: Style) -> str:
    """Return a URL, clickable where the terminal can; what is not a plain web or file address stays text."""
    url = safe(url)
    if not look.links or not is_linkable(url):
        return url
    return f"\x1b]8;;{url}\x1b\\{url}\x1b]8;;\x1b\\"


def clock(milliseconds: int) -> str:
    """Return a time as people write it.

    >>> clock(754_000), clock(3_723_999)
    ('12:34', '1:02:03')
    """
    seconds = milliseconds // 1000
    hours, minutes, seconds = seconds // 3600, seconds // 60 % 60, seconds % 60
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def wrap(text: str, marked: Sequence[tuple[int, int]], look: Style, indent: str) -> str:
    """Return untrusted text in lines of the terminal's width, the `marked` spans (start, end) of it highlighted.

    Wide characters count as two columns, and scripts without spaces break anywhere.
    """
    width = look.width - len(indent)
    lines: list[str] = []
    line, columns = "", 0
    for start, end in _breakable(text):
        piece = text[start:end]
        size = sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in piece.rstrip())
        if line and columns + size > width:
            lines.append(line.rstrip())
            line, columns = "", 0
        line += _highlight(text, start, end, marked) if look.color else safe(piece)
        columns += size + len(piece) - len(piece.rstrip())
    return "\n".join(indent + each for each in [*lines, line.rstrip()] if each)


def warn(message: str) -> None:
    """Say something on standard error."""
    click.echo(safe(message), err=True)


def utf8_output() -> None:
    """Let every character through, whatever the locale says; what cannot be written is shown escaped."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _breakable(text: str) -> list[tuple[int, int]]:
    return [
        match.span()
        for match in re.finditer(
            r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]\s*|[^\s\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]+\s*|\s+",
            text,
        )
    ]


def _highlight(text: str, start: int, end: int, marked: Sequence[tuple[int, int]]) -> str:
    shown = ""
    for first, last in marked:
        first, last = max(first, start), min(last, end)
        if first < last:
            shown += safe(text[start:first]) + click.style(safe(text[first:last]), bold=True, fg="yellow")
            start = last
    return shown + safe(text[start:end])
