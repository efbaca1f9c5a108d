"""Hits as they are printed: for people, as JSON lines, as a table, and as Markdown."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence

import click

from talksearch.cli.terminal import Style, hyperlink, wrap
from talksearch.indexer.records import Json
from talksearch.indexer.text.clock import show_clock
from talksearch.indexer.text.untrusted import safe
from talksearch.search.hit import (
    Beside,
    Copy,
    Hit,
    QuoteMatch,
    beside_label,
    byline,
    how_good,
    more_places,
    noted,
    voice,
    when,
)

from .common import INDENT, jsonl, mark, markdown, plain_url

_CSV_KEYS = (
    "query_id", "rank", "score", "talk_id", "title", "speaker", "channel", "date", "language", "source", "youtube_id",
    "start_s", "end_s", "jump_s", "url", "timing", "margin_s", "text", "matches", "passage_id", "grade",
    "said_by", "more_places", "also_at", "beside",
)  # fmt: skip
"""The columns of a table, with the names of the command contract."""

_FORMULA = ("=", "+", "-", "@", "\t", "\n")
"""How a cell begins that a spreadsheet would run."""

_PLACES = 8
"""How many places that say the same are named; the rest is counted."""

_BLOCKS = "·▁▂▃▄▅▆▇█"
"""From nothing to most, for the line that shows where along a talk the query lives."""


def hits_text(hits: Sequence[Hit], style: Style) -> str:
    """Return hits for a person to read."""
    return "\n".join(_hit_text(hit, style) for hit in hits)


def hits_jsonl(hits: Sequence[Hit]) -> str:
    """Return hits as the command contract names them."""
    return jsonl(hit.to_dict() for hit in hits)


def hits_csv(hits: Sequence[Hit], *, header: bool = True) -> str:
    """Return hits as a table with a header line; lists stand as JSON, and no cell is a formula."""
    out = io.StringIO()
    writer = csv.DictWriter(out, _CSV_KEYS, restval="", extrasaction="ignore", lineterminator="\n")
    if header:
        writer.writeheader()
    for hit in hits:
        writer.writerow({key: _cell(value) for key, value in hit.to_dict().items()})
    return out.getvalue()


def hits_markdown(hits: Sequence[Hit]) -> str:
    """Return hits as a numbered Markdown list; nothing in them acts as Markdown or HTML."""
    lines = []
    for hit in hits:
        by = f", {markdown(byline(hit))}" if byline(hit) else ""
        lines.append(
            f"{hit.rank}. **{markdown(hit.title)}**{by} — [{when(hit)}](<{plain_url(hit.url)}>)\n\n"
            + (f"   {markdown(noted(hit))}\n\n" if noted(hit) else "")
            + f"   > {markdown(hit.text)}\n"
            + (f"   >\n   > — {markdown(voice(hit))}\n" if voice(hit) else "")
            + (_beside_markdown(hit.beside) if hit.beside else "")
            + (f"\n   {_places_markdown(hit)}\n" if hit.also_at else "")
        )
    return "\n".join(lines)


def _hit_text(hit: Hit, style: Style) -> str:
    title = click.style(safe(hit.title), bold=True) if style.color else safe(hit.title)
    facts = " · ".join(part for part in (safe(byline(hit)), when(hit), how_good(hit)) if part)
    lines = [f"{hit.rank:>2}. {title}", f"{INDENT}{facts}"]
    if hit.heat:
        lines.append(f"{INDENT}{heat_line(hit.heat)}")
    if noted(hit):
        lines.append(wrap(noted(hit), (), style, INDENT))
    lines.append(wrap(hit.text, hit.matches, style, INDENT, hit.mark_kind))
    if voice(hit):
        lines.append(wrap(f"— {voice(hit)}", (), style, INDENT))
    if hit.beside:
        lines.append(wrap(f"[{beside_label(hit.beside)}] {hit.beside.text}", (), style, INDENT))
    lines.append(f"{INDENT}{hyperlink(hit.url, style)}")
    if hit.also_at:
        lines.append(wrap(places(hit), (), style, INDENT))
    lines += [f"{INDENT}{copy_place(copy)}: {hyperlink(copy.url, style)}" for copy in hit.copies]
    if hit.quote is not None and hit.quote.score < 1:
        lines.append(wrap(difference(hit.quote), (), style, INDENT))
    if hit.more_in_talk:
        lines.append(f"{INDENT}and {hit.more_in_talk} more in this talk: --talk {safe(hit.talk_id)}")
    if hit.explain is not None:
        lines.append(wrap(why(hit.explain), (), style, INDENT))
    return "\n".join(lines) + "\n"


def places(hit: Hit) -> str:
    """Return in how many more places of its talk a hit is said, and when."""
    times = [f"{mark(hit.timing)}{show_clock(place.jump_ms)}" for place in hit.also_at[:_PLACES]]
    return f"{more_places(len(hit.also_at))}: {', '.join(times)}{' …' if len(hit.also_at) > _PLACES else ''}"


def copy_place(copy: Copy) -> str:
    """Return where another talk says the same."""
    more = f" {more_places(copy.more_places)}" if copy.more_places else ""
    return f"the same in {safe(copy.title)}, {mark(copy.timing)}{show_clock(copy.jump_ms)}{more}"


def _places_markdown(hit: Hit) -> str:
    """Return what `places` says with a link at each time."""
    links = [
        f"[{mark(hit.timing)}{show_clock(place.jump_ms)}](<{plain_url(place.url)}>)" for place in hit.also_at[:_PLACES]
    ]
    return f"{more_places(len(hit.also_at))}: {', '.join(links)}{' …' if len(hit.also_at) > _PLACES else ''}"


def _beside_markdown(beside: Beside) -> str:
    return f"\n   {markdown(beside_label(beside))}:\n\n   > {markdown(beside.text)}\n"


def difference(quoted: QuoteMatch) -> str:
    """Return where what was said differs from what was asked for."""
    parts = [
        f"“{edit.said}” for “{edit.asked}”"
        if edit.asked and edit.said
        else f"“{edit.asked}” is not said"
        if edit.asked
        else f"“{edit.said}” is said besides"
        for edit in quoted.difference
        if edit.op != "same"
    ]
    return f"[{'; '.join(parts)}]" if parts else ""


def heat_line(heat: Sequence[float]) -> str:
    """Return numbers from 0 to 1 as a line of blocks.

    >>> heat_line([0.0, 0.1, 0.5, 1.0])
    '·▁▄█'
    """
    return "".join(_BLOCKS[round(min(1.0, max(0.0, value)) * (len(_BLOCKS) - 1))] for value in heat)


def why(explain: dict[str, Json]) -> str:
    """Return why a passage is a hit, as a sentence."""
    terms_said = ", ".join(f"{term} {weight:.1f}" for term, weight in explain["terms"].items()) or "none"
    terms_not_said = ", ".join(explain["terms_not_said"]) or "none"
    parts = [f"score {explain['score']:.2f}"]
    if explain["cosine"] is not None:
        parts.append(f"meaning: cosine {explain['cosine']:.3f}, rank {explain['rank_by_meaning']}")
    if explain["words"] is not None:
        parts.append(f"words: {explain['words']:.1f}, rank {explain['rank_by_words']}")
    if explain["tokens"] is not None:
        parts.append(f"token by token: {explain['tokens']:+.1f} deviations among the first")
    parts += [f"said: {terms_said}", f"not said: {terms_not_said}", f"found by {explain['found_by']}"]
    parts.append(f"jump {explain['jump_from_start_s']:+.1f} s from the passage's start")
    return f"[{'; '.join(parts)}]"


def _cell(value: Json) -> Json:
    """Return a value as a cell. A text that a spreadsheet would run as a formula gets an apostrophe in front, which
    spreadsheets do not show (OWASP, "CSV Injection").
    """
    if isinstance(value, str):
        text = value.replace("\r\n", "\n").replace(
            "\r", "\n"
        )  # a lone "\r" ends a row, and Python 3.11 does not quote it
        return f"'{text}" if text.startswith(_FORMULA) else text
    return json.dumps(value) if isinstance(value, list | dict) else value
