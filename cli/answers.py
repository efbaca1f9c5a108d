"""From a request of the command line to its answer, and to what is printed of it.

A server imports this before it listens, so what needs numpy is imported by the functions that a worker calls.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from talksearch.indexer.text.untrusted import safe
from talksearch.search.answer import Answer
from talksearch.search.options import make_query

from .messages import AnswerRequest, Printed
from .render import common, hits

if TYPE_CHECKING:
    from talksearch.search.query import Query
    from talksearch.search.reader import IndexReader


def query_of(request: AnswerRequest) -> Query:
    """Return the query of a request. Raises QueryError when an option cannot have its value or a date is none."""
    query = make_query(request.text if request.command == "search" else "", **request.options)
    return replace(query, id=request.query_id)


def respond(index: IndexReader, request: AnswerRequest) -> Printed:
    """Answer a request. Raises QueryError when the query is at fault, UsageError where `similar` has no seconds."""
    query = query_of(request)
    answer = search(index, query) if request.command == "search" else similar(index, request.text, query)
    return _printed(answer, request)


def search(index: IndexReader, query: Query) -> Answer:
    """Find passages that answer a query. Raises QueryError when it is empty or a filter names what is not there."""
    from talksearch.search import engine

    return engine.search(index, query)


def similar(index: IndexReader, moment: str, query: Query) -> Answer:
    """Find passages like the one at TALK@SECONDS. Raises UsageError where no seconds are given."""
    from talksearch.search import engine
    from talksearch.search.moments import require_moment
    from talksearch.search.named_talk import gather_named

    gather_named(index, moment)
    talk_id, moment_ms = require_moment(index.db, moment)
    return engine.similar(index, query, talk_id, moment_ms)


def _printed(answer: Answer, request: AnswerRequest) -> Printed:
    """Print an answer in the format of its request."""
    errors: tuple[str, ...] = ()
    match request.format:
        case "jsonl":
            out = hits.hits_jsonl(answer.hits)
        case "csv":
            out = hits.hits_csv(answer.hits, header=request.header)
        case "markdown":
            heading = f"## {common.markdown(request.text)}\n\n" if request.heading else ""
            out = heading + hits.hits_markdown(answer.hits) + ("\n" if request.heading else "")
        case "text":
            heading = f"{safe(request.text)}\n\n" if request.heading else ""
            out = heading + hits.hits_text(answer.hits, request.style) + ("\n" if request.heading else "")
            errors = () if answer.hits else ("Nothing found.",)
    return Printed(out, errors, answer.note, answer.hits[0].url if answer.hits else "")
