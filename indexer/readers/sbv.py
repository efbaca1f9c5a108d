"""SubViewer as YouTube Studio writes it (`.sbv`): `0:00:00.599,0:00:04.160`, the text, a blank line."""

from __future__ import annotations

import re

from talksearch.indexer.records import Transcript

from .cue_times import CLOCK, RawCue, mend, parse_clock
from .vtt import count_words

TIME_LINE = re.compile(rf"^[ \t]*({CLOCK})[ \t]*,[ \t]*({CLOCK})[ \t]*$", re.MULTILINE)


def read(text: str) -> Transcript:
    """Read an SBV file.

    Raises:
        UnreadableError: no cues, or times that cannot be.
    """
    heads = list(TIME_LINE.finditer(text))
    raw = []
    line, done = 1, 0
    for head, following in zip(heads, [*heads[1:], None], strict=True):
        line += text.count("\n", done, head.start())
        done = head.start()
        body = text[head.end() : following.start() if following else len(text)]
        start = parse_clock(head[1])
        body = body.strip("\n").replace("[br]", "\n")
        raw.append(RawCue(start if start is not None else 0, parse_clock(head[2]), body, line))
    mended = mend(raw, "SBV file")
    return Transcript(
        format="sbv",
        cues=mended.cues,
        timed=mended.timed,
        duration_ms=mended.duration_ms,
        words_before=count_words(raw),
        steps=mended.steps,
        uncertain=mended.uncertain,
    )
