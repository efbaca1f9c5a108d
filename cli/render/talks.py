"""Talks, their text and counts, as they are printed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from talksearch.cli.terminal import Style, wrap
from talksearch.indexer.records import Cue, Json, Talk
from talksearch.indexer.text import youtube
from talksearch.indexer.text.clock import show_clock
from talksearch.indexer.text.sentences import ends_sentence
from talksearch.indexer.text.untrusted import safe
from talksearch.search.links import jump_to

from .common import jsonl, mark


def talks_text(talks: Iterable[Talk], sizes: dict[str, tuple[int, int]]) -> str:
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


def talk_text(talk: Talk, look: Style, part: range | None = None) -> str:
    """Return a talk, or a part of its cues, to read: a heading, then paragraphs, each with its time."""
    facts = [talk.speaker, talk.channel, talk.date, talk.language, talk.url]
    head = f"{safe(talk.title)}\n{' · '.join(safe(fact) for fact in facts if fact)}\n"
    if talk.timing == "estimated":
        head += f"Times are estimated, nine in ten within {talk.margin_ms / 1000:.0f} s.\n"
    cues = talk.cues if part is None else talk.cues[part.start : part.stop]
    return head + "".join("\n" + _paragraph(some, talk, look) for some in _paragraphs(cues))


def cues_json(talk: Talk, part: range | None = None) -> Iterator[dict[str, Json]]:
    """Yield a talk's cues, or a part of them, each with the link that plays it."""
    for cue in talk.cues if part is None else talk.cues[part.start : part.stop]:
        jump_ms = jump_to(cue.start_ms, talk.timing, talk.margin_ms)
        yield {
            "talk_id": talk.id,
            "start_s": cue.start_ms / 1000,
            "end_s": cue.end_ms / 1000,
            "speaker": cue.speaker,
            "text": cue.text,
            "url": youtube.link(talk.url, jump_ms // 1000) if talk.url else None,
            "timing": talk.timing,
            "margin_s": talk.margin_ms / 1000,
        }


def raw_shown(talk: Talk, data: bytes, part: range, form: str, whole: bool, look: Style) -> str:
    """Return the untouched source of a talk, or what of it is behind some of its cues.

    In jsonl each cue comes with its own stretch: `raw`, from character `raw_start` up to `raw_end` of the decoded file.
    No control character reaches a terminal; into a pipe or a file goes what stands there.
    """
    from talksearch.indexer.talks.provenance import locate_cues, raw_text

    if whole and form == "text":
        return _untouched(raw_text(data, talk.receipt), look)
    if not part:
        return ""
    source = locate_cues(data, talk.source.rpartition("/")[2], talk)
    if form == "text":
        start, end = source.span_of(part.start, part.stop - 1)
        return _untouched(source.text[start:end], look)
    rows = []
    for number, row in zip(part, cues_json(talk, part), strict=True):
        start, end = source.span_of(number, number)
        rows.append({**row, "raw": source.text[start:end], "raw_start": start, "raw_end": end})
    return jsonl(rows)


def _untouched(text: str, look: Style) -> str:
    text = text if text.endswith("\n") else text + "\n"
    # A terminal is the only stream that has links.
    return "\n".join(safe(line) for line in text.split("\n")) if look.links else text


def stats_text(facts: dict[str, Json]) -> str:
    """Return the facts about an index for a person."""
    sizes = ", ".join(f"{name} {size / 1e6:,.1f} MB" for name, size in facts["bytes"].items())
    languages = ", ".join(f"{name or 'unknown'} {count:,}" for name, count in facts["languages"].items())
    estimated = f" ({facts['talks_estimated']:,} with estimated times)" if facts["talks_estimated"] else ""
    rows = [
        ("index", facts["index"]),
        *(("path", path) for path in facts["paths"]),
        ("talks", f"{facts['talks']:,}{estimated}, {facts['hours']:,.1f} hours"),
        ("languages", languages),
        (
            "passages",
            f"{facts['passages']:,} of about {facts['passage_words']} words, {facts['embedded']:,} with vectors",
        ),
        ("model", f"{facts['model']}, {facts['dimension']} dimensions"),
        ("size", f"{sum(facts['bytes'].values()) / 1e6:,.1f} MB: {sizes}"),
    ]
    return "".join(f"{label:<10} {safe(str(value))}\n" for label, value in rows)


def _paragraphs(cues: Sequence[Cue]) -> Iterator[list[Cue]]:
    """Gather cues into paragraphs: up to the next turn, or a sentence's end after some forty words."""
    gathered: list[Cue] = []
    words = 0
    for cue in cues:
        other = gathered and (cue.turn or cue.speaker != gathered[-1].speaker)
        if other or words > 120 or (words > 40 and ends_sentence(gathered[-1].text.rpartition(" ")[2])):
            yield gathered
            gathered, words = [], 0
        gathered.append(cue)
        words += len(cue.text.split())
    if gathered:
        yield gathered


def _paragraph(cues: Sequence[Cue], talk: Talk, look: Style) -> str:
    name = f"{cues[0].speaker}: " if cues[0].speaker else ""
    text = wrap(name + " ".join(cue.text for cue in cues), (), look, " " * 10)
    return f"{f'[{mark(talk.timing)}{show_clock(cues[0].start_ms)}]':<10}{text.lstrip()}\n"
