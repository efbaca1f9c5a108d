"""From what a user asks, by whatever front, to a query, its answer, and what is printed of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from talksearch.cli.server.protocol import Printed
from talksearch.indexer.errors import QueryError, TalksearchError
from talksearch.indexer.records import Json, Talk
from talksearch.search.query import Filters, Mode, Query, as_text, first_day, last_day

from .terminal import Look, clock, safe

if TYPE_CHECKING:
    from talksearch.search.engine import Answer, Index


def make_query(
    text: str,
    *,
    k: int = 10,
    mode: Mode = "hybrid",
    talks: Sequence[str] = (),
    speaker: str | None = None,
    channel: str | None = None,
    language: str | None = None,
    after: str | None = None,
    before: str | None = None,
    avoid: str = "",
    per_talk: int | None = None,
    context: float = 0.0,
    explain: bool = False,
    id_: str | None = None,
) -> Query:
    """Return the query that the options of `search` describe; `context` in seconds.

    What is no character in a text, such as a byte of an argument that is not UTF-8, becomes U+FFFD. Raises QueryError
    when a date is none.
    """
    return Query(
        as_text(text),
        k,
        mode,
        Filters(
            tuple(map(as_text, talks)),
            as_text(speaker) if speaker else None,
            as_text(channel) if channel else None,
            as_text(language) if language else None,
            first_day(after) if after else None,
            last_day(before) if before else None,
        ),
        per_talk,
        round(context * 1000),
        id_,
        avoid=as_text(avoid),
        heat=True,
        explain=explain,
    )


def query_of(asked: Mapping[str, Json]) -> Query:
    """Return the query of a request. Raises QueryError when a date is none."""
    return make_query(asked["text"] if asked["command"] == "search" else "", **asked["options"])


def respond(index: Index, asked: Mapping[str, Json]) -> Printed:
    """Answer a request.

    Raises QueryError when the query is at fault, and click.UsageError where `similar` is not told a moment.
    """
    from talksearch.search import engine

    if asked["command"] == "search":
        answer = engine.search(index, query_of(asked))
    else:
        answer = similar(index, asked["text"], query_of(asked))
    return _printed(answer, asked)


def similar(index: Index, moment: str, query: Query) -> Answer:
    """Find passages like the one at TALK@SECONDS. Raises click.UsageError where no seconds are given."""
    from talksearch.search import engine

    talk_id, at_ms = find_moment(index.db, moment)
    if at_ms is None:
        raise click.UsageError("Say which moment: TALK@SECONDS, such as DTcRLlMv4_o@777.")
    return engine.similar(index, query, talk_id, at_ms)


def talk_and_moment(db: sqlite3.Connection, name: str) -> tuple[Talk, int | None]:
    """Return the talk with its cues, and the milliseconds that a name holds (`find_moment`).

    Raises QueryError when the name means no talk, or several.
    """
    from talksearch.indexer.stores import catalog

    talk_id, at_ms = find_moment(db, name)
    found = catalog.read_talk(db, talk_id)
    assert found is not None
    return found, at_ms


def find_moment(db: sqlite3.Connection, name: str) -> tuple[str, int | None]:
    """Return a talk's id, and the milliseconds behind `@` or in a URL; a talk's own name may hold an `@`.

    Raises QueryError when the name means no talk, or several, or a moment after the talk's last words.
    """
    from talksearch.indexer.talks.provenance import moment
    from talksearch.search.ranking.filters import find_talk

    plain, at_ms = moment(name)
    try:
        talk_id = find_talk(db, name)
        at_ms = at_ms if plain == name else None
    except TalksearchError:
        if plain == name:
            raise
        talk_id = find_talk(db, plain)
    if at_ms is not None:
        last = "SELECT max(start_ms), max(end_ms) FROM cues WHERE talk = (SELECT number FROM talks WHERE id = ?)"
        _must_not_be_past(talk_id, at_ms, *db.execute(last, (talk_id,)).fetchone())
    return talk_id, at_ms


def stretch(talk: Talk, from_ms: int | None, to_ms: int | None) -> tuple[range, str]:
    """Return which cues of a talk are said from one moment to another, and a sentence where there are none.

    None stands for the talk's beginning and its end. Raises click.UsageError where the end comes before the beginning,
    and QueryError where the beginning comes after the talk's last words.
    """
    from talksearch.indexer.talks.provenance import cues_between

    if from_ms is not None and to_ms is not None and to_ms < from_ms:
        raise click.UsageError(f"A stretch cannot end at {to_ms / 1000:g} s that begins at {from_ms / 1000:g} s.")
    if from_ms is not None and talk.cues:
        ends = max(cue.end_ms for cue in talk.cues)
        _must_not_be_past(talk.id, from_ms, talk.cues[-1].start_ms, ends)
    part = cues_between(talk.cues, from_ms or 0, to_ms)
    if part or (from_ms is None and to_ms is None):
        return part, ""
    following = talk.cues[part.start : part.start + 1]
    then = f" The next words begin at {clock(following[0].start_ms)}." if following else ""
    return part, f"Nothing is said in that stretch of the talk {talk.id}.{then}"


def _must_not_be_past(talk_id: str, at_ms: int, last_start_ms: int | None, end_ms: int | None) -> None:
    if end_ms is not None and last_start_ms is not None and at_ms >= end_ms and at_ms > last_start_ms:
        raise QueryError(
            f"The last words of the talk {talk_id} end at {clock(end_ms)}, which is {end_ms / 1000:g} s.",
            "Name an earlier second, or read the talk: talksearch show TALK",
        )


def _printed(answer: Answer, asked: Mapping[str, Json]) -> Printed:
    from talksearch.cli.render import hits as render

    hits, form = answer.hits, asked["form"]
    heading = asked["text"] if asked["heading"] else None
    err: tuple[str, ...] = ()
    if form == "jsonl":
        out = render.hits_jsonl(hits)
    elif form == "csv":
        out = render.hits_csv(hits, header=asked["first"])
    elif form == "markdown":
        title = f"## {render.markdown(heading)}\n\n" if heading else ""
        out = title + render.hits_markdown(hits) + ("\n" if heading is not None else "")
    else:
        title = f"{safe(heading)}\n\n" if heading else ""
        out = title + render.hits_text(hits, Look(*asked["look"])) + ("\n" if heading is not None else "")
        err = () if hits else ("Nothing found.",)
    return Printed(out, err, answer.note, hits[0].url if hits else "")
