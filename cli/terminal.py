"""What a terminal may be sent: lines of its width, links, highlights, and nothing that acts on it."""

from __future__ import annotations

import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, TextIO
from urllib.parse import urldefrag

import click

from talksearch.indexer.text.untrusted import is_linkable, safe

from .hints import naming_index, naming_store

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


def wrap(
    text: str, marked: Sequence[tuple[int, int]], style: Style, indent: str, kind: Literal["said", "near"] = "said"
) -> str:
    """Return untrusted text in lines of the terminal's width.

    Wide characters count as two columns, and scripts without spaces break anywhere. What is marked because it was said
    looks different from what only comes near: bold and yellow, or underlined; without colours, « » stand around the
    first and nothing around the second.

    Args:
        text: any text; control characters vanish.
        marked: spans of characters (start, end) that are marked, rising and apart from each other.
        style: how output may look.
        indent: what stands before each line.
        kind: why they are marked.
    """
    width = style.width - len(indent)
    spans = list(marked)
    if not style.color:
        spans = _joined(text, spans) if kind == "said" else []
    lines: list[str] = []
    line, columns = "", 0
    for match in _BREAKABLE.finditer(text):
        piece = match[0]
        shown, signs = _with_marks(text, match.start(), match.end(), spans, style, kind)
        size = sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in piece.rstrip()) + signs
        if line and columns + size > width:
            lines.append(line.rstrip())
            line, columns = "", 0
        line += shown
        columns += size + len(piece) - len(piece.rstrip())
    return "\n".join(indent + each for each in [*lines, line.rstrip()] if each)


INDEX_GIVEN = "talksearch.index"
"""Under this key the context of a command keeps what `--index` gives, where it stands in the call."""


STORE_GIVEN = "talksearch.store"
"""Under this key the context of a command that asks keeps what `--store` gives."""


def for_given_index(text: str) -> str:
    """Return what is said of commands as they are for what the running command was given with `--index` or `--store`.

    An index that a variable or config.toml names needs no naming: a pasted command finds it too.
    """
    context = click.get_current_context(silent=True)
    folders = context.meta.get(INDEX_GIVEN, ()) if context else ()
    if folders:
        return naming_index(text, *map(safe, folders))
    stores = context.meta.get(STORE_GIVEN, ()) if context else ()
    return naming_store(text, safe(stores[-1])) if stores else text


def warn(message: str) -> None:
    """Say something on standard error; where nobody can hear it, the work goes on."""
    try:
        click.echo(for_given_index(safe(message)), err=True)
    except OSError:
        drop(2)  # what could not be written is kept, and Python would try again, and complain, when it ends


def drop(stream: int) -> None:
    """Send what still comes to a standard stream, by its number, to nowhere."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, stream)
        os.close(nowhere)


def open_closed_streams() -> None:
    """Open a standard stream that whoever started this process closed, to nowhere.

    Otherwise the next file that is opened takes its number, and what a library prints ends up in that file.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            with suppress(OSError):
                os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - lasts as long as the process


def open_in_browser(url: str) -> None:
    """Open a link of the web or to a file in the browser, at its second."""
    if url.startswith("file:"):
        import webbrowser  # links to files are few, and it takes time to load

        # click takes a link to a file for a path, and looks for a file whose name ends in "#t=754".
        if webbrowser.open(url):
            return
        url = urldefrag(url).url
    click.launch(url)


def utf8_output() -> None:
    """Let every character through, whatever the locale says; what cannot be written is shown escaped."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _joined(text: str, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return spans with those as one that only spaces stand between.

    >>> _joined("time dilation is", [(0, 4), (5, 13), (14, 16)])
    [(0, 16)]
    """
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if not text[start:end].strip():
            continue
        if joined and not text[joined[-1][1] : start].strip():
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def _with_marks(
    text: str, start: int, end: int, spans: Sequence[tuple[int, int]], style: Style, kind: Literal["said", "near"]
) -> tuple[str, int]:
    """Return the characters from `start` to `end`, those inside spans marked, and how many columns the marks take."""
    shown, signs = "", 0
    for first, last in spans:
        inside, behind = max(first, start), min(last, end)
        if inside >= behind:
            continue
        shown += safe(text[start:inside])
        part = safe(text[inside:behind])
        if style.color:
            part = click.style(part, bold=True, fg="yellow") if kind == "said" else click.style(part, underline=True)
        else:
            opening, closing = "«" * (inside == first), "»" * (behind == last)
            signs += len(opening) + len(closing)
            part = f"{opening}{part}{closing}"
        shown += part
        start = behind
    return shown + safe(text[start:end]), signs
