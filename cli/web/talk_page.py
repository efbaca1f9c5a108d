"""The page of a talk: `/talk/ID`, open at a second, beside the answers where something was asked."""

from __future__ import annotations

import asyncio
from functools import partial
from sqlite3 import Connection

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from talksearch.indexer.errors import QueryError, TalksearchError
from talksearch.indexer.records import Talk
from talksearch.indexer.stores import catalog_talks
from talksearch.search.hit import Hit
from talksearch.search.ranking.filters import find_talk

from .addresses import PageAddress, shortened, talk_path
from .asking import with_catalog
from .guards import is_of_other_site
from .left_column import answered, answers_column, wrong
from .parameters import parameters
from .problems import refused
from .shell import Column, framed, shorter, shown, wanted_column
from .talk_view import OWN, view_of


async def _talk(request: Request) -> Response:
    asked = parameters(request, "q", "like", *OWN, ignore_foreign=True)
    given = shortened(asked) | {name: texts for name, texts in asked.items() if name == "words"}
    if is_of_other_site(request):
        given.pop("play", None)  # nobody has asked for it here, and what plays may come from elsewhere
    try:
        name = request.path_params["talk"]
        talk = await with_catalog(request, partial(_read, name=name), name)
    except QueryError as error:
        return refused(request, 404, error.message, error.hint)
    here = PageAddress(talk_path(talk.id), given)
    if short := shorter(request, here):
        return short
    wanted, has_question = wanted_column(request), bool({"q", "like"} & given.keys())
    beside = PageAddress(here.path, {name: texts for name, texts in given.items() if name == "t" or name not in OWN})
    left, hits = await _beside(request, beside) if has_question else (None, ())
    if wanted == "answers" and left:
        return shown(request, beside, left)
    # A long talk takes a while, in which others are answered.
    view = await asyncio.to_thread(view_of, talk, here, hits)
    values = {"talk": view, "alone": not has_question}
    column = await framed(request, Column("talk.html", f"{view.title} · talksearch", values), name)
    return await asyncio.to_thread(shown, request, beside, None if wanted == "talk" else left, column)


def _read(db: Connection, name: str) -> Talk:
    """Return the talk that a name means. Raises QueryError where it means none or several."""
    talk = catalog_talks.read_talk(db, find_talk(db, name), words=False)
    assert talk is not None
    return talk


async def _beside(request: Request, here: PageAddress) -> tuple[Column, tuple[Hit, ...]]:
    """Return the column beside the talk and the hits in it; none where the question cannot be answered."""
    try:
        found = await answered(request, here.given)
        return answers_column(here, found), found.answer.hits
    except TalksearchError as error:
        return wrong(error), ()


ROUTES = (Route("/talk/{talk:path}", _talk),)
