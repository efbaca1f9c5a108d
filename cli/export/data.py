"""A talk as JSON: all that is known of it, or the parts that podcast players read."""

from __future__ import annotations

import json
from collections.abc import Sequence

from talksearch.cli.render.receipts import receipt_json
from talksearch.cli.render.talks import talk_json
from talksearch.indexer.errors import QueryError, UsageError
from talksearch.indexer.records import Chapter, Cue, Json, Talk
from talksearch.search.hit import Hit
from talksearch.search.links import jump_to, link_at

from .selection import Selection, Written

_LONGEST_TITLE = 80
"""Characters of the title of a chapter that is made of a hit: a player shows it in one line."""


def everything(selection: Selection) -> Written:
    """Return talks with all that the index knows of them, or hits with their talks, under the command contract's keys.

    A talk has its facts, `cues` and its `receipt`; several are a list under `talks`. Hits are
    `{"query": …, "hits": […], "talks": […]}`, their talks without cues.
    """
    if selection.kind == "hits":
        talks = [_about(talk, selection) for talk in selection.talks]
        return _json({"query": selection.query, "hits": [hit.to_dict() for hit in selection.hits], "talks": talks})
    whole = [_whole(talk, selection) for talk in selection.talks]
    return _json(whole[0] if selection.kind == "talk" else {"talks": whole})


def podcast(selection: Selection) -> Written:
    """Return a talk as a transcript of Podcasting 2.0, version 1.0.0: a segment for each cue.

    https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/examples/transcripts/transcripts.md
    """
    (talk,) = selection.talks
    segments = [
        {
            **({"speaker": cue.speaker} if cue.speaker else {}),
            "startTime": cue.start_ms / 1000,
            "endTime": cue.end_ms / 1000,
            "body": cue.text,
        }
        for cue in talk.cues
    ]
    return _json({"version": "1.0.0", "segments": segments})


def chapters(selection: Selection) -> Written:
    """Return the chapters of a talk as Podcasting 2.0 has them, version 1.2.0; for hits, a chapter for each hit.

    https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/examples/chapters/jsonChapters.md

    Raises UsageError where the hits are of several talks, since chapters are those of one recording, and QueryError
    where a talk has none.
    """
    talks = list(selection.talks)
    if selection.kind == "hits" and len(talks) > 1:
        raise UsageError(
            "Chapters are those of one talk, and these hits are of several.",
            "Name one of the talks with --talk, or write m3u or edl.",
        )
    found = _chapters_of_hits(selection.hits) if selection.kind == "hits" else talks[0].chapters
    if not found and selection.kind == "talk":
        raise QueryError(
            "There are no chapters to write.", "See which talks have some: talksearch talks --format jsonl"
        )
    rows = [{"startTime": chapter.start_ms / 1000, "title": chapter.title} for chapter in found]
    title = {"title": talks[0].title} if talks else {}
    return _json({"version": "1.2.0", **title, "chapters": rows})


def _chapters_of_hits(hits: Sequence[Hit]) -> list[Chapter]:
    return sorted((Chapter(hit.jump_ms, _titled(hit.text)) for hit in hits), key=lambda chapter: chapter.start_ms)


def _titled(text: str) -> str:
    """Return the beginning of a text, in whole words where it has words.

    >>> _titled("short"), len(_titled("word " * 50)), len(_titled("字" * 200))
    ('short', 80, 81)
    """
    if len(text) <= _LONGEST_TITLE:
        return text
    start = text[:_LONGEST_TITLE]
    return f"{start.rpartition(' ')[0] or start}…"


def _about(talk: Talk, selection: Selection) -> dict[str, Json]:
    return {**talk_json(talk, *selection.sizes.get(talk.id, (0, 0))), "description": talk.description}


def _whole(talk: Talk, selection: Selection) -> dict[str, Json]:
    """Return a talk with its facts at the top, where readers of transcripts look for its title and language."""
    return {**_about(talk, selection), "cues": [_cue(cue, talk) for cue in talk.cues], "receipt": receipt_json(talk)}


def _cue(cue: Cue, talk: Talk) -> dict[str, Json]:
    """Return a cue under keys that let readers of transcripts, this project's own among them, see one talk here.

    The address that plays it is not called `url`, since many of these in one list mean many recordings, and the times
    of words are bare numbers, since words with times are taken for the transcript.
    """
    jump_ms = jump_to(cue.start_ms, talk.timing, talk.margin_ms)
    return {
        "start_s": cue.start_ms / 1000,
        "end_s": cue.end_ms / 1000,
        "speaker": cue.speaker,
        "text": cue.text,
        "turn": cue.turn,
        "opens_at": link_at(talk.url, jump_ms / 1000) or None,
        "word_starts_s": [word.start_ms / 1000 for word in cue.words],
    }


def _json(value: Json) -> Written:
    return Written(json.dumps(value, ensure_ascii=False, indent=1) + "\n")
