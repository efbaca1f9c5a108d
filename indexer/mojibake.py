"""Mojibake: UTF-8 that was read in a single-byte code page, put back. Stand-in on ftfy alone; the real one follows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import ftfy

# Never flatten spelling: curly quotes, full-width signs, ligatures, line breaks and entities are not damage.
_FTFY = ftfy.TextFixerConfig(
    unescape_html=False,
    remove_terminal_escapes=False,
    replace_lossy_sequences=False,
    fix_c1_controls=False,
    fix_latin_ligatures=False,
    fix_character_width=False,
    uncurl_quotes=False,
    fix_line_breaks=False,
    fix_surrogates=False,
    remove_control_chars=False,
    normalization=None,
)


@dataclass(frozen=True, slots=True)
class Edit:
    """One stretch of text put back, or marked. `start` and `end` count characters of the original text."""

    start: int
    end: int
    before: str
    after: str
    rule: str
    certain: bool
    alternatives: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Repair:
    """The repaired text and everything that was done to get it."""

    text: str
    edits: tuple[Edit, ...] = ()


def repair_text(text: str) -> Repair:
    """Put mojibake back, line by line; healthy lines are never touched."""
    edits = []
    start = 0
    for line in text.splitlines(keepends=True):
        if not line.isascii():
            fixed = ftfy.fix_and_explain(line, _FTFY).text
            if fixed != line:
                edits.append(Edit(start, start + len(line), line, fixed, "ftfy", True))
        start += len(line)
    return Repair(replay(text, edits), tuple(edits))


def replay(text: str, edits: Iterable[Edit]) -> str:
    """Apply edits to the text they were made for."""
    parts = []
    done = 0
    for edit in edits:
        parts += [text[done : edit.start], edit.after]
        done = edit.end
    return "".join([*parts, text[done:]])
