"""From what a user asks, by whatever front, to a query, its answer, and what is printed of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from talksearch.cli.terminal import Style
from talksearch.indexer.records import Json
from talksearch.indexer.text.untrusted import safe
from talksearch.search.moments import find_moment
from talksearch.search.query import Filters, Mode, Query, as_text, first_day, last_day

from .messages import Printed

if TYPE_CHECKING:
    from talksearch.search.answer import Answer
    from talksearch.search.reader import IndexReader


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


def respond(index: IndexReader, asked: Mapping[str, Json]) -> Printed:
    """Answer a request.

    Raises QueryError when the query is at fault, and click.UsageError where `similar` is not told a moment.
    """
    from talksearch.search import engine

    if asked["command"] == "search":
        answer = engine.search(index, query_of(asked))
    else:
        answer = similar(index, asked["text"], query_of(asked))
    return _printed(answer, asked)


def similar(index: IndexReader, moment: str, query: Query) -> Answer:
    """Find passages like the one at TALK@SECONDS. Raises click.UsageError where no seconds are given."""
    from talksearch.search import engine

    talk_id, at_ms = find_moment(index.db, moment)
    if at_ms is None:
        raise click.UsageError("Say which moment: TALK@SECONDS, such as DTcRLlMv4_o@777.")
    return engine.similar(index, query, talk_id, at_ms)


def _printed(answer: Answer, asked: Mapping[str, Json]) -> Printed:
    from talksearch.cli.render import common
    from talksearch.cli.render import hits as render

    hits, form = answer.hits, asked["form"]
    heading = asked["text"] if asked["heading"] else None
    err: tuple[str, ...] = ()
    if form == "jsonl":
        out = render.hits_jsonl(hits)
    elif form == "csv":
        out = render.hits_csv(hits, header=asked["first"])
    elif form == "markdown":
        title = f"## {common.markdown(heading)}\n\n" if heading else ""
        out = title + render.hits_markdown(hits) + ("\n" if heading is not None else "")
    else:
        title = f"{safe(heading)}\n\n" if heading else ""
        out = title + render.hits_text(hits, Style(*asked["look"])) + ("\n" if heading is not None else "")
        err = () if hits else ("Nothing found.",)
    return Printed(out, err, answer.note, hits[0].url if hits else "")
