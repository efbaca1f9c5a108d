"""Talks, their text and counts, as they are printed."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence

from talksearch.cli.terminal import Style, wrap
from talksearch.indexer.records import Chapter, Cue, Json, Talk
from talksearch.indexer.text.clock import show_clock
from talksearch.indexer.text.lines import join_lines
from talksearch.indexer.text.sentences import ends_sentence
from talksearch.indexer.text.untrusted import safe
from talksearch.search.links import jump_to, link_at

from .common import jsonl, mark, timing_sentence

_ENOUGH_WORDS, _MOST_WORDS = 40, 120
"""A paragraph ends at a sentence's end after the first number of words, and anywhere after the second."""

_TIME_COLUMNS = 10
"""Columns in front of each paragraph, for its time."""


def talks_text(talks: Iterable[Talk], sizes: Mapping[str, tuple[int, int]]) -> str:
    """Return one line a talk: id, date, length, passages, title. `sizes`: (passages, last end in ms) by talk id."""
    lines = []
    for talk in talks:
        passages, end_ms = sizes.get(talk.id, (0, 0))
        length = show_clock(talk.duration_ms or end_ms)
        lines.append(f"{safe(talk.id)}  {talk.date or ' ' * 10}  {length:>8}  {passages:>5}  {safe(talk.title)}\n")
    return "".join(lines)


def talk_json(talk: Talk, passages: int, end_ms: int) -> dict[str, Json]:
    """Return what is known of a talk; times in seconds."""
    return {
        "talk_id": talk.id,
        "title": talk.title,
        "speaker": talk.speaker,
        "channel": talk.channel,
        "date": talk.date,
        "language": talk.language,
        "source": talk.source,
        "youtube_id": talk.youtube_id,
        "url": talk.url,
        "duration_s": None if talk.duration_ms is None else talk.duration_ms / 1000,
        "format": talk.format,
        "timing": talk.timing,
        "margin_s": talk.margin_ms / 1000,
        "origin": talk.origin,
        "chapters": [{"start_s": chapter.start_ms / 1000, "title": chapter.title} for chapter in talk.chapters],
        "passages": passages,
        "end_s": end_ms / 1000,
    }


def talk_text(talk: Talk, style: Style, positions: range | None = None) -> str:
    """Return a talk, or a part of its cues, to read: a heading, then paragraphs, each with its time."""
    facts = [talk.speaker, talk.channel, talk.date, talk.language, talk.url]
    head = f"{safe(talk.title)}\n{' · '.join(safe(fact) for fact in facts if fact)}\n"
    if told := timing_sentence(talk):
        head += f"{told}\n"
    cues = talk.cues if positions is None else talk.cues[positions.start : positions.stop]
    return head + "".join("\n" + _paragraph(paragraph, talk, style) for paragraph in paragraphs(cues))


def cues_json(talk: Talk, positions: range | None = None) -> Iterator[dict[str, Json]]:
    """Yield a talk's cues, or a part of them, each with the link that plays it."""
    for cue in talk.cues if positions is None else talk.cues[positions.start : positions.stop]:
        jump_ms = jump_to(cue.start_ms, talk.timing, talk.margin_ms)
        yield {
            "talk_id": talk.id,
            "start_s": cue.start_ms / 1000,
            "end_s": cue.end_ms / 1000,
            "speaker": cue.speaker,
            "text": cue.text,
            "url": link_at(talk.url, jump_ms / 1000) if talk.url else None,
            "timing": talk.timing,
            "margin_s": talk.margin_ms / 1000,
        }


def source_text(talk: Talk, data: bytes, positions: range | None, style: Style) -> str:
    """Return the untouched source of a talk, or what of it is behind some of its cues.

    No control character reaches a terminal; into a pipe or a file goes what stands there.

    Args:
        talk: the talk with its receipt.
        data: the bytes of its file.
        positions: of the cues; None for the whole file, also what of it is behind no cue.
        style: how output may look.
    """
    from talksearch.indexer.talks.provenance import locate_cues, raw_text  # `--help` must not wait for all readers

    if positions is None:
        return _untouched(raw_text(data, talk.receipt), style)
    if not positions:
        return ""
    source = locate_cues(data, talk.source.rpartition("/")[2], talk)
    start, end = source.span_of(positions.start, positions.stop - 1)
    return _untouched(source.text[start:end], style)


