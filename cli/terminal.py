"""What a terminal may be sent: lines of its width, links, highlights, and nothing that acts on it."""

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

_PIPE_WIDTH = 100
"""Columns of output that goes to no terminal."""

_LEAST_WIDTH, _GREATEST_WIDTH = 40, 110
"""Columns between which lines stay: narrower ones break too often, wider ones are hard to read."""

_CHARACTERS_WITHOUT_SPACES = r"\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef"
"""Characters of scripts that may break anywhere, for the inside of a regular expression's brackets."""

_BREAKABLE = re.compile(rf"[{_CHARACTERS_WITHOUT_SPACES}]\s*|[^\s{_CHARACTERS_WITHOUT_SPACES}]+\s*|\s+")
"""A piece of a line that must not be broken, with the spaces behind it."""


@dataclass(frozen=True, slots=True)
class Style:
    """How output may look."""

    color: bool
    links: bool
    """Links are clickable (OSC 8). Only a terminal has them."""
    width: int
    """Columns of a line."""


def style_for(stream: TextIO) -> Style:
    """Return what suits a stream: plain in a pipe, plain where NO_COLOR is set (https://no-color.org)."""
    terminal = stream.isatty() and os.environ.get("TERM") != "dumb"
    width = shutil.get_terminal_size((_PIPE_WIDTH, 24)).columns if terminal else _PIPE_WIDTH
    return Style(
        color=terminal and not os.environ.get("NO_COLOR"),
        links=terminal,
        width=max(_LEAST_WIDTH, min(width, _GREATEST_WIDTH)),
    )


def hyperlink(url: str, style: Style) -> str:
    """Return a URL, clickable where the terminal can; what is not a plain web or file address stays text."""
    url = safe(url)
    if not style.links or not is_linkable(url):
        return url
    return f"\x1b]8;;{url}\x1b\\{url}\x1b]8;;\x1b\\"


def wrap(text: str, marked: Sequence[tuple[int, int]], style: Style, indent: str) -> str:
    """Return untrusted text in lines of the terminal's width.

    Wide characters count as two columns, and scripts without spaces break anywhere.

    Args:
        text: any text; control characters vanish.
        marked: spans of characters (start, end) that are highlighted where there are colours.
        style: how output may look.
        indent: what stands before each line.
    """
    width = style.width - len(indent)
    lines: list[str] = []
    line, columns = "", 0
    for match in _BREAKABLE.finditer(text):
        piece = match[0]
        size = sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in piece.rstrip())
        if line and columns + size > width:
            lines.append(line.rstrip())
            line, columns = "", 0
        line += _highlight(text, match.start(), match.end(), marked) if style.color else safe(piece)
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


def _highlight(text: str, start: int, end: int, marked: Sequence[tuple[int, int]]) -> str:
    """Return the characters from `start` to `end`, those inside marked spans highlighted."""
    highlighted = ""
    for first, last in marked:
        first, last = max(first, start), min(last, end)
        if first < last:
            highlighted += safe(text[start:first]) + click.style(safe(text[first:last]), bold=True, fg="yellow")
            start = last
    return highlighted + safe(text[start:end])
