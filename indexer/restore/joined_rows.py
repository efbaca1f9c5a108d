"""Rows of Chinese and Japanese cues as one line: a row may end in the middle of a word, and no blank belongs there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from talksearch.indexer.text.lines import between_lines

from .markup import Row, Shown, row_of

_LABEL = re.compile(r"[^\s：:]{1,12}[：:]")
"""What may be a speaker's name at the beginning of a row."""


def join_rows(cue: Shown, counts: Counter[str]) -> Shown:
    """Write the first word of a row onto the last one of the row above, where a blank would stand in the wrong place.

    `counts` is added to: `rows` that were joined to the one above.
    """
    rows: list[Row] = []
    for row in cue.rows:
        if rows and _is_one_line(rows[-1], row):
            *before, (last, time) = rows[-1].tokens
            (first, _), *behind = row.tokens
            rows[-1] = row_of([*before, (last + first, time), *behind], rows[-1].speaker, rows[-1].named)
            counts["rows"] += 1
        else:
            rows.append(row)
    if len(rows) == len(cue.rows):
        return cue
    return replace(cue, rows=tuple(rows), text_key=tuple(token for row in rows for token in row.key))


def join_all_rows(shown: Sequence[Shown]) -> tuple[Sequence[Shown], dict[str, int]]:
    """Join the rows of cues; returns the cues and how many rows were joined to the one above."""
    counts: Counter[str] = Counter()
    if all(len(cue.rows) == 1 or not _may_join(cue) for cue in shown):  # as in most files
        return shown, {}
    return [join_rows(cue, counts) for cue in shown], dict(+counts)


def _may_join(cue: Shown) -> bool:
    return any(not token.isascii() for token in cue.text_key)


def _is_one_line(above: Row, below: Row) -> bool:
    """Say whether two rows are one line of one voice that a blank would cut."""
    if not above.tokens or not below.tokens or above.speaker != below.speaker or below.named:
        return False
    if below.tokens[0][1] is not None and below.tokens[0][1] != above.tokens[-1][1]:
        return False  # both have times of their own, which would be lost
    if _LABEL.match(below.tokens[0][0]):
        return False
    return between_lines(above.tokens[-1][0], below.tokens[0][0]) == ""