def source_jsonl(talk: Talk, data: bytes, positions: range) -> str:
    """Return cues of a talk, each with its own stretch of the untouched source: `raw`.

    `raw` reaches from character `raw_start` up to `raw_end` of the decoded file.
    """
    from talksearch.indexer.talks.provenance import locate_cues  # as above

    if not positions:
        return ""
    source = locate_cues(data, talk.source.rpartition("/")[2], talk)
    rows = []
    for position, row in zip(positions, cues_json(talk, positions), strict=True):
        start, end = source.span_of(position, position)
        rows.append({**row, "raw": source.text[start:end], "raw_start": start, "raw_end": end})
    return jsonl(rows)


def _untouched(text: str, style: Style) -> str:
    text = text if text.endswith("\n") else text + "\n"
    # A terminal is the only stream that has links.
    return "\n".join(safe(line) for line in text.split("\n")) if style.links else text


def stats_text(facts: dict[str, Json]) -> str:
    """Return the facts about an index for a person."""
    parts = {name: size for name, size in facts["bytes"].items() if name != "encoder"}  # which all indexes share
    sizes = ", ".join(f"{name} {size / 1e6:,.1f} MB" for name, size in parts.items())
    languages = ", ".join(f"{name or 'unknown'} {count:,}" for name, count in facts["languages"].items())
    tracks = ", ".join(f"{name} {count:,}" for name, count in facts["tracks"].items())
    estimated = f" ({facts['talks_estimated']:,} with estimated times)" if facts["talks_estimated"] else ""
    rows = [
        ("index", facts["index"]),
        *(("path", path) for path in facts["paths"]),
        ("talks", f"{facts['talks']:,}{estimated}, {facts['hours']:,.1f} hours"),
        ("languages", languages),
        *([("tracks", tracks)] if tracks else []),
        (
            "passages",
            f"{facts['passages']:,} of about {facts['passage_words']} words, {facts['embedded']:,} with vectors",
        ),
        ("model", f"{facts['model']}, {facts['dimension']} dimensions"),
        ("size", f"{sum(parts.values()) / 1e6:,.1f} MB: {sizes}"),
        ("encoder", f"{facts['bytes']['encoder'] / 1e6:,.1f} MB in {facts['encoder_folder']}"),
    ]
    return "".join(f"{label:<10} {safe(str(value))}\n" for label, value in rows)


def by_chapter(talk: Talk) -> Iterator[tuple[Chapter | None, range]]:
    """Yield the chapters of a talk with the positions of their cues; first, under None, those before any chapter."""
    borders = [bisect_left(talk.cues, chapter.start_ms, key=lambda cue: cue.start_ms) for chapter in talk.chapters]
    for chapter, first, stop in zip((None, *talk.chapters), (0, *borders), (*borders, len(talk.cues)), strict=True):
        if chapter or first < stop:
            yield chapter, range(first, stop)


def paragraphs(cues: Sequence[Cue]) -> Iterator[list[Cue]]:
    """Gather cues into paragraphs: up to the next turn, or a sentence's end after enough words."""
    paragraph: list[Cue] = []
    words = 0
    for cue in cues:
        other_turn = paragraph and (cue.turn or cue.speaker != paragraph[-1].speaker)
        if other_turn or words > _MOST_WORDS or (words > _ENOUGH_WORDS and _ends_sentence(paragraph[-1])):
            yield paragraph
            paragraph, words = [], 0
        paragraph.append(cue)
        words += len(cue.text.split())
    if paragraph:
        yield paragraph


def _ends_sentence(cue: Cue) -> bool:
    return ends_sentence(cue.text.rpartition(" ")[2])


def _paragraph(cues: Sequence[Cue], talk: Talk, style: Style) -> str:
    name = f"{cues[0].speaker}: " if cues[0].speaker else ""
    text = wrap(name + join_lines(cue.text for cue in cues), (), style, " " * _TIME_COLUMNS)
    time = f"[{mark(talk.timing)}{show_clock(cues[0].start_ms)}]"
    return f"{time:<{_TIME_COLUMNS}}{text.lstrip()}\n"
