"""The first page, and the answers to what is asked there."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from talksearch.indexer.errors import TalksearchError

from .addresses import Here, shortened
from .left_column import left_column, wrong
from .parameters import parameters
from .shell import shorter, shown


async def _first(request: Request) -> Response:
    try:
        here = Here("/", shortened(parameters(request, "q", "like", ignore_foreign=True)))
    except TalksearchError as error:
        return shown(request, Here("/", {}), wrong(error))
    return shorter(request, here) or shown(request, here, await left_column(request, here))


ROUTES = (Route("/", _first),)
