"""Stores and their talks, as they are printed: what is known of them before anything is fetched."""

from __future__ import annotations

from collections.abc import Iterable

from talksearch.indexer.records import Json
from talksearch.indexer.stores.remote.engine import TalkFacts
from talksearch.indexer.text.clock import show_clock
from talksearch.indexer.text.untrusted import safe


def facts_text(talks: Iterable[TalkFacts]) -> str:
    """Return one line a talk: id, date, length, title."""
    return "".join(
        f"{safe(talk.id)}  {safe(talk.date or ''):<10}  {_length(talk):>8}  {safe(talk.title)}\n" for talk in talks
    )


def facts_json(talk: TalkFacts) -> dict[str, Json]:
    """Return what is known of a talk, by the names of `talks.talk_json`; times in seconds."""
    return {
        "talk_id": talk.id,
        "title": talk.title,
        "speaker": talk.speaker,
        "channel": talk.channel,
        "date": talk.date,
        "language": talk.language,
        "youtube_id": talk.youtube_id,
        "duration_s": None if talk.duration_ms is None else talk.duration_ms / 1000,
        "timing": talk.timing,
    }


def stats_text(facts: dict[str, Json]) -> str:
    """Return the facts about a store for a person."""
    languages = ", ".join(f"{name or 'unknown'} {count:,}" for name, count in facts["languages"].items())
    estimated = f" ({facts['talks_estimated']:,} with estimated times)" if facts["talks_estimated"] else ""
    rows = [
        ("store", facts["store"]),
        ("version", facts["version"]),
        ("talks", f"{facts['talks']:,}{estimated}, {facts['hours']:,.1f} hours"),
        ("languages", languages),
        (
            "passages",
            f"{facts['passages']:,} of about {facts['passage_words']} words, titles and chapters as well,"
            f" {facts['embedded']:,} with vectors",
        ),
        ("model", f"{facts['model']}, {facts['dimension']} dimensions"),
    ]
    return "".join(f"{label:<10} {safe(str(value))}\n" for label, value in rows)


def _length(talk: TalkFacts) -> str:
    return "" if talk.duration_ms is None else show_clock(talk.duration_ms)
