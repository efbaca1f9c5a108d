"""Receipts, repairs and passages to be indexed, as they are printed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import click

from talksearch.cli.terminal import Style, wrap
from talksearch.indexer.records import Json, Passage, Receipt, Step, Talk
from talksearch.indexer.text.clock import show_clock
from talksearch.indexer.text.untrusted import safe
from talksearch.search.hit import Hit
from talksearch.search.links import jump_to

from .common import INDENT, counted, mark

if TYPE_CHECKING:
    from talksearch.indexer.mojibake import Repair

_ORIGINS = {"human": "a person", "automatic": "speech recognition", "unknown": "an unknown hand"}
"""Who wrote a transcript, as the end of "words by"."""

_NOTES = {"title": "title", "chapter": "chapter", "description": "sentence of the description"}
"""What is searched besides the words that are said, by the field of a passage."""

_REASONS = {
    "markup": "markup",
    "metadata": "about the talk",
    "names": "names of speakers",
    "sounds": "sounds",
    "boilerplate": "of a service",
    "repair-text": "joined by repairs",
}
"""Why words are not indexed, behind their number, by the reason that a receipt has."""

_ESTIMATED_FROM = {
    "duration": "the duration and the length of the lines",
    "words": "the length of the lines alone",
}
"""What times were estimated from, by what the receipt says of it."""


def receipt_json(talk: Talk) -> dict[str, Json]:
    """Return what was done to a talk, every step with all that it needs to be done again."""
    receipt = talk.receipt
    return {
        "talk_id": talk.id,
        "source": talk.source,
        "timing": talk.timing,
        "margin_s": talk.margin_ms / 1000,
        "times": times_found(talk),
        "words_before": receipt.words_before,
        "words_after": receipt.words_after,
        "words_folded": receipt.words_folded,
        "words_left_out": receipt.words_left_out,
        "words_lost": receipt.words_lost,
        "steps": [{"name": step.name, "field": step.field, "detail": step.detail} for step in receipt.steps],
        "uncertain": list(receipt.uncertain),
    }


def passages_json(talk: Talk, passages: Sequence[Passage], link: Callable[[int], str]) -> Iterator[dict[str, Json]]:
    """Yield what would be indexed of a talk, with the names that hits have; `rank` counts along the talk.

    `link` returns the address that opens the recording at a moment in milliseconds.
    """
    for rank, passage in enumerate(passages, 1):
        jump_ms = jump_to(passage.start_ms, talk.timing, talk.margin_ms)
        # Only the first carries the receipt: it is the whole talk's, and may be longer than all passages.
        receipt = {"receipt": receipt_json(talk)} if rank == 1 else {}
        hit = Hit(
            rank=rank,
            score=0.0,
            passage_id=passage.id,
            talk_id=talk.id,
            title=talk.title,
            source=talk.source,
            youtube_id=talk.youtube_id,
            channel=talk.channel,
            speaker=talk.speaker or ", ".join(passage.speakers) or None,
            date=talk.date,
            language=talk.language,
            start_ms=passage.start_ms,
            end_ms=passage.end_ms,
            jump_ms=jump_ms,
            url=link(jump_ms),
            timing=talk.timing,
            margin_ms=talk.margin_ms,
            text=passage.text,
        )
        yield receipt | hit.to_dict()


def inspect_text(talk: Talk, passages: Sequence[Passage], style: Style) -> str:
    """Return what would be indexed of a talk and what was done to it, for a person."""
    from talksearch.indexer.passages.metadata_passages import notes  # a search must not wait for it

    lines = [
        click.style(safe(talk.source), bold=True) if style.color else safe(talk.source),
        f"  title     {safe(talk.title)}",
        f"  id        {safe(talk.id)}",
        f"  format    {talk.format}, words by {_ORIGINS[talk.origin]}",
        f"  passages  {len(passages):,} from {len(talk.cues):,} cues",
    ]
    for label, value in (("speaker", talk.speaker), ("channel", talk.channel), ("date", talk.date), ("link", talk.url)):
        if value:
            lines.insert(2, f"  {label:<9} {safe(value)}")
    lines.append(receipt_text(talk).rstrip("\n"))
    note_counts = Counter(note.field for note in notes(talk))
    besides = [counted(_NOTES[field], count) for field, count in note_counts.items()]
    lines.append(f"  searched  besides: {', '.join(besides)}")
    tilde = mark(talk.timing)
    for passage in passages:
        lines.append(f"\n  {tilde}{show_clock(passage.start_ms)}–{tilde}{show_clock(passage.end_ms)}")
        lines.append(wrap(passage.text, (), style, INDENT))
    return "\n".join(lines) + "\n"


def receipt_text(talk: Talk) -> str:
    """Return what was done to a talk, for a person: words, times, each step, what stayed uncertain."""
    receipt = talk.receipt
    lines = [
        f"  words     {_words_text(receipt)}",
        f"  times     {safe(times_found(talk))}",
    ]
    lines += [f"  step      {_step_text(step)}" for step in receipt.steps]
    lines += [f"  uncertain {safe(sentence)}" for sentence in receipt.uncertain]
    return "\n".join(lines) + "\n"


def _words_text(receipt: Receipt) -> str:
    """Say what became of every word of the file, the most first."""
    fates = [(receipt.words_after, "indexed"), (receipt.words_folded, "said there again")]
    fates += [
        (count, _REASONS.get(reason, f"taken out by {reason}")) for reason, count in receipt.words_left_out.items()
    ]
    fates.append((receipt.words_lost, "lost"))
    shown = [f"{count:,} {fate}" for count, fate in sorted(fates, key=lambda each: -each[0]) if count]
    return f"{receipt.words_before:,} in the file: {', '.join(shown) or 'none indexed'}"


def times_found(talk: Talk) -> str:
    """Say how the times of a talk were found."""
    details = {step.name: step.detail for step in talk.receipt.steps}
    if "align-times" in details:
        detail = details["align-times"]
        return f"exact, from {detail['from']}, which says {detail['matched']:,} of the {detail['words']:,} words"
    if talk.timing == "exact":
        return "exact, as they stand in the file"
    within = f"nine in ten within {talk.margin_ms / 1000:.0f} s"
    detail = details.get("estimate-times", {})
    if not detail:
        return f"estimated inside the file's long cues, {within}"
    chapters = f" and {detail['chapters']} chapters" if detail.get("chapters") else ""
    return f"estimated from {_ESTIMATED_FROM.get(str(detail.get('from')), 'nothing')}{chapters}, {within}"


def repair_lines(text: str, repair: Repair) -> Iterator[str]:
    """Yield what a text repair did, an edit a line, then the sum."""
    for edit in repair.edits:
        line = text.count("\n", 0, edit.start) + 1
        if edit.before == edit.after:
            yield f"line {line}: {edit.before!r} is damaged, and no reading is certain enough: left as it was"
            continue
        others = f" (or {', '.join(edit.alternatives)})" if edit.alternatives else ""
        yield f"line {line}: {edit.before!r} is {edit.after!r}{others}, read as {edit.rule}"
    repaired = sum(repair.repaired.values())
    yield f"{counted('character', repaired)} repaired, {len(repair.uncertain):,} uncertain."


def _step_text(step: Step) -> str:
    """Say in a line what a step did: its counts, and for repairs how many characters by which rule."""
    facts: list[str] = []
    for key, value in step.detail.items():
        if key == "repaired":
            facts += [f"{counted('character', count)} read as {rule}" for rule, count in value.items()]
        elif key == "lines_shown_times":
            facts += [f"{counted('line', count)} shown {times} times" for times, count in value.items()]
        elif key == "names":
            facts.append(
                f"names {value}"
                if isinstance(value, int)
                else ", ".join(f"{short} is {name}" for short, name in value.items())
            )
        elif isinstance(value, int | float | str) and not isinstance(value, bool):
            shown = f"{value:,}" if isinstance(value, int) else value
            facts.append(f"{key.replace('_', ' ')} {shown}")
    return safe(f"{step.name} ({step.field}){': ' if facts else ''}{', '.join(facts)}")
