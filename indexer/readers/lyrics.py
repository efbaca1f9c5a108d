"""Lyrics (`.lrc`) whose times are damaged, written as they should stand: `［００：０１．５０］` becomes `[00:01.50]`.

https://en.wikipedia.org/wiki/LRC_(file_format)
"""

from __future__ import annotations

import re
from itertools import pairwise
from statistics import median

from talksearch.indexer.records import Step
from talksearch.indexer.text.clock import CLOCK
from talksearch.indexer.text.damaged_clock import plain_signs, read_damaged_clock, says_no_time

from .source_text import SourceText

_STAMPS = re.compile(r"[ \t\ufeff]*((?:[\[［【〔][^\[\]［］【】〔〕\n]{1,30}[\]］】〕][ \t]*)+)(.*)")
_STAMP = re.compile(r"[\[［【〔][ \t]*([^\[\]［］【】〔〕\n]{1,30}?)[ \t]*[\]］】〕]")
_REGULAR = re.compile(rf"(?:[ \t]*\[{CLOCK}\])*")
_HUNDREDTHS = re.compile(r"(\d{1,3}):(\d{2}):(\d{2})")
_TOLD_LINES = 100
"""Lines that are written into a receipt."""
_LONGEST_LINE_MS = 60_000
"""How long a line of lyrics stays in the middle of a file at most; above that its hours are minutes."""


def mended_lyrics(source: SourceText) -> tuple[str, tuple[Step, ...]]:
    """Return the text of a file with the times of lyrics as they should stand, and the step to note where any were not.

    A time that cannot be read is put half-way between its neighbours. Files of other names are returned as they are.
    """
    if source.ending != "lrc":
        return source.text, ()
    lines = source.text.split("\n")
    found = {i: match for i, line in enumerate(lines) if (match := _STAMPS.match(line)) and _has_time(match[1])}
    as_hundredths = _are_hundredths([match[1] for match in found.values()])
    times = {i: [_ms(stamp, as_hundredths) for stamp in _STAMP.findall(match[1])] for i, match in found.items()}
    known = {i: starts[0] for i, starts in times.items() if starts and starts[0] is not None}
    damaged: list[str] = []
    for i, match in found.items():
        if not as_hundredths and _REGULAR.fullmatch(match[1].rstrip()):
            continue
        damaged.append(match[1].strip())
        starts = [start for start in times[i] if start is not None] or [_between(i, known)]
        lines[i] = "".join(f"[{_written(start)}]" for start in starts) + match[2]
    if not damaged:
        return source.text, ()
    return "\n".join(lines), (_step(damaged),)


def _step(damaged: list[str]) -> Step:
    """Tell how many lines were damaged, and what looks like words in them and is none."""
    strange = [stamps for stamps in damaged if ":" not in stamps or any(map(str.isalpha, stamps))]
    return Step("read-damaged-times", "cues", {"lines": len(damaged), "lines_left_out": strange[:_TOLD_LINES]})


def _has_time(stamps: str) -> bool:
    """Say whether brackets hold times, or what programs write for one, and nothing else."""
    return all(_ms(stamp, False) is not None or _says_none(stamp) for stamp in _STAMP.findall(stamps))


def _says_none(stamp: str) -> bool:
    return ":" in plain_signs(stamp) and says_no_time(plain_signs(stamp))


def _are_hundredths(stamps: list[str]) -> bool:
    """Say whether the third part of `[00:01:50]` is a fraction: where a line would last for minutes otherwise."""
    parts = [match for text in stamps if (match := _HUNDREDTHS.fullmatch(plain_signs(_STAMP.findall(text)[0])))]
    if len(parts) * 2 < len(stamps) or not parts:
        return False
    if any(int(match[3]) > 60 for match in parts):
        return True
    starts = [int(match[1]) * 3_600_000 + int(match[2]) * 60_000 + int(match[3]) * 1000 for match in parts]
    return len(starts) > 2 and median(b - a for a, b in pairwise(starts)) > _LONGEST_LINE_MS


def _ms(stamp: str, as_hundredths: bool) -> int | None:
    plain = plain_signs(stamp)
    if not plain[:1].isdigit() or "-" in plain:
        return None
    if as_hundredths and (match := _HUNDREDTHS.fullmatch(plain)):
        plain = f"{match[1]}:{match[2]}.{match[3]}"
    if plain.count(".") == 2 and ":" not in plain:  # 00.01.50
        plain = plain.replace(".", ":", 1)
    return read_damaged_clock(plain)


def _between(line: int, known: dict[int, int]) -> int:
    before = max((start for i, start in known.items() if i < line), default=0)
    after = min((start for i, start in known.items() if i > line and start >= before), default=before)
    return (before + after) // 2


def _written(ms: int) -> str:
    return f"{ms // 60_000:02d}:{ms // 1000 % 60:02d}.{ms % 1000:03d}"
