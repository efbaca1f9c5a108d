"""The page of a talk: `/talk/ID`, open at a second, beside the answers where something was asked."""

from __future__ import annotations

import asyncio
from functools import partial
from sqlite3 import Connection

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from talksearch.cli.answers import similar
from talksearch.indexer.errors import QueryError, TalksearchError
from talksearch.indexer.records import Talk
from talksearch.indexer.stores import catalog
from talksearch.search import engine
from talksearch.search.hit import Hit
from talksearch.search.options import make_query
from talksearch.search.ranking.filters import find_talk

from .addresses import Here, shortened, talk_path
from .asking import with_catalog, with_index
from .left_column import left_column
from .parameters import Parameters, last, options, parameters
from .problems import refused
from .shell import Column, framed, shorter, shown, wanted_column
from .talk_view import OWN, view_of


async def _talk(request: Request) -> Response:
    asked = parameters(request, "q", "like", *OWN, ignore_foreign=True)
    given = shortened(asked) | {name: texts for name, texts in asked.items() if name == "words"}
    try:
        talk = await with_catalog(request, partial(_read, name=request.path_params["talk"]))
    except QueryError as error:
        return refused(request, 404, error.message, error.hint)
    here = Here(talk_path(talk.id), given)
    if short := shorter(request, here):
        return short
    wanted, has_question = wanted_column(request), bool({"q", "like"} & given.keys())
    beside = Here(here.path, {name: texts for name, texts in given.items() if name == "t" or name not in OWN})
    left = await left_column(request, beside) if has_question and wanted != "talk" else None
    if wanted == "answers" and left:
        return shown(request, beside, left)
    hits = await _hits(request, given) if has_question else ()
    # A long talk takes a while, in which others are answered.
    view = await asyncio.to_thread(view_of, talk, here, hits)
    values = {"talk": view, "alone": not has_question}
    column = await framed(request, Column("talk.html", f"{view.title} · talksearch", values))
    return await asyncio.to_thread(shown, request, beside, left, column)


def _read(db: Connection, name: str) -> Talk:
    """Return the talk that a name means. Raises QueryError where it means none or several."""
    talk = catalog.read_talk(db, find_talk(db, name))
    assert talk is not None
    return talk


async def _hits(request: Request, given: Parameters) -> tuple[Hit, ...]:
    """Return the hits of what was asked; none where it cannot be answered, as the left column tells."""
    try:
        query = make_query(last(given, "q"), **options(given))
        if query.text:
            return (await with_index(request, partial(engine.search, query=query))).hits
        return (await with_index(request, partial(similar, moment=last(given, "like"), query=query))).hits
    except TalksearchError:
        return ()


ROUTES = (Route("/talk/{talk:path}", _talk),)
