"""What a caption track shows of itself: whether a machine wrote it, and whether its times mean anything."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice

from talksearch.indexer.errors import UnreadableError
from talksearch.indexer.records import Origin, Transcript
from talksearch.indexer.text.clock import parse_clock

from .cue_blocks import TIME_LINE, signed_clock
from .cue_times import count_units
from .source_text import SourceText

_ORIGINAL_TRACK = re.compile(r"\.[a-z]{2,3}-orig\.[a-z0-9]+$", re.IGNORECASE)
_WORD_TIME = re.compile(r"<\d[\d:.]*><c>|<c>[^<]*</c>\s*<\d")
_HELD_MS = 10
"""How long YouTube shows the finished row of automatic captions by itself before the next one begins to grow."""
_CUES_LOOKED_AT = 400
_CHARACTERS_LOOKED_AT = 100_000
_MUCH_TEXT = 150
"""Characters in a cue that may be more than its time allows."""
_MANY_WORDS = 100
"""Words in such a cue beyond which the reader is asked whether the times of the file mean anything."""
_FASTEST = 15
"""Words a second that nobody says; `cue_times` draws the same line."""


def origin_by_cues(source: SourceText) -> Origin:
    """Tell who wrote WebVTT or SubRip by its name and cues."""
    return origin_of(source.text, source.name)


def origin_by_name(source: SourceText) -> Origin:
    """Tell who wrote captions in which only the name tells."""
    return origin_of("", source.name)


def origin_of(text: str, name: str) -> Origin:
    """Tell YouTube's automatic captions by what only they have: word times, or rows held for 10 ms, or the name.

    Everything else is unknown: people and machines write the same plain cues.
    """
    if _ORIGINAL_TRACK.search(name):
        return "automatic"
    held = cues = 0
    for head in islice(TIME_LINE.finditer(text), _CUES_LOOKED_AT):
        start, end = parse_clock(head[2]), parse_clock(head[4])
        cues += 1
        if start is not None and end is not None and 0 <= end - start <= _HELD_MS:
            held += 0 <= text.find("\n", head.end(), head.end() + 250) < text.find("\n\n", head.end(), head.end() + 250)
    if cues >= 4 and held * 5 >= cues:
        return "automatic"
    timed_words = len(_WORD_TIME.findall(text[:_CHARACTERS_LOOKED_AT]))
    return "automatic" if timed_words >= max(2, cues // 4) else "unknown"


def has_true_times(source: SourceText, read: Callable[[SourceText], Transcript]) -> bool:
    """Say whether the times of cues mean anything: not where many words stand in a cue of no length.

    Only a file that looks like that is read, so that its reader decides.
    """
    text = source.text
    heads = list(TIME_LINE.finditer(text))
    ends = [*(head.start() for head in heads[1:]), len(text)]
    crammed = any(
        end - head.end() > _MUCH_TEXT
        and (units := count_units(text[head.end() : end])) >= _MANY_WORDS
        and units > _FASTEST * _length_s(head)
        for head, end in zip(heads, ends, strict=True)
    )
    if crammed or (len(heads) > 3 and len({head[2] for head in heads}) == 1):
        try:
            return read(source).timed
        except UnreadableError:
            return True  # what is wrong with it is said when it is read
    return True


def _length_s(head: re.Match[str]) -> float:
    start, end = signed_clock(head[1], head[2]), signed_clock(head[3], head[4])
    return max(0, (end or 0) - (start or 0)) / 1000
