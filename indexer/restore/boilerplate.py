"""Cues and rows that a service or a program wrote about itself: left out, with what they said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from talksearch.indexer.readers.registry import format_named
from talksearch.indexer.records import Json, Transcript
from talksearch.indexer.text.boilerplate import boilerplate_among, introduces_a_list, is_edge
from talksearch.indexer.text.lone_names import may_be_a_lone_name

from .markup import Row, Shown
from .name_rows import are_timed_by_word

_LONGEST_HEAD = 12
"""Rows at the head and at the tail of a file that are looked at."""


def find_boilerplate(shown: Sequence[Shown], transcript: Transcript) -> dict[str, Json]:
    """Find the cues that are nothing but boilerplate, and rows of it above the first words and below the last.

    In a text a row is a line, so it is boilerplate in the middle too; in captions it may be a part of a sentence.

    Returns what `drop_boilerplate` needs: `lines_left_out`, which are texts of cues and rows; nothing where there are
    none, or nothing else.
    """
    if are_timed_by_word(shown):
        return {}
    known = format_named(transcript.format)
    by_line = known is not None and known.names_carry_on
    cues = [cue for cue in shown if cue.rows]
    texts = _rows_of(cues) if by_line else [" ".join(cue.text_key) for cue in cues]
    lines = dict.fromkeys(boilerplate_among(texts))
    head, tail = _rows_of(cues[:_LONGEST_HEAD]), _rows_of(cues[-_LONGEST_HEAD:])
    lines.update(dict.fromkeys(_edges(head[:_LONGEST_HEAD], by_line)))
    lines.update(dict.fromkeys(_edges(reversed(tail[-_LONGEST_HEAD:]), by_line)))
    if not lines or all(row in lines for row in _rows_of(cues)):
        return {}
    return {"lines_left_out": list(lines)}


def _rows_of(cues: Sequence[Shown]) -> list[str]:
    return [" ".join(row.key) for cue in cues for row in cue.rows]


def _edges(rows: Iterable[str], by_line: bool) -> list[str]:
    """Return rows as long as they are no speech, from the edge of a file inwards.

    A heading above a list, and the list, stand in texts only (`by_line`).
    """
    found: list[str] = []
    listed = False
    for row in rows:
        is_list = listed and ("," in row or may_be_a_lone_name(row))
        if not (is_edge(row) or is_list) or (introduces_a_list(row) and not by_line):
            break
        listed = introduces_a_list(row)
        found.append(row)
    return found


def drop_boilerplate(shown: Sequence[Shown], lines: Iterable[str], counts: Counter[str]) -> list[Shown]:
    """Leave out the cues and rows whose text is one of the lines. `counts` is added to: `rows`."""
    known = frozenset(lines)
    out: list[Shown] = []
    for cue in shown:
        if not cue.rows:
            out.append(cue)
            continue
        kept: tuple[Row, ...] = ()
        if " ".join(cue.text_key) not in known:
            kept = tuple(row for row in cue.rows if " ".join(row.key) not in known)
        counts["rows"] += len(cue.rows) - len(kept)
        if len(kept) == len(cue.rows):
            out.append(cue)
        elif kept:
            out.append(replace(cue, rows=kept, text_key=tuple(token for row in kept for token in row.key)))
    return out
