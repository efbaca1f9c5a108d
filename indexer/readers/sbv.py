"""SubViewer as YouTube Studio writes it (`.sbv`): `0:00:00.599,0:00:04.160`, the text, a blank line."""

from __future__ import annotations

import re

from talksearch.indexer.records import Transcript
from talksearch.indexer.text.clock import CLOCK, parse_clock

from .cue_times import RawCue, mend
from .finish import finish
from .source_text import SourceText
from .text_files import is_headed_webvtt

_TIME_LINE = re.compile(rf"^[ \t]*({CLOCK})[ \t]*,[ \t]*({CLOCK})[ \t]*$", re.MULTILINE)


def matches(source: SourceText) -> bool:
    """Say whether a line holds the two times of a cue."""
    return not is_headed_webvtt(source) and _TIME_LINE.search(source.text) is not None


def read(source: SourceText) -> Transcript:
    """Read an SBV file.

    Raises:
        UnreadableError: no cues, or times that cannot be.
    """
    text = source.text
    heads = list(_TIME_LINE.finditer(text))
    raw = []
    line, done = 1, 0
    for head, following in zip(heads, [*heads[1:], None], strict=True):
        line += text.count("\n", done, head.start())
        done = head.start()
        body = text[head.end() : following.start() if following else len(text)]
        start = parse_clock(head[1])
        body = body.strip("\n").replace("[br]", "\n")
        raw.append(RawCue(start if start is not None else 0, parse_clock(head[2]), body, line))
    return finish(raw, mend(raw, "SBV file"), Transcript("sbv", ()))
