"""From what a user asks, by whatever front, to a query, its answer, and what is printed of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from talksearch.indexer.errors import TalksearchError
from talksearch.indexer.records import Json, Talk
from talksearch.search.query import Filters, Mode, Query, first_day, last_day

from .terminal import Look, safe
from .wire import Printed

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

    Raises QueryError when a date is none.
    """
    return Query(
        text,
        k,
        mode,
        Filters(
            tuple(talks),
            speaker,
            channel,
            language,
            first_day(after) if after else None,
            last_day(before) if before else None,
        ),
        per_talk,
        round(context * 1000),
        id_,
        avoid=avoid,
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
    from talksearch.indexer import catalog

    talk_id, at_ms = find_moment(db, name)
    found = catalog.read_talk(db, talk_id)
    assert found is not None
    return found, at_ms


def find_moment(db: sqlite3.Connection, name: str) -> tuple[str, int | None]:
    """Return a talk's id, and the milliseconds behind `@` or in a URL; a talk's own name may hold an `@`.

    Raises QueryError when the name means no talk, or several.
    """
    from talksearch.indexer.raw import moment
    from talksearch.search.candidates import find_talk

    plain, at_ms = moment(name)
    try:
        return find_talk(db, name), at_ms if plain == name else None
    except TalksearchError:
        if plain == name:
            raise
        return find_talk(db, plain), at_ms


def _printed(answer: Answer, asked: Mapping[str, Json]) -> Printed:
    from . import render

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
