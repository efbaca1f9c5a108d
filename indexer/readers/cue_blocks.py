"""Cues that stand between time lines (`00:01.000 --> 00:02.000`): SubRip, and WebVTT that is damaged.

Nothing but the time lines is relied on: blank lines may be missing or too many, numbers may be missing or wrong.
"""

from __future__ import annotations

import re

from talksearch.indexer.text.clock import CLOCK, parse_clock

from .cue_times import RawCue

# Also `->`, `—>`, `-- >` and a colon before the milliseconds, as hand-made and OCR-made files have them.
TIME_LINE = re.compile(
    rf"^[ \t]*(-?)(\d{{1,6}}:\d{{1,3}}:\d{{1,2}}(?:[.,:]\d{{1,9}})?|{CLOCK})"
    rf"[ \t]*(?:--?[ \t]*>|[–—]>|→)[ \t]*"
    rf"(-?)(\d{{1,6}}:\d{{1,3}}:\d{{1,2}}(?:[.,:]\d{{1,9}})?|{CLOCK})(?=\s|$)",
    re.MULTILINE,
)
_SKIPPED = re.compile(r"(?:NOTE|STYLE|REGION)(?:[ \t].*)?$")
_HEADER = re.compile(r"(?:WEBVTT|X-TIMESTAMP-MAP=|Kind:|Language:|Region:)")


def signed_clock(sign: str, text: str) -> int | None:
    """Milliseconds of one side of a time line, below zero where it says so; None where it is no time."""
    if text.count(":") == 3:  # 00:00:01:500
        head, _, tail = text.rpartition(":")
        text = f"{head}.{tail}"
    ms = parse_clock(text)
    return -ms if ms is not None and sign else ms


def read_blocks(text: str) -> list[RawCue]:
    """Find the cues of a file by its time lines; every line of text between them is kept."""
    lines = text.split("\n")
    heads: list[tuple[int, int, int | None]] = []
    for i, line in enumerate(lines):
        if ">" not in line and "→" not in line:
            continue
        match = TIME_LINE.match(line)
        if not match:
            continue
        start, end = signed_clock(match[1], match[2]), signed_clock(match[3], match[4])
        if start is None:
            start = heads[-1][1] if heads else 0
        heads.append((i, start, end))
    cues = []
    number: int | None = None
    identifier: str | None = None
    for n, (head_line, start, end) in enumerate(heads):
        if n == 0:
            number = _number(lines[head_line - 1]) if head_line else None
            identifier = (
                identifier_of(lines[head_line - 1]) if head_line > 1 and not lines[head_line - 2].strip() else None
            )
        stop = heads[n + 1][0] if n + 1 < len(heads) else len(lines)
        body = lines[head_line + 1 : stop]
        own, identifier = identifier, None
        if n + 1 < len(heads) and body:
            following = _number(body[-1])
            alone = len(body) == 1 or not body[-2].strip()
            # A line alone before a time line is the next cue's name. Without a blank line it is only taken for one
            # when it is the number that must come.
            if body[-1].strip() and (
                (alone and len(body) > 1 and (following is not None or len(body[-1]) <= 60))
                or (following is not None and number is not None and following == number + 1)
                or (alone and following is not None)
            ):
                identifier = identifier_of(body[-1])
                body = body[:-1]
                number = following
            else:
                number = None if number is None else number + 1
        cues.append(RawCue(start, end, _speech(body), head_line + 1, identifier=own))
    return cues


def identifier_of(line: str | None) -> str | None:
    """Return what a line above a time line calls its cue; None where that is only its number, or nothing.

    >>> identifier_of(' 1 "Ann Lee" (42) '), identifier_of("17"), identifier_of(None)
    ('1 "Ann Lee" (42)', None, None)
    """
    name = (line or "").strip()
    return name if name and not name.isdecimal() else None


def _number(line: str) -> int | None:
    line = line.strip()
    return int(line) if line.isascii() and line.isdigit() and len(line) < 9 else None


def _speech(body: list[str]) -> str:
    """Drop comments, styles and repeated headers that stand behind a blank line."""
    kept = []
    skipping = False
    for i, line in enumerate(body):
        if not line.strip():
            skipping = False
        elif not skipping and i and not body[i - 1].strip():
            skipping = bool(_SKIPPED.match(line) or (_HEADER.match(line) and line.startswith("WEBVTT")))
        if not skipping:
            kept.append(line)
    while kept and not kept[-1].strip() and kept[-1] == "":
        kept.pop()
    return "\n".join(kept)
